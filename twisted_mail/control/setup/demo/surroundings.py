"""What runs beside the first server of the demonstration: the DNS, and the second server."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from twisted_mail.control.setup.demo.folders import DNS_PORT, FIRST, SECOND
from twisted_mail.control.setup.demo.name_server import DemoNameServer, records

PID_FILE, LOG_FILE = "twistd.pid", "log"


def surrounded(reactor: Any, server: Service, folder: Path) -> MultiService:
    """Return a service of the first server and of what runs beside it, which begins before it."""
    every = MultiService()  # type: ignore[no-untyped-call]
    for service in (NameService(reactor), SecondServer(reactor, folder / SECOND.domain), server):
        service.setServiceParent(every)  # type: ignore[no-untyped-call]
    return every


class NameService(Service):
    """The DNS, on a port of loopback."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._port: Any = None

    def privilegedStartService(self) -> None:
        """Bind the port. Raises SystemExit with a line that says why that cannot be."""
        answering = DemoNameServer(records(FIRST, SECOND))
        try:
            self._port = self._reactor.listenUDP(DNS_PORT, answering, "127.0.0.1")
        except CannotListenError as error:
            raise SystemExit(f"mailserver: the demonstration's DNS: {error}") from None

    def stopService(self) -> "Deferred[None] | None":
        """Close the port."""
        return self._port.stopListening() if self._port is not None else None


class SecondServer(Service):
    """The second server, as a process of its own that anybody may stop, and start again.

    Its process number is in ``twistd.pid`` of its folder, and what it logs in ``log``. When this service
    stops, so does the process that is then the server, whoever has started it.
    """

    def __init__(self, reactor: Any, folder: Path) -> None:
        self._reactor = reactor
        self._folder = folder
        self._process: _ServerProcess | None = None

    def startService(self) -> None:
        """Start the process once the reactor runs, unless one runs already.

        Not before: until then a signal ends this process at once, and the other one would stay.
        """
        self._reactor.callWhenRunning(self._start)

    def _start(self) -> None:
        if self._pid() is not None:
            return
        self._process = _ServerProcess()
        command = [
            str(Path(sys.argv[0]).resolve()),
            *("--nodaemon", f"--pidfile={self._folder / PID_FILE}"),
            *("mailserver", "--config", str(self._folder / "mail.toml")),
        ]
        (self._folder / PID_FILE).unlink(missing_ok=True)
        with open(os.devnull, "rb") as nothing, (self._folder / LOG_FILE).open("ab") as log:
            descriptors = {0: nothing.fileno(), 1: log.fileno(), 2: log.fileno()}
            self._reactor.spawnProcess(
                self._process,
                sys.executable,
                [sys.executable, *command],
                env=os.environ,
                childFDs=descriptors,
            )

    def stopService(self) -> "Deferred[None] | None":
        """Ask the process to end; return when the one that was started here has ended."""
        pid = self._pid()
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        return self._process.ended if self._process is not None else None

    def _pid(self) -> int | None:
        """Return the process that is the second server, if one runs."""
        try:
            pid = int((self._folder / PID_FILE).read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid


class _ServerProcess(ProcessProtocol):
    """A process that was started; ``ended`` fires when it has ended."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """Note the end."""
        self.ended.callback(None)
