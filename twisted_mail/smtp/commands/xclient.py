"""XCLIENT: a trusted proxy names the client that it speaks for (Postfix, XCLIENT_README).

What it says takes the place of what the connection shows, for filters, limits, the log and the trace;
then the conversation begins anew with a greeting. It may say it in several commands, ADDR in the last:
after it commands are the client's own, which may not send XCLIENT.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from twisted_mail.interfaces import Peer, Submitter, Wire
from twisted_mail.mail.mime import xtext
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.command_definition import BETWEEN_MAILS, Command
from twisted_mail.smtp.extensions.xclient import NAMES, is_trusted
from twisted_mail.smtp.grammar import parse_hello
from twisted_mail.smtp.greeting import greet
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.stream.lf_repair import LfRepairWire
from twisted_mail.smtp.stream.wire_wrapper import WireWrapper

MAX_VALUE = 255  # octets

_UNKNOWN = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")

Attributes = Mapping[str, str | None]  # None: it is not known


# ---------------------------------------------------------------- grammar


def parse(argument: bytes) -> Attributes:
    """Read what follows XCLIENT: attributes by upper-case name. Raises ProtocolError."""
    found: dict[str, str | None] = {}
    for word in argument.decode("ascii", "replace").split():
        name, _, value = word.partition("=")
        name = name.upper()
        if name not in NAMES or name in found:
            _malformed(f"the attributes are {', '.join(NAMES)}, each once")
        found[name] = _value(name, value)
    if not found:
        _malformed("attribute=value")
    return found


def _value(name: str, value: str) -> str | None:
    try:
        plain = xtext.decode(value)
        if plain.upper() in _UNKNOWN:
            return None
        if name == "HELO":
            return parse_hello(plain.encode("latin-1"))  # what a client said: any octets
        if not plain.isascii() or not plain.isprintable() or len(plain) > MAX_VALUE:
            raise ValueError
        return _READERS[name](plain) if name in _READERS else plain
    except ValueError:
        _malformed(f"the value of {name} is malformed")


def format_attributes(attributes: Attributes) -> bytes:
    """Write what follows XCLIENT."""
    words = []
    for name, value in attributes.items():
        if name.endswith("ADDR") and value is not None and ":" in value:
            value = f"IPV6:{value}"
        words.append(f"{name}={'[UNAVAILABLE]' if value is None else xtext.encode(value)}")
    return " ".join(words).encode()


def _read_address(value: str) -> str:
    if value[:5].upper() == "IPV6:":
        return str(ipaddress.IPv6Address(value[5:].partition("%")[0]))
    return str(ipaddress.IPv4Address(value))


def _read_port(value: str) -> str:
    if not _PORT.fullmatch(value) or int(value) > 65535:
        raise ValueError
    return value


def _read_protocol(value: str) -> str:
    if value.upper() not in ("SMTP", "ESMTP"):
        raise ValueError
    return value.upper()


_READERS = {
    "ADDR": _read_address,
    "DESTADDR": _read_address,
    "PORT": _read_port,
    "DESTPORT": _read_port,
    "PROTO": _read_protocol,
}


def _malformed(text: str) -> NoReturn:
    raise ProtocolError(Outcome(501, "5.5.4", f"XCLIENT: {text}"))


# ---------------------------------------------------------------- the command


@dataclass(frozen=True, slots=True)
class ClaimedClient:
    """What a proxy has said of its client so far."""

    peer: Peer
    name: str = ""
    protocol: str = ""
    hello: str = ""
    login: str = ""


class ProxiedWire(WireWrapper):
    """A wire with another client at its end than the connection shows."""

    __slots__ = ("claim",)

    def __init__(self, wrapped: Wire) -> None:
        super().__init__(wrapped)
        self.claim = ClaimedClient(wrapped.peer)

    @property
    def peer(self) -> Peer:
        """Return the client that the proxy speaks for."""
        return self.claim.peer


async def xclient(session: SmtpSession, argument: bytes) -> None:
    """Answer XCLIENT: believe it, and begin anew. Raises ProtocolError and Refused."""
    if not is_trusted(session):
        session.refuse(replies.NOT_TRUSTED)
        return
    wire = _proxied_wire(session)
    claim = _updated_claim(wire.claim, parse(argument))
    submitter = await _trusted_login(session, claim)
    session.forget()
    filter_stages.end_connection(session)
    wire.claim = claim
    if submitter is not None:
        session.submitter = submitter
        service = session.settings.service
        session.backend.journal.logged_in(
            service, claim.peer, submitter.name, "XCLIENT", wire.tls_info
        )
    await greet(session)
    if session.filter_context is not None:
        session.filter_context.reverse_name, session.filter_context.hello = claim.name, claim.hello
    session.client_name = claim.name
    session.hello, session.is_extended = claim.hello, claim.protocol != "SMTP"


def _proxied_wire(session: SmtpSession) -> ProxiedWire:
    """Return the wire on which a client can be claimed, under the one that repairs lines."""
    repairing = session.wire if isinstance(session.wire, LfRepairWire) else None
    wire = session.wire if repairing is None else repairing.wrapped
    if isinstance(wire, ProxiedWire):
        return wire
    proxied = ProxiedWire(wire)
    if repairing is None:
        session.wire = proxied
    else:
        repairing.wrapped = proxied
    return proxied


def _updated_claim(claim: ClaimedClient, said: Attributes) -> ClaimedClient:
    """Return what is claimed now.

    A port that is not known stays the proxy's. An address does not, which may be trusted: it is empty.
    """
    host = (said["ADDR"] or "") if "ADDR" in said else claim.peer.host
    peer = Peer(host, int(said.get("PORT") or claim.peer.port))
    return replace(
        claim,
        peer=peer,
        name=(said.get("NAME") or "") if "NAME" in said else claim.name,
        protocol=(said.get("PROTO") or "") if "PROTO" in said else claim.protocol,
        hello=(said.get("HELO") or "") if "HELO" in said else claim.hello,
        login=(said.get("LOGIN") or "") if "LOGIN" in said else claim.login,
    )


async def _trusted_login(session: SmtpSession, claim: ClaimedClient) -> Submitter | None:
    """Return the login that the proxy has checked, where logins are taken. Raises Refused."""
    assume_login = session.backend.assume_login
    if not claim.login or assume_login is None or not session.settings.offers_login:
        return None
    return await assume_login(claim.login)


COMMANDS = (
    Command(xclient, "XCLIENT attribute=value ...", BETWEEN_MAILS, is_junk=True, keyword="XCLIENT"),
)
