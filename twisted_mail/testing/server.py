"""A whole mail server in memory, as a fixture: SMTP, submission, LMTP, POP3 and IMAP.

    with MailServer({"alice@example.org": "secret"}) as server:
        smtplib.SMTP(*server.address("smtp")).sendmail(...)
        [message] = server.messages

Everything that the real server does with a conversation, it does. Nothing is written to disk, no port is
opened unless ``address`` is asked for, and time stands still until ``advance`` moves it; once a port is
open, time runs by itself besides.
"""

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.address import Address, canonical_name, parse
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.net.connection.conversation import Conversation, MakeSession
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.plugin import ServerBackend, protocols
from twisted_mail.plugins import protocols as builtin
from twisted_mail.policy.filter_chain import FilterChain
from twisted_mail.store.memory.account import MemoryAccount, MemoryStore
from twisted_mail.testing.backend import (
    MemoryParts,
    OpenRouter,
    OpenThrottle,
    RecordingQueue,
    connect_parts,
)
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.connection import MemoryConnection, MemoryEndpoint
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.faults import Fault, FaultPlan
from twisted_mail.testing.faulty_wire import with_faults
from twisted_mail.testing.network import Network, Security
from twisted_mail.testing.received import ReceivedMessage, ReceivedMessages
from twisted_mail.testing.recorded_log import ServerJournal
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.testing.values import (
    Content,
    StoredMessage,
    octets,
    stored_messages,
)

ACCOUNTS = {"alice@example.org": "secret", "bob@example.org": "secret"}
_NO_FILES: Any = object()  # certificates where TLS is a name


