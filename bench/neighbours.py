"""What busy accounts cost everybody else: ``python -m bench.neighbours``.

For 1, 4, 8 and 16 accounts that send one command after the other without a pause, each on a mailbox of
8,192 messages, it prints how long an innocent user waits: for a NOOP, a delivery (from MAIL to the 250),
a login (from connecting to the OK), and the body of one message. The server is a process, the busy
clients are another, and the innocent one a third. ``--busy`` chooses what they do.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from bench.opening import build
from bench.serve import make
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

MESSAGES = 8192
INNOCENT_MESSAGES = 50
PAUSE = 0.02  # seconds between two things that the innocent user does
BUSY = {
    "store": (r"STORE 1:* +FLAGS (\Flagged)", r"STORE 1:* -FLAGS (\Flagged)"),
    "silent": (r"STORE 1:* +FLAGS.SILENT (\Flagged)", r"STORE 1:* -FLAGS.SILENT (\Flagged)"),
    "flags": ("FETCH 1:* (FLAGS)",),
    "envelope": ("FETCH 1:* (UID ENVELOPE)",),
    "bodies": ("FETCH 1:* BODY.PEEK[]",),
    "sections": ("FETCH 1:* (BODY.PEEK[1] BODY.PEEK[HEADER.FIELDS (SUBJECT)])",),
    "search": ("SEARCH BODY stuttering", "SEARCH SUBJECT nothing", "SEARCH NOT SEEN LARGER 100"),
    "copy": (
        "COPY 1:* Trash",
        "SELECT Trash",
        r"STORE 1:* +FLAGS.SILENT (\Deleted)",
        "EXPUNGE",
        "SELECT INBOX",
    ),
    "move": ("MOVE 1:* Trash", "SELECT Trash", "MOVE 1:* INBOX", "SELECT INBOX"),
    "select": ("SELECT INBOX", "UNSELECT"),
}
Wait = tuple[str, Callable[[], None]]


class Client:
    """A connection that asks one thing at a time."""

    def __init__(self, port: int, is_last: Callable[[bytes], bool]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self._is_last = is_last
        self.file.readline()

    def ask(self, command: str) -> None:
        """Send a line and read the whole answer. Raises ValueError if it is none that was hoped for."""
        self.socket.sendall(command.encode() + b"\r\n")
        while not self._is_last(line := self.file.readline()):
            if not line:
                raise ValueError("the server has closed")
        if not line.startswith((b"t OK", b"2", b"3")):
            raise ValueError(f"{command}: {line!r}")

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def imap(port: int, user: str) -> Client:
    client = Client(port, lambda line: line.startswith(b"t "))
    client.ask(f"t LOGIN {user} secret")
    return client


# ---------------------------------------------------------------- the busy ones


def be_busy(port: int, number: int, kind: str) -> None:
    """Have accounts do the same again and again, until this process is killed."""
    for each in range(1, number):
        Thread(target=repeat, args=(port, f"u{each}@bench.test", kind), daemon=True).start()
    repeat(port, "u0@bench.test", kind)


def repeat(port: int, user: str, kind: str) -> None:
    client = imap(port, user)
    client.ask("t SELECT INBOX")
    rounds = 0
    while True:
        for command in BUSY[kind]:
            with suppress(ValueError):
                drain(client.socket, command)
        rounds += 1
        print(rounds, flush=True)


def drain(connection: socket.socket, command: str) -> None:
    """Send a command and pass over its answer without cutting it into lines, which takes long."""
    connection.sendall(f"t {command}\r\n".encode())
    end = b""
    while True:
        data = connection.recv(1 << 18)
        if not data:
            raise SystemExit("the server has closed")
        end = (end + data)[-400:]
        if end.endswith(b"\r\n") and end[:-2].rpartition(b"\r\n")[2].startswith(b"t "):
            return


# ---------------------------------------------------------------- the innocent one


class Innocent:
    """A user who has done nothing; ``measure`` times what they do."""

    def __init__(self, ports: dict[str, int], user: str) -> None:
        self._ports = ports
        self._user = user
        self._mail = imap(ports["imap"], user)
        self._mail.ask("t SELECT INBOX")
        self._sender = Client(ports["smtp"], lambda line: line[3:4] == b" ")
        self._sender.ask("EHLO client.example")

    def noop(self) -> None:
        self._mail.ask("t NOOP")

    def deliver(self) -> None:
        self._sender.ask("MAIL FROM:<a@client.example>")
        self._sender.ask(f"RCPT TO:<{self._user}>")
        self._sender.ask("DATA")
        self._sender.ask("From: a@client.example\r\nSubject: hello\r\n\r\nhello\r\n.")

    def login(self) -> None:
        imap(self._ports["imap"], self._user).close()

    def fetch(self) -> None:
        self._mail.ask(f"t FETCH {random.randint(1, INNOCENT_MESSAGES)} BODY.PEEK[]")

    def measure(self, seconds: float) -> dict[str, list[float]]:
        """Return milliseconds of each thing, sorted."""
        took: dict[str, list[float]] = {}
        end = time.monotonic() + seconds
        while time.monotonic() < end or not took:
            for what in (self.noop, self.deliver, self.login, self.fetch):
                start = time.perf_counter()
                what()
                took.setdefault(what.__name__, []).append(1000 * (time.perf_counter() - start))
                time.sleep(PAUSE)
        return {name: sorted(times) for name, times in took.items()}


# ---------------------------------------------------------------- the table


@contextmanager
def served(folder: Path, accounts: int) -> Iterator[dict[str, int]]:
    """Serve that many busy accounts, and an innocent one, the last; yield the ports."""
    ports = {name: free_port() for name in ("imap", "smtp")}
    make(folder, accounts + 1, 0, {name: (name, port, "none") for name, port in ports.items()})
    for each in range(accounts + 1):
        maildir = folder / f"state/mail/bench.test/u{each}/Maildir"
        build(maildir, INNOCENT_MESSAGES if each == accounts else MESSAGES, "sized")
    time.sleep(1.5)  # that modification times are believed
    server = ServerProcess(folder / "mail.toml", folder / "log")
    try:
        yield ports
    finally:
        server.stop()


@contextmanager
def beside(port: int, number: int, kind: str) -> Iterator[None]:
    """Have busy accounts meanwhile, and wait until all of them are at it."""
    if number == 0:
        yield
        return
    command = [sys.executable, "-m", "bench.neighbours", "--part", "busy", str(port)]
    command += ["--accounts", str(number), "--busy", kind]
    busy = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert busy.stdout is not None
        for _ in range(number):
            busy.stdout.readline()
        yield
    finally:
        busy.send_signal(signal.SIGKILL)
        busy.wait()


def watched(ports: dict[str, int], user: str, seconds: float) -> dict[str, list[float]]:
    """Have the innocent user measure, in a process of their own."""
    command = [sys.executable, "-m", "bench.neighbours", "--part", "innocent", json.dumps(ports)]
    command += ["--user", user, "--seconds", str(seconds)]
    found: dict[str, list[float]] = json.loads(subprocess.check_output(command))
    return found


def show(title: str, took: dict[str, list[float]]) -> None:
    cells = []
    for times in took.values():
        median, most = times[len(times) // 2], times[len(times) * 99 // 100]
        cells.append(f"{median:8.1f} {most:8.1f}")
    load = os.getloadavg()[0]
    print(f"{title:>10} | {' | '.join(cells)} | {len(times):4} | {load:4.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", default="0,1,4,8,16")
    parser.add_argument("--busy", choices=BUSY, default="store")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--user", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part is None:
        table(arguments)
    elif arguments.part[0] == "busy":
        be_busy(int(arguments.part[1]), int(arguments.accounts), arguments.busy)
    else:
        innocent = Innocent(json.loads(arguments.part[1]), arguments.user)
        print(json.dumps(innocent.measure(arguments.seconds)))


def table(arguments: argparse.Namespace) -> None:
    numbers = [int(one) for one in arguments.accounts.split(",")]
    most = max(numbers)
    heads = "NOOP", "delivery", "login", "FETCH body"
    print(f"milliseconds: median and 99th percentile, beside accounts busy with {arguments.busy}")
    print(f"{'accounts':>10} | {' | '.join(f'{one:>17}' for one in heads)} |    n | load")
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        served(Path(folder) / "server", most) as ports,
    ):
        for number in numbers:
            with beside(ports["imap"], number, arguments.busy):
                show(str(number), watched(ports, f"u{most}@bench.test", arguments.seconds))


if __name__ == "__main__":
    main()
