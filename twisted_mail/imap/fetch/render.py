"""The items of a message as FETCH sends them: ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 §7.4.2)."""

import re
from collections.abc import Sequence
from itertools import chain

from twisted_mail.imap.fetch import outline
from twisted_mail.imap.fetch.envelope import envelope, nstring, string
from twisted_mail.imap.fetch.header_items import header_items
from twisted_mail.imap.fetch.preview import preview
from twisted_mail.mail.bounded_cache import RecentCache
from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.comments import without_comments
from twisted_mail.mail.mime.parameters import ContentType, Parameters, disposition, joined
from twisted_mail.mail.mime.structure import Part, parts_of

# RFC 3501 §9 wants a part in every multipart: where there is none, an empty text stands for it.
_EMPTY_BODY = b'("text" "plain" NIL NIL NIL "7bit" 0 0)'
_EMPTY_STRUCTURE = b'("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
# What a part may be called, which few are; and fields of BODYSTRUCTURE that BODY has not.
_NAMING = frozenset((b"content-id", b"content-description"))
_EXTENSION = frozenset((b"content-disposition", b"content-language", b"content-location"))
_TOKEN = re.compile(rb"[^\s;,()\"]++")


class ItemRenderer:
    """Makes the items of a message.

    ``version`` rises whenever the same message would be rendered otherwise, so that items kept from
    before are made anew.
    """

    version: int = 8

    def __call__(
        self,
        data: bytes,
        tier: ItemTier = ItemTier.PREVIEW,
        known: RenderedItems | None = None,
    ) -> RenderedItems:
        """Render one message up to a tier. Never raises, whatever the bytes."""
        found = known or _of_header(data)
        if tier == ItemTier.HEADER:
            return found
        parts = parts_of(data)
        body, structure = _bodies(parts)
        shown = (
            preview(data, parts[0]).encode("utf-8", "replace") if tier == ItemTier.PREVIEW else b""
        )
        size, fields = found.header_size, found.fields
        where = outline.encode_outline(parts)
        return RenderedItems(found.envelope, body, structure, size, fields, shown, where, tier)


def _of_header(data: bytes) -> RenderedItems:
    size = header.end(data)
    envelope, fields = header_items(data, size)
    return RenderedItems(envelope, b"", b"", size, fields, tier=ItemTier.HEADER)


# ---------------------------------------------------------------- BODY and BODYSTRUCTURE


def _bodies(parts: Sequence[Part]) -> tuple[bytes, bytes]:
    """Render BODY and BODYSTRUCTURE of a message with all these parts, in the order of the octets.

    Parts come after those that contain them, so going backwards finds every child rendered: no recursion.
    """
    rendered: dict[int, tuple[bytes, bytes]] = {}
    for part in reversed(parts):
        children = [rendered.pop(id(child)) for child in part.children]
        make = _multipart if part.is_multipart else _single
        rendered[id(part)] = make(part, children)
    return rendered[id(parts[0])]


def _multipart(part: Part, children: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    children = children or [(_EMPTY_BODY, _EMPTY_STRUCTURE)]
    subtype = string(part.type.subtype)
    bodies = b"".join(body for body, _ in children)
    structures = b"".join(structure for _, structure in children)
    parameters = _parameters(part.type.parameters)
    return (
        b"(%b %b)" % (bodies, subtype),
        b"(%b %b %b %b)" % (structures, subtype, parameters, _extension(part)),
    )


def _single(part: Part, children: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    basic = _basic(part)
    body = structure = basic
    if part.type.type == b"text":
        body = structure = b"%b %d" % (basic, part.lines)
    for inner_body, inner_structure in children:
        inside = envelope(part.children[0].fields)
        body = b"%b %b %b %d" % (basic, inside, inner_body, part.lines)
        structure = b"%b %b %b %d" % (basic, inside, inner_structure, part.lines)
    md5 = nstring(part.field(b"content-md5"))
    return b"(%b)" % body, b"(%b %b %b)" % (structure, md5, _extension(part))


def _basic(part: Part) -> bytes:
    """Render the fields that every part has that is no multipart."""
    names = b"NIL NIL"
    if not _NAMING.isdisjoint(part.fields):
        cid, description = part.field(b"content-id"), part.field(b"content-description")
        names = b"%b %b" % (nstring(cid), nstring(description))
    encoding = string(part.encoding or b"7bit")
    return b"%b %b %b %d" % (_kinds(part.type), names, encoding, part.size)


def _kind(kind: ContentType) -> bytes:
    """Render type, subtype and parameters."""
    parameters = _parameters(kind.parameters)
    return b"%b %b %b" % (string(kind.type), string(kind.subtype), parameters)


def _octets(kind: ContentType) -> int:
    """Return about what a kind of part takes in memory, with its rendering."""
    texts = (kind.type, kind.subtype, *chain.from_iterable(kind.parameters))
    return 1000 + 2 * sum(map(len, texts))


_kinds: RecentCache[ContentType, bytes] = RecentCache(_kind, 256 * 1024, _octets)


def _extension(part: Part) -> bytes:
    """Render disposition, language and location."""
    if _EXTENSION.isdisjoint(part.fields):
        return b"NIL NIL NIL"
    how = disposition(part.field(b"content-disposition") or b"")
    shown = b"(%b %b)" % (string(how.kind), _parameters(how.parameters)) if how else b"NIL"
    location = part.field(b"content-location")
    return b"%b %b %b" % (shown, _languages(part), nstring(location))


def _languages(part: Part) -> bytes:
    value = part.field(b"content-language")
    tags = _TOKEN.findall(without_comments(value)) if value else []
    return b"(%b)" % b" ".join(map(string, tags)) if tags else b"NIL"


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    pairs = [b"%b %b" % (string(name), string(value)) for name, value in joined(parameters)]
    return b"(%b)" % b" ".join(pairs)
