"""What a filter is told: the steps of a conversation, each with the macros that go with it."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twisted_mail.interfaces import Visit
from twisted_mail.mail.address import Address
from twisted_mail.policy.milter.negotiation import NO_FLOW, Flow
from twisted_mail.policy.milter.packets import Packet, pairs, texts

_PORT = struct.Struct(">H")

UNKNOWN = "unknown"  # a client without a name, as Postfix says it


@dataclass(frozen=True, slots=True)
class Event:
    """One step: what announces it, the number by which macros are asked for, what spares it."""

    kind: bytes
    number: int
    unwanted: Flow
    silent: Flow


CONNECT = Event(b"C", 0, Flow.NO_CONNECT, Flow.SILENT_CONNECT)
HELO = Event(b"H", 1, Flow.NO_HELO, Flow.SILENT_HELO)
MAIL = Event(b"M", 2, Flow.NO_MAIL, Flow.SILENT_MAIL)
RCPT = Event(b"R", 3, Flow.NO_RCPT, Flow.SILENT_RCPT)
DATA = Event(b"T", 4, Flow.NO_DATA, Flow.SILENT_DATA)
FIELD = Event(b"L", -1, Flow.NO_FIELDS, Flow.SILENT_FIELDS)
END_OF_HEADER = Event(b"N", 6, Flow.NO_END_OF_HEADER, Flow.SILENT_END_OF_HEADER)
BODY = Event(b"B", -1, Flow.NO_BODY, Flow.SILENT_BODY)
END_OF_MESSAGE = Event(b"E", 5, NO_FLOW, NO_FLOW)

ABORT, QUIT = Packet(b"A"), Packet(b"Q")


def connected(visit: Visit) -> bytes:
    """Return what is told of a client: its name, and its address."""
    host = visit.peer.host
    name = texts((visit.reverse_name or UNKNOWN).encode("ascii", "replace"))
    if not host:
        return name + b"U"
    family = b"6" if ":" in host else b"4"
    return name + family + _PORT.pack(visit.peer.port & 0xFFFF) + texts(host.encode())


def bracketed(address: Address) -> bytes:
    """Return an address as MAIL and RCPT have it."""
    return f"<{'' if address.is_null else address}>".encode()


def field(octets: bytes, keeps_spaces: bool) -> bytes:
    """Return what is told of a field: its name and its value, with LF where it is folded."""
    name, _, value = octets.removesuffix(b"\r\n").partition(b":")
    value = value.replace(b"\r\n", b"\n")
    if not keeps_spaces:
        value = value.lstrip(b" \t")
    return texts(name.rstrip(b" \t"), value)


# ---------------------------------------------------------------- macros


def macros(
    event: Event, visit: Visit, hostname: str, wanted: Mapping[int, frozenset[str]]
) -> Packet | None:
    """Return the macros of a step: those that the filter has asked for, or the usual ones."""
    if event.number < 0:
        return None
    given = _given(event, visit, hostname)
    if event.number in wanted:
        names = {name.strip("{}") for name in wanted[event.number]}
        known = {**dict(_all(visit, hostname)), **given}
        given = {name: value for name, value in known.items() if name.strip("{}") in names}
    return Packet(b"D", event.kind + pairs(given.items())) if given else None


def _given(event: Event, visit: Visit, hostname: str) -> dict[str, str]:
    if event is CONNECT:
        return dict(_of_client(visit, hostname))
    if event is HELO:
        return dict(_of_privacy(visit))
    if event is MAIL:
        return {**dict(_of_mail(visit)), **dict(_of_privacy(visit))}
    if event is RCPT:
        return dict(_of_recipient(visit))
    return {"i": visit.id, **dict(_of_login(visit))}


def _all(visit: Visit, hostname: str) -> Iterator[tuple[str, str]]:
    yield from _of_client(visit, hostname)
    yield from _of_privacy(visit)
    if visit.id:
        yield from _of_mail(visit)


def _of_client(visit: Visit, hostname: str) -> Iterator[tuple[str, str]]:
    yield "j", hostname
    yield "v", "twisted_mail"
    yield "{daemon_name}", visit.service
    yield "{client_addr}", visit.peer.host or UNKNOWN
    yield "{client_name}", visit.reverse_name or UNKNOWN
    yield "{client_ptr}", visit.reverse_name or UNKNOWN
    yield "{client_port}", str(visit.peer.port)
    yield "_", f"{visit.reverse_name or UNKNOWN} [{visit.peer.host}]"


def _of_privacy(visit: Visit) -> Iterator[tuple[str, str]]:
    if visit.privacy is not None:
        yield "{tls_version}", visit.privacy.version
        yield "{cipher}", visit.privacy.cipher
        yield "{cipher_bits}", str(visit.privacy.bits)


def _of_login(visit: Visit) -> Iterator[tuple[str, str]]:
    if visit.submitter:
        yield "{auth_type}", "PLAIN"  # all our mechanisms take a name and a password
        yield "{auth_authen}", visit.submitter


def _of_mail(visit: Visit) -> Iterator[tuple[str, str]]:
    yield "i", visit.id
    yield from _of_login(visit)
    sender = visit.sender
    yield "{mail_addr}", "" if sender.is_null else str(sender)
    yield "{mail_host}", sender.domain
    yield "{mail_mailer}", "smtp"


def _of_recipient(visit: Visit) -> Iterator[tuple[str, str]]:
    yield "i", visit.id
    if visit.recipient is not None:
        yield "{rcpt_addr}", str(visit.recipient)
        yield "{rcpt_host}", visit.recipient.domain
        yield "{rcpt_mailer}", "local"
