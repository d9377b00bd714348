"""Tests of twisted_mail.store.account.alterations: many messages altered some at a time."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import SharedMaildir
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.mailbox.flags import NONE, normal
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.store.account import alterations
from twisted_mail.store.account.mailbox import MaildirMailbox
from twisted_mail.store.format import keywords
from twisted_mail.store.index.index import Index
from twisted_mail.store.quota import Quota
from twisted_mail.store.trash.expunged_archive import ArchiveFolder
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work import set_flags
from twisted_mail.store.work.transfer import move, unfinished_copy
from twisted_mail.testing.doubles import finish

# ---------------------------------------------------------------- flags

SEEN = normal(["\\Seen"])


@pytest.fixture
def five(shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch) -> MaildirMailbox:
    """Five messages, of which two are altered at a time."""
    monkeypatch.setattr(alterations, "AT_ONCE", 2)
    finish(shared.account.append("INBOX", [draft(mail(n)) for n in "abcde"]))
    return shared.open()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[set[bytes]]:
    """The places of each sync of a mailbox's folders."""
    places: list[set[bytes]] = []
    monkeypatch.setattr(Folder, "sync", lambda folder, these: places.append(these))
    return places


def test_flags_of_many_are_altered_some_at_a_time_and_synced_once(
    five: MaildirMailbox, synced: list[set[bytes]]
) -> None:
    heard: list[list[int]] = []
    five.watch(lambda change: heard.append([uid for uid, _, _ in change.marks]))
    assert finish(five.mark([1, 2, 3, 4, 5], "add", SEEN)) == ()
    assert heard == [[1, 2], [3, 4], [5]]
    assert five.columns.flags == [SEEN] * 5
    assert synced == [{b"cur"}]


def test_the_refused_of_all_parts_are_returned(five: MaildirMailbox) -> None:
    before = five.columns.highest_modseq
    finish(five.mark([1, 5], "add", normal(["\\Draft"])))
    assert finish(five.mark([1, 2, 3, 4, 5], "add", SEEN, before)) == (1, 5)
    assert [flags >= SEEN for flags in five.columns.flags] == [False, True, True, True, False]


