"""Greylisting (RFC 6647): unknown clients are asked to try again, as every real server does.

| what is known | the answer |
| --- | --- |
| the network tried again in time, often enough | yes, to any mail |
| network, sender and recipient were seen before, and waited | yes |
| they were seen before, a moment ago | not now |
| nothing, or it was too long ago | not now, and they are recorded |

When the database cannot be read, the answer is yes.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from twisted_mail.interfaces import Blocking, Clock, Journal, SmtpContext
from twisted_mail.mail.address import Address, canonical_text
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.policy.greylist_store import (
    NETWORK_OCTETS,
    GreylistRules,
    GreylistStore,
    GreylistUnreadable,
    TripletStatus,
)
from twisted_mail.policy.networks import IPV4_BITS, IPV6_BITS, LOOPBACK, Networks, network_of

_WORD = re.compile(r"[a-z0-9]+")
MAX_KNOWN_NETWORKS = 10_000  # networks that are known to pass without a look-up
KNOWN_NETWORK_SECONDS = 600.0
_WARN_SECONDS = 3600.0  # between two warnings about the same trouble


@dataclass(frozen=True, slots=True)
class GreylistSettings:
    """Options of the kind ``greylist``; times in seconds."""

    delay: float = 60  # that a new client has to wait (RFC 6647 §5 asks for a minute) ...
    window: float = 86_400  # ... and within which it has to try again
    known_days: float = 36  # after the last mail that a triplet stays known
    passes: int = 1  # after this many, a whole network passes; 0: never
    ipv4_bits: int = IPV4_BITS  # of a network: its servers share a queue
    ipv6_bits: int = IPV6_BITS
    trusted: tuple[str, ...] = LOOPBACK  # networks that never have to wait
    spares: tuple[str, ...] = ("postmaster", "abuse")  # local parts that everybody may write to
    max_entries: int = 500_000  # in the database; the oldest are removed
    file: str = "greylist.sqlite3"  # in the state folder

    def __post_init__(self) -> None:
        Networks(self.trusted)
        if self.window <= self.delay:
            raise ValueError("window must be longer than delay")
        if not (8 <= self.ipv4_bits <= 32 and 16 <= self.ipv6_bits <= 128):
            raise ValueError("ipv4_bits must be 8 to 32, ipv6_bits 16 to 128")
        if self.max_entries < 1000 or "/" in self.file or not self.file:
            raise ValueError("max_entries must be 1000 or more, and file a name without '/'")

    @property
    def rules(self) -> GreylistRules:
        """Return the rules for the database."""
        known = self.known_days * 86_400
        return GreylistRules(self.delay, self.window, known, self.passes, self.max_entries)


class Greylist:
    """Fulfils ``interfaces.Filter``; ``state`` is the folder of the database, None: in memory."""

    stages: Collection[FilterStage] = (FilterStage.RECIPIENT,)

    def __init__(
        self,
        settings: GreylistSettings,
        clock: Clock,
        blocking: Blocking,
        journal: Journal,
        state: Path | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._lane = blocking.lane()
        self._trusted = Networks(settings.trusted)
        self._spares = frozenset(map(canonical_text, settings.spares))
        self._store = GreylistStore(state and state / settings.file, settings.rules)
        self._known_networks: dict[str, float] = {}  # networks that are known, until when
        self._warned_at = -_WARN_SECONDS

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Accept clients that are known, and defer others."""
        recipient = context.recipient
        if recipient is None or self._is_exempt(context, recipient):
            return ACCEPT
        network = network_of(context.peer.host, self._settings.ipv4_bits, self._settings.ipv6_bits)
        if self._clock.monotonic() < self._known_networks.get(network, 0):
            return KNOWN
        key = triplet_key(network, context.sender, recipient)
        try:
            status, wait = await self._lane.run(
                self._store.check_triplet, network, key, self._clock.now()
            )
        except (GreylistUnreadable, MailError) as error:
            self._warn(error)
            return Verdict(reason="the database cannot be asked")
        if status is TripletStatus.NEW:
            return defer_for(wait)
        if status is TripletStatus.NETWORK:
            self._remember(network)
        return Verdict(reason="came again") if status is TripletStatus.PASSED else KNOWN

    def _remember(self, network: str) -> None:
        """Let a known network pass without a look-up, for a while."""
        if len(self._known_networks) >= MAX_KNOWN_NETWORKS:
            self._known_networks.clear()
        self._known_networks[network] = self._clock.monotonic() + KNOWN_NETWORK_SECONDS

    def _is_exempt(self, context: SmtpContext, recipient: Address) -> bool:
        if context.submitter or context.peer.host in self._trusted:
            return True
        return canonical_text(recipient.local) in self._spares

    def _warn(self, error: Exception) -> None:
        now = self._clock.monotonic()
        if now - self._warned_at >= _WARN_SECONDS:
            self._warned_at = now
            self._journal.warned("the greylist", f"lets everybody through: {error}")


KNOWN = Verdict(reason="known")


def defer_for(seconds: float) -> Verdict:
    """Return the verdict that asks the client to try again."""
    whole = max(1, round(seconds))
    text = f"Greylisted: please try again in {whole} seconds"
    return Verdict(Decision.DEFER, "not known yet", Outcome(450, "4.7.1", text))


def triplet_key(network: str, sender: Address, recipient: Address) -> bytes:
    """Return a short key for network, sender and recipient, from which no address can be read.

    It begins with ``NETWORK_OCTETS`` that are the same for all of a network.
    """
    text = "\0".join(
        (network, normalise_sender(sender), canonical_text(f"{recipient.local}@{recipient.domain}"))
    )
    rest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return hashlib.blake2b(network.encode(), digest_size=NETWORK_OCTETS).digest() + rest


def normalise_sender(sender: Address) -> str:
    """Return a sender without what differs from message to message (VERP, SRS, BATV).

    Every word of the local part that has a digit is replaced as if it were a number.
    """
    local = canonical_text(sender.local)
    if local.startswith("prvs="):  # BATV: prvs=0123abcdef=alice
        local = local.rpartition("=")[2]
    elif local.startswith(("srs0", "srs1")):  # SRS0=hash=stamp=domain=alice
        local = "=".join(["srs", *local.split("=")[3:]])
    local = _WORD.sub(_fold, local)
    return f"{local}@{sender.domain}" if sender.domain else local


def _fold(word: re.Match[str]) -> str:
    return "#" if any(sign.isdigit() for sign in word[0]) else word[0]
