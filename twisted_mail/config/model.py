"""What can be configured, apart from the protocols' own settings."""

import hashlib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from twisted_mail.delivery.onward.providers import Provider
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.settings import AddressSettings
from twisted_mail.directory import schema
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.journey.settings import JourneySettings
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import postmasters
from twisted_mail.policy.networks import Networks
from twisted_mail.queue.program import Program
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.smtp.dialogue.settings import DialogueTimes
from twisted_mail.store.settings import StoreSettings
from twisted_mail.trust.settings import OutgoingTlsSettings

MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The section ``[tls]``: the folder with ``*.pem`` files, each a key and its certificates.

    A relative path begins at the state folder.
    """

    folder: Path = Path("tls")


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """The section ``[login]``: the checkers of names and passwords, asked in this order.

    ``directory`` checks the accounts that the control command makes; for the others see
    ``twistd mailserver --help-auth`` (``twisted.cred.strcred``).
    """

    checkers: tuple[str, ...] = ("directory",)


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """The section ``[dns]``: the servers, and the seconds for one question to all of them.

    Servers are numeric addresses, with a port if it is not 53; without any, those of /etc/resolv.conf.
    """

    servers: tuple[str, ...] = ()
    timeout: float = 5.0

    def __post_init__(self) -> None:
        if self.timeout < 0.1:
            raise ValueError("timeout must be 0.1 or more")
        self.server_addresses()

    def server_addresses(self) -> tuple[tuple[str, int], ...]:
        """Return address and port of each server. Raises ValueError."""
        return tuple(_server_address(text) for text in self.servers)


def _server_address(text: str) -> tuple[str, int]:
    """Read ``192.0.2.53``, ``192.0.2.53:5353``, ``2001:db8::53`` or ``[2001:db8::53]:5353``."""
    bracketed, _, rest = text.removeprefix("[").partition("]")
    host, port = (bracketed, rest) if text.startswith("[") else (text, "")
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        port = f":{port}"
    try:
        number = int(port.removeprefix(":")) if port else 53
        if (port and not port.startswith(":")) or not 0 < number < 65536:
            raise ValueError
        return str(ipaddress.ip_address(host)), number
    except ValueError:
        raise ValueError(f"{text!r} is not an address, as in '192.0.2.53:5353'") from None


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """The section ``[threads]``: ``net.process.cpu_affinity`` says why they stay on one processor."""

    one_processor: bool = True


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The section ``[workers]``: how many further processes hold conversations; 0: none."""

    number: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.number <= MAX_WORKERS:
            raise ValueError(f"number must be 0 to {MAX_WORKERS}")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The section ``[log]``: what is logged besides messages, logins and problems, and where.

    ``file`` is the mail log, relative to the state folder; without one, all goes to twistd's log.
    """

    connections: bool = False
    file: str = ""

    def __post_init__(self) -> None:
        if "\0" in self.file:
            raise ValueError("file must be a path")


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """One ``[[listener]]``: a service on an endpoint, with its rules for TLS and passwords.

    ``endpoint`` is an endpoint string of Twisted. With ``cleartext_passwords`` passwords are accepted
    without TLS, on the loopback interface only. Connections beyond ``connections`` in all, or beyond
    ``connections_per_address`` from one address, get the reply that the server is busy; those that have
    logged in count as ``connections_per_account`` of their account and address instead. With ``proxy``
    each connection begins with the header of a proxy that names its client; ``proxies`` are the networks
    that may connect then, or this host alone if there are none.
    """

    service: str
    endpoint: str
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    cleartext_passwords: bool = False
    connections: int = 10_000
    connections_per_address: int = 100
    connections_per_account: int = 50
    proxy: bool = False
    proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = self.connections, self.connections_per_address, self.connections_per_account
        if min(limits) < 1:
            raise ValueError(
                "connections, connections_per_address and connections_per_account must be 1 or more"
            )
        Networks(self.proxies)
        if self.proxies and not self.proxy:
            raise ValueError("proxies are for listeners with proxy = true")


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """One ``[[filter]]``: a kind of filter, the services it is for, and its own settings.

    Filters are asked in the order of the configuration, about the ``services`` named (none: all). If one
    does not answer within ``seconds``, or fails, ``when_failed`` decides. The table's other options are
    those of the kind, and become ``settings``.
    """

    kind: str
    name: str = ""  # in the log and in headers; the kind, if it has no other
    services: tuple[str, ...] = ("smtp",)
    seconds: float = 10.0
    when_failed: Literal["accept", "defer", "refuse"] = "accept"
    settings: Any = None


@dataclass(frozen=True, slots=True)
class ArrivalStepConfig:
    """One ``[[arrival_step]]``: a kind of step that messages of the ``services`` go through.

    The table's other options are those of the kind, and become ``settings``.
    """

    kind: str
    services: tuple[str, ...] = ("smtp",)
    settings: Any = None


@dataclass(frozen=True, slots=True)
class CarrierConfig:
    """One ``[[carrier]]``: a kind of carrier that a plugin brings.

    The table's other options are those of the kind, and become ``settings``.
    """

    kind: str
    settings: Any = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured; paths are absolute.

    ``domains`` are ours in addition to those in the directory; ``services`` has the settings of every
    installed protocol by its name.
    """

    path: Path
    hostname: str
    state: Path
    domains: tuple[str, ...] = ()
    tls: TlsSettings = field(default_factory=TlsSettings)
    listeners: tuple[ListenerConfig, ...] = ()
    login: LoginSettings = field(default_factory=LoginSettings)
    passwords: PasswordSettings = field(default_factory=PasswordSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    services: Mapping[str, object] = field(default_factory=dict)
    filters: tuple[FilterConfig, ...] = ()
    arrival_steps: tuple[ArrivalStepConfig, ...] = ()
    carriers: tuple[CarrierConfig, ...] = ()
    dns: DnsSettings = field(default_factory=DnsSettings)
    log: LogSettings = field(default_factory=LogSettings)
    threads: ThreadSettings = field(default_factory=ThreadSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    addresses: AddressSettings = field(default_factory=AddressSettings)
    lists: ListSettings = field(default_factory=ListSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    reports: ReportSettings = field(default_factory=ReportSettings)
    programs: tuple[Program, ...] = ()
    sending: SendingSettings = field(default_factory=SendingSettings)
    sending_timeouts: DialogueTimes = field(default_factory=DialogueTimes)
    outgoing_tls: OutgoingTlsSettings = field(default_factory=OutgoingTlsSettings)
    journey: JourneySettings = field(default_factory=JourneySettings)
    providers: tuple[Provider, ...] = ()

    @property
    def accounts_file(self) -> Path:
        """Return the path of the directory's database."""
        return self.state / schema.FILE

    @property
    def mail_folder(self) -> Path:
        """Return the folder below which all accounts lie."""
        return self.state / "mail"

    @property
    def queue_folder(self) -> Path:
        """Return the folder of mail that waits to be handed on."""
        return self.state / "queue"

    @property
    def journey_folder(self) -> Path:
        """Return the folder of what happened to messages."""
        return self.state / "journey"

    @property
    def spool_folder(self) -> Path:
        """Return the folder of messages on their way in."""
        return self.state / "tmp"

    @property
    def postmasters(self) -> tuple[Address, ...]:
        """Return who is asked in turn for the postmaster of a domain that has none."""
        return postmasters(self.addresses.postmaster, self.hostname, self.domains)

    @property
    def report_templates(self) -> str:
        """Return the folder of the operator's own texts of reports, or an empty text."""
        name = self.reports.templates
        return str(Path(self.path.parent, Path(name).expanduser())) if name else ""

    @property
    def control_socket(self) -> Path:
        """Return the path of the socket at which the server of this configuration takes requests.

        Servers of several configurations can share a state folder.
        """
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.path))).hexdigest()[:12]
        return self.state / f"control-{digest}.sock"
