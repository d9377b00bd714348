"""Fields that are taken out of a message, or renamed; a large body after them is not copied."""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.mail.message import Blob, JoinedBlob, MemoryBlob, SlicedBlob


def changed(
    head: bytes, blob: Blob, changes: Sequence[tuple[int, int, bytes]]
) -> tuple[bytes, Blob]:
    """Return header and message with other octets in the place of those from each start to its stop.

    The changes come in the order of the header. The new blob owns the old one.
    """
    at = 0
    pieces: list[bytes] = []
    for start, stop, new in changes:
        pieces += [head[at:start], new]
        at = stop
    kept = b"".join([*pieces, head[at:]])
    if isinstance(blob, MemoryBlob):
        return kept, replace(blob, data=kept + blob.data[len(head) :])  # in the same budget
    return kept, JoinedBlob((MemoryBlob(kept), SlicedBlob(blob, len(head), blob.size)))
