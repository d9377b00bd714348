"""All mailboxes of one account on disk, and the way into every piece of work on them.

Everything here runs in the account's lane, one piece of work at a time.
"""

import math
import os
import stat
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from twisted_mail.interfaces import Clock
from twisted_mail.mail import flags as flag
from twisted_mail.mail.change import Made, Removed, Renamed, Subscribed
from twisted_mail.mail.entry import MailboxInfo, Status
from twisted_mail.mail.numbers import MAX_NUMBER
from twisted_mail.mail.outcome import Refused
from twisted_mail.store import (
    layout,
    names,
    processes,
    subscriptions,
    transfer,
    uidlist,
    uidvalidity,
)
from twisted_mail.store.attic import NO_ROOM, Attic
from twisted_mail.store.database import DAMAGED, NO_DISK
from twisted_mail.store.durable import (
    Disk,
    exists,
    faults,
    make_folders,
    read_file,
    remove_tree,
    replace_file,
)
from twisted_mail.store.filename import Namer
from twisted_mail.store.folder import Folder
from twisted_mail.store.index import Index
from twisted_mail.store.own import Own, noting
from twisted_mail.store.quota import Ledger
from twisted_mail.store.scan import columns, scan
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.uidlist import UidList
from twisted_mail.store.usage import claim
from twisted_mail.store.work import Happened, News, Opened, Work, working

P = ParamSpec("P")
T = TypeVar("T")

TMP_SECONDS = 36 * 3600  # maildir(5): older files in tmp belong to nobody
MAX_MAILBOXES = 10_000  # of one account, and as many subscriptions


@dataclass(frozen=True, slots=True)
class Ground:
    """What every account of a store stands on."""

    disk: Disk
    clock: Clock
    namer: Namer
    boot: str
    settings: StoreSettings


