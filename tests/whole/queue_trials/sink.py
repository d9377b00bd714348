"""A mail host that takes everything, and remembers when."""

import re
import socket
import threading
import time
from contextlib import suppress
from typing import BinaryIO

from tests.whole.queue_trials.arrivals import Copy, read_copy

RECIPIENT = re.compile(rb"RCPT TO:<([^>]+)>", re.IGNORECASE)
GREETING = b"220 sink.example ESMTP\r\n"
OFFERED = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"


class Sink:
    """Serves each connection in a thread. ``copies`` has what was answered 250, or would have been."""

    def __init__(self, address: str, port: int) -> None:
        self.copies: list[Copy] = []
        self._socket = socket.create_server((address, port), backlog=100)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(GREETING)
            recipients: list[str] = []
            for line in lines:
                verb = line[:4].upper()
                if verb == b"QUIT":
                    return
                if found := RECIPIENT.match(line):
                    recipients.append(found[1].decode())
                if verb == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    self._take(_content(lines), recipients)
                    recipients = []
                connection.sendall(OFFERED if verb == b"EHLO" else b"250 2.0.0 yes\r\n")

    def _take(self, text: str, recipients: list[str]) -> None:
        now = time.time()
        self.copies += [read_copy(text, one, now) for one in recipients]


def _content(lines: BinaryIO) -> str:
    found = []
    for line in lines:
        if line == b".\r\n":
            return b"".join(found).decode().replace("\r\n", "\n")
        found.append(line)
    raise ConnectionError("it ended in the middle")
