"""What accepts connections: the factories of conversations, their limits, and the certificates."""

from pathlib import Path
from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config, ListenerConfig
from twisted_mail.interfaces import Journal
from twisted_mail.net.server.connection_limit import connection_limit_for, raise_descriptor_limit
from twisted_mail.net.server.fair_share import FairShare
from twisted_mail.net.server.listening import ConversationFactory, StoppableFactory
from twisted_mail.net.server.proxied import ProxiedFactory
from twisted_mail.net.server.security import ListenerSecurity
from twisted_mail.net.server.tls import Certificates
from twisted_mail.plugin import ServerBackend, protocols
from twisted_mail.workers.shared import SharedServices

log = Logger(namespace="twisted_mail")


class ListenerAssembly:
    """Makes the factory of each listener. ``certificates`` and ``connection_limit`` are for all."""

    def __init__(
        self,
        reactor: Any,
        config: Config,
        shared: SharedServices,
        backend: ServerBackend,
        journal: Journal,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._shared = shared
        self._backend = backend
        self._journal = journal
        self._fair_share = FairShare(reactor)
        self.certificates = Certificates(config.tls.folder, config.hostname)
        self.connection_limit = connection_limit_for(raise_descriptor_limit())

    def make_factory(self, number: int) -> StoppableFactory:
        """Return what begins the conversations of a listener, by its number in the configuration."""
        listener = self._config.listeners[number]
        plugin: Any = protocols()[listener.service]
        conversations = ConversationFactory(
            self._reactor,
            plugin.make(self._config.services[listener.service], self._backend),
            self._security(listener),
            self._journal,
            plugin.busy,
            listener.connections,
            listener.connections_per_address,
            self._fair_share,
            self.connection_limit,
            self._shared.connection_counter(number),
        )
        if listener.proxy:
            return ProxiedFactory(self._reactor, conversations, listener.proxies, self._journal)
        return conversations

    def _security(self, listener: ListenerConfig) -> ListenerSecurity:
        certificates = None if listener.tls == "none" else self.certificates
        return ListenerSecurity(
            certificates, listener.tls == "implicit", listener.cleartext_passwords
        )

    def read_certificates(self) -> None:
        """Read new certificates. Blocks a little."""
        if self.certificates.scan(_warn_of_certificate):
            log.info("certificates read from {folder}", folder=str(self._config.tls.folder))


def _warn_of_certificate(path: Path, text: str) -> None:
    log.warn("{path} is not used: {text}", path=str(path), text=text)
