"""What of the message goes back with a report: the message, or its header (RFC 6522 §3, RFC 6533 §4.2).

A message goes back whole if it fits into mail as it is: in lines that every server takes, without
NUL and without a CR or LF that stands alone. Of any other its header goes back, encoded if need be.
"""

import binascii
import re
from base64 import encodebytes

from twisted_mail.queue.reports.entity import MAX_LINE, Entity
from twisted_mail.queue.reports.original import OriginalMessage

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


def returned_part(
    original: OriginalMessage, is_whole: bool, is_utf8: bool, is_8bit: bool
) -> Entity:
    """Return what goes back: the header, or the whole message if it ``is_whole`` and can.

    ``is_utf8`` is for a message that was sent with SMTPUTF8. With ``is_8bit`` the way back takes UTF-8.
    """
    if is_whole and original.content is not None and _is_legal(original.content):
        return _message(original.content, is_utf8 and not original.header.isascii(), is_8bit)
    return _header(original.header, is_utf8 and not original.header.isascii(), is_8bit)


def _message(content: bytes, is_global: bool, is_8bit: bool) -> Entity:
    if is_global and not is_8bit:
        data = encodebytes(content).replace(b"\n", b"\r\n")
        return Entity("message/global", "Undelivered message", data, "base64")
    kind = "message/global" if is_global else "message/rfc822"
    return Entity(kind, "Undelivered message", content, _plain_encoding(content))


def _header(head: bytes, is_global: bool, is_8bit: bool) -> Entity:
    kind = "message/global-headers" if is_global else "text/rfc822-headers"
    if _is_legal(head) and (head.isascii() or (is_global and is_8bit)):
        return Entity(kind, "Header of the message", head, _plain_encoding(head))
    return Entity(kind, "Header of the message", quoted_printable(head), "quoted-printable")


def quoted_printable(data: bytes) -> bytes:
    """Return octets as quoted-printable; of line ends only CRLF are left as they are (RFC 2045 §6.7)."""
    lines = [binascii.b2a_qp(line, istext=False) for line in data.split(b"\r\n")]
    return b"\r\n".join(lines).replace(b"=\n", b"=\r\n")


def _is_legal(data: bytes) -> bool:
    is_short = max(map(len, data.split(b"\r\n"))) <= MAX_LINE
    return is_short and _BARE.search(data) is None


def _plain_encoding(data: bytes) -> str:
    return "7bit" if data.isascii() else "8bit"
