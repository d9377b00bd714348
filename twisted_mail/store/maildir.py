"""All accounts' mail in maildirs, and delivery into them.

A delivered message is written to tmp and synced, linked into ``new`` of each account, and each ``new``
is synced: only then is it told to be there. Nothing else is on this path: UIDs, and the index, come
when somebody looks.
"""

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

from twisted_mail.interfaces import Blocking, Clock, Renderer, Watching
from twisted_mail.mail.change import Change
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.store import layout
from twisted_mail.store.account import MaildirAccount
from twisted_mail.store.beginning import make_maildir
from twisted_mail.store.changes import Bell, Report
from twisted_mail.store.compacting import Compacting
from twisted_mail.store.database import boot_id
from twisted_mail.store.durable import Disk, unavailable
from twisted_mail.store.filename import Namer
from twisted_mail.store.folder import Folder
from twisted_mail.store.indexing import Indexing
from twisted_mail.store.indexing import Report as Progress
from twisted_mail.store.quota import Quotas, Slot, Usage
from twisted_mail.store.room import Room, constant, end
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.tidying import Tidying
from twisted_mail.store.transfer import link_or_copy, write_message
from twisted_mail.store.tree import Ground, Tree
from twisted_mail.store.usage import survey

OPEN_ACCOUNTS = 256  # whose indexes stay open: each needs three descriptors


