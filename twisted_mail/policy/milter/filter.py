"""Mail filters of other programs as filters of ours.

A filter's connection is kept for all of an SMTP conversation. Its messages follow each other on it, as
they do in the conversation.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, Connector, SmtpContext, TlsInfo
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.revision import Revision
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, Edit, FilterStage, Verdict, refuse
from twisted_mail.policy.message_pieces import pieces
from twisted_mail.policy.milter import commands
from twisted_mail.policy.milter.connection import FinalResponse, MilterConnection
from twisted_mail.policy.milter.packets import texts
from twisted_mail.policy.milter.replies import CustomReply, Quarantine, ResponseCode
from twisted_mail.policy.milter.settings import MilterSettings

_ORDER = tuple(FilterStage)
_FAILED = Outcome(451, "4.7.1", "The mail filter failed a moment ago")


@dataclass(slots=True)
class _MilterState:
    """How far a conversation is with the filter.

    ``of_client`` holds for the whole conversation and ``of_hello`` for the name, once the filter has
    decided; ``of_message`` for the message. ``said`` is what was told of the name.
    """

    connection: MilterConnection | None = None
    of_client: Verdict | None = None
    of_hello: Verdict | None = None
    of_message: Verdict | None = None
    said: tuple[str, TlsInfo | None] | None = None
    is_in_message: bool = False
    has_failed: bool = False  # in this message; the next begins anew

    def drop(self) -> None:
        """Give up the connection."""
        connection, self.connection = self.connection, None
        self.said, self.is_in_message, self.has_failed = None, False, True
        if connection is not None:
            connection.close()


class MilterFilter:
    """Fulfils ``interfaces.Filter``."""

    def __init__(
        self, settings: MilterSettings, hostname: str, connector: Connector, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._dialing = connector
        self._blocking = blocking
        self._note = f"milter {id(self)}"
        self.stages: Collection[FilterStage] = _ORDER[_ORDER.index(FilterStage(settings.begins)) :]

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Tell the filter how far it has come, and return what it decides."""
        if self._settings.skips_submitted and context.submitter:
            return ACCEPT
        course: _MilterState = context.notes.setdefault(self._note, _MilterState())
        if stage is FilterStage.HELLO and (course.is_in_message or course.of_message is not None):
            return ACCEPT  # told before the next message: another filter may refuse it, and this goes on
        if stage in (FilterStage.CONNECT, FilterStage.HELLO, FilterStage.SENDER):
            course.of_message, course.has_failed = None, False
        if course.has_failed:
            raise Unavailable(_FAILED)
        try:
            return await self._judge(course, stage, context)
        except BaseException:  # nobody knows how far the filter is
            course.drop()
            raise

    async def _judge(
        self, course: _MilterState, stage: FilterStage, context: SmtpContext
    ) -> Verdict:
        if course.of_message is not None:
            return ACCEPT  # it was said, and holds
        if stage is FilterStage.RECIPIENT:
            return await self._judge_recipient(course, context)
        if stage is FilterStage.MESSAGE:
            return await self._judge_message(course, context)
        connection = await self._open(course, context)
        if stage is not FilterStage.CONNECT:
            await self._greet(course, connection, context)
        verdict = course.of_client or course.of_hello
        if stage is not FilterStage.SENDER:
            return verdict or ACCEPT
        if verdict is not None:
            course.of_message = verdict
            return verdict
        course.is_in_message = True
        return self._settle(
            course, await connection.ask(commands.MAIL, context, texts(_sender(context)))
        )

    # ------------------------------------------------------------ the client

    async def _open(self, course: _MilterState, context: SmtpContext) -> MilterConnection:
        """Return the connection to the filter; a new one is told of the client first."""
        if course.connection is not None and course.connection.is_open:
            return course.connection
        course.drop()
        course.has_failed = False
        connection = course.connection = await MilterConnection.begin(
            self._dialing, self._settings, self._hostname
        )
        answer = await connection.ask(commands.CONNECT, context, commands.connected(context))
        course.of_client = _early_verdict(answer)
        return connection

    async def _greet(
        self, course: _MilterState, connection: MilterConnection, context: SmtpContext
    ) -> None:
        """Tell what the client calls itself, if that was not told yet."""
        said = context.hello, context.tls_info
        if course.of_client is None and course.said != said:
            course.said = said
            hello = texts(context.hello.encode("utf-8", "replace"))
            course.of_hello = _early_verdict(await connection.ask(commands.HELO, context, hello))

    # ------------------------------------------------------------ the message

    def _settle(self, course: _MilterState, answer: FinalResponse) -> Verdict:
        """Return the verdict of an answer, and keep one that ends the message for the filter."""
        verdict = _early_verdict(answer)
        if verdict is not None:
            course.of_message = verdict
        return verdict or ACCEPT

    async def _judge_recipient(self, course: _MilterState, context: SmtpContext) -> Verdict:
        connection, recipient = _talk(course), context.recipient
        if recipient is None:
            return ACCEPT
        data = texts(commands.bracketed(recipient))
        answer = await connection.ask(commands.RCPT, context, data)
        if answer in (ResponseCode.REJECT, ResponseCode.TEMPFAIL) or isinstance(
            answer, CustomReply
        ):
            return _early_verdict(answer) or ACCEPT  # of this recipient alone
        return self._settle(course, answer)

    async def _judge_message(self, course: _MilterState, context: SmtpContext) -> Verdict:
        if context.message is None:
            return ACCEPT
        connection = _talk(course)
        revision = Revision(context.message, context.header)
        try:
            revision.edit(context.edits)
            body = revision.body
        except Refused as error:  # a header without end would hide the body from the filter
            return refuse(error.outcome.text, error.outcome)
        decided = await self._tell_message(connection, revision.fields, body, context)
        if decided is not None:
            return self._settle(course, decided)
        answer, quarantine, edits = await connection.ask_end(context)
        course.is_in_message = False
        course.of_message = _final_verdict(answer, quarantine, edits)
        return course.of_message

    async def _tell_message(
        self,
        connection: MilterConnection,
        fields: Sequence[bytes],
        body: Blob,
        context: SmtpContext,
    ) -> FinalResponse | None:
        """Tell of header and body; return what the filter decides before the end, or None."""
        answer = await connection.ask(commands.DATA, context)
        if answer is ResponseCode.CONTINUE:
            answer = await connection.ask_fields(fields)
        if answer is ResponseCode.CONTINUE:
            answer = await connection.ask(commands.END_OF_HEADER, context)
        if answer is ResponseCode.CONTINUE and connection.wants(commands.BODY):
            answer = await connection.ask_body(pieces(self._blocking, body))
        return None if answer is ResponseCode.CONTINUE else answer

    # ------------------------------------------------------------ the end

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Tell the filter that a message came to no end, or that all is over."""
        course: _MilterState | None = context.notes.get(self._note)
        if course is None:
            return
        if course.connection is not None and is_over:
            course.connection.quit()
        elif course.connection is not None and course.is_in_message:
            course.connection.abort()
        course.is_in_message, course.of_message = False, None
        if is_over:
            del context.notes[self._note]


def _sender(context: SmtpContext) -> bytes:
    return commands.bracketed(context.sender)


def _talk(course: _MilterState) -> MilterConnection:
    if course.connection is None:
        raise Unavailable(_FAILED)
    return course.connection


# ---------------------------------------------------------------- verdicts


def _early_verdict(answer: FinalResponse) -> Verdict | None:
    """Return the verdict by which the filter is done, or None: it wants to know more."""
    if answer in (ResponseCode.CONTINUE, ResponseCode.SKIP):
        return None
    return _final_verdict(answer, None, ())


def _final_verdict(
    answer: FinalResponse, quarantine: Quarantine | None, edits: tuple[Edit, ...]
) -> Verdict:
    """Return what is to become of a message."""
    if isinstance(answer, CustomReply):
        decision = Decision.DEFER if answer.outcome.is_temporary else Decision.REFUSE
        return Verdict(decision, answer.outcome.text, answer.outcome)
    if answer is ResponseCode.REJECT:
        return Verdict(Decision.REFUSE, "rejected")
    if answer is ResponseCode.TEMPFAIL:
        return Verdict(Decision.DEFER, "not now")
    if answer is ResponseCode.DISCARD:
        return Verdict(Decision.DISCARD, "discarded")
    if quarantine is not None:
        return Verdict(Decision.QUARANTINE, quarantine.reason or "quarantined", edits=edits)
    return Verdict(edits=edits)
