from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import NO_ENTRY, DirectoryEntry
from twisted_mail.testing.doubles import finish

ALICE, CAROL = "alice@example.org", parse("carol@example.net")
DIRECTORY = FixedDirectory(
    {ALICE: "secret"},
    aliases={"team@example.org": [CAROL]},
    programs={"tickets@example.org": ["ticket"]},
    lists={"news@example.org": [CAROL]},
    domain_aliases={"example.com": "example.org"},
    grants={ALICE: ["@partner.example", "carol@example.net"]},
)


def test_entries_are_accounts_aliases_programs_and_lists() -> None:
    def find(text: str) -> DirectoryEntry | None:
        return finish(DIRECTORY.find(parse(text)))

    assert find("Alice@example.com") == DirectoryEntry(ALICE)
    assert find("team@example.org") == DirectoryEntry(targets=(CAROL,))
    assert find("tickets@example.org") == DirectoryEntry(programs=("ticket",))
    assert find("news@example.org") == DirectoryEntry(list="news@example.org", owners=(CAROL,))
    assert find("nobody@example.org") == NO_ENTRY
    assert find("alice@elsewhere.example") is None


def test_domains_are_those_with_addresses_and_their_other_names() -> None:
    assert finish(DIRECTORY.home("example.com")) == "example.org"
    assert finish(DIRECTORY.is_ours("example.org"))
    assert not finish(DIRECTORY.is_ours("example.net"))


def test_an_account_may_send_as_what_it_was_granted() -> None:
    for text in ("any@partner.example", "Carol@example.net"):
        assert finish(DIRECTORY.may_send_as(ALICE, parse(text)))
    assert not finish(DIRECTORY.may_send_as(ALICE, parse("bob@example.net")))


def test_a_password_is_right_or_not() -> None:
    assert finish(DIRECTORY.verify(Credentials("Alice@example.org", "secret"))) == ALICE
    assert finish(DIRECTORY.verify(Credentials(ALICE, "wrong"))) is None
