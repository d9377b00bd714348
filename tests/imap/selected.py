"""A selected mailbox for tests of commands: a small mailbox in memory, and a session around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch import outline
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import quoted
from twisted_mail.imap.selected import Selected
from twisted_mail.imap.settings import Settings
from twisted_mail.imap.view import View
from twisted_mail.interfaces import Watcher
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.entry import (
    Contains,
    CopyResult,
    Entry,
    ItemTier,
    MessageIdentity,
    MessageRange,
    RenderedItems,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.mime import structure
from twisted_mail.testing.doubles import InlineBlocking, StillClock
from twisted_mail.testing.wire import ScriptedWire

TABLES = make_tables()


class SmallMailbox:
    """A Mailbox that keeps notes of what it was asked: ``calls``."""

    def __init__(self, *bodies: bytes) -> None:
        self.name = "INBOX"
        self.uidvalidity = 7
        self.columns = EntryColumns()
        self.may_add_keywords = True
        self.keywords: Sequence[str] = ()
        self.bodies: dict[int, bytes] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.before: Callable[[str], None] = lambda name: None
        self._watchers: list[Watcher] = []
        for body in bodies:
            self.add(body)

    def add(self, body: bytes = b"", *names: str, date: int = 0, uid: int | None = None) -> int:
        uid = self.columns.uidnext if uid is None else uid
        entry = Entry(uid, flag.normal(names), 1, date, len(body))
        self.bodies[uid] = body
        self.columns.add([entry])
        self._spell(entry.flags)
        self._ring(EntriesAdded(self.name, (entry,)))
        return uid

    def _spell(self, flags: Flags) -> None:
        self.keywords = (*self.keywords, *sorted(flag.keywords(flags).difference(self.keywords)))

    def _ring(self, change: Change) -> None:
        for watcher in self._watchers:
            watcher(change)

    def _note(self, name: str, *what: Any) -> None:
        self.before(name)
        self.calls.append((name, *what))

    async def take_recent(self) -> int:
        return self.claim_recent()

    def claim_recent(self) -> int:
        return self.columns.uidnext

    async def refresh(self) -> None:
        pass

    @property
    def faulty(self) -> frozenset[int]:
        return frozenset()

    def forget_faulty(self) -> None: ...

    async def measure(self, uids: Sequence[int]) -> None:
        pass

    async def mark(
        self,
        uids: Sequence[int],
        how: str,
        flags: Flags,
        unchanged_since: int | None = None,
    ) -> tuple[int, ...]:
        self._note("mark", list(uids), how, flags)
        marks = []
        for uid in uids:
            row = self.columns.row(uid)
            if row is not None:
                old = self.columns.flags[row]
                new = {"set": flags, "add": old | flags, "remove": old - flags}[how]
                marks.append((uid, flag.intern(new), 2))
        self.columns.mark(marks)
        if how != "remove":
            self._spell(flags)
        self._ring(FlagsChanged(self.name, tuple(marks)))
        return ()

    async def copy(self, uids: Sequence[int], target: str) -> CopyResult:
        self._note("copy", list(uids), target)
        there = tuple(uid for uid in uids if uid in self.bodies)
        return CopyResult(99, there, tuple(range(101, 101 + len(there))))

    async def move(self, uids: Sequence[int], target: str) -> CopyResult:
        copied = await self.copy(uids, target)
        self.remove(copied.sources)
        return copied

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        self._note("expunge", list(uids))
        return self.remove(uids)

    def remove(self, uids: Sequence[int]) -> tuple[int, ...]:
        gone = tuple(uid for uid in uids if self.bodies.pop(uid, None) is not None)
        self.columns.remove(gone)
        self._ring(EntriesExpunged(self.name, gone, 2))
        return gone

    async def measure_with_headers(self, uids: Sequence[int]) -> None:
        await self.measure(uids)

    async def items(
        self, uids: Sequence[int], tier: ItemTier = ItemTier.PREVIEW
    ) -> Sequence[RenderedItems | None]:
        self._note("items", list(uids))
        return [self._items(self.bodies[uid]) if uid in self.bodies else None for uid in uids]

    def _items(self, body: bytes) -> RenderedItems:
        header, empty, _ = body.partition(b"\r\n\r\n")
        dates = [line[6:] for line in header.split(b"\r\n") if line.startswith(b"Date: ")]
        date = quoted(dates[0].decode()) if dates else b"NIL"
        size = len(header + empty)
        where = outline.encode_outline(structure.parts_of(body))
        return RenderedItems(b"(%b NIL)" % date, b"(BODY)", b"(BODYSTRUCTURE)", size, outline=where)

    async def identities(self, uids: Sequence[int]) -> Sequence[MessageIdentity | None]:
        self._note("identities", list(uids))
        return [MessageIdentity(f"e{uid}", 0) if uid in self.bodies else None for uid in uids]

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Say that two messages each are together."""
        self._note("threads", list(uids))
        return [f"t{uid // 2}" if uid in self.bodies else None for uid in uids]

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        self._note("read", list(pieces))
        return [
            self.bodies[piece.uid][piece.start : piece.stop] if piece.uid in self.bodies else None
            for piece in pieces
        ]

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        self._note("matching", list(uids), what)
        needle = what.needle.lower().encode()
        return frozenset(uid for uid in uids if needle in self.bodies[uid].lower())

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def close(self) -> None:
        pass


@dataclass
class NoteBackend:
    blocking: InlineBlocking = field(default_factory=InlineBlocking)
    clock: StillClock = field(default_factory=StillClock)


class SelectedSession:
    """What commands see of a session that has selected a mailbox."""

    def __init__(
        self, mailbox: SmallMailbox, recent_from: int = 2**32, is_read_only: bool = False
    ) -> None:
        self.mailbox = mailbox
        self.view = View(mailbox, recent_from, claims=False)
        self.selected = Selected(mailbox, self.view, is_read_only)  # type: ignore[arg-type]
        self.tables = TABLES
        self.settings = Settings()
        self.wire = ScriptedWire()
        self.backend = NoteBackend()

    def require_selected(self) -> Selected:
        return self.selected

    def untagged(self, line: bytes) -> None:
        self.wire.write(b"* %b\r\n" % line)

    async def run(self, command: Command, arguments: bytes, is_uid: bool = False) -> str:
        return await command.run(self, Reader(b" " + arguments if arguments else b""), is_uid)  # type: ignore[arg-type]

    def written(self) -> bytes:
        """Return what was written since the last call."""
        data = bytes(self.wire.written)
        self.wire.written.clear()
        return data
