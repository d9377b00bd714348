"""What strangers can make a server keep: ``python -m bench.strangers [--only PART]``.

Each part starts a server of its own and lets clients do something that nothing but a limit ends: set
keywords thousands of times, or be silent in the middle of a message; then it prints how much more memory
the server has of its own than before. ``logins`` has forty wrong passwords a second tried, and prints how
long right ones take. The clients are processes of their own.
"""

import argparse
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.neighbours import Client, imap
from bench.opening import build
from bench.serve import make
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess
from twisted_mail.directory.passwords import PasswordSettings, hash_password

USER = "u0@bench.test"
MESSAGES = 100
RIGHT_LOGINS = 60
CHEAP = "memory_mib = 1\npasses = 1\nlanes = 1\n"
PROXIED = """\
[[listener]]
service = "imap"
endpoint = "tcp:{port}:interface=127.0.0.1"
tls = "none"
cleartext_passwords = true
proxy = true
"""


class Server:
    """A server with one account, whose INBOX has some messages."""

    def __init__(self, folder: Path, accounts: int = 1, more: str = "") -> None:
        self.ports = {name: free_port() for name in ("imap", "smtp", "proxied")}
        listeners = {name: (name, self.ports[name], "none") for name in ("imap", "smtp")}
        stored = hash_password("secret", PasswordSettings()) if more else "{PLAIN}secret"
        make(folder, accounts, 0, listeners, stored)
        if more:
            config = (folder / "mail.toml").read_text().replace(CHEAP, "")
            (folder / "mail.toml").write_text(config + more.format(port=self.ports["proxied"]))
        build(folder / "state/mail/bench.test/u0/Maildir", MESSAGES, "sized")
        time.sleep(1.5)  # that modification times are believed
        self._process = ServerProcess(folder / "mail.toml", folder / "log")

    def memory(self) -> float:
        """Return the mebibytes of memory that the process has of its own."""
        path = Path(f"/proc/{self._process._process.pid}/smaps_rollup")
        [line] = [one for one in path.read_text().splitlines() if one.startswith("Pss_Anon:")]
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.stop()


@contextmanager
def served(accounts: int = 1, more: str = "") -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        server = Server(Path(folder) / "server", accounts, more)
        try:
            yield server
        finally:
            server.stop()


# ---------------------------------------------------------------- keywords


def keywords() -> None:
    """3,000 STOREs, each with a set of keywords that none had before."""
    for size in (500, 100, 20):
        with served() as server:
            client = imap(server.ports["imap"], USER)
            client.ask("t SELECT INBOX")
            store_sets(client, 100, size, first=1_000_000)  # what any use takes comes before
            before = server.memory()
            refused = store_sets(client, 3000, size)
            longest = slowest_search(client)
            client.close()
            time.sleep(1)
            print(
                f"3,000 STOREs of {size} keywords, {refused} refused:"
                f" {server.memory() - before:+.1f} MiB; SEARCH for 100 of them {longest:.0f} ms"
            )


def store_sets(client: Client, number: int, size: int, first: int = 0) -> int:
    """Give messages sets of keywords, ever others; return how many were refused."""
    refused = 0
    for each in range(first, first + number):
        names = " ".join(f"k{one}" for one in random.Random(each).sample(range(900), size))
        try:
            client.ask(f"t STORE {1 + each % MESSAGES} FLAGS ({names})")
        except ValueError:
            refused += 1
    return refused


def slowest_search(client: Client) -> float:
    """Return the milliseconds of a SEARCH with many keywords."""
    start = time.perf_counter()
    client.ask("t SEARCH " + " ".join(f"UNKEYWORD k{one}" for one in range(100)))
    return (time.perf_counter() - start) * 1000


# ---------------------------------------------------------------- the middle of a message


def data() -> None:
    """5,000 clients that have sent a part of a message, and then nothing."""
    for octets in (1_000, 16_000, 40_000, 300_000):
        with served() as server:
            before = server.memory()
            crowds = [crowd("data", server.ports["smtp"], 1000, octets) for _ in range(5)]
            time.sleep(3)
            print(
                f"5,000 clients after {octets:,} octets of a message:"
                f" {server.memory() - before:+.1f} MiB"
            )
            for one in crowds:
                one.communicate()


def crowd(*command: object) -> "subprocess.Popen[bytes]":
    """Start clients in another process; return when they are ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.crowd", *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise SystemExit("the clients have failed")
    return process


# ---------------------------------------------------------------- passwords


def logins() -> None:
    """Forty wrong passwords a second, and first logins of others meanwhile."""
    with served(2000 + RIGHT_LOGINS, PROXIED) as server:
        port = server.ports["proxied"]
        alone = [right_login(port, each) for each in range(0, RIGHT_LOGINS, 4)]
        guessers = crowd("guess", port, 40, RIGHT_LOGINS)
        time.sleep(5)
        beside = [right_login(port, each) for each in range(RIGHT_LOGINS) if each % 4]
        guessers.kill()
        for name, seconds in (("alone", alone), ("beside 40 wrong ones a second", beside)):
            print(
                f"{len(seconds)} right logins {name}: median {statistics.median(seconds):.2f} s,"
                f" slowest {max(seconds):.2f} s"
            )


def right_login(port: int, number: int) -> float:
    """Log in to an account for the first time, from a network of its own; return the seconds."""
    time.sleep(0.3)
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"PROXY TCP4 12.0.{number}.1 127.0.0.1 999 143\r\n".encode())
        connection.sendall(f"t LOGIN u{2000 + number}@bench.test secret\r\n".encode())
        with connection.makefile("rb") as answers:
            answer = next(line for line in answers if line.startswith(b"t "))
    if not answer.startswith(b"t OK"):
        print(f"refused: {answer!r}")
    return time.perf_counter() - began


PARTS: dict[str, Callable[[], None]] = {"keywords": keywords, "data": data, "logins": logins}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    only = parser.parse_args().only
    for name, part in PARTS.items():
        if only in (None, name):
            part()


if __name__ == "__main__":
    main()
