"""Ports of this machine: whether a listener can have its endpoint, and if not, which process has it."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twisted_mail.config.endpoints import Endpoint
from twisted_mail.net.server.all_interfaces import bind_both

PROC = Path("/proc")
_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp
_COMMAND = b"mailserver"  # the word after twistd, and so in the server's command line

PortState = Literal["free", "ours", "taken", "forbidden", "impossible", "homeless", "unknown"]


@dataclass(frozen=True, slots=True)
class PortFinding:
    """The state of one endpoint, and a remark for people."""

    state: PortState
    text: str


def probe(endpoint: Endpoint) -> PortFinding:
    """Try to listen on an endpoint for a moment."""
    if endpoint.kind == "unix":
        return _look_at_socket(endpoint.path)
    if endpoint.trouble:
        return PortFinding("impossible", endpoint.trouble)
    if not endpoint.port:
        return PortFinding("unknown", "is known when the server starts")
    try:
        with _bound(endpoint) as trial:
            trial.listen()  # with SO_REUSEADDR some systems find the conflict only now
    except OSError as error:
        return _refused(endpoint, error)
    return PortFinding("free", "is free")


def _bound(endpoint: Endpoint) -> socket.socket:
    """Return a socket that is bound as the server's will be. Raises OSError."""
    both = None if endpoint.interface else bind_both(endpoint.port)
    if both is not None:
        return both
    family = socket.AF_INET6 if ":" in endpoint.interface else socket.AF_INET
    trial = socket.socket(family, socket.SOCK_STREAM)
    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Twisted does
    try:
        trial.bind((endpoint.interface, endpoint.port))
    except OSError:
        trial.close()
        raise
    return trial


def _refused(endpoint: Endpoint, error: OSError) -> PortFinding:
    if error.errno == errno.EADDRINUSE:
        return _owner(endpoint.port)
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortFinding("forbidden", "may be had by root or systemd only")
    return PortFinding("impossible", error.strerror or str(error))


def _look_at_socket(path: str) -> PortFinding:
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        return PortFinding("homeless", f"there is no folder {folder}")
    finding = _connected(path)
    is_ours = os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    if finding.state == "free" and not is_ours:
        return PortFinding("forbidden", f"only root, or who may write {folder}, can make it")
    return finding


def _connected(path: str) -> PortFinding:
    """Connect to a UNIX socket for a moment, if there is one."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return PortFinding("taken", "is a file and no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.settimeout(1)
            trial.connect(path)
    except FileNotFoundError:
        return PortFinding("free", "is free")
    except ConnectionRefusedError:
        return PortFinding("free", "is left over from a server that has ended")
    except OSError as error:
        return PortFinding("unknown", error.strerror or str(error))
    return PortFinding("taken", "is in use")


# ---------------------------------------------------------------- who has it (Linux)


def _owner(port: int) -> PortFinding:
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process, command in _processes():
        if sockets and _holds(process, sockets):
            name = command.split(b"\0")[0].rpartition(b"/")[2].decode("utf-8", "replace")
            if _COMMAND in command.split(b"\0"):
                return PortFinding("ours", f"is in use by the running server, process {process}")
            return PortFinding("taken", f"is in use by {name}, process {process}")
    return PortFinding("taken", "is in use by another program (root can see which)")


def _inodes(port: int) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _processes() -> Iterator[tuple[int, bytes]]:
    """Yield the processes with their command lines, mail servers first."""
    found = []
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir(PROC)):
            with suppress(OSError):
                found.append((int(name), (PROC / name / "cmdline").read_bytes()))
    yield from sorted(found, key=lambda one: _COMMAND not in one[1])


def _holds(process: int, sockets: set[str]) -> bool:
    folder = PROC / str(process) / "fd"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                if os.readlink(folder / name) in sockets:
                    return True
    return False
