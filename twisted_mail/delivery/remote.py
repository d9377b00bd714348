"""The ``smtp`` carrier: hands mail on to other hosts.

For each connection it takes the first transaction, finds the hosts of its destination, dials them in
order, and lets the client hand on what there is. A host that cannot be spoken to is followed by the next
one; when none is left, the site cannot be reached.
"""

from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred, DeferredSemaphore

from twisted_mail.delivery.hop_settings import (
    HopSettings,
    MailClient,
    MailSession,
    hosts_for,
    requires_tls,
)
from twisted_mail.delivery.onward.attempts import (
    asks_for_less,
    failed,
    for_all,
    is_about_tls,
    passed_over,
    place_of,
    refused_for_tls,
    repeated,
    with_class,
)
from twisted_mail.delivery.onward.connection_work import ConnectionWork, SecondTry
from twisted_mail.delivery.onward.dial_order import Place, dial_order, prefer
from twisted_mail.delivery.onward.large_mail import LargeMail, size_of
from twisted_mail.delivery.onward.mail_hosts import ip_version
from twisted_mail.delivery.onward.memory import RecentlyKnown
from twisted_mail.delivery.onward.next_hosts import NO_FAMILY, NextHostFinder, NextHosts
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.onward.unreached import moved, note_unfound, note_unreached, unjudged
from twisted_mail.interfaces import Clock, HostDemands, Site, Work
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.trust import Demand
from twisted_mail.net.client.address_slots import AddressSlots, HeldSlot
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.settings import (
    DEFAULT_TIMES,
    ClientSettings,
    DialogueTimes,
)
from twisted_mail.trust.proof import may_carry

DEMAND_SECONDS = 5.0  # that mail waits for what is demanded of hosts, before its destination rests
MAX_LOOKUPS = 50  # destinations whose hosts are looked up at a time
KNOWN_SECONDS = 600.0  # for connections that are open; the DNS has its own cache
SECOND_TRY_SECONDS = 3600.0  # after a second try over the other version of IP that did not help


@dataclass(frozen=True, slots=True)
class _Dialled:
    session: MailSession
    place: Place
    site: str
    slot: HeldSlot  # at the address, counted to the site
    demand: Demand  # it was opened for


