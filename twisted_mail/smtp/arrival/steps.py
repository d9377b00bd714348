"""The steps of a message's arrival, from its last octet to the reply (RFC 5321 §4.1.1.4, §4.2.5).

| step | does | may end the arrival with |
| --- | --- | --- |
| fault | looks whether the message came whole | what was wrong with it |
| spool | has its octets in one place, and its header | 452: there is no space |
| tls-required | reads TLS-Required (RFC 8689 §3) | |
| loop | counts its Received fields | 554: it is in a loop |
| own-fields | removes fields that would pass for ours (``forged_fields``) | |
| header, author, bcc, encoding | what a submission server does (``submission``) | 550: not your name |
| nul | looks for NUL that could not be encoded; not in LMTP, where a refusal would be a bounce | 550 |
| trace | writes our fields in front (``trace``) | |
| filters | asks the filters (``filter_stages``) | what they refuse it with |
| edits | does what they want altered (``edits``) | |
| discard | drops what they want dropped | 250 all the same |
| accept | hands it to the queue, which delivers it | why it cannot be delivered |
| answer | replies; it is run in any case | |

LMTP accepts for each recipient apart, and answers so (``lmtp_replies``).
"""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.route import KnownRoutes
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages, lmtp_replies, submission, trace
from twisted_mail.smtp.arrival.arrival import NO_MESSAGE, Arrival
from twisted_mail.smtp.arrival.forged_fields import NAMES, remove_own_fields
from twisted_mail.smtp.arrival.incoming_message import FieldNames, IncomingMessage
from twisted_mail.smtp.backend import ArrivalStep
from twisted_mail.smtp.limits import RecentCounts
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Settings
from twisted_mail.smtp.transaction import NO_NOTIFICATIONS, Transaction


async def finish_message(
    session: SmtpSession, transaction: Transaction, incoming: IncomingMessage
) -> None:
    """Take a message that has come to its end through the steps; end its transaction.

    What is left of ``incoming`` is discarded. Raises ConversationEnded.
    """
    submitter, peer, tls_info = session.submitter, session.wire.peer, session.wire.tls_info
    arrival = Arrival(
        session,
        transaction,
        incoming,
        peer,
        tls_info,
        envelope_of(
            transaction,
            "" if submitter is None else submitter.name,
            peer.host,
            "" if tls_info is None else tls_info.label,
        ),
    )
    *steps, answer = session.backend.arrival
    arrival.outcome = await _outcome(arrival, steps)
    answer.run(arrival)
    session.end_transaction()


def envelope_of(
    transaction: Transaction, submitter: str, client_host: str, tls: str = ""
) -> Envelope:
    """Return the envelope, once the commands have said all of it."""
    return Envelope(
        transaction.id,
        transaction.sender,
        tuple(transaction.recipients),
        submitter,
        mail_parameters=transaction.mail_parameters,
        dsn_requests=transaction.dsn_requests or NO_NOTIFICATIONS,
        client_host=client_host,
        tls=tls,
        routes=KnownRoutes(transaction.routes_version, transaction.recipients),
    )


async def _outcome(arrival: Arrival, steps: Sequence[ArrivalStep]) -> Outcome | None:
    """Run the steps up to the first that ends the arrival; return its outcome, None for success."""
    try:
        is_filtered = arrival.session.filter_context is not None
        for step in steps:
            if step.is_for_filters and not is_filtered:
                continue
            if step.fields is not None and step.fields.isdisjoint(arrival.names.places):
                continue
            waiting = step.run(arrival)
            if waiting is not None:
                await waiting
            if arrival.outcome is not None:
                break
            if arrival.header is not arrival.names.header:
                arrival.names = FieldNames(arrival.header)
        return arrival.outcome
    except MailError as error:
        return error.outcome
    except ConversationEnded:
        raise
    except Exception:
        arrival.session.backend.journal.failed(arrival.session.settings.service)
        return replies.BUG
    finally:
        if not arrival.incoming.is_finished:
            arrival.incoming.discard()
        if arrival.message is not NO_MESSAGE:
            arrival.message.blob.close()


