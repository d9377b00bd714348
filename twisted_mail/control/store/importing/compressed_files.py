"""Files of a Maildir that are no messages yet: Dovecot can keep them compressed or encrypted.

Their names do not tell it, so their first octets do; no message begins with these.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO

from twisted_mail.control.store.importing.source import MAX_MESSAGE
from twisted_mail.control.store.skipped import BadItem

_Open = Callable[[BinaryIO], io.BufferedIOBase]

_PACKED: dict[bytes, _Open] = {
    b"\x1f\x8b\x08": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh91AY&SY": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_UNREADABLE = {
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd",
    b"Dovecot-LZ4\r\x2a\x9b\xc5": "it is compressed with LZ4",
    b"CRYPTED\x03\x07": "it is encrypted",
}
_COPY = "let Dovecot copy it into a plain Maildir (doveadm backup), and import that"


def unpacked(data: bytes, limit: int = MAX_MESSAGE) -> bytes | BadItem:
    """Return the message in the octets of a file, of at most ``limit`` octets."""
    for start, why in _UNREADABLE.items():
        if data.startswith(start):
            return BadItem(f"{why}: {_COPY}")
    for start, opened in _PACKED.items():
        if data.startswith(start):
            return _read(opened, data, limit)
    return data


def _read(opened: _Open, data: bytes, limit: int) -> bytes | BadItem:
    try:
        with opened(io.BytesIO(data)) as file:
            text = file.read(limit + 1)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return BadItem("it is compressed, and damaged")
    return text if len(text) <= limit else BadItem(f"larger than {limit} octets")
