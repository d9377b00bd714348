"""The door to one mailbox of the memory store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from twisted_mail.interfaces import Renderer, Watcher
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import (
    Contains,
    CopyResult,
    ItemTier,
    MessageIdentity,
    MessageRange,
    RenderedItems,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.mime.substring_search import matches
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.keyword_limit import check_marks
from twisted_mail.store.memory.data import AccountData, MailboxData, MemoryArrival

How = Literal["set", "add", "remove"]


class MemoryMailbox:
    """One open mailbox. Fulfils ``interfaces.Mailbox``."""

    def __init__(self, account: AccountData, data: MailboxData, render: Renderer) -> None:
        self._account = account
        self._data = data
        self._render = render
        self._ends: list[Callable[[], None]] = []

    @property
    def name(self) -> str:
        """Return the present name."""
        return self._data.name

    @property
    def uidvalidity(self) -> int:
        """Return the UIDVALIDITY."""
        return self._data.uidvalidity

    @property
    def id(self) -> str:
        """Return the MAILBOXID."""
        return self._data.id

    @property
    def columns(self) -> EntryColumns:
        """Return the live columns."""
        return self._data.columns

    @property
    def may_add_keywords(self) -> bool:
        """Return whether new keywords can be made."""
        return self._data.may_add_keywords

    @property
    def keywords(self) -> Sequence[str]:
        """Return the keywords in use, in the order in which they came."""
        return tuple(self._data.spellings.known.values())

    async def take_recent(self) -> int:
        """Return the lowest UID that no session has had as recent, and claim it and all above."""
        return self.claim_recent()

    def claim_recent(self) -> int:
        """Do the same for what has come since."""
        first, self._data.first_recent = self._data.first_recent, self._data.columns.uidnext
        return first

    async def refresh(self) -> None:
        """Do nothing: no other program comes here."""
        self._present()

    async def measure(self, uids: Sequence[int]) -> None:
        """Do nothing: all is known."""

    async def measure_with_headers(self, uids: Sequence[int]) -> None:
        """Do nothing: all is known, or rendered when it is asked for."""

    async def mark(
        self, uids: Sequence[int], how: How, flags: Flags, unchanged_since: int | None = None
    ) -> tuple[int, ...]:
        """Alter flags; return the UIDs refused for being changed since.

        Messages that have these flags already stay as they are, mod-sequence included.
        """
        data = self._present()
        check_marks(data.columns, uids, how, flags)
        data.admit(flag.NONE if how == "remove" else flags)
        named = data.spellings.spelled(flags)
        refused = []
        marks = []
        for uid, old, modseq in _rows(data, uids):
            new = _altered(old, how, named)
            if unchanged_since is not None and modseq > unchanged_since:
                refused.append(uid)
            elif new != old:
                marks.append((uid, new))
        data.mark(marks)
        return tuple(refused)

    async def copy(self, uids: Sequence[int], target: str) -> CopyResult:
        """Copy messages, all or none."""
        present, data = self._present().present(uids), self._account.target(target)
        self._account.claim(sum(len(self._data.bodies[uid].data) for uid in present))
        return self._put(present, data)

    async def move(self, uids: Sequence[int], target: str) -> CopyResult:
        """Move messages, all or none; the target's change is published first."""
        present, data = self._present().present(uids), self._account.target(target)
        copied = self._put(present, data)
        self._data.remove(present)
        return copied

    def _put(self, uids: Sequence[int], target: MailboxData) -> CopyResult:
        arrivals = [
            MemoryArrival(self._data.bodies[entry.uid], entry.flags, entry.date)
            for entry in map(self._data.entry, uids)
        ]
        target.admit(flag.NONE.union(*{arrival.flags for arrival in arrivals}))
        return CopyResult(target.uidvalidity, tuple(uids), target.add(arrivals))

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove messages; return the ascending UIDs of those that were there."""
        present = self._present().present(uids)
        self._data.remove(present)
        return tuple(present)

    async def items(
        self, uids: Sequence[int], tier: ItemTier = ItemTier.PREVIEW
    ) -> Sequence[RenderedItems | None]:
        """Return the items up to a tier, in the order asked; None where a message is gone."""
        bodies = map(self._present().bodies.get, uids)
        return [None if body is None else body.items(self._render, tier) for body in bodies]

    async def identities(self, uids: Sequence[int]) -> Sequence[MessageIdentity | None]:
        """Return what messages are called, in the order asked; None where one is gone."""
        data = self._present()
        return [
            MessageIdentity(data.bodies[uid].id, data.saved[uid]) if uid in data.bodies else None
            for uid in uids
        ]

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Return the threads of messages, in the order asked; None where one is gone."""
        bodies = self._present().bodies
        self._account.assign_threads()
        return [self._account.threads[bodies[uid].id] if uid in bodies else None for uid in uids]

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        """Return ranges of messages; None where a message is gone."""
        bodies = self._present().bodies
        return [
            bodies[piece.uid].data[piece.start : piece.stop] if piece.uid in bodies else None
            for piece in pieces
        ]

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs whose messages hold the substring."""
        data = self._present()
        return frozenset(uid for uid in data.present(uids) if matches(data.bodies[uid].data, what))

    @property
    def faulty(self) -> frozenset[int]:
        """Return nothing: memory has no faults."""
        return frozenset()

    def forget_faulty(self) -> None:
        """Do nothing."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of this mailbox to ``watcher``, until ended or closed."""
        end = self._data.change_feed.watch(watcher, self._data.name)
        self._ends.append(end)
        return end

    def close(self) -> None:
        """Close the mailbox; its watchers are not called any more."""
        while self._ends:
            self._ends.pop()()

    def _present(self) -> MailboxData:
        if self._data.is_removed:
            raise Refused("The mailbox was deleted.", "NONEXISTENT")
        return self._data


def _rows(data: MailboxData, uids: Iterable[int]) -> Iterator[tuple[int, Flags, int]]:
    entries = map(data.entry, data.present(uids))
    return ((entry.uid, entry.flags, entry.modseq) for entry in entries)


def _altered(old: Flags, how: How, flags: Flags) -> Flags:
    if how == "set":
        return flags
    return flag.intern(old | flags if how == "add" else old - flags)
