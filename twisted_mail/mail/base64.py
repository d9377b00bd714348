"""Base64 as in SASL exchanges (RFC 4648 §4): strict, on one line, nothing ignored."""

from base64 import b64decode, b64encode
from binascii import Error

from twisted_mail.mail.outcome import Outcome, ProtocolError

_MALFORMED = Outcome(501, "5.5.2", "Malformed Base64")


def decode(text: bytes) -> bytes:
    """Return the octets that ``text`` encodes; empty text encodes none.

    Raises ProtocolError (501, as RFC 4954 §4 wants it) on any character outside the alphabet, on
    padding that is missing or not at the end, and on spare bits that are not zero.
    """
    try:
        data = b64decode(text, validate=True)
    except (Error, ValueError):
        raise ProtocolError(_MALFORMED) from None
    if b64encode(data) != text:  # validate=True lets "=" inside and stray bits at the end through
        raise ProtocolError(_MALFORMED)
    return data


def encode(data: bytes) -> bytes:
    """Return the Base64 of ``data``, in one line."""
    return b64encode(data)


def decode_initial(text: bytes) -> bytes:
    """Return an initial response (RFC 4954 §4, RFC 5034 §4, RFC 4959 §3).

    A single ``=`` is the empty response. Raises ProtocolError.
    """
    return b"" if text == b"=" else decode(text)