# ---------------------------------------------------------------- the steps that have no subject


def refuse_fault(arrival: Arrival) -> None:
    """End the arrival of a message that did not come whole."""
    arrival.outcome = arrival.incoming.fault


def refuse_nul(arrival: Arrival) -> None:
    """End the arrival of a message with NUL (RFC 2045 §2.8), for which IMAP has no word (RFC 3501 §9)."""
    if arrival.incoming.has_nul:
        arrival.outcome = replies.HAS_NUL


def read_tls_required(arrival: Arrival) -> None:
    """Note that the sender wants it delivered even where TLS fails, if the queue keeps that."""
    queue, envelope = arrival.session.backend.queue, arrival.envelope
    if "TLS-Required" in queue.supported_keywords and trace.waives_tls(arrival.names):
        is_optional = not envelope.mail_parameters.requires_tls
        arrival.envelope = replace(envelope, is_tls_optional=is_optional)


async def spool(arrival: Arrival) -> None:
    """Have the message's octets in one place. Raises Unavailable."""
    header_size = arrival.incoming.header_size
    blob = await arrival.incoming.finish()
    arrival.message = Message(blob)
    if isinstance(blob, MemoryBlob):
        arrival.header = blob.data[:header_size]
    else:
        read = arrival.session.backend.blocking.run
        arrival.header = await read(_first_octets, blob, header_size)


def _first_octets(blob: Blob, size: int) -> bytes:
    """Return the beginning of a message. May block."""
    return b"".join(blob.pieces(0, size))


async def accept(arrival: Arrival) -> None:
    """Hand the message to the queue, which takes responsibility. Raises Refused and Unavailable."""
    message, arrival.message = arrival.message, NO_MESSAGE
    await arrival.session.backend.queue.accept(arrival.envelope, message)


def answer(arrival: Arrival) -> None:
    """Reply with the outcome; without one the message was accepted."""
    session, outcome = arrival.session, arrival.outcome
    if outcome is None:
        session.wire.write(replies.ACCEPTED % arrival.envelope.id.encode())
    elif outcome.is_success:
        session.wire.write(replies.encode(outcome))
    else:
        session.refuse_mail(outcome)
        return
    session.limits.recent = RecentCounts()


# ---------------------------------------------------------------- the steps of each service

_START = (
    ArrivalStep("fault", refuse_fault),
    ArrivalStep("spool", spool),
    ArrivalStep("tls-required", read_tls_required, fields=frozenset({b"tls-required"})),
    ArrivalStep("loop", trace.refuse_loop, fields=frozenset({b"received"})),
    ArrivalStep("own-fields", remove_own_fields, fields=NAMES),
)
_MIDDLE = (
    ArrivalStep("trace", trace.add_trace),
    ArrivalStep("filters", filter_stages.judge_message, is_for_filters=True),
    ArrivalStep("edits", filter_stages.edit_message, is_for_filters=True),
    ArrivalStep("discard", filter_stages.discard_message, is_for_filters=True),
)


def smtp_steps(settings: Settings) -> tuple[ArrivalStep, ...]:
    """Return the steps of SMTP and submission, as the settings want them."""
    end = ArrivalStep("accept", accept), ArrivalStep("answer", answer)
    nul = ArrivalStep("nul", refuse_nul)
    return (*_START, *submission.steps(settings), nul, *_MIDDLE, *end)


def lmtp_steps(settings: Settings) -> tuple[ArrivalStep, ...]:
    """Return the steps of LMTP, which accepts and answers for each recipient apart."""
    end = (
        ArrivalStep("accept", lmtp_replies.accept_each),
        ArrivalStep("answer", lmtp_replies.answer_each),
    )
    return (*_START, *submission.steps(settings), *_MIDDLE, *end)
