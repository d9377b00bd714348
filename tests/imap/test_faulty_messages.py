"""One message has a file that cannot be used: the others are served, and the log names it."""

import errno
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, draft, mail
from tests.faults import BadFilesDisk
from tests.imap.talk import ImapFixture
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, finish

NO = "NO [CONTACTADMIN] Some of the messages cannot be used on the disk; the others are done."
NONE_DONE = "NO [CONTACTADMIN] Some of the messages cannot be read from the disk."
UNNAMED = {("open", b"restored"): errno.EACCES}  # the file of UID 4, without S= and W= in its name


class FaultyImap(ImapFixture):
    """An account in a maildir, whose inbox has three good messages and one of another program's."""

    def __init__(self, root: Path, settings: StoreSettings = StoreSettings()) -> None:
        super().__init__()
        self.disk = BadFilesDisk()
        self.reports: list[tuple[str, Exception]] = []
        self.store = MaildirStore(
            root,
            InlineBlocking(),
            self.clock,
            ItemRenderer(),
            StoreServices(
                settings=settings,
                disk=self.disk,
                report_fault=lambda where, error: self.reports.append((where, error)),
            ),
        )
        self.account = finish(self.store.account(ALICE))  # type: ignore[assignment]
        drafts = [draft(mail(text)) for text in ("one", "two", "three")]
        finish(self.account.append("INBOX", drafts))
        self.maildir = root / "example.org" / "alice" / "Maildir"
        self.bad = self.maildir / "cur" / "900.restored.h:2,S"
        self.bad.write_bytes(mail("four"))

    def lines(self, *commands: str) -> list[str]:
        """Return what is answered in the inbox."""
        lines = self.inside("s SELECT INBOX", *commands)
        return lines[[line.startswith("s ") for line in lines].index(True) + 1 :]

    @property
    def reported(self) -> set[tuple[str, int | None]]:
        return {(where, getattr(error, "errno", None)) for where, error in self.reports}


@pytest.fixture
def imap(tmp_path: Path) -> FaultyImap:
    found = FaultyImap(tmp_path)
    found.disk.bad = dict(UNNAMED)
    return found


@pytest.mark.parametrize(
    "items",
    [
        "RFC822.SIZE",
        "INTERNALDATE",
        "(FLAGS RFC822.SIZE)",
        "ENVELOPE",
        "BODYSTRUCTURE",
        "BODY.PEEK[]",
        "BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
        "BODY.PEEK[1]<0.4>",
        "RFC822.HEADER",
        "THREADID",
    ],
)
def test_fetch_sends_the_others_and_says_no_at_the_end(imap: FaultyImap, items: str) -> None:
    lines = imap.lines(f"a FETCH 1:* {items}")
    told = [line.split()[1] for line in lines if " FETCH (" in line]
    assert told == ["1", "2", "3"]
    assert lines[-1] == f"a {NO}"
    assert imap.reported == {(str(imap.bad), errno.EACCES)}


def test_fetch_of_what_needs_no_file_has_all(imap: FaultyImap) -> None:
    lines = imap.lines("a FETCH 1:* (UID FLAGS)")
    assert len(lines) == 5
    assert lines[-1] == "a OK FETCH completed."
    assert imap.reports == []


def test_a_session_goes_on_and_the_file_may_come_back(imap: FaultyImap) -> None:
    imap.lines("a FETCH 1:* RFC822.SIZE")
    imap.disk.bad.clear()
    lines = imap.lines("a FETCH 1:* RFC822.SIZE", "b SEARCH SUBJECT four")
    assert [line.split()[0] for line in lines] == ["*", "*", "*", "*", "a", "*", "b"]
    assert lines[-3:] == ["a OK FETCH completed.", "* SEARCH 4", "b OK SEARCH completed."]


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("SUBJECT o", "1 2"),
        ("NOT SUBJECT one", "2 3"),
        ("TEXT this", "1 2 3"),
        ("BODY three", "3"),
        ("SMALLER 1000", "1 2 3"),
        ("NOT LARGER 1000", "1 2 3"),
        ("BEFORE 1-Jan-1971", ""),
        ("NOT SENTSINCE 1-Jan-1971", "1 2 3"),
        ("OLDER 1", "1 2 3"),
    ],
)
@pytest.mark.parametrize("is_indexed", [True, False])
def test_search_finds_what_it_can(
    tmp_path: Path, program: str, found: str, is_indexed: bool
) -> None:
    imap = FaultyImap(tmp_path, StoreSettings(search=is_indexed))
    imap.disk.bad = dict(UNNAMED)
    imap.clock.seconds += 100
    lines = imap.lines(f"a SEARCH {program}")
    assert lines == [f"* SEARCH {found}".rstrip(), f"a {NO}"]
    assert imap.reported == {(str(imap.bad), errno.EACCES)}


