"""What is kept of one message while it comes in, and where its header and the fields of that are."""

import re

from twisted_mail.interfaces import BlobWriter
from twisted_mail.mail.line_ends import LfRepair
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime import edited_message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.stream.dot_reader import LineEndCheck

MAX_HEADER = edited_message.MAX_HEADER  # octets of header that are looked at
ASKED = (
    b"authentication-results",
    b"date",
    b"delivered-to",
    b"from",
    b"message-id",
    b"received",
    b"return-path",
    b"tls-required",
    b"x-original-to",
    b"x-verdict",
)
# With a line end first, and without IGNORECASE, the search goes from line to line, and takes less than a
# twentieth of a search for one name that may stand at the very beginning, in any case.
_FIELD = re.compile(rb"\n(" + b"|".join(ASKED) + rb")[ \t]*:")


def header_end(head: bytes) -> int:
    """Return where the header ends in the first octets of a message, or -1 when not yet."""
    if head.startswith(b"\r\n"):
        return 0
    end = head.find(b"\r\n\r\n")
    return end if end < 0 else end + 2


class FieldNames:
    """The ``places`` in ``header`` where lines of the fields ``ASKED`` begin, by their lower-case names.

    Blanks may stand before the colon (RFC 5322 §4.5).
    """

    __slots__ = ("header", "places")

    def __init__(self, header: bytes) -> None:
        self.header = header
        self.places: dict[bytes, list[int]] = {}
        for found in _FIELD.finditer(b"\n" + header.lower()):
            self.places.setdefault(found[1], []).append(found.start())


class IncomingMessage:
    """A message that comes in: its bytes, or why they are not kept, and where its header ends.

    ``header_size`` is that of the header, or of as much of it as we look at. ``has_nul`` is true once it
    has one where none may be. The octets are kept once, by the writer, until it ``is_finished``.
    """

    __slots__ = (
        "_header_end",
        "_last",
        "_max_size",
        "_writer",
        "fault",
        "has_nul",
        "is_finished",
        "size",
    )

    def __init__(self, writer: BlobWriter, max_size: int) -> None:
        self.size = 0
        self.has_nul = False
        self.fault: Outcome | None = None
        self.is_finished = False
        self._writer = writer
        self._max_size = max_size
        self._last = b"\r\n"  # the octets before the next: a message may begin with the empty line
        self._header_end = -1  # not seen yet

    @property
    def header_size(self) -> int:
        """Return the octets of the header, or of as much of it as we look at."""
        return self._header_end if self._header_end >= 0 else min(self.size, MAX_HEADER)

    async def take(self, data: bytes) -> None:
        """Take a piece of the message, unless its content was rejected."""
        if self._header_end < 0 and self.size < MAX_HEADER:
            self._look_for_header(data)
        self.size += len(data)
        self.has_nul = self.has_nul or b"\0" in data
        if self.size > self._max_size:
            self.reject_content(replies.TOO_LARGE)
        if self.fault is not None:
            return
        await self._writer.write(data)

    def _look_for_header(self, data: bytes) -> None:
        seen = self._last + data[: MAX_HEADER - self.size]  # the end may lie across two pieces
        end = seen.find(b"\r\n\r\n")
        if end >= 0:
            self._header_end = self.size - len(self._last) + end + 2
        self._last = seen[-3:]

    def reject_content(self, outcome: Outcome) -> None:
        """Keep no more of the message; the first fault is the one that is answered."""
        if self.fault is None:
            self.fault = outcome
            self._writer.discard()

    async def finish(self) -> Blob:
        """Return the bytes of a message without fault. Raises Unavailable."""
        blob = await self._writer.finish()
        self.is_finished = True
        return blob

    def discard(self) -> None:
        """Discard what was kept; harmless after ``finish``."""
        if not self.is_finished:
            self._writer.discard()


class IncomingChunkedMessage(IncomingMessage):
    """A message that comes by BDAT (RFC 3030), and perhaps may hold any octets.

    Otherwise LF alone becomes CRLF: Exchange Online sends such. ``started`` is when it began, by the
    clock that only rises.
    """

    __slots__ = ("_line_ends", "_repair", "started")

    def __init__(self, writer: BlobWriter, max_size: int, is_binary: bool, started: float) -> None:
        super().__init__(writer, max_size)
        self.started = started
        self._line_ends = None if is_binary else LineEndCheck()
        self._repair = LfRepair()

    async def take(self, data: bytes) -> None:
        """Take a piece of the message, unless its content was rejected."""
        if self._line_ends is None:
            await super().take(data)
            self.has_nul = False  # it may
            return
        data = self._repair(data)
        self._line_ends.feed(data)
        await super().take(data)

    @property
    def is_malformed(self) -> bool:
        """Return, at its end, whether a text has a CR that stands alone."""
        return self._line_ends is not None and not self._line_ends.are_clean

    @property
    def is_line_open(self) -> bool:
        """Return whether a text does not end with the end of a line."""
        return self._line_ends is not None and self._line_ends.is_line_open
