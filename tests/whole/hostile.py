"""Clients that mean harm, and one that does not."""

import os
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.whole.live import CONFIG, PATIENCE, LiveServer, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

MIB = 1024 * 1024


class Raw:
    """A connection over which anything can be sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self._received = b""
        self.is_over = False  # the server has closed

    def send(self, data: bytes) -> None:
        """Send all of the data, as far as the server lets us."""
        with suppress(ConnectionError, ssl.SSLError):  # what the server said can still be read
            self.socket.sendall(data)

    def line(self) -> bytes:
        """Return the next line without its end; empty when the server has closed."""
        while b"\r\n" not in self._received:
            if not self._more():
                line, self._received = self._received, b""
                return line
        line, _, self._received = self._received.partition(b"\r\n")
        return line

    def ask(self, command: bytes) -> bytes:
        """Send a line and return the next one."""
        self.send(command + b"\r\n")
        return self.line()

    def until(self, start: bytes) -> list[bytes]:
        """Return lines up to the first that begins so, or up to the end."""
        lines = [self.line()]
        while not self.is_over and not lines[-1].startswith(start):
            lines.append(self.line())
        return lines

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        while self._more():
            pass
        rest, self._received = self._received, b""
        return rest

    def finish(self) -> bytes:
        """Say that nothing more will come, and return everything that does."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        return self.rest()

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        self._received += data
        self.is_over = not data
        return bool(data)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def raw(server: LiveServer, name: str) -> Raw:
    """Connect, and take the greeting."""
    client = Raw(server.connect(name))
    assert client.line().startswith((b"220 ", b"+OK", b"* OK")), name
    return client


def plain(port: int) -> Raw:
    """Connect without TLS, whatever the port is for."""
    return Raw(socket.create_connection(("127.0.0.1", port), PATIENCE))


def logged_in(client: Raw, account: bytes = b"bob@example.org") -> Raw:
    """Log an IMAP client in."""
    assert client.ask(b"l LOGIN %b secret" % account).startswith(b"l OK")
    return client


def selected(client: Raw, account: bytes = b"bob@example.org") -> Raw:
    """Log an IMAP client in and select INBOX."""
    logged_in(client, account).send(b"s SELECT INBOX\r\n")
    assert client.until(b"s ")[-1].startswith(b"s OK")
    return client


def answer_to_dribble(client: Raw, seconds: float, octets: int) -> bytes:
    """Send one octet after the other, slowly; return the first line of an answer, or nothing."""
    client.socket.settimeout(seconds)
    for _ in range(octets):
        client.send(b"x")
        try:
            return client.line()
        except TimeoutError:
            continue
    return b""


def inbox(server: LiveServer, account: str = "bob@example.org") -> list[str]:
    """Return the subjects, or nothing for those without, of the messages that lie in the maildir."""
    while True:
        with suppress(FileNotFoundError):  # the server gave a file another name meanwhile
            return list(_subjects(server.maildir(account)).values())


def _subjects(maildir: Path) -> dict[str, str]:
    found = {}  # by base: a file that moves from new to cur is listed twice
    for place in ("new", "cur"):
        for file in sorted((maildir / place).glob("*")):
            head = file.read_bytes().partition(b"\r\n\r\n")[0]
            subject = head.partition(b"Subject: ")[2].partition(b"\r\n")[0]
            found[file.name.partition(":")[0]] = subject.decode("latin-1")
    return found


def good_client_is_served(server: LiveServer) -> None:
    """See to it that each protocol still answers."""
    for name, command, answer in (
        ("smtp", b"NOOP", b"250"),
        ("pop3", b"CAPA", b"+OK"),
        ("imap", b"a NOOP", b"a OK"),
    ):
        with raw(server, name) as client:
            assert client.ask(command).startswith(answer)


class ObservedServer:
    """The server in a process of its own: its memory can be seen, and how quickly it answers others.

    ``ports`` are by service: smtp, pop3, imap, and imaps for TLS from the start.
    """

    def __init__(self, folder: Path, settings: str = "", listener: str = "") -> None:
        furnish(folder)
        self.folder = folder
        self.ports = {name: free_port() for name in ("smtp", "pop3", "imap", "imaps")}
        listeners = "".join(
            f'[[listener]]\nservice = "{name.removesuffix("s")}"\ncleartext_passwords = true\n'
            f'endpoint = "tcp:{port}:interface=127.0.0.1:backlog=1000"\n{listener}'
            f'tls = "{"implicit" if name == "imaps" else "starttls"}"\n'
            for name, port in self.ports.items()
        ).replace('service = "imaps"', 'service = "imap"')
        (folder / "mail.toml").write_text(CONFIG + settings + listeners)
        self.log = folder / "log"
        self.process = ServerProcess(folder / "mail.toml", self.log)
        self.pid = self.process._process.pid

    def connect(self, name: str) -> Raw:
        """Connect and take the greeting."""
        client = Raw(socket.create_connection(("127.0.0.1", self.ports[name]), PATIENCE))
        if name == "imaps":
            context = ssl._create_unverified_context()
            client.socket = context.wrap_socket(client.socket)
        assert client.line()
        return client

    def memory(self) -> int:
        """Return the resident octets."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def share(self) -> int:
        """Return the octets that it has for itself, with its share of what others use too."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no Pss")

    def cpu(self) -> float:
        """Return the seconds of processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def bugs(self) -> str:
        """Return what the log says of bugs."""
        text = self.log.read_text(errors="replace")
        at = text.find("this is a bug")
        at = at if at >= 0 else text.find("Unhandled")
        return text[max(0, at - 200) : at + 3000] if at >= 0 else ""

    def stop(self) -> None:
        assert self.process.stop()


class Metronome:
    """A good client that asks for nothing, again and again; ``worst`` is its longest wait in seconds."""

    def __init__(self, server: ObservedServer) -> None:
        self.count, self.worst = 0, 0.0
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("metronome.py")),
                str(server.ports["imap"]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> "Metronome":
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        count, worst = self._process.communicate(timeout=60)[0].split()
        self.count, self.worst = int(count), float(worst)


@contextmanager
def many_descriptors(number: int) -> Iterator[None]:
    """Allow this process and its children so many open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, number), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def eventually(is_so: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so that no socket tells."""
    import select

    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.01)
    return True
