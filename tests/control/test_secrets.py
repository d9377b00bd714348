"""How passwords are asked for, made up and read."""

import sys
from collections.abc import Iterator

import pytest

from tests.control.terminal import Terminal


def test_a_password_is_made_up_and_shown_once(server: Terminal) -> None:
    made = server.json("account", "add", "bob@example.org", "--generate")
    assert len(made["password"]) == 23
    assert server("account", "password", "bob@example.org", "--generate") == 0
    assert made["password"] not in server.out


@pytest.fixture
def prompts(server: Terminal) -> Iterator[list[str]]:
    answers: list[str] = []
    server.monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))
    server.type("")
    server.monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    yield answers
    assert not answers


def test_a_password_is_asked_for_twice(server: Terminal, prompts: list[str]) -> None:
    prompts += ["secret", "secret"]
    assert server("account", "add", "bob@example.org") == 0


def test_two_different_passwords_are_refused(server: Terminal, prompts: list[str]) -> None:
    prompts += ["secret", "Secret"]
    assert server("account", "add", "bob@example.org") == 1
    assert "differ" in server.err


def test_without_a_terminal_the_ways_are_named(server: Terminal) -> None:
    server.type("")
    assert server("account", "add", "bob@example.org") == 2
    assert "--password-stdin" in server.err


@pytest.mark.parametrize("data", ["", "\n", b"\xff\n", "x" * 5000, "a\0b\n"])
def test_bad_passwords_from_a_pipe_are_refused(server: Terminal, data: str | bytes) -> None:
    server.type(data)
    assert server("account", "add", "bob@example.org", "--password-stdin") == 1
    assert server.json("account", "list")["accounts"][0]["address"] == "alice@example.org"
