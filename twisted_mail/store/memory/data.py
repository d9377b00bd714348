"""What the memory store holds: messages and entries of mailboxes, and the mailboxes of accounts."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from twisted_mail.interfaces import Clock, Renderer
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import (
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxCreated,
)
from twisted_mail.mail.mailbox.entry import Entry, ItemTier, MailboxStatus, RenderedItems
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.change_feed import ChangeFeed
from twisted_mail.store.format import mailbox_names
from twisted_mail.store.index import thread_keys
from twisted_mail.store.quota import over_quota


@dataclass(frozen=True, slots=True)
class MemoryStoreLimits:
    """How much one account may hold: octets in all (None: any number), and numbers of names."""

    quota: int | None = None
    mailboxes: int = 10_000  # and as many subscriptions
    keywords: int = 1000  # in one mailbox


@dataclass(slots=True, eq=False)
class MemoryMessage:
    """The bytes of one message, shared by its copies, and its items once they were asked for."""

    data: bytes
    id: str = field(default_factory=partial(secrets.token_hex, 12))
    _items: RenderedItems | None = None

    def items(self, render: Renderer, tier: ItemTier) -> RenderedItems:
        """Return the items up to a tier, rendered at the first call."""
        if self._items is None or self._items.tier < tier:
            self._items = render(self.data, tier)
        return self._items


@dataclass(frozen=True, slots=True)
class MemoryArrival:
    """A message about to enter a mailbox; ``date`` is in seconds since 1970."""

    body: MemoryMessage
    flags: Flags
    date: int


@dataclass(slots=True, eq=False)
class KeywordSpellings:
    """The keywords of one mailbox, as they were first spelled, at most ``limit``."""

    limit: int
    known: dict[str, str] = field(default_factory=dict)

    def admit(self, names: Iterable[str], in_use: Iterable[Flags]) -> None:
        """Make room for keywords, forgetting those that no message has. Raises Refused: LIMIT."""
        fresh = {name.lower(): name for name in sorted(names) if name.lower() not in self.known}
        if len(self.known) + len(fresh) > self.limit:
            used = flag.NONE.union(*set(in_use))
            self.known = {low: name for low, name in self.known.items() if name in used}
            fresh = {low: name for low, name in fresh.items() if low not in self.known}
        if len(self.known) + len(fresh) > self.limit:
            raise Refused("There is no room for more keywords in this mailbox.", "LIMIT")
        self.known.update(fresh)

    def spelled(self, flags: Iterable[str]) -> Flags:
        r"""Return the flags as this mailbox spells them, without ``\Recent``."""
        names = flag.normal(self.known.get(name.lower(), name) for name in flags)
        return flag.intern(names - {flag.RECENT})


@dataclass(slots=True, eq=False)
class MailboxData:
    """One mailbox in memory. Changes are published before a method returns."""

    name: str
    uidvalidity: int
    change_feed: ChangeFeed
    clock: Clock
    spellings: KeywordSpellings
    use: str = ""
    columns: EntryColumns = field(default_factory=EntryColumns)
    bodies: dict[int, MemoryMessage] = field(default_factory=dict)
    saved: dict[int, int] = field(default_factory=dict)
    size: int = 0
    first_recent: int = 1
    is_removed: bool = False

    def admit(self, flags: Iterable[str]) -> None:
        """Make sure that messages here can have these flags. Raises Refused: LIMIT, CANNOT."""
        names = flag.keywords(flag.normal(flags)) - {flag.RECENT}
        if not all(map(flag.is_keyword, names)):
            raise Refused("No message can have this flag.", "CANNOT")
        self.spellings.admit(names, self.columns.flags)

    @property
    def may_add_keywords(self) -> bool:
        """Return whether there is room for a new keyword."""
        limit = self.spellings.limit
        if len(self.spellings.known) < limit:
            return True
        return len(flag.keywords(flag.NONE.union(*set(self.columns.flags)))) < limit

    def add(self, arrivals: Sequence[MemoryArrival]) -> tuple[int, ...]:
        """Append messages whose flags were admitted; return their UIDs."""
        if not arrivals:
            return ()
        entries = tuple(self._entries(arrivals))
        for entry, arrival in zip(entries, arrivals, strict=True):
            self.bodies[entry.uid] = arrival.body
            self.saved[entry.uid] = int(self.clock.now())
            self.size += entry.size
        self.columns.add(entries)
        self.change_feed.publish(EntriesAdded(self.name, entries))
        return tuple(entry.uid for entry in entries)

    def _entries(self, arrivals: Iterable[MemoryArrival]) -> Iterator[Entry]:
        modseq = self.columns.highest_modseq + 1
        for uid, each in enumerate(arrivals, self.columns.uidnext):
            flags = self.spellings.spelled(each.flags)
            yield Entry(uid, flags, modseq, each.date, len(each.body.data))

    def mark(self, marks: Sequence[tuple[int, Flags]]) -> None:
        """Give messages that are here, by ascending UID, new flags."""
        if not marks:
            return
        modseq = self.columns.highest_modseq + 1
        change = FlagsChanged(self.name, tuple((uid, flags, modseq) for uid, flags in marks))
        self.columns.mark(change.marks)
        self.change_feed.publish(change)

    def remove(self, uids: Sequence[int]) -> None:
        """Drop messages that are here, by ascending UID."""
        if not uids:
            return
        modseq = self.columns.highest_modseq + 1
        self.size -= sum(len(self.bodies.pop(uid).data) for uid in uids)
        for uid in uids:
            del self.saved[uid]
        self.columns.remove(uids)
        self.columns.highest_modseq = modseq
        self.change_feed.publish(EntriesExpunged(self.name, tuple(uids), modseq))

    def entry(self, uid: int) -> Entry:
        """Return the entry of a UID that is here."""
        row = self.columns.row(uid)
        assert row is not None, "asked for a message that is not here"
        return self.columns[row]

    def present(self, uids: Iterable[int]) -> list[int]:
        """Return those of the UIDs that are here, ascending, each once."""
        return sorted({uid for uid in uids if uid in self.bodies})

    @property
    def id(self) -> str:
        """Return the MAILBOXID: no other mailbox of the account ever has this UIDVALIDITY."""
        return f"{self.uidvalidity}"

    def status(self) -> MailboxStatus:
        """Return the counts."""
        columns = self.columns
        return MailboxStatus(
            messages=len(columns),
            recent=sum(uid >= self.first_recent for uid in columns.uids),
            unseen=sum(flag.SEEN not in flags for flags in columns.flags),
            deleted=sum(flag.DELETED in flags for flags in columns.flags),
            size=self.size,
            uidnext=columns.uidnext,
            uidvalidity=self.uidvalidity,
            highest_modseq=columns.highest_modseq,
            id=self.id,
        )


@dataclass(slots=True, eq=False)
class AccountData:
    """What one account holds: its mailboxes by name, and the change feed that all of them publish to.

    UIDVALIDITY comes from one counter, so that a mailbox that is made again is another one.
    """

    limits: MemoryStoreLimits
    change_feed: ChangeFeed
    clock: Clock
    next_uidvalidity: int
    mailboxes: dict[str, MailboxData] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)  # by EMAILID
    _thread_of: dict[int, int] = field(default_factory=dict)  # by name
    _ages: dict[int, int] = field(default_factory=dict)  # of threads, the oldest 0

    def mailbox(self, name: str) -> MailboxData:
        """Return a mailbox. Raises Refused: NONEXISTENT."""
        mailbox = self.mailboxes.get(mailbox_names.canonical(name))
        if mailbox is None:
            raise Refused("There is no such mailbox.", "NONEXISTENT")
        return mailbox

    def target(self, name: str) -> MailboxData:
        """Return the mailbox that messages are to go to. Raises Refused: TRYCREATE, CANNOT.

        TRYCREATE is only for names that could be created (RFC 3501 §6.3.11).
        """
        mailbox = self.mailboxes.get(mailbox_names.canonical(name))
        if mailbox is None:
            mailbox_names.new(name)
            raise Refused("There is no such mailbox.", "TRYCREATE")
        return mailbox

    def assign_threads(self) -> None:
        """Give messages that have no thread theirs, the oldest first."""
        fresh = [
            (mailbox.saved[uid], number, uid, body)
            for number, mailbox in enumerate(self.mailboxes.values())
            for uid, body in mailbox.bodies.items()
            if body.id not in self.threads
        ]
        for *_, body in sorted(fresh, key=itemgetter(0, 1, 2)):
            if body.id not in self.threads:
                self._place(body)

    def _place(self, body: MemoryMessage) -> None:
        names = thread_keys.message_names(body.data) or (thread_keys.lone_name(body.id),)
        known = [self._thread_of[name] for name in names if name in self._thread_of]
        thread = min(known, key=self._ages.__getitem__, default=names[0])
        self._ages.setdefault(thread, len(self._ages))
        self._thread_of.update(dict.fromkeys(names, thread))
        self.threads[body.id] = thread_keys.thread_id(thread)

    def claim(self, octets: int) -> None:
        """Make sure that there is room for more octets. Raises Refused: OVERQUOTA."""
        quota = self.limits.quota
        if (
            quota is not None
            and sum(mailbox.size for mailbox in self.mailboxes.values()) + octets > quota
        ):
            raise over_quota()

    def make(self, name: str, use: str = "") -> list[MailboxCreated]:
        """Make a mailbox and the missing levels above it; return the changes to publish.

        Raises Refused: LIMIT.
        """
        made = [*self.make_above(name, besides=1), MailboxCreated(name)]
        self._make(name, use)
        return made

    def make_above(self, name: str, besides: int = 0) -> list[MailboxCreated]:
        """Make the missing levels above a name, with room for as many ``besides``."""
        missing = [level for level in mailbox_names.above(name) if level not in self.mailboxes]
        if len(self.mailboxes) + len(missing) + besides > self.limits.mailboxes:
            raise Refused("There are too many mailboxes.", "LIMIT")
        for level in missing:
            self._make(level)
        return [MailboxCreated(level) for level in missing]

    def _make(self, name: str, use: str = "") -> None:
        spellings = KeywordSpellings(self.limits.keywords)
        self.mailboxes[name] = MailboxData(
            name, self.next_uidvalidity, self.change_feed, self.clock, spellings, use
        )
        self.next_uidvalidity += 1
