"""What survives when the process, or the machine, stops at any step, and when any step fails.

Each story is begun again and again, stopped one step later each time, and the account looked at by a
store that knows nothing of what happened.
"""

import errno
import os
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, BOB, FakeRenderer, draft, mail
from tests.faults import (
    OPENING,
    READING,
    STEPS,
    SYNCING,
    TAKING_ROOM,
    FailDisk,
    PowerDisk,
    QuickDisk,
    StopDisk,
    Stopped,
    VanishDisk,
)
from tests.support import InlineBlocking, StillClock, finish
from twisted_mail.interfaces import Account
from twisted_mail.mail.mailbox.entry import CopyResult, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.store.delivery.group_commit import deliver_together
from twisted_mail.store.delivery.inbound import InboxDelivery
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.repair import compact as compact_list
from twisted_mail.store.repair import undelete
from twisted_mail.store.settings import StoreSettings

SEEN = normal(["\\Seen", "$Work"])
MAX_STEPS = 400

Record = Callable[[str, object], None]  # tests/conftest.py prints the sum of what is recorded


def store_at(root: Path, disk: Disk) -> MaildirStore:
    limits = StoreSettings(quota_messages=100)  # so that room is looked for on the way
    clock = StillClock(2e9)
    return MaildirStore(root, InlineBlocking(), clock, FakeRenderer(), settings=limits, disk=disk)


@dataclass(frozen=True)
class Seen:
    """One mailbox as a client sees it: text and flags by UID."""

    uidvalidity: int
    messages: dict[int, tuple[bytes, frozenset[str]]]
    uidnext: int
    highest_modseq: int

    @property
    def texts(self) -> list[bytes]:
        return sorted(text for text, _ in self.messages.values())


def look(account: Account, name: str) -> Seen:
    mailbox = finish(account.open(name))
    uids = list(mailbox.columns.uids)
    texts = finish(mailbox.read([MessageRange(uid) for uid in uids]))
    found = dict(zip(uids, zip(texts, mailbox.columns.flags, strict=True), strict=True))
    columns = mailbox.columns
    seen = Seen(mailbox.uidvalidity, found, columns.uidnext, columns.highest_modseq)
    mailbox.close()
    return seen


