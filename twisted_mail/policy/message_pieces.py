"""Reading a message without keeping the reactor thread waiting for a file."""

from collections.abc import AsyncIterator, Iterator

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import Unavailable

IN_MEMORY = 64 * 1024  # octets: a message that small is in memory


async def pieces(blocking: Blocking, source: Blob | Message) -> AsyncIterator[bytes]:
    """Yield the octets in pieces. Raises Unavailable."""
    found: Iterator[bytes] = source.pieces()
    try:
        if source.size <= IN_MEMORY:
            for piece in found:
                yield piece
            return
        while piece := await blocking.run(next, found, b""):
            yield piece
    except OSError as error:
        raise Unavailable("The message cannot be read now") from error
