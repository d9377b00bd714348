"""What the control command prints."""

import io
import sys

from tests.control.terminal import Terminal


def test_terminals_without_unicode_are_served(server: Terminal) -> None:
    server("account", "add", "ärger@example.org", "--generate")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    server.monkeypatch.setattr(sys, "stdout", narrow)
    assert server("account", "list") == 0
    narrow.seek(0)
    assert r"\xe4rger@example.org" in narrow.read()


def test_names_cannot_steer_the_terminal(server: Terminal) -> None:
    assert server("domain", "add", "\x1b[2J") == 1
    assert "\x1b" not in server.err