class MailServer:
    """A mail server in memory. Usable with ``with``, or until ``close``.

    ``accounts`` are addresses with their passwords, ``aliases`` addresses with where they lead,
    ``messages`` what is in inboxes beforehand, by account. ``settings`` are those of the configuration
    file, by service: ``{"smtp": {"max_size": 1000}}``. Mail for addresses at other domains is taken as
    well, kept in ``messages`` alone, and goes nowhere; not so with ``takes_foreign_mail=False``.
    """

    def __init__(
        self,
        accounts: Mapping[str, str] = ACCOUNTS,
        *,
        aliases: Mapping[str, Iterable[str]] | None = None,
        messages: Mapping[str, Iterable[Content]] | None = None,
        faults: Iterable[Fault] = (),
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        hostname: str = "mail.example.org",
        takes_foreign_mail: bool = True,
        takes_cleartext_passwords: bool = True,
    ) -> None:
        self._passwords = {_account_name(name): password for name, password in accounts.items()}
        self._settings = settings or {}
        self._takes_passwords = takes_cleartext_passwords
        self._time = ServerTime()
        self._clock = ServerClock(self._time)
        self._journal = ServerJournal()
        self._plan = FaultPlan(faults)
        self._network = Network(self._time, hostname)
        self._received = ReceivedMessages()
        self._made: dict[str, MakeSession] = {}  # by service
        self._store = MemoryStore(self._clock, ItemRenderer())
        targets = {name: _addresses(each) for name, each in (aliases or {}).items()}
        self._backend = self._make_backend(hostname, targets, takes_foreign_mail)
        for account, contents in (messages or {}).items():
            for content in contents:
                self.put(account, content)

    def _make_backend(
        self, hostname: str, aliases: Mapping[str, list[Address]], takes_foreign_mail: bool
    ) -> ServerBackend:
        directory = FixedDirectory(self._passwords, aliases)
        local = LocalRouter(directory, hostname)
        router = OpenRouter(local) if takes_foreign_mail else local
        delivery = DeliveryBackend(router, self._store, self._journal, self._clock)
        queue = RecordingQueue(delivery, self._plan, self._received.add)
        return connect_parts(
            MemoryParts(
                hostname=hostname,
                default_domain=_first_domain(self._passwords, hostname),
                clock=self._clock,
                journal=self._journal,
                directory=directory,
                store=self._store,
                router=router,
                queue=queue,
                delivery=queue,
                throttle=OpenThrottle(),
                policy=FilterChain(self._clock, self._journal),
                resolver=FakeResolver(),
            )
        )

    # ------------------------------------------------------------ life

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if error is None and self.bugs:
            raise RuntimeError(f"the mail server failed:\n{self.bugs[0]}")

    def close(self) -> None:
        """Close every connection and port, and end the thread, if there is one."""
        self._network.close()

    @property
    def events(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return what the server would have logged: names and arguments of ``interfaces.Journal``."""
        return list(self._journal.events)

    @property
    def bugs(self) -> list[str]:
        """Return the traceback of each failure of the server itself."""
        return [arguments[1] for arguments in self._journal.of("failed")]

    # ------------------------------------------------------------ connections

    def address(self, service: str, tls: Security = "none") -> tuple[str, int]:
        """Return host and port where a service listens, on a free port that is opened if need be.

        The service is ``smtp``, ``submission``, ``lmtp``, ``pop3`` or ``imap``; ``tls`` chooses no TLS,
        STARTTLS, or TLS from the first octet. From now on, time runs by itself.
        """
        return self._network.listen(
            (service, tls), lambda certificates: self._conversation(service, tls, certificates)
        )

    def client_context(self) -> ssl.SSLContext:
        """Return what a client needs to trust the server's certificate, which is for 127.0.0.1."""
        return self._network.client_context()

    def connect(self, service: str, tls: Security = "none") -> MemoryConnection:
        """Connect in memory, without a port; what is sent and received are lines. TLS is a name."""
        return self._network.connect(lambda: self._conversation(service, tls, _NO_FILES))

    def endpoint(self, service: str) -> MemoryEndpoint:
        """Return where clients of Twisted connect, in memory and without a running reactor.

        What they and the server write is carried by ``settle``.
        Raises RuntimeError after ``address``: then the server has a thread, which is not the client's.
        """
        return self._network.endpoint(lambda: self._conversation(service, "none", None))

    def _conversation(self, service: str, tls: Security, certificates: Any) -> Conversation:
        terms = ListenerSecurity(
            certificates=None if tls == "none" else certificates,
            is_implicit=tls == "implicit",
            takes_cleartext_passwords=self._takes_passwords,
        )
        faulty = with_faults(self._protocol(service), self._plan, service, self._clock)
        return Conversation(self._time, faulty, terms, self._journal)

    def _protocol(self, service: str) -> MakeSession:
        """Return what makes the sessions of a service; it is made once, as for a listener."""
        if service not in self._made:
            plugin = _plugin(service)
            settings = plugin.settings(**self._settings.get(service, {}))
            self._made[service] = plugin.make(settings, self._backend)
        return self._made[service]

    # ------------------------------------------------------------ time and faults

    def settle(self) -> None:
        """Carry what server and clients of Twisted in memory have written, until nothing more is."""
        self._network.run(self._network.settle)

    def advance(self, seconds: float) -> None:
        """Move time on, and ``settle``."""
        self._network.advance(seconds)

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._network.run(lambda: self._plan.add(fault))

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._network.run(self._plan.clear)

    # ------------------------------------------------------------ mail

    def add_account(self, account: str, password: str) -> None:
        """Add an account, or give it another password. Raises ValueError for what is no address."""
        self._passwords[_account_name(account)] = password

    @property
    def messages(self) -> list[ReceivedMessage]:
        """Return the messages that were taken in, the first one first."""
        return self._received.all()

    def wait_for_messages(self, count: int = 1, timeout: float = 5.0) -> list[ReceivedMessage]:
        """Return the messages once ``count`` came. Raises TimeoutError.

        For what sends in another thread or process; ``timeout`` is in seconds of real time.
        """
        return self._received.wait(count, timeout)

    def put(
        self,
        account: str,
        content: Content,
        mailbox: str = "INBOX",
        flags: Iterable[str] = (),
        date: datetime | None = None,
    ) -> None:
        r"""Put a message into a mailbox that is there, with flags as IMAP writes them (``\Seen``)."""
        draft = NewMessage(Message(MemoryBlob(octets(content))), flag.normal(flags), date)
        self._network.run(lambda: finish(self._account(account).append(mailbox, [draft])))

    def mailbox(self, account: str, name: str = "INBOX") -> list[StoredMessage]:
        """Return the messages of a mailbox, in the order of their UIDs."""
        return self._network.run(lambda: stored_messages(self._account(account), name))

    def create_mailbox(self, account: str, name: str) -> None:
        """Make a mailbox, and the levels above it."""
        self._network.run(lambda: finish(self._account(account).create(name)))

    def _account(self, account: str) -> MemoryAccount:
        name = canonical_name(account)
        if name not in self._passwords:
            raise LookupError(f"there is no account {account!r}")
        return finish(self._store.account(name))


def _plugin(service: str) -> Any:
    """Return the protocol of a service; ours without a search for plugins, which takes a while."""
    found = getattr(builtin, f"{service}_protocol", None)
    return protocols()[service] if found is None else found


def _account_name(text: str) -> str:
    """Return the name of the account with this address. Raises ValueError for what is none."""
    return parse(text).key


def _addresses(texts: Iterable[str]) -> list[Address]:
    return [parse(text) for text in texts]


def _first_domain(accounts: Iterable[str], hostname: str) -> str:
    """Return the domain that completes bare user names."""
    return next((name.partition("@")[2] for name in accounts), hostname)
