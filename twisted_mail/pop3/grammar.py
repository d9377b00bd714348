"""Commands and replies: bytes into values and back (RFC 1939 §3, RFC 2449 §3)."""

import re

from twisted_mail.mail.outcome import MailError, ProtocolError, Refused, Unavailable

MAX_REPLY = 512  # octets of a reply's first line, with its CRLF (RFC 2449 §4)
_NUMBER = re.compile(rb"[0-9]{1,10}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def parse(line: bytes) -> tuple[str, bytes]:
    """Split a line into the keyword, in upper case, and all that follows the space after it.

    The keyword need not be one, and spaces at the end of the argument are kept.
    """
    keyword, _, argument = line.partition(b" ")
    return keyword.upper().decode("latin-1"), argument


def no_argument(argument: bytes) -> None:
    """Raise ProtocolError if there is an argument."""
    if argument.strip(b" "):
        raise ProtocolError("This command takes no argument")


def number(argument: bytes) -> int:
    """Read one message number. Raises ProtocolError."""
    return _number(argument.strip(b" "), "A message number is needed")


def number_and_lines(argument: bytes) -> tuple[int, int]:
    """Read a message number and a number of lines. Raises ProtocolError."""
    words = argument.split()
    if len(words) != 2:
        raise ProtocolError("A message number and a number of lines are needed")
    first = _number(words[0], "The message number is malformed")
    return first, _number(words[1], "The number of lines is malformed")


def _number(word: bytes, otherwise: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise ProtocolError(otherwise)
    return int(word)


def text(argument: bytes, what: str) -> str:
    """Read an argument that is UTF-8 (RFC 6856 §2.2) and has no NUL. Raises ProtocolError."""
    if not argument:
        raise ProtocolError(f"{what} is needed")
    try:
        decoded = argument.decode()
    except UnicodeDecodeError:
        raise ProtocolError(f"{what} is not UTF-8") from None
    if "\0" in decoded:
        raise ProtocolError(f"{what} holds a NUL")
    return decoded


def ok(words: str = "") -> bytes:
    """Write a positive reply."""
    return _reply("+OK", words)


def err(words: str, code: str = "") -> bytes:
    """Write a negative reply, with an extended response code (RFC 2449 §8) or without."""
    words = words.lstrip("[")  # only a response code may begin with one
    return _reply("-ERR", f"[{code}] {words}" if code else words)


def _reply(status: str, words: str) -> bytes:
    line = f"{status} {_UNPRINTABLE.sub('?', words)}" if words else status
    return line[: MAX_REPLY - 2].encode("ascii") + b"\r\n"


def refusal(error: MailError, is_login: bool = False) -> bytes:
    """Write the reply that an error stands for, with its response code (RFC 3206, RFC 2449 §8.1).

    A refused login is a matter of credentials, and says AUTH, unless it will pass by itself.
    """
    return err(error.outcome.text, _code(error, is_login))


def _code(error: MailError, is_login: bool) -> str:
    if error.condition == "IN-USE":
        return "IN-USE"
    if error.condition == "CONTACTADMIN":
        return "SYS/PERM"
    if isinstance(error, Unavailable) or (
        isinstance(error, Refused) and error.outcome.is_temporary
    ):
        return "SYS/TEMP"
    if isinstance(error, Refused) and error.condition != "NONEXISTENT":
        return "AUTH" if is_login else "SYS/PERM"
    return ""


def unique_id(uid: int, uidvalidity: int) -> bytes:
    """Write a unique id (RFC 1939 §7, UIDL) as Dovecot does by default (``%08Xu%08Xv``).

    Clients of a maildir that Dovecot served before therefore download nothing twice.
    """
    return b"%08x%08x" % (uid, uidvalidity)
