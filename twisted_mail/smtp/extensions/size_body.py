"""The message itself: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030)."""

from twisted_mail.mail.envelope import BodyType
from twisted_mail.smtp.extensions.extension import malformed
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.stream.lf_repair import LfRepairWire

_BODIES: dict[str, BodyType] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}


def read_size(session: SmtpSession, value: str | None) -> int:
    """Return the octets that SIZE announces."""
    if not (value and value.isascii() and value.isdigit() and len(value) <= 20):  # RFC 1870 §3
        malformed("SIZE is a number of up to 20 digits")
    return int(value)


def read_body(session: SmtpSession, value: str | None) -> BodyType:
    """Return what BODY says."""
    body = _BODIES.get((value or "").upper())
    if body is None or (body == "BINARYMIME" and not offers_binary(session)):
        malformed("BODY is 7BIT or 8BITMIME" + (" or BINARYMIME" * offers_binary(session)))
    return body


def offers_chunks(session: SmtpSession) -> bool:
    """Return whether BDAT is offered (RFC 3030 §2)."""
    if isinstance(session.wire, LfRepairWire):  # its octets are not those that the client counts
        return False
    return "CHUNKING" not in session.settings.hidden_keywords


def offers_binary(session: SmtpSession) -> bool:
    """Return whether messages may be binary (RFC 3030 §3), which only BDAT can carry."""
    return offers_chunks(session) and "BINARYMIME" not in session.settings.hidden_keywords
