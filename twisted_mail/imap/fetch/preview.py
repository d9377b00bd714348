"""Previews: the first words of a message, as lists of messages show them (RFC 8970)."""

import re
from collections.abc import Iterator
from dataclasses import replace

from twisted_mail.mail.mime.structure import Part
from twisted_mail.mail.mime.substring_search import part_text

CHARACTERS = 200  # RFC 8970 §4.1
_LOOKED_AT = {b"plain": 16 * 1024, b"html": 64 * 1024}  # octets: HTML may begin with much style

# Control characters, and what senders of newsletters put after their preview to keep the rest away.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]+"
)
_PIECE = 4096  # characters in which words are looked for


def preview(data: bytes, root: Part) -> str:
    """Return the first words of a scanned message, empty where it has no text."""
    for subtype in (b"plain", b"html"):
        for part in _texts(root, subtype):
            words = _words(_beginning(data, part))
            if words:
                return words
    return ""


def _texts(root: Part, subtype: bytes) -> Iterator[Part]:
    """Yield the parts that are text to read: no attachments, and nothing of messages within."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        how = part.field(b"content-disposition") or b""
        if part.is_message or how.lstrip().lower().startswith(b"attachment"):
            continue
        if part.type[:2] == (b"text", subtype):
            yield part
        waiting.extend(reversed(part.children))


def _beginning(data: bytes, part: Part) -> str:
    stop = min(part.stop, part.body + _LOOKED_AT[part.type.subtype])
    return part_text(data, replace(part, stop=stop))


def _words(text: str) -> str:
    """Return the beginning with one blank for any white space."""
    found = ""
    for start in range(0, len(text), _PIECE):
        piece = _UNSEEN.sub(" ", text[start : start + _PIECE])
        found = " ".join([*found.split(), *piece.split()])
        if len(found) >= CHARACTERS:
            break
    return found[:CHARACTERS].rstrip()
