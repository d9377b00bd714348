"""A whole server of the bench: started, killed, asked, measured from outside."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.compare.processes import ProcessTree
from bench.queue_scale.watching import COLLECTION, TURN, longest
from bench.serve import make
from tests.whole.ports import free_port
from tests.whole.process import Readiness

USER = "u0@bench.test"
TOOL = str(Path(sys.executable).parent / "twisted-mail")
SENDING = """\
[dns]
servers = ["127.0.0.1:{dns}"]
[sending]
port = {port}
allows_private = ["127.0.0.0/8"]
[queue]
max_messages = 10_000_000
"""


class Server:
    """A server in a folder. Mail leaves by MX, to ``port`` of each host; it asks the DNS at ``dns``."""

    def __init__(self, folder: Path, dns: int, port: int) -> None:
        self.folder = folder
        self.submission = free_port()
        ports = {"submission": ("submission", self.submission, "none")}
        make(folder, 2, 0, ports, sending=SENDING.format(dns=dns, port=port))
        self._turns = folder / "turns"
        self._turns.touch()
        self._pidfile = folder / "pid"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def queue(self) -> Path:
        return self.folder / "state" / "queue"

    def start(self) -> float:
        """Start the process; return after how many seconds it takes mail."""
        began = time.monotonic()
        readiness = Readiness()
        command = [sys.executable, "-m", "bench.queue_scale.watching", str(self._turns)]
        command += ["--nodaemon", "--pidfile=", "mailserver", "--config", str(self._config)]
        known = {**os.environ, "NOTIFY_SOCKET": readiness.address}
        with contextlib.closing(readiness), (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=known)
            self._pidfile.write_text(str(self._process.pid))
            readiness.wait(self._process)
        return time.monotonic() - began

    @property
    def _config(self) -> Path:
        return self.folder / "mail.toml"

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    # ------------------------------------------------------------ measuring

    def megabytes(self) -> float:
        """Return its proportional set size."""
        return self._tree.pss_kib()[0] / 1024

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        return self._tree.cpu_us() / 1e6

    @property
    def _tree(self) -> ProcessTree:
        return ProcessTree([str(self._pidfile)])

    def share(self, seconds: float) -> float:
        """Return which percentage of a processor it uses for so long."""
        began, used = time.monotonic(), self.cpu_seconds()
        time.sleep(seconds)
        return 100 * (self.cpu_seconds() - used) / (time.monotonic() - began)

    def longest(self, since: float, until: float = float("inf")) -> str:
        """Return in words how long the reactor stood still between two moments of the monotonic clock."""
        turn, took = longest(self._turns, TURN, since, until)
        collection, stopped = longest(self._turns, COLLECTION, since, until)
        return (
            f"longest turn of the reactor {turn:.0f} ms of processor time ({took:.0f} by the clock),"
            f" longest collection {collection:.0f} ms ({stopped:.0f})"
        )

    def tried(self) -> int:
        """Return how often sites could not be reached, as the log says."""
        path = self.folder / "state" / "mail.log"
        count = subprocess.run(
            ["grep", "-c", ": tried ", str(path)], capture_output=True, check=False
        )
        return int(count.stdout or 0)

    def asked(self, *words: str) -> tuple[float, float]:
        """Return how many seconds ``twisted-mail queue`` takes for an answer, and of processor time."""
        began, before = time.monotonic(), os.times()
        command = [TOOL, "--config", str(self._config), "queue", *words]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise SystemExit(f"{' '.join(command)}: {answer.stdout}{answer.stderr}")
        after = os.times()
        used = after.children_user + after.children_system
        used -= before.children_user + before.children_system
        return time.monotonic() - began, used
