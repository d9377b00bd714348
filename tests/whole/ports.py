"""Ports for servers in processes of their own.

A port that the system has just given, and that is closed again until the server opens it, can be taken
meanwhile: by another test process, by any connection of this machine, even by the test's own connection
that asks whether the server listens already (both ends of it are then the same socket). So ports are
outside of what the system gives to connections, and each is claimed with a lock that all test processes
see, as long as the process lives.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

FIRST_PORT = 16384  # above those of services


def outside_of(given: tuple[int, int]) -> Sequence[int]:
    """Return the ports that the system gives to no connection, if it gives the first to the last."""
    first, last = given
    below, above = range(FIRST_PORT, first), range(max(last + 1, FIRST_PORT), 65536)
    return below if len(below) >= len(above) else above


def given_to_connections() -> tuple[int, int]:
    try:
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except OSError:
        return 49152, 65535  # RFC 6335 §6
    return int(first), int(last)


class PortClaims:
    """Ports that this process has for itself. The lock of a port is the octet of its number in a file."""

    def __init__(self, path: Path, ports: Iterable[int]) -> None:
        # One descriptor for the life of the process: closing any would undo all its locks.
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._ports = iter(ports)

    def claim(self) -> int:
        """Return a port that nobody else has or will get. Raises RuntimeError when none is left."""
        for port in self._ports:
            if self._lock(port) and _is_free(port):
                return port
        raise RuntimeError("every port of the tests is taken")

    def _lock(self, port: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
        return True

    def close(self) -> None:
        os.close(self._file)


def _is_free(port: int) -> bool:
    """Return whether nobody, tests or not, uses a port on any address."""
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


_claims: list[PortClaims] = []


def free_port() -> int:
    """Return a port for a server of a test; no two calls of any test process return the same."""
    if not _claims:
        ports = list(outside_of(given_to_connections()))
        random.Random(os.getpid()).shuffle(ports)
        _claims.append(PortClaims(Path(tempfile.gettempdir()) / "twisted-mail-test-ports", ports))
    return _claims[0].claim()
