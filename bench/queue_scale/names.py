"""The domains of the bench, and their DNS in a process of its own.

Each domain has a mail host of its own. A few of them live, at 127.0.0.1. Of the others the host refuses
connections, or with ``is_silent`` swallows them.
"""

import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

MX, A = 15, 1  # types (RFC 1035 §3.2.2)
TTL = 3600
SILENT_HOSTS = 250  # addresses that swallow connections
LIVE_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Domains:
    """So many domains, of which ``live`` are reached, spread among the others."""

    number: int
    live: int
    is_silent: bool = False

    def name(self, one: int) -> str:
        return f"d{one}.test"

    def is_live(self, one: int) -> bool:
        return one % (self.number // self.live) == 0

    def address(self, one: int) -> str:
        """Return where the host of a domain is."""
        if self.is_live(one):
            return LIVE_ADDRESS
        if self.is_silent:
            return silent_address(one % SILENT_HOSTS)
        return f"127.{1 + (one >> 16)}.{one >> 8 & 255}.{one & 255}"


def silent_address(one: int) -> str:
    return f"127.64.0.{one + 1}"


def answer(question: bytes, domains: Domains) -> bytes:
    """Return the answer to a datagram with one question (RFC 1035 §4)."""
    labels, at = [], 12
    while size := question[at]:
        labels.append(question[at + 1 : at + 1 + size].lower())
        at += 1 + size
    asked, kind = question[12 : at + 5], struct.unpack("!H", question[at + 1 : at + 3])[0]
    number = labels[-2][1:] if len(labels) in (2, 3) and labels[-2][:1] == b"d" else b""
    if not number.isdigit() or int(number) >= domains.number:
        return question[:2] + struct.pack("!HHHHH", 0x8583, 1, 0, 0, 0) + asked  # NXDOMAIN
    data = _data(domains, int(number), len(labels) == 2, kind)
    header = question[:2] + struct.pack("!HHHHH", 0x8580, 1, bool(data), 0, 0)
    if not data:
        return header + asked
    return header + asked + struct.pack("!HHHLH", 0xC00C, kind, 1, TTL, len(data)) + data


def _data(domains: Domains, one: int, is_domain: bool, kind: int) -> bytes:
    if is_domain:
        return struct.pack("!H", 10) + b"\x02mx\xc0\x0c" if kind == MX else b""
    return socket.inet_aton(domains.address(one)) if kind == A else b""


class NameProcess:
    """The DNS, on a port of loopback."""

    def __init__(self, port: int, domains: Domains) -> None:
        words = [str(port), str(domains.number), str(domains.live), str(int(domains.is_silent))]
        command = [sys.executable, "-m", "bench.queue_scale.names", *words]
        self._process = subprocess.Popen(command)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class SilentHosts:
    """Hosts that take no connection and refuse none: their lines of connections are full."""

    def __init__(self, port: int) -> None:
        self._sockets: list[socket.socket] = []
        for one in range(SILENT_HOSTS):
            listening = socket.socket()
            listening.bind((silent_address(one), port))
            listening.listen(0)
            self._sockets += [listening, *(_begun(silent_address(one), port) for _ in range(2))]
        time.sleep(0.1)

    def stop(self) -> None:
        for one in self._sockets:
            one.close()


def _begun(address: str, port: int) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex((address, port))
    return connection


def main() -> None:
    port, number, live, is_silent = map(int, sys.argv[1:])
    domains = Domains(number, live, bool(is_silent))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        server.bind(("127.0.0.1", port))
        while True:
            question, client = server.recvfrom(4096)
            server.sendto(answer(question, domains), client)


if __name__ == "__main__":
    main()
