"""Messages as a host takes them: their size, 8 bits (RFC 6152 §3), UTF-8 (RFC 6531 §3.2).

| the message has | the host lacks | what is sent |
| --- | --- | --- |
| a CR or LF that stands alone, or NUL | | a copy, encoded; if it is signed: nothing (5.6.11) |
| octets above 127 | 8BITMIME | a copy, encoded; if it is signed: as it is, or nothing (5.6.3) |
| the wish SMTPUTF8 | SMTPUTF8 | no wish, if addresses and header are ASCII; else nothing (5.6.7) |
| more octets than SIZE says | | nothing (5.3.4), if that is 64 KiB at least |

A CR or LF alone is never sent (RFC 5321 §2.3.8): a host that takes it for the end of a line may find the
end of the message behind it, and commands in what follows. So it is with NUL, which some leave out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from twisted_mail.interfaces import BlobWriter, Blocking
from twisted_mail.mail.message import PIECE, Blob, MemoryBlob
from twisted_mail.mail.mime import header
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.content import CHUNK
from twisted_mail.smtp.stream import conversion

SMALLEST_LIMIT = (
    64 * 1024
)  # octets that every host has to take (RFC 5321 §4.5.3.1.7): less is no limit
MAX_AT_ONCE = 1024 * 1024  # octets in memory that are looked at without a thread
MAX_CONVERTED = 32 * 1024 * 1024  # octets of a message that is encoded anew, one at a time
MAX_HEADER = 1024 * 1024  # octets in which a header ends, or counts as one that is not ASCII

NO_UTF8 = Outcome(
    550, "5.6.7", "The host takes no addresses and headers in UTF-8, and this message needs them"
)
SIGNED = Outcome(
    554, "5.6.3", "The host takes ASCII alone, and this message cannot be encoded without harm"
)
BINARY = Outcome(
    554,
    "5.6.11",
    "The message has a CR or LF that stands alone, or NUL, and cannot be encoded without harm",
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
        data = head + blob.data if blob.size <= CHUNK else None
        pieces = (head, blob.data) if data is None else (data,)
        is_8bit = not all(map(bytes.isascii, pieces))
        if (is_8bit and not self._offered.has_8bit) or any(map(conversion.has_binary, pieces)):
            return None
        return FittedMessage(head, blob, size, is_8bit, self._is_utf8(transaction), data)

    def _refusal(self, transaction: Transaction, size: int) -> Outcome | None:
        """Return why the host takes nothing of the transaction, as far as is known at once."""
        most = self._offered.size
        if SMALLEST_LIMIT <= most < size:  # what it says of less is not believed, and it is asked
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
        is_8bit, is_binary = await self._blocking.run(_look, head, message.blob)
        is_utf8 = self._is_utf8(transaction)
        as_it_is = FittedMessage(head, message.blob, size, is_8bit, is_utf8)
        if is_binary or (is_8bit and not self._offered.has_8bit):
            return await self._converted(transaction, as_it_is, is_binary)
        return as_it_is

    def _is_utf8(self, transaction: Transaction) -> bool:
        """Return whether SMTPUTF8 is said: if it was wished for, or an alias leads to such an address."""
        if not self._offered.has_utf8:
            return False
        if transaction.job.mail_parameters.is_utf8 or not transaction.sender.text.isascii():
            return True
        return not all(one.address.text.isascii() for one in transaction.recipients)

    async def _converted(
        self, transaction: Transaction, as_it_is: FittedMessage, is_binary: bool
    ) -> FittedMessage | Outcome:
        """Return a copy that the host can take, the message as it is, or a refusal."""
        if as_it_is.size > MAX_CONVERTED:
            return BINARY if is_binary else self._unencoded(as_it_is)
        is_7bit = not self._offered.has_8bit
        copy = await self._converting.run(_copy, as_it_is, is_7bit)
        if copy.is_binary:
            return BINARY
        if is_7bit and copy.is_8bit and not (is_binary and self._sends_signed_8bit):
            return self._unencoded(as_it_is)
        return self._refusal(transaction, len(copy.data)) or await self._kept(copy, as_it_is)

    def _unencoded(self, as_it_is: FittedMessage) -> FittedMessage | Outcome:
        """Return a message with 8 bits for a host that has no word for them."""
        return replace(as_it_is, is_8bit=False) if self._sends_signed_8bit else SIGNED

    async def _kept(self, copy: "_Copy", as_it_is: FittedMessage) -> FittedMessage:
        """Return a copy as a message, in a blob of its own."""
        writer = self._blob_writer()
        try:
            for at in range(0, len(copy.data), PIECE):
                await writer.write(copy.data[at : at + PIECE])
            blob = await writer.finish()
        except BaseException:
            writer.discard()
            raise
        return FittedMessage(
            b"",
            blob,
            len(copy.data),
            copy.is_8bit and self._offered.has_8bit,
            as_it_is.is_utf8,
            is_owned=True,
        )


def _look(head: bytes, blob: Blob) -> tuple[bool, bool]:
    """Return whether a message has octets above 127, and whether a CR or LF alone, or NUL."""
    is_8bit = is_binary = False
    for piece in _between_pairs(head, blob):
        is_8bit = is_8bit or not piece.isascii()
        is_binary = is_binary or conversion.has_binary(piece)
    return is_8bit, is_binary


def _between_pairs(head: bytes, blob: Blob) -> Iterator[bytes]:
    """Yield the octets of a message in pieces none of which ends between CR and LF."""
    kept = head
    for piece in blob.pieces():
        whole = kept + piece
        kept = whole[-1:] if whole.endswith(b"\r") else b""
        yield whole[: len(whole) - len(kept)]
    yield kept


@dataclass(frozen=True, slots=True)
class _Copy:
    """A message with its parts encoded, as far as they may be, and what it has all the same."""

    data: bytes
    is_8bit: bool
    is_binary: bool


def _copy(message: FittedMessage, is_7bit: bool) -> _Copy:
    """Return a copy of ASCII alone, or of lines that may be sent."""
    whole = message.head + b"".join(message.blob.pieces())
    data = conversion.converted(whole, is_7bit)
    return _Copy(data, not data.isascii(), conversion.has_binary(data))


def _has_ascii_header(head: bytes, blob: Blob) -> bool:
    """Return whether the header is ASCII, whatever the body is."""
    start = head + b"".join(blob.pieces(0, min(MAX_HEADER, blob.size)))
    end = header.end(start)
    return start[:end].isascii() and (end < len(start) or blob.size <= MAX_HEADER)
