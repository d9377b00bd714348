"""Try an IMAP server with many clients in one mailbox, on the model of Dovecot's imaptest.

python -m bench.imap_stress --seconds 60 --clients 8 [--workers 2] [--own-flags] [--seed 7]

Each client pipelines random commands and compares every response with what it and all others know:
numbers, UIDs, flags, octets, what a SEARCH must find. Every few seconds all stop, and must know the same.
Errors are printed, and the exit status is 1 if there are any; then the conversations are kept.
"""

import argparse
import asyncio
import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.compare.servers import wait_for_port
from bench.imap_stress import checkpoint
from bench.imap_stress.client import Client
from bench.imap_stress.commands import BOX, OTHER_BOX, Player
from bench.imap_stress.knowledge import Knowledge
from bench.imap_stress.samples import SAMPLES
from bench.serve import PORTS

USER = "u0@bench.test"
ENOUGH = 15  # errors
LEAVES = 0.004  # the chance that a client ends and comes again, at each step
_SHIFTS = 150  # of 100 ports each
OWNED = (("\\seen",), ("\\flagged",), ("\\answered",), ("\\draft",))


class Stress:
    """One run: the clients, and what they know."""

    def __init__(self, port: int, options: argparse.Namespace) -> None:
        self.known = Knowledge()
        self._options = options
        self._chance = random.Random(options.seed)
        self._sessions = itertools.count(1)
        self._port = port
        self.clients = [self._new() for _ in range(options.clients)]
        self._is_over = False
        self._may_go = asyncio.Event()
        self._stopped = [asyncio.Event() for _ in self.clients]

    async def run(self) -> None:
        """Play until the time is over, or there are errors enough."""
        await self._prepare()
        self._may_go.set()
        playing = [asyncio.ensure_future(self._play(at)) for at in range(len(self.clients))]
        end = time.monotonic() + self._options.seconds
        while time.monotonic() < end and len(self.known.errors) < ENOUGH:
            await asyncio.wait(playing, timeout=3, return_when=asyncio.FIRST_COMPLETED)
            if any(one.done() for one in playing):
                break
            await self._compare()
        self._is_over = True
        await asyncio.wait_for(asyncio.gather(*playing), 60)

    def _new(self) -> Client:
        return Client(self._port, USER, self.known)

    async def _prepare(self) -> None:
        client = self._new()
        await client.connect(next(self._sessions))
        for box in (BOX, OTHER_BOX):
            await client.run("CREATE", f"CREATE {box}")
        for number in range(self._options.messages // 2):
            await client.run("APPEND", f"APPEND {BOX}", SAMPLES[number % len(SAMPLES)].octets)
        await client.leave()

    async def _play(self, at: int) -> None:
        client, own = self.clients[at], self._own_flags(at)
        await self._come(client)
        most, deletes = self._options.messages, not own or at == 0
        player = Player(client, self._chance, own, most=most, deletes=deletes)
        while not self._is_over:
            if not self._may_go.is_set():
                await client.settled()
                self._stopped[at].set()
                await self._may_go.wait()
                self._stopped[at].clear()
            for _ in range(self._chance.randint(1, 6)):
                player.step()
            await player.pause()
            if self._chance.random() < LEAVES:
                await client.settled()
                await client.leave()
                await self._come(client)
        await client.settled()
        await client.leave()

    def _own_flags(self, at: int) -> tuple[str, ...]:
        if not self._options.own_flags:
            return ()
        return (f"$own{at}", *(OWNED[at - 1] if 0 < at <= len(OWNED) else ()))

    async def _come(self, client: Client) -> None:
        await client.connect(next(self._sessions))
        await client.run("SELECT", f"SELECT {BOX}")

    async def _compare(self) -> None:
        self._may_go.clear()
        for stopped in self._stopped:
            await asyncio.wait_for(stopped.wait(), 90)
        fresh, settle = self._new(), 1.2 if self._options.workers else 0.0
        await checkpoint.compare(self.clients, fresh, next(self._sessions), settle)
        self.known.commands["checkpoint"] += 1
        self._may_go.set()


def _free_shift() -> int:
    """Return what to add to the ports of ``bench.serve`` so that all are free.

    They stay below those that the system gives to clients. Several processes that look at once begin at
    different places.
    """
    first = os.getpid() % _SHIFTS
    for step in range(_SHIFTS):
        shift = 1000 + (first + step) % _SHIFTS * 100
        if all(_is_free(port + shift) for _, port, _ in PORTS.values()):
            return shift
    raise SystemExit("no ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def served(folder: Path, workers: int) -> Iterator[int]:
    """Serve a fresh account; yield the port of IMAP."""
    shift = _free_shift()
    command = [sys.executable, "-m", "bench.serve", str(folder), "--accounts=1"]
    server = subprocess.Popen([*command, f"--shift={shift}", f"--workers={workers}"])
    try:
        wait_for_port(PORTS["imap"][1] + shift)
        yield PORTS["imap"][1] + shift
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--messages", type=int, default=60, help="in the mailbox, about")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--own-flags", action="store_true", help="each client alters its own flags")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="stress-"))
    with served(folder / "server", options.workers) as port:
        known = asyncio.run(_run(port, options, folder))
    done = ", ".join(f"{name} {number}" for name, number in known.commands.most_common())
    print(f"{len(known.errors)} errors in {known.commands.total()} commands: {done}")
    if known.errors:
        print(f"the conversations and the server's log are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


async def _run(port: int, options: argparse.Namespace, folder: Path) -> Knowledge:
    stress = Stress(port, options)
    try:
        await stress.run()
    except (TimeoutError, asyncio.CancelledError) as error:
        stress.known.wrong(f"a client waited too long, or lost its connection: {error!r}")
    for at, client in enumerate(stress.clients):
        (folder / f"client-{at}.log").write_bytes(b"\n".join(client.log))
    return stress.known


if __name__ == "__main__":
    sys.exit(main())
