"""Whether mail for a domain can be sent at all: asked while the sender still writes."""

from twisted_mail.delivery.onward.mail_hosts import (
    NO_DOMAIN,
    NO_MAIL_THERE,
    NULL_MX,
    is_host_name,
    is_null_mx,
)
from twisted_mail.interfaces import Clock, Resolver
from twisted_mail.mail.outcome import Outcome, Unavailable

SECONDS = 3.0  # that the answer may take; a mail program waits for it


class MailDomainCheck:
    """Fulfils ``interfaces.DomainCheck`` by the DNS: a typo is answered at once, and not days later."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver = resolver
        self._clock = clock

    async def refusal(self, domain: str, asker: str) -> Outcome | None:
        """Return why mail for a domain can never be sent, or None, also where the DNS is slow."""
        if domain.startswith("["):
            return None
        if not is_host_name(domain):
            return NO_DOMAIN
        try:
            return await self._clock.within(SECONDS, self._look_up(domain, asker))
        except (Unavailable, TimeoutError):
            return None

    async def _look_up(self, domain: str, asker: str) -> Outcome | None:
        resolver = self._resolver.asked_by(asker)
        records = await resolver.mail_hosts(domain)
        if not records.exists:
            return NO_DOMAIN
        if is_null_mx(records):
            return NULL_MX
        if records or await resolver.addresses(domain):
            return None
        return NO_MAIL_THERE
