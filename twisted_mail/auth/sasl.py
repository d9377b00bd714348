"""SASL mechanisms (RFC 4422): credentials from the client's responses.

Names and passwords are used as they come, without SASLprep: what is stored and what is typed are
compared octet by octet in UTF-8, which RFC 4616 §2 allows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.interfaces import Exchange, Mechanism
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, ProtocolError

MAX_TEXT = 1020  # octets of a name or password: 255 characters of four octets (RFC 4616 §2)


@dataclass(slots=True)
class PlainExchange:
    """One PLAIN authentication (RFC 4616 §2): everything in a single response."""

    def step(self, response: bytes) -> Credentials:
        """Return the credentials in the response."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            raise _malformed("PLAIN needs three parts with a NUL between them")
        acting_as, name, password = parts
        return Credentials(
            name=_text(name, "The user name"),
            password=_text(password, "The password"),
            acting_as=_text(acting_as, "The identity") if acting_as else "",
            mechanism="PLAIN",
        )


@dataclass(slots=True)
class LoginExchange:
    """One LOGIN authentication: name and password asked for in turn.

    No RFC defines it; draft-murchison-sasl-login describes what clients do. Outlook sends the name as the
    initial response.
    """

    _has_asked: bool = False
    _name: str = ""

    def step(self, response: bytes) -> bytes | Credentials:
        """Return the next question, or the credentials."""
        if self._name:
            return Credentials(self._name, _text(response, "The password"), mechanism="LOGIN")
        if not response and not self._has_asked:
            self._has_asked = True
            return b"Username:"
        self._name = _text(response, "The user name")
        return b"Password:"


def _text(octets: bytes, what: str) -> str:
    if not octets:
        raise _malformed(f"{what} is empty")
    if len(octets) > MAX_TEXT:
        raise _malformed(f"{what} is too long")
    if b"\0" in octets:
        raise _malformed(f"{what} holds a NUL")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise _malformed(f"{what} is not UTF-8") from None


def _malformed(text: str) -> ProtocolError:
    return ProtocolError(Outcome(501, "5.5.2", text))


@dataclass(frozen=True, slots=True)
class PasswordMechanism:
    """A mechanism that sends the password itself, and so needs TLS."""

    name: str
    server_first: bool
    exchange: Callable[[], Exchange]
    reveals_password: bool = True

    def begin(self) -> Exchange:
        """Start one authentication."""
        return self.exchange()


PLAIN = PasswordMechanism("PLAIN", server_first=False, exchange=PlainExchange)
LOGIN = PasswordMechanism("LOGIN", server_first=True, exchange=LoginExchange)
MECHANISMS: tuple[Mechanism, ...] = (PLAIN, LOGIN)
