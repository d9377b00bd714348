"""What is done to the account while a step fails or is the last."""

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.contracts.ground import ALICE, BOB, draft, mail
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account import alterations
from twisted_mail.store.delivery.group_commit import deliver_together
from twisted_mail.store.delivery.inbound import InboxDelivery
from twisted_mail.store.disk.blob import FileBlob
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.repair import compact as compact_list
from twisted_mail.store.repair import undelete
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.testing.doubles import InlineBlocking

SEEN = normal(["\\Seen", "$Work"])
IN_ONE = Contains("text", "this is one")

Story = Callable[[MaildirStore], Coroutine[Any, Any, Any]]


async def inbox_of(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).open("INBOX")


def require_no_faults(mailbox: Mailbox) -> None:
    """Raise Unavailable, as the protocols do, if messages were left out."""
    if mailbox.faulty:
        raise Unavailable("Some of the messages cannot be used")


@contextmanager
def in_parts() -> Iterator[None]:
    """Alter one message at a time, where many are altered some at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alterations, "AT_ONCE", 1)
        yield


async def deliver(store: MaildirStore) -> Any:
    answers = await store.deliver([ALICE, BOB], Message(MemoryBlob(mail("new"))))
    if answers[ALICE] is not None:
        raise answers[ALICE]
    return None


async def file(store: MaildirStore) -> Any:
    """A message that a detail brings to another mailbox."""
    new = Message(MemoryBlob(mail("new")))
    answers = await store.deliver([ALICE, BOB], new, {ALICE: "Sent"})
    if answers[ALICE] is not None:
        raise answers[ALICE]


async def deliver_round(store: MaildirStore) -> Any:
    """Two messages at once; the answer is which of them Alice has, and which she has not."""
    disk, ground = store._environment.disk, store._environment
    wanted = {"new": [ALICE, BOB], "newer": [ALICE]}
    members = {
        text: InboxDelivery(ground, store._root, names, Message(MemoryBlob(mail(text))))
        for text, names in wanted.items()
    }
    try:
        fd = disk.open_folder(store._root)
    except OSError as error:
        raise ground.faults.unavailable(store._root, error) from error
    try:
        deliver_together(disk, fd, list(members.values()))
    finally:
        disk.close(fd)
    return {text: one.answers[ALICE] is None for text, one in members.items()}


async def spool(store: MaildirStore) -> Any:
    """A message too large for memory rests in a file until it is delivered."""
    disk, faults = store._environment.disk, store._environment.faults
    writer = SpoolWriter(
        os.fsdecode(store._root), InlineBlocking(), in_memory=4, disk=disk, faults=faults
    )
    for piece in mail("new").splitlines(keepends=True):
        await writer.write(piece)
    blob = await writer.finish()
    assert isinstance(blob, FileBlob)
    answers = await store.deliver([ALICE], Message(blob))
    if answers[ALICE] is not None:
        raise answers[ALICE]


async def append(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    return await account.append("Sent", [draft(mail("new"), "$Fresh"), draft(mail("newer"))])


async def come_and_go(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    copied = await account.append("Sent", [draft(mail("new")), draft(mail("newer"))])
    sent = await account.open("Sent")
    removed = await sent.expunge(copied.targets)
    require_no_faults(sent)
    assert removed == copied.targets
    return copied


async def copy(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).copy([1, 2, 4], "Sent")


async def move(store: MaildirStore) -> Any:
    return await (await inbox_of(store)).move([1, 2, 4], "Sent")


async def mark(store: MaildirStore) -> Any:
    inbox = await inbox_of(store)
    marked = await inbox.mark([1, 3, 4], "add", SEEN)
    require_no_faults(inbox)
    return marked


async def expunge(store: MaildirStore) -> Any:
    inbox = await inbox_of(store)
    removed = await inbox.expunge([1, 3, 4])
    require_no_faults(inbox)
    return removed


async def copy_in_parts(store: MaildirStore) -> Any:
    with in_parts():
        return await copy(store)


async def move_in_parts(store: MaildirStore) -> Any:
    with in_parts():
        return await move(store)


async def expunge_in_parts(store: MaildirStore) -> Any:
    with in_parts():
        return await expunge(store)


async def rename(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).rename("Sent", "Old/Sent")


async def empty_inbox(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).rename("INBOX", "Old")


async def recover(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    mailbox = await account.open("Sent")
    Path(os.fsdecode(mailbox._folder.path), "dovecot-uidlist").unlink(missing_ok=True)
    return await account.append("Sent", [draft(mail("new"), "$Fresh"), draft(mail("newer"))])


async def find_damage(store: MaildirStore) -> Any:
    """The index turns out to be damaged when it is opened."""
    for path in Path(os.fsdecode(store._root)).glob("*/*/index.sqlite3"):
        path.write_bytes(b"no database" * 1000)
    return await inbox_of(store)


async def meet_damage(store: MaildirStore) -> Any:
    """The index turns out to be damaged while it is used."""
    account = await store.account(ALICE)
    damages = [apsw.CorruptError("damaged")]

    def read(tree: Tree, work: UnitOfWork) -> None:
        if damages:
            raise damages.pop()

    await account.lane.perform(read)
    return await inbox_of(store)


async def search(store: MaildirStore) -> Any:
    """The index of texts is made, used, found damaged, and made again."""
    account = await store.account(ALICE)
    inbox = await account.open("INBOX")
    found = [await inbox.matching(list(inbox.columns.uids), IN_ONE) for _ in range(2)]
    await account.search.close()
    path = Path(os.fsdecode(account._tree.path), "search.sqlite3")
    if path.exists():
        path.write_bytes(b"no database" * 1000)
    return [*found, await inbox.matching(list(inbox.columns.uids), IN_ONE)]


async def compact(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    mailbox = await account.open("Sent")
    await account.lane.perform_on(mailbox._folder, compact_list.compact, least=0)


async def delete(store: MaildirStore) -> Any:
    return await (await store.account(ALICE)).delete("Sent")


async def restore(store: MaildirStore) -> Any:
    account = await store.account(ALICE)
    found = await account.lane.perform_steps(undelete.list_expunged)
    return await account.lane.perform_steps(undelete.restore, found)


STORIES = [
    deliver,
    file,
    deliver_round,
    spool,
    append,
    come_and_go,
    copy,
    move,
    mark,
    expunge,
    copy_in_parts,
    move_in_parts,
    expunge_in_parts,
    rename,
    empty_inbox,
    recover,
    find_damage,
    meet_damage,
    search,
    compact,
    delete,
    restore,
]