def test_a_fault_of_a_command_that_is_refused_is_no_fault_of_the_next(imap: FaultyImap) -> None:
    imap.disk.bad = {("rename_to_free", b"restored"): errno.ENAMETOOLONG}

    def store_when_the_first_is_gone() -> bytes:
        min(imap.maildir.glob("cur/*,S=*")).unlink()
        return b"a STORE 1:* +FLAGS (\\Flagged)\r\n"

    lines = imap.inside("s SELECT INBOX", store_when_the_first_is_gone, "b NOOP")
    refused, following = [line for line in lines if line[:1] in "ab"]
    assert refused.startswith("a NO [EXPUNGEISSUED]")
    assert following == "b OK NOOP completed."


def test_store_marks_the_others_where_a_name_is_too_long_to_be_renamed(imap: FaultyImap) -> None:
    imap.disk.bad = {("rename_to_free", b"restored"): errno.ENAMETOOLONG}
    lines = imap.lines(r"a STORE 1:* +FLAGS (\Flagged)", "b FETCH 1:* FLAGS")
    assert lines[4] == f"a {NO}"
    assert [r"\Flagged" in line for line in lines[5:9]] == [True, True, True, False]
    assert imap.reported == {(str(imap.bad), errno.ENAMETOOLONG)}


def test_a_silent_store_still_sends_the_flags_that_others_set(imap: FaultyImap) -> None:
    imap.disk.bad = {("rename_to_free", b"restored"): errno.ENAMETOOLONG}
    lines = imap.lines(r"a STORE 1:* +FLAGS.SILENT (\Flagged)", "b FETCH 4 FLAGS")
    assert lines[0] == f"a {NO}"
    assert r"\Flagged" not in lines[1]


def test_what_cannot_be_marked_as_seen_is_read_all_the_same(imap: FaultyImap) -> None:
    imap.disk.bad = {("rename_to_free", b"900.restored"): errno.ENAMETOOLONG}
    imap.bad.rename(imap.bad.with_name("900.restored.h:2,"))
    lines = imap.lines("a FETCH 1:* BODY[]")
    assert lines[-1] == "a OK FETCH completed."
    assert sum("FETCH (" in line for line in lines) == 4


@pytest.mark.parametrize("verb", ["COPY", "MOVE"])
def test_all_or_none_are_copied_or_moved(imap: FaultyImap, verb: str) -> None:
    lines = imap.lines(f"a {verb} 1:* Sent", "b STATUS Sent (MESSAGES)", "c FETCH 1:* FLAGS")
    assert lines[:3] == [f"a {NONE_DONE}", "* STATUS Sent (MESSAGES 0)", "b OK STATUS completed."]
    assert len(lines) == 8
    assert imap.reported == {(str(imap.bad), errno.EACCES)}
    assert imap.lines(f"a {verb} 1:3 Sent")[-1].startswith("a OK ")


def test_what_cannot_be_read_can_be_removed(imap: FaultyImap) -> None:
    lines = imap.lines(r"a STORE 4 +FLAGS (\Deleted)", "b EXPUNGE", "c FETCH 1:* RFC822.SIZE")
    assert lines[-1] == "c OK FETCH completed."
    assert not imap.bad.exists()


def test_expunge_removes_the_others(imap: FaultyImap) -> None:
    imap.disk.bad = {("rename", b"restored"): errno.EACCES}
    lines = imap.lines(r"a STORE 1:* +FLAGS (\Deleted)", "b EXPUNGE")
    assert [line.split()[1] for line in lines[5:8]] == ["3", "2", "1"]
    assert lines[-1] == f"b {NO}"


def test_status_and_select_need_no_files_but_for_the_size(imap: FaultyImap) -> None:
    lines = imap.inside("a STATUS INBOX (MESSAGES UNSEEN UIDNEXT)", "b STATUS INBOX (SIZE)")
    assert lines[0] == "* STATUS INBOX (MESSAGES 4 UNSEEN 3 UIDNEXT 5)"
    assert lines[-1] == "b OK STATUS completed."


