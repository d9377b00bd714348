"""SpamAssassin: spamd gives a message a score (its command SYMBOLS)."""

import re
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

MAX_ANSWER = 64 * 1024  # octets

_USER = re.compile(r"[A-Za-z0-9._@+-]*")
_DONE = re.compile(rb"SPAMD/[0-9.]{1,9} 0 ")
_SPAM = re.compile(
    rb"^Spam: *(True|False|Yes|No) *; *(-?[0-9.]{1,12}) */ *(-?[0-9.]{1,12})",
    re.MULTILINE | re.IGNORECASE,
)
_FAILED = Outcome(451, "4.3.0", "The message cannot be judged now; try again later")
_REFUSED = Outcome(554, "5.7.1", "The message looks like spam")


@dataclass(frozen=True, slots=True)
class SpamassassinSettings:
    """Options of the kind ``spamassassin``."""

    endpoint: str = "tcp:127.0.0.1:783"
    user: str = ""  # the user whose rules apply; "": spamd's own
    spam: Action = "quarantine"  # what is done with mail that SpamAssassin judges to be spam
    refuse_at: float = 0.0  # a score at which mail is refused; 0: never
    skips_submitted: bool = False  # mail of clients that are logged in is not sent there
    max_size: int = 500_000  # octets; larger mail is accepted without asking
    connect_timeout: float = 5.0
    timeout: float = 60.0  # for the answer, once all is sent

    def __post_init__(self) -> None:
        check_endpoint(self.endpoint)
        if not _USER.fullmatch(self.user):
            raise ValueError("user must be a name")


class SpamassassinFilter:
    """Fulfils ``interfaces.Filter``."""

    stages: Collection[FilterStage] = (FilterStage.MESSAGE,)

    def __init__(
        self, settings: SpamassassinSettings, connector: Connector, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._connector = connector
        self._blocking = blocking

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Send the message as it came in, and compare its score."""
        settings, message = self._settings, context.message
        if message is None or message.size > settings.max_size:
            return ACCEPT
        if settings.skips_submitted and context.submitter:
            return ACCEPT
        line = await self._connector.connect(settings.endpoint, settings.connect_timeout)
        try:
            await self._send(line, message)
            answer = await self._read(line)
        finally:
            line.close()
        return self._verdict(answer)

    async def _send(self, line: ClientConnection, message: Message) -> None:
        user = f"User: {self._settings.user}\r\n" if self._settings.user else ""
        head = f"SYMBOLS SPAMC/1.5\r\nContent-length: {message.size}\r\n{user}\r\n"
        try:
            line.write(head.encode("ascii"))
            async for piece in pieces(self._blocking, message):
                line.write(piece)
                await line.drain(self._settings.timeout)
        except Unavailable:
            if line.is_open:
                raise
            # It has closed the connection, perhaps after an answer.

    async def _read(self, line: ClientConnection) -> bytes:
        """Return the answer, up to the end of the connection. Raises Unavailable."""
        answer = b""
        while len(answer) <= MAX_ANSWER:
            try:
                answer += await line.read(self._settings.timeout)
            except Unavailable:
                if line.is_open:
                    raise
                return answer
        raise Unavailable(_FAILED)

    def _verdict(self, answer: bytes) -> Verdict:
        head, end, body = answer.partition(b"\r\n\r\n")
        spam = _SPAM.search(head)
        if not end or spam is None or not _DONE.match(head):
            raise Unavailable(_FAILED)
        try:
            score, limit = float(spam[2]), float(spam[3])
        except ValueError:
            raise Unavailable(_FAILED) from None
        reason = phrase(f"score {score:.1f} of {limit:.1f} {_symbols(body)}".rstrip(), 180)
        if 0 < self._settings.refuse_at <= score:
            return verdict("refuse", reason, _REFUSED)
        is_spam = spam[1].lower() in (b"true", b"yes")
        return verdict(self._settings.spam, reason, _REFUSED) if is_spam else Verdict(reason=reason)


def _symbols(body: bytes) -> str:
    return " ".join(body.decode("ascii", "replace").replace(",", " ").split())
