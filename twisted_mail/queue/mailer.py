"""Sending what the server itself writes, through the same queue as all mail."""

import random

from twisted_mail.interfaces import Clock, Queue
from twisted_mail.mail.address import NULL
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.notice import Notice, compose
from twisted_mail.mail.outcome import Refused


class QueueMailer:
    """Sends notices under the null sender. Fulfils ``interfaces.Mailer``."""

    def __init__(self, queue: Queue, clock: Clock, hostname: str) -> None:
        self._queue = queue
        self._clock = clock
        self._hostname = hostname

    async def send(self, notice: Notice) -> bool:
        """Send a notice; return whether its recipient can be reached at all. Raises Unavailable."""
        data = compose(notice, self._clock.now(), f"{self._new_id()}@{self._hostname}")
        envelope = Envelope(self._new_id(), NULL, (notice.recipient,))
        try:
            await self._queue.accept(envelope, Message(MemoryBlob(data)))
        except Refused:
            return False
        return True

    def _new_id(self) -> str:
        return make_id(self._clock.now(), random.getrandbits)
