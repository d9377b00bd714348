"""The servers that a comparison starts and stops itself."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.compare.endpoint import Endpoint
from bench.compare.places import ROOT
from bench.serve import PORTS

PEERS = Path(__file__).parent.parent / "peers"
PATIENCE = 60.0  # seconds


class Server(Protocol):
    """What stands for one side of a comparison."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def endpoint(self) -> Endpoint: ...


@dataclass
class Ours:
    """This checkout's server, with a state of its own that begins empty."""

    workers: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def folder(self) -> Path:
        return ROOT / f"ours-{self.workers}"

    def make_anew(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        require_free(PORTS["imap"][1] + self.workers * 100)
        command = [sys.executable, "-m", "bench.serve", str(self.folder)]
        command += [f"--workers={self.workers}", f"--shift={self.workers * 100}"]
        self._process = subprocess.Popen(command)
        wait_for_port(PORTS["imap"][1] + self.workers * 100)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def endpoint(self) -> Endpoint:
        return Endpoint(self.folder / "spec.json", lambda: _restart(self))


@dataclass(frozen=True)
class Peer:
    """Dovecot, with Postfix before it where ``with_postfix``; ``mode`` is one of ``dovecot.sh``."""

    spec: str
    mode: str
    with_postfix: bool

    def start(self) -> None:
        self.stop()
        _script("dovecot.sh", "start", self.mode)
        if self.with_postfix:
            _script("postfix.sh", "start")

    def stop(self) -> None:
        if self.with_postfix:
            _script("postfix.sh", "stop")
        _script("dovecot.sh", "stop", self.mode)

    def endpoint(self) -> Endpoint:
        return Endpoint(PEERS / self.spec, lambda: _restart(self))


@dataclass(frozen=True)
class Running:
    """A server that somebody else has started, by its spec."""

    spec: Path

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It goes on."""

    def endpoint(self) -> Endpoint:
        return Endpoint(self.spec)


def server_by_name(name: str) -> Server:
    """Return ours, ours-2 (with two workers), peer, peer-fsync, or the server of a spec file."""
    if name == "peer":
        return Peer("peer.json", "perf", with_postfix=True)
    if name == "peer-fsync":
        return Peer("peer-fsync.json", "fsync", with_postfix=False)
    if name.endswith(".json"):
        return Running(Path(name))
    kind, _, workers = name.partition("-")
    if kind != "ours" or not (workers or "0").isdecimal():
        raise SystemExit(f"{name}: ours, ours-NUMBER, peer, peer-fsync or FILE.json is wanted")
    ours = Ours(int(workers or 0))
    ours.make_anew()
    return ours


def _restart(server: Server) -> None:
    server.stop()
    server.start()


def _script(name: str, *words: str) -> None:
    known = {**os.environ, "PEERS_ROOT": str(ROOT)}
    subprocess.run([str(PEERS / name), *words], check=True, env=known, stdout=sys.stderr)


def require_free(port: int) -> None:
    """Raise SystemExit if something listens there: it would be measured in place of our server."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SystemExit(f"port {port} is taken: another server runs there")


def wait_for_port(port: int) -> None:
    """Wait until a server listens there. Raises SystemExit if none does in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"no server came up at port {port}")
