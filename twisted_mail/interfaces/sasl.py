"""SASL (RFC 4422): the door to a mechanism, and the one way in which protocols go through it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from twisted_mail.mail import base64
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, ProtocolError

MAX_CHALLENGES = 10  # in one exchange; SCRAM, the longest in use, needs three

Ask = Callable[[bytes], Awaitable[bytes]]

_CANCELLED = Outcome(501, "5.7.0", "Authentication cancelled")  # RFC 4954 §4
_TOO_LONG = Outcome(501, "5.5.2", "The authentication has too many steps")


class Exchange(Protocol):
    """One authentication in progress (RFC 4422 §3)."""

    def step(self, response: bytes) -> bytes | Credentials:
        """Take the client's response; return the next challenge, or the credentials.

        Without an initial response, the first call is made with empty bytes if the mechanism is
        ``server_first``. Raises ProtocolError on bytes that the mechanism does not allow.
        """


class Mechanism(Protocol):
    """A SASL mechanism."""

    @property
    def name(self) -> str:
        """Return the registered name, in upper case."""

    @property
    def server_first(self) -> bool:
        """Return whether the server's challenge comes before the client's first response."""

    @property
    def reveals_password(self) -> bool:
        """Return whether a listener could read the password, so that TLS is required."""

    def begin(self) -> Exchange:
        """Start one authentication."""


def usable_mechanisms(mechanisms: Iterable[Mechanism], takes_passwords: bool) -> list[Mechanism]:
    """Return the mechanisms that reveal no password where none may cross the connection."""
    return [each for each in mechanisms if takes_passwords or not each.reveals_password]


async def authenticate(mechanism: Mechanism, initial: bytes | None, ask: Ask) -> Credentials:
    """Hold one exchange, and return the credentials; whether they are right is for ``Login``.

    ``initial`` is the initial response as the client sent it, in Base64, or None. ``ask`` sends a
    challenge, given in Base64, in the protocol's own form, and returns the line that answers it.
    Raises ProtocolError when the client cancels with ``*``, for malformed Base64, for a response that
    the mechanism does not allow and after ``MAX_CHALLENGES``, and whatever ``ask`` raises.
    """
    exchange = mechanism.begin()
    if initial is not None:
        reached = exchange.step(base64.decode_initial(initial))
    else:
        reached = exchange.step(b"") if mechanism.server_first else b""
    for _ in range(MAX_CHALLENGES):
        if isinstance(reached, Credentials):
            return reached
        reached = exchange.step(_response(await ask(base64.encode(reached))))
    raise ProtocolError(_TOO_LONG)


def _response(line: bytes) -> bytes:
    if line == b"*":
        raise ProtocolError(_CANCELLED)
    return base64.decode(line)
