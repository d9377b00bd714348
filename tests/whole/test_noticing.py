"""What other programs do in a maildir reaches clients at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clients import imap
from tests.whole.live import PATIENCE, LiveServer

pytestmark = pytest.mark.whole

ACCOUNT = "bob@example.org"
MESSAGE = b"Subject: dropped\r\n\r\nFrom another program.\r\n"
AT_ONCE = 1.0  # seconds; a tenth of it, on a machine that does nothing else


class Idler:
    """A client that selected INBOX and does what it is told."""

    def __init__(self, server: LiveServer) -> None:
        self._socket = server.connect("imaps")
        self._socket.settimeout(PATIENCE)
        self._unread = b""
        self.line()
        self.ask(b"LOGIN %b secret" % ACCOUNT.encode())
        self.ask(b"SELECT INBOX")

    def line(self, seconds: float = PATIENCE) -> bytes:
        self._socket.settimeout(seconds)
        while b"\r\n" not in self._unread:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return b""
            assert data
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def send(self, data: bytes) -> None:
        self._socket.sendall(data + b"\r\n")

    def ask(self, command: bytes) -> list[bytes]:
        self.send(b"a " + command)
        lines = [self.line()]
        while not lines[-1].startswith(b"a "):
            lines.append(self.line())
        assert lines[-1].startswith(b"a OK"), lines
        return lines[:-1]

    def idle(self) -> None:
        self.send(b"a IDLE")
        assert self.line().startswith(b"+ ")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def maildir(server: LiveServer) -> Path:
    imap(server, ACCOUNT).logout()
    return server.maildir(ACCOUNT)


@pytest.fixture
def idler(server: LiveServer, maildir: Path) -> Iterator[Idler]:
    found = Idler(server)
    yield found
    found.close()


def drop(maildir: Path, name: str, place: str = "new") -> Path:
    """Deliver as a delivery agent does."""
    written = maildir / "tmp" / name
    written.write_bytes(MESSAGE)
    path = maildir / place / name
    written.rename(path)
    return path


def timed(idler: Idler, expected: bytes) -> float:
    """Wait for an answer; return how long that took."""
    began = time.monotonic()
    while True:
        line = idler.line(PATIENCE)
        assert line, f"never heard {expected!r}"
        if expected in line:
            return time.monotonic() - began


def test_mail_dropped_in_by_another_program_reaches_idle_at_once(
    idler: Idler, maildir: Path
) -> None:
    idler.idle()
    took = []
    for number in range(1, 6):
        drop(maildir, f"100{number}.M1P1.other")
        took.append(timed(idler, b"* %d EXISTS" % number))
    assert min(took) < AT_ONCE / 10
    assert max(took) < AT_ONCE


def test_flags_and_removals_of_another_program_reach_idle_at_once(
    idler: Idler, maildir: Path
) -> None:
    first = drop(maildir, "1001.M1P1.other:2,", "cur")
    second = drop(maildir, "1002.M1P1.other:2,", "cur")
    idler.ask(b"NOOP")
    idler.idle()
    first.rename(maildir / "cur" / "1001.M1P1.other:2,F")
    assert timed(idler, b"* 1 FETCH (UID 1 FLAGS (\\Flagged") < AT_ONCE
    second.unlink()
    assert timed(idler, b"* 2 EXPUNGE") < AT_ONCE


def test_noop_tells_what_was_done_before_it(idler: Idler, maildir: Path) -> None:
    for number in range(1, 101):
        drop(maildir, f"{1000 + number}.M1P1.other")
        assert b"* %d EXISTS" % number in idler.ask(b"NOOP")


def test_a_burst_is_told_whole(idler: Idler, maildir: Path) -> None:
    idler.idle()
    for number in range(3000):
        drop(maildir, f"{number}.M1P1.other")
    timed(idler, b"* 3000 EXISTS")
