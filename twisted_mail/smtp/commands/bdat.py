"""Messages in chunks: BDAT (RFC 3030 §2).

| BDAT | is answered | and then |
| --- | --- | --- |
| after RCPT, or after another | 250 | the transaction goes on |
| with LAST | as the end of DATA is | the transaction has ended |
| that fails | why | the transaction has ended |
| out of order, or behind one that failed | 503 or 554 | nothing has changed |
| malformed | 501 | the conversation ends, as nobody knows what follows |

Whatever the answer, the octets of the chunk are read first, so that they are never taken for commands.
"""

from dataclasses import replace

from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import lmtp_replies
from twisted_mail.smtp.arrival.incoming_message import IncomingChunkedMessage, IncomingMessage
from twisted_mail.smtp.commands.data import (
    OVERSIZE_FACTOR,
    accept,
    finish_transaction,
    spool,
    time_left,
)
from twisted_mail.smtp.extensions.size_body import offers_chunks
from twisted_mail.smtp.session import Phase, SmtpSession, Transaction
from twisted_mail.smtp.stream.binary import as_text_message


async def bdat(state: SmtpSession, argument: bytes) -> None:
    """Answer BDAT octets [LAST], and the chunk that follows."""
    chunk = grammar.parse_chunk(argument)
    if chunk is None:
        state.end_session(replies.CHUNK_SYNTAX, "malformed BDAT")
        return
    octets, is_last = chunk
    if not octets and not is_last:
        state.count_junk()
    refusal = _refusal(state)
    if refusal is not None:
        await _refuse(state, octets, is_last, refusal)
    else:
        transaction = state.transaction
        assert transaction is not None
        await _take(state, transaction, octets, is_last)


def _refusal(state: SmtpSession) -> bytes | None:
    """Return why a chunk is not wanted, or None."""
    if not offers_chunks(state):
        return replies.NOT_OFFERED
    if state.lacks_login:
        return state.login_refusal
    return _REFUSED.get(state.phase)


_REFUSED = {
    Phase.CONNECTED: replies.HELLO_FIRST,
    Phase.GREETED: replies.MAIL_FIRST,
    Phase.SENDER: replies.RECIPIENTS_FIRST,
}


async def _refuse(state: SmtpSession, octets: int, is_last: bool, refusal: bytes) -> None:
    """Read a chunk that nobody wants, and answer."""
    state.discarded += octets
    if state.discarded > OVERSIZE_FACTOR * state.settings.max_size:
        state.end_session(refusal, "endless message")
        return
    replies_wanted = lmtp_replies.replies_to_chunk(state, is_last)
    await _read(state, octets, None)
    if state.is_discarding:  # it may have been sent before the first refusal was heard
        state.wire.write(refusal * replies_wanted)
        state.is_discarding = not is_last
        state.count_junk()
    else:
        state.refuse(refusal * replies_wanted)


async def _take(state: SmtpSession, transaction: Transaction, octets: int, is_last: bool) -> None:
    """Take a chunk of the message, and answer."""
    reception = transaction.incoming_message or _begin(state, transaction)
    if reception is None:
        state.end_transaction()
        state.is_discarding = True
        await _refuse(state, octets, is_last, replies.encode(replies.BUG))
        return
    if reception.size + octets > state.settings.max_size:
        reception.reject_content(replies.TOO_LARGE)
    if reception.size + octets > OVERSIZE_FACTOR * state.settings.max_size:
        state.end_session(replies.encode(replies.TOO_LARGE), "endless message")
        return
    time_left(state, reception.size, reception.started)  # a chunk may come with its command
    await _read(state, octets, reception)
    if is_last:
        await _finish(state, transaction, reception)
    elif reception.fault is not None:
        state.replies_owed = lmtp_replies.replies_to_chunk(state, is_last=True)
        finish_transaction(state, reception.fault, is_last=False)
        state.is_discarding = True
    else:
        state.wire.write(replies.encode(Outcome(250, "2.0.0", f"{octets} octets received")))


def _begin(state: SmtpSession, transaction: Transaction) -> IncomingChunkedMessage | None:
    """Begin to keep a message; return None when there is nowhere to put it."""
    try:
        writer = state.backend.blob_writer()
    except Exception:
        state.backend.journal.failed(state.settings.service)
        return None
    is_binary = transaction.mail_parameters.body == "BINARYMIME"
    started = state.backend.clock.monotonic()
    transaction.incoming_message = IncomingChunkedMessage(
        writer, state.settings.max_size, is_binary, started
    )
    return transaction.incoming_message


async def _finish(
    state: SmtpSession, transaction: Transaction, reception: IncomingChunkedMessage
) -> None:
    """Hand on the message that has come whole."""
    if reception.is_line_open:
        await spool(state, reception, b"\r\n")  # as DATA would have made it
    if reception.is_malformed:
        reception.reject_content(replies.MALFORMED)
    whole: IncomingMessage = reception
    if (
        transaction.mail_parameters.body == "BINARYMIME"
        and "BINARYMIME" not in state.backend.queue.supported_keywords
    ):
        whole = await as_text_message(state, reception)
        transaction.mail_parameters = replace(transaction.mail_parameters, body="8BITMIME")
    try:
        finish_transaction(state, await accept(state, transaction, whole))
    finally:
        whole.discard()


async def _read(state: SmtpSession, octets: int, reception: IncomingChunkedMessage | None) -> None:
    """Read a chunk to its end, into a message or nowhere. Raises ConversationEnded."""
    started = reception.started if reception else state.backend.clock.monotonic()
    left = octets
    while left:
        piece = state.framer.take_up_to(left)
        if piece:
            left -= len(piece)
            if reception is not None:
                await spool(state, reception, piece)
            continue
        size = reception.size if reception else octets - left
        state.framer.feed(await state.wire.read(time_left(state, size, started)))
        await state.wire.yield_to_others()
