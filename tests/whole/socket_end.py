"""One end of a dialogue over a real socket."""

import socket
from collections.abc import Sequence


class SocketEnd:
    """Sends pieces and reads lines; what it has received of an unfinished line it keeps."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""

    def send(self, pieces: Sequence[bytes]) -> None:
        self._socket.sendall(b"".join(pieces))

    def line(self) -> str | None:
        while b"\r\n" not in self._received:
            try:
                more = self._socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"so far {self._received!r}") from None
            except OSError:
                more = b""
            if not more:
                assert not self._received, f"an unfinished line: {self._received!r}"
                return None
            self._received += more
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        self._socket.close()

    def pass_time(self, seconds: float) -> None:
        raise AssertionError("time does not pass at will over a socket: say 'play: memory'")
