"""Dovecot's files of a mailbox that cannot be read, or are no files."""

import errno
import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, mail
from tests.faults import QuickDisk
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.format.keywords import RETRY_SECONDS
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class ClosedDisk(QuickDisk):
    """Opens no file of these names."""

    def __init__(self) -> None:
        self.closed: dict[bytes, int] = {}

    def open(self, path: bytes) -> int:
        number = self.closed.get(os.path.basename(path))
        if number is not None:
            raise OSError(number, os.strerror(number), path)
        return super().open(path)


class TakenOver:
    """A maildir that Dovecot served: one message, with UID 42 and the keyword $Work."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.maildir = root / "example.org/alice/Maildir"
        self.disk, self.clock = ClosedDisk(), StillClock(2e9)
        self.log: list[str] = []
        for place in ("cur", "new", "tmp"):
            (self.maildir / place).mkdir(parents=True)
        (self.maildir / "cur/1.a:2,Sa").write_bytes(mail("one"))
        self.uid_list = self.maildir / "dovecot-uidlist"
        self.uid_list.write_text("3 V7 N50\n42 :1.a\n")
        self.keywords = self.maildir / "dovecot-keywords"
        self.keywords.write_text("0 $Work\n")

    def account(self) -> MaildirAccount:
        store = MaildirStore(
            self._root,
            InlineBlocking(),
            self.clock,
            FakeRenderer(),
            StoreServices(disk=self.disk, report_fault=self._report),
        )
        return finish(store.account(ALICE))

    def _report(self, where: str, error: Exception) -> None:
        named = getattr(error, "filename", None)
        self.log.append(where if named is None else os.fsdecode(named))

    def inbox(self) -> Mailbox:
        return finish(self.account().open("INBOX"))


@pytest.fixture
def over(tmp_path: Path) -> TakenOver:
    return TakenOver(tmp_path)


def state(inbox: Mailbox) -> tuple[int, list[int]]:
    return inbox.uidvalidity, list(inbox.columns.uids)


# ---------------------------------------------------------------- the list of UIDs


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def make_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_noise(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 100)


@pytest.mark.parametrize("spoil", [make_folder, make_link, make_pipe, make_noise])
def test_what_gives_no_uids_is_kept_aside_and_named_and_the_mailbox_served(
    over: TakenOver, spoil
) -> None:
    spoil(over.uid_list)
    inbox = over.inbox()
    uidvalidity, uids = state(inbox)
    assert (uidvalidity != 7, uids) == (True, [1])
    assert inbox.columns.flags == [normal(["\\Seen", "$Work"])]
    assert os.path.lexists(f"{over.uid_list}.damaged")
    assert over.log == [str(over.uid_list)]
    assert state(over.inbox()) == (uidvalidity, [1])


@pytest.mark.parametrize("spoil", [make_folder, make_link, make_pipe, make_noise])
def test_a_list_that_is_spoiled_later_is_made_again_from_the_index(over: TakenOver, spoil) -> None:
    assert state(over.inbox()) == (7, [42])
    spoil(over.uid_list)
    (over.maildir / "new/2.b").write_bytes(mail("two"))
    uidvalidity, uids = state(over.inbox())
    assert (uidvalidity, uids[0], len(uids)) == (7, 42, 2)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_no_uids_are_lost_for_an_error_that_may_pass(over: TakenOver, number: int) -> None:
    over.disk.closed[b"dovecot-uidlist"] = number
    with pytest.raises(Unavailable):
        over.inbox()
    assert str(over.uid_list) in over.log
    over.disk.closed.clear()
    assert state(over.inbox()) == (7, [42])


# ---------------------------------------------------------------- the keywords


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_without_the_file_of_keywords_the_rest_is_served(over: TakenOver, number: int) -> None:
    over.disk.closed[b"dovecot-keywords"] = number
    inbox = over.inbox()
    assert state(inbox) == (7, [42])
    assert inbox.columns.flags == [normal(["\\Seen"])]
    assert over.log == [str(over.keywords)]
    over.disk.closed.clear()
    over.clock.seconds += RETRY_SECONDS
    finish(inbox.refresh())
    assert inbox.columns.flags == [normal(["\\Seen", "$Work"])]


def test_no_letter_gets_a_second_meaning_meanwhile(over: TakenOver) -> None:
    over.disk.closed[b"dovecot-keywords"] = errno.EACCES
    inbox = over.inbox()
    finish(inbox.mark([42], "add", normal(["$Other"])))
    assert inbox.columns.flags == [normal(["\\Seen", "$Other"])]
    assert over.keywords.read_text() == "0 $Work\n"
    over.disk.closed.clear()
    again = over.inbox()
    assert again.columns.flags == [normal(["\\Seen", "$Other", "$Work"])]


def test_keywords_that_were_read_before_stay_known(over: TakenOver) -> None:
    inbox = over.inbox()
    over.disk.closed[b"dovecot-keywords"] = errno.EIO
    over.keywords.write_text("0 $Work\n1 $More\n")
    finish(inbox.refresh())
    assert inbox.columns.flags == [normal(["\\Seen", "$Work"])]


def test_where_the_process_can_open_no_more_files_the_client_waits(over: TakenOver) -> None:
    over.disk.closed[b"dovecot-keywords"] = errno.EMFILE
    with pytest.raises(Unavailable):
        over.inbox()
