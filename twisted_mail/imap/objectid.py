"""Object identifiers as clients see them (RFC 8474).

The store's own names get a letter before them, so that none of an email is ever one of a thread, nor
begins with a digit, nor looks like NIL (RFC 8474 §8.1).
"""

from enum import Enum

from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.outcome import ProtocolError

MAX_LENGTH = 255  # RFC 8474 §7


class ObjectIdKind(Enum):
    """What has the identifier, by the letter before it."""

    EMAIL = "M"
    THREAD = "T"
    MAILBOX = "F"


def formatted(letter: ObjectIdKind, name: str) -> bytes:
    """Return an identifier in parentheses, as all answers have it."""
    return f"({letter.value}{name})".encode("ascii")


def read(reader: Reader, letter: ObjectIdKind) -> str:
    """Read an identifier; return the store's name, empty where it is one of something else."""
    text = reader.atom()
    if len(text) > MAX_LENGTH or not text.replace("-", "").replace("_", "").isalnum():
        raise ProtocolError("Malformed object identifier")
    return text.removeprefix(letter.value) if text.startswith(letter.value) else ""
