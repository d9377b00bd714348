"""The filter over DNS lists: the sum of their answers, and which of them can be trusted.

A list that has everything, as an abandoned one often does, would refuse all mail. So each list is tested
with entries that it must not have before it is used, and again from time to time.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Clock, Journal, Resolver, SmtpContext
from twisted_mail.interfaces.resolver import DNS_LISTS
from twisted_mail.mail.dns import DnsAnswer
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import Decision, FilterStage, Verdict
from twisted_mail.policy.checks.check import CheckFilter, CheckSettings, is_too_early, verdict
from twisted_mail.policy.checks.dnsbl_query import (
    DnsList,
    address_query_name,
    domain_query_name,
    test_entries,
)
from twisted_mail.policy.networks import network_of

MAX_NAMES = 3  # reverse names of one address that are looked up
MAX_TEXT = 150  # characters of a list's own text that go into an answer


@dataclass(frozen=True, slots=True)
class DnsListSettings(CheckSettings):
    """Options of the kind ``dns-list``.

    The weights of block lists that list the client are added, those of allow lists subtracted. Of the
    actions whose numbers the sum reaches, the strictest is taken; 0: never.
    """

    lists: tuple[DnsList, ...] = ()
    refuse_at: int = 1
    defer_at: int = 0
    quarantine_at: int = 0
    trusts_allowed: bool = True  # a sum below zero: no further filter is asked at this stage
    test_hours: float = 1.0  # between two tests of each list; 0: they are trusted untested

    def __post_init__(self) -> None:
        super(DnsListSettings, self).__post_init__()  # the class is made anew for its slots
        early = {"hello": FilterStage.HELLO, "sender": FilterStage.SENDER}
        for one in self.lists:
            if one.of in early and is_too_early(self.stage, early[one.of]):
                raise ValueError(f"stage comes before the {one.of} is known")


@dataclass(slots=True)
class _Trial:
    """When a list was tested last, and whether it can be trusted."""

    at: float
    is_sound: bool


class DnsListCheck(CheckFilter):
    """Asks DNS lists about the client, its name and its sender."""

    def __init__(
        self, settings: DnsListSettings, resolver: Resolver, clock: Clock, journal: Journal
    ) -> None:
        super().__init__(settings)
        self._settings = settings
        self._resolver = resolver
        self._lists = resolver.asked_by(DNS_LISTS)
        self._clock = clock
        self._journal = journal
        self._trials: dict[tuple[str, bool], _Trial] = {}

    def subject(self, context: SmtpContext) -> Hashable:
        """Return everything that lists are asked about."""
        kinds = {one.of for one in self._settings.lists}
        hello = context.hello if "hello" in kinds else ""
        sender = context.sender.domain if "sender" in kinds else ""
        return (context.peer.host, hello, sender) if kinds else None

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Ask all lists at once, and weigh their answers."""
        names = await self._names(context)
        asked = [
            (one, name)
            for one in self._settings.lists
            for name in names[one.of, one.zone]
            if await self._is_sound(one)
        ]
        answers = await self._lists.addresses_of_each([name for _, name in asked], 4)
        hits = self._hits(asked, answers)
        weighed = sum(one.weight if one.use == "block" else -one.weight for one, _ in hits)
        found = await self._decide(weighed, hits)
        if None in answers and found.decision is Decision.ACCEPT and not hits:
            raise Unavailable("a DNS list does not answer now")
        return found

    def _hits(
        self, asked: Sequence[tuple[DnsList, str]], answers: Sequence[DnsAnswer[str] | None]
    ) -> list[tuple[DnsList, str]]:
        """Return the lists with the names that they have, each list once."""
        hits: dict[int, tuple[DnsList, str]] = {}
        for (one, name), answer in zip(asked, answers, strict=True):
            if answer is None:
                continue
            if one.refuses_us(answer):
                self._distrust(one, "says that it does not serve us")
            elif one.counts(answer):
                hits.setdefault(id(one), (one, name))
        return list(hits.values())

    async def _decide(self, weight: int, hits: Sequence[tuple[DnsList, str]]) -> Verdict:
        if not hits:
            return Verdict(reason="not listed")
        settings = self._settings
        said = ", ".join(
            f"{one.zone}{'' if one.use == 'block' else ' (allows)'}" for one, _ in hits
        )
        reason = f"listed by {said}: weight {weight}"
        if 0 < settings.refuse_at <= weight:
            return verdict("refuse", reason, await self._outcome(hits))
        if 0 < settings.defer_at <= weight:
            return verdict("defer", reason, await self._outcome(hits))
        is_quarantined = 0 < settings.quarantine_at <= weight
        decision = Decision.QUARANTINE if is_quarantined else Decision.ACCEPT
        return Verdict(decision, reason, is_final=weight < 0 and settings.trusts_allowed)

    async def _outcome(self, hits: Sequence[tuple[DnsList, str]]) -> Outcome:
        """Return the answer to the client: the list, and the text of that list (RFC 5782 §2.1)."""
        one, name = next(hit for hit in hits if hit[0].use == "block")
        text = f"Listed by {one.zone}"
        try:
            for octets in (await self._lists.texts(name)).values[:1]:
                said = octets.decode("ascii", "replace")[:MAX_TEXT]
                text += ": " + "".join(sign if " " <= sign <= "~" else "_" for sign in said)
        except Unavailable:
            pass
        return Outcome(550, "5.7.1", text)

    # ------------------------------------------------------------ what is asked

    async def _names(self, context: SmtpContext) -> dict[tuple[str, str], list[str]]:
        """Return the names to look up, by what is listed and the zone."""
        found: dict[tuple[str, str], list[str]] = {}
        reverse = await self._reverse_names(context)
        for one in self._settings.lists:
            domains = {
                "hello": [context.hello],
                "sender": [context.sender.domain],
                "reverse-name": reverse,
            }
            names = (
                [address_query_name(context.peer.host, one.zone)]
                if one.of == "address"
                else [domain_query_name(domain, one.zone) for domain in domains[one.of]]
            )
            found[one.of, one.zone] = [name for name in names if name is not None]
        return found

    async def _reverse_names(self, context: SmtpContext) -> Sequence[str]:
        if not any(one.of == "reverse-name" for one in self._settings.lists):
            return ()
        try:
            resolver = self._resolver.asked_by(network_of(context.peer.host))
            return (await resolver.names(context.peer.host)).values[:MAX_NAMES]
        except Unavailable:
            return ()

    # ------------------------------------------------------------ trials

    async def _is_sound(self, one: DnsList) -> bool:
        """Return whether a list can be trusted, after testing it if the last test was long ago."""
        hours = self._settings.test_hours
        if hours <= 0:
            return True
        trial = self._trials.get((one.zone, one.of == "address"))
        if trial is not None and self._clock.monotonic() - trial.at < hours * 3600:
            return trial.is_sound
        return await self._try(one)

    async def _try(self, one: DnsList) -> bool:
        listed, unlisted = test_entries(one)
        here, nowhere = await self._lists.addresses_of_each([listed, unlisted], 4)
        if nowhere:
            return self._distrust(one, "lists what no list may have")
        if here is not None and one.refuses_us(here):
            return self._distrust(one, "says that it does not serve us")
        if here is not None and not here:
            self._journal.warned(f"DNS list {one.zone}", "lists nothing, not even its test entry")
        self._keep(one, is_sound=True)
        return True

    def _distrust(self, one: DnsList, reason: str) -> bool:
        self._journal.warned(f"DNS list {one.zone}", f"is not used: it {reason}")
        self._keep(one, is_sound=False)
        return False

    def _keep(self, one: DnsList, is_sound: bool) -> None:
        key = one.zone, one.of == "address"
        self._trials[key] = _Trial(self._clock.monotonic(), is_sound)
