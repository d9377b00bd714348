"""The server as people start it: a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.whole.live import PATIENCE

START_PATIENCE = 120.0  # seconds for a start, on a machine that does much besides
TWISTD = Path(sys.executable).parent / "twistd"


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        select_nothing(0.02)
    raise AssertionError("the server does not listen")


def select_nothing(seconds: float) -> None:
    """Give another process a moment."""
    import select

    select.select([], [], [], seconds)


class Readiness:
    """Waits, as a service manager does, for the process to say that all its listeners are there.

    One port that answers would say nothing about the others, which are opened after it.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("")  # the system gives a name in the abstract namespace
        self._socket.settimeout(0.05)
        self.address = "@" + self._socket.getsockname()[1:].decode()

    def wait(self, process: subprocess.Popen[bytes], seconds: float = START_PATIENCE) -> None:
        """Return when the process is ready. Raises AssertionError when it ends, or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert process.poll() is None, "the server ended"
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in self._socket.recv(4096).splitlines():
                    return
        raise AssertionError("the server does not say that it is ready")

    def close(self) -> None:
        self._socket.close()


class ServerProcess:
    """``twistd mailserver --config`` with the ports written into the configuration."""

    twistd: Sequence[str] = (str(TWISTD),)
    patience = START_PATIENCE

    def __init__(self, config: Path, log: Path) -> None:
        self._config, self._log = config, log
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        readiness = Readiness()
        command = [*self.twistd, "--nodaemon", "--pidfile=", "mailserver", "--config"]
        with contextlib.closing(readiness), self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self._config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": readiness.address},
            )
            readiness.wait(self._process, self.patience)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> bool:
        """Ask the server to end; say whether it did so in good order."""
        self._process.terminate()
        return self._process.wait(PATIENCE) in (0, -signal.SIGTERM)
