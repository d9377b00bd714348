"""ClamAV: clamd looks for viruses in a message that is sent to it (its command INSTREAM)."""

import struct
from collections.abc import Collection
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, ClientConnection, Connector, SmtpContext
from twisted_mail.mail.message import Message
from twisted_mail.mail.mime.safe_fields import phrase
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import ACCEPT, FilterStage, Verdict
from twisted_mail.policy.checks.check import Action, verdict
from twisted_mail.policy.endpoints import check_endpoint
from twisted_mail.policy.message_pieces import pieces

MAX_ANSWER = 4096  # octets

_LENGTH = struct.Struct(">I")
_TOO_LARGE = Outcome(552, "5.3.4", "The message is too large to be looked at for viruses")
_FAILED = Outcome(451, "4.3.0", "The message cannot be looked at for viruses now")


@dataclass(frozen=True, slots=True)
class ClamavSettings:
    """Options of the kind ``clamav``: what is done with a message that ..."""

    endpoint: str = "unix:/run/clamav/clamd.ctl"
    found: Action = "refuse"  # has a virus
    too_large: Action = "accept"  # is larger than ``max_size``
    max_size: int = 25_000_000  # octets: not more than StreamMaxLength of clamd.conf
    connect_timeout: float = 5.0
    timeout: float = 60.0  # for the answer, once all is sent

    def __post_init__(self) -> None:
        check_endpoint(self.endpoint)


class ClamavFilter:
    """Fulfils ``interfaces.Filter``."""

    stages: Collection[FilterStage] = (FilterStage.MESSAGE,)

    def __init__(self, settings: ClamavSettings, connector: Connector, blocking: Blocking) -> None:
        self._settings = settings
        self._connector = connector
        self._blocking = blocking

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Send the message as it came in, without the edits of other filters."""
        settings, message = self._settings, context.message
        if message is None:
            return ACCEPT
        if message.size > settings.max_size:
            return self._too_large()
        line = await self._connector.connect(settings.endpoint, settings.connect_timeout)
        try:
            answer = await self._scan(line, message)
        finally:
            line.close()
        return self._verdict(answer)

    async def _scan(self, line: ClientConnection, message: Message) -> str:
        """Send the message in chunks, and return the answer. Raises Unavailable."""
        try:
            line.write(b"zINSTREAM\0")
            async for piece in pieces(self._blocking, message):
                line.write(_LENGTH.pack(len(piece)) + piece)
                await line.drain(self._settings.timeout)
            line.write(_LENGTH.pack(0))
        except Unavailable:
            if line.is_open:
                raise
            # It has closed the connection, perhaps after an answer.
        return await self._read(line)

    async def _read(self, line: ClientConnection) -> str:
        answer = b""
        while not answer.endswith(b"\0"):
            answer += await line.read(self._settings.timeout)
            if len(answer) > MAX_ANSWER:
                raise Unavailable(_FAILED)
        return phrase(answer.rstrip(b"\0").decode("utf-8", "replace"), 150)

    def _verdict(self, answer: str) -> Verdict:
        text = answer.removeprefix("stream: ")
        if text == "OK":
            return ACCEPT
        if text.endswith(" FOUND"):
            name = text.removesuffix(" FOUND")
            refusal = Outcome(554, "5.7.1", f"The message has a virus: {name}")
            return verdict(self._settings.found, f"found {name}", refusal)
        if "size limit exceeded" in text:
            return self._too_large()
        raise Unavailable(_FAILED)

    def _too_large(self) -> Verdict:
        return verdict(self._settings.too_large, "too large to be looked at", _TOO_LARGE)
