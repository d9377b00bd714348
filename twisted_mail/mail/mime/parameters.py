"""Fields with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183 §2).

Values are read leniently, in linear time, and never raise.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from twisted_mail.mail.mime.encoding import decode_text, decode_words

MAX_PARAMETERS = 200  # of one field, the pieces of RFC 2231 §3 counted one by one

Parameters = tuple[tuple[bytes, bytes], ...]  # lower-case names and unquoted values

_TOKEN = rb"[^\s\x00-\x1f()<>@,;:\\\"/\[\]?=]++"
_MEDIA = re.compile(rb"\s*+(" + _TOKEN + rb")\s*+/\s*+(" + _TOKEN + rb")")
_KIND = re.compile(rb"\s*+(" + _TOKEN + rb")")
_PARAMETER = re.compile(
    rb';\s*+([^\s=;"()]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))', re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(rb"[ \t]\(")
_PIECE = re.compile(rb"([^*]++)(?:\*([0-9]{1,3}))?(\*)?")
_NOT_EXTENDED = re.compile(rb"[^A-Za-z0-9!#$&+.^_`{|}~-]")  # attribute-char, RFC 2231 §7


class ContentType(NamedTuple):
    """The kind of a part: type and subtype in lower case, and the parameters."""

    type: bytes
    subtype: bytes
    parameters: Parameters = ()

    def parameter(self, name: bytes) -> bytes:
        """Return the value of a parameter, or empty bytes. It may be in pieces (RFC 2231 §3)."""
        for known, value in self.parameters:
            if known == name:
                return value
        if any(b"*" in known for known, _ in self.parameters):
            return decoded(self.parameters).get(name.decode("latin-1"), "").encode("utf-8")
        return b""


class Disposition(NamedTuple):
    """How a part is meant to be shown: the kind in lower case, and the parameters."""

    kind: bytes
    parameters: Parameters = ()


PLAIN = ContentType(b"text", b"plain", ((b"charset", b"us-ascii"),))  # the default, RFC 2045 §5.2
MESSAGE = ContentType(b"message", b"rfc822")


def content_type(value: bytes) -> ContentType | None:
    """Read the unfolded value of Content-Type; None when it is not of the form ``type/subtype``."""
    match = _MEDIA.match(value)
    if match is None:
        return None
    return ContentType(match[1].lower(), match[2].lower(), _parameters(value, match.end()))


def disposition(value: bytes) -> Disposition | None:
    """Read the unfolded value of Content-Disposition; None when it is empty or malformed."""
    match = _KIND.match(value)
    if match is None:
        return None
    return Disposition(match[1].lower(), _parameters(value, match.end()))


def _parameters(value: bytes, position: int) -> Parameters:
    matches = islice(_PARAMETER.finditer(value, position), MAX_PARAMETERS)
    return tuple((match[1].lower(), _value(match)) for match in matches)


def _value(match: re.Match[bytes]) -> bytes:
    quoted, bare = match[2], match[3]
    if quoted is not None:
        return _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
    if b"(" in bare and (comment := _COMMENT.search(bare)):
        bare = bare[: comment.start()]
    return bare.strip()


# ---------------------------------------------------------------- RFC 2231


def joined(parameters: Parameters) -> Parameters:
    """Return the parameters with continued ones put together (RFC 2231 §3).

    A value with a charset keeps its form and the ``*`` after its name (RFC 2231 §4).
    """
    if not any(b"*" in name for name, _ in parameters):
        return parameters
    result: dict[bytes, list[tuple[int, bytes, bool]]] = {}
    for name, value in parameters:
        match = _PIECE.fullmatch(name)
        if match is None:
            result.setdefault(name, []).append((0, value, False))
        else:
            result.setdefault(match[1], []).append(
                (int(match[2] or 0), value, match[3] is not None)
            )
    return tuple(_join(name, sorted(pieces)) for name, pieces in result.items())


def _join(name: bytes, pieces: Sequence[tuple[int, bytes, bool]]) -> tuple[bytes, bytes]:
    """Join the pieces 0, 1, 2 ...; those after a gap are lost."""
    row = list(_without_gaps(pieces))
    if not any(is_extended for _, is_extended in row):
        return name, b"".join(value for value, _ in row)
    escaped = [value if is_extended else _escape(value) for value, is_extended in row]
    if not row[0][1]:  # the charset would stand here
        escaped.insert(0, b"''")
    return name + b"*", b"".join(escaped)


def _without_gaps(pieces: Iterable[tuple[int, bytes, bool]]) -> Iterable[tuple[bytes, bool]]:
    expected = 0
    for number, value, is_extended in pieces:
        if number > expected:
            return
        if number == expected:
            yield value, is_extended
            expected += 1


def _escape(value: bytes) -> bytes:
    return _NOT_EXTENDED.sub(lambda match: b"%%%02X" % match[0][0], value)


def decoded(parameters: Parameters) -> dict[str, str]:
    """Return the parameters as a person reads them, by lower-case name.

    Encoded words are not allowed in parameters, but decoded, as senders use them.
    """
    result: dict[str, str] = {}
    for name, value in joined(parameters):
        plain = name.removesuffix(b"*").decode("latin-1")
        result.setdefault(
            plain, decode_extended(value) if name[-1:] == b"*" else decode_words(value)
        )
    return result


def decode_extended(value: bytes) -> str:
    """Read ``charset'language'text`` with its percent escapes (RFC 2231 §4). Never raises."""
    charset, quote, rest = value.partition(b"'")
    _, second, text = rest.partition(b"'")
    if not (quote and second):
        charset, text = b"", value
    return decode_text(unquote_to_bytes(text), charset.decode("latin-1"))
