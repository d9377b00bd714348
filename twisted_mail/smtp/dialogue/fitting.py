"""Messages as a host takes them: their size, 8 bits (RFC 6152 §3), UTF-8 (RFC 6531 §3.2).

| the message has | the host lacks | what is sent |
| --- | --- | --- |
| octets above 127 | 8BITMIME | a copy, encoded; if it is signed: as it is, or nothing (5.6.3) |
| the wish SMTPUTF8 | SMTPUTF8 | no wish, if addresses and header are ASCII; else nothing (5.6.7) |
| more octets than SIZE says | | nothing (5.3.4) |
"""

from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.interfaces import BlobWriter, Blocking
from twisted_mail.mail.message import PIECE, Blob, MemoryBlob
from twisted_mail.mail.mime import header
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.content import CHUNK
from twisted_mail.smtp.stream import conversion

MAX_AT_ONCE = 1024 * 1024  # octets in memory that are looked at without a thread
MAX_CONVERTED = 32 * 1024 * 1024  # octets of a message that is encoded anew, one at a time
MAX_HEADER = 1024 * 1024  # octets in which a header ends, or counts as one that is not ASCII

NO_UTF8 = Outcome(
    550, "5.6.7", "The host takes no addresses and headers in UTF-8, and this message needs them"
)
SIGNED = Outcome(
    554, "5.6.3", "The host takes ASCII alone, and this message cannot be encoded without harm"
)


@dataclass(frozen=True, slots=True)
class FittedMessage:
    """A message as one host takes it: ``head``, which is in memory, and a blob.

    ``data`` is all of it where it is small and in memory, else None. ``is_owned``: the blob is to be
    closed.
    """

    head: bytes
    blob: Blob
    size: int
    is_8bit: bool = False
    is_utf8: bool = False
    data: bytes | None = None
    is_owned: bool = False

    def close(self) -> None:
        """Release what was made for this host alone."""
        if self.is_owned:
            self.blob.close()


class MessageFitter:
    """Makes messages fit one host. ``converting`` makes one copy at a time: memory is bounded."""

    __slots__ = ("_blob_writer", "_blocking", "_converting", "_offered", "_sends_signed_8bit")

    def __init__(
        self,
        offered: Capabilities,
        sends_signed_8bit: bool,
        blocking: Blocking,
        converting: Blocking,
        blob_writer: Callable[[], BlobWriter],
    ) -> None:
        self._offered = offered
        self._sends_signed_8bit = sends_signed_8bit
        self._blocking = blocking
        self._converting = converting
        self._blob_writer = blob_writer

    def takes(self, recipient: OwedRecipient) -> bool:
        """Return whether the host can be told this address."""
        return self._offered.has_utf8 or recipient.address.text.isascii()

    def fit_at_once(self, transaction: Transaction) -> FittedMessage | Outcome | None:
        """Return the message as the host takes it, or why it does not; None if it must be read first."""
        message = transaction.message
        blob, wishes = message.blob, transaction.job.mail_parameters
        if type(blob) is not MemoryBlob or blob.size > MAX_AT_ONCE or wishes.is_utf8:
            return None
        head = transaction.fields + message.prefix
        size = len(head) + blob.size
        refusal = self._refusal(transaction, size)
        if refusal is not None:
            return refusal
        is_8bit = not (head.isascii() and blob.data.isascii())
        if is_8bit and not self._offered.has_8bit:
            return None
        data = head + blob.data if blob.size <= CHUNK else None
        return FittedMessage(head, blob, size, is_8bit, self._is_utf8(transaction), data)

    def _refusal(self, transaction: Transaction, size: int) -> Outcome | None:
        """Return why the host takes nothing of the transaction, as far as is known at once."""
        most = self._offered.size
        if 0 < most < size:
            text = f"The host takes messages of {most} octets at most, and this one has {size}"
            return Outcome(552, "5.3.4", text)
        if not self._offered.has_utf8 and not transaction.sender.text.isascii():
            return NO_UTF8
        return None

    async def fit(self, transaction: Transaction) -> FittedMessage | Outcome:
        """Return the message as the host takes it, or why it does not take it.

        Raises OSError where the message cannot be read, and Unavailable.
        """
        message = transaction.message
        head = transaction.fields + message.prefix
        size = len(head) + message.blob.size
        refusal = self._refusal(transaction, size)
        if refusal is not None:
            return refusal
        wishes = transaction.job.mail_parameters
        needs_ascii = wishes.is_utf8 and not self._offered.has_utf8
        if needs_ascii and not await self._blocking.run(_has_ascii_header, head, message.blob):
            return NO_UTF8
        is_8bit = wishes.body != "7BIT" or not head.isascii()
        if not (is_8bit and self._offered.has_8bit):  # it is worth a look
            is_8bit = not await self._blocking.run(_is_ascii, head, message.blob)
        if is_8bit and not self._offered.has_8bit:
            return await self._converted(head, message.blob, size)
        return FittedMessage(head, message.blob, size, is_8bit, self._is_utf8(transaction))

    def _is_utf8(self, transaction: Transaction) -> bool:
        """Return whether SMTPUTF8 is said: if it was wished for, or an alias leads to such an address."""
        if not self._offered.has_utf8:
            return False
        if transaction.job.mail_parameters.is_utf8 or not transaction.sender.text.isascii():
            return True
        return not all(one.address.text.isascii() for one in transaction.recipients)

    async def _converted(self, head: bytes, blob: Blob, size: int) -> FittedMessage | Outcome:
        """Return a copy of ASCII alone, the message as it is, or a refusal."""
        data = None
        if size <= MAX_CONVERTED:
            data = await self._converting.run(_ascii_copy, head, blob)
        if data is None:
            return FittedMessage(head, blob, size) if self._sends_signed_8bit else SIGNED
        writer = self._blob_writer()
        try:
            for at in range(0, len(data), PIECE):
                await writer.write(data[at : at + PIECE])
            copy = await writer.finish()
        except BaseException:
            writer.discard()
            raise
        return FittedMessage(b"", copy, len(data), is_owned=True)


def _is_ascii(head: bytes, blob: Blob) -> bool:
    return head.isascii() and all(piece.isascii() for piece in blob.pieces())


def _has_ascii_header(head: bytes, blob: Blob) -> bool:
    """Return whether the header is ASCII, whatever the body is."""
    start = head + b"".join(blob.pieces(0, min(MAX_HEADER, blob.size)))
    end = header.end(start)
    return start[:end].isascii() and (end < len(start) or blob.size <= MAX_HEADER)


def _ascii_copy(head: bytes, blob: Blob) -> bytes | None:
    """Return the message with its parts encoded; None where that leaves octets above 127."""
    copy = conversion.converted(head + b"".join(blob.pieces()), is_7bit=True)
    return copy if copy.isascii() else None
