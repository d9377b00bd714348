import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.testing.doubles import finish


def names(imap: ImapFixture) -> set[str]:
    return {info.name for info in finish(imap.account.mailboxes())}


def test_mailboxes_are_made_renamed_and_deleted() -> None:
    imap = ImapFixture()
    lines = imap.inside("a CREATE x/y/", "b RENAME x z", 'c DELETE "z/y"')
    assert lines[0].endswith("CREATE completed.")
    assert lines[1:] == ["b OK RENAME completed.", "c OK DELETE completed."]
    assert "z" in names(imap)
    assert "z/y" not in names(imap)


@pytest.mark.parametrize("error", [Refused("gone"), Unavailable("busy")])
def test_a_mailbox_that_cannot_be_seen_at_once_has_been_made(error: MailError) -> None:
    imap = ImapFixture()

    async def status(name: str, has_size: bool = True) -> None:
        raise error

    imap.account.status = status  # type: ignore[method-assign,assignment]
    assert imap.inside("a CREATE x") == ["a OK CREATE completed."]
    assert "x" in names(imap)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("CREATE INBOX", "NO [ALREADYEXISTS]"),
        ("CREATE a//b", "NO [CANNOT]"),
        ('CREATE ""', "NO [CANNOT]"),
        ("CREATE " + "a/" * 30 + "a", "NO [CANNOT]"),
        ("CREATE " + "a" * 2000, "NO [CANNOT]"),
        ("DELETE INBOX", "NO [CANNOT]"),
        ("DELETE x", "NO [NONEXISTENT]"),
        ("RENAME x y", "NO [NONEXISTENT]"),
        ("RENAME Sent Trash", "NO [ALREADYEXISTS]"),
        ("RENAME Sent Sent/x", "NO [CANNOT]"),
        ('SUBSCRIBE ""', "NO [CANNOT]"),
        ("CREATE x (USE (\\All))", "NO [USEATTR]"),
        ("CREATE x (USE (\\Sent \\Drafts))", "NO [USEATTR]"),
        ("CREATE x (USE (Sent))", "BAD"),
        ("CREATE x (USE \\Sent)", "BAD"),
        ("CREATE x (COLOUR ())", "BAD"),
        ("CREATE x (USE (\\Sent)", "BAD"),
        ("CREATE x ()", "BAD"),
        ("CREATE x y", "BAD"),
        ("CREATE", "BAD"),
        ("DELETE", "BAD"),
        ("DELETE x y", "BAD"),
        ("RENAME x", "BAD"),
        ("SUBSCRIBE &", "NO [CANNOT]"),
        ("UNSUBSCRIBE", "BAD"),
    ],
)
def test_what_cannot_be_done_says_why(line: str, code: str) -> None:
    imap = ImapFixture()
    before = names(imap)
    [answer] = imap.inside(f"a {line}")
    assert answer.startswith(f"a {code}")
    assert names(imap) == before


def test_a_mailbox_may_have_a_use() -> None:
    imap = ImapFixture()
    imap.inside("a CREATE Wastebasket (USE (\\trash))", "b CREATE Plain (USE ())")
    uses = {info.name: info.use for info in finish(imap.account.mailboxes())}
    assert uses["Wastebasket"] == "\\Trash"
    assert uses["Plain"] == ""


def test_who_deletes_the_selected_mailbox_has_none_selected() -> None:
    imap = ImapFixture()
    lines = imap.inside("a CREATE x", "b SELECT x", "c DELETE x", "d CLOSE", "e NOOP")
    assert lines[-3:] == [
        "c OK DELETE completed.",
        "d BAD Not possible after login",
        "e OK NOOP completed.",
    ]


def test_a_failed_delete_leaves_the_selected_mailbox() -> None:
    lines = ImapFixture().inside("b SELECT INBOX", "c DELETE INBOX", "d CHECK")
    assert lines[-1] == "d OK CHECK completed."


def test_subscriptions_outlive_mailboxes() -> None:
    imap = ImapFixture()
    imap.inside("a CREATE x", "b SUBSCRIBE x", "c DELETE x")
    assert "x" in names(imap)
    imap.inside("a UNSUBSCRIBE x", "b UNSUBSCRIBE x")
    assert "x" not in names(imap)
