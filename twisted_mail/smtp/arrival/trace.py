"""What we write in front of a message, and what we look for in its header (RFC 5321 §4.4)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.mail.dates import format_mail_date
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mime import revision

MAX_HEADER = revision.MAX_HEADER  # octets of header that are looked at

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>?From ")  # what a header may begin with
_TLS_OPTIONAL = re.compile(
    rb"(?:\A|\r\n)TLS-Required:(?:\r\n)?[ \t]*No[ \t]*(?:\r\n|\Z)", re.IGNORECASE
)
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
    With ``shows_login`` the account that logged in is named.
    """

    hello: str
    is_extended: bool
    peer: Peer
    tls_info: TlsInfo | None
    reverse_name: str = ""
    shows_login: bool = False
    is_lmtp: bool = False


def protocol(arrival: TraceInfo, envelope: Envelope) -> str:
    """Return the transmission type (RFC 3848): SMTP, or ESMTP with S for TLS and A for a login.

    A message with SMTPUTF8 has a type of its own (RFC 6531 §4.3).
    """
    if not arrival.is_extended:
        return "SMTP"
    if arrival.is_lmtp:
        kind = "UTF8LMTP" if envelope.mail_parameters.is_utf8 else "LMTP"
    else:
        kind = "UTF8SMTP" if envelope.mail_parameters.is_utf8 else "ESMTP"
    return f"{kind}{'S' if arrival.tls_info else ''}{'A' if envelope.submitter else ''}"


def received(envelope: Envelope, arrival: TraceInfo, hostname: str, now: float) -> bytes:
    """Return the Received field of a message that has just come in.

    A sole recipient is named; of several none is, since they need not know of each other
    (RFC 5321 §7.2).
    """
    lines = [f"Received: from {safe_name(arrival.hello)}{_tcp_info(arrival)}"]
    if (tls_info := arrival.tls_info) is not None:
        lines.append(
            f"(using {tls_info.version} with cipher {tls_info.cipher} ({tls_info.bits} bits))"
        )
    if arrival.shows_login and envelope.submitter:
        lines.append(f"(authenticated as {safe_name(envelope.submitter)})")
    kind = protocol(arrival, envelope)
    lines.append(f"by {hostname} with {kind} id {envelope.id}")
    if envelope.mail_parameters.priority:
        lines.append(f"PRIORITY {envelope.mail_parameters.priority}")  # RFC 6710 §7
    if len(envelope.recipients) == 1:
        lines.append(f"for <{envelope.recipients[0]}>")
    return ("\r\n\t".join(lines) + f";\r\n\t{date(now)}\r\n").encode()


def safe_name(hello: str) -> str:
    """Return a client's name for itself, harmless in a header."""
    return _UNSAFE.sub("_", hello)


def _tcp_info(arrival: TraceInfo) -> str:
    host = arrival.peer.host
    if not host:
        return ""
    name = f"{safe_name(arrival.reverse_name)} " if arrival.reverse_name else ""
    return f" ({name}[IPv6:{host}])" if ":" in host else f" ({name}[{host}])"


def header_end(head: bytes | bytearray, start: int = 0) -> int:
    """Return where the header ends in the first octets of a message, or -1 when not yet.

    The search begins at ``start``.
    """
    if head.startswith(b"\r\n"):
        return 0
    end = head.find(b"\r\n\r\n", start)
    return end if end < 0 else end + 2


def count_fields(header: bytes, name: bytes) -> int:
    """Return how many fields of a header have the lower-case ``name``."""
    return (b"\r\n" + header.lower()).count(b"\r\n" + name + b":")


def waives_tls(header: bytes) -> bool:
    """Say whether the header wants the message delivered even where TLS fails (RFC 8689 §3)."""
    return _TLS_OPTIONAL.search(header) is not None


def separator(header: bytes) -> bytes:
    """Return the empty line that keeps a message without header apart from what we put in front.

    Otherwise its first line would be read as a part of our own fields.
    """
    return b"" if not header or _FIELD.match(header) else b"\r\n"


def missing_fields(
    header: bytes,
    id: str,
    hostname: str,
    now: float,
    author: str = "",
) -> bytes:
    """Return the Date, Message-ID and From that a submitted message lacks (RFC 6409 §8.2, §8.3)."""
    fields = b""
    if not count_fields(header, b"date"):
        fields += f"Date: {date(now)}\r\n".encode()
    if not count_fields(header, b"message-id"):
        fields += f"Message-ID: <{id}@{hostname}>\r\n".encode()
    if author and not count_fields(header, b"from"):
        fields += f"From: <{author}>\r\n".encode()
    return fields
