from itertools import pairwise
from pathlib import Path

import apsw
import pytest

from twisted_mail.directory.account_import import AccountImportError
from twisted_mail.directory.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings, check
from twisted_mail.mail.outcome import Refused, Unavailable

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)


@pytest.fixture
def register(tmp_path: Path) -> DirectoryEditor:
    made = DirectoryEditor(tmp_path / "accounts", CHEAP, ["Example.ORG"], now=lambda: 1000.0)
    made.domains.add("example.net")
    made.accounts.add("Alice@example.org", "secret")
    return made


def refusal(work: object, *args: object) -> str:
    with pytest.raises(Refused) as refused:
        work(*args)  # type: ignore[operator]
    return refused.value.outcome.text


# ---------------------------------------------------------------- domains


def test_domains_are_listed_with_their_residents(register: DirectoryEditor) -> None:
    register.aliases.add("info@example.net", ["alice@example.org", "x@elsewhere.example"])
    rows = [
        (row.name, row.accounts, row.aliases, row.is_configured) for row in register.domains.all()
    ]
    assert rows == [("example.net", 0, 1, False), ("example.org", 1, 0, True)]


def test_a_domain_is_added_in_its_normal_form(register: DirectoryEditor) -> None:
    assert register.domains.add("BÜCHER.example.") == "xn--bcher-kva.example"
    assert "already" in refusal(register.domains.add, "xn--bcher-kva.example")
    assert "already" in refusal(register.domains.add, "example.org")
    assert "not a domain" in refusal(register.domains.add, "exa mple")


def test_a_domain_with_residents_stays(register: DirectoryEditor) -> None:
    register.accounts.add("bob@example.net", "x")
    assert "still has accounts (1)" in refusal(register.domains.remove, "example.net")
    register.accounts.remove("bob@example.net")
    assert register.domains.remove("Example.Net") == "example.net"
    assert "no domain" in refusal(register.domains.remove, "example.net")


def test_a_domain_of_the_configuration_file_is_removed_there(register: DirectoryEditor) -> None:
    assert "configuration file" in refusal(register.domains.remove, "example.org")


# ---------------------------------------------------------------- accounts


def test_an_account_keeps_its_spelling(register: DirectoryEditor) -> None:
    rows = register.accounts.all()
    assert [(row.address, row.created, row.is_enabled, row.scheme) for row in rows] == [
        ("Alice@example.org", 1000, True, "ARGON2ID")
    ]


def test_an_account_is_made_once_whatever_the_case(register: DirectoryEditor) -> None:
    assert "Alice@example.org is there already" in refusal(
        register.accounts.add, "ALICE@EXAMPLE.ORG", "x"
    )


