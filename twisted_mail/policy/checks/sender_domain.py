"""Whether the sender's domain exists and takes mail: otherwise no report can be sent back."""

from collections.abc import Hashable
from dataclasses import dataclass

from twisted_mail.interfaces import Directory, Resolver, SmtpContext
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, FilterStage, Verdict
from twisted_mail.policy.checks.check import (
    Action,
    CheckFilter,
    CheckSettings,
    is_too_early,
    verdict,
)
from twisted_mail.policy.networks import network_of

NO_DOMAIN = Outcome(550, "5.1.8", "The domain of the sender does not exist")
NULL_MX = Outcome(550, "5.7.27", "The domain of the sender takes no mail")  # RFC 7505 §4.2


@dataclass(frozen=True, slots=True)
class SenderDomainSettings(CheckSettings):
    """Options of the kind ``sender-domain``: what is done with a sender whose domain ..."""

    missing: Action = "refuse"  # has neither MX nor an address (RFC 5321 §5.1)
    null_mx: Action = "refuse"  # takes no mail (RFC 7505)

    def __post_init__(self) -> None:
        super(SenderDomainSettings, self).__post_init__()  # the class is made anew for its slots
        if is_too_early(self.stage, FilterStage.SENDER):
            raise ValueError("stage must be 'sender' or 'recipient'")


class SenderDomainCheck(CheckFilter):
    """Looks up the sender's domain in the DNS, unless it is null, a literal or ours."""

    def __init__(
        self, settings: SenderDomainSettings, resolver: Resolver, directory: Directory
    ) -> None:
        super().__init__(settings)
        self._settings = settings
        self._resolver = resolver
        self._directory = directory

    def subject(self, context: SmtpContext) -> Hashable:
        """Return the sender's domain."""
        domain = context.sender.domain
        return None if not domain or domain.startswith("[") else domain

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Check whether mail could be sent back."""
        domain = context.sender.domain
        if await self._directory.is_ours(domain):
            return ACCEPT
        resolver = self._resolver.asked_by(network_of(context.peer.host))
        hosts = await resolver.mail_hosts(domain)
        if len(hosts) == 1 and hosts.values[0].is_null:
            return verdict(self._settings.null_mx, f"{domain} has a null MX", NULL_MX)
        if hosts or await resolver.addresses(domain):
            return Verdict(reason=f"{domain} takes mail")
        return verdict(self._settings.missing, f"{domain} has no MX and no address", NO_DOMAIN)
