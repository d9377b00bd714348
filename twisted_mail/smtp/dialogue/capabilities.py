"""What the other side can do: its reply to EHLO or LHLO (RFC 5321 §4.1.1.1).

It is read as leniently as Postfix reads it: what is not understood is not there. After STARTTLS all
of it counts anew (RFC 3207 §4.2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from twisted_mail.smtp.dialogue.replies import Reply

_NUMBER = re.compile(rb"[0-9]{1,20}")
_LIMIT = re.compile(
    rb"(MAILMAX|RCPTMAX|RCPTDOMAINMAX)=([0-9]{1,6})(?!\S)", re.IGNORECASE
)  # RFC 9422 §4


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a host offers. ``name`` is what it calls itself.

    ``size`` is the octets that a message may have, 0 where it sets no limit (RFC 1870 §4). ``login`` has
    SASL mechanisms in upper case (RFC 4954 §3). ``max_messages``, ``max_recipients`` and ``max_domains``
    are its LIMITS (RFC 9422), 0 where it names none. ``keywords`` has all it said, in upper case.
    """

    name: str = ""
    size: int = 0
    has_size: bool = False
    has_pipelining: bool = False
    has_8bit: bool = False
    has_utf8: bool = False
    has_dsn: bool = False
    has_chunking: bool = False
    has_starttls: bool = False
    login: frozenset[str] = frozenset()
    max_messages: int = 0
    max_recipients: int = 0
    max_domains: int = 0
    keywords: Mapping[str, bytes] = field(default_factory=dict, hash=False)


NOTHING_OFFERED = Capabilities()  # after HELO


def parse_capabilities(reply: Reply) -> Capabilities:
    """Return what the reply to EHLO or LHLO offers. Never raises."""
    words = _keywords(reply.lines[1:])
    limits = {one.upper(): int(number) for one, number in _LIMIT.findall(words.get("LIMITS", b""))}
    return Capabilities(
        name=reply.lines[0].split(b" ")[0][:255].decode("ascii", "replace"),
        size=_size(words.get("SIZE", b"")),
        has_size="SIZE" in words,
        has_pipelining="PIPELINING" in words,
        has_8bit="8BITMIME" in words,
        has_utf8="SMTPUTF8" in words,
        has_dsn="DSN" in words,
        has_chunking="CHUNKING" in words,
        has_starttls="STARTTLS" in words,
        login=frozenset(words.get("AUTH", b"").decode("ascii", "replace").upper().split()),
        max_messages=limits.get(b"MAILMAX", 0),
        max_recipients=limits.get(b"RCPTMAX", 0),
        max_domains=limits.get(b"RCPTDOMAINMAX", 0),
        keywords=words,
    )


def _keywords(lines: list[bytes]) -> dict[str, bytes]:
    """Return the keywords with what follows each; of one that comes twice, both count for AUTH alone."""
    found: dict[str, bytes] = {}
    for line in lines:
        if line[:5].upper() == b"AUTH=":  # as it was written before RFC 2554
            line = b"AUTH " + line[5:]
        word, _, rest = line.strip().partition(b" ")
        keyword = word.decode("ascii", "replace").upper()
        if keyword == "AUTH":
            rest = found.get("AUTH", b"") + b" " + rest
        found[keyword] = rest
    return found


def _size(argument: bytes) -> int:
    number = argument.strip()
    return int(number) if _NUMBER.fullmatch(number) else 0