class RemoteCarrier:
    """Fulfils ``interfaces.Carrier`` for mail to other hosts.

    ``hostname`` is our name in EHLO; ``demands`` knows what is demanded of hosts (if None: nothing), and
    ``login`` is for the relay, if there is one that wants it.
    """

    name = SMTP

    def __init__(
        self,
        client: MailClient,
        finder: NextHostFinder,
        clock: Clock,
        settings: SendingSettings,
        hostname: str,
        login: RelayLogin | None = None,
        times: DialogueTimes = DEFAULT_TIMES,
        demands: HostDemands | None = None,
    ) -> None:
        self._client = client
        self._finder = finder
        self._clock = clock
        self._settings = settings
        self._hops = HopSettings(settings, hostname, login, times)
        self._demands = demands
        self._lookups = DeferredSemaphore(MAX_LOOKUPS)
        self._known: RecentlyKnown[NextHosts] = RecentlyKnown(clock, KNOWN_SECONDS)
        self._too_large: RecentlyKnown[int] = RecentlyKnown(clock, SECOND_TRY_SECONDS)
        self._tried_twice: RecentlyKnown[bool] = RecentlyKnown(clock, SECOND_TRY_SECONDS)
        self._slots = AddressSlots(clock, settings.address_connections)

    # ------------------------------------------------------------ where to

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of a destination, or why there is none, for now or permanently."""
        found = await self._find(destination)
        return found if isinstance(found, Attempt) else found.site

    async def _find(self, destination: Destination) -> NextHosts | Attempt:
        found = await self._hosts(destination)
        if isinstance(found, Attempt):
            return found
        try:
            return await self._clock.within(DEMAND_SECONDS, self._judged(destination, found))
        except TimeoutError:  # a stranger's slow web server holds up mail for his own domain alone
            return unjudged(self._clock.now())

    async def _hosts(self, destination: Destination) -> NextHosts | Attempt:
        found: NextHosts | Outcome = await self._lookups.run(self._look_up, destination.name)
        return failed(found, self._clock.now()) if isinstance(found, Outcome) else found

    async def _judged(self, destination: Destination, found: NextHosts) -> NextHosts:
        """Return hosts with what is demanded of them, which the DNS and a web server may have to say."""
        if self._demands is not None:
            found = await found.judged(self._demands)
        self._known[destination.name] = found
        return found

    def _look_up(self, domain: str) -> Deferred[NextHosts | Outcome]:
        return Deferred.fromCoroutine(self._finder.find(domain))

    def _admitting(self, dialled: _Dialled, transaction: Transaction) -> NextHosts | None:
        """Return the hosts of a transaction if it may go over a connection, whoever proved what there."""
        found = self._known[transaction.destination.name]
        hosts = None if found is None else hosts_for(found, transaction)
        host = dialled.place[0]
        demand = hosts.demand(host) if hosts is not None and hosts.has(host) else None
        if demand is None or not may_carry(dialled.session.proof, dialled.demand, demand):
            return None
        return hosts

    # ------------------------------------------------------------ handing on

    async def serve(self, site: Site, work: Work) -> None:
        """Hand on what there is, over one connection at a time."""
        transaction = work.next() or await work.wait(self._settings.idle)
        while transaction is not None:
            transaction = await self._hand_on(transaction, site, work)

    async def _hand_on(self, first: Transaction, site: Site, work: Work) -> Transaction | None:
        """Hand on a transaction, and what may follow; return one that needs another connection."""
        hosts = await self._find(first.destination)
        if not isinstance(hosts, Attempt) and hosts.site.name != site.name:
            hosts = moved(self._clock.now())
        if isinstance(hosts, Attempt):
            return note_unfound(hosts, first, work, bool(self._settings.next_relay))
        hosts = hosts_for(hosts, first)
        order = dial_order(hosts.open_hosts, self._settings.families, work.avoids)
        last = repeated(first)
        if last is not None:
            order = prefer(order, place_of(last))
        dialled = await self._dial(hosts, order, last)
        if isinstance(dialled, _Dialled):
            return await self._use(dialled, hosts, first, work)
        if requires_tls(first) and dialled and all(map(is_about_tls, dialled)):
            work.done(first, for_all(first, refused_for_tls(dialled)))
            return work.next()
        return note_unreached(dialled, hosts, first, work, self._clock.now())

    async def _use(
        self, dialled: _Dialled, hosts: NextHosts, first: Transaction, work: Work
    ) -> Transaction | None:
        version = ip_version(dialled.place[1])
        others = self._other_version(hosts, version, work)
        over = ConnectionWork(
            work,
            first,
            dialled.place,
            lambda transaction: self._admitting(dialled, transaction),
            bool(others),
            lambda transaction: self._may_ask_others(hosts, dialled.place, transaction),
            lambda: self._slots.is_wanted(dialled.place[1]),
            lambda: self._slots.is_owed(dialled.place[1], dialled.site),
        )
        ended = await self._converse(dialled, over)
        if ended is not None:
            self._note_end(with_class(ended), over, work)
        if over.too_large:
            await self._ask_others(LargeMail(work, over.too_large), hosts, dialled.place, work)
        if over.refused:
            await self._try_again(SecondTry(work, over.refused, version), hosts, others)
        return over.left

    async def _converse(self, dialled: _Dialled, work: MessageSupply) -> Attempt | None:
        try:
            return await dialled.session.hand_on(work)
        finally:
            dialled.session.close()
            dialled.slot.leave()

    def _note_end(self, ended: Attempt, over: ConnectionWork, work: Work) -> None:
        """Note that a connection ended by the other side's will, or by accident."""
        if asks_for_less(ended):
            work.slow_down(ended)
        elif not over.is_answered:  # or it would be tried at once, for ever
            work.unreachable(ended)

    # ------------------------------------------------------------ the other version of IP

    def _other_version(self, hosts: NextHosts, version: int, work: Work) -> list[Place]:
        """Return where a refusal by policy is tried a second time."""
        is_known = work.avoids or self._tried_twice[hosts.site.name]
        if is_known or hosts.relay is not None:
            return []
        order = dial_order(hosts.open_hosts, self._settings.families, avoids=version)
        return [place for place in order if ip_version(place[1]) != version]

    async def _try_again(self, again: SecondTry, hosts: NextHosts, places: list[Place]) -> None:
        dialled = await self._dial(hosts, places)
        if isinstance(dialled, _Dialled):
            again.may_get = lambda one: self._admitting(dialled, one) is not None
            await self._converse(dialled, again)
        again.end()  # who is cancelled before is as before
        if not again.has_helped:
            self._tried_twice[hosts.site.name] = True

    # ------------------------------------------------------------ the other hosts

    def _may_ask_others(self, hosts: NextHosts, place: Place, large: Transaction) -> bool:
        """Return whether others than this host may take a message that is too large for it."""
        known = self._too_large[large.destination.name]
        is_refused = known is not None and size_of(large) >= known
        return not is_refused and any(one.name != place[0] for one in hosts.open_hosts)

    async def _ask_others(
        self, large: LargeMail, hosts: NextHosts, place: Place, work: Work
    ) -> None:
        """Offer what is too large for one host to the others, as far as they are reached."""
        order = dial_order(hosts.open_hosts, self._settings.families, work.avoids)
        asked = {place[0]}
        while large.turn() and (rest := [one for one in order if one[0] not in asked]):
            dialled = await self._dial(hosts, rest)
            if not isinstance(dialled, _Dialled):
                break
            order = order[order.index(dialled.place) :]
            asked.add(dialled.place[0])
            await self._converse(dialled, large)
        if large.smallest and len(asked) == len(hosts.open_hosts):
            self._too_large[hosts.names[0] if hosts.names else ""] = large.smallest
        large.end()

    # ------------------------------------------------------------ dialling

    async def _dial(
        self, hosts: NextHosts, order: list[Place], last: Attempt | None = None
    ) -> _Dialled | list[Attempt]:
        """Return the first connection to be had, or why there is none, for each that was tried.

        ``last`` is the attempt that is repeated at its host, from the same address of ours.
        """
        failures = [passed_over(one, self._clock.now()) for one in hosts.passed_over]
        if not order:
            return failures or [failed(NO_FAMILY, self._clock.now())]
        try:
            settings = await self._hops.settings(hosts)
        except Unavailable as error:
            return [failed(error.outcome, self._clock.now())]
        busy: list[Place] = []
        for place in order:
            if not self._slots.take(place[1], hosts.site.name):
                busy.append(place)
                continue
            found = await self._connect(hosts, place, settings, last)
            if not isinstance(found, Attempt):
                return found
            failures.append(with_class(found))
        return (
            await self._wait_and_connect(hosts, busy[0], settings, failures) if busy else failures
        )

    async def _wait_and_connect(
        self, hosts: NextHosts, place: Place, settings: ClientSettings, failures: list[Attempt]
    ) -> _Dialled | list[Attempt]:
        """Wait until an address may have one connection more; return none where that takes too long."""
        if not await self._slots.wait(place[1], hosts.site.name):
            return []
        found = await self._connect(hosts, place, settings)
        return [*failures, with_class(found)] if isinstance(found, Attempt) else found

    async def _connect(
        self, hosts: NextHosts, place: Place, settings: ClientSettings, last: Attempt | None = None
    ) -> _Dialled | Attempt:
        hop, site = self._hops.hop(hosts, place, last), hosts.site.name
        demand = self._hops.demand(hosts, place)
        settings = replace(settings, demand=demand)
        slot = HeldSlot(self._slots, place[1], site)
        found = await self._client.connect(hop, settings, slot.release)
        if isinstance(found, Attempt):
            slot.leave()
            return found
        return _Dialled(found, place, site, slot, demand)
