"""Every dialogue of the client again, over TCP and over TLS."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.client_player import play
from tests.dialogues.score import Dialogue, StartTls, client_dialogues
from tests.dialogues.sent_mail import SentMail, in_words, settings, transactions
from tests.smtp.dialogue.hosts import SETTINGS, mail
from tests.whole.next_hops import Certified, Listening, read_until, say
from tests.whole.socket_end import SocketEnd
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.trust import Demand, TlsLevel
from twisted_mail.smtp.dialogue.content import stuffed

pytestmark = pytest.mark.whole

CLEAR = replace(SETTINGS, demand=Demand(TlsLevel.NONE))


def ways_of(dialogue: Dialogue) -> list[str]:
    """Return the ways to play a dialogue; those about STARTTLS and logins are not played under TLS."""
    text = dialogue.path.read_text()
    is_about_tls = any(isinstance(step, StartTls) for step in dialogue.steps) or "TLS" in text
    ways = ["tcp"] if is_about_tls or "AUTH" in text else ["tcp", "tls"]
    return [way for way in ways if dialogue.plays(way)]


WAYS = [
    pytest.param(dialogue, way, id=f"{dialogue.path.stem}-{way}")
    for dialogue in client_dialogues()
    for way in ways_of(dialogue)
]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def hop(certified: Certified) -> Iterator[Listening]:
    listening = Listening(certified.authority)
    yield listening
    listening.close()


class SocketServerLine(SocketEnd):
    """The server's end of a connection over a socket."""

    def __init__(self, connection: socket.socket, certified: Certified, way: str) -> None:
        super().__init__(connection)
        self._certified = certified
        if way == "tls":
            self.start_tls()

    def expect_silence(self) -> None:
        assert self._received == b"", f"the client says more: {self._received[:200]!r}"

    def start_tls(self) -> None:
        self._socket = self._certified.context().wrap_socket(self._socket, server_side=True)

    def break_tls(self) -> None:
        raise AssertionError("say 'play: memory'")


@pytest.mark.parametrize(("dialogue", "way"), WAYS)
def test_the_dialogue_goes_as_written(
    dialogue: Dialogue, way: str, hop: Listening, certified: Certified
) -> None:
    supply = SentMail(transactions(dialogue))
    wanted = replace(settings(dialogue), is_tls_implicit=way == "tls")
    handing = hop.hand_on(supply, wanted)
    play(dialogue, lambda number: SocketServerLine(hop.accept(), certified, way))
    end = handing.end()
    assert supply.results == dialogue.results
    assert (in_words(end) if end else None) == dialogue.headings.get("ends")
    assert all(attempt.tls.startswith("TLS") for _, _, attempt in supply.attempts if way == "tls")


class PathBlob:
    """A blob in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(start)
            yield file.read((self.size if stop is None else stop) - start)

    def close(self) -> None: ...


def from_file(path: Path) -> Transaction:
    return replace(mail(), message=Message(PathBlob(path)))


def test_a_large_message_arrives_whole(hop: Listening, tmp_path: Path) -> None:
    """It is read in a thread, a chunk at a time, and sent as fast as the other side takes it."""
    content = b"Subject: x\r\n\r\n" + b"".join(b".%d\r\n" % number for number in range(400_000))
    file = tmp_path / "body"
    file.write_bytes(content)
    supply = SentMail([from_file(file)])
    handing = hop.hand_on(supply, CLEAR)
    connection = hop.accept()
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"\r\n")
    say(connection, ["250-mx", "250-8BITMIME", "250 PIPELINING"])
    read_until(connection, b"DATA\r\n")
    say(connection, ["250 Ok", "250 Ok", "354 Go"])
    sent = read_until(connection, b"\r\n.\r\n")
    say(connection, ["250 Ok"])
    read_until(connection, b"QUIT\r\n")
    connection.close()
    assert handing.end() is None
    assert sent == stuffed(content)
