"""The way of one operation through the code: files entered, and moves between files.

``python -m bench.trips`` prints a line for each operation, ``python -m bench.trips FETCH 1 ENVELOPE`` one
whole way besides. The server runs in this process, the client in a thread; every entry of a function of
``twisted_mail`` is recorded. A move is an entry in another file than the last one in the same thread.
"""

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.threads import deferToThread

import twisted_mail
from twisted_mail.config import load
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.service import MailService

reactor: Any = installed_reactor
PACKAGE = str(Path(twisted_mail.__file__).parent) + "/"
USER = "alice@example.org"
TRIES = 5  # the shortest counts: work in the background is not in it
CONFIG = """\
hostname = "mail.example.org"
domains = ["example.org"]
state = "state"
[passwords]
memory_mib = 1
passes = 1
lanes = 1
"""
LISTENER = """\
[[listener]]
service = "{}"
endpoint = "tcp:{}:interface=127.0.0.1"
tls = "none"
cleartext_passwords = {}
"""
MAIL = b"From: x@client.example\r\nTo: alice@example.org\r\nSubject: hello\r\n\r\nhello\r\n.\r\n"

Way = list[tuple[int, str, str]]
Operation = tuple[str, list[Callable[[], object]], Callable[[], object]]  # name, before, it


class Recorder:
    """Records entries of functions while it is on."""

    def __init__(self) -> None:
        self.is_on = False
        self.way: Way = []

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if self.is_on and event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            file = frame.f_code.co_filename.removeprefix(PACKAGE)
            self.way.append((threading.get_ident(), file, frame.f_code.co_qualname))

    def record(self, operation: Callable[[], object]) -> Way:
        """Return the way of one operation."""
        time.sleep(0.3)  # what the last one left behind is done by then
        self.way = []
        self.is_on = True
        operation()
        time.sleep(0.02)
        self.is_on = False
        return self.way


def moves(way: Way) -> int:
    """Return how often a way goes from one file to another."""
    last: dict[int, str] = {}
    count = 0
    for thread, file, _ in way:
        count += last.get(thread, file) != file
        last[thread] = file
    return count


class Client:
    """A connection that asks one thing at a time."""

    def __init__(self, port: int, is_last: Callable[[bytes], bool]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self._is_last = is_last
        self.file.readline()

    def ask(self, data: bytes, wanted: bytes) -> None:
        """Send something, and read the whole reply."""
        self.socket.sendall(data)
        line = self.file.readline()
        while not self._is_last(line):
            line = self.file.readline()
        assert line.startswith(wanted), line


def smtp(port: int) -> Client:
    client = Client(port, lambda line: line[3:4] == b" ")
    client.ask(b"EHLO client.example\r\n", b"250")
    return client


def imap(port: int) -> Client:
    return Client(port, lambda line: line.startswith(b"t "))


def sending(port: int) -> Iterator[Operation]:
    """Yield the steps of sending one message."""
    sender = Client(port, lambda line: line[3:4] == b" ")
    sender.ask(b"EHLO client.example\r\n", b"250")
    reset = partial(sender.ask, b"RSET\r\n", b"250")
    mail = partial(sender.ask, b"MAIL FROM:<x@client.example>\r\n", b"250")
    rcpt = partial(sender.ask, f"RCPT TO:<{USER}>\r\n".encode(), b"250")
    yield "MAIL", [reset], mail
    yield "RCPT", [reset, mail], rcpt
    send = (partial(sender.ask, b"DATA\r\n", b"354"), partial(sender.ask, MAIL, b"250"))
    yield "DATA", [reset, mail, rcpt], lambda: [one() for one in send]


def reading(port: int) -> Iterator[Operation]:
    """Yield a login, and commands on an open mailbox."""
    clients: list[Client] = []
    connect = lambda: clients.append(Client(port, lambda line: line.startswith(b"t ")))  # noqa: E731

    def ask(command: str) -> None:
        clients[-1].ask(f"t {command}\r\n".encode(), b"t OK")

    login = partial(ask, f"LOGIN {USER} secret")
    yield "LOGIN", [connect], login
    for command in ("SELECT INBOX", "FETCH 1:2 FLAGS", "FETCH 1 ENVELOPE", "NOOP"):
        yield command, [], partial(ask, command)


def measure(recorder: Recorder, ports: dict[str, int], chosen: str) -> None:
    """Print the ways."""
    for name, before, operation in (*sending(ports["smtp"]), *reading(ports["imap"])):
        ways = []
        for _ in range(TRIES):
            for step in before:
                step()
            ways.append(recorder.record(operation))
        way = min(ways, key=moves)
        print(f"{name:17} {len({file for _, file, _ in way}):3} files {moves(way):4} moves")
        if name == chosen:
            print(*(f"    {file:44} {function}" for _, file, function in way), sep="\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def make(folder: Path, ports: dict[str, int]) -> MailService:
    """Return a server with one account."""
    listeners = [
        LISTENER.format(name, port, "false" if name == "smtp" else "true")
        for name, port in ports.items()
    ]
    (folder / "mail.toml").write_text(CONFIG + "".join(listeners))
    (folder / "state").mkdir(mode=0o700)
    config = load(folder / "mail.toml")
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as editor:
        editor.accounts.import_lines([f"{USER}:{{PLAIN}}secret"])
    return MailService(reactor, config)


def main() -> None:
    recorder = Recorder()
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    ports = {"smtp": free_port(), "imap": free_port()}
    with tempfile.TemporaryDirectory() as folder:
        service = make(Path(folder), ports)
        service.privilegedStartService()
        service.startService()
        reactor.callWhenRunning(
            lambda: (
                deferToThread(measure, recorder, ports, " ".join(sys.argv[1:]))
                .addErrback(lambda failure: print(failure.getTraceback()))
                .addBoth(lambda _: reactor.stop())
            )
        )
        reactor.run()


if __name__ == "__main__":
    main()
