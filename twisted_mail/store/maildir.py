"""All accounts' mail in maildirs, and delivery into them."""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from weakref import WeakValueDictionary

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    FolderMonitor,
    Renderer,
    unreported,
)
from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.account.background_rendering import BackgroundRendering
from twisted_mail.store.account.measuring import measure_for_count
from twisted_mail.store.change_feed import ChangeFeed, Report
from twisted_mail.store.delivery.detail_mailboxes import find_detail_mailboxes
from twisted_mail.store.delivery.group_commit import GroupCommit
from twisted_mail.store.delivery.inbound import InboxDelivery
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout, mailbox_names
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.quota import Quotas, Usage
from twisted_mail.store.repair.compact import UidListCompaction
from twisted_mail.store.reservations import (
    QuotaReserver,
    Reservations,
    Reserver,
    constant_quota,
    end,
)
from twisted_mail.store.search.indexing import Indexing
from twisted_mail.store.search.indexing import Report as Progress
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.trash.purge import ExpungedPurge
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.usage import survey

IDLE_SECONDS = 300.0  # after which the index of an account is closed that nobody uses
OPEN_ACCOUNTS = 256  # whose indexes stay open: each needs three descriptors
_LOOKED_AT = 8  # accounts, at each use of one: thousands may have mailboxes open

# Takes account, mailbox, and whether messages may have come that nobody noted.
NoteElsewhere = Callable[[str, str, bool], None]


@dataclass(frozen=True, slots=True)
class StoreServices:
    """What a store may be given.

    ``quotas`` gives an account's quota when its mail is opened and at each delivery, in place of that of
    the settings. ``report`` takes the exceptions of watchers; without it they are raised where the
    change was made. ``host`` stands in the names of files; ``disk`` makes the system calls; ``monitor``
    notices what other programs do, where the system can. ``progress`` and ``rendered`` hear how far a
    long indexing, and a long rendering of headers, has come. ``account_blocking`` has the lanes of
    accounts, so that they and deliveries do not wait for each other. Where another process of the server
    does that, ``reserver`` reserves room for deliveries and sessions, in place of ``own_reserver``, and
    ``background`` takes what is to be done for mailboxes in the background, in place of ``indexing``,
    ``rendering`` and ``compaction`` (see ``catch_up``). ``report_fault`` takes every error of the disk
    that a client is only sent a general answer to, or that is worked around, in any thread.
    """

    settings: StoreSettings = StoreSettings()
    quotas: Quotas | None = None
    report: Report | None = None
    progress: Progress | None = None
    rendered: Progress | None = None
    host: str = ""
    disk: Disk = field(default_factory=Disk)
    monitor: FolderMonitor | None = None
    reserver: Reserver | None = None
    account_blocking: Blocking | None = None
    background: NoteElsewhere | None = None
    report_fault: FaultReport = unreported

    @property
    def may_have_quotas(self) -> bool:
        """Return whether any account may have a quota."""
        own = self.settings.quota_bytes or self.settings.quota_messages
        return bool(self.quotas or self.reserver or own)

    def environment(self, clock: Clock, render: Renderer) -> StoreEnvironment:
        """Return what every account of the store is given."""
        faults = DiskFaults(self.report_fault)
        boot, namer = self.disk.boot_id(), Namer(self.host)
        return StoreEnvironment(self.disk, clock, namer, boot, self.settings, faults, render)


