"""Limits on what may be sent in a time: connections, messages, recipients, octets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from twisted_mail.interfaces import Clock, SmtpContext
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.policy.limits.token_buckets import TokenBuckets
from twisted_mail.policy.networks import IPV4_BITS, IPV6_BITS, LOOPBACK, Networks, network_of

RateUnit = Literal["connections", "messages", "recipients", "octets"]
RateScope = Literal["address", "network", "account", "sender"]

_STAGES = {
    "connections": FilterStage.CONNECT,
    "messages": FilterStage.SENDER,  # accepted or not: trying costs us as much
    "recipients": FilterStage.RECIPIENT,
    "octets": FilterStage.MESSAGE,
}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A number of something in a number of seconds, for each address, network, account or sender."""

    of: RateUnit
    each: RateScope
    number: int
    seconds: float = 3600

    def __post_init__(self) -> None:
        if self.number < 1 or self.seconds <= 0:
            raise ValueError("number must be 1 or more, and seconds more than 0")
        if self.of == "connections" and self.each in ("account", "sender"):
            raise ValueError("connections are counted for each address or network only")


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Options of the kind ``rates``."""

    rates: tuple[RateLimit, ...] = ()
    action: Literal["defer", "refuse"] = "defer"
    trusted: tuple[str, ...] = LOOPBACK  # networks that are not counted
    ipv4_bits: int = IPV4_BITS
    ipv6_bits: int = IPV6_BITS
    max_entries: int = 100_000  # remembered for each rate

    def __post_init__(self) -> None:
        Networks(self.trusted)
        if not (8 <= self.ipv4_bits <= 32 and 16 <= self.ipv6_bits <= 128):
            raise ValueError("ipv4_bits must be 8 to 32, ipv6_bits 16 to 128")


class RateLimits:
    """Fulfils ``interfaces.Filter`` with a bucket for each rate and each address, network and so on.

    Clients that are logged in are counted by account and sender, not by address and network. Anybody may
    name any sender, so that of a client without a login is counted for the client's network alone.
    """

    def __init__(self, settings: RateSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._trusted = Networks(settings.trusted)
        self._rates = [(rate, self._buckets(rate)) for rate in settings.rates]
        # Apart, so that senders that strangers invent do not displace those of accounts.
        self._of_strangers = {
            rate: self._buckets(rate) for rate in settings.rates if rate.each == "sender"
        }

    def _buckets(self, rate: RateLimit) -> TokenBuckets:
        return TokenBuckets(rate.number, rate.seconds, self._settings.max_entries)

    @property
    def stages(self) -> Collection[FilterStage]:
        """Return the stages at which something is counted."""
        return {_STAGES[rate.of] for rate in self._settings.rates}

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Count, unless one of the rates is exceeded: then nothing is taken from any bucket."""
        if context.peer.host in self._trusted and not context.submitter:
            return ACCEPT
        now, count = self._clock.monotonic(), _count(stage, context)
        others = {} if context.submitter else self._of_strangers
        counted = [
            (rate, others.get(rate, buckets), key)
            for rate, buckets in self._rates
            if _STAGES[rate.of] is stage and (key := self._key(rate, context))
        ]
        for rate, buckets, key in counted:
            if (seconds := buckets.wait(key, now)) > 0:
                return self._refusal(rate, key, seconds)
        for _, buckets, key in counted:
            buckets.take(key, now, count)
        return ACCEPT

    def _key(self, rate: RateLimit, context: SmtpContext) -> str:
        """Return the key of the bucket; empty if nothing is to be counted."""
        if rate.each == "account":
            return context.submitter
        if rate.each == "sender":
            return self._sender_key(context)
        if context.submitter and rate.of != "connections":
            return ""
        if rate.each == "address":
            return context.peer.host
        return self._network(context)

    def _sender_key(self, context: SmtpContext) -> str:
        if context.sender.is_null:  # shared by all: one client could stop all reports
            return ""
        key = context.sender.key
        return key if context.submitter else f"{key} from {self._network(context)}"

    def _network(self, context: SmtpContext) -> str:
        return network_of(context.peer.host, self._settings.ipv4_bits, self._settings.ipv6_bits)

    def _refusal(self, rate: RateLimit, key: str, seconds: float) -> Verdict:
        reason = f"more than {rate.number} {rate.of} in {rate.seconds:g} s: {rate.each} {key}"
        text = f"Too many {rate.of} for now; try again in {max(1, round(seconds))} seconds"
        if self._settings.action == "refuse":
            return Verdict(Decision.REFUSE, reason, Outcome(550, "5.7.1", text))
        return Verdict(Decision.DEFER, reason, Outcome(450, "4.7.1", text))


def _count(stage: FilterStage, context: SmtpContext) -> float:
    if stage is FilterStage.MESSAGE and context.message is not None:
        return context.message.blob.size
    return 1
