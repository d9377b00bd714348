"""What is sent to a filter: the steps of a conversation, each with its macros."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.address import Address
from twisted_mail.policy.milter.negotiation import NO_STEPS, MilterSteps
from twisted_mail.policy.milter.packets import Packet, pairs, texts

_PORT = struct.Struct(">H")

UNKNOWN = "unknown"  # a client without a name, as in Postfix


@dataclass(frozen=True, slots=True)
class MilterCommand:
    """One step: its letter, its number in lists of macros, and the flags that omit it or its reply."""

    kind: bytes
    number: int
    unwanted: MilterSteps
    silent: MilterSteps


CONNECT = MilterCommand(b"C", 0, MilterSteps.NO_CONNECT, MilterSteps.SILENT_CONNECT)
HELO = MilterCommand(b"H", 1, MilterSteps.NO_HELO, MilterSteps.SILENT_HELO)
MAIL = MilterCommand(b"M", 2, MilterSteps.NO_MAIL, MilterSteps.SILENT_MAIL)
RCPT = MilterCommand(b"R", 3, MilterSteps.NO_RCPT, MilterSteps.SILENT_RCPT)
DATA = MilterCommand(b"T", 4, MilterSteps.NO_DATA, MilterSteps.SILENT_DATA)
FIELD = MilterCommand(b"L", -1, MilterSteps.NO_FIELDS, MilterSteps.SILENT_FIELDS)
END_OF_HEADER = MilterCommand(
    b"N", 6, MilterSteps.NO_END_OF_HEADER, MilterSteps.SILENT_END_OF_HEADER
)
BODY = MilterCommand(b"B", -1, MilterSteps.NO_BODY, MilterSteps.SILENT_BODY)
END_OF_MESSAGE = MilterCommand(b"E", 5, NO_STEPS, NO_STEPS)

ABORT, QUIT = Packet(b"A"), Packet(b"Q")


def connected(context: SmtpContext) -> bytes:
    """Return the data about a client: its name and its address."""
    host = context.peer.host
    name = texts((context.reverse_name or UNKNOWN).encode("ascii", "replace"))
    if not host:
        return name + b"U"
    family = b"6" if ":" in host else b"4"
    return name + family + _PORT.pack(context.peer.port & 0xFFFF) + texts(host.encode())


def bracketed(address: Address) -> bytes:
    """Return an address in angle brackets, as in MAIL and RCPT."""
    return f"<{'' if address.is_null else address}>".encode()


def field(octets: bytes, keeps_spaces: bool) -> bytes:
    """Return the data of a header field: its name and its value, folded with LF."""
    name, _, value = octets.removesuffix(b"\r\n").partition(b":")
    value = value.replace(b"\r\n", b"\n")
    if not keeps_spaces:
        value = value.lstrip(b" \t")
    return texts(name.rstrip(b" \t"), value)


# ---------------------------------------------------------------- macros


def macros(
    event: MilterCommand, context: SmtpContext, hostname: str, wanted: Mapping[int, frozenset[str]]
) -> Packet | None:
    """Return the macros of a step: those that the filter has asked for, or the usual ones."""
    if event.number < 0:
        return None
    given = _given(event, context, hostname)
    if event.number in wanted:
        names = {name.strip("{}") for name in wanted[event.number]}
        known = {**dict(_all(context, hostname)), **given}
        given = {name: value for name, value in known.items() if name.strip("{}") in names}
    return Packet(b"D", event.kind + pairs(given.items())) if given else None


def _given(event: MilterCommand, context: SmtpContext, hostname: str) -> dict[str, str]:
    if event is CONNECT:
        return dict(_of_client(context, hostname))
    if event is HELO:
        return dict(_of_privacy(context))
    if event is MAIL:
        return {**dict(_of_mail(context)), **dict(_of_privacy(context))}
    if event is RCPT:
        return dict(_of_recipient(context))
    return {"i": context.id, **dict(_of_login(context))}


def _all(context: SmtpContext, hostname: str) -> Iterator[tuple[str, str]]:
    yield from _of_client(context, hostname)
    yield from _of_privacy(context)
    if context.id:
        yield from _of_mail(context)


def _of_client(context: SmtpContext, hostname: str) -> Iterator[tuple[str, str]]:
    yield "j", hostname
    yield "v", "twisted_mail"
    yield "{daemon_name}", context.service
    yield "{client_addr}", context.peer.host or UNKNOWN
    yield "{client_name}", context.reverse_name or UNKNOWN
    yield "{client_ptr}", context.reverse_name or UNKNOWN
    yield "{client_port}", str(context.peer.port)
    yield "_", f"{context.reverse_name or UNKNOWN} [{context.peer.host}]"


def _of_privacy(context: SmtpContext) -> Iterator[tuple[str, str]]:
    if context.tls_info is not None:
        yield "{tls_version}", context.tls_info.version
        yield "{cipher}", context.tls_info.cipher
        yield "{cipher_bits}", str(context.tls_info.bits)


def _of_login(context: SmtpContext) -> Iterator[tuple[str, str]]:
    if context.submitter:
        yield "{auth_type}", "PLAIN"  # all our mechanisms take a name and a password
        yield "{auth_authen}", context.submitter


def _of_mail(context: SmtpContext) -> Iterator[tuple[str, str]]:
    yield "i", context.id
    yield from _of_login(context)
    sender = context.sender
    yield "{mail_addr}", "" if sender.is_null else str(sender)
    yield "{mail_host}", sender.domain
    yield "{mail_mailer}", "smtp"


def _of_recipient(context: SmtpContext) -> Iterator[tuple[str, str]]:
    yield "i", context.id
    if context.recipient is not None:
        yield "{rcpt_addr}", str(context.recipient)
        yield "{rcpt_host}", context.recipient.domain
        yield "{rcpt_mailer}", "local"
