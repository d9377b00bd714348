"""Encodings of text in mail: mailbox names, encoded words, charsets, transfer encodings.

Mailbox names are read strictly, as two spellings of one name would be two mailboxes. Everything from a
message is read leniently: this never raises, and takes time linear in the length.
"""

import binascii
import codecs
import re

from twisted_mail.mail.mime.charsets import codec_of

# ---------------------------------------------------------------- mailbox names

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_TO_SHIFT = re.compile(r"&|[^\x20-\x7e]+")


def decode_mailbox_name(data: bytes) -> str:
    """Read a name in modified UTF-7 (RFC 3501 §5.1.3).

    Raises ValueError on anything but the one right spelling of a name.
    """
    name = _SHIFTED.sub(_unshift, data.decode("ascii"))
    if encode_mailbox_name(name) != data:
        raise ValueError("the mailbox name is not in modified UTF-7")
    return name


def _unshift(match: re.Match[str]) -> str:
    if not match[1]:
        return "&"
    padded = match[1].replace(",", "/") + "=" * (-len(match[1]) % 4)
    return binascii.a2b_base64(padded).decode("utf-16-be")


def encode_mailbox_name(name: str) -> bytes:
    """Write a name in modified UTF-7. Raises ValueError for a lone surrogate."""
    return _TO_SHIFT.sub(_shift, name).encode("ascii")


def _shift(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    encoded = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False)
    return "&" + encoded.rstrip(b"=").decode("ascii").replace("/", ",") + "-"


# ---------------------------------------------------------------- charsets

STEP = 128 * 1024  # octets that are decoded at once
MAX_MIXED = 16 * 1024  # octets in UTF-8 that are not, each of which is looked at
_OTHERS = "twisted_mail.windows_1252"  # a way to read what is not UTF-8, in terms of codecs


def decode_text(data: bytes, charset: str = "") -> str:
    """Return text decoded by its charset, else as UTF-8 with its other octets as windows-1252.

    Never raises, and the text can always be encoded again.
    """
    codec = codec_of(charset) if charset else None
    for attempt in (codec, "utf_8"):
        if attempt is not None:
            try:
                return _encodable(_decoded(data, attempt), attempt)
            except UnicodeError:
                pass
    if codec is None or codec == "utf_8":
        return _mixed(data)
    return _encodable(_decoded(data, codec, "replace"), codec)


def _mixed(data: bytes) -> str:
    """Return text of which a part is UTF-8: a footer was added, a character was cut.

    The names in a list of addresses come from several address books, too. Without any UTF-8 in it, or
    with much else, it is windows-1252 throughout, which is much faster.
    """
    known = _decoded(data, "utf_8", "ignore")
    is_other = known.isascii() or len(data) - len(known.encode("utf-8")) > MAX_MIXED
    return _decoded(data, "cp1252", "replace") if is_other else _decoded(data, "utf_8", _OTHERS)


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read octets that are not UTF-8."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_OTHERS, _as_windows_1252)


def _decoded(data: bytes, codec: str, errors: str = "strict") -> str:
    """Decode step by step: 20 MB of KOI8-R in one step block all other threads for 2 seconds."""
    if len(data) <= STEP:
        return data.decode(codec, errors)
    if codec == "utf_7":  # its decoder starts again with each step of a long run
        return data.decode("ascii", errors)
    decoder = codecs.getincrementaldecoder(codec)(errors)
    starts = range(0, len(data), STEP)
    pieces = [decoder.decode(data[start : start + STEP]) for start in starts]
    return "".join([*pieces, decoder.decode(b"", final=True)])


def _encodable(text: str, codec: str) -> str:
    """Return the text without lone surrogates, which only UTF-7 lets through."""
    return text.encode("utf-8", "replace").decode("utf-8") if codec == "utf_7" else text


# ---------------------------------------------------------------- encoded words

# Some senders leave question marks in the text: one that neither begins nor ends a word is of it.
_WORD = re.compile(rb"=\?([^?\s]{1,80})\?([bBqQ])\?((?>(?:[^?\r\n]++|(?<!=)\?(?!=))*))\?=")


def decode_words(value: bytes) -> str:
    """Return an unfolded header value with its encoded words decoded (RFC 2047 §6). Never raises.

    White space between two words is no text (RFC 2047 §6.2). Neighbours in one charset are joined
    before they are decoded, as some senders cut characters in two.
    """
    if b"=?" not in value:
        return decode_text(value)
    pieces: list[tuple[str, list[bytes]]] = []
    position = 0
    for match in _WORD.finditer(value):
        gap = value[position : match.start()]
        if gap and (not pieces or not gap.isspace() or not pieces[-1][0]):
            pieces.append(("", [gap]))
        charset = match[1].partition(b"*")[0].decode("latin-1").lower()
        if pieces and pieces[-1][0] == charset:
            pieces[-1][1].append(_decode_word(match[2], match[3]))
        else:
            pieces.append((charset, [_decode_word(match[2], match[3])]))
        position = match.end()
    pieces.append(("", [value[position:]]))
    return "".join([decode_text(b"".join(parts), charset) for charset, parts in pieces])


def _decode_word(encoding: bytes, data: bytes) -> bytes:
    if encoding in b"bB":
        return decode_base64(data)
    return binascii.a2b_qp(data, header=True)


# ---------------------------------------------------------------- transfer encodings

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)).difference(_BASE64))
_PADDED_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")


def decode_base64(data: bytes) -> bytes:
    """Read Base64 (RFC 2045 §6.8), ignoring what does not belong. Never raises."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:  # the end is cut off
        clean = data.translate(None, _NOT_BASE64)
        clean = clean[: len(clean) - (len(clean) % 4 == 1)]
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def decode_quoted_printable(data: bytes) -> bytes:
    """Read Quoted-Printable (RFC 2045 §6.7), leaving what is malformed. Never raises."""
    if b"= " in data or b"=\t" in data:  # blanks added on the way, after a soft line break
        data = _PADDED_BREAK.sub(b"=", data)
    return binascii.a2b_qp(data)


def decode_body(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one is left as it is. Never raises."""
    match encoding.strip().lower():
        case "base64":
            return decode_base64(data)
        case "quoted-printable":
            return decode_quoted_printable(data)
        case _:
            return data
