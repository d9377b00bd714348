"""How a next hop is spoken to: by whom, its address and port, and what the client needs to know."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from twisted_mail.delivery.onward.attempts import place_of
from twisted_mail.delivery.onward.dial_order import Place
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.trust import ANY_HOST, Demand, PassedOver, Proof
from twisted_mail.net.client.own_addresses import is_own_address
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.settings import (
    ClientSettings,
    DialogueTimes,
    NextHop,
    within_times,
)
from twisted_mail.trust.demand import for_sender


class MailSession(Protocol):
    """A connection to a host that is ready for mail."""

    @property
    def proof(self) -> Proof:
        """Return what the host has proven."""

    async def hand_on(self, work: MessageSupply) -> Attempt | None:
        """Hand on what there is; return why the connection has ended, or None."""

    def close(self) -> None:
        """Say QUIT, and close soon; harmless when repeated."""


class MailClient(Protocol):
    """What opens connections: ``smtp.client.SmtpClient``."""

    async def connect(
        self, hop: NextHop, settings: ClientSettings, on_gone: Callable[[], None]
    ) -> MailSession | Attempt:
        """Return a connection that is ready for mail, or why there is none.

        ``on_gone`` is called when nothing is left at the host of what was opened for it.
        """


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
        return hosts.demand(place[0]) or ANY_HOST

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


def requires_tls(transaction: Transaction) -> bool:
    """Return whether mail goes to nobody who has not proven his name (RFC 8689 §4.2.1).

    A report does: that it is lost would be worse (RFC 8689 §5).
    """
    return transaction.job.mail_parameters.requires_tls and not transaction.sender.is_null


def hosts_for(hosts: NextHosts, transaction: Transaction) -> NextHosts:
    """Return the hosts of a destination as they are for one message."""
    if transaction.job.is_tls_optional:
        return hosts.waived()
    if not requires_tls(transaction):
        return hosts
    demands: dict[str, Demand | PassedOver] = dict(hosts.demands)
    for one in hosts.open_hosts:
        demands[one.name] = for_sender(one.name, hosts.demand(one.name) or ANY_HOST)
    return replace(hosts, demands=demands)
