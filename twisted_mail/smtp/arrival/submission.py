"""What a submission server does to a message that a relay must not (RFC 6409 §8).

The message as it came is not rewritten where it need not be: without Bcc there is a new header in front
of the old body, missing fields stand in our prefix, and only what no server may carry is encoded anew. A
plain small message is looked through once and stays as it is.
"""

from dataclasses import replace

from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.edited_message import TOO_LONG
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp.arrival import author, changed_fields, trace
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.arrival.incoming_message import MAX_HEADER, header_end
from twisted_mail.smtp.backend import ArrivalStep
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Settings
from twisted_mail.smtp.stream.conversion import converted, has_long_line, is_legal

IN_MEMORY = 256 * 1024  # octets of a message that are looked through at once
MAX_CONVERTED = 32 * 1024 * 1024  # what is larger stays as it is; some times its size is needed
_BCC_FIELDS = frozenset((b"bcc", b"resent-bcc"))


def steps(settings: Settings) -> tuple[ArrivalStep, ...]:
    """Return those steps of a message's arrival that the settings ask for."""
    knows_author = settings.offers_login or settings.xclient_from
    if not (settings.removes_bcc or settings.makes_legal or knows_author):
        return ()
    bcc = (ArrivalStep("bcc", remove_bcc),) if settings.removes_bcc else ()
    encoding = (ArrivalStep("encoding", make_legal),) if settings.makes_legal else ()
    return (
        ArrivalStep("header", check_header),
        ArrivalStep("author", author.check_author),
        *bcc,
        *encoding,
    )


def check_header(arrival: Arrival) -> None:
    """Refuse a header of which we do not see all: there may be a Bcc, or another author.

    What a client on port 25 says without a login is not looked at.
    """
    session, head = arrival.session, arrival.header
    if session.submitter is None and not (
        session.settings.removes_bcc or session.settings.makes_legal
    ):
        return
    if len(head) >= MAX_HEADER or head.count(b"\n") > header.MAX_FIELDS:
        raise Refused(TOO_LONG)


# ---------------------------------------------------------------- Bcc


def remove_bcc(arrival: Arrival) -> None:
    """Take the fields that name secret recipients out of the message."""
    arrival.header, blob = without_bcc(arrival.header, arrival.message.blob)
    arrival.message = Message(blob, arrival.message.prefix)


def without_bcc(head: bytes, blob: Blob) -> tuple[bytes, Blob]:
    """Return header and message without the fields that name secret recipients (RFC 5322 §3.6.3)."""
    if b"bcc" not in head.lower() or trace.separator(head):
        return head, blob
    secret = [
        (one.start, one.stop, b"") for one in header.fields(head) if one.name.lower() in _BCC_FIELDS
    ]
    return changed_fields.changed(head, blob, secret) if secret else (head, blob)


# ---------------------------------------------------------------- legal octets


async def make_legal(arrival: Arrival) -> None:
    """Have a message that any server takes which knows 8BITMIME.

    What is to be carried as BINARYMIME is legal as it is.
    """
    envelope = arrival.envelope
    if envelope.mail_parameters.body == "BINARYMIME":
        return
    blob = arrival.message.blob
    is_plain, is_ascii = await _look(arrival.session, blob)
    if not is_plain and blob.size <= MAX_CONVERTED:
        is_ascii = await _convert(arrival, blob)
    if envelope.mail_parameters.body == "7BIT" and not is_ascii:  # many clients do not say so
        parameters = replace(envelope.mail_parameters, body="8BITMIME")
        arrival.envelope = replace(envelope, mail_parameters=parameters)


async def _convert(arrival: Arrival, blob: Blob) -> bool:
    """Encode a message anew; return whether it is in ASCII now."""
    session, lacks_header = arrival.session, bool(trace.separator(arrival.header))
    made = await session.backend.blocking.run(_converted, blob, lacks_header)
    end = header_end(made)
    arrival.header = made[:end] if end >= 0 else made
    arrival.message = Message(await _replace_blob(session, blob, made), arrival.message.prefix)
    arrival.incoming.has_nul = b"\0" in made
    return made.isascii()


async def _look(session: SmtpSession, blob: Blob) -> tuple[bool, bool]:
    """Return whether a message is legal, and whether it is in ASCII."""
    if isinstance(blob, MemoryBlob) and blob.size <= IN_MEMORY:
        return is_legal(blob.data), blob.data.isascii()
    return await session.backend.blocking.run(scan_content, blob)


def scan_content(blob: Blob) -> tuple[bool, bool]:
    """Return the same of a message in pieces. May block."""
    is_plain, is_ascii, tail = True, True, b""
    for piece in blob.pieces():
        data = tail + piece
        cut = data.rfind(b"\n") + 1
        tail = data[cut:]
        is_ascii = is_ascii and piece.isascii()
        is_plain = is_plain and is_legal(data[:cut]) and not has_long_line(tail)
        if not is_plain:
            return False, False
    return is_plain and is_legal(tail), is_ascii


def _converted(blob: Blob, lacks_header: bool) -> bytes:
    """Return a message as it may be carried. May block, and takes long."""
    data = b"".join(blob.pieces())
    if not lacks_header:
        return converted(data)
    made = converted(b"\r\n" + data)
    return made[2:] if made[2:] == data else made


async def _replace_blob(session: SmtpSession, old: Blob, data: bytes) -> Blob:
    """Return a new blob in the place of an old one, which is closed."""
    if len(data) <= IN_MEMORY:
        new: Blob = MemoryBlob(data)
    else:
        writer = session.backend.blob_writer()
        try:
            await writer.write(data)
            new = await writer.finish()
        finally:
            writer.discard()
    old.close()
    return new
