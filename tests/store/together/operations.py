"""What is done to both stores."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from hypothesis import strategies as st

from tests.contracts.ground import ALICE, draft, mail
from twisted_mail.interfaces import Mailbox, Store
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message

Operation = Callable[[Store, str], Awaitable[Any]]  # what the texts of new messages begin with
How = Literal["set", "add", "remove"]

NAMES = st.sampled_from(["INBOX", "Work", "INBOX", "Work", "Work/Old", "Work/Old/Older", "Ünïcode"])
PLACES = st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True)
FLAGS = st.lists(st.sampled_from(["\\Seen", "\\Flagged", "\\Deleted", "$Junk", "Own"]), max_size=3)


def appending(name: str, number: int, flags: list[str]) -> Operation:
    async def append(store: Store, text: str) -> int:
        drafts = [draft(mail(f"{text}.{each}"), *flags) for each in range(number)]
        return len((await (await store.account(ALICE)).append(name, drafts)).targets)

    return append


def delivering() -> Operation:
    async def deliver(store: Store, text: str) -> None:
        [error] = (await store.deliver([ALICE], Message(MemoryBlob(mail(text))))).values()
        if error is not None:
            raise error

    return deliver


def altering(
    name: str, act: Callable[[Mailbox, list[int]], Awaitable[Any]], places: list[int]
) -> Any:
    """Return an operation on the messages that stand at these places of a mailbox."""

    async def alter(store: Store, text: str) -> Any:
        mailbox = await (await store.account(ALICE)).open(name)
        uids = mailbox.columns.uids
        try:
            return await act(mailbox, [uids[at] for at in sorted(places) if at < len(uids)])
        finally:
            mailbox.close()

    return alter


def marking(name: str, places: list[int], how: How, flags: list[str]) -> Operation:
    return altering(name, lambda box, uids: box.mark(uids, how, normal(flags)), places)


def copying(name: str, places: list[int], target: str) -> Operation:
    async def copy(mailbox: Mailbox, uids: list[int]) -> int:
        return len((await mailbox.copy(uids, target)).targets)

    return altering(name, copy, places)


def moving(name: str, places: list[int], target: str) -> Operation:
    async def move(mailbox: Mailbox, uids: list[int]) -> int:
        return len((await mailbox.move(uids, target)).targets)

    return altering(name, move, places)


def expunging(name: str, places: list[int]) -> Operation:
    async def expunge(mailbox: Mailbox, uids: list[int]) -> int:
        return len(await mailbox.expunge(uids))

    return altering(name, expunge, places)


def selecting(name: str) -> Operation:
    async def select(mailbox: Mailbox, uids: list[int]) -> None:
        mailbox.claim_recent()
        await mailbox.refresh()

    return altering(name, select, [])


def creating(name: str, use: str) -> Operation:
    async def create(store: Store, text: str) -> None:
        await (await store.account(ALICE)).create(name, use)

    return create


def deleting(name: str) -> Operation:
    async def delete(store: Store, text: str) -> None:
        await (await store.account(ALICE)).delete(name)

    return delete


def renaming(name: str, new_name: str) -> Operation:
    async def rename(store: Store, text: str) -> None:
        await (await store.account(ALICE)).rename(name, new_name)

    return rename


def subscribing(name: str, is_subscribed: bool) -> Operation:
    async def subscribe(store: Store, text: str) -> None:
        await (await store.account(ALICE)).subscribe(name, is_subscribed)

    return subscribe


OPERATIONS = st.one_of(
    st.builds(appending, NAMES, st.integers(1, 3), FLAGS),
    st.builds(delivering),
    st.builds(marking, NAMES, PLACES, st.sampled_from(["set", "add", "remove"]), FLAGS),
    st.builds(copying, NAMES, PLACES, NAMES),
    st.builds(moving, NAMES, PLACES, NAMES),
    st.builds(expunging, NAMES, PLACES),
    st.builds(selecting, NAMES),
    st.builds(creating, NAMES, st.sampled_from(["", "\\Archive"])),
    st.builds(deleting, NAMES),
    st.builds(renaming, NAMES, NAMES),
    st.builds(subscribing, NAMES, st.booleans()),
)
