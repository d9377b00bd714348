"""Messages read from memory: nothing but their octets, whatever other programs do to the files."""

import contextlib
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import mail
from tests.faults import CachedDisk, HalfCachedDisk
from tests.store.shared_maildir import SharedMaildir, texts, uids
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.account.read_ahead import FEW
from twisted_mail.store.reading.nonblocking_read import MAX_OCTETS, MAX_PIECES
from twisted_mail.testing.doubles import finish

NAME = "cur/1000000000.one.host:2,"


@pytest.fixture
def disk() -> CachedDisk:
    return CachedDisk()


@pytest.fixture
def shared(tmp_path: Path, disk: CachedDisk) -> SharedMaildir:
    return SharedMaildir(tmp_path, disk)


def read(mailbox: Any, start: int = 0, stop: int | None = None) -> bytes | None:
    [uid, *_] = uids(mailbox)
    [found] = finish(mailbox.read([MessageRange(uid, start, stop)]))
    return found


def test_what_was_read_is_read_at_once_the_next_time(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    shared.drop(NAME, mail("one"))
    inbox = shared.open()
    assert read(inbox) == mail("one")
    assert disk.reads_at_once == 0
    assert read(inbox) == mail("one")
    assert read(inbox, 3, 9) == mail("one")[3:9]
    assert read(inbox, 3, 10**9) == mail("one")[3:]
    assert disk.reads_at_once == 3
    assert read(inbox, 10**9) == b""


def test_the_messages_beside_it_are_read_at_once_too(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    for number in range(5):
        shared.drop(f"cur/100000000{number}.x.host:2,", mail(str(number)))
    inbox = shared.open()
    finish(inbox.measure(uids(inbox)))
    assert read(inbox) == mail("0")
    assert texts(inbox) == [mail(str(number)) for number in range(5)]
    assert disk.reads_at_once == 5


def test_what_was_altered_by_the_server_itself_is_read_at_once_too(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    shared.drop(NAME, mail("one"))
    inbox = shared.open()
    read(inbox)
    for number, (how, flags) in enumerate(
        [("add", ["\\Seen", "$Work"]), ("set", ["$Home", "\\Deleted"]), ("remove", ["$Home"])], 1
    ):
        finish(inbox.mark(uids(inbox), how, normal(flags)))
        assert read(inbox) == mail("one")
        assert disk.reads_at_once == number


def test_what_another_program_altered_is_read_at_once_when_it_was_heard_of(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    path = shared.drop(NAME, mail("one"))
    inbox = shared.open()
    read(inbox)
    path.rename(path.with_name(path.name + "FS"))
    finish(inbox.refresh())
    assert read(inbox) == mail("one")
    assert disk.reads_at_once == 1


def test_a_large_file_with_bare_lf_is_left_to_the_lane_unopened(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    shared.drop(NAME, b"Subject: x\n\n" + b"x\n" * (MAX_OCTETS // 2))
    inbox = shared.open()
    for start in (0, 100, 10):
        assert len(read(inbox, start, start + 10) or b"") == 10
    assert disk.opens_at_once == 0


def test_line_ends_and_nul_are_as_from_the_lane(shared: SharedMaildir, disk: CachedDisk) -> None:
    shared.drop(NAME, b"Subject: one\n\nbare\n")
    shared.drop(NAME.replace("one", "two"), b"Subject: two\r\n\r\n\0\r\n")
    inbox = shared.open()
    expected = [b"Subject: one\r\n\r\nbare\r\n", b"Subject: two\r\n\r\n\x80\r\n"]
    for _ in range(2):
        assert texts(inbox) == expected
    assert read(inbox) == expected[0]
    [_one, two] = uids(inbox)
    for _ in range(2):
        assert finish(inbox.read([MessageRange(two)])) == [expected[1]]
    assert disk.reads_at_once == 5


def test_not_more_is_read_in_one_go_than_others_can_wait_for(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    large = b"Subject: x\r\n\r\n" + b"x" * MAX_OCTETS
    shared.drop(NAME, large)
    inbox = shared.open()
    for _ in range(2):
        assert read(inbox) == large
    assert disk.reads_at_once == 0


def test_of_files_with_bare_lf_all_counts_that_is_read_for_a_piece(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    for number in range(5):
        shared.drop(f"cur/100000000{number}.x.host:2,", b"Subject: x\n\n" + b"x\n" * 30_000)
    inbox = shared.open()
    pieces = [MessageRange(uid, 0, 10) for uid in uids(inbox)]
    for _ in range(2):
        assert finish(inbox.read(pieces)) == [b"Subject: x"] * 5
    assert disk.reads_at_once == 2  # of 90 KB each


def test_many_small_pieces_are_not_all_read_in_one_go(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    shared.drop(NAME, mail("one"))
    inbox = shared.open()
    read(inbox)
    pieces = [MessageRange(1, at % 10, at % 10 + 1) for at in range(3 * MAX_PIECES)]
    found = finish(inbox.read(pieces))
    assert found == [mail("one")[piece.start : piece.stop] for piece in pieces]
    assert disk.reads_at_once == MAX_PIECES


def test_the_names_stay_with_a_mailbox_that_was_closed_lately(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    shared.drop(NAME, mail("one"))
    first, second = shared.open(), shared.open()
    read(first)
    first.close()
    assert read(second) == mail("one")
    second.close()
    assert read(shared.open()) == mail("one")
    assert disk.reads_at_once == 2


def dropped(shared: SharedMaildir, count: int) -> list[bytes]:
    """Put messages into the inbox, and return them."""
    mails = [mail(str(number)) for number in range(count)]
    for number, data in enumerate(mails):
        shared.drop(f"cur/10000000{number:02}.x.host:2,", data)
    return mails


def test_the_messages_after_many_that_are_read_are_known_and_on_their_way(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    mails = dropped(shared, FEW + 5)
    inbox = shared.open()
    finish(inbox.measure(uids(inbox)))
    for part in (range(1, FEW + 1), range(FEW + 1, FEW + 6)):
        found = finish(inbox.read([MessageRange(uid) for uid in part]))
        assert found == [mails[uid - 1] for uid in part]
    assert disk.reads_at_once == 5
    assert disk.reads_ahead == FEW + 5


def test_what_is_beside_a_few_messages_is_known_and_not_read_ahead(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    mails = dropped(shared, FEW)
    inbox = shared.open()
    finish(inbox.measure(uids(inbox)))
    for part in ((4, 6), (2, 8)):
        found = finish(inbox.read([MessageRange(uid) for uid in part]))
        assert found == [mails[uid - 1] for uid in part]
    assert disk.reads_at_once == 2
    assert disk.reads_ahead == 0


def test_what_cannot_be_read_ahead_is_left_out(shared: SharedMaildir, disk: CachedDisk) -> None:
    mails = dropped(shared, FEW + 1)
    inbox = shared.open()
    finish(inbox.measure(uids(inbox)))
    rename(shared.maildir / "cur/1000000001.x.host:2,")
    disk.can_read_ahead = False
    assert texts(inbox) == mails


# ---------------------------------------------------------------- other programs


def rename(path: Path) -> Path:
    new = path.with_name(path.name + "S")
    path.rename(new)
    return new


def remove(path: Path) -> Path:
    path.unlink()
    return path


def replace(path: Path, data: bytes) -> Path:
    other = path.with_name("other")
    other.write_bytes(data)
    other.rename(path)
    return path


def replace_by_link(path: Path) -> Path:
    remove(path).symlink_to("/etc/passwd")
    return path


def replace_by_pipe(path: Path) -> Path:
    os.mkfifo(remove(path))
    return path


def replace_by_folder(path: Path) -> Path:
    remove(path).mkdir()
    return path


@pytest.mark.parametrize(
    "alter",
    [
        rename,
        remove,
        replace_by_link,
        replace_by_pipe,
        replace_by_folder,
        lambda path: replace(path, b"longer than the message was at first, by some octets"),
        lambda path: replace(path, b"x" * len(mail("one"))),  # as long, but younger
    ],
)
def test_a_file_that_another_program_altered_is_left_to_the_lane(
    shared: SharedMaildir, disk: CachedDisk, alter: Callable[[Path], Path]
) -> None:
    path = shared.drop(NAME, mail("one"))
    inbox = shared.open()
    read(inbox)
    alter(path)
    with contextlib.suppress(MailError):
        read(inbox)
    assert disk.reads_at_once == 0


def test_a_file_whose_line_ends_another_program_repaired_is_left_to_the_lane(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    path = shared.drop(NAME, b"Subject: one\n\nbare\n")
    inbox = shared.open()
    read(inbox)
    date = path.stat().st_mtime
    os.utime(replace(path, b"Subject: one\r\n\r\nbare\r\n"), (date, date))
    assert read(inbox) == b"Subject: one\r\n\r\nbare\r\n"
    assert disk.reads_at_once == 0


def test_other_octets_with_as_many_and_the_same_date_are_cut_to_the_known_size(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    path = shared.drop(NAME, b"Subject: one\n\nbare\n")
    inbox = shared.open()
    read(inbox)
    date = path.stat().st_mtime
    os.utime(replace(path, b"Subject: one\n\nb\n\n\n\n"), (date, date))
    assert read(inbox) == b"Subject: one\r\n\r\nb\r\n\r\n\r\n\r\n"[: len("Subject: one....bare..")]
    assert disk.reads_at_once == 1


def test_what_is_half_in_memory_is_left_to_the_lane(tmp_path: Path) -> None:
    disk = HalfCachedDisk()
    shared = SharedMaildir(tmp_path, disk)
    shared.drop(NAME, mail("one"))
    inbox = shared.open()
    assert [read(inbox) for _ in range(20)] == [mail("one")] * 20
    assert disk.reads_at_once > 5


def test_other_programs_never_lead_to_another_octet(
    shared: SharedMaildir, disk: CachedDisk
) -> None:
    chance = random.Random(5)
    mails = [mail(f"number {number:04}") for number in range(20)]
    paths = [
        shared.drop(f"cur/1000000{number:03}.M.host:2,", data) for number, data in enumerate(mails)
    ]
    inbox = shared.open()
    assert texts(inbox) == mails
    gone: set[int] = set()
    for _ in range(10_000):
        number = chance.randrange(len(paths))
        uid = number + 1
        match chance.randrange(12):
            case 0 if number not in gone:
                paths[number] = paths[number].rename(
                    paths[number].with_name(f"1000000{number:03}.M.host:2,{chance.choice('FRS')}")
                )
            case 1 if len(gone) < 10:
                paths[number].unlink(missing_ok=True)
                gone.add(number)
            case 2 if number not in gone:  # as a backup program brings it back: octets and date
                replace(paths[number], mails[number])
                os.utime(paths[number], (1_000_000_000, 1_000_000_000))
        [found] = finish(inbox.read([MessageRange(uid)]))
        assert found == (None if number in gone else mails[number])
    assert disk.reads_at_once > 4_000
