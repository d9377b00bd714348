"""Fields with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183 §2).

Values are read leniently, in linear time, and never raise.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from twisted_mail.mail.mime.comments import without_comments
from twisted_mail.mail.mime.encoding import decode_text, decode_words

MAX_PARAMETERS = 200  # of one field, the pieces of RFC 2231 §3 counted one by one
_USUAL = 80  # octets of a value that is remembered

Parameters = tuple[tuple[bytes, bytes], ...]  # lower-case names and unquoted values

_TOKEN = rb"[^\s\x00-\x1f()<>@,;:\\\"/\[\]?=]++"
_MEDIA = re.compile(rb"\s*+(" + _TOKEN + rb")\s*+/\s*+(" + _TOKEN + rb")")
_TEXT = re.compile(rb"\s*+text\s*+(?:;|\Z)", re.IGNORECASE)
_KIND = re.compile(rb'\s*+"?(' + _TOKEN + rb")(?!\s*+=)")
# A semicolon before a name may be missing; then the value before it ends where the name begins.
_NAME = rb'[^\s=;"()]++'
_PARAMETER = re.compile(
    rb"(?:;\s*+|(?<=\s)|\A)(" + _NAME + rb')\s*+=\s*+(?:"((?>(?:[^"\\]++|\\.)*))"?'
    rb"|((?>(?:[^;\s]++|\s++(?!" + _NAME + rb"\s*+=))*)))",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_PIECE = re.compile(rb"([^*]++)\*([0-9]{1,3})(\*)?")
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
    """Read the unfolded value of Content-Type; None when it is not of the form ``type/subtype``.

    The one exception is ``text``, an old way to write ``text/plain``.
    """
    return _usual_type(value) if len(value) <= _USUAL else _content_type(value)


@lru_cache(500)
def _usual_type(value: bytes) -> ContentType | None:
    """Read a short value: nearly all texts have one of a few."""
    return _content_type(value)


def _content_type(value: bytes) -> ContentType | None:
    value = without_comments(value)
    match = _MEDIA.match(value)
    if match is not None:
        return ContentType(match[1].lower(), match[2].lower(), _parameters(value, match.end()))
    match = _TEXT.match(value)
    if match is None:
        return None
    return ContentType(b"text", b"plain", _parameters(value, match.end() - 1))


def disposition(value: bytes) -> Disposition | None:
    """Read the unfolded value of Content-Disposition; None when nothing can be read.

    Parameters without a kind are those of an attachment, as those of unknown kinds are (RFC 2183 §2.8).
    """
    if not value:
        return None
    value = without_comments(value)
    match = _KIND.match(value)
    if match is not None:
        return Disposition(match[1].lower(), _parameters(value, match.end()))
    parameters = _parameters(value, 0)
    return Disposition(b"attachment", parameters) if parameters else None


def _parameters(value: bytes, position: int) -> Parameters:
    matches = islice(_PARAMETER.finditer(value, position), MAX_PARAMETERS)
    return tuple([(match[1].lower(), _value(match)) for match in matches])


def _value(match: re.Match[bytes]) -> bytes:
    quoted, bare = match[2], match[3]
    if quoted is None:
        return bare.strip()
    return _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted


# ---------------------------------------------------------------- RFC 2231


class _Piece(NamedTuple):
    number: int
    name: bytes  # as spelled, with number and asterisk
    value: bytes

    @property
    def is_extended(self) -> bool:
        return self.name.endswith(b"*")


def joined(parameters: Parameters) -> Parameters:
    """Return the parameters with continued ones put together (RFC 2231 §3), each where it began.

    A value with a charset keeps its form and the ``*`` after its name (RFC 2231 §4). Nothing is lost: a
    plain parameter of the same name is one of its own, and so are pieces that do not fit.
    """
    if b"*" not in b"".join([name for name, _ in parameters]):
        return parameters
    together: dict[bytes, list[_Piece]] = {}  # by the name that they begin with
    for name, value in parameters:
        match = _PIECE.fullmatch(name)
        if match is not None:
            piece = _Piece(int(match[2]), name, value)
            together.setdefault(match[1], []).append(piece)
    return tuple(_in_order(parameters, together))


def _in_order(
    parameters: Parameters, together: dict[bytes, list[_Piece]]
) -> Iterator[tuple[bytes, bytes]]:
    for name, value in parameters:
        match = _PIECE.fullmatch(name)
        if match is None:
            yield name, value
        elif match[1] in together:
            yield from _join(match[1], together.pop(match[1]))


def _join(name: bytes, pieces: Sequence[_Piece]) -> Iterator[tuple[bytes, bytes]]:
    """Join the pieces 0, 1, 2 ...; those after a gap, and of a number again, come after them."""
    row: list[_Piece] = []
    others: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.number):
        (row if piece.number == len(row) else others).append(piece)
    if any(piece.is_extended for piece in row):
        texts = [piece.value if piece.is_extended else _escape(piece.value) for piece in row]
        start = b"" if row[0].is_extended else b"''"  # the charset would stand here
        yield name + b"*", start + b"".join(texts)
    elif row:
        yield name, b"".join([piece.value for piece in row])
    yield from [(piece.name, piece.value) for piece in others]


def _escape(value: bytes) -> bytes:
    return _NOT_EXTENDED.sub(lambda match: b"%%%02X" % match[0][0], value)


def decoded(parameters: Parameters) -> dict[str, str]:
    """Return the parameters as a person reads them, by lower-case name.

    Of several values the first counts, and one with a charset before one without: it is the plain one
    that stands in for readers that know no other (RFC 6266 §4.3 says so for HTTP). Encoded words are not
    allowed in parameters, but decoded, as senders use them.
    """
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, value in joined(parameters):
        text = name.decode("latin-1")
        known = extended if text.endswith("*") else plain
        known.setdefault(text.removesuffix("*"), _decoded(name, value))
    return plain | extended


def values_of(parameters: Parameters, name: bytes) -> list[str]:
    """Return all values of the parameter with a lower-case name, as a person reads them."""
    return [
        _decoded(spelled, value)
        for spelled, value in joined(parameters)
        if spelled in (name, name + b"*")
    ]


def _decoded(name: bytes, value: bytes) -> str:
    return decode_extended(value) if name.endswith(b"*") else decode_words(value)


def decode_extended(value: bytes) -> str:
    """Read ``charset'language'text`` with its percent escapes (RFC 2231 §4). Never raises."""
    charset, quote, rest = value.partition(b"'")
    _, second, text = rest.partition(b"'")
    if not (quote and second):
        charset, text = b"", value
    return decode_text(unquote_to_bytes(text), charset.decode("latin-1"))
