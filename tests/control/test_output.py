"""What the control command prints."""

import errno
import io
import sys

import pytest

from tests.control.terminal import Terminal
from twisted_mail.control.output import os_error_text


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


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EACCES, "no", b"/a/\xc3\xbc"), "/a/ü: no"),
        (OSError(errno.EACCES, "no", "/a"), "/a: no"),
        (OSError(errno.EACCES, "no", 3), "no"),
        (OSError("alone"), "alone"),
    ],
)
def test_an_error_of_the_system_names_its_file_as_people_write_it(
    error: OSError, text: str
) -> None:
    assert os_error_text(error) == text
