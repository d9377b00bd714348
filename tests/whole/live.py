"""The real service in this process: its reactor in a thread, its ports on loopback, its files below
a folder of the test."""

import atexit
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import pytest
from twisted.internet import threads
from twisted.internet.defer import Deferred

from twisted_mail.config import load
from twisted_mail.control.setup import certificates
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.service import MailService

T = TypeVar("T")

HOSTNAME = "mail.example.org"
ACCOUNTS = ("alice@example.org", "bob@example.org", "carol@example.net")
ALIASES = {
    "team@example.org": ["alice@example.org", "bob@example.org"],
    "postmaster@example.org": ["alice@example.org"],
}
PATIENCE = 20.0  # seconds that a client waits before a test has failed

CONFIG = """\
hostname = "mail.example.org"
state = "state"
domains = ["example.org", "example.net"]

[tls]
folder = "tls"

[passwords]
memory_mib = 1
passes = 1
lanes = 1

[threads]
one_processor = false
"""
# No server is asked for names beyond this machine, and here there is none either.
DNS = '[dns]\nservers = ["127.0.0.1:1"]\n'
LISTENERS = {
    "smtp": ("smtp", "starttls"),
    "submission": ("submission", "starttls"),
    "submissions": ("submission", "implicit"),
    "smtps": ("smtp", "implicit"),
    "lmtp": ("lmtp", "starttls"),
    "lmtps": ("lmtp", "implicit"),
    "pop3": ("pop3", "starttls"),
    "pop3s": ("pop3", "implicit"),
    "imap": ("imap", "starttls"),
    "imaps": ("imap", "implicit"),
}

_running: list[Any] = []


def the_reactor() -> Any:
    """Return the reactor, running in a thread of its own for the rest of the test process."""
    from twisted.internet import reactor

    if not _running:
        thread = threading.Thread(
            target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True
        )
        thread.start()
        _running.append(thread)
    return reactor


def in_reactor(call: Callable[[], Any]) -> Any:
    """Run a call in the reactor's thread and wait for what its Deferred brings."""
    return threads.blockingCallFromThread(the_reactor(), call)


def await_in_reactor(coroutine: Coroutine[Any, Any, T]) -> T:
    result: T = in_reactor(lambda: Deferred.fromCoroutine(coroutine))
    return result


def furnish(
    folder: Path, sections: str = "", cleartext: bool = True, tls: str = "starttls"
) -> None:
    """Write what a server begins with: its configuration, its certificates, the directory."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    certificates.make(state / "tls", HOSTNAME)
    shutil.copy(state / "tls" / certificates.AUTHORITY, folder / "ca.pem")
    listeners = "".join(
        f'[[listener]]\nservice = "{service}"\nendpoint = "tcp:0:interface=127.0.0.1"\n'
        f'tls = "{mode if mode == "implicit" else tls}"\n'
        f"cleartext_passwords = {str(cleartext).lower()}\n"
        for service, mode in LISTENERS.values()
    )
    dns = "" if "[dns]" in sections else DNS
    (folder / "mail.toml").write_text(CONFIG + dns + sections + listeners)
    shutil.copy(_directory(), state)


@cache
def _directory() -> Path:
    """Return a directory that the servers of this process begin with, each with a copy."""
    folder = Path(mkdtemp(prefix="twisted-mail-directory-"))
    atexit.register(shutil.rmtree, folder)
    path = folder / "accounts.sqlite3"
    with DirectoryEditor(path, PasswordSettings(), ("example.org", "example.net")) as register:
        register.accounts.import_lines(f"{name}:{{PLAIN}}secret" for name in ACCOUNTS)
        for name, targets in ALIASES.items():
            register.aliases.add(name, targets)
        register.domains.add("catch.example")
        register.domains.add_name("example.edu", "example.org")
        register.aliases.add("@catch.example", ["bob@example.org"])
        register.aliases.add("tickets@example.org", ["|ticket"])
        register.lists.add("news@example.org")
        register.lists.add_members("news@example.org", ["alice@example.org", "bob@example.org"])
        register.lists.set_owners("news@example.org", ["carol@example.net"])
    assert os.listdir(folder) == [path.name], "some of it is in a file of SQLite's"
    return path


class LiveServer:
    """A running server. ``ports`` are by the names in ``LISTENERS``; every password is ``secret``.

    Listeners of the folder's ``mail.toml.d`` come behind those; ``more_ports`` are theirs.
    """

    def __init__(
        self, folder: Path, sections: str = "", cleartext: bool = True, tls: str = "starttls"
    ) -> None:
        self.folder = folder
        furnish(folder, sections, cleartext, tls)
        self.start()

    def start(self) -> None:
        config = load(self.folder / "mail.toml")
        self.service: MailService = in_reactor(lambda: self._started(config))
        in_reactor(lambda: self.service.queue_start)
        addresses = [listener.address for listener in self.service.listeners.all]
        self.ports = {
            name: address.port for name, address in zip(LISTENERS, addresses, strict=False)
        }
        self.more_ports = [getattr(one, "port", 0) for one in addresses[len(LISTENERS) :]]

    def _started(self, config: Any) -> MailService:
        service = MailService(the_reactor(), config)
        service.privilegedStartService()
        service.startService()
        return service

    def stop(self) -> None:
        in_reactor(self.service.stopService)

    def put(self, account: str, mailbox: str, draft: NewMessage) -> None:
        async def append() -> None:
            holder = await self.service.parts.store.account(account)
            await holder.append(mailbox, [draft])

        await_in_reactor(append())

    def maildir(self, account: str) -> Path:
        local, _, domain = account.partition("@")
        return self.folder / "state" / "mail" / domain / local / "Maildir"

    def connect(self, name: str) -> socket.socket:
        """Return a socket to a listener, in TLS where the listener begins with it."""
        connection = socket.create_connection(("127.0.0.1", self.ports[name]), PATIENCE)
        if LISTENERS[name][1] == "implicit":
            return self.secured(connection)
        return connection

    def secured(self, connection: socket.socket) -> socket.socket:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        return context.wrap_socket(connection, server_hostname=HOSTNAME)


def needs(program: str) -> str:
    """Return the path of a Debian program; skip the test, or fail it in CI, where it is absent."""
    path = shutil.which(program)
    if path is None:
        text = f"{program} is not installed"
        if os.environ.get("TWISTED_MAIL_ALL_PROGRAMS"):
            pytest.fail(text)
        pytest.skip(text)
    return path
