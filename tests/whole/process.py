"""The server as people start it: a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.whole.live import PATIENCE

TWISTD = Path(sys.executable).parent / "twistd"


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
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


class ServerProcess:
    """``twistd mailserver --config`` with the ports written into the configuration."""

    def __init__(self, config: Path, port: int, log: Path) -> None:
        self._config, self._port, self._log = config, port, log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(TWISTD),
                    "--nodaemon",
                    "--pidfile=",
                    "mailserver",
                    "--config",
                    str(self._config),
                ],
                stdout=log,
                stderr=log,
            )
        wait_until_listening(self._port, self._process)

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> bool:
        """Ask the server to end; say whether it did so in good order."""
        self._process.terminate()
        return self._process.wait(PATIENCE) in (0, -signal.SIGTERM)
