"""Addresses: where mail may be sent.

The grammar is that of RFC 5321 §4.1.2 (``Mailbox``), and what else is in use: local parts of more than 64
octets (forwarding by Gmail, SRS, VERP), dots at the ends of a local part and two in a row (old Japanese
carriers), an underscore or hyphen at the ends of a label, a dot after the domain. What is read is written
in the standard's form: such a local part in quotes, the domain without the dot.

What surrounds an address in a command (angle brackets, source routes, parameters) belongs to the room of
the command.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

import idna

MAX_LOCAL = 256  # octets, as long as a whole path has to be (RFC 5321 §4.5.3.1.3)
PORTABLE_LOCAL = 64  # octets that every server takes (RFC 5321 §4.5.3.1.1)
MAX_DOMAIN = 255  # octets, RFC 5321 §4.5.3.1.2

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\xa0-\U0010ffff-]"  # with UTF-8, RFC 6531 §3.3
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_LOOSE_DOT_STRING = re.compile(rf"(?:{_ATEXT}|\.)+")  # what is taken without quotes
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e\xa0-\U0010ffff]|\\[\x20-\x7e])*)"')
_LABEL = r"-*[A-Za-z0-9\x80-\U0010ffff_][A-Za-z0-9\x80-\U0010ffff_-]*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where mail may be sent: local part (unquoted) and domain (lower case, A-labels).

    The domain is empty for ``<Postmaster>`` alone (RFC 5321 §4.1.1.3); both are empty for the null
    sender. ``text`` is the address as it is written between angle brackets, quoted where needed: made
    once, since a message's way needs it many times.
    """

    local: str
    domain: str
    text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        local = self.local if _DOT_STRING.fullmatch(self.local) else quote(self.local)
        text = f"{local}@{self.domain}" if self.domain else local
        object.__setattr__(self, "text", text if self.local or self.domain else "")

    @property
    def is_null(self) -> bool:
        """True for the null sender ``<>`` (RFC 5321 §4.5.5)."""
        return not self.text

    @property
    def key(self) -> str:
        """Return the canonical spelling, the same for all that differ in letter case or composition only.

        Small letters in NFC, as user names have by RFC 8265 §3.3.2. It is what names an account. RFC 5321
        §2.4 lets a host treat local parts as case-sensitive, and advises against it.
        """
        local, domain = canonical_text(self.local), self.domain.lower()
        if local == self.local and domain == self.domain:
            return self.text
        return Address(local, domain).text

    def __str__(self) -> str:
        return self.text


def canonical_text(text: str) -> str:
    """Return a text in small letters and NFC; what is canonical stays as it is."""
    if text.isascii():
        return text.lower()
    # NFC again: the small letters of what has no capital in one code point may have one.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def canonical_name(name: str) -> str:
    """Return the canonical spelling of an account's name, and of what is no address too.

    For counting and comparing what strangers name: it never fails.
    """
    try:
        return parse(name).key
    except ValueError:
        return canonical_text(name)


def quote(local: str) -> str:
    """Return a local part as a quoted string (RFC 5321 §4.1.2)."""
    escaped = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


NULL = Address("", "")


@lru_cache(2048)  # the same come again and again; of each a kilobyte or two at most
def parse(text: str) -> Address:
    """Read ``local@domain``.

    Raises ValueError when the text is not an address, is too long, or holds control characters.
    """
    local, position = _parse_local(text)
    if text[position : position + 1] != "@":
        raise ValueError("an address needs an @ and a domain")
    if len(local.encode()) > MAX_LOCAL:
        raise ValueError(f"the local part is longer than {MAX_LOCAL} octets")
    return Address(local, parse_domain(text[position + 1 :]))


def _parse_local(text: str) -> tuple[str, int]:
    if quoted := _QUOTED.match(text):
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    if plain := _LOOSE_DOT_STRING.match(text):
        return plain[0], plain.end()
    raise ValueError("the local part is missing or has characters that need quotes")


def parse_domain(text: str) -> str:
    """Return a domain or address literal in its normal form: lower case, A-labels, no dot at the end.

    Raises ValueError.
    """
    if text.startswith("["):
        return _parse_literal(text)
    text = text.removesuffix(".")
    if len(text) > MAX_DOMAIN:
        raise ValueError(f"the domain is longer than {MAX_DOMAIN} octets")
    if not _DOMAIN.fullmatch(text):
        raise ValueError("the domain is missing or malformed")
    if not text.isascii():
        text = _to_alabels(text)
    if len(text) > 63 and any(len(label) > 63 for label in text.split(".")):
        raise ValueError("a label of the domain is longer than 63 octets")
    return text.lower()


def _to_alabels(text: str) -> str:
    """Return a domain with an A-label for each label that is not ASCII, by IDNA2008 (RFC 5891).

    Capital letters become small ones (RFC 5895 §2), and nothing else is mapped: a label with a
    character that is not allowed makes the domain malformed.
    """
    name = ".".join(label if label.isascii() else _to_alabel(label) for label in text.split("."))
    if len(name) > MAX_DOMAIN:
        raise ValueError(f"the domain is longer than {MAX_DOMAIN} octets")
    return name


def _to_alabel(label: str) -> str:
    try:
        return idna.alabel(unicodedata.normalize("NFC", label.lower())).decode("ascii")
    except idna.IDNAError:
        raise ValueError("the domain has characters that domains do not have") from None


def _parse_literal(text: str) -> str:
    """Normalise an address literal (RFC 5321 §4.1.3)."""
    inner = text[1:-1] if text.endswith("]") else ""
    tag, _, rest = inner.partition(":")
    try:
        if tag.lower() == "ipv6" and "%" not in rest:  # a zone may hold any character
            return f"[IPv6:{ipaddress.IPv6Address(rest)}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError:
        raise ValueError("the address literal is malformed") from None
