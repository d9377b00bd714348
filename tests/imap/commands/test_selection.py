import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.imap.extensions.base import BASE
from twisted_mail.imap.extensions.table import tables_of
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish

ALL = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"


def test_select_describes_the_mailbox() -> None:
    imap = ImapFixture()
    imap.put("\\Seen")
    imap.put("foo")
    imap.tables = tables_of([BASE])
    assert imap.inside("a SELECT inbox") == [
        f"* FLAGS ({ALL} foo)",
        f"* OK [PERMANENTFLAGS ({ALL} foo \\*)] Flags that can be stored",
        "* 2 EXISTS",
        "* 2 RECENT",
        "* OK [UNSEEN 2] First message that is not seen",
        "* OK [UIDVALIDITY 1000000000] UIDs are valid",
        "* OK [UIDNEXT 3] The next UID",
        "a OK [READ-WRITE] SELECT completed.",
    ]


def test_where_all_is_seen_nothing_is_said_of_unseen() -> None:
    imap = ImapFixture()
    imap.put("\\Seen")
    assert not [line for line in imap.inside("a SELECT INBOX") if "UNSEEN" in line]


def test_examine_takes_recent_from_nobody() -> None:
    imap = ImapFixture()
    imap.put()
    lines = imap.inside("a EXAMINE INBOX", imap.put, "b NOOP", "c FETCH 2 FLAGS", "d SELECT INBOX")
    assert lines[3] == "* 1 RECENT"
    assert "* 2 RECENT" in lines
    assert "* 2 FETCH (FLAGS (\\Recent))" in lines
    assert lines[-1].startswith("d OK [READ-WRITE]")
    assert lines[lines.index("* 2 EXISTS", 12) + 1] == "* 2 RECENT"


def test_a_failed_select_leaves_nothing_selected() -> None:
    lines = ImapFixture().inside("a SELECT INBOX", "b SELECT x", "c CHECK")
    assert lines[-2].startswith("b NO [NONEXISTENT]")
    assert lines[-1].startswith("c BAD")


@pytest.mark.parametrize("line", ["SELECT", "SELECT INBOX x", "SELECT INBOX (CONDSTORE)"])
def test_select_has_one_argument(line: str) -> None:
    assert ImapFixture().inside(f"a {line}")[-1].startswith("a BAD")


def test_a_mailbox_that_cannot_be_described_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    imap = ImapFixture()
    box = imap.box()
    closed: list[str] = []

    async def failing() -> int:
        raise Unavailable("The disk is away")

    async def opened(name: str) -> object:
        return box

    monkeypatch.setattr(box, "take_recent", failing)
    monkeypatch.setattr(box, "close", lambda: closed.append("closed"))
    monkeypatch.setattr(imap.account, "open", opened)
    assert imap.inside("a SELECT INBOX")[-1] == "a NO [UNAVAILABLE] The disk is away"
    assert closed == ["closed"]


def test_close_removes_in_silence() -> None:
    imap = ImapFixture()
    imap.put("\\Deleted")
    imap.put()
    lines = imap.inside("a SELECT INBOX", "b CLOSE", "c CLOSE")
    assert lines[-2:] == ["b OK CLOSE completed.", "c BAD Not possible after login"]
    assert list(imap.box().columns.uids) == [2]


@pytest.mark.parametrize(("opening", "closing"), [("EXAMINE", "CLOSE"), ("SELECT", "UNSELECT")])
def test_others_remove_nothing(opening: str, closing: str) -> None:
    imap = ImapFixture()
    imap.put("\\Deleted")
    assert imap.inside(f"a {opening} INBOX", f"b {closing}")[-1] == f"b OK {closing} completed."
    assert len(imap.box().columns) == 1


def test_a_selected_mailbox_is_given_back_when_another_is_selected() -> None:
    imap = ImapFixture()
    imap.inside("a SELECT INBOX", "b SELECT Sent", imap.put, "c NOOP")
    assert finish(imap.account.status("INBOX")).recent == 1


@pytest.mark.parametrize("name", ["CHECK", "CLOSE", "UNSELECT"])
def test_they_have_no_arguments(name: str) -> None:
    assert ImapFixture().inside("a SELECT INBOX", f"b {name} x")[-1].startswith("b BAD")