@pytest.mark.parametrize(
    ("address", "password", "words"),
    [
        ("alice", "x", "not an address"),
        ("a@elsewhere.example", "x", "not ours"),
        ("b@example.org", "", "empty"),
        ("b@example.org", "a\0b", "NUL"),
        ("b@example.org", "x" * 2000, "longer"),
        ("a b@example.org", "x", "not an address"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    register: DirectoryEditor, address: str, password: str, words: str
) -> None:
    assert words in refusal(register.accounts.add, address, password)


def test_removing_says_which_aliases_still_lead_there(register: DirectoryEditor) -> None:
    register.aliases.add("b@example.org", ["alice@example.org"])
    register.aliases.add("a@example.org", ["alice@example.org"])
    assert register.accounts.remove("ALICE@example.org") == ("a@example.org", "b@example.org")
    assert "no account" in refusal(register.accounts.remove, "alice@example.org")


def test_a_password_is_changed(register: DirectoryEditor) -> None:
    register.accounts.set_password("alice@example.org", "other")
    (stored,) = next(register._tables.connection.execute("SELECT hash FROM account"))
    assert check(stored, "other", CHEAP)
    assert "no account" in refusal(register.accounts.set_password, "b@example.org", "x")


def test_logins_are_disabled_and_enabled(register: DirectoryEditor) -> None:
    assert register.accounts.enable("alice@example.org", False) == "Alice@example.org"
    assert not register.accounts.all()[0].is_enabled
    register.accounts.enable("alice@example.org", True)
    assert register.accounts.all()[0].is_enabled


def test_accounts_of_one_domain_are_listed(register: DirectoryEditor) -> None:
    register.accounts.add("bob@example.net", "x")
    assert [row.address for row in register.accounts.all("example.net")] == ["bob@example.net"]
    assert len(register.accounts.all()) == 2


# ---------------------------------------------------------------- import


def test_a_roster_is_taken_in_whole(register: DirectoryEditor) -> None:
    names = register.accounts.import_lines(
        ["b@example.org:{PLAIN}x", "c@example.net:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=:1:2"]
    )
    assert names == ["b@example.org", "c@example.net"]
    assert len(register.accounts.all()) == 3


def test_nothing_is_taken_from_a_roster_with_mistakes(register: DirectoryEditor) -> None:
    lines = ["b@example.org:{PLAIN}x", "alice@example.org:{PLAIN}x", "x@y.example:{PLAIN}x", "bad"]
    with pytest.raises(AccountImportError) as mistaken:
        register.accounts.import_lines(lines)
    assert [mistake.line for mistake in mistaken.value.mistakes] == [2, 3, 4]
    assert len(register.accounts.all()) == 1


def test_hashes_of_existing_accounts_are_replaced_when_asked(register: DirectoryEditor) -> None:
    register.accounts.import_lines(["alice@example.org:{PLAIN}x"], is_replacing=True)
    assert [(row.address, row.scheme) for row in register.accounts.all()] == [
        ("Alice@example.org", "PLAIN")
    ]


def test_300_lines_are_one_commit(register: DirectoryEditor) -> None:
    hashed = "{SHA512-CRYPT}$6$saltsalt$" + "a" * 86
    commits: list[None] = []
    register._tables.connection.set_commit_hook(lambda: bool(commits.append(None)))
    register.accounts.import_lines([f"u{at}@example.org:{hashed}" for at in range(300)])
    assert len(register.accounts.all()) == 301
    assert len(commits) == 1


# ---------------------------------------------------------------- aliases


def test_an_alias_keeps_the_order_of_its_targets(register: DirectoryEditor) -> None:
    register.aliases.add("team@example.org", ["z@elsewhere.example", "alice@example.org"])
    row = register.aliases.add("Team@example.org", ["a@elsewhere.example", "Z@elsewhere.example"])
    assert row.address == "team@example.org"
    assert row.targets == ("z@elsewhere.example", "alice@example.org", "a@elsewhere.example")
    assert register.aliases.all("example.org") == [row]


def test_targets_and_aliases_are_removed(register: DirectoryEditor) -> None:
    register.aliases.add("team@example.org", ["z@elsewhere.example", "alice@example.org"])
    left = register.aliases.remove("team@example.org", ["Z@elsewhere.example"])
    assert left.targets == ("alice@example.org",)
    assert "does not lead to" in refusal(
        register.aliases.remove, "team@example.org", ["z@elsewhere.example"]
    )
    assert register.aliases.remove("team@example.org").targets == ()
    assert "no alias" in refusal(register.aliases.remove, "team@example.org")


def test_an_address_is_an_account_or_an_alias(register: DirectoryEditor) -> None:
    assert "is an account" in refusal(
        register.aliases.add, "alice@example.org", ["x@elsewhere.example"]
    )
    register.aliases.add("b@example.org", ["alice@example.org"])
    assert "is an alias" in refusal(register.accounts.add, "b@example.org", "x")


def test_an_alias_leads_to_somebody(register: DirectoryEditor) -> None:
    assert "no account, alias or list" in refusal(
        register.aliases.add, "b@example.org", ["nobody@example.net"]
    )
    assert "not ours" in refusal(register.aliases.add, "b@x.example", ["alice@example.org"])


def test_an_alias_never_leads_to_itself(register: DirectoryEditor) -> None:
    assert refusal(register.aliases.add, "b@example.org", ["b@example.org"])
    register.aliases.add("b@example.org", ["x@elsewhere.example"])
    register.aliases.add("c@example.org", ["b@example.org"])
    register.aliases.add("d@example.org", ["c@example.org"])
    assert "itself" in refusal(register.aliases.add, "b@example.org", ["d@example.org"])
    assert "itself" in refusal(register.aliases.add, "b@example.org", ["B@example.org"])


def test_a_long_row_of_aliases_is_refused(register: DirectoryEditor) -> None:
    row = ["alice@example.org", *(f"a{number}@example.org" for number in range(10))]
    for before, alias in pairwise(row):
        register.aliases.add(alias, [before])
    assert "in a row" in refusal(register.aliases.add, "b@example.org", row[-1:])


def test_an_alias_with_too_many_targets_is_refused(register: DirectoryEditor) -> None:
    targets = [f"x{number}@elsewhere.example" for number in range(1001)]
    assert "at most 1000" in refusal(register.aliases.add, "b@example.org", targets)


def test_a_catch_all_is_an_alias_without_local_part(register: DirectoryEditor) -> None:
    row = register.aliases.add("@Example.org", ["alice@example.org"])
    assert row.address == "@example.org"
    assert [one.address for one in register.aliases.all()] == ["@example.org"]
    register.aliases.add("b@example.org", ["anything@example.org"])
    assert not register.problems()
    assert register.aliases.remove("@example.org").targets == ()
    assert [one.address for one in register.problems()] == ["b@example.org"]


def test_an_alias_leads_to_programs_by_their_names(register: DirectoryEditor) -> None:
    row = register.aliases.add("t@example.org", ["|ticket", "alice@example.org", "|ticket"])
    assert row.targets == ("|ticket", "alice@example.org")
    assert not register.problems()
    assert register.aliases.remove("t@example.org", ["|ticket"]).targets == ("alice@example.org",)
    assert "a program has a name" in refusal(register.aliases.add, "t@example.org", ["|"])


@pytest.mark.parametrize("target", ["alice+lists@example.org", "alice@example.com"])
def test_a_target_may_have_a_detail_or_another_name_of_the_domain(
    register: DirectoryEditor, target: str
) -> None:
    register.domains.add_name("example.com", "example.org")
    register.aliases.add("b@example.org", [target])
    assert not register.problems()
    assert "no account" in refusal(register.aliases.add, "c@example.org", [f"no{target}"])


# ---------------------------------------------------------------- other names of domains


def test_a_domain_has_other_names(register: DirectoryEditor) -> None:
    assert register.domains.add_name("Example.COM.", "example.org") == (
        "example.com",
        "example.org",
    )
    assert [row.other_names for row in register.domains.all()] == [(), ("example.com",)]
    assert "another name of example.org" in refusal(register.accounts.check_free, "bob@example.com")
    assert "another name of" in refusal(register.domains.add, "example.com")
    assert "another name of" in refusal(register.domains.add_name, "example.com", "example.net")
    assert register.domains.remove("example.com") == "example.com"
    assert "no domain" in refusal(register.domains.remove, "example.com")


def test_other_names_are_of_domains_that_are_there(register: DirectoryEditor) -> None:
    register.domains.add_name("example.com", "example.net")
    assert "no domain" in refusal(register.domains.add_name, "b.example", "a.example")
    told = refusal(register.domains.add_name, "b.example", "example.com")
    assert told == "example.com is another name itself: name example.net"
    assert "there already" in refusal(register.domains.add_name, "example.org", "example.net")
    assert "other names (1)" in refusal(register.domains.remove, "example.net")


# ---------------------------------------------------------------- trouble


def test_what_cannot_work_is_found(register: DirectoryEditor) -> None:
    register.accounts.add("bob@example.net", "x")
    register.aliases.add("b@example.org", ["bob@example.net", "x@elsewhere.example"])
    assert register.problems() == []
    register.accounts.remove("bob@example.net")
    register._tables.connection.execute("UPDATE account SET hash = '{NOPE}x'")
    problems = {trouble.address: trouble.text for trouble in register.problems()}
    assert "{NOPE}" in problems["Alice@example.org"]
    assert "bob@example.net" in problems["b@example.org"]


def test_a_busy_directory_is_unavailable(register: DirectoryEditor, tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "accounts"))
    other.execute("BEGIN IMMEDIATE")
    register._tables.connection.set_busy_timeout(0)
    with pytest.raises(Unavailable):
        register.domains.add("x.example")
    other.execute("ROLLBACK")
    register.domains.add("x.example")


def test_what_fails_halfway_leaves_no_trace(register: DirectoryEditor) -> None:
    assert refusal(
        register.aliases.add, "b@example.org", ["alice@example.org", "nobody@example.net"]
    )
    assert register.aliases.all() == []