class Tree:
    """One account on disk. ``news`` is what happened there and the reactor has not taken yet."""

    def __init__(self, ground: Ground, path: bytes, ledger: Ledger) -> None:
        self.ground = ground
        self.ledger = ledger
        self.counted_at = -math.inf  # when all mailboxes were looked at to know the room there is
        self.own = Own()
        self.disk = noting(ground.disk, self.own)
        self.path = path
        self.maildir = os.path.join(path, b"Maildir")
        self.attic = Attic(self.disk, ground.clock, path, ground.settings.undelete_days)
        self.news: deque[News] = deque()
        self.folders: dict[bytes, Folder] = {}
        self._index: Index | None = None
        self._is_prepared = False
        self._is_working = False
        self.told: frozenset[bytes] | None = None  # the mailboxes that were told, if any were
        self._version = -1  # of the index, when other processes' work was last looked for

    # ------------------------------------------------------------ work

    def perform(
        self,
        work: Callable[Concatenate["Tree", P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do a piece of work. Raises Refused, Unavailable.

        When the index turns out to be damaged it is made again from the files, and when the disk takes
        no more it is kept in memory; then the work is done once more.
        """
        with faults():
            try:
                self._prepare()
                self._meet_others()
                return work(self, *args, **kwargs)
            except DAMAGED:
                self._rebuild()
            except NO_DISK:
                self.index.database.leave_disk()
            self._prepare()
            return work(self, *args, **kwargs)

    @property
    def index(self) -> Index:
        """Return the index, opened at first use."""
        if self._index is None:
            path = os.path.join(self.path, b"index.sqlite3")
            self._index = Index(self.disk, path, self.ground.boot)
        return self._index

    @contextmanager
    def working(self) -> Iterator[Work]:
        """Do a piece of work within a transaction; what happened in it becomes news at its end."""
        foreign: list[News] = []
        try:
            with working(self.index, self.new_uidvalidity, self.attic) as work:
                self._is_working = True
                foreign = self._follow_others(work)
                work.claim = partial(claim, self, work)
                yield work
        except BaseException:
            self._tell(foreign)
            raise
        finally:
            self._is_working = False
        for folder, state in work.states.items():
            folder.known = processes.known(state)
        self._tell(work.news)

    def _follow_others(self, work: Work) -> list[News]:
        """Follow mailboxes that other processes renamed or deleted; return what there is to tell."""
        version = self.index.database.version()
        if version != self._version:
            processes.follow(self, work)
            self._version = version
        return list(work.news)

    def _tell(self, news: list[News]) -> None:
        if self.told is not None:
            self.told = processes.told(self.told, news)
        self.news += news

    def _meet_others(self) -> None:
        """Take note of what other processes of this server did."""
        if self.index.database.was_replaced():
            self._rebuild()
        if self.index.database.version() != self._version:
            with self.working():
                pass

    def _rebuild(self) -> None:
        """Make the index again, and have those who have mailboxes open compare."""
        self.index.database.replace()
        for folder in self.folders.values():
            folder.known = None
        for folder in [each for each in self.folders.values() if each.uidvalidity]:
            with suppress(Refused), self.working() as work:
                scan(folder, work, is_forced=True)
                work.news[:] = [Opened(folder, columns(folder, work))]

    def close(self) -> None:
        """Close the index; it is opened again when it is needed."""
        if self._index is not None:
            with suppress(Refused, OSError, apsw.Error):
                self._save_recent()
            self._index.close()
            self._index = None

    def _save_recent(self) -> None:
        """Write down what sessions claimed."""
        with self.working() as work:
            for folder in self.folders.values():
                if folder.uidvalidity and not folder.is_removed:
                    folder.state(work)

    # ------------------------------------------------------------ the beginning

    def prepare(self) -> None:
        """Make what is missing: that was done on the way here."""

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        make_maildir(self.disk, self.maildir)
        with self.working():
            self._clean()
            if read_file(self.disk, self._uses_path) is None:
                self._begin()
        self._is_prepared = True

    def _clean(self) -> None:
        """Remove what a crash or another program left."""
        for name in self.disk.names(self.maildir):
            path = os.path.join(self.maildir, name)
            if name.startswith(b".."):
                with suppress(OSError):
                    remove_tree(self.disk, path)
            elif layout.mailbox_name(name) is not None and name.startswith(b"."):
                self._clean_tmp(os.path.join(path, b"tmp"))
        self._clean_tmp(os.path.join(self.maildir, b"tmp"))

    def _clean_tmp(self, path: bytes) -> None:
        oldest = self.ground.clock.now() - TMP_SECONDS
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in self.disk.names(path):
                with suppress(OSError):
                    file = os.path.join(path, name)
                    if self.disk.stat(file).st_mtime < oldest:
                        self.disk.unlink(file)

    def _begin(self) -> None:
        """Make the first mailboxes; the file of special uses, written last, says that it is done.

        A maildir that another server served has those that its user wants, and their subscriptions.
        """
        if not self._was_served():
            there = self.mailboxes()
            for name in names.SPECIAL:
                if name not in there:
                    self._make(name)
            first = {names.INBOX, *names.SPECIAL}
            path = os.path.join(self.maildir, subscriptions.FILE)
            replace_file(self.disk, path, subscriptions.write(first))
        self._write_uses(dict(names.SPECIAL))

    def _was_served(self) -> bool:
        files = (subscriptions.FILE, uidlist.FILE)
        return any(exists(self.disk, os.path.join(self.maildir, file)) for file in files)

    # ------------------------------------------------------------ mailboxes

    def find(self, name: str) -> Folder:
        """Return a mailbox. Raises Refused: NONEXISTENT."""
        try:
            coded = layout.folder_name(name)
        except Refused:
            raise Refused("There is no such mailbox.", "NONEXISTENT") from None
        return self._found(coded, "NONEXISTENT")

    def target(self, name: str) -> Folder:
        """Return the mailbox that messages shall go to. Raises Refused: TRYCREATE, CANNOT.

        TRYCREATE is only for names that could be created (RFC 3501 §7.1).
        """
        coded = layout.folder_name(names.new(name))
        return self._found(coded, "TRYCREATE")

    def _found(self, coded: bytes, condition: str) -> Folder:
        """Return the mailbox in a folder of the maildir. Raises Refused with this condition.

        What lies in a folder that is not known yet may be a mailbox that is known, and that another
        process is just renaming: that is certain only when the other is done.
        """
        if coded not in self.folders and not self._is_working:
            with self.working():
                return self._found(coded, condition)
        if not self._is_folder(coded):
            raise Refused("There is no such mailbox.", condition)
        return self.folder(coded)

    def folder(self, coded: bytes) -> Folder:
        """Return the mailbox in a folder of the maildir, whether or not there is one."""
        if coded not in self.folders:
            ground = self.ground
            self.folders[coded] = Folder(self.disk, ground.clock, ground.namer, self.maildir, coded)
        return self.folders[coded]

    def _is_folder(self, coded: bytes) -> bool:
        try:
            found = self.disk.stat(os.path.join(self.maildir, coded) if coded else self.maildir)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode)

    def places(self) -> frozenset[bytes]:
        """Return the folders of all mailboxes but INBOX."""
        return frozenset(self.mailboxes().values()) - {layout.INBOX}

    def mailboxes(self) -> dict[str, bytes]:
        """Return the folders of all mailboxes by name."""
        found = {names.INBOX: layout.INBOX}
        for coded in self.disk.names(self.maildir):
            if coded.startswith(b".") and self._is_folder(coded):
                name = layout.mailbox_name(coded)
                if name is not None:
                    found[name] = coded
        return found

    def listing(self) -> list[MailboxInfo]:
        """Return the mailboxes as clients see them."""
        uses = self._uses()
        there = {name: uses.get(name, "") for name in self.mailboxes()}
        return names.listing(there, self._subscribed())

    def status(self, name: str) -> Status:
        """Return the counts of a mailbox."""
        folder = self.find(name)
        with self.working() as work:
            state = scan(folder, work)
            found = work.index.columns(state)
            sets = Counter(found.flags)
            return Status(
                messages=len(found),
                recent=len(found) - bisect_left(found.uids, state.first_recent),
                unseen=sum(number for flags, number in sets.items() if flag.SEEN not in flags),
                deleted=sum(number for flags, number in sets.items() if flag.DELETED in flags),
                size=state.octets,
                uidnext=state.uidnext,
                uidvalidity=state.uidvalidity,
                highest_modseq=state.highest_modseq,
                id=folder.id,
            )

    # ------------------------------------------------------------ create, delete

    def create(self, name: str, use: str) -> None:
        """Make a mailbox and the levels above it."""
        name = names.new(name.removesuffix("/"))
        layout.folder_name(name)
        with self.working() as work:
            there = self.mailboxes()
            if name in there:
                raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
            use = names.use(use)
            uses = self._uses()
            if uses.get(name, "") != use:
                self._write_uses({**uses, name: use})
            self._make_all(work, [*self._missing_above(name, there, 1), name])

    def _missing_above(self, name: str, there: dict[str, bytes], beside: int = 0) -> list[str]:
        missing = [level for level in names.above(name) if level not in there]
        if len(there) + len(missing) + beside > MAX_MAILBOXES:
            raise Refused("There are too many mailboxes.", "LIMIT")
        return missing

    def _make_all(self, work: Work, made: list[str]) -> None:
        for name in made:
            coded = layout.folder_name(name)
            work.undo.append(partial(self._unmake, coded))
            self._make(name)
            work.happened(self.folder(coded), Made(name))

    def _make(self, name: str) -> None:
        """Make a mailbox out of sight, then give it its name."""
        coded = layout.folder_name(name)
        path = os.path.join(self.maildir, coded)
        hidden = self._hidden()
        for place in layout.PLACES:
            make_folders(self.disk, os.path.join(hidden, place))
        self.disk.close(self.disk.create(os.path.join(hidden, b"maildirfolder")))
        uids = uidlist.UidFile(self.disk, hidden)
        uids.start(UidList(self.new_uidvalidity(), guid=uidlist.new_guid()))
        self.disk.rename(hidden, path)
        self.disk.sync_folder(self.maildir)

    def _hidden(self) -> bytes:
        """Return a new path in the maildir that is no mailbox's."""
        return os.path.join(self.maildir, b".." + self._unique())

    def _unique(self) -> bytes:
        return self.ground.namer.base(self.ground.clock.now(), 0, 0).partition(b",")[0]

    def _trash(self, coded: bytes, kept: bytes = b"") -> bytes:
        """Take a mailbox's name away, durably; return where it lies now: at ``kept`` if it can."""
        path, hidden = os.path.join(self.maildir, coded), kept or self._hidden()
        try:
            self.disk.rename(path, hidden)
        except OSError as error:
            if not kept or error.errno not in NO_ROOM:
                raise
            return self._trash(coded)
        try:
            for folder in dict.fromkeys((os.path.dirname(hidden), self.maildir)):
                self.disk.sync_folder(folder)
        except OSError:
            self.disk.rename(hidden, path)
            raise
        return hidden

    def _unmake(self, coded: bytes) -> None:
        """Take back a mailbox that was made, unless mail lies in it by now."""
        folder = self.folder(coded)
        if not any(self.disk.names(folder.place(place)) for place in (b"new", b"cur")):
            self._trash(coded)

    def delete(self, name: str) -> None:
        """Delete a mailbox, not its children."""
        name = names.canonical(name)
        if name == names.INBOX:
            raise Refused("INBOX cannot be deleted.", "CANNOT")
        there = self.mailboxes()
        if name not in there and any(names.below(name, there)):
            raise Refused("The name stands for the mailboxes below it.", "CANNOT")
        folder = self.find(name)
        with self.working() as work:
            state = folder.state(work)
            self.note_uidvalidity(state.uidvalidity)
            kept = self._room_in_attic(folder)
            hidden = self._trash(folder.folder, kept)
            work.undo.append(partial(self.disk.rename, hidden, folder.path))
            work.index.mailboxes.remove(state)
            work.happened(folder, Removed(name))
        folder.is_removed = True
        self.folders.pop(folder.folder, None)
        self._forget_use(name)
        if hidden != kept:
            with suppress(OSError):
                remove_tree(self.disk, hidden)

    def _room_in_attic(self, folder: Folder) -> bytes:
        """Return where a mailbox that has messages goes as a whole, or nothing if it cannot."""
        if not any(self.disk.names(folder.place(place)) for place in (b"new", b"cur")):
            return b""
        return self.attic.room(folder.folder, self._unique())

    # ------------------------------------------------------------ rename

    def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages."""
        name, new_name = names.canonical(name), names.new(new_name)
        if name == names.INBOX:
            self._empty_inbox_into(new_name)
            return
        with self.working() as work:
            there = self.mailboxes()
            pairs = names.renamed(name, new_name, there)
            coded = [(layout.folder_name(old), layout.folder_name(new)) for old, new in pairs]
            above = self._missing_above(new_name, there)
            self._carry_uses(pairs)
            self._make_all(work, above)
            for old, new in coded:
                self._rename(work, old, new)
            self.disk.sync_folder(self.maildir)
            for (old_name, next_name), (_, new) in zip(pairs, coded, strict=True):
                work.happened(self.folder(new), Renamed(old_name, next_name))
        self._carry_uses_end(pairs)

    def _rename(self, work: Work, old: bytes, new: bytes) -> None:
        folder = self.folder(old)
        state = work.index.mailboxes.state(old)
        self.disk.rename(os.path.join(self.maildir, old), os.path.join(self.maildir, new))
        self.follow(folder, new)
        work.undo.append(partial(self._rename_back, folder, old, new))
        if state is not None:
            work.index.mailboxes.rename(state, new)

    def _rename_back(self, folder: Folder, old: bytes, new: bytes) -> None:
        self.disk.rename(os.path.join(self.maildir, new), os.path.join(self.maildir, old))
        self.follow(folder, old)

    def follow(self, folder: Folder, new: bytes) -> None:
        """Take note that a mailbox lies in another folder now."""
        self.folders.pop(folder.folder, None)
        folder.move(self.maildir, new)
        self.folders[new] = folder

    def _empty_inbox_into(self, new_name: str) -> None:
        layout.folder_name(new_name)
        with self.working() as work:
            there = self.mailboxes()
            if new_name in there:
                raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
            self._make_all(work, [*self._missing_above(new_name, there, 1), new_name])
            source, target = self.find(names.INBOX), self.find(new_name)
            rows = work.index.all_rows(scan(source, work))
            transfer.move(source, target, work, [row.uid for row in rows])

    # ------------------------------------------------------------ subscriptions

    def _subscribed(self) -> set[str]:
        path = os.path.join(self.maildir, subscriptions.FILE)
        return subscriptions.parse(read_file(self.disk, path) or b"")

    def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name, or no longer."""
        name = names.new(name) if is_subscribed else names.canonical(name)
        with self.working():
            found = self._subscribed()
            if (name in found) == is_subscribed:
                return
            if is_subscribed:
                if len(found) >= MAX_MAILBOXES:
                    raise Refused("There are too many subscriptions.", "LIMIT")
                layout.folder_name(name)
            wanted = found | {name} if is_subscribed else found - {name}
            path = os.path.join(self.maildir, subscriptions.FILE)
            replace_file(self.disk, path, subscriptions.write(wanted))
        happened = Happened(self.folder(layout.INBOX), Subscribed(name, is_subscribed))
        self.news.append(happened)

    # ------------------------------------------------------------ special uses

    @property
    def _uses_path(self) -> bytes:
        return os.path.join(self.path, b"special-use")

    def _uses(self) -> dict[str, str]:
        r"""Return special uses by name: lines ``\Sent .Sent`` in the file."""
        found: dict[str, str] = {}
        for line in (read_file(self.disk, self._uses_path) or b"").split(b"\n"):
            use, _, coded = line.partition(b" ")
            name = layout.mailbox_name(coded) if coded else None
            if name is not None:
                found[name] = use.decode("ascii", "replace")
        return found

    def _write_uses(self, uses: dict[str, str]) -> None:
        lines = sorted(
            b"%s %s\n" % (use.encode(), layout.folder_name(name))
            for name, use in uses.items()
            if use
        )
        replace_file(self.disk, self._uses_path, b"".join(lines))

    def _forget_use(self, name: str) -> None:
        """Forget a use. What goes wrong here does not undo what was done before."""
        with suppress(OSError, apsw.Error):
            if name in self._uses():
                with self.working():
                    uses = self._uses()
                    uses.pop(name, "")
                    self._write_uses(uses)

    def _carry_uses(self, pairs: list[tuple[str, str]]) -> None:
        """Give the new names the old ones' uses; the old ones keep them until all is renamed."""
        uses = self._uses()
        carried = {new: uses[old] for old, new in pairs if old in uses}
        if carried:
            self._write_uses(uses | carried)

    def _carry_uses_end(self, pairs: list[tuple[str, str]]) -> None:
        new_names = {new for _, new in pairs}
        for old, _ in pairs:
            if old not in new_names:
                self._forget_use(old)

    # ------------------------------------------------------------ UIDVALIDITY

    def new_uidvalidity(self) -> int:
        """Return a number greater than any UIDVALIDITY given before, noted durably."""
        dovecots = uidvalidity.last(self.disk, self.maildir)
        used = max(self._noted_uidvalidity(), self.index.mailboxes.highest_uidvalidity(), dovecots)
        value = min(max(int(self.ground.clock.now()), used + 1), MAX_NUMBER)
        self.note_uidvalidity(value)
        uidvalidity.count_on(self.disk, self.maildir, value)
        return value

    def note_uidvalidity(self, value: int) -> None:
        """See to it that higher ones only are given from now on."""
        if value > self._noted_uidvalidity():
            replace_file(self.disk, os.path.join(self.path, b"uidvalidity"), b"%d\n" % value)

    def _noted_uidvalidity(self) -> int:
        data = read_file(self.disk, os.path.join(self.path, b"uidvalidity")) or b""
        text = data.strip()
        return int(text) if text.isdigit() and len(text) <= 10 else 0


def make_maildir(disk: Disk, path: bytes) -> None:
    """Make a maildir where it is missing or incomplete."""
    for place in layout.PLACES:
        make_folders(disk, os.path.join(path, place))