class MaildirStore:
    """All accounts' mail, below one folder. Fulfils ``interfaces.Store``; any name is an account.

    ``quotas`` gives an account's quota at each login and delivery, in place of that of the settings.
    ``report`` takes the exceptions of watchers; without it they are raised where the change was made.
    ``host`` stands in the names of files; ``disk`` makes the system calls; ``watching`` tells what other
    programs do, where that can be told at once. ``indexing`` is to be worked
    off from time to time, and tells ``progress`` how far a long one has come. ``tidying`` and
    ``compacting`` are to be asked for a step every second or so.
    """

    def __init__(
        self,
        root: str | Path,
        blocking: Blocking,
        clock: Clock,
        render: Renderer,
        *,
        settings: StoreSettings = StoreSettings(),  # noqa: B008  # it is frozen
        quotas: Quotas | None = None,
        report: Report | None = None,
        progress: Progress | None = None,
        host: str = "",
        disk: Disk | None = None,
        watching: Watching | None = None,
    ) -> None:
        self._root = os.path.abspath(os.fsencode(root))
        self._blocking = blocking
        self._render = render
        self._report = report
        self._watching = watching
        self._ground = Ground(disk or Disk(), clock, Namer(host), boot_id(), settings)
        self.indexing = Indexing(clock, progress)
        self.compacting = Compacting(clock)
        self._accounts: WeakValueDictionary[str, MaildirAccount] = WeakValueDictionary()
        self._recent: OrderedDict[str, MaildirAccount] = OrderedDict()
        self._room = Room(quotas or constant(settings), self._count, clock)
        self.tidying = Tidying(
            self._ground.disk, clock, blocking, self._root, settings.undelete_days
        )

    async def account(self, name: str) -> MaildirAccount:
        """Return the account's mail, making its folders at first use."""
        ledger = await self._room.ledger(name)
        account = self._accounts.get(name)
        if account is None:
            tree = Tree(self._ground, layout.account_path(self._root, name), ledger)
            lane = self._blocking.lane()
            bell = Bell(self._report)
            account = MaildirAccount(
                name, tree, lane, self._render, bell, self._note, self._watching
            )
            self._accounts[name] = account
        self._recent[name] = account
        self._recent.move_to_end(name)
        await account.prepare()
        await self._close_some()
        return account

    def _note(self, account: MaildirAccount, folder: Folder, change: Change | None) -> None:
        self.indexing.note(account, folder, change)
        self.compacting.note(account, folder, change)

    async def _close_some(self) -> None:
        """Close the indexes of accounts that were asked for least recently, where nothing is open."""
        spare = len(self._recent) - OPEN_ACCOUNTS
        idle = [name for name, account in self._recent.items() if not account.is_open]
        for name in idle[: max(0, spare)]:
            with suppress(Unavailable):
                await self._recent.pop(name).close()

    async def close(self) -> None:
        """Close all indexes. The store can still be used, and opens them again."""
        for account in list(self._accounts.values()):
            with suppress(Unavailable):
                await account.close()
        self._recent.clear()

    # ------------------------------------------------------------ delivery

    async def deliver(
        self, names: Sequence[str], message: Message
    ) -> Mapping[str, MailError | None]:
        """Put one message into the inboxes of several accounts; the copies share their bytes."""
        try:
            taken = await self._room.take(names, message.size)
        except BaseException:
            message.blob.close()
            raise
        answers = {name: slot for name, slot in taken.items() if isinstance(slot, MailError)}
        delivered: Mapping[str, MailError | None] = {}
        try:
            delivered = await self._put([name for name in taken if name not in answers], message)
        finally:
            end(taken, delivered)
        return {**answers, **delivered}

    async def room(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return None for each account that has room for so many octets, else why not."""
        taken = await self._room.take(names, size)
        for slot in taken.values():
            if isinstance(slot, Slot):
                slot.end(is_delivered=False)
        return {name: slot if isinstance(slot, MailError) else None for name, slot in taken.items()}

    async def _count(self, name: str) -> tuple[Usage, int]:
        account = await self.account(name)
        await account.measure_for_count()
        return await account.perform(survey)

    async def _put(self, names: Sequence[str], message: Message) -> Mapping[str, MailError | None]:
        begun: list[bool] = []
        try:
            answers = await self._blocking.run(self._deliver, names, message, begun)
        except Unavailable as error:
            if not begun:  # no thread took the work
                message.blob.close()
            return dict.fromkeys(names, error)
        for name in [name for name, error in answers.items() if error is None]:
            account = self._accounts.get(name)
            if account is not None and account.is_watched:
                # It is delivered; if it cannot be shown now, the next look at the inbox shows it.
                with suppress(MailError):
                    await account.refresh_inbox()
        return answers

    def _deliver(
        self, names: Sequence[str], message: Message, begun: list[bool]
    ) -> dict[str, MailError | None]:
        begun.append(True)
        try:
            return Delivery(self._ground, self._root, message).into(names)
        finally:
            message.blob.close()


class Delivery:
    """One message on its way into several inboxes. Runs in a thread.

    All names are made before the first folder is synced: one commit of the file system's journal then
    serves them all.
    """

    def __init__(self, ground: Ground, root: bytes, message: Message) -> None:
        self._disk = ground.disk
        self._ground = ground
        self._root = root
        self._message = message
        self._written = b""  # the first account's file in tmp, which the others link to
        self._is_sole = False

    def into(self, names: Sequence[str]) -> dict[str, MailError | None]:
        """Put the message into inboxes; return None for each where it is durable, else why not."""
        answers: dict[str, MailError | None] = {}
        paths: dict[str, bytes] = {}
        self._is_sole = len(names) == 1
        try:
            for name in dict.fromkeys(names):
                try:
                    paths[name] = self._place(name)
                except OSError as error:
                    answers[name] = unavailable(error)
        finally:
            if self._written:
                with suppress(OSError):
                    self._disk.unlink(self._written)
        for name, path in paths.items():
            answers[name] = self._sync(path)
        return answers

    def _place(self, name: str) -> bytes:
        """Give the message a name in an inbox, and return it. Raises OSError."""
        maildir = os.path.join(layout.account_path(self._root, name), b"Maildir")
        size = self._message.size
        base = self._ground.namer.base(self._ground.clock.now(), size, size)
        try:
            return self._put(maildir, base)
        except FileNotFoundError:  # the account's first mail
            make_maildir(self._disk, maildir)
            return self._put(maildir, base)

    def _put(self, maildir: bytes, base: bytes) -> bytes:
        path = os.path.join(maildir, b"new", base)
        if self._written:
            self._link(maildir, base, path)
            return path
        written = os.path.join(maildir, b"tmp", base)
        write_message(self._disk, written, self._message, self._ground.clock.now())
        self._written = written
        if self._is_sole:
            self._disk.rename(written, path)
            self._written = b""
        else:
            self._disk.link(written, path)
        return path

    def _sync(self, path: bytes) -> MailError | None:
        try:
            self._disk.sync_folder(os.path.dirname(path))
        except OSError as error:
            with suppress(OSError):
                self._disk.unlink(path)
            return unavailable(error)
        return None

    def _link(self, maildir: bytes, base: bytes, path: bytes) -> None:
        """Link, by way of tmp where it must be copied: nothing half written is ever in new."""
        try:
            self._disk.link(self._written, path)
        except FileNotFoundError:
            raise
        except OSError:
            copied = os.path.join(maildir, b"tmp", base)
            link_or_copy(self._disk, self._written, copied)
            self._disk.rename(copied, path)
