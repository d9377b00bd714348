"""Patterns of mailbox names: ``*`` is any text, ``%`` any text without the separator (RFC 3501 §6.3.8).

A pattern is matched by following all its possible positions at once, as bits of one integer, so the
time is that of one pass over the name, however many wildcards there are.
"""

import re

from twisted_mail.imap.mailboxes.names import INBOX
from twisted_mail.mail.mime.encoding import decode_mailbox_name
from twisted_mail.mail.outcome import ProtocolError

SEPARATOR = "/"
MAX_PATTERN = 4000  # octets
_RUN = re.compile(r"[*%]{2,}")


class Pattern:
    """One pattern, ready to be matched with many names."""

    __slots__ = ("_end", "_for_inbox", "_of_character", "_percents", "_stars", "_wild")

    def __init__(self, text: str, for_inbox: "Pattern | None" = None) -> None:
        text = _RUN.sub(lambda run: "*" if "*" in run[0] else "%", text)
        self._for_inbox = for_inbox
        self._of_character: dict[str, int] = {}
        self._stars = self._percents = 0
        for position, character in enumerate(text):
            bit = 1 << position
            if character == "*":
                self._stars |= bit
            elif character == "%":
                self._percents |= bit
            else:
                self._of_character[character] = self._of_character.get(character, 0) | bit
        self._wild = self._stars | self._percents
        self._end = 1 << len(text)

    def matches(self, name: str) -> bool:
        """Return whether the pattern matches all of the name."""
        if name == INBOX and self._for_inbox is not None:
            return self._for_inbox.matches(name)
        positions = self._past_wild(1)
        for character in name:
            stay = positions & (self._stars if character == SEPARATOR else self._wild)
            positions = self._past_wild(
                stay | (positions & self._of_character.get(character, 0)) << 1
            )
            if not positions:
                return False
        return bool(positions & self._end)

    def _past_wild(self, positions: int) -> int:
        """Add the positions after a wildcard, which may stand for nothing; no two are adjacent."""
        return positions | (positions & self._wild) << 1


def pattern(reference: bytes, octets: bytes) -> Pattern:
    """Return the pattern that LIST means: the reference, and then the name with wildcards.

    INBOX is matched in any case. A pattern that is no modified UTF-7 is taken as it stands, and octets
    beyond ASCII match nothing then (RFC 5258 §3). Raises ProtocolError for one that is longer than any
    name.
    """
    joined = reference + octets
    if len(joined) > MAX_PATTERN:
        raise ProtocolError("The pattern is too long")
    try:
        text = decode_mailbox_name(joined)
    except ValueError:
        text = joined.decode("ascii", "surrogateescape")
    if text[:5].upper() == INBOX and text[5:6] in ("", SEPARATOR):
        text = INBOX + text[5:]
    return Pattern(text, for_inbox=Pattern(text.upper()))
