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
from twisted_mail.smtp.session import SmtpSession, Transaction
from twisted_mail.smtp.stream.dot_reader import DataReader

OVERSIZE_FACTOR = 10  # times the size allowed: nobody sends that much by mistake


async def receive(state: SmtpSession, transaction: Transaction) -> Outcome:
    """Ask for a message, read it, hand it on; return what to answer. Raises ConversationEnded."""
    reception = IncomingMessage(state.backend.blob_writer(), state.settings.max_size)
    state.wire.write(replies.SEND_DATA)  # not before all is ready to read the message
    try:
        await _read(state, reception)
        return await accept(state, transaction, reception)
    finally:
        reception.discard()


def finish_transaction(state: SmtpSession, outcome: Outcome, is_last: bool = True) -> None:
    """Answer a message that has come to its end, or to its fault; end its transaction."""
    if state.settings.is_lmtp and is_last:
        lmtp_replies.reply(state, outcome)
    elif outcome.is_success:
        state.reply(outcome)
        state.errors = state.junk = state.discarded = 0
    else:
        state.refuse_mail(outcome)
    state.end_transaction()


async def _read(state: SmtpSession, reception: IncomingMessage) -> None:
    """Read up to the end of the message, and leave what follows to the framer."""
    reader = DataReader()
    started = state.backend.clock.monotonic()
    piece = reader.feed(state.framer.take())
    while True:
        if piece:
            await spool(state, reception, piece)
        if reader.rest is not None:
            break
        if reception.size > OVERSIZE_FACTOR * state.settings.max_size:
            state.end_reason = "endless message"
            return
        piece = reader.feed(await state.wire.read(time_left(state, reception.size, started)))
        await state.wire.yield_to_others()
    state.framer.feed(reader.rest)
    if reader.is_malformed:
        reception.reject_content(replies.MALFORMED)


async def spool(state: SmtpSession, reception: IncomingMessage, piece: bytes) -> None:
    """Take a piece; a failure is told when the message has ended."""
    try:
        await reception.take(piece)
    except MailError as error:
        reception.reject_content(error.outcome)
    except Exception:
        state.backend.journal.failed(state.settings.service)
        reception.reject_content(replies.BUG)


def time_left(state: SmtpSession, size: int, started: float) -> float:
    """Return how long to wait for the next piece. Raises ConversationEnded if it came too slowly."""
    settings = state.settings
    deadline = started + settings.message_timeout + size / settings.slowest_rate
    seconds = min(settings.block_timeout, deadline - state.backend.clock.monotonic())
    if seconds <= 0:
        raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
    return seconds


async def accept(
    state: SmtpSession, transaction: Transaction, reception: IncomingMessage
) -> Outcome:
    """Hand on a message that has come to its end; return what to answer. Raises ConversationEnded."""
    try:
        return await _accept(state, transaction, reception)
    except MailError as error:
        return error.outcome
    except ConversationEnded:
        raise
    except Exception:
        state.backend.journal.failed(state.settings.service)
        return replies.BUG


async def _accept(
    state: SmtpSession, transaction: Transaction, reception: IncomingMessage
) -> Outcome:
    """Hand the message to the queue, which answers when it is durable."""
    header = reception.header
    if reception.fault is not None:
        return reception.fault
    if trace.count_fields(header, b"received") > state.settings.max_hops:
        return replies.LOOPING
    envelope = transaction.envelope(state.submitter_name)
    if "TLS-Required" in state.backend.queue.supported_keywords and trace.waives_tls(header):
        envelope = replace(envelope, is_tls_optional=not envelope.mail_parameters.requires_tls)
    blob = await reception.finish()
    if submission.is_submission(state):
        envelope, header, blob = await submission.prepare_submission(state, envelope, header, blob)
    message = Message(blob, _prefix(state, envelope, header))
    taken = Outcome(250, "2.0.0", f"Ok: queued as {envelope.id}")
    try:
        verdict = await filter_stages.at_message(state, header, message)
        envelope, message = apply_edits(envelope, message, state.filter_context, verdict)
    except BaseException:
        message.blob.close()
        raise
    if verdict.is_refusal or verdict.decision is Decision.DISCARD:
        message.blob.close()
        return verdict.answer if verdict.is_refusal else taken
    size = message.blob.size
    if state.settings.is_lmtp:
        transaction.lmtp_outcomes = await lmtp_replies.deliver(state, envelope, message)
        if None not in transaction.lmtp_outcomes.values():
            return taken  # by nobody: what each is told is another thing
    else:
        await state.backend.queue.accept(envelope, message)
    state.backend.journal.received(envelope, state.wire.peer, size)
    return taken


def _prefix(state: SmtpSession, envelope: Envelope, header: bytes) -> bytes:
    backend, now = state.backend, state.backend.clock.now()
    arrival = trace.TraceInfo(
        state.hello,
        state.is_extended,
        state.wire.peer,
        state.wire.tls_info,
        reverse_name=state.client_name
        or (state.filter_context.reverse_name if state.filter_context else ""),
        shows_login=state.settings.shows_login,
        is_lmtp=state.settings.is_lmtp,
    )
    prefix = trace.received(envelope, arrival, backend.hostname, now)
    if state.settings.completes_header and len(header) < trace.MAX_HEADER:
        author = submission.author(envelope)
        prefix += trace.missing_fields(header, envelope.id, backend.hostname, now, author)
    return prefix + trace.separator(header)
