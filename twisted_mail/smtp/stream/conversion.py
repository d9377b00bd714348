"""Making messages legal for those who carry them on: short lines, no binary octets, or ASCII alone.

| what a part has | what it becomes |
| --- | --- |
| lines longer than 998 octets, in text | quoted-printable |
| the same in another type, or NUL, or a CR or LF that stands alone | base64 |
| octets above 127, where only 7 bits go through | quoted-printable in text, else base64 |
| a field longer than a line may be | folded where it has a space |

Whoever decodes the parts finds the same octets in them. What is signed is never altered:
``multipart/signed``, and messages with a DKIM signature; nor is what is encrypted, nor types that may not
be encoded (``message/...``, RFC 2046 §5.2). A message with nothing of this is returned as it is.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from twisted_mail.mail.mime import header, structure
from twisted_mail.mail.mime.structure import Part

MAX_LINE = 998  # octets without CRLF, RFC 5322 §2.1.1
_WRAP = 57  # octets that make 76 of base64, RFC 2045 §6.8
_STRIDE = 64 * 1024  # octets that are quoted at a time: other threads are held up meanwhile

_ENCODING = b"content-transfer-encoding"
_SIGNATURES = frozenset((b"dkim-signature", b"arc-message-signature"))
_SEALED = frozenset((b"signed", b"encrypted"))
_PLAIN = frozenset((b"", b"7bit", b"8bit", b"binary"))
_ONE_TOO_LONG = re.compile(rb"^([^\r\n]{74})(=(?:20|09))(?=\r?$)", re.MULTILINE)


# ---------------------------------------------------------------- looking


def has_long_line(data: bytes, start: int = 0, stop: int | None = None) -> bool:
    """Return whether a line is longer than ``MAX_LINE``: one look for each thousand octets."""
    stop = len(data) if stop is None else stop
    while stop - start > MAX_LINE:
        end = data.rfind(b"\n", start, start + MAX_LINE + 2)
        if end < 0:
            return stop - start > MAX_LINE + 1 or data[stop - 1] != 13
        start = end + 1
    return False


def has_binary(data: bytes) -> bool:
    """Return whether there is a NUL, or a CR or LF that stands alone."""
    between = data.replace(b"\r\n", b"")  # faster than to count three times
    return b"\0" in data or b"\n" in between or b"\r" in between


def is_legal(data: bytes, is_7bit: bool = False) -> bool:
    """Return whether a message may be carried as it is, by the rules of 8BITMIME or of SMTP alone."""
    if is_7bit and not data.isascii():
        return False
    return not has_binary(data) and not has_long_line(data)


# ---------------------------------------------------------------- converting


def converted(data: bytes, is_7bit: bool = False) -> bytes:
    """Return a message as it may be carried, as far as that is possible: see ``is_legal``."""
    if is_legal(data, is_7bit):
        return data
    root = structure.scan(data)
    if _is_signed(data, root):
        return data
    conversion = _Conversion(data, is_7bit)
    conversion.walk(root)
    return conversion.result()


def _is_signed(data: bytes, message: Part) -> bool:
    names = {one.name.lower() for one in header.fields(data, message.start, message.body)}
    return not names.isdisjoint(_SIGNATURES)


@dataclass(slots=True)
class _Conversion:
    """The changes to one message: what stands in the place of which octets."""

    data: bytes
    is_7bit: bool
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    labels: list[Part] = field(default_factory=list)  # containers that say more than 7bit
    versions: set[int] = field(default_factory=set)  # where messages begin that have one
    is_8bit_left: bool = False  # in what is not altered

    def result(self) -> bytes:
        pieces, at = [], 0
        for start, stop, new in sorted(self.edits):
            if start >= at:
                pieces += [self.data[at:start], new]
                at = stop
        return b"".join([*pieces, self.data[at:]])

    def walk(self, root: Part) -> None:
        """Note the changes to all parts, outer ones before those within."""
        waiting = [(root, root)]
        while waiting:
            part, message = waiting.pop()
            if self._is_sealed(part):
                self.is_8bit_left |= not self._is_ascii(part.start, part.stop)
                continue
            self._fold(part)
            if part.children:
                self._trim(part)
                inner = part.children[0] if part.is_message else message
                waiting += [(child, inner) for child in part.children]
                if part.encoding in (b"8bit", b"binary"):
                    self.labels.append(part)
            elif self._encode(part):
                self._ensure_version(message)
        for part in self.labels:
            is_7bit = self.is_7bit and not self.is_8bit_left
            self._label(part, b"7bit" if is_7bit else b"8bit")

    def _is_sealed(self, part: Part) -> bool:
        """Return whether a part is left as it is, with all that is in it."""
        if part.is_multipart:
            return part.type.subtype in _SEALED
        if part.is_message:
            is_plain = part.encoding in _PLAIN
            return not is_plain or any(_is_signed(self.data, one) for one in part.children)
        return part.type.type == b"message"

    def _is_ascii(self, start: int, stop: int) -> bool:
        return self.data[start:stop].isascii()

    # ------------------------------------------------------------ leaves

    def _encode(self, part: Part) -> bool:
        """Note the new content of a part without parts; return whether it has one."""
        content = self.data[part.body : part.stop]
        encoding = part.encoding
        if is_legal(content, self.is_7bit):
            if encoding == b"binary" or (self.is_7bit and encoding == b"8bit"):
                self._label(part, b"7bit" if content.isascii() else b"8bit")
            return False
        new = _encoded(content, encoding, part.type.type == b"text")
        if new is None:
            self.is_8bit_left |= not content.isascii()
            return False
        name, octets = new
        if part.stop == len(self.data) and not octets.endswith(b"\r\n"):
            # No delimiter brings a line end; one that means nothing does.
            octets += b"\r\n" if name == b"base64" else b"=\r\n"
        self.edits.append((part.body, part.stop, octets))
        self._label(part, name, self._missing_type(part, content))
        return True

    def _missing_type(self, part: Part, content: bytes) -> bytes:
        """Return a type for text that says nothing of itself and is not what that means."""
        if b"content-type" in part.fields or content.isascii():
            return b""
        try:
            content.decode()
        except UnicodeDecodeError:
            return b"Content-Type: text/plain; charset=unknown-8bit\r\n"  # RFC 1428 §3
        return b"Content-Type: text/plain; charset=utf-8\r\n"

    # ------------------------------------------------------------ headers

    def _label(self, part: Part, encoding: bytes, more: bytes = b"") -> None:
        """Note what a part says of its encoding from now on."""
        new = more + b"Content-Transfer-Encoding: " + encoding + b"\r\n"
        for one in header.fields(self.data, part.start, part.body):
            if one.name.lower() == _ENCODING:
                self.edits.append((one.start, one.stop, new))
                new = b""
        if new:
            self._insert(part, new)

    def _ensure_version(self, message: Part) -> None:
        if message.start in self.versions:
            return
        self.versions.add(message.start)
        fields = header.fields(self.data, message.start, message.body)
        if not any(one.name.lower() == b"mime-version" for one in fields):
            self._insert(message, b"MIME-Version: 1.0\r\n")

    def _insert(self, part: Part, new: bytes) -> None:
        """Put a field at the end of a part's header, before the empty line."""
        at = part.body - (2 if self.data.endswith(b"\r\n", part.start, part.body) else 1)
        at = max(at, part.start)
        self.edits.append((at, at, new))

    def _fold(self, part: Part) -> None:
        """Fold lines of a header that are too long, where they have a space (RFC 5322 §2.2.3)."""
        if not has_long_line(self.data, part.start, part.body):
            return
        at = part.start
        while at < part.body:
            end = self.data.find(b"\n", at, part.body)
            end = part.body if end < 0 else end
            self.edits += [(cut, cut, b"\r\n") for cut in _cuts(self.data, at, end)]
            at = end + 1

    # ------------------------------------------------------------ between parts

    def _trim(self, part: Part) -> None:
        """Drop what stands before the first part and after the last, where it is not legal.

        Nobody is to show it (RFC 2046 §5.1.1).
        """
        if not part.is_multipart:
            return
        first = part.children[0].start
        before = self.data[part.body : first]
        if not is_legal(before, self.is_7bit):
            line = before.rfind(b"\n--") + 1
            self.edits.append((part.body, part.body + line, b""))
        last = part.children[-1].stop
        end = self.data.find(b"\n", self.data.find(b"\n", last, part.stop) + 1, part.stop) + 1
        if end > last and not is_legal(self.data[end : part.stop], self.is_7bit):
            self.edits.append((end, part.stop, b""))


