"""``twisted-mail reload``: what the running server answers, for people and programs."""

import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.config import load


class Answering:
    """A server's control socket that gives one answer."""

    def __init__(self, path: str, answer: bytes) -> None:
        self.asked = b""
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked = connection.recv(100)
            connection.sendall(self._answer)

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short name: the path of a UNIX socket has at most 107 octets (unix(7))."""
    with tempfile.TemporaryDirectory(prefix="mail-") as folder:
        yield Path(folder)


@pytest.fixture
def answering(server: Any) -> Iterator[Callable[[bytes], Answering]]:
    made: list[Answering] = []

    def begin(answer: bytes) -> Answering:
        made.append(Answering(str(load(server.folder / "mail.toml").control_socket), answer))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def lines(server: Any, answering: Callable[[bytes], Answering], **answer: list[str]) -> list[str]:
    answering(json.dumps(answer).encode() + b"\n")
    server.code = server("reload")
    return str(server.out).splitlines()


def test_what_changed_and_what_needs_a_restart_are_lines(server: Any, answering: Any) -> None:
    answer = {"done": ["[smtp] max_size"], "needs_restart": ["hostname"], "warnings": ["x.pem"]}
    assert lines(server, answering, **answer) == [
        "[smtp] max_size",
        "warning: x.pem",
        "needs a restart: hostname",
    ]
    assert server.code == 0


def test_nothing_may_have_changed(server: Any, answering: Any) -> None:
    assert lines(server, answering, done=[]) == ["nothing changes"]
    assert server.code == 0


def test_mistakes_are_all_shown_and_the_exit_code_says_so(server: Any, answering: Any) -> None:
    found = lines(server, answering, mistakes=["mail.toml:3: a", "mail.toml:4: b"])
    assert found == ["mail.toml:3: a", "mail.toml:4: b", "nothing was changed"]
    assert server.code == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b'{"error": "the server failed"}\n', "the server failed"), (b"", "no answer")],
)
def test_an_error_is_one_line(server: Any, answering: Any, answer: bytes, words: str) -> None:
    asked = answering(answer)
    assert server("reload") == 1
    assert words in server.err
    assert asked.asked == b"reload\n"


def test_without_a_server_the_reason_names_the_configuration(server: Any) -> None:
    assert server("reload") == 1
    assert f"no server runs with {(server.folder / 'mail.toml')}" in server.err


def test_a_configuration_with_mistakes_is_not_even_sent(server: Any) -> None:
    (server.folder / "mail.toml").write_text("hostname = 3\n")
    assert server("reload") == 2
    assert "hostname" in server.err
