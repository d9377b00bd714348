"""The ENVELOPE of a message, and strings as IMAP writes them (RFC 3501 §4.3, §7.4.2)."""

import re

from twisted_mail.mail import address_list
from twisted_mail.mail.address_list import MAX_ADDRESSES, HeaderAddress
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.structure import Part

_UNQUOTABLE = re.compile(rb"[\r\n\x80-\xff]")


def string(value: bytes) -> bytes:
    """Write octets as a quoted string, or as a literal where they need one.

    NUL, which neither can hold (RFC 3501 §4.3.1), is left out.
    """
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    if _UNQUOTABLE.search(value):
        return b"{%d}\r\n%b" % (len(value), value)
    if b"\\" in value or b'"' in value:
        value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % value


def nstring(value: bytes | None) -> bytes:
    """Write octets as a string, and None as NIL."""
    return b"NIL" if value is None else string(value)


# ---------------------------------------------------------------- ENVELOPE


def envelope(part: Part) -> bytes:
    """Render the envelope of the message whose own part this is.

    Sender and Reply-To stand in for themselves only where they name someone; else From does.
    """
    author = _addresses(part, b"from")
    sender, reply_to = _addresses(part, b"sender"), _addresses(part, b"reply-to")
    members = (
        nstring(part.field(b"date")),
        nstring(part.field(b"subject")),
        author,
        author if sender == b"NIL" else sender,
        author if reply_to == b"NIL" else reply_to,
        _addresses(part, b"to"),
        _addresses(part, b"cc"),
        _addresses(part, b"bcc"),
        nstring(part.field(b"in-reply-to")),
        nstring(part.field(b"message-id")),
    )
    return b"(%b)" % b" ".join(members)


def _addresses(part: Part, name: bytes) -> bytes:
    """Render a field; one that is repeated as if its lists were one (RFC 5322 §4.5.3)."""
    found: list[HeaderAddress] = []
    for value in part.fields.get(name, ()):
        found += address_list.parse(header.unfolded(value))
    return b"(%b)" % b"".join(map(_address, found[:MAX_ADDRESSES])) if found else b"NIL"


def _address(correspondent: HeaderAddress) -> bytes:
    return b"(%b)" % b" ".join(map(nstring, correspondent))
