"""POP3: commands without end, answers that nobody takes."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.whole.hostile import Raw, good_client_is_served, inbox, raw
from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

LOGIN = b"USER bob@example.org\r\nPASS secret\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("pop3")
    live = LiveServer(folder, "[pop3]\nlogin_timeout = 1.5\n")
    new = live.maildir("bob@example.org") / "new"
    for place in ("new", "cur", "tmp"):
        (new.parent / place).mkdir(parents=True)
    text = b"x" * 70 + b"\r\n"
    for number in range(3):
        (new / f"{number}.test").write_bytes(b"Subject: %d\r\n\r\n" % number + text * 5000)
    yield live
    live.stop()


def test_silence_before_login_ends(server: LiveServer) -> None:
    with raw(server, "pop3") as client:
        assert client.rest() == b""


def test_octets_now_and_then_do_not_put_the_end_off(server: LiveServer) -> None:
    with raw(server, "pop3") as client:
        client.socket.settimeout(0.1)
        for _ in range(60):
            client.send(b"x")
            try:
                client.line()
            except TimeoutError:
                continue
            if client.is_over:
                return
    raise AssertionError("the server waits for ever")


def test_a_line_without_end_is_refused_once(server: LiveServer) -> None:
    with raw(server, "pop3") as client:
        client.send(b"y" * 2_000_000)
        assert client.line().startswith(b"-ERR")
        client.send(b"\r\nCAPA\r\n")
        assert client.line().startswith(b"+OK")


def test_names_and_passwords_of_a_megabyte_are_refused(server: LiveServer) -> None:
    with raw(server, "pop3") as client:
        assert client.ask(b"USER " + b"b" * 1_000_000).startswith(b"-ERR")
        assert client.ask(b"USER bob@example.org").startswith(b"+OK")
        assert client.ask(b"PASS " + b"s" * 1_000_000).startswith(b"-ERR")
        assert client.ask(b"AUTH PLAIN " + b"A" * 1_000_000).startswith(b"-ERR")


@pytest.mark.parametrize(
    "state", [b"", b"USER bob@example.org\r\n", LOGIN, b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n"]
)
@pytest.mark.parametrize(
    "junk", [bytes(range(256)) * 20, b"\0" * 3000, b"\r\n" * 3000, b"\xff" * 3000 + b"\r\n"]
)
def test_junk_ends_in_words_of_the_protocol(server: LiveServer, state: bytes, junk: bytes) -> None:
    with raw(server, "pop3") as client:
        client.send(state + junk)
        for line in client.finish().split(b"\r\n"):
            assert line.startswith((b"+OK", b"-ERR", b"+ ", b"PLAIN", b"LOGIN", b".")) or not line
    good_client_is_served(server)


@pytest.mark.parametrize(
    "command",
    [
        b"RETR 0", b"RETR -1", b"RETR 99999999999999999999", b"RETR 1 1", b"RETR \xb2", b"TOP 1",
        b"TOP 1 -1", b"TOP 1 99999999999", b"DELE 4294967296", b"LIST x", b"UIDL 1:3", b"RETR ../1",
        b"TOP 1 1e9", b"LIST 00000000000000001",
    ],
)  # fmt: skip
def test_numbers_that_are_none_are_refused(server: LiveServer, command: bytes) -> None:
    with raw(server, "pop3") as client:
        client.send(LOGIN)
        client.until(b"+OK 3")
        assert client.ask(command).startswith(b"-ERR")
        client.ask(b"QUIT")


def test_who_never_reads_holds_little_and_loses_nothing(server: LiveServer) -> None:
    client = raw(server, "pop3")
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.send(LOGIN + b"RETR 1\r\nRETR 2\r\nRETR 3\r\nDELE 1\r\n" * 300)
    good_client_is_served(server)
    conversation = _conversation(server)
    assert len(conversation.transport.dataBuffer) < 1_000_000
    client.close()
    assert len(inbox(server)) == 3


def _conversation(server: LiveServer) -> object:
    """Return the conversation that is logged in."""
    listeners = server.service.listeners.all
    factory: Any = next(one.factory for one in listeners if "pop3 on" in one.description)
    conversations = [one for one in factory._open if one.transport is not None]
    return max(conversations, key=lambda one: len(one.transport.dataBuffer))


def test_a_deletion_needs_its_quit(server: LiveServer) -> None:
    before = sorted(inbox(server))
    with raw(server, "pop3") as client:
        client.send(LOGIN + b"DELE 1\r\nDELE 2\r\nQUI")
        client.finish()
    assert sorted(inbox(server)) == before


def test_the_maildrop_is_free_again_when_its_holder_vanishes(server: LiveServer) -> None:
    client: Raw = raw(server, "pop3")
    client.send(LOGIN)
    client.until(b"+OK 3")
    client.close()
    for _ in range(50):
        with raw(server, "pop3") as other:
            other.send(LOGIN)
            answers = [other.line(), other.line()]
            if answers[-1].startswith(b"+OK"):
                return
    raise AssertionError(answers)
