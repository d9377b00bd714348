"""Bad company: clients that hang on, each in its own way."""

import threading
from contextlib import suppress

from tests.whole.hostile import ObservedServer, Raw

OPENING = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"
HALF_HELLO = bytes.fromhex("1603010200010001fc0303") + b"\0" * 20  # of a TLS ClientHello
WAYS = ("silent", "slow", "half-open", "junk")


class Company:
    """So many bad clients, which a thread keeps at it until the end."""

    def __init__(self, server: ObservedServer, number: int) -> None:
        self._house = server
        self._ended = threading.Event()
        self.clients = {way: [self._new(way) for _ in range(number // len(WAYS))] for way in WAYS}
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def _new(self, way: str) -> Raw:
        client = self._house.connect("smtp")
        client.socket.setblocking(False)
        if way == "slow":
            client.send(OPENING)
        elif way == "half-open":
            client.send(b"STARTTLS\r\n")
        return client

    def _go_on(self) -> None:
        """Send an octet here, some junk there, a piece of a handshake; come back where thrown out."""
        piece = HALF_HELLO  # and then its rest, octet by octet
        while not self._ended.is_set():
            for slow, half, junk in zip(
                *(self.clients[way] for way in ("slow", "half-open", "junk")), strict=True
            ):
                for client, data in (
                    (slow, b"x"),
                    (half, piece),
                    (junk, b"\0junk\xff\r\n"),
                ):
                    with suppress(OSError):
                        client.socket.send(data)
                if self._ended.wait(0.001):
                    return
            piece = b"\0"
            self.clients["junk"] = [self._again(client) for client in self.clients["junk"]]

    def _again(self, client: Raw) -> Raw:
        """Return the client, or a new one if the server has had enough of it."""
        with suppress(OSError):
            while client.socket.recv(65536):
                pass
            client.close()
            return self._new("junk")
        return client

    def __enter__(self) -> "Company":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for clients in self.clients.values():
            for client in clients:
                client.close()
