"""Taking a message in: from 354 to the last reply (RFC 5321 §4.1.1.4).

The answer comes only when the message has ended, whatever is wrong with it, so that its bytes are never
taken for commands.
"""

from dataclasses import replace

from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import Decision
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages, lmtp_replies, submission, trace
from twisted_mail.smtp.arrival.edits import apply_edits
from twisted_mail.smtp.arrival.incoming_message import IncomingMessage
from twisted_mail.smtp.command import NEEDS_RECIPIENTS, Command
from twisted_mail.smtp.session import SmtpSession, Transaction
from twisted_mail.smtp.stream.dot_reader import DataReader

OVERSIZE_FACTOR = 10  # times the size allowed: nobody sends that much by mistake


async def data(session: SmtpSession, argument: bytes) -> None:
    """Answer DATA, and the message that follows (RFC 5321 §4.1.1.4)."""
    transaction = session.transaction
    assert transaction is not None
    if transaction.incoming_message is not None or transaction.mail_parameters.body == "BINARYMIME":
        session.refuse(replies.DATA_BY_CHUNKS)  # RFC 3030 §2, §3
        return
    finish_transaction(session, await receive(session, transaction))


async def receive(session: SmtpSession, transaction: Transaction) -> Outcome:
    """Ask for a message, read it, hand it on; return what to answer. Raises ConversationEnded."""
    reception = IncomingMessage(session.backend.blob_writer(), session.settings.max_size)
    session.wire.write(replies.SEND_DATA)  # not before all is ready to read the message
    try:
        await _read(session, reception)
        return await accept(session, transaction, reception)
    finally:
        reception.discard()


def finish_transaction(session: SmtpSession, outcome: Outcome, is_last: bool = True) -> None:
    """Answer a message that has come to its end, or to its fault; end its transaction."""
    if session.settings.is_lmtp and is_last:
        lmtp_replies.reply(session, outcome)
    elif outcome.is_success:
        session.reply(outcome)
        session.errors = session.junk = session.discarded = 0
    else:
        session.refuse_mail(outcome)
    session.end_transaction()


async def _read(session: SmtpSession, reception: IncomingMessage) -> None:
    """Read up to the end of the message, and leave what follows to the framer."""
    reader = DataReader()
    started = session.backend.clock.monotonic()
    piece = reader.feed(session.framer.take())
    while True:
        if piece:
            await spool(session, reception, piece)
        if reader.rest is not None:
            break
        if reception.size > OVERSIZE_FACTOR * session.settings.max_size:
            session.end_reason = "endless message"
            return
        piece = reader.feed(await session.wire.read(time_left(session, reception.size, started)))
        await session.wire.yield_to_others()
    session.framer.feed(reader.rest)
    if reader.is_malformed:
        reception.reject_content(replies.MALFORMED)


async def spool(session: SmtpSession, reception: IncomingMessage, piece: bytes) -> None:
    """Take a piece; a failure is told when the message has ended."""
    try:
        await reception.take(piece)
    except MailError as error:
        reception.reject_content(error.outcome)
    except Exception:
        session.backend.journal.failed(session.settings.service)
        reception.reject_content(replies.BUG)


def time_left(session: SmtpSession, size: int, started: float) -> float:
    """Return how long to wait for the next piece. Raises ConversationEnded if it came too slowly."""
    settings = session.settings
    deadline = started + settings.message_timeout + size / settings.slowest_rate
    seconds = min(settings.block_timeout, deadline - session.backend.clock.monotonic())
    if seconds <= 0:
        raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
    return seconds


async def accept(
    session: SmtpSession, transaction: Transaction, reception: IncomingMessage
) -> Outcome:
    """Hand on a message that has come to its end; return what to answer. Raises ConversationEnded."""
    try:
        return await _accept(session, transaction, reception)
    except MailError as error:
        return error.outcome
    except ConversationEnded:
        raise
    except Exception:
        session.backend.journal.failed(session.settings.service)
        return replies.BUG


async def _accept(
    session: SmtpSession, transaction: Transaction, reception: IncomingMessage
) -> Outcome:
    """Hand the message to the queue, which answers when it is durable."""
    header = reception.header
    if reception.fault is not None:
        return reception.fault
    if trace.count_fields(header, b"received") > session.settings.max_hops:
        return replies.LOOPING
    envelope = transaction.envelope(session.submitter_name)
    if "TLS-Required" in session.backend.queue.supported_keywords and trace.waives_tls(header):
        envelope = replace(envelope, is_tls_optional=not envelope.mail_parameters.requires_tls)
    blob = await reception.finish()
    if submission.is_submission(session):
        envelope, header, blob = await submission.prepare_submission(
            session, envelope, header, blob
        )
    message = Message(blob, _prefix(session, envelope, header))
    taken = Outcome(250, "2.0.0", f"Ok: queued as {envelope.id}")
    try:
        verdict = await filter_stages.at_message(session, header, message)
        envelope, message = apply_edits(envelope, message, session.filter_context, verdict)
    except BaseException:
        message.blob.close()
        raise
    if verdict.is_refusal or verdict.decision is Decision.DISCARD:
        message.blob.close()
        return verdict.answer if verdict.is_refusal else taken
    size = message.blob.size
    if session.settings.is_lmtp:
        transaction.lmtp_outcomes = await lmtp_replies.deliver(session, envelope, message)
        if None not in transaction.lmtp_outcomes.values():
            return taken  # by nobody: what each is told is another thing
    else:
        await session.backend.queue.accept(envelope, message)
    session.backend.journal.received(envelope, session.wire.peer, size)
    return taken


def _prefix(session: SmtpSession, envelope: Envelope, header: bytes) -> bytes:
    backend, now = session.backend, session.backend.clock.now()
    arrival = trace.TraceInfo(
        session.hello,
        session.is_extended,
        session.wire.peer,
        session.wire.tls_info,
        reverse_name=session.client_name
        or (session.filter_context.reverse_name if session.filter_context else ""),
        shows_login=session.settings.shows_login,
        is_lmtp=session.settings.is_lmtp,
    )
    prefix = trace.received(envelope, arrival, backend.hostname, now)
    if session.settings.completes_header and len(header) < trace.MAX_HEADER:
        author = submission.author(envelope)
        prefix += trace.missing_fields(header, envelope.id, backend.hostname, now, author)
    return prefix + trace.separator(header)


COMMANDS = (Command(data, "DATA", NEEDS_RECIPIENTS, needs_login=True, has_argument=False),)
