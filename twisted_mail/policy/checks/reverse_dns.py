"""Whether the client's address has a name, and that name leads back to it.

Nearly every server that sends mail has one (RFC 1912 §2.1); most hacked machines have none.
"""

import ipaddress
from collections.abc import Hashable
from dataclasses import dataclass

from twisted_mail.interfaces import Resolver, SmtpContext
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import Verdict
from twisted_mail.policy.checks.check import Action, CheckFilter, CheckSettings, verdict
from twisted_mail.policy.networks import address_of, network_of

MAX_NAMES = 5  # of one address that are confirmed

NO_NAME = Outcome(550, "5.7.25", "Your address has no reverse name")  # RFC 7372 §3.3
NOT_CONFIRMED = Outcome(550, "5.7.25", "The reverse name of your address does not lead back to it")


@dataclass(frozen=True, slots=True)
class ReverseDnsSettings(CheckSettings):
    """Options of the kind ``reverse-name``: what is done with a client that ..."""

    missing: Action = "refuse"  # has no name
    unconfirmed: Action = "accept"  # has one that does not lead back


class ReverseDnsCheck(CheckFilter):
    """Looks up the reverse name, and confirms it by the forward one."""

    def __init__(self, settings: ReverseDnsSettings, resolver: Resolver) -> None:
        super().__init__(settings)
        self._settings = settings
        self._resolver = resolver

    def subject(self, context: SmtpContext) -> Hashable:
        """Return the client's address."""
        found = address_of(context.peer.host)
        return None if found is None else str(found)

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Look up the names of the address, and the addresses of these names."""
        address = str(self.subject(context))
        resolver = self._resolver.asked_by(network_of(address))
        names = (await resolver.names(address)).values[:MAX_NAMES]
        if not names:
            return verdict(self._settings.missing, f"{address} has no reverse name", NO_NAME)
        version = ipaddress.ip_address(address).version
        found = await resolver.addresses_of_each(names, 4 if version == 4 else 6)
        for name, answer in zip(names, found, strict=True):
            if answer is not None and address in answer.values:
                context.reverse_name = name
                return Verdict(reason=f"{address} is {name}")
        if None in found:
            raise Unavailable("the reverse name cannot be confirmed now")
        reason = f"{address} claims to be {names[0]}"
        return verdict(self._settings.unconfirmed, reason, NOT_CONFIRMED)
