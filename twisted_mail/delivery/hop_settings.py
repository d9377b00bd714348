"""How a next hop is spoken to: the host, its address and port, and what the client needs to know."""

from twisted_mail.delivery.onward.attempts import place_of
from twisted_mail.delivery.onward.dial_order import Place
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.trust import ANY_HOST, Demand, TlsLevel, Whence
from twisted_mail.net.client.own_addresses import is_own_address
from twisted_mail.smtp.dialogue.settings import (
    ClientSettings,
    DialogueTimes,
    NextHop,
    within_times,
)


class HopSettings:
    """Makes what the client of SMTP needs to know of a next hop."""

    def __init__(
        self,
        settings: SendingSettings,
        hostname: str,
        login: RelayLogin | None,
        times: DialogueTimes,
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._login = login
        self._times = times

    def hop(self, hosts: NextHosts, place: Place, last: Attempt | None = None) -> NextHop:
        """Return a host as it is dialled; ``last`` is the attempt that is repeated there, if any."""
        port = self._settings.port if hosts.relay is None else hosts.relay.port
        is_same = last is not None and place_of(last) == place and is_own_address(last.source)
        return NextHop(place[0], place[1], port, last.source if last and is_same else "")

    def demand(self, hosts: NextHosts, place: Place) -> Demand:
        """Return what is demanded of a host that is dialled."""
        if hosts.relay is None:
            return hosts.demand(place[0]) or ANY_HOST
        return Demand(TlsLevel(self._settings.relay_tls), Whence.RELAY, (hosts.relay.host,))

    async def settings(self, hosts: NextHosts) -> ClientSettings:
        """Return how to speak to hosts; the demand is each host's own. Raises Unavailable."""
        of = self._settings
        limits = within_times(self._times, of.recipients, hosts.messages, of.age, of.idle)
        if hosts.relay is None:
            return ClientSettings(
                self._hostname, sends_signed_8bit=of.sends_signed_8bit, limits=limits
            )
        return ClientSettings(
            self._hostname,
            is_tls_implicit=hosts.relay.has_implicit_tls,
            login=await self._login.read() if self._login else None,
            trusts_unproven=of.relay_tls != "verify",
            sends_signed_8bit=of.sends_signed_8bit,
            limits=limits,
        )