class MaildirStore:
    """All accounts' mail, below one folder. Fulfils ``interfaces.Store``; any name is an account.

    ``indexing`` and ``rendering`` are to be called from time to time. ``purge`` and ``compaction`` are to
    be asked for a step every second or so. Deliveries are made by ``blocking``.
    """

    def __init__(
        self,
        root: str | Path,
        blocking: Blocking,
        clock: Clock,
        render: Renderer,
        services: StoreServices = StoreServices(),
    ) -> None:
        self._root = os.path.abspath(os.fsencode(root))
        self._blocking = services.account_blocking or blocking
        self._render = render
        self._services = services
        self._may_have_quotas = services.may_have_quotas
        self._environment = services.environment(clock, render)
        self._group_commit = GroupCommit(self._environment, self._root, blocking)
        self.indexing = Indexing(clock, services.progress)
        self.rendering = BackgroundRendering(clock, render, services.rendered)
        self.compaction = UidListCompaction(clock)
        self._accounts: WeakValueDictionary[str, MaildirAccount] = WeakValueDictionary()
        self._recent: OrderedDict[str, MaildirAccount] = OrderedDict()
        quotas = services.quotas or constant_quota(services.settings)
        self.own_reserver = QuotaReserver(quotas, self._count, clock)
        self._reserver = services.reserver or self.own_reserver
        of, days = self._environment, services.settings.undelete_days
        self.purge = ExpungedPurge(of.disk, clock, blocking, self._root, days, of.faults)

    async def account(self, name: str) -> MaildirAccount:
        """Return the account's mail. Its folders are made by the first call that needs them."""
        ledger = await self.own_reserver.ledger(name)
        account = self._accounts.get(name)
        if account is None:
            tree = Tree(self._environment, layout.account_path(self._root, name), ledger)
            lane = self._blocking.lane()
            feed = ChangeFeed(self._services.report)
            account = MaildirAccount(
                name,
                tree,
                lane,
                self._render,
                feed,
                self._note,
                self._services.monitor,
                self._services.reserver,
            )
            self._accounts[name] = account
        self._recent[name] = account
        self._recent.move_to_end(name)
        await self._close_some()
        return account

    def _note(self, account: MaildirAccount, folder: Folder, change: Change | None) -> None:
        if self._services.background is not None:
            account.search.compared.add(folder)  # it is: by the other process
            self._services.background(account.name, folder.name, change is None)
            return
        self.indexing.note(account.search, folder, change)
        self.rendering.note(account.name, account.lane, folder, change)
        self.compaction.note(account.lane, folder, change)

    async def catch_up(self, name: str, mailbox: str, must_compare: bool) -> None:
        """Learn what another process did to a mailbox, for what is done in the background here.

        The arguments are those of ``StoreServices.background`` there. Raises MailError.
        """
        await (await self.account(name)).catch_up(mailbox, must_compare)

    async def _close_some(self) -> None:
        """Close the indexes of accounts that were asked for least recently, where nothing is open."""
        others = len(self._recent) - 1  # the last one is to be used now
        for name in list(islice(self._recent, min(_LOOKED_AT, others))):
            if len(self._recent) <= OPEN_ACCOUNTS:
                return
            account = self._recent.pop(name, None)
            if account is None:  # somebody else has closed it meanwhile
                continue
            if account.is_open:
                self._recent[name] = account
                continue
            await _close(account)

    async def close_accounts(self, number: int) -> None:
        """Close the indexes of this many accounts, those used least recently, whoever has them open.

        Those that nobody has used for ``IDLE_SECONDS`` are closed in any case. Each is opened again when
        it is needed.
        """
        using = sorted(
            (one for one in self._accounts.values() if one.has_open_files),
            key=lambda account: account.lane.used_at,
        )
        idle_since = self._environment.clock.monotonic() - IDLE_SECONDS
        for place, account in enumerate(using):
            if place >= number and account.lane.used_at > idle_since:
                return
            await _close(account)

    async def close(self) -> None:
        """Close all indexes. The store can still be used, and opens them again."""
        for account in list(self._accounts.values()):
            await _close(account)
        self._recent.clear()

    # ------------------------------------------------------------ delivery

    async def detail_mailboxes(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return the mailboxes that details mean, by account."""
        return await self._group_commit.blocking.run(
            find_detail_mailboxes, self._environment, self._root, details
        )

    async def deliver(
        self, names: Sequence[str], message: Message, mailboxes: Mapping[str, str] | None = None
    ) -> Mapping[str, MailError | None]:
        """Put one message into mailboxes of several accounts; the copies share their bytes."""
        delivery = InboxDelivery(self._environment, self._root, names, message, mailboxes)
        if not self._may_have_quotas:
            return await self._put(delivery)
        reserved = await self._reserver.take(delivery.names, delivery.size)
        if any(reserved.values()):
            return await self._deliver_reserved(delivery, reserved)
        return await self._put(delivery)

    async def _deliver_reserved(
        self, delivery: InboxDelivery, reserved: Reservations
    ) -> Mapping[str, MailError | None]:
        """Deliver to the accounts that have room; end the reservations."""
        delivery.refuse({name: it for name, it in reserved.items() if isinstance(it, MailError)})
        answers: Mapping[str, MailError | None] = {}
        try:
            answers = await self._put(delivery)
        finally:
            end(reserved, answers)
        return answers

    async def check_quota(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return None for each account that has room for this many octets, else why not."""
        if not self._may_have_quotas:
            return dict.fromkeys(names)
        taken = await self._reserver.take(names, size)
        for slot in taken.values():
            if slot is not None and not isinstance(slot, MailError):
                slot.end(is_delivered=False)
        return {name: slot if isinstance(slot, MailError) else None for name, slot in taken.items()}

    async def _count(self, name: str) -> tuple[Usage, int]:
        account = await self.account(name)
        await measure_for_count(account.lane)
        return await account.lane.perform(survey)

    async def _put(self, delivery: InboxDelivery) -> Mapping[str, MailError | None]:
        answers = await self._group_commit.deliver(delivery)
        for name in [name for name, error in answers.items() if error is None]:
            account = self._accounts.get(name)
            mailbox = delivery.mailboxes.get(name, mailbox_names.INBOX)
            if account is not None and account.is_watching(mailbox):
                # It is delivered; if it cannot be shown now, the next look at the mailbox shows it.
                with suppress(MailError):
                    await account.refresh(mailbox)
        return answers


async def _close(account: MaildirAccount) -> None:
    """Close an account's indexes, and do not wait for a disk that does not answer."""
    if not account.lane.is_stalled:
        with suppress(Unavailable):
            await account.lane.patiently(account.close())