def look_all(root: Path) -> dict[str, Seen]:
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    infos = finish(account.mailboxes())
    seen = {info.name: look(account, info.name) for info in infos if info.is_selectable}
    finish(store.close())
    return seen


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with three messages in the inbox and one in Sent; two more can be brought back."""
    root = tmp_path_factory.mktemp("before") / "mail"
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    finish(account.append("INBOX", [draft(mail(text)) for text in ("one", "two", "three")]))
    finish(account.append("Sent", [draft(mail("sent"), "\\Seen")]))
    gone = finish(account.append("Sent", [draft(mail("gone"), "\\Seen")])).targets
    finish(finish(account.open("Sent")).expunge(gone))
    finish(account.create("Lost"))
    finish(account.append("Lost", [draft(mail("lost"))]))
    finish(account.delete("Lost"))
    finish(store.account(BOB))
    finish(store.deliver([ALICE], Message(MemoryBlob(mail("delivered")))))
    for name in ("INBOX", "Sent"):
        finish(account.open(name)).close()
    finish(store.close())
    return root


@pytest.fixture(scope="module")
def old(before: Path) -> dict[str, Seen]:
    return look_all(before)


Attempt = Callable[[Path, int], bool]
Everywhere = Callable[[Attempt], None]


@pytest.fixture
def at_every_step(before: Path, tmp_path: Path, record_property: Record) -> Everywhere:
    """Try something on fresh copies, at one step later each time, until it says that it is through."""

    def run(attempt: Attempt) -> None:
        for step in range(MAX_STEPS):
            root = tmp_path / str(step)
            shutil.copytree(before, root)
            is_through = attempt(root, step)
            shutil.rmtree(root)
            if is_through:
                record_property("faults", step + 1)
                return
        raise AssertionError("the story does not end")

    return run


# ---------------------------------------------------------------- stories

Story = Callable[[MaildirStore], Coroutine[Any, Any, Any]]


async def inbox_of(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).open("INBOX")


async def deliver(store: MaildirStore) -> Any:
    answers = await store.deliver([ALICE, BOB], Message(MemoryBlob(mail("new"))))
    if answers[ALICE] is not None:
        raise answers[ALICE]
    return None


async def deliver_round(store: MaildirStore) -> Any:
    """Two messages at once; the answer is which of them Alice has, and which she has not."""
    disk, ground = store._ground.disk, store._ground
    wanted = {"new": [ALICE, BOB], "newer": [ALICE]}
    members = {
        text: InboxDelivery(ground, store._root, names, Message(MemoryBlob(mail(text))))
        for text, names in wanted.items()
    }
    try:
        fd = disk.open_folder(store._root)
    except OSError as error:
        raise Unavailable("no folder") from error
    try:
        deliver_together(disk, fd, list(members.values()))
    finally:
        disk.close(fd)
    return {text: one.answers[ALICE] is None for text, one in members.items()}


async def append(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    return await account.append("Sent", [draft(mail("new"), "$Fresh"), draft(mail("newer"))])


async def come_and_go(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    copied = await account.append("Sent", [draft(mail("new")), draft(mail("newer"))])
    assert await (await account.open("Sent")).expunge(copied.targets) == copied.targets
    return copied


async def copy(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).copy([1, 2, 4], "Sent")


async def move(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).move([1, 2, 4], "Sent")


async def mark(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).mark([1, 3, 4], "add", SEEN)


async def expunge(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).expunge([1, 3, 4])


async def rename(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).rename("Sent", "Old/Sent")


async def empty_inbox(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).rename("INBOX", "Old")


async def recover(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    mailbox = await account.open("Sent")
    Path(os.fsdecode(mailbox._folder.path), "dovecot-uidlist").unlink(missing_ok=True)
    return await account.append("Sent", [draft(mail("new"), "$Fresh"), draft(mail("newer"))])


async def compact(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    mailbox = await account.open("Sent")
    await account.perform(compact_list.compact, mailbox._folder, least=0)


async def delete(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).delete("Sent")


async def restore(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    found = await account.perform(undelete.list_expunged)
    return await account.perform(undelete.restore, found)


STORIES = [
    deliver,
    deliver_round,
    append,
    come_and_go,
    copy,
    move,
    mark,
    expunge,
    rename,
    empty_inbox,
    recover,
    compact,
    delete,
    restore,
]

# ---------------------------------------------------------------- what must be true


def check(
    story: Story, answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    CHECKS[story.__name__](answer, done, old, new)
    for name in old.keys() & new.keys():
        if old[name].uidvalidity == new[name].uidvalidity:
            kept = old[name].messages.keys() & new[name].messages.keys()
            assert all(old[name].messages[uid][0] == new[name].messages[uid][0] for uid in kept), (
                "a UID means another message"
            )
            fresh = new[name].messages.keys() - old[name].messages.keys()
            assert min(fresh, default=old[name].uidnext) >= old[name].uidnext
            assert new[name].uidnext >= old[name].uidnext


def check_deliver(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    more = [mail("new")] if done else []
    assert new["INBOX"].texts in (
        sorted([*old["INBOX"].texts, *more]),
        sorted([*old["INBOX"].texts, mail("new")]),
    )


def check_deliver_round(
    answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    more = list(new["INBOX"].texts)
    for text in old["INBOX"].texts:
        more.remove(text)
    assert len(set(more)) == len(more)
    assert {*more} <= {mail("new"), mail("newer")}
    if done:
        assert {*more} >= {mail(text) for text, is_there in answer.items() if is_there}


def check_append(
    answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    added = [mail("new"), mail("newer")]
    found = new["Sent"].texts
    assert found in [sorted([*old["Sent"].texts, *added[:n]]) for n in range(3)] or (
        not done and found == sorted([*old["Sent"].texts, added[1]])
    )
    assert new["INBOX"].texts == old["INBOX"].texts
    if done:
        assert answer.uidvalidity == new["Sent"].uidvalidity
        told = [new["Sent"].messages[uid] for uid in answer.targets]
        assert told == [(mail("new"), normal(["$Fresh"])), (mail("newer"), frozenset())]


check_recover = check_append


def check_come_and_go(
    answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    left = [text for text in new["Sent"].texts if text not in old["Sent"].texts]
    assert {*left} <= {mail("new"), mail("newer")}
    assert not (done and left)


def check_copy(answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages == old["INBOX"].messages
    moved = [old["INBOX"].messages[uid][0] for uid in (1, 2, 4)]
    added = list(new["Sent"].texts)
    for text in old["Sent"].texts:
        added.remove(text)
    assert len(set(added)) == len(added)
    assert {*added} <= {*moved}
    if done:
        told = [new["Sent"].messages[uid][0] for uid in answer.targets]
        assert told == [old["INBOX"].messages[uid][0] for uid in answer.sources] == moved


def check_move(answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    before = [*old["INBOX"].texts, *old["Sent"].texts]
    assert sorted([*new["INBOX"].texts, *new["Sent"].texts]) == sorted(before), "lost or doubled"
    if done:
        assert new["INBOX"].messages.keys() == {3}
        told = [new["Sent"].messages[uid][0] for uid in answer.targets]
        assert told == [old["INBOX"].messages[uid][0] for uid in answer.sources]


def check_mark(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages.keys() == old["INBOX"].messages.keys()
    for uid, (text, flags) in new["INBOX"].messages.items():
        assert text == old["INBOX"].messages[uid][0]
        wanted = SEEN if uid in (1, 3, 4) else frozenset()
        assert flags == wanted or (not done and flags == frozenset())


def check_expunge(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    left = new["INBOX"].messages
    assert left == {uid: old["INBOX"].messages[uid] for uid in left}
    assert 2 in left
    if done:
        assert answer == (1, 3, 4)
        assert left.keys() == {2}


def check_rename(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert ("Sent" in new) + ("Old/Sent" in new) == 1
    found = new["Sent"] if "Sent" in new else new["Old/Sent"]
    assert found.messages == old["Sent"].messages
    assert found.uidvalidity == old["Sent"].uidvalidity
    assert not done or "Old/Sent" in new


def check_empty_inbox(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    found = new["Old"].texts if "Old" in new else []
    assert sorted([*new["INBOX"].texts, *found]) == sorted(old["INBOX"].texts)
    if done:
        assert new["INBOX"].texts == []


def check_compact(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert {name: seen.messages for name, seen in new.items()} == {
        name: seen.messages for name, seen in old.items()
    }


def check_delete(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages == old["INBOX"].messages
    if "Sent" in new:
        assert not done
        assert new["Sent"] == old["Sent"] or new["Sent"].messages == old["Sent"].messages


def check_restore(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    back = {"Sent": mail("gone"), "Lost": mail("lost")}
    for name, text in back.items():
        before, after = (
            old[name].texts if name in old else [],
            new[name].texts if name in new else [],
        )
        assert after == sorted([*before, text]) or (not done and after == before)


def check_nothing_lost(root: Path, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    """Every message is in a mailbox, or can be brought back."""
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    found = finish(account.perform(undelete.list_expunged))
    kept = {finish(account.perform(undelete.head, each)) for each in found}
    finish(store.close())
    there = kept.union(*(seen.texts for seen in new.values()))
    assert there >= {mail("gone"), mail("lost")}.union(*(seen.texts for seen in old.values()))


CHECKS = {
    name.removeprefix("check_"): each for name, each in globals().items() if name[:6] == "check_"
}

# ---------------------------------------------------------------- stopping


def abandon(store: MaildirStore) -> None:
    """Let go of the index as a process that dies does."""
    for account in list(store._accounts.values()):
        if account._tree._index is not None:
            account._tree._index.close()


def play(story: Story, store: MaildirStore) -> tuple[Any, bool]:
    try:
        return finish(story(store)), True
    except Stopped:
        return None, False
    finally:
        abandon(store)


def play_or_refuse(story: Story, store: MaildirStore) -> tuple[Any, bool]:
    try:
        return finish(story(store)), True
    except (Unavailable, Refused):
        return None, False
    finally:
        abandon(store)


def aftermath(story: Story, root: Path, answer: Any, done: bool, old: dict[str, Seen]) -> None:
    new = look_all(root)
    check(story, answer, done, old, new)
    again = look_all(root)
    assert {name: seen.messages for name, seen in again.items()} == {
        name: seen.messages for name, seen in new.items()
    }
    for name in new:
        told = max([0, *new[name].messages, *old[name].messages] if name in old else [0])
        if done and isinstance(answer, CopyResult) and name == "Sent":
            told = max([told, *answer.targets])
        store = store_at(root, QuickDisk())
        copied = finish(finish(store.account(ALICE)).append(name, [draft(b"later")]))
        finish(store.close())
        same = name not in old or copied.uidvalidity == old[name].uidvalidity
        assert not same or copied.targets[0] > told


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whenever_the_process_stops_nothing_promised_is_lost(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        answer, done = play(story, store_at(root, StopDisk(step)))
        check_nothing_lost(root, old, look_all(root))
        aftermath(story, root, answer, done, old)
        return done

    at_every_step(attempt)


@pytest.mark.parametrize("index", ["kept", "older", "lost"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whenever_the_power_fails_nothing_promised_is_lost(
    story: Story,
    index: str,
    before: Path,
    old: dict[str, Seen],
    tmp_path: Path,
    at_every_step: Everywhere,
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = PowerDisk(step, tmp_path / f"attic{step}")
        answer, done = play(story, store_at(root, disk))
        disk.cut()
        lose_index(index, before, root)
        check_nothing_lost(root, old, look_all(root))
        aftermath(story, root, answer, done, old)
        return done

    at_every_step(attempt)


def lose_index(how: str, before: Path, root: Path) -> None:
    if how == "kept":
        return
    for path in root.glob("*/*/index.sqlite3*"):
        path.unlink()
    if how == "older":
        for path in before.glob("*/*/index.sqlite3*"):
            shutil.copy(path, root / path.relative_to(before))


# ---------------------------------------------------------------- failing


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
        answer, done = play_or_refuse(story, store_at(root, disk))
        # With two failures the second may hit the taking back; then nothing is lost, that is all.
        if not done and for_good in (frozenset(), TAKING_ROOM):
            check_nothing_happened(story, old, look_all(root))
        aftermath(story, root, answer, done, old)
        return not disk.has_failed

    at_every_step(attempt)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whatever_cannot_be_read_once_is_read_the_next_time(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = FailDisk(step, errno.EIO, among=frozenset(READING))
        answer, done = play_or_refuse(story, store_at(root, disk))
        aftermath(story, root, answer, done, old)
        return not disk.has_failed

    at_every_step(attempt)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_mailbox_that_vanishes_at_any_step_takes_no_other_with_it(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = VanishDisk(step, root / "example.org" / "alice" / "Maildir" / ".Sent")
        play_or_refuse(story, store_at(root, disk))
        new = look_all(root)
        everywhere = {text for seen in new.values() for text in seen.texts}
        if story not in (move, expunge):  # what had gone into the folder went with it
            assert everywhere >= {*old["INBOX"].texts}
        account = finish(store_at(root, QuickDisk()).account(ALICE))
        assert finish(account.append("INBOX", [draft(b"x")]))
        return disk.left >= 0

    at_every_step(attempt)


def check_nothing_happened(story: Story, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    if story in (deliver_round, mark, expunge, come_and_go, delete, restore):
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
