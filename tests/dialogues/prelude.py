"""What comes before the subject of a dialogue: greeting, hello, login, SELECT.

Nothing is asked of the replies but that they are the good ones: how they look is the subject of
dialogues of their own.
"""

import base64
import re
from typing import Protocol

ACCOUNT, PASSWORD = "alice@example.org", "secret"
_CODE = re.compile(r"\[(UIDVALIDITY|UIDNEXT) (\d+)\]")


class Line(Protocol):
    """One connection, from the client's side."""

    def send(self, pieces: list[bytes]) -> None: ...
    def line(
        self,
    ) -> str | None: ...  # the next line without CRLF; None: closed; raises AssertionError
    def start_tls(self) -> None: ...
    def close(self) -> None: ...
    def pass_time(self, seconds: float) -> None: ...


def play_prelude(
    line: Line, service: str, steps: list[tuple[str, str]], bound: dict[str, str]
) -> None:
    """Play the steps, as ``(heading, value)``, after the greeting.

    SELECT and EXAMINE bind ``%{uidvalidity}`` and ``%{uidnext}``.
    """
    _reply(line)
    if steps[0][0] != "after":
        _log_in(line, service, ACCOUNT)
    for heading, value in steps:
        if heading != "after":
            _select(line, heading, value, bound)
        elif value.startswith("login"):
            _log_in(line, service, value.removeprefix("login").strip() or ACCOUNT)
        elif value != "greeting":
            _command(line, value, "250")


def _log_in(line: Line, service: str, account: str) -> None:
    if service == "imap":
        _command(line, f"login LOGIN {account} {PASSWORD}", "login OK")
    elif service == "pop3":
        _command(line, f"USER {account}", "+OK")
        _command(line, f"PASS {PASSWORD}", "+OK")
    else:
        plain = base64.b64encode(f"\0{account}\0{PASSWORD}".encode()).decode()
        _command(line, f"AUTH PLAIN {plain}", "235")


def _select(line: Line, heading: str, mailbox: str, bound: dict[str, str]) -> None:
    word = {"selected": "SELECT", "examined": "EXAMINE"}[heading]
    for reply in _command(line, f"select {word} {mailbox}", "select OK"):
        for name, value in _CODE.findall(reply):
            bound.setdefault(name.lower(), value)


def _command(line: Line, text: str, good: str) -> list[str]:
    """Send a command; return the replies, of which the last has to begin with ``good``."""
    line.send([text.encode() + b"\r\n"])
    replies = [_reply(line)]
    while replies[-1].startswith("* ") or replies[-1][3:4] == "-":
        replies.append(_reply(line))
    assert replies[-1].startswith(good), f"the prelude's {text!r} was answered {replies[-1]!r}"
    return replies


def _reply(line: Line) -> str:
    reply = line.line()
    assert reply is not None, "the server closed in the prelude"
    return reply
