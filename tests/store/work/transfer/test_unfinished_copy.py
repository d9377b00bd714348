import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.contracts.ground import draft, mail
from tests.faults import FailDisk, QuickDisk, StopDisk, Stopped
from tests.store.work.transfer.test_move import account_at
from twisted_mail.mail.mailbox.entry import CopyResult, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account import alterations
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.testing.doubles import finish

MESSAGES = {
    mail("one"): normal(["\\Seen"]),
    mail("two"): normal(["$Work"]),
    mail("three"): normal([]),
}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An account whose inbox has three messages."""
    root = tmp_path / "before"
    account = account_at(root)
    finish(account.append("INBOX", [draft(text, *flags) for text, flags in MESSAGES.items()]))
    finish(account.close())
    return root


def copy(account: MaildirAccount) -> CopyResult:
    inbox = finish(account.open("INBOX"))
    try:
        return finish(inbox.copy([1, 2, 3], "Sent"))
    finally:
        inbox.close()


def sent(root: Path) -> list[tuple[bytes, list[str]]]:
    account = account_at(root)
    mailbox = finish(account.open("Sent"))
    texts = finish(mailbox.read([MessageRange(uid) for uid in mailbox.columns.uids]))
    return sorted(zip(texts, map(sorted, mailbox.columns.flags), strict=True))


@pytest.mark.parametrize("number", [1, 500])
def test_wherever_the_process_stops_all_are_copied_or_none(
    before: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alterations, "AT_ONCE", number)
    everything = sorted((text, sorted(flags)) for text, flags in MESSAGES.items())
    seen = []
    for stop_at in range(200):
        root = tmp_path / str(stop_at)
        shutil.copytree(before, root)
        try:
            copy(account_at(root, StopDisk(stop_at)))
        except Stopped:
            seen.append(len(sent(root)))
            assert sent(root) in ([], everything)
        else:
            assert sent(root) == everything
            assert {*seen} == {0, 3}
            return
    raise AssertionError("the copy does not end")


def test_what_an_older_version_left_of_a_copy_is_removed_after_a_day_and_a_half(
    before: Path,
) -> None:
    tmp = before / "example.org/alice/Maildir/.Sent/tmp"
    young, old = tmp / "1.M1.host.linked", tmp / "2.M2.host.linked"
    for stage in (young, old):
        stage.mkdir()
        (stage / "3.M3.host:2,S").write_bytes(mail("one"))
    os.utime(young, (2e9 - 3600, 2e9 - 3600))
    os.utime(old, (2e9 - 37 * 3600, 2e9 - 37 * 3600))
    assert sent(before) == []
    assert [path for path in tmp.iterdir() if path.is_dir()] == [young]


def test_only_the_copies_of_what_a_crash_left_are_removed(before: Path) -> None:
    folder = before / "example.org/alice/Maildir/.Sent"
    (folder / "tmp/1900000000.M1P2QR3.host.copying").touch()
    (folder / "cur/.1900000000.M1P2QR3.host.copying").touch()
    for name in ("Q0R3.host,S=9:2,S", "Q12R3.host:2,", "Q1R4.host:2,", "R3.host:2,"):
        (folder / "cur" / f"1900000000.M1P2{name}").write_bytes(mail(name))
    assert [text for text, _ in sent(before)] == sorted([mail("Q1R4.host:2,"), mail("R3.host:2,")])
    assert [*(folder / "tmp").glob("*copying")] == []
    assert len([*(folder / "cur").iterdir()]) == 2


def test_a_copy_that_was_finished_stays_though_its_file_in_tmp_is_left(before: Path) -> None:
    folder = before / "example.org/alice/Maildir/.Sent"
    (folder / "tmp/1900000000.M1P2QR3.host.copying").touch()
    (folder / "cur/1900000000.M1P2Q0R3.host:2,").write_bytes(mail("one"))
    assert [text for text, _ in sent(before)] == [mail("one")]
    assert [*(folder / "tmp").glob("*copying")] == []


def test_a_file_that_cannot_be_linked_is_copied(before: Path) -> None:
    class UnlinkingDisk(QuickDisk):
        def link(self, path: bytes, new_path: bytes) -> None:
            if b"/.Sent/cur/" in new_path or b"/.Sent/tmp/" in new_path:
                raise OSError(errno.EMLINK, "too many links")
            super().link(path, new_path)

    copy(account_at(before, UnlinkingDisk()))
    assert len(sent(before)) == 3
    assert [*(before / "example.org/alice/Maildir/.Sent/tmp").glob("[!l]*")] == []


def test_a_copy_is_finished_though_the_index_takes_no_more_at_any_step(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alterations, "AT_ONCE", 1)
    for fail_at in range(50):
        root = tmp_path / str(fail_at)
        shutil.copytree(before, root)
        disk = FailDisk(fail_at, errno.ENOSPC, among=frozenset({"commit"}))
        assert copy(account_at(root, disk)).sources == (1, 2, 3)
        assert len(sent(root)) == 3
        if not disk.has_failed:
            return
    raise AssertionError("the copy does not end")


def test_what_cannot_be_taken_back_at_once_goes_before_the_account_is_used_again(
    before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alterations, "AT_ONCE", 1)

    class WornDisk(QuickDisk):
        """Refuses the last link of three, and then, once, to remove anything."""

        left, is_worn = 3, False

        def link(self, path: bytes, new_path: bytes) -> None:
            if b"/.Sent/cur/2" in new_path:
                self.left -= 1
                self.check(self.left)
            super().link(path, new_path)

        def unlink(self, path: bytes) -> None:
            if self.is_worn and b"/.Sent/cur/" in path:
                self.is_worn = False
                raise OSError(errno.EIO, "as told")
            super().unlink(path)

        def check(self, left: int) -> None:
            if not left:
                self.is_worn = True
                raise OSError(errno.EIO, "as told")

    account = account_at(before, WornDisk())
    with pytest.raises(Unavailable):
        copy(account)
    mailbox = finish(account.open("Sent"))
    assert list(mailbox.columns.uids) == []


def test_a_copy_whose_mark_another_process_has_locked_is_not_begun(before: Path) -> None:
    class TakenDisk(QuickDisk):
        def lock(self, fd: int) -> bool:
            return False

    with pytest.raises(Unavailable):
        copy(account_at(before, TakenDisk()))
    folder = before / "example.org/alice/Maildir/.Sent"
    assert [*(folder / "tmp").glob("*copying"), *(folder / "cur").iterdir()] == []


def test_what_a_crash_left_is_removed_where_files_are_locked_only_for_writing(before: Path) -> None:
    class NetworkDisk(QuickDisk):
        def lock(self, fd: int) -> bool:
            if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                raise OSError(errno.EBADF, "as told")
            return super().lock(fd)

    folder = before / "example.org/alice/Maildir/.Sent"
    for name in ("tmp/19.M1P2QR3.h.copying", "cur/.19.M1P2QR3.h.copying", "cur/19.M1P2Q0R3.h"):
        (folder / name).touch()
    finish(account_at(before, NetworkDisk()).mailboxes())
    assert [*(folder / "cur").iterdir(), *(folder / "tmp").iterdir()] == []


def test_a_pipe_in_tmp_is_no_copy_that_a_crash_left(before: Path) -> None:
    pipe = before / "example.org/alice/Maildir/.Sent/tmp/19.M1P2QR3.h.copying"
    os.mkfifo(pipe)
    os.utime(pipe, (2e9, 2e9))
    assert sent(before) == []
    assert pipe.exists()
