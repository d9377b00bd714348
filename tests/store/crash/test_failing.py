"""Every step of a story fails."""

import errno
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, draft, mail
from tests.faults import (
    OPENING,
    READING,
    STEPS,
    SYNCING,
    TAKING_ROOM,
    FailDisk,
    QuickDisk,
    VanishDisk,
)
from tests.store.crash.account import Seen, look_all, store_at
from tests.store.crash.conftest import Everywhere
from tests.store.crash.playing import abandon, aftermath, play, play_or_refuse
from tests.store.crash.stories import (
    STORIES,
    Story,
    append,
    come_and_go,
    delete,
    deliver_round,
    expunge,
    expunge_in_parts,
    inbox_of,
    mark,
    move,
    move_in_parts,
    restore,
)
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import finish

# What fails in the midst of these leaves done what was done before.
SOME_MAY_BE_DONE = (
    deliver_round,
    mark,
    expunge,
    move_in_parts,
    expunge_in_parts,
    come_and_go,
    delete,
    restore,
)


@pytest.mark.parametrize(
    ("error", "for_good"),
    [
        (errno.EIO, frozenset()),
        (errno.ENOSPC, TAKING_ROOM),
        (errno.EIO, TAKING_ROOM | SYNCING),
        (errno.EROFS, frozenset(STEPS)),
        (errno.EDQUOT, TAKING_ROOM),
        (errno.EMFILE, OPENING),
    ],
    ids=["once", "full", "cannot write", "read-only", "over quota", "no descriptors"],
)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whichever_step_fails_all_is_done_or_nothing(
    story: Story,
    error: int,
    for_good: frozenset[str],
    old: dict[str, Seen],
    at_every_step: Everywhere,
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = FailDisk(step, error, for_good)
        answer, done = play_or_refuse(story, root, disk)
        new = look_all(root)
        # With two failures the second may hit the taking back; then nothing is lost, that is all.
        if not done and for_good in (frozenset(), TAKING_ROOM):
            check_nothing_happened(story, old, new)
        aftermath(story, root, answer, done, old, new)
        return not disk.has_failed

    at_every_step(attempt)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whatever_cannot_be_read_once_is_read_the_next_time(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = FailDisk(step, errno.EIO, among=frozenset(READING))
        answer, done = play_or_refuse(story, root, disk)
        aftermath(story, root, answer, done, old, look_all(root))
        return not disk.has_failed

    at_every_step(attempt)


@pytest.mark.parametrize("error", [errno.EIO, errno.EAGAIN, errno.ENOENT])
def test_whichever_step_fails_no_other_octet_is_read(error: int, at_every_step: Everywhere) -> None:
    """Messages are read twice, the second time from memory."""
    mails = [mail(text) for text in ("one", "two", "three", "delivered")]

    def attempt(root: Path, step: int) -> bool:
        disk = FailDisk(step, error, among=frozenset(READING))
        store = store_at(root, disk)
        for _ in range(2):
            with suppress(Unavailable, Refused):
                inbox = finish(inbox_of(store))
                found = finish(inbox.read([MessageRange(uid) for uid in (1, 2, 3, 4)]))
                assert all(each in (None, right) for each, right in zip(found, mails, strict=True))
                assert all(found) or inbox.faulty
        abandon(store)
        return not disk.has_failed

    at_every_step(attempt)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_mailbox_that_vanishes_at_any_step_takes_no_other_with_it(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = VanishDisk(step, root / "example.org" / "alice" / "Maildir" / ".Sent")
        with suppress(Unavailable, Refused):
            play(story, store_at(root, disk))
        new = look_all(root)
        everywhere = {text for seen in new.values() for text in seen.texts}
        if story not in (
            move,
            expunge,
            move_in_parts,
            expunge_in_parts,
        ):  # what had gone into the folder went with it
            assert everywhere >= {*old["INBOX"].texts}
        account = finish(store_at(root, QuickDisk()).account(ALICE))
        assert finish(account.append("INBOX", [draft(b"x")]))
        return disk.left >= 0

    at_every_step(attempt)


def check_nothing_happened(story: Story, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    if story in SOME_MAY_BE_DONE:
        return
    for name in ("INBOX", "Sent"):
        assert new[name].messages == old[name].messages
    assert new.keys() == old.keys()


def test_mail_can_be_read_and_removed_while_the_disk_is_full(before: Path, tmp_path: Path) -> None:
    root = tmp_path / "mail"
    shutil.copytree(before, root)
    store = store_at(root, FailDisk(0, errno.ENOSPC, TAKING_ROOM))
    inbox = finish(inbox_of(store))
    assert finish(inbox.read([MessageRange(1)])) == [mail("one")]
    with pytest.raises(Unavailable) as caught:
        finish(append(store))
    assert caught.value.outcome.enhanced == "4.3.1"
    assert finish(inbox.expunge([1, 2])) == (1, 2)
    assert list(inbox.columns.uids) == [3, 4]
