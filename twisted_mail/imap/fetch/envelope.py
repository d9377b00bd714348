"""The ENVELOPE of a message, and strings as IMAP writes them (RFC 3501 §4.3, §7.4.2)."""

import re
from collections.abc import Mapping, Sequence

from twisted_mail.mail import address_list
from twisted_mail.mail.address_list import MAX_ADDRESSES, HeaderAddress
from twisted_mail.mail.mime import header

Fields = Mapping[bytes, Sequence[bytes]]  # values with their folding, by lower-case names


def string(value: bytes) -> bytes:
    """Write octets as a quoted string, or as a literal where they need one.

    NUL, which neither can hold (RFC 3501 §4.3.1), is left out.
    """
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    if not value.isascii() or b"\r" in value or b"\n" in value:
        return b"{%d}\r\n%b" % (len(value), value)
    if b"\\" in value or b'"' in value:
        value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % value


def nstring(value: bytes | None) -> bytes:
    """Write octets as a string, and None as NIL."""
    return b"NIL" if value is None else string(value)


def envelope(fields: Fields) -> bytes:
    """Render the envelope of the message that has these fields.

    Sender and Reply-To stand in for themselves only where they name someone; else From does.
    """
    author = _addresses(fields, b"from")
    sender, reply_to = _addresses(fields, b"sender"), _addresses(fields, b"reply-to")
    members = (
        _text(fields, b"date"),
        _text(fields, b"subject"),
        author,
        author if sender == b"NIL" else sender,
        author if reply_to == b"NIL" else reply_to,
        _addresses(fields, b"to"),
        _addresses(fields, b"cc"),
        _addresses(fields, b"bcc"),
        _text(fields, b"in-reply-to"),
        _text(fields, b"message-id"),
    )
    return b"(%b)" % b" ".join(members)


def _text(fields: Fields, name: bytes) -> bytes:
    values = fields.get(name)
    return string(header.unfolded(values[0])) if values else b"NIL"


# ---------------------------------------------------------------- addresses

# name <local@domain>, "name" <local@domain> and local@domain, where nothing needs a literal or a
# backslash and the words of a name are one space apart: what an element of nearly all lists looks like.
_ATOMS = rb"[!#-'*+./0-9=?A-Z^-~-]++"
_QUOTABLE = re.compile(
    rb'[ \t]*+(?:(?:"([ !#-\[\]-~]*+)"|(' + _ATOMS + rb"(?>(?: " + _ATOMS + rb")*)))?[ \t]*+"
    rb"<("
    + _ATOMS
    + rb")@("
    + _ATOMS
    + rb")>|("
    + _ATOMS
    + rb")@("
    + _ATOMS
    + rb"))[ \t]*+(?:,|\Z)"
)


def _addresses(fields: Fields, name: bytes) -> bytes:
    """Render a field; one that is repeated as if its lists were one (RFC 5322 §4.5.3)."""
    values = fields.get(name)
    if not values:
        return b"NIL"
    if len(values) == 1:
        usual = usual_addresses(header.unfolded(values[0]))
        if usual is not None:
            return usual
    found: list[HeaderAddress] = []
    for value in values:
        found += address_list.parse(header.unfolded(value))
    return b"(%b)" % b"".join(map(_address, found[:MAX_ADDRESSES])) if found else b"NIL"


def usual_addresses(value: bytes) -> bytes | None:
    """Render an unfolded list of usual elements as the reader of all lists would; else return None.

    It takes a third of the time.
    """
    written = []
    position = 0
    while position < len(value):
        match = _QUOTABLE.match(value, position)
        if match is None:
            return None
        quoted, words, local, domain, bare_local, bare_domain = match.groups()
        if bare_local is not None:
            written.append(b'(NIL NIL "%b" "%b")' % (bare_local, bare_domain))
        elif quoted or words:
            written.append(b'("%b" NIL "%b" "%b")' % (quoted or words, local, domain))
        else:
            written.append(b'(NIL NIL "%b" "%b")' % (local, domain))
        position = match.end()
    if not 0 < len(written) <= MAX_ADDRESSES:
        return None
    return b"(%b)" % b"".join(written)


def _address(correspondent: HeaderAddress) -> bytes:
    return b"(%b)" % b" ".join(map(nstring, correspondent))
