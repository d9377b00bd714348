"""The arguments of commands (RFC 5321 §4.1): bytes into values.

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

MAX_HELLO = 255  # characters that are kept; no domain has more (RFC 5321 §4.5.3.1.2)

# After "FROM:" or "TO:". Outlook puts a space there, others put one inside the brackets. The route is
# that of RFC 5321 appendix C.
_PATH = re.compile(r'[ \t]*<[ \t]*(?:(@[^<>:"\s]+):)?("(?:[^"\\]|\\.)*"[^<>"\s]*|[^<>"\s]*)[ \t]*>')
# Some programs leave the brackets out.
_BARE_PATH = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"[^<>"\s]*|[^<>"\s]+)')
_PARAMETER = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\xa0-\U0010ffff]+))?"  # RFC 6531 §3.3
)
_CHUNK = re.compile(rb"([0-9]{1,19})(?:[ \t]+(LAST))?", re.IGNORECASE)

Parameters = Mapping[str, str | None]
_NO_PARAMETERS: Parameters = {}


def parse_hello(argument: bytes) -> str:
    """Return the name that HELO or EHLO gives, whatever name it is, in characters that can be shown.

    Clients give names of all sorts, and Postfix takes any that is UTF-8, however long; octets that are
    not, and characters that are not visible, are escaped. Raises ProtocolError where there is no name.
    """
    if not argument:
        _syntax("5.5.4", "Tell your name: EHLO hostname")
    text = argument.decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return text[:MAX_HELLO]


def parse_mail(argument: bytes, needs_brackets: bool = False) -> tuple[Address, Parameters]:
    """Read what follows MAIL: the sender, perhaps null, and the parameters by upper-case name.

    Raises ProtocolError, with 550 for a path in UTF-8 without the parameter for it (RFC 6531 §3.5).
    """
    text = _after(b"FROM:", argument, "MAIL FROM:<address>", "5.1.7")
    path, end = _parse_path(text, "5.1.7", needs_brackets)
    sender = _parse_address(path, "5.1.7") if path else NULL
    parameters = _parse_parameters(text[end:])
    if not text.isascii() and "SMTPUTF8" not in parameters:
        raise ProtocolError(Outcome(550, "5.6.7", "Addresses in UTF-8 need the parameter SMTPUTF8"))
    return sender, parameters


def parse_rcpt(
    argument: bytes, is_utf8: bool = False, needs_brackets: bool = False
) -> tuple[Address, Parameters]:
    """Read what follows RCPT: the recipient, and the parameters by upper-case name.

    ``<Postmaster>`` needs no domain (RFC 5321 §4.1.1.3). Raises ProtocolError, with 553 for UTF-8 where
    MAIL did not announce it (RFC 6531 §3.5).
    """
    text = _after(b"TO:", argument, "RCPT TO:<address>", "5.1.3")
    path, end = _parse_path(text, "5.1.3", needs_brackets)
    if path.lower() == "postmaster":
        recipient = Address("postmaster", "")
    else:
        recipient = _parse_address(path, "5.1.3")
    if not is_utf8 and not text.isascii():
        raise ProtocolError(Outcome(553, "5.6.7", "Addresses in UTF-8 need SMTPUTF8 with MAIL"))
    return recipient, _parse_parameters(text[end:])


@dataclass(frozen=True, slots=True)
class VrfyArgument:
    """What VRFY and EXPN are asked: an address, or a name alone, for which the domain is empty.

    With ``is_utf8`` the answer may be in UTF-8 (RFC 6531 §3.7.4.2).
    """

    address: Address
    is_utf8: bool = False


def parse_vrfy(argument: bytes) -> VrfyArgument:
    """Read what follows VRFY or EXPN: an address, with or without angle brackets, or a name.

    Raises ProtocolError.
    """
    text, is_utf8 = _decode(argument, "5.1.3"), False
    if text[-9:].upper() == " SMTPUTF8":
        text, is_utf8 = text[:-9].rstrip(), True
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not text.isascii() and not is_utf8:
        raise ProtocolError(Outcome(553, "5.6.7", "Addresses in UTF-8 need the parameter SMTPUTF8"))
    if "@" not in text:
        return VrfyArgument(Address(_parse_address(f"{text}@name", "5.1.3").local, ""), is_utf8)
    return VrfyArgument(_parse_address(text, "5.1.3"), is_utf8)


def parse_chunk(argument: bytes) -> tuple[int, bool] | None:
    """Read what follows BDAT: how many octets come, and whether they are the last (RFC 3030 §2)."""
    match = _CHUNK.fullmatch(argument)
    return None if match is None else (int(match[1]), match[2] is not None)


def _after(word: bytes, argument: bytes, syntax: str, enhanced: str) -> str:
    if argument[: len(word)].upper() != word:
        _syntax("5.5.4", f"Syntax: {syntax}")
    return _decode(argument[len(word) :], enhanced)


def _decode(argument: bytes, enhanced: str) -> str:
    try:
        return argument.decode()
    except UnicodeDecodeError:
        _syntax(enhanced, "That is neither ASCII nor UTF-8")


def _parse_path(text: str, enhanced: str, needs_brackets: bool) -> tuple[str, int]:
    """Return the mailbox between the angle brackets, and where they end."""
    match = _PATH.match(text)
    if match is None:
        bare = None if needs_brackets else _BARE_PATH.match(text)
        if bare is None:
            _syntax(enhanced, "Write the address as <local@domain>")
        return bare[1], bare.end()
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
    if text[0] not in " \t":
        _syntax("5.5.4", "A space comes between address and parameters")
    parameters: dict[str, str | None] = {}
    for word in text.replace("\t", " ").split(" "):
        if not word:
            continue
        match = _PARAMETER.fullmatch(word)
        if match is None:
            _syntax("5.5.4", "Malformed parameter")
        name = match[1].upper()
        if name in parameters:
            _syntax("5.5.4", f"{name} is given twice")
        parameters[name] = match[2]
    return parameters


def _syntax(enhanced: str, text: str) -> NoReturn:
    raise ProtocolError(Outcome(501, enhanced, text))
