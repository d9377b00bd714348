"""What we write in front of a message, and what we look for in its header (RFC 5321 §4.4)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.mail.dates import format_mail_date
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.arrival.incoming_message import MAX_HEADER, FieldNames

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>?From ")  # what a header may begin with
_TLS_OPTIONAL = re.compile(rb"[!-9;-~]+:(?:\r\n)?[ \t]*No[ \t]*(?:\r\n|\Z)", re.IGNORECASE)
_FIRST_WORD = re.compile(rb"[!-9;-~]+[ \t]*:[ \t\r\n]*+(\S{1,250})")
_UNSAFE = re.compile(r"[^A-Za-z0-9.:_@+\[\]-]")


@lru_cache(maxsize=4)
def _date_of_second(second: int) -> str:
    return format_mail_date(datetime.fromtimestamp(second, UTC).astimezone())


def date(now: float) -> str:
    """Return a date-time (RFC 5322 §3.3), local with its offset."""
    return _date_of_second(int(now))


@dataclass(frozen=True, slots=True)
class TraceInfo:
    """How a message came: what the client called itself, after EHLO or HELO, and over which line.

    ``reverse_name`` is the client's name in the DNS, if it is known and leads back to the address.
    With ``shows_login`` the account that logged in is named. ``protocol`` is ESMTP or LMTP.
    """

    hello: str
    is_extended: bool
    peer: Peer
    tls_info: TlsInfo | None
    reverse_name: str = ""
    shows_login: bool = False
    protocol: str = "ESMTP"


def protocol(info: TraceInfo, envelope: Envelope) -> str:
    """Return the transmission type (RFC 3848): SMTP, or ESMTP with S for TLS and A for a login.

    A message with SMTPUTF8 has a type of its own (RFC 6531 §4.3).
    """
    if not info.is_extended:
        return "SMTP"
    kind = info.protocol
    if envelope.mail_parameters.is_utf8:
        kind = f"UTF8{kind.removeprefix('E')}"
    return f"{kind}{'S' if info.tls_info else ''}{'A' if envelope.submitter else ''}"


def received(envelope: Envelope, info: TraceInfo, hostname: str, now: float) -> bytes:
    """Return the Received field of a message that has just come in.

    A sole recipient is named; of several none is, since they need not know of each other
    (RFC 5321 §7.2).
    """
    lines = [f"Received: from {safe_name(info.hello)}{_tcp_info(info)}"]
    if (tls_info := info.tls_info) is not None:
        lines.append(
            f"(using {tls_info.version} with cipher {tls_info.cipher} ({tls_info.bits} bits))"
        )
    if info.shows_login and envelope.submitter:
        lines.append(f"(authenticated as {safe_name(envelope.submitter)})")
    kind = protocol(info, envelope)
    lines.append(f"by {hostname} with {kind} id {envelope.id}")
    if envelope.mail_parameters.priority:
        lines.append(f"PRIORITY {envelope.mail_parameters.priority}")  # RFC 6710 §7
    if len(envelope.recipients) == 1:
        lines.append(f"for <{envelope.recipients[0].text}>")
    return ("\r\n\t".join(lines) + f";\r\n\t{date(now)}\r\n").encode()


def safe_name(hello: str) -> str:
    """Return a client's name for itself, harmless in a header."""
    return _UNSAFE.sub("_", hello)


def _tcp_info(info: TraceInfo) -> str:
    host = info.peer.host
    if not host:
        return ""
    name = f"{safe_name(info.reverse_name)} " if info.reverse_name else ""
    return f" ({name}[IPv6:{host}])" if ":" in host else f" ({name}[{host}])"


# ---------------------------------------------------------------- the steps


def refuse_loop(arrival: Arrival) -> None:
    """End the arrival of a message that has gone through too many hops (RFC 5321 §6.3)."""
    hops = len(arrival.names.places.get(b"received", ()))
    if hops > arrival.session.settings.max_hops:
        arrival.outcome = replies.LOOPING


def add_trace(arrival: Arrival) -> None:
    """Put our own fields in front of the message, and those that a submitted message lacks.

    What steps of plugins have put there comes after them. The envelope gets the Message-ID.
    """
    session, envelope, names = arrival.session, arrival.envelope, arrival.names
    hostname, now = session.backend.hostname, session.backend.clock.now()
    prefix = received(envelope, _trace_info(arrival), hostname, now)
    fields = b""
    if session.settings.completes_header and len(names.header) < MAX_HEADER:
        fields = missing_fields(names, envelope.id, hostname, now, author(envelope))
    found = message_id(names) or (message_id(FieldNames(fields)) if fields else "")
    if found:
        arrival.envelope = envelope.with_message_id(found)
    prefix += fields + arrival.message.prefix + separator(names.header)
    arrival.message = Message(arrival.message.blob, prefix)


def _trace_info(arrival: Arrival) -> TraceInfo:
    session, context = arrival.session, arrival.session.filter_context
    return TraceInfo(
        session.hello,
        session.is_extended,
        arrival.peer,
        arrival.tls_info,
        reverse_name=session.client_name or ("" if context is None else context.reverse_name),
        shows_login=session.settings.shows_login,
        protocol=session.settings.protocol,
    )


# ---------------------------------------------------------------- the header of the message


def message_id(names: FieldNames) -> str:
    """Return the Message-ID as the header has it, to its first blank, or an empty text; for the log."""
    for place in names.places.get(b"message-id", ()):
        if found := _FIRST_WORD.match(names.header, place):
            return found[1].decode("utf-8", "backslashreplace")
    return ""


def waives_tls(names: FieldNames) -> bool:
    """Return whether the header wants the message delivered even where TLS fails (RFC 8689 §3)."""
    places = names.places.get(b"tls-required", ())
    return any(_TLS_OPTIONAL.match(names.header, place) for place in places)


def separator(header: bytes) -> bytes:
    """Return the empty line that keeps a message without header apart from what we put in front.

    Otherwise its first line would be read as a part of our own fields.
    """
    return b"" if not header or _FIELD.match(header) else b"\r\n"


def missing_fields(
    names: FieldNames,
    id: str,
    hostname: str,
    now: float,
    author: str = "",
) -> bytes:
    """Return the Date, Message-ID and From that a submitted message lacks (RFC 6409 §8.2, §8.3)."""
    fields = b""
    if b"date" not in names.places:
        fields += f"Date: {date(now)}\r\n".encode()
    if b"message-id" not in names.places:
        fields += f"Message-ID: <{id}@{hostname}>\r\n".encode()
    if author and b"from" not in names.places:
        fields += f"From: <{author}>\r\n".encode()
    return fields


def author(envelope: Envelope) -> str:
    """Return whom a message is from that does not say so: its sender, or the account.

    Nobody knows where nobody has logged in.
    """
    if not envelope.submitter:
        return ""
    return envelope.sender.text or envelope.submitter  # the null sender has no text
