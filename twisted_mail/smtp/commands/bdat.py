"""Messages in chunks: BDAT (RFC 3030 §2).

| BDAT | is answered | and then |
| --- | --- | --- |
| after RCPT, or after another | 250 | the transaction goes on |
| with LAST | as the end of DATA is | the transaction has ended |
| that fails | why | the transaction has ended |
| out of order, or after one that failed | 503 or 554 | nothing has changed |
| malformed | 501 | the conversation ends, as nobody knows what follows |

Whatever the answer, the octets of the chunk are read first, so that they are never taken for commands.
"""

from dataclasses import replace

from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival.binary_to_text import as_text_message
from twisted_mail.smtp.arrival.incoming_message import IncomingChunkedMessage, IncomingMessage
from twisted_mail.smtp.arrival.steps import finish_message
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.commands.data import take_piece, time_left
from twisted_mail.smtp.extensions.size_body import offers_chunks
from twisted_mail.smtp.limits import OVERSIZE_FACTOR
from twisted_mail.smtp.session import Phase, SmtpSession
from twisted_mail.smtp.transaction import Transaction


async def bdat(session: SmtpSession, argument: bytes) -> None:
    """Answer BDAT octets [LAST], and the chunk that follows."""
    chunk = grammar.parse_chunk(argument)
    if chunk is None:
        session.end_session(replies.CHUNK_SYNTAX, "malformed BDAT")
        return
    octets, is_last = chunk
    if not octets and not is_last:
        session.limits.count_junk()
    refusal = _refusal(session)
    if refusal is not None:
        await _refuse(session, octets, is_last, refusal)
    else:
        transaction = session.transaction
        assert transaction is not None
        await _take(session, transaction, octets, is_last)


def _refusal(session: SmtpSession) -> bytes | None:
    """Return why a chunk is not wanted, or None."""
    if not offers_chunks(session):
        return replies.NOT_OFFERED
    if session.lacks_login:
        return session.login_refusal
    return _REFUSED.get(session.phase)


_REFUSED = {
    Phase.CONNECTED: replies.HELLO_FIRST,
    Phase.GREETED: replies.MAIL_FIRST,
    Phase.SENDER: replies.RECIPIENTS_FIRST,
}


async def _refuse(session: SmtpSession, octets: int, is_last: bool, refusal: bytes) -> None:
    """Read a chunk that is not wanted, and answer."""
    if session.limits.count_discarded(octets):
        session.end_session(refusal, "endless message")
        return
    replies_wanted = _reply_count(session, is_last)
    await _read(session, octets, None)
    if session.is_discarding:  # it may have been sent before the client saw the first refusal
        session.wire.write(refusal * replies_wanted)
        session.is_discarding = not is_last
        session.limits.count_junk()
    else:
        session.refuse(refusal * replies_wanted)


def _reply_count(session: SmtpSession, is_last: bool) -> int:
    """Return how many replies a chunk gets that is refused (RFC 2033 §4.3)."""
    if not is_last:
        return 1
    if session.is_discarding:
        return session.replies_owed
    return 1 if session.transaction is None else session.transaction.reply_count


async def _take(session: SmtpSession, transaction: Transaction, octets: int, is_last: bool) -> None:
    """Take a chunk of the message, and answer."""
    incoming = transaction.incoming_message or _begin(session, transaction)
    if incoming is None:
        session.end_transaction()
        session.is_discarding = True
        await _refuse(session, octets, is_last, replies.encode(replies.BUG))
        return
    if incoming.size + octets > session.settings.max_size:
        incoming.reject_content(replies.TOO_LARGE)
    if incoming.size + octets > OVERSIZE_FACTOR * session.settings.max_size:
        session.end_session(replies.encode(replies.TOO_LARGE), "endless message")
        return
    time_left(session, incoming.size, incoming.started)  # a chunk may come with its command
    await _read(session, octets, incoming)
    if is_last:
        await _finish(session, transaction, incoming)
    elif incoming.fault is not None:
        session.replies_owed = transaction.reply_count
        session.refuse_mail(incoming.fault)
        session.end_transaction()
        session.is_discarding = True
    else:
        session.wire.write(replies.encode(Outcome(250, "2.0.0", f"{octets} octets received")))


def _begin(session: SmtpSession, transaction: Transaction) -> IncomingChunkedMessage | None:
    """Begin to keep a message; return None when there is nowhere to put it."""
    try:
        writer = session.backend.blob_writer()
    except Exception:
        session.backend.journal.failed(session.settings.service)
        return None
    is_binary = transaction.mail_parameters.body == "BINARYMIME"
    started = session.backend.clock.monotonic()
    transaction.incoming_message = IncomingChunkedMessage(
        writer, session.settings.max_size, is_binary, started
    )
    return transaction.incoming_message


async def _finish(
    session: SmtpSession, transaction: Transaction, incoming: IncomingChunkedMessage
) -> None:
    """Hand on the message that has come whole."""
    if incoming.is_line_open:
        await take_piece(session, incoming, b"\r\n")  # as DATA would have made it
    if incoming.is_malformed:
        incoming.reject_content(replies.MALFORMED)
    whole: IncomingMessage = incoming
    if (
        transaction.mail_parameters.body == "BINARYMIME"
        and "BINARYMIME" not in session.backend.queue.supported_keywords
    ):
        whole = await as_text_message(session, incoming)
        transaction.mail_parameters = replace(transaction.mail_parameters, body="8BITMIME")
    await finish_message(session, transaction, whole)


async def _read(session: SmtpSession, octets: int, incoming: IncomingChunkedMessage | None) -> None:
    """Read a chunk to its end, into a message or nowhere. Raises ConversationEnded."""
    started = incoming.started if incoming else session.backend.clock.monotonic()
    left = octets
    while left:
        piece = session.framer.take_up_to(left)
        if piece:
            left -= len(piece)
            if incoming is not None:
                await take_piece(session, incoming, piece)
            continue
        size = incoming.size if incoming else octets - left
        session.framer.feed(await session.wire.read(time_left(session, size, started)))
        await session.wire.yield_to_others()


COMMANDS = (
    Command(
        bdat,
        "BDAT octets [LAST]",
        keyword="CHUNKING",
        is_open=lambda session: not session.lacks_login and session.phase not in _REFUSED,
    ),
)
