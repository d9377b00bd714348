"""What accepts connections: the factories of conversations, their limits, and the certificates."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config, ListenerConfig
from twisted_mail.net.connection.fair_share import FairShare
from twisted_mail.net.connection.held_input import input_budget
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.connection.tls import Certificates
from twisted_mail.net.server.connection_count import ConnectionCounter
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.net.server.listening import ConversationFactory, StoppableFactory
from twisted_mail.net.server.proxied import ProxiedFactory
from twisted_mail.plugin import ServerBackend, protocols
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.workers.shared_services import SharedServices

log = Logger(namespace="twisted_mail")


@dataclass(frozen=True, slots=True)
class ListenerDependencies:
    """What all listeners share, whatever the configuration.

    ``certificates`` has the folders that were read so far, ``counters`` the counts of connections by the
    numbers of listeners (``net.server.listener``).
    """

    reactor: Any
    shared: SharedServices
    fair_share: FairShare
    connection_limit: ConnectionLimit
    input_budget: Budget = field(default_factory=input_budget)
    certificates: dict[Path, Certificates] = field(default_factory=dict)
    counters: dict[int, ConnectionCounter] = field(default_factory=dict)

    def counter(self, number: int) -> ConnectionCounter:
        """Return the counts of a listener's connections."""
        if number not in self.counters:
            self.counters[number] = self.shared.connection_counter(number)
        return self.counters[number]


class ListenerAssembly:
    """Makes the factories of conversations. ``certificates`` are for all listeners."""

    def __init__(self, config: Config, backend: ServerBackend, of: ListenerDependencies) -> None:
        self._config = config
        self._backend = backend
        self._of = of
        folder = config.tls.folder
        self.certificates = of.certificates.setdefault(
            folder, Certificates(folder, config.hostname)
        )

    @property
    def lacks_certificate(self) -> bool:
        """Return whether listeners want TLS, and no certificate can be used."""
        is_wanted = any(listener.tls != "none" for listener in self._config.listeners)
        return is_wanted and not self.certificates.is_ready

    def make_factory(self, listener: ListenerConfig, number: int) -> StoppableFactory:
        """Return what begins the conversations of a listener, which counts under ``number``."""
        plugin: Any = protocols()[listener.service]
        conversations = ConversationFactory(
            self._of.reactor,
            plugin.make(self._config.services[listener.service], self._backend),
            self._security(listener),
            self._backend.journal,
            plugin.busy,
            listener.connections,
            listener.connections_per_address,
            self._of.fair_share,
            self._of.connection_limit,
            self._of.counter(number),
            listener.connections_per_account,
            self._of.input_budget,
        )
        if listener.proxy:
            return ProxiedFactory(
                self._of.reactor, conversations, listener.proxies, self._backend.journal
            )
        return conversations

    def _security(self, listener: ListenerConfig) -> ListenerSecurity:
        certificates = None if listener.tls == "none" else self.certificates
        return ListenerSecurity(
            certificates, listener.tls == "implicit", listener.cleartext_passwords
        )

    def read_certificates(self) -> bool:
        """Read new certificates; return whether there were any. Blocks a little."""
        is_new = self.certificates.scan(_warn_of_certificate)
        if is_new:
            log.info("certificates read from {folder}", folder=str(self._config.tls.folder))
        return is_new


def _warn_of_certificate(path: Path, text: str) -> None:
    log.warn("{path} is not used: {text}", path=str(path), text=text)
