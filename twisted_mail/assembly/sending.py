"""What sends mail on to other hosts, made and connected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted_mail.config import Config
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.delivery.onward.domain_check import MailDomainCheck
from twisted_mail.delivery.onward.mail_hosts import MailHostFinder
from twisted_mail.delivery.onward.next_hosts import NextHostFinder
from twisted_mail.delivery.onward.providers import Providers
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.delivery.remote import RemoteCarrier
from twisted_mail.interfaces import (
    BlobWriter,
    Blocking,
    Clock,
    DialogueJournal,
    DomainCheck,
    FaultReport,
    HostDemands,
    Resolver,
)
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.net.client.host_tls import HostTls
from twisted_mail.net.client.own_addresses import is_own_address
from twisted_mail.smtp.client import SmtpClient
from twisted_mail.smtp.dialogue.round_source import DialogueDoors


@dataclass(frozen=True, slots=True)
class SendingDependencies:
    """What sending works with.

    ``blocking`` is for files and for copies of messages, which are written to what ``blob_writer`` makes.
    ``demands`` knows what is demanded of hosts; ``dialogues`` keeps what was said; None where nothing of
    it is kept.
    """

    reactor: Any
    clock: Clock
    resolver: Resolver
    blocking: Blocking
    report_fault: FaultReport
    blob_writer: Callable[[], BlobWriter]
    demands: HostDemands
    dialogues: DialogueJournal | None = None


def make_next_hosts(config: Config, resolver: Resolver) -> NextHostFinder:
    """Return what finds the hosts of destinations."""
    rules = DialingRules(config.sending.allows_private, is_own_address)
    mail_hosts = MailHostFinder(resolver, rules, config.hostname)
    return NextHostFinder(config.sending, Providers(config.providers), mail_hosts, resolver)


def make_remote_carrier(config: Config, of: SendingDependencies) -> RemoteCarrier:
    """Return the carrier of mail to other hosts."""
    settings, login = config.sending, None
    if settings.relay_login:
        login = RelayLogin(config.state / settings.relay_login, of.blocking, of.report_fault)
    authorities = str(config.state / settings.authorities) if settings.authorities else ""
    doors = DialogueDoors(of.clock, of.blocking, of.report_fault, of.dialogues)
    client = SmtpClient(HostDialer(of.reactor), HostTls(authorities), doors, of.blob_writer)
    finder = make_next_hosts(config, of.resolver)
    times, demands = config.sending_timeouts, of.demands
    return RemoteCarrier(client, finder, of.clock, settings, config.hostname, login, times, demands)


def make_domain_check(config: Config, clock: Clock, resolver: Resolver) -> DomainCheck | None:
    """Return what looks at domains at RCPT; a relay may know more of them than our DNS does."""
    return None if config.sending.relay else MailDomainCheck(resolver, clock)
