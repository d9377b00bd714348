"""What the server reports to systemd, or to another manager that speaks sd_notify(3).

A state is a datagram of ``NAME=value`` lines to the socket that ``NOTIFY_SOCKET`` names. Without the
variable nobody asks, and nothing is sent. It is removed from the environment: programs that the server
runs must not speak for it.
"""

import os
import socket
import time
from collections import deque
from collections.abc import MutableMapping
from typing import Any

from twisted.logger import Logger

RETRY_SECONDS = 0.1  # until a datagram is sent again that the manager had no room for
MOST_WAITING = 16  # datagrams; the oldest beyond that are dropped

log = Logger(namespace="twisted_mail")


class ServiceManager:
    """The manager that started this process, if one did.

    ``watchdog_seconds`` is how often it wants to hear ``alive``, with time to spare; 0 for never.
    """

    def __init__(self, reactor: Any, environ: MutableMapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._reactor = reactor
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog_seconds(environ) if self._address else 0.0
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._retry: Any = None

    @property
    def is_there(self) -> bool:
        """Return whether a manager wants to know."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Report that the server serves, at its start or after a reload."""
        self._send("READY=1", f"STATUS={_line(status)}")

    def reloading(self) -> None:
        """Report that the configuration is read again; ``ready`` must follow."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=Reading the configuration")

    def stopping(self) -> None:
        """Report that the server ends."""
        self._send("STOPPING=1", "STATUS=Ending the open connections")

    def alive(self) -> None:
        """Report that the reactor goes round."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if self._address:
            self._waiting.append("\n".join(lines).encode())
            self._flush()

    def _flush(self) -> None:
        """Send what waits, in order; never block."""
        if self._retry is not None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                while self._waiting:
                    sender.sendto(self._waiting[0], self._address)
                    self._waiting.popleft()
        except BlockingIOError:
            self._retry = self._reactor.callLater(RETRY_SECONDS, self._try_again)
        except OSError as error:
            self._waiting.clear()
            log.warn(
                "cannot report to the service manager at NOTIFY_SOCKET: {reason}",
                reason=error.strerror,
            )

    def _try_again(self) -> None:
        self._retry = None
        self._flush()


def _address(text: str) -> str:
    """Return the address of a socket as the system wants it; empty for none that we can speak to."""
    if text.startswith("@"):  # in the abstract namespace
        return f"\0{text[1:]}"
    return text if text.startswith("/") else ""


def _watchdog_seconds(environ: MutableMapping[str, str]) -> float:
    """Return half of the time after which the manager takes the process for dead."""
    micros = environ.pop("WATCHDOG_USEC", "")
    pid = environ.pop("WATCHDOG_PID", "")
    if not micros.isdecimal() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(micros) / 2_000_000


def _line(text: str) -> str:
    return " ".join(text.split())
