"""One message to very many, and what that costs other mail: ``python -m bench.newsletter [10000]``.

An account submits one message for 10,000 recipients in 1,000 domains; another sends a letter to a domain
of its own again and again, alone at first, and then meanwhile. All goes on to one host, a sink that notes
what comes. Printed are how long the message took, from the first command to the last arrival, and how
late letters were, from their 250 to their arrival: the median, the 99th percentile, and the latest.

With ``--port`` and ``--sink-port`` a server that runs already is measured; for the Postfix of
``bench.compare`` these are 10025 and 12525.
"""

import argparse
import base64
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Event, Thread

from bench.compare import generator
from bench.compare.generator import Answer
from bench.compare.servers import wait_for_port
from bench.serve import SENDER, make
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

AT_ONCE = 1000  # recipients of one transaction
ALONE = 3.0  # seconds
PAUSE = 0.05  # seconds between two letters
PATIENCE = 120.0  # seconds
LETTER, NEWSLETTER = "personal", "newsletter"  # in addresses and identifiers
BODY = "\r\n".join(["What happened this week, and what will happen in the next."] * 60)


class Sender:
    """A connection that submits mail; with a ``user``, logged in."""

    def __init__(self, port: int, user: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        self._reply("the greeting")
        self._say("EHLO client.bench.test")
        if user:
            token = base64.b64encode(f"\0{user}\0secret".encode()).decode()
            self._say(f"AUTH PLAIN {token}")

    def send(self, recipients: Sequence[str], identifier: str) -> float:
        """Submit a message, the envelope in one go; return when its 250 came."""
        envelope = [f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{one}>" for one in recipients)]
        self._say(*envelope, "DATA")
        header = f"From: {SENDER}\r\nSubject: news\r\nMessage-ID: <{identifier}@bench.test>"
        self._say(f"{header}\r\n\r\n{BODY}\r\n.")
        return time.time()

    def _say(self, *commands: str) -> None:
        self._socket.sendall("".join(f"{one}\r\n" for one in commands).encode())
        for one in commands:
            self._reply(one)

    def _reply(self, command: str) -> None:
        while (line := self._file.readline())[3:4] == b"-":
            pass
        if line[:1] not in (b"2", b"3"):
            raise SystemExit(f"{command[:80]}: {line!r}")


class SinkProcess:
    """The sink of the load generator; ``arrived`` is when letters came, by recipient."""

    def __init__(self, port: int) -> None:
        words = [f"port={port}", f"run={NEWSLETTER}", f"tell={LETTER}"]
        self._process = generator.started("sink", *words)
        first = generator.answer_of(self._process)
        if not first.get("ready"):
            raise SystemExit(f"sink: {first}")
        self.arrived: dict[str, float] = {}
        self._answers: Queue[Answer] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while "status" not in (answer := generator.answer_of(self._process)):
            if "recipient" in answer:
                self.arrived[answer["recipient"]] = answer["at"]
            else:
                self._answers.put(answer)

    def count(self) -> Answer:
        """Return what has come of the newsletter."""
        generator.say(self._process, "")
        return self._answers.get(timeout=PATIENCE)

    def wait(self, number: int) -> Answer:
        """Wait until it has come to so many; return what has come."""
        end = time.monotonic() + PATIENCE
        while (found := self.count())["deliveries"] < number and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def stop(self) -> None:
        generator.end(self._process)


# ---------------------------------------------------------------- letters


class Letters:
    """Letters that are sent one after the other, until ``stop``."""

    def __init__(self, port: int, user: str, name: str) -> None:
        self._sender = Sender(port, user)
        self._name = name
        self._is_over = Event()
        self._accepted: dict[str, float] = {}
        self._thread = Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        while not self._is_over.wait(PAUSE):
            number = len(self._accepted)
            recipient = f"{LETTER}-{self._name}-{number}@elsewhere.test"
            self._accepted[recipient] = self._sender.send([recipient], f"{LETTER}.{number}")

    def stop(self, sink: SinkProcess) -> list[float]:
        """Send no more; return the milliseconds that each took, sorted."""
        self._is_over.set()
        self._thread.join()
        end = time.monotonic() + PATIENCE
        while not self._accepted.keys() <= sink.arrived.keys() and time.monotonic() < end:
            time.sleep(0.05)
        missing = self._accepted.keys() - sink.arrived.keys()
        if missing:
            raise SystemExit(f"{len(missing)} letters did not come")
        return sorted(1000 * (sink.arrived[one] - at) for one, at in self._accepted.items())


def show(title: str, late: Sequence[float]) -> None:
    median, most = late[len(late) // 2], late[len(late) * 99 // 100]
    print(f"{title:>20}: {median:8.1f} {most:8.1f} {late[-1]:8.1f} ms  ({len(late)} letters)")


# ---------------------------------------------------------------- the newsletter


def readers(number: int, domains: int, is_scattered: bool) -> list[str]:
    """Return their addresses: those of a domain together, or far apart."""
    places = [one % domains if is_scattered else one * domains // number for one in range(number)]
    return [f"reader{one}@{NEWSLETTER}{place}.test" for one, place in enumerate(places)]


def send_all(port: int, user: str, recipients: Sequence[str]) -> None:
    """Submit one message for so many recipients, some at a time."""
    sender = Sender(port, user)
    for start in range(0, len(recipients), AT_ONCE):
        sender.send(recipients[start : start + AT_ONCE], f"{NEWSLETTER}.1")


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve two accounts, and yield the port for submission, and where mail for elsewhere goes."""
    port, sink = free_port(), free_port()
    make(folder, 2, 0, {"submission": ("submission", port, "none")}, relay=sink)
    server = ServerProcess(folder / "mail.toml", folder / "log")
    try:
        wait_for_port(port)
        yield port, sink
    finally:
        server.stop()


def measure(port: int, sink_port: int, users: Sequence[str], recipients: Sequence[str]) -> None:
    sink = SinkProcess(sink_port)
    try:
        letters = Letters(port, users[1], "alone")
        time.sleep(ALONE)
        show("letters alone", letters.stop(sink))
        letters = Letters(port, users[1], "beside")
        began = time.time()
        send_all(port, users[0], recipients)
        accepted = time.time() - began
        found = sink.wait(len(recipients))
        show("meanwhile", letters.stop(sink))
    finally:
        sink.stop()
    print(f"{found['deliveries']} of {len(recipients)} recipients:", end=" ")
    print(
        f"accepted in {accepted:.1f} s, the last came after {found['last'] - began:.1f} s,", end=" "
    )
    print(f"{found['connections']} connections, {found['twice']} came twice")


def main() -> None:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("recipients", type=int, nargs="?", default=10_000)
    parser.add_argument("--domains", type=int, default=1000)
    apart = "each transaction has a few recipients of every domain, as if there were many messages"
    parser.add_argument("--scattered", action="store_true", help=apart)
    parser.add_argument("--port", type=int, help="of a server that runs already, without logins")
    parser.add_argument("--sink-port", type=int, help="where that server sends mail for elsewhere")
    options = parser.parse_args()
    generator.build()
    recipients = readers(options.recipients, options.domains, options.scattered)
    if options.port:
        measure(options.port, options.sink_port, ("", ""), recipients)
        return
    users = ("u0@bench.test", "u1@bench.test")
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        served(Path(folder) / "server") as ports,
    ):
        measure(*ports, users, recipients)


if __name__ == "__main__":
    main()
