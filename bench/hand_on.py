"""What handing a message on costs this process: ``python -m bench.hand_on [--connections 10]``.

Messages in memory go to Postfix's smtp-sink over loopback, in clear, without the spool. Prints the
microseconds of CPU for each message, and how many went in a second. The best of several rounds
counts: other work on the machine only adds.
"""

import argparse
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from twisted_mail.interfaces import unreported
from twisted_mail.mail import address
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.trust import Demand, TlsLevel
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.net.client.host_tls import HostTls
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.smtp.client import ClientSession, SmtpClient
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import ClientSettings, DialogueLimits, NextHop
from twisted_mail.testing.wire import FakeBlobWriter

reactor: Any = installed_reactor
SINK = "/usr/sbin/smtp-sink"
SETTINGS = ClientSettings(
    "bench.example",
    demand=Demand(TlsLevel.NONE),
    limits=DialogueLimits(max_messages=1 << 30, idle=0.0),
)


class Letters:
    """So many messages, each of them new; counts those that were taken."""

    def __init__(self, number: int, size: int) -> None:
        line = b"x" * 70 + b"\r\n"
        body = b"Subject: bench\r\n\r\n" + line * (size // len(line))
        self._message = Message(MemoryBlob(body), b"Received: from bench.example\r\n")
        self._sender = address.parse("alice@example.org")
        self._left = number
        self.taken = 0

    def next(self) -> Transaction | None:
        if not self._left:
            return None
        self._left -= 1
        job = QueuedJob(f"m{self._left}", 0.0, self._sender, size=self._message.size)
        to = address.parse(f"bob{self._left % 100}@remote.example")
        return Transaction(job, (OwedRecipient(1, RemoteTarget(to)),), self._message)

    async def wait(self, seconds: float) -> Transaction | None:
        return self.next()

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        self.taken += sum(one.outcome.is_success for one in attempts.values())


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """Run smtp-sink on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([SINK, *user, *options, f"127.0.0.1:{port}", "500"])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None, "smtp-sink has ended"
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


async def _hand_on(client: SmtpClient, port: int, letters: Letters) -> None:
    session = await client.connect(NextHop("sink.example", "127.0.0.1", port), SETTINGS)
    assert isinstance(session, ClientSession), session
    end = await session.hand_on(letters)
    assert end is None, end
    session.close()


async def _round(client: SmtpClient, port: int, options: argparse.Namespace) -> tuple[float, float]:
    """Return microseconds of CPU for each message, and messages a second."""
    letters = Letters(options.messages, options.size)
    cpu, wall = time.process_time(), time.monotonic()
    hands = [_hand_on(client, port, letters) for _ in range(options.connections)]
    await gatherResults([Deferred.fromCoroutine(one) for one in hands])
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    assert letters.taken == options.messages
    return cpu / options.messages * 1e6, options.messages / wall


async def _measure(options: argparse.Namespace) -> None:
    blocking = ThreadBlocking(reactor, "bench", 1)
    blocking.start()
    doors = DialogueDoors(ReactorClock(reactor), blocking, unreported)
    client = SmtpClient(HostDialer(reactor), HostTls(), doors, FakeBlobWriter)
    with sink(*(["-p"] if options.step_by_step else [])) as port:
        rounds = [await _round(client, port, options) for _ in range(options.rounds)]
    blocking.stop()
    cpu, rate = min(cpu for cpu, _ in rounds), max(rate for _, rate in rounds)
    print(f"{cpu:.1f} us of CPU a message, {rate:.0f} messages a second")


def _show(failure: Failure) -> None:
    failure.printTraceback()  # type: ignore[no-untyped-call]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--step-by-step", action="store_true", help="without PIPELINING")
    options = parser.parse_args()

    def begin() -> None:
        running = Deferred.fromCoroutine(_measure(options))
        running.addErrback(_show)
        running.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main()
