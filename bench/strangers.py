"""What strangers can make a server keep: ``python -m bench.strangers [--only PART]``.

Each part starts a server of its own, lets a client do something thousands of times that nothing but a
limit ends, and prints how much more memory the server then has of its own than before.
"""

import argparse
import random
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

USER = "u0@bench.test"
MESSAGES = 100


class Server:
    """A server with one account, whose INBOX has some messages."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: free_port() for name in ("imap", "smtp")}
        listeners = {name: (name, port, "none") for name, port in self.ports.items()}
        make(folder, 1, 0, listeners)
        build(folder / "state/mail/bench.test/u0/Maildir", MESSAGES, "sized")
        time.sleep(1.5)  # that modification times are believed
        self._process = ServerProcess(folder / "mail.toml", self.ports["imap"], folder / "log")

    def memory(self) -> float:
        """Return the mebibytes of memory that the process has of its own."""
        path = Path(f"/proc/{self._process._process.pid}/smaps_rollup")
        [line] = [one for one in path.read_text().splitlines() if one.startswith("Pss_Anon:")]
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.stop()


@contextmanager
def served() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        server = Server(Path(folder) / "server")
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


PARTS: dict[str, Callable[[], None]] = {"keywords": keywords}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    only = parser.parse_args().only
    for name, part in PARTS.items():
        if only in (None, name):
            part()


if __name__ == "__main__":
    main()
