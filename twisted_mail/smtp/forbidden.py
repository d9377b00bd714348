"""What no client of SMTP says: other protocols, and messages where commands belong.

It ends the conversation at once, since the lines that follow are not meant for us either. A web page can
have a browser send HTTP to this port with commands in its body, and a client that passes over a refusal
of DATA sends its message as commands.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from twisted_mail.smtp.framing import BadLine, Flaw

_WORD = re.compile(rb"[^ \t]*")
_FIELD = re.compile(rb"[!-9;-~]+:")  # how a field of a header begins, of HTTP or of a message
_NAME = re.compile(r"[!-~]+")


@lru_cache(maxsize=16)
def parse_commands(texts: tuple[str, ...]) -> frozenset[bytes]:
    """Return the forbidden commands in upper case. Raises ValueError for what cannot be one."""
    for text in texts:
        if not _NAME.fullmatch(text):
            raise ValueError(f"forbidden_commands has {text!r}, which is no command")
    return frozenset(text.upper().encode() for text in texts)


def forbidden_word(line: bytes | BadLine, commands: Sequence[str]) -> str:
    """Return what in a line ends the conversation, or an empty text.

    With no ``commands`` everything is allowed; else fields of headers, and TLS, are forbidden too.
    """
    if not commands:
        return ""
    if isinstance(line, BadLine):
        if line.flaw is Flaw.TLS:
            return "TLS"
        line = line.head
    line = line.lstrip(b" \t")
    word = _WORD.match(line)
    assert word is not None  # an empty one is one too
    if word[0].upper() in parse_commands(tuple(commands)):
        return word[0].upper().decode("ascii")
    field = _FIELD.match(line)
    return field[0][:40].decode("ascii") if field else ""
