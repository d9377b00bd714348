"""DATA: a message from 354 to the last reply (RFC 5321 §4.1.1.4).

The answer comes only when the message has ended, whatever is wrong with it, so that its bytes are never
taken for commands.
"""

from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import MailError
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.incoming_message import IncomingMessage
from twisted_mail.smtp.arrival.steps import finish_message
from twisted_mail.smtp.command_definition import NEEDS_RECIPIENTS, Command
from twisted_mail.smtp.limits import OVERSIZE_FACTOR
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.stream.dot_reader import DataReader


async def data(session: SmtpSession, argument: bytes) -> None:
    """Answer DATA, and the message that follows. Raises ConversationEnded."""
    transaction = session.transaction
    assert transaction is not None
    if transaction.incoming_message is not None or transaction.mail_parameters.body == "BINARYMIME":
        session.refuse(replies.DATA_BY_CHUNKS)  # RFC 3030 §2, §3
        return
    incoming = IncomingMessage(session.backend.blob_writer(), session.settings.max_size)
    session.wire.write(replies.SEND_DATA)  # not before all is ready to read the message
    try:
        await _read(session, incoming)
    except BaseException:
        incoming.discard()
        raise
    await finish_message(session, transaction, incoming)


async def _read(session: SmtpSession, incoming: IncomingMessage) -> None:
    """Read up to the end of the message, and leave what follows to the framer."""
    reader, settings = DataReader(session.submitter is not None), session.settings
    started = session.backend.clock.monotonic()
    chunk = session.framer.take()  # what came with the command
    if not chunk:
        chunk = await session.wire.read(min(settings.block_timeout, settings.message_timeout))
    while True:
        piece, chunk = reader.feed(chunk), b""
        if piece:
            await take_piece(session, incoming, piece)
        piece = b""  # nothing of what was kept is held twice while more is waited for
        if reader.rest is not None:
            break
        if incoming.size > OVERSIZE_FACTOR * settings.max_size:
            session.end_reason = "endless message"
            return
        chunk = await session.wire.read(time_left(session, incoming.size, started))
        await session.wire.yield_to_others()
    if reader.rest:
        session.framer.feed(reader.rest)
    if reader.is_malformed:
        incoming.reject_content(replies.MALFORMED)


async def take_piece(session: SmtpSession, incoming: IncomingMessage, piece: bytes) -> None:
    """Take a piece; a failure is answered when the message has ended."""
    try:
        await incoming.take(piece)
    except MailError as error:
        incoming.reject_content(error.outcome)
    except Exception:
        session.backend.journal.failed(session.settings.service)
        incoming.reject_content(replies.BUG)


def time_left(session: SmtpSession, size: int, started: float) -> float:
    """Return how long to wait for the next piece. Raises ConversationEnded if it came too slowly."""
    settings = session.settings
    deadline = started + settings.message_timeout + size / settings.slowest_rate
    seconds = min(settings.block_timeout, deadline - session.backend.clock.monotonic())
    if seconds <= 0:
        raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
    return seconds


COMMANDS = (Command(data, "DATA", NEEDS_RECIPIENTS, needs_login=True, has_argument=False),)
