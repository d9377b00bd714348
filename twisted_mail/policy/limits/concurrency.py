"""Limits on the connections at a time of one address, network, account or sender."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.policy.networks import IPV4_BITS, IPV6_BITS, LOOPBACK, Networks, network_of

TOO_MANY = Outcome(450, "4.7.0", "Too many connections at a time; try again later")


@dataclass(frozen=True, slots=True)
class ConcurrencySettings:
    """Options of the kind ``concurrency``: connections at a time for each; 0: any number."""

    address: int = 20
    network: int = 50
    account: int = 20
    sender: int = 0  # that use one sender address at a time; without a login: of one network
    trusted: tuple[str, ...] = LOOPBACK  # networks whose connections are not counted
    ipv4_bits: int = IPV4_BITS
    ipv6_bits: int = IPV6_BITS

    def __post_init__(self) -> None:
        Networks(self.trusted)
        if not (8 <= self.ipv4_bits <= 32 and 16 <= self.ipv6_bits <= 128):
            raise ValueError("ipv4_bits must be 8 to 32, ipv6_bits 16 to 128")


class ConcurrencyLimits:
    """Fulfils ``interfaces.Filter`` and ``StatefulFilter``; counts for each address, network and so on.

    Of the senders of one connection the last is counted; that of a client without a login for the
    client's network alone, since anybody may name any sender.
    """

    stages: Collection[FilterStage] = (FilterStage.CONNECT, FilterStage.SENDER)

    def __init__(self, settings: ConcurrencySettings) -> None:
        self._settings = settings
        self._trusted = Networks(settings.trusted)
        self._connections: Counter[str] = Counter()
        self._note = f"concurrency {id(self)}"

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Count a connection when it comes, and its account when that is known."""
        if context.peer.host in self._trusted and not context.submitter:
            return ACCEPT
        counted: set[str] = context.notes.setdefault(self._note, set())
        if stage is FilterStage.SENDER:
            self._forget(counted, {one for one in counted if one.startswith("sender ")})
        wanted = {
            key: most
            for key, most in self._wanted(stage, context).items()
            if most and key not in counted
        }
        for key, most in wanted.items():
            if self._connections[key] >= most:
                return Verdict(Decision.DEFER, f"more than {most} connections: {key}", TOO_MANY)
        self._connections.update(wanted.keys())
        counted.update(wanted)
        return ACCEPT

    def _wanted(self, stage: FilterStage, context: SmtpContext) -> dict[str, int]:
        settings, host = self._settings, context.peer.host
        network = network_of(host, settings.ipv4_bits, settings.ipv6_bits)
        if stage is FilterStage.SENDER:
            sender = 0 if context.sender.is_null else settings.sender
            if not context.submitter:
                return {f"sender {context.sender.key} from {network}": sender}
            return {
                f"account {context.submitter}": settings.account,
                f"sender {context.sender.key}": sender,
            }
        return {f"address {host}": settings.address, f"network {network}": settings.network}

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Forget a connection that is over."""
        if is_over:
            counted = context.notes.pop(self._note, set())
            self._forget(counted, set(counted))

    def _forget(self, counted: set[str], keys: set[str]) -> None:
        counted -= keys
        for key in keys:
            self._connections[key] -= 1
            if self._connections[key] <= 0:
                del self._connections[key]

    def __len__(self) -> int:
        """Return how many numbers are kept."""
        return len(self._connections)
