"""Next hops over sockets: a listener whose other side is our client, and certificates of all sorts."""

import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet.defer import Deferred

from tests.whole.live import PATIENCE, in_reactor, the_reactor
from twisted_mail.interfaces import unreported
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.net.client.host_tls import HostTls
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.smtp.client import ClientSession, SmtpClient
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop
from twisted_mail.testing.wire import FakeBlobWriter

NAME = "mx.remote.example"
DAY = timedelta(days=1)


class Certified:
    """A certificate that signs itself, for a name, in a file with its key."""

    def __init__(
        self, folder: Path, name: str = NAME, ends: timedelta = DAY, names: int = 1
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        others = [f"n{number}.{name}" for number in range(names - 1)]
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(one) for one in (name, *others)]), False
            )
            .sign(key, hashes.SHA256())
        )
        self.authority = str(folder / "ca.pem")
        self.file = folder / "key.pem"
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        Path(self.authority).write_bytes(pem)
        self.file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + pem
        )

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


class Hop:
    """A next hop on a port of the loopback interface, and a client that sends there."""

    def __init__(self, port: int, authority: str = "") -> None:
        self.port = port
        reactor = the_reactor()
        self._blocking = ThreadBlocking(reactor, "test", 1)
        self._blocking.start()
        doors = DialogueDoors(ReactorClock(reactor), self._blocking, unreported)
        self._client = SmtpClient(HostDialer(reactor), HostTls(authority), doors, FakeBlobWriter)
        self.session: ClientSession | None = None

    def hand_on(self, supply: MessageSupply, settings: ClientSettings) -> "Handing":
        """Let the client hand messages on to this hop."""
        return Handing(self, self._run(supply, settings))

    async def _run(self, supply: MessageSupply, settings: ClientSettings) -> Attempt | None:
        found = await self._client.connect(NextHop(NAME, "127.0.0.1", self.port), settings)
        if not isinstance(found, ClientSession):
            return found
        self.session = found
        end = await found.hand_on(supply)
        found.close()
        return end

    def close(self) -> None:
        self._blocking.stop()


class Listening(Hop):
    """A next hop that a test plays: it accepts connections."""

    def __init__(self, authority: str = "") -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE)
        super().__init__(self._socket.getsockname()[1], authority)

    def accept(self) -> socket.socket:
        connection, _ = self._socket.accept()
        connection.settimeout(PATIENCE)
        return connection

    def close(self) -> None:
        self._socket.close()
        super().close()


class Handing:
    """What the client does meanwhile, in the reactor's thread."""

    def __init__(self, hop: Hop, work: Any) -> None:
        self._ended: Deferred[Attempt | None] = in_reactor(lambda: _boxed(work))[0]

    def end(self) -> Attempt | None:
        """Wait until it is over; return how the connection ended."""
        late = 2 * PATIENCE
        found: Attempt | None = in_reactor(
            lambda: self._ended.addTimeout(late, the_reactor())  # type: ignore[no-untyped-call]
        )
        return found


def _boxed(work: Any) -> list[Deferred[Any]]:
    return [Deferred.fromCoroutine(work)]


def cut(connection: socket.socket) -> None:
    """Close a connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_until(connection: socket.socket, ending: bytes) -> bytes:
    data = b""
    while not data.endswith(ending):
        more = connection.recv(65536)
        assert more, f"the client has closed after {data[-200:]!r}"
        data += more
    return data


def say(connection: socket.socket, lines: Sequence[str]) -> None:
    connection.sendall(b"".join(line.encode() + b"\r\n" for line in lines))


def hurried(settings: ClientSettings, **seconds: float) -> ClientSettings:
    """Return settings with short limits: these tests cannot move the time."""
    return replace(settings, limits=replace(settings.limits, **seconds))  # type: ignore[arg-type]
