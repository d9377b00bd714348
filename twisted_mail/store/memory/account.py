"""A store in memory: every promise of the doors but durability.

For tests of all rooms above, and for accounts that need not outlive the process. Nothing here waits,
so between the call of a method and its return nothing else happens.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from twisted_mail.interfaces import Clock, Renderer, Watcher
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import MailboxDeleted, MailboxRenamed, SubscriptionChanged
from twisted_mail.mail.mailbox.entry import CopyResult, MailboxInfo, MailboxStatus, NewMessage
from twisted_mail.mail.message import Message, without_nul
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.store.change_feed import ChangeFeed, Report
from twisted_mail.store.format import mailbox_names
from twisted_mail.store.format.detail_mailbox import detail_mailbox
from twisted_mail.store.format.maildrop_lock import in_use
from twisted_mail.store.keyword_limit import check_drafts
from twisted_mail.store.memory.data import (
    AccountData,
    MemoryArrival,
    MemoryMessage,
    MemoryStoreLimits,
)
from twisted_mail.store.memory.mailbox import MemoryMailbox


class MemoryStore:
    """All accounts' mail, in memory. Fulfils ``interfaces.Store``; any name is an account.

    ``report`` takes the exceptions of watchers; without it they are raised where the change was made.
    """

    def __init__(
        self,
        clock: Clock,
        render: Renderer,
        limits: MemoryStoreLimits | None = None,
        report: Report | None = None,
    ) -> None:
        self._clock = clock
        self._render = render
        self._limits = limits or MemoryStoreLimits()
        self._report = report
        self._accounts: dict[str, MemoryAccount] = {}

    async def account(self, name: str) -> "MemoryAccount":
        """Return the account's mail, making it at first use."""
        account = self._accounts.get(name)
        if account is None:
            first = max(1, int(self._clock.now()))
            data = AccountData(self._limits, ChangeFeed(self._report), self._clock, first)
            account = MemoryAccount(name, data, self._clock, self._render)
            self._accounts[name] = account
        return account

    async def check_quota(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return None for each account that has room for this many octets, else why not."""
        return {name: (await self.account(name)).check_quota(size) for name in dict.fromkeys(names)}

    async def detail_mailboxes(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return the mailboxes that details mean, by account."""
        found = {name: (await self.account(name)).meant_by(one) for name, one in details.items()}
        return {name: mailbox for name, mailbox in found.items() if mailbox}

    async def deliver(
        self, names: Sequence[str], message: Message, mailboxes: Mapping[str, str] | None = None
    ) -> Mapping[str, MailError | None]:
        """Put one message into mailboxes of several accounts; the copies share their bytes."""
        try:
            body = _body(message)
        except Unavailable as error:
            return dict.fromkeys(names, error)
        places = dict.fromkeys(names, mailbox_names.INBOX) | dict(mailboxes or {})
        return {
            name: (await self.account(name)).deliver(body, places[name])
            for name in dict.fromkeys(names)
        }


class MemoryAccount:
    """One holder of mail, in memory. Fulfils ``interfaces.Account``."""

    def __init__(self, name: str, data: AccountData, clock: Clock, render: Renderer) -> None:
        self.name = name
        self._data = data
        self._clock = clock
        self._render = render
        self._subscribed = {mailbox_names.INBOX, *mailbox_names.SPECIAL}
        self._holder: object | None = None  # of the maildrop
        for mailbox, use in {mailbox_names.INBOX: "", **mailbox_names.SPECIAL}.items():
            data.make(mailbox, use)

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Return all mailboxes, and names that are subscribed to and gone, sorted by name."""
        uses = {name: mailbox.use for name, mailbox in self._data.mailboxes.items()}
        return mailbox_names.list_mailboxes(uses, self._subscribed)

    async def open(self, name: str) -> MemoryMailbox:
        """Open a mailbox."""
        return self._open(name)

    def _open(self, name: str) -> MemoryMailbox:
        return MemoryMailbox(self._data, self._data.mailbox(name), self._render)

    async def status(self, name: str, has_size: bool = True) -> MailboxStatus:
        """Return the counts of a mailbox."""
        return self._data.mailbox(name).status()

    async def create(self, name: str, use: str = "") -> None:
        """Make a mailbox and the levels above it."""
        name = self._free(mailbox_names.new(name.removesuffix("/")))
        self._data.change_feed.publish(*self._data.make(name, mailbox_names.use(use)))

    def _free(self, name: str) -> str:
        if name in self._data.mailboxes:
            raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
        return name

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages."""
        name, new_name = mailbox_names.canonical(name), mailbox_names.new(new_name)
        if name == mailbox_names.INBOX:
            await self.create(new_name)
            inbox = self._open(name)
            await inbox.move(inbox.columns.uids, new_name)
            return
        mailboxes = self._data.mailboxes
        pairs = mailbox_names.renamed(name, new_name, mailboxes)
        made = self._data.make_above(new_name)
        for old, new in pairs:
            mailboxes[new] = mailboxes.pop(old)
            mailboxes[new].name = new
        self._data.change_feed.publish(*made, *(MailboxRenamed(old, new) for old, new in pairs))

    async def delete(self, name: str) -> None:
        """Delete a mailbox, not its children."""
        name, mailboxes = mailbox_names.canonical(name), self._data.mailboxes
        if name == mailbox_names.INBOX:
            raise Refused("INBOX cannot be deleted.", "CANNOT")
        if name not in mailboxes and any(mailbox_names.below(name, mailboxes)):
            raise Refused("The name stands for the mailboxes below it.", "CANNOT")
        mailbox = self._data.mailbox(name)
        del mailboxes[name]
        mailbox.is_removed = True
        mailbox.bodies.clear()
        self._data.change_feed.publish(MailboxDeleted(name))

    async def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name, whether or not there is such a mailbox, or no longer."""
        name = mailbox_names.new(name) if is_subscribed else mailbox_names.canonical(name)
        if (name in self._subscribed) == is_subscribed:
            return
        if is_subscribed and len(self._subscribed) >= self._data.limits.mailboxes:
            raise Refused("There are too many subscriptions.", "LIMIT")
        (self._subscribed.add if is_subscribed else self._subscribed.remove)(name)
        self._data.change_feed.publish(SubscriptionChanged(name, is_subscribed))

    async def append(self, name: str, drafts: Sequence[NewMessage]) -> CopyResult:
        """Put messages into a mailbox, all or none."""
        try:
            bodies = [_body(draft.message) for draft in drafts]
        finally:
            for draft in drafts:
                draft.message.blob.close()
        check_drafts(drafts)
        mailbox = self._data.target(name)
        mailbox.admit(flag.NONE.union(*{draft.flags for draft in drafts}))
        self._data.claim(sum(len(body.data) for body in bodies))
        arrivals = [
            MemoryArrival(body, draft.flags, self._seconds(draft.date))
            for body, draft in zip(bodies, drafts, strict=True)
        ]
        return CopyResult(mailbox.uidvalidity, (), mailbox.add(arrivals))

    def meant_by(self, detail: str) -> str:
        """Return the mailbox that a detail means, or an empty text."""
        uses = {name: mailbox.use for name, mailbox in self._data.mailboxes.items()}
        return detail_mailbox(detail, uses)

    def deliver(self, body: MemoryMessage, mailbox: str) -> MailError | None:
        """Put a message into a mailbox; return why it could not be done."""
        try:
            place = self._data.mailbox(mailbox)
            self._data.claim(len(body.data))
        except Refused as error:
            return error
        place.add([MemoryArrival(body, flag.NONE, self._seconds(None))])
        return None

    def check_quota(self, size: int) -> MailError | None:
        """Return why there is no room for this many octets, or None."""
        try:
            self._data.claim(size)
        except Refused as error:
            return error
        return None

    def _seconds(self, date: datetime | None) -> int:
        return int(self._clock.now() if date is None else date.timestamp())

    async def lock_maildrop(self) -> Callable[[], None]:
        """Lock the maildrop against other POP3 sessions; return what unlocks it."""
        if self._holder is not None:
            raise in_use()
        holder = self._holder = object()

        def unlock() -> None:
            if self._holder is holder:
                self._holder = None

        return unlock

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of the account to ``watcher``."""
        return self._data.change_feed.watch(watcher)


def _body(message: Message) -> MemoryMessage:
    """Read a message. Raises Unavailable."""
    try:
        return MemoryMessage(without_nul(message.read()))
    except OSError:
        raise Unavailable("The message cannot be read now.") from None
