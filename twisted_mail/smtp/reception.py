"""Taking a message in: from 354 to the last reply (RFC 5321 §4.1.1.4).

The answer comes only when the message has ended, whatever is wrong with it, so that its bytes are never
taken for commands.
"""

from twisted_mail.interfaces import BlobWriter, Ending
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import Decision
from twisted_mail.smtp import judging, replies, trace
from twisted_mail.smtp.data import DataReader
from twisted_mail.smtp.editing import edited
from twisted_mail.smtp.state import State, Transaction

_ENDLESS = 10  # times the size allowed: nobody sends that much by mistake


class Reception:
    """One message on its way in: its header as far as we look, its bytes, or why they are not kept."""

    __slots__ = ("_head", "_header_end", "_max_size", "_writer", "fault", "size")

    def __init__(self, writer: BlobWriter, max_size: int) -> None:
        self.size = 0
        self.fault: Outcome | None = None
        self._writer = writer
        self._max_size = max_size
        self._head = bytearray()
        self._header_end = -1  # not seen yet

    @property
    def header(self) -> bytes:
        """Return the header, or as much of it as we look at."""
        return bytes(self._head[: self._header_end] if self._header_end >= 0 else self._head)

    async def take(self, data: bytes) -> None:
        """Take a piece of the message, unless it is spoilt."""
        self.size += len(data)
        if self.size > self._max_size:
            self.spoil(replies.TOO_LARGE)
        if self.fault is not None:
            return
        if self._header_end < 0 and len(self._head) < trace.MAX_HEADER:
            self._look_for_header(data)
        await self._writer.write(data)

    def _look_for_header(self, data: bytes) -> None:
        start = max(0, len(self._head) - 3)  # the end may lie across two pieces
        self._head += data[: trace.MAX_HEADER]
        self._header_end = trace.header_end(self._head, start)

    def spoil(self, outcome: Outcome) -> None:
        """Keep no more of the message; the first fault is the one that is told."""
        if self.fault is None:
            self.fault = outcome
            self._writer.discard()

    async def finish(self) -> Blob:
        """Return the bytes of a message without fault. Raises Unavailable."""
        return await self._writer.finish()

    def discard(self) -> None:
        """Forget what was kept; harmless after ``finish``."""
        self._writer.discard()


async def receive(state: State, transaction: Transaction) -> Outcome:
    """Ask for a message, read it to its end and hand it on; return what to answer. Raises Ending."""
    reception = Reception(state.doors.blob_writer(), state.settings.max_size)
    state.wire.write(replies.SEND_DATA)  # not before all is ready to read the message
    try:
        await _read(state, reception)
        return await _accept(state, transaction, reception)
    except MailError as error:
        return error.outcome
    except Ending:
        raise
    except Exception:
        state.doors.journal.failed(state.settings.service)
        return replies.BUG
    finally:
        reception.discard()


async def _read(state: State, reception: Reception) -> None:
    """Read up to the end of the message, and leave what follows to the framer."""
    reader = DataReader()
    started = state.doors.clock.monotonic()
    piece = reader.feed(state.framer.take())
    while True:
        if piece:
            await _keep(state, reception, piece)
        if reader.rest is not None:
            break
        if reception.size > _ENDLESS * state.settings.max_size:
            state.leaving = "endless message"
            return
        piece = reader.feed(await state.wire.read(_patience(state, reception, started)))
        await state.wire.turn()
    state.framer.feed(reader.rest)
    if reader.is_malformed:
        reception.spoil(replies.MALFORMED)


async def _keep(state: State, reception: Reception, piece: bytes) -> None:
    """Take a piece; a failure is told when the message has ended."""
    try:
        await reception.take(piece)
    except MailError as error:
        reception.spoil(error.outcome)
    except Exception:
        state.doors.journal.failed(state.settings.service)
        reception.spoil(replies.BUG)


def _patience(state: State, reception: Reception, started: float) -> float:
    """Return how long to wait for the next piece. Raises Ending when the client is too slow."""
    settings = state.settings
    deadline = started + settings.message_timeout + reception.size / settings.slowest_rate
    seconds = min(settings.block_timeout, deadline - state.doors.clock.monotonic())
    if seconds <= 0:
        raise Ending(Ending.Reason.TIMEOUT)
    return seconds


async def _accept(state: State, transaction: Transaction, reception: Reception) -> Outcome:
    """Hand the message to the queue, which answers when it is durable."""
    header = reception.header
    if reception.fault is not None:
        return reception.fault
    if trace.count_fields(header, b"received") > state.settings.max_hops:
        return replies.LOOPING
    envelope = transaction.envelope(state.submitter_name)
    message = Message(await reception.finish(), _prefix(state, envelope, header))
    taken = Outcome(250, "2.0.0", f"Ok: queued as {envelope.id}")
    try:
        verdict = await judging.at_message(state, header, message)
        envelope, message = edited(envelope, message, state.visit, verdict)
    except BaseException:
        message.blob.close()
        raise
    if verdict.is_refusal or verdict.decision is Decision.DISCARD:
        message.blob.close()
        return verdict.answer if verdict.is_refusal else taken
    size = message.blob.size
    await state.doors.queue.accept(envelope, message)
    state.doors.journal.received(envelope, state.wire.peer, size)
    return taken


def _prefix(state: State, envelope: Envelope, header: bytes) -> bytes:
    doors, now = state.doors, state.doors.clock.now()
    arrival = trace.Arrival(state.hello, state.is_extended, state.wire.peer, state.wire.privacy)
    prefix = trace.received(envelope, arrival, doors.hostname, now)
    if state.settings.completes_header and len(header) < trace.MAX_HEADER:
        prefix += trace.missing_fields(header, envelope.id, doors.hostname, now)
    return prefix + trace.separator(header)