def test_what_was_altered_before_a_failure_stays_so_and_is_durable(
    five: MaildirMailbox, synced: list[set[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_some = set_flags.mark_some

    def failing(folder, work, uids, *how):
        if 3 in uids:
            raise Unavailable("The disk has trouble")
        return mark_some(folder, work, uids, *how)

    monkeypatch.setattr(set_flags, "mark_some", failing)
    with pytest.raises(Unavailable, match="trouble"):
        finish(five.mark([1, 2, 3, 4, 5], "add", SEEN))
    assert [flags == SEEN for flags in five.columns.flags] == [True, True, False, False, False]
    assert synced == [{b"cur"}]


def test_a_keyword_that_no_name_shows_is_durable_in_the_index(
    five: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(five.mark([1], "add", normal([f"k{number}" for number in range(26)])))
    full: list[bool] = []
    monkeypatch.setattr(Index, "need_full_sync", lambda index: full.append(True))
    finish(five.mark([1, 2, 3, 4, 5], "add", normal(["k26"])))
    assert full == [True]


# ---------------------------------------------------------------- removed


def test_many_are_expunged_some_at_a_time_and_synced_once(
    five: MaildirMailbox, synced: list[set[bytes]]
) -> None:
    heard: list[tuple[int, ...]] = []
    five.watch(lambda change: heard.append(change.uids))
    assert finish(five.expunge([5, 1, 2, 3])) == (1, 2, 3, 5)
    assert heard == [(1, 2), (3, 5)]
    assert list(five.columns.uids) == [4]
    assert synced == [{b"cur"}]


def test_what_was_expunged_before_an_error_of_the_disk_stays_gone_and_is_durable(
    five: MaildirMailbox, synced: list[set[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = ArchiveFolder.take

    def failing(archive, path, row):
        if row.uid == 4:
            raise OSError(errno.EROFS, "read-only")
        return take(archive, path, row)

    monkeypatch.setattr(ArchiveFolder, "take", failing)
    with pytest.raises(Unavailable):
        finish(five.expunge([1, 2, 3, 4, 5]))
    assert list(five.columns.uids) == [4, 5]
    assert synced == [{b"cur"}]


# ---------------------------------------------------------------- copied


def test_many_are_copied_some_at_a_time_and_synced_once(
    shared: SharedMaildir, five: MaildirMailbox, synced: list[set[bytes]]
) -> None:
    heard: list[Change] = []
    shared.account.watch(heard.append)
    finish(five.mark([2], "add", normal(["$Work", "\\Seen"])))
    copied = finish(five.copy([5, 1, 2, 3, 9], "Sent"))
    assert (copied.sources, copied.targets) == ((1, 2, 3, 5), (1, 2, 3, 4))
    assert [type(change) for change in heard[1:]] == [EntriesAdded] * 2
    sent = shared.open("Sent")
    assert sent.columns.flags == [NONE, normal(["$Work", "\\Seen"]), NONE, NONE]
    assert finish(sent.read([MessageRange(4)])) == [mail("e")]
    assert synced[1:] == [{b"cur"}]


@pytest.fixture
def in_between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen before the second piece of an alteration."""

    def have(happen: Callable[[], object]) -> None:
        parts = alterations._parts

        def interrupted(uids: Sequence[int]) -> Iterator[list[int]]:
            for number, part in enumerate(parts(uids)):
                if number == 1:
                    happen()
                yield part

        monkeypatch.setattr(alterations, "_parts", interrupted)

    return have


def fail(*_: object) -> None:
    raise Unavailable("The disk has trouble")


def files_of(mailbox: MaildirMailbox) -> list[Path]:
    folder = Path(os.fsdecode(mailbox._folder.path))
    mailbox._folder.uids.lock.forget()
    return [*(folder / "cur").iterdir(), *(folder / "tmp").iterdir()]


def test_a_copy_of_many_that_fails_in_the_midst_is_taken_back(
    shared: SharedMaildir, five: MaildirMailbox, in_between: Any
) -> None:
    sent = shared.open("Sent")
    heard: list[Change] = []
    sent.watch(heard.append)
    in_between(fail)
    with pytest.raises(Unavailable):
        finish(five.copy([1, 2, 3, 4, 5], "Sent"))
    assert [type(change) for change in heard] == [EntriesAdded, EntriesExpunged]
    assert list(sent.columns.uids) == []
    assert files_of(sent) == []


def test_a_copy_of_many_that_cannot_be_taken_back_is_taken_back_at_the_next_start(
    shared: SharedMaildir, five: MaildirMailbox, in_between: Any, monkeypatch: Any
) -> None:
    sent = shared.open("Sent")
    finish(shared.account.append("Sent", [draft(mail("old"))]))
    in_between(fail)
    monkeypatch.setattr(unfinished_copy, "withdraw", fail)
    with pytest.raises(Unavailable):
        finish(five.copy([1, 2, 3, 4, 5], "Sent"))
    assert list(sent.columns.uids) == [1, 2, 3]
    finish(SharedMaildir(shared.root).account.refresh("Sent"))
    finish(sent.refresh())
    assert list(sent.columns.uids) == [1]
    assert len(files_of(sent)) == 1


def test_a_process_that_starts_meanwhile_leaves_a_copy_of_many_alone(
    shared: SharedMaildir, five: MaildirMailbox, in_between: Any
) -> None:
    in_between(lambda: finish(SharedMaildir(shared.root).account.refresh("Sent")))
    copied = finish(five.copy([1, 2, 3, 4, 5], "Sent"))
    assert (copied.sources, copied.targets) == ((1, 2, 3, 4, 5), (1, 2, 3, 4, 5))
    sent = shared.open("Sent")
    assert list(sent.columns.uids) == [1, 2, 3, 4, 5]
    assert len(files_of(sent)) == 5


def test_a_copy_of_many_for_which_there_is_no_room_does_not_begin(
    shared: SharedMaildir, five: MaildirMailbox
) -> None:
    sent = shared.open("Sent")
    heard: list[Change] = []
    sent.watch(heard.append)
    shared.account._tree.ledger.quota = Quota(messages=9)
    with pytest.raises(Refused) as caught:
        finish(five.copy([1, 2, 3, 4, 5], "Sent"))
    assert caught.value.condition == "OVERQUOTA"
    assert heard == []
    assert files_of(sent) == []


# ---------------------------------------------------------------- moved


def test_many_are_moved_some_at_a_time_and_synced_once(
    shared: SharedMaildir, five: MaildirMailbox, synced: list[set[bytes]]
) -> None:
    heard: list[Change] = []
    shared.account.watch(heard.append)
    moved = finish(five.move([5, 1, 2, 3], "Sent"))
    assert (moved.sources, moved.targets) == ((1, 2, 3, 5), (1, 2, 3, 4))
    assert [type(change) for change in heard] == [EntriesAdded, EntriesExpunged] * 2
    assert list(five.columns.uids) == [4]
    assert synced == [{b"cur"}, {b"cur"}]


def fail_at(number: int, five: MaildirMailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file of one message stay where it is."""
    carry = move._carry

    def failing(disk, path, new_path):
        if path.startswith(five._folder.path + b"/cur/" + bases[number - 1]):
            raise OSError(errno.EACCES, "denied")
        carry(disk, path, new_path)

    bases = sorted(
        name.name.encode() for name in Path(os.fsdecode(five._folder.path), "cur").iterdir()
    )
    monkeypatch.setattr(move, "_carry", failing)


def test_what_was_moved_before_a_failure_stays_so_is_durable_and_is_returned(
    shared: SharedMaildir,
    five: MaildirMailbox,
    synced: list[set[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_at(4, five, monkeypatch)
    moved = finish(five.move([1, 2, 3, 4, 5], "Sent"))
    assert (moved.sources, moved.targets) == ((1, 2), (1, 2))
    assert isinstance(moved.error, Unavailable)
    assert list(five.columns.uids) == [3, 4, 5]
    assert list(shared.open("Sent").columns.uids) == [1, 2]
    assert synced == [{b"cur"}, {b"cur"}]


def test_where_the_first_fail_the_error_is_raised(
    five: MaildirMailbox, synced: list[set[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(2, five, monkeypatch)
    with pytest.raises(Unavailable):
        finish(five.move([1, 2, 3, 4, 5], "Sent"))
    assert list(five.columns.uids) == [1, 2, 3, 4, 5]
    assert synced == []


def test_what_was_moved_and_cannot_be_made_durable_is_not_returned(
    five: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(folder: Folder, places: set[bytes]) -> None:
        raise OSError(errno.EIO, "failing")

    fail_at(4, five, monkeypatch)
    monkeypatch.setattr(Folder, "sync", failing)
    with pytest.raises(Unavailable):
        finish(five.move([1, 2, 3, 4, 5], "Sent"))


def test_none_is_moved_where_the_last_has_a_keyword_too_many(
    shared: SharedMaildir, five: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keywords, "LIMIT", 1)
    finish(shared.account.append("Sent", [draft(mail("f"), "one")]))
    finish(five.mark([5], "add", normal(["other"])))
    with pytest.raises(Refused):
        finish(five.move([1, 2, 3, 4, 5], "Sent"))
    assert list(five.columns.uids) == [1, 2, 3, 4, 5]