def _cuts(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where a line of a header can be cut so that no piece is too long, if it can be."""
    while end - start > MAX_LINE:
        most = start + MAX_LINE
        at = max(data.rfind(b" ", start + 1, most), data.rfind(b"\t", start + 1, most))
        if at < 0 or data[start:at].strip(b" \t")[-1:] in (b"", b":"):
            return
        yield at
        start = at


# ---------------------------------------------------------------- encodings


def _encoded(content: bytes, encoding: bytes, is_text: bool) -> tuple[bytes, bytes] | None:
    """Return the name of another encoding and the content in it; None when it cannot be read."""
    if encoding == b"base64":
        return _rewrapped(content)
    if encoding == b"quoted-printable":
        content = binascii.a2b_qp(content)
    elif encoding not in _PLAIN:
        return None
    if is_text and not has_binary(content):
        return b"quoted-printable", to_quoted_printable(content)
    return b"base64", to_base64(content)


def _rewrapped(content: bytes) -> tuple[bytes, bytes] | None:
    packed = b"".join(content.split())
    if b"\0" in packed or not packed.isascii():
        return None
    lines = [packed[at : at + 76] for at in range(0, len(packed), 76)]
    return b"base64", b"\r\n".join(lines)


def to_base64(content: bytes) -> bytes:
    """Return octets in base64, in lines of 76 with CRLF between them (RFC 2045 §6.8)."""
    lines = [
        binascii.b2a_base64(content[at : at + _WRAP], newline=False)
        for at in range(0, len(content), _WRAP)
    ]
    return b"\r\n".join(lines)


def to_quoted_printable(content: bytes) -> bytes:
    """Return text, whose line ends are CRLF, in quoted-printable (RFC 2045 §6.7)."""
    pieces, at = [], 0
    while len(content) - at > _STRIDE:
        end = content.rfind(b"\r\n", at, at + _STRIDE) + 2
        if end > at + 1:
            pieces.append(_quoted(content[at:end]))
        else:
            end = at + _STRIDE - (content[at + _STRIDE - 1] == 13)
            pieces.append(_broken(_quoted(content[at:end])))
        at = end
    return b"".join([*pieces, _quoted(content[at:])])


def _quoted(content: bytes) -> bytes:
    # The end lets binascii see that lines end with CRLF, and goes again. It lets a line whose last octet
    # is a quoted space grow to 77.
    quoted = binascii.b2a_qp(content + b"\r\n", istext=True)[:-2]
    return _ONE_TOO_LONG.sub(rb"\1=\r\n\2", quoted)


def _broken(quoted: bytes) -> bytes:
    """Return the beginning of a line with a soft end; no piece of it may be too long for that."""
    start = quoted.rfind(b"\n") + 1
    if len(quoted) - start < 76:
        return quoted + b"=\r\n"
    at = start + 38
    at -= next((back for back in (1, 2) if quoted[at - back] == 61), 0)  # not inside =3D
    return quoted[:at] + b"=\r\n" + quoted[at:] + b"=\r\n"
