"""What the client calls itself in HELO or EHLO: whether it is a name, and could be its own.

RFC 5321 §4.1.4 forbids refusing mail for a name that does not match the address. Refused is what no
properly configured client sends: no name at all, or our own.
"""

import re
from collections.abc import Collection, Hashable
from dataclasses import dataclass

from twisted_mail.interfaces import Directory, Resolver, SmtpContext
from twisted_mail.mail.address import parse_domain
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import FilterStage, Verdict
from twisted_mail.policy.checks.check import (
    Action,
    CheckFilter,
    CheckSettings,
    is_too_early,
    verdict,
)
from twisted_mail.policy.networks import address_of, network_of

MALFORMED = Outcome(550, "5.5.2", "HELO needs your full name or an address literal")
FORGED = Outcome(550, "5.7.1", "The name you gave in HELO is ours")
NO_SUCH_NAME = Outcome(550, "5.7.1", "The name you gave in HELO does not exist")

_BARE_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


@dataclass(frozen=True, slots=True)
class HeloSettings(CheckSettings):
    """Options of the kind ``hello``: what is done with a client whose name ..."""

    malformed: Action = "refuse"  # is no domain with a dot, and no address literal
    ours: Action = "refuse"  # is that of this server, or one of our domains
    wrong_literal: Action = "accept"  # is the literal of another address
    unknown: Action = "accept"  # does not exist in the DNS

    def __post_init__(self) -> None:
        super(HeloSettings, self).__post_init__()  # the class is made anew for its slots
        if is_too_early(self.stage, FilterStage.HELLO):
            raise ValueError("stage must be 'hello' or later")


class HeloCheck(CheckFilter):
    """Checks the name that the client gives; ``own`` are the names of this server."""

    def __init__(
        self,
        settings: HeloSettings,
        resolver: Resolver,
        directory: Directory,
        own: Collection[str],
    ) -> None:
        super().__init__(settings)
        self._settings = settings
        self._resolver = resolver
        self._directory = directory
        self._own = frozenset(one.lower() for one in own)

    def subject(self, context: SmtpContext) -> Hashable:
        """Return the name."""
        return context.hello or None

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Check the form of the name, whether it is ours, and whether the DNS has it."""
        settings, hello = self._settings, context.hello
        name = normalise_helo(hello)
        if name is None:
            return verdict(settings.malformed, f"HELO {hello} is no name", MALFORMED)
        if name.startswith("["):
            return self._judge_literal(name, context)
        if name in self._own or await self._directory.is_ours(name):
            return verdict(settings.ours, f"HELO {name} is ours", FORGED)
        if settings.unknown != "accept" and not await self._exists(name, context):
            return verdict(settings.unknown, f"HELO {name} does not exist", NO_SUCH_NAME)
        return Verdict(reason=f"HELO {name} is in order")

    def _judge_literal(self, name: str, context: SmtpContext) -> Verdict:
        address = address_of(name.strip("[]").removeprefix("IPv6:"))
        if address == address_of(context.peer.host):
            return Verdict(reason=f"HELO {name} is in order")
        reason = f"HELO {name} from {context.peer.host}"
        return verdict(self._settings.wrong_literal, reason, FORGED_LITERAL)

    async def _exists(self, name: str, context: SmtpContext) -> bool:
        resolver = self._resolver.asked_by(network_of(context.peer.host))
        return bool(await resolver.addresses(name) or await resolver.mail_hosts(name))


FORGED_LITERAL = Outcome(550, "5.7.1", "The address you gave in HELO is not yours")


def normalise_helo(hello: str) -> str | None:
    """Return a name in its normal form; None for what is neither a full name nor a literal."""
    try:
        name = parse_domain(hello)
    except ValueError:
        return None
    if name.startswith("["):
        return name
    return name if "." in name and not _BARE_ADDRESS.fullmatch(name) else None
