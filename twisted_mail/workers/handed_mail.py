"""Mail that a worker hands over to the main process, which has the queue: both ends.

A message of up to ``INLINE`` octets goes within the call. A larger one goes as a file of the spool
folder, which the queue makes the body of a job, without a copy; its name is removed once it is taken.
"""

import itertools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from twisted_mail.interfaces import Blocking, Delivery, FaultReport, Queue, unreported
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import BorrowedBlob, MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.net.process.process_bridge import Bridge
from twisted_mail.store.disk.blob import Descriptor, FileBlob

HANDOFF_PREFIX = "handed-"  # of the names of messages that are handed over, in the spool folder
INLINE = 32 * 1024  # octets of a message that go within the call

HandedBody = bytes | str  # the octets, or the path of the file that has them


class WorkersQueue(Queue, Protocol):
    """The queue as the main process has it for its workers."""

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        """Take responsibility for accounts that could not be given their copies.

        The message's blob stays the caller's. Raises Unavailable.
        """


class RemoteDelivery:
    """A worker's end. Fulfils ``delivery.doors.DeliveryHandoff``."""

    def __init__(
        self, bridge: Bridge, spool: Path, files: Blocking, report_fault: FaultReport
    ) -> None:
        self._bridge = bridge
        self._report_fault = report_fault
        self._spool = spool
        self._files = files
        self._numbers = itertools.count(1)

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Hand a message over; when this returns, it is as durable as the main process makes it."""
        try:
            await self._hand_over("accept", envelope, message)
        finally:
            message.blob.close()

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Hand a message over; return the answer for each recipient."""
        answers: Mapping[Address, Outcome | None]
        try:
            answers = await self._hand_over("deliver_each", envelope, message)
        finally:
            message.blob.close()
        return answers

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        """Hand over the accounts that got no copy here; the blob is lent. Raises Unavailable."""
        await self._hand_over("accept_failed", envelope, message, list(failed))

    async def _hand_over(
        self, method: str, envelope: Envelope, message: Message, *more: object
    ) -> Any:
        envelope = replace(envelope, routes=None)  # the main process finds its own
        path = self._spool / f"{HANDOFF_PREFIX}{os.getpid()}-{next(self._numbers)}"
        is_small = message.blob.size <= INLINE
        try:
            body: HandedBody = await self._files.run(_read, message) if is_small else str(path)
            if not is_small:
                await self._files.run(_write, path, message)
            return await self._bridge.call(
                "delivery", method, envelope, message.prefix, body, *more
            )
        except OSError as error:
            self._report_fault(str(path), error)
            raise Unavailable("The message cannot be stored now.") from error
        finally:  # if the main process has not done so
            if not is_small:
                with suppress(OSError, Unavailable):
                    await self._files.run(path.unlink, missing_ok=True)


def _read(message: Message) -> bytes:
    return b"".join(message.blob.pieces())


def _write(path: Path, message: Message) -> None:
    """Have a message without its prefix in a file of this name; it need not be durable yet.

    One that is in a file without a name is not copied.
    """
    blob = message.blob
    if isinstance(blob, FileBlob) and blob.take_name(os.fsencode(path)):
        return
    with path.open("xb") as file:
        for piece in blob.pieces():
            file.write(piece)


class DeliveryService:
    """The main process's end: takes the mail that a worker hands over."""

    def __init__(
        self,
        queue: WorkersQueue,
        delivery: Delivery,
        files: Blocking,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._report_fault = report_fault
        self._queue = queue
        self._delivery = delivery
        self._files = files

    async def accept(self, envelope: Envelope, prefix: bytes, body: HandedBody) -> None:
        """Take responsibility for a message. Raises as the queue does."""
        async with self._handed(prefix, body) as message:
            await self._queue.accept(envelope, message)

    async def deliver_each(
        self, envelope: Envelope, prefix: bytes, body: HandedBody
    ) -> Mapping[Address, Outcome | None]:
        """Deliver a message; return the answer for each recipient."""
        async with self._handed(prefix, body) as message:
            return dict(await self._delivery.deliver_each(envelope, message))

    async def accept_failed(
        self,
        envelope: Envelope,
        prefix: bytes,
        body: HandedBody,
        failed: Sequence[OwedRecipient],
    ) -> None:
        """Take responsibility for accounts that got no copy from the worker. Raises Unavailable."""
        async with self._handed(prefix, body) as message:
            lent = Message(BorrowedBlob(message.blob), message.prefix)
            try:
                await self._queue.accept_failed(envelope, lent, failed)
            finally:
                message.blob.close()

    @asynccontextmanager
    async def _handed(self, prefix: bytes, body: HandedBody) -> AsyncIterator[Message]:
        """Give the message, whose blob is to be closed; remove its name afterwards."""
        if isinstance(body, bytes):
            yield Message(MemoryBlob(body), prefix)
            return
        try:
            blob = await self._files.run(_opened, body)
        except OSError as error:
            self._report_fault(body, error)
            raise Unavailable("The message cannot be read now.") from error
        try:
            yield Message(blob, prefix)
        finally:
            await self._files.run(_remove, body)


def _opened(path: str) -> FileBlob:
    file = Descriptor(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    return FileBlob(file, os.path.getsize(path))


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
