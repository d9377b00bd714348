"""Binary messages (RFC 3030 §3), for a queue that keeps lines: their parts are encoded.

IMAP and POP3 have no words for NUL, or for a CR or LF that stands alone. Whoever decodes the parts finds
the same octets in them.
"""

from twisted_mail.mail.message import PIECE, Blob
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.incoming_message import IncomingChunkedMessage, IncomingMessage
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.stream import conversion

# Octets of a message that is converted; some times its size is needed.
MAX_BINARY = 32 * 1024 * 1024

TOO_LARGE = Outcome(552, "5.3.4", "The message is too large to be converted; encode it")
SIGNED_OR_ENCRYPTED = Outcome(
    554, "5.6.3", "The message is binary, and signed or encrypted; encode it"
)


async def as_text_message(session: SmtpSession, binary: IncomingChunkedMessage) -> IncomingMessage:
    """Return a binary message that has come whole as one of lines, or rejected where that cannot be."""
    if binary.fault is not None:
        return binary
    try:
        return await _as_text_message(session, binary)
    except MailError as error:
        binary.reject_content(error.outcome)
    except Exception:
        session.backend.journal.failed(session.settings.service)
        binary.reject_content(replies.BUG)
    return binary


async def _as_text_message(session: SmtpSession, binary: IncomingChunkedMessage) -> IncomingMessage:
    if binary.size > MAX_BINARY:
        binary.reject_content(TOO_LARGE)
        return binary
    lines = IncomingMessage(session.backend.blob_writer(), 3 * MAX_BINARY)
    blob = await binary.finish()
    try:
        data = await session.backend.blocking.run(_converted, blob)
    finally:
        blob.close()
    if conversion.has_binary(data):
        lines.reject_content(SIGNED_OR_ENCRYPTED)
    for at in range(0, len(data), PIECE):
        await lines.take(data[at : at + PIECE])
    return lines


def _converted(blob: Blob) -> bytes:
    return conversion.converted(b"".join(blob.pieces()))
