"""Command lines (RFC 5321 §4.1): bytes into values.

Whatever the text says, it was written by a stranger: every expression here runs in linear time, and a
line's length is bounded before it comes here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from twisted_mail.mail import address
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.outcome import Outcome, ProtocolError

MAX_HELLO = 255  # octets, RFC 5321 §4.5.3.1.2

# After "FROM:" or "TO:". Outlook puts a space there. The route is that of RFC 5321 appendix C.
_PATH = re.compile(r' *<(?:(@[^<>:"\s]+):)?("(?:[^"\\]|\\.)*"[^<>"\s]*|[^<>"\s]*)>')
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?")
_HELLO = re.compile(rb"[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*")
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")

Parameters = Mapping[str, str | None]
_NO_PARAMETERS: Parameters = {}


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL says besides the sender: SIZE (RFC 1870 §6), BODY (RFC 6152 §2)."""

    size: int = 0
    is_8bit: bool = False


NO_MAIL_PARAMETERS = MailParameters()


def parse_command(line: bytes) -> tuple[bytes, bytes]:
    """Return the verb in upper case and the argument, without the spaces around it."""
    verb, _, argument = line.partition(b" ")
    return verb.rstrip().upper(), argument.strip(b" \t")


def parse_hello(argument: bytes) -> str:
    """Return the name that HELO or EHLO gives, whatever name it is.

    Clients give names of all sorts, so only what is no name at all is refused. Raises ProtocolError.
    """
    if not argument:
        _syntax("5.5.4", "Tell your name: EHLO hostname")
    if len(argument) > MAX_HELLO or not _HELLO.fullmatch(argument):
        _syntax("5.5.4", "That is no host name")
    return argument.decode("ascii")


def parse_mail(argument: bytes) -> tuple[Address, Parameters]:
    """Read what follows MAIL: the sender, perhaps null, and the parameters by upper-case name.

    Raises ProtocolError.
    """
    text = _after(b"FROM:", argument, "MAIL FROM:<address>", "5.1.7")
    path, end = _parse_path(text, "5.1.7")
    sender = _parse_address(path, "5.1.7") if path else NULL
    return sender, _parse_parameters(text[end:])


def parse_rcpt(argument: bytes) -> tuple[Address, Parameters]:
    """Read what follows RCPT: the recipient, and the parameters by upper-case name.

    ``<Postmaster>`` needs no domain (RFC 5321 §4.1.1.3). Raises ProtocolError.
    """
    text = _after(b"TO:", argument, "RCPT TO:<address>", "5.1.3")
    path, end = _parse_path(text, "5.1.3")
    if path.lower() == "postmaster":
        recipient = Address("postmaster", "")
    else:
        recipient = _parse_address(path, "5.1.3")
    return recipient, _parse_parameters(text[end:])


def parse_mailbox(argument: bytes) -> Address:
    """Read what follows VRFY or EXPN: an address, with or without angle brackets.

    Raises ProtocolError.
    """
    try:
        text = argument.decode("ascii").strip("<>")
    except UnicodeDecodeError:
        _syntax("5.1.3", "Addresses are ASCII here")
    return _parse_address(text, "5.1.3")


def _after(word: bytes, argument: bytes, syntax: str, enhanced: str) -> str:
    if argument[: len(word)].upper() != word:
        _syntax("5.5.4", f"Syntax: {syntax}")
    try:
        return argument[len(word) :].decode("ascii")
    except UnicodeDecodeError:
        _syntax(enhanced, "Addresses are ASCII here")


def _parse_path(text: str, enhanced: str) -> tuple[str, int]:
    """Return the mailbox between the angle brackets, and where they end."""
    match = _PATH.match(text)
    if match is None:
        _syntax(enhanced, "Write the address as <local@domain>")
    if match[1]:
        _check_route(match[1], enhanced)
    return match[2], match.end()


def _check_route(route: str, enhanced: str) -> None:
    """Refuse a source route that is none; a good one is ignored (RFC 5321 §4.1.1.3)."""
    for host in route.split(","):
        try:
            address.parse_domain(host.removeprefix("@"))
        except ValueError as error:
            _syntax(enhanced, f"Malformed source route: {error}")
        if not host.startswith("@"):
            _syntax(enhanced, "Malformed source route")


def _parse_address(text: str, enhanced: str) -> Address:
    try:
        return address.parse(text)
    except ValueError as error:
        _syntax(enhanced, f"Malformed address: {error}")


def _parse_parameters(text: str) -> Parameters:
    if not text:
        return _NO_PARAMETERS
    if not text.startswith(" "):
        _syntax("5.5.4", "A space comes between address and parameters")
    parameters: dict[str, str | None] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None:
            _syntax("5.5.4", "Malformed parameter")
        name = match[1].upper()
        if name in parameters:
            _syntax("5.5.4", f"{name} is given twice")
        parameters[name] = match[2]
    return parameters


def read_mail_parameters(parameters: Parameters, offers_auth: bool) -> MailParameters:
    """Return what the parameters of MAIL say. Raises ProtocolError, 555 for an unknown one."""
    if not parameters:
        return NO_MAIL_PARAMETERS
    known = {"SIZE", "BODY", "AUTH"} if offers_auth else {"SIZE", "BODY"}
    refuse_unknown(parameters, known)
    if "AUTH" in parameters:
        _check_auth(parameters["AUTH"] or "")
    size = _parse_size(parameters["SIZE"] or "") if "SIZE" in parameters else 0
    return MailParameters(size, "BODY" in parameters and _is_8bit(parameters["BODY"] or ""))


def refuse_unknown(parameters: Parameters, known: set[str]) -> None:
    """Raise ProtocolError (RFC 5321 §4.1.1.11) when there is a parameter not known."""
    for name in parameters:
        if name not in known:
            raise ProtocolError(Outcome(555, "5.5.4", f"Unsupported parameter: {name}"))


def _parse_size(value: str) -> int:
    if not (value.isdigit() and len(value) <= 20):  # RFC 1870 §3
        _syntax("5.5.4", "SIZE is a number of up to 20 digits")
    return int(value)


def _is_8bit(value: str) -> bool:
    if value.upper() not in ("7BIT", "8BITMIME"):
        _syntax("5.5.4", "BODY is 7BIT or 8BITMIME")
    return value.upper() == "8BITMIME"


def _check_auth(value: str) -> None:
    """Refuse what is no AUTH value (RFC 4954 §5); whom it names is not believed and not kept."""
    if not _XTEXT.fullmatch(value):
        _syntax("5.5.4", "AUTH is an address in xtext, or <>")
    text = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), value)
    if text != "<>":
        _parse_address(text, "5.5.4")


def _syntax(enhanced: str, text: str) -> NoReturn:
    raise ProtocolError(Outcome(501, enhanced, text))
