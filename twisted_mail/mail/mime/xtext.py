"""Values in SMTP parameters that may hold any character (RFC 3461 §4): xtext, and its kin for UTF-8."""

import re

_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_SPECIAL = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_UNITEXT = re.compile(
    r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e\xa0-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+"
)
_HEXPOINT = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_UNI_SPECIAL = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]")


def decode(text: str) -> str:
    """Return what an xtext says. Raises ValueError."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("not in xtext")
    return _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), text)


def encode(text: str) -> str:
    """Return printable ASCII as xtext. Raises ValueError for what has no place in it."""
    if not text.isascii():
        raise ValueError("xtext is for ASCII")
    return _SPECIAL.sub(lambda match: f"+{ord(match[0]):02X}", text)


def decode_unicode(text: str) -> str:
    r"""Return what an address of type ``utf-8`` says, whose escapes are ``\x{HEXPOINT}``.

    Raises ValueError (RFC 6533 §3).
    """
    if not _UNITEXT.fullmatch(text):
        raise ValueError("not an encoded UTF-8 address")
    return _HEXPOINT.sub(lambda match: _point(int(match[1], 16)), text)


def _point(number: int) -> str:
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError("there is no such character")
    return chr(number)


def encode_unicode(text: str) -> str:
    """Return an address in the form of RFC 6533 §3 that needs only ASCII."""
    return _UNI_SPECIAL.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", text)