def test_mail_comes_in_and_moves_from_new_to_cur_around_a_name_that_is_too_long(
    imap: FaultyImap,
) -> None:
    imap.disk.bad = {("rename", b"long"): errno.ENAMETOOLONG}
    new = imap.maildir / "new"
    for name in ("901.short", "902.long"):
        (new / name).write_bytes(mail(name))
    lines = imap.lines("a NOOP", "b FETCH 5:6 RFC822.SIZE", "c NOOP")
    assert lines[-1] == "c OK NOOP completed."
    assert [path.name for path in new.iterdir()] == ["902.long"]
    assert imap.reported == {(str(new / "902.long"), errno.ENAMETOOLONG)}


def test_a_folder_that_cannot_be_read_stands_alone(imap: FaultyImap) -> None:
    imap.disk.bad = {("files", b".Drafts"): errno.EACCES, ("names", b".Drafts"): errno.EACCES}
    lines = imap.inside(
        'a LIST "" * RETURN (STATUS (MESSAGES))',
        "b SELECT Drafts",
        "c SELECT INBOX",
        "d FETCH 1 UID",
    )
    statuses = [line for line in lines if line.startswith("* STATUS")]
    assert len(statuses) == 5
    no = "b NO [UNAVAILABLE] The mail store has trouble; try again later."
    assert no in lines
    assert lines[-1] == "d OK FETCH completed."
    drafts = imap.maildir / ".Drafts"
    assert {error.filename for _, error in imap.reports} <= {  # type: ignore[attr-defined]
        str(drafts / place).encode() for place in ("new", "cur", "tmp")
    }
    assert imap.reports


def test_an_account_with_a_quota_takes_mail_while_a_file_or_a_folder_cannot_be_read(
    tmp_path: Path,
) -> None:
    imap = FaultyImap(tmp_path, StoreSettings(quota_bytes=100_000))
    imap.disk.bad = {**UNNAMED, ("files", b".Drafts"): errno.EIO}
    answers = finish(imap.store.deliver([ALICE], draft(mail("new")).message))
    assert answers == {ALICE: None}
    assert finish(imap.account.append("Sent", [draft(mail("sent"))])).targets == (1,)
    assert {number for _, number in imap.reported} == {errno.EACCES, errno.EIO}


def test_too_many_open_files_is_nobody_s_own_fault(imap: FaultyImap) -> None:
    imap.disk.bad = {("open", b"cur"): errno.EMFILE}
    lines = imap.lines("a FETCH 1:* BODY.PEEK[]")
    assert lines == ["a NO [UNAVAILABLE] The mail store has trouble; try again later."]
    assert {number for _, number in imap.reported} == {errno.EMFILE}


def test_the_index_for_searching_has_the_others(tmp_path: Path) -> None:
    imap = FaultyImap(tmp_path)
    octets = len(mail("four"))
    imap.bad.rename(imap.bad.with_name(f"900.restored.h,S={octets},W={octets}:2,S"))
    imap.disk.bad = dict(UNNAMED)
    imap.lines("a NOOP")
    imap.clock.seconds += 1000
    for _ in range(20):
        finish(imap.store.indexing.work())
    assert {number for _, number in imap.reported} == {errno.EACCES}
    imap.disk.bad[("open", b"/cur/")] = errno.EIO
    assert imap.lines("a SEARCH BODY two")[0] == "* SEARCH 2"


def test_an_index_that_is_damaged_is_made_again_and_reported(imap: FaultyImap) -> None:
    finish(imap.store.close())
    index = imap.maildir.parent / "index.sqlite3"
    index.write_bytes(b"no database" * 1000)
    assert imap.lines("a FETCH 1:3 UID")[-1] == "a OK FETCH completed."
    assert str(index) in {where for where, _ in imap.reports}


def test_a_message_that_cannot_be_read_stays_unseen(imap: FaultyImap) -> None:
    unseen = imap.bad.with_name("900.restored.h:2,")
    imap.bad.rename(unseen)
    lines = imap.lines("a UID FETCH 1:* (FLAGS BODY[TEXT])", "b UID SEARCH UNSEEN")
    assert lines[-2:] == ["* SEARCH 4", "b OK SEARCH completed."]
    assert unseen.exists()


@pytest.mark.parametrize("fault", [errno.EIO, errno.EACCES])
def test_of_messages_with_known_sizes_the_unreadable_one_stays_unseen(
    imap: FaultyImap, fault: int
) -> None:
    imap.disk.bad = {}
    imap.lines("a UID FETCH 1:* RFC822.SIZE", "b UID STORE 4 -FLAGS (\\Seen)")
    imap.disk.bad = {("open", b"restored"): fault}
    lines = imap.lines("a UID FETCH 1:* (UID BODY[])", "b UID SEARCH UNSEEN")
    assert lines[-2:] == ["* SEARCH 4", "b OK SEARCH completed."]
    assert f"a {NO}" in lines
