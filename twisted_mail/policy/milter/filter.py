"""Milters as filters of ours.

The connection to a milter is kept for a whole SMTP conversation. Messages follow each other on it as they
do in the conversation.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, Connector, SmtpContext, TlsInfo
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.edited_message import Revision
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
    """How far a conversation with the filter has come.

    Once the filter has decided, ``of_client`` holds for the whole conversation, ``of_hello`` for the
    client's name, ``of_message`` for the message. ``greeted`` is the name that was sent, with its TLS.
    """

    connection: MilterConnection | None = None
    of_client: Verdict | None = None
    of_hello: Verdict | None = None
    of_message: Verdict | None = None
    greeted: tuple[str, TlsInfo | None] | None = None
    is_in_message: bool = False
    has_failed: bool = False  # in this message; the next one starts afresh

    def drop(self) -> None:
        """Close the connection."""
        connection, self.connection = self.connection, None
        self.greeted, self.is_in_message, self.has_failed = None, False, True
        if connection is not None:
            connection.close()


class MilterFilter:
    """Fulfils ``interfaces.Filter`` and ``interfaces.StatefulFilter``."""

    def __init__(
        self, settings: MilterSettings, hostname: str, connector: Connector, blocking: Blocking
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._connector = connector
        self._blocking = blocking
        self._note = f"milter {id(self)}"
        self.stages: Collection[FilterStage] = _ORDER[_ORDER.index(FilterStage(settings.begins)) :]

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Send what is new at this stage, and return the decision."""
        if self._settings.skips_submitted and context.submitter:
            return ACCEPT
        state: _MilterState = context.notes.setdefault(self._note, _MilterState())
        if stage is FilterStage.HELLO and (state.is_in_message or state.of_message is not None):
            return ACCEPT  # sent before the next message: another filter may refuse the name
        if stage in (FilterStage.CONNECT, FilterStage.HELLO, FilterStage.SENDER):
            state.of_message, state.has_failed = None, False
        if state.has_failed:
            raise Unavailable(_FAILED)
        try:
            return await self._judge(state, stage, context)
        except BaseException:  # it is unknown how far the filter has come
            state.drop()
            raise

    async def _judge(
        self, state: _MilterState, stage: FilterStage, context: SmtpContext
    ) -> Verdict:
        if state.of_message is not None:
            return ACCEPT  # the decision has been returned, and holds
        if stage is FilterStage.RECIPIENT:
            return await self._judge_recipient(state, context)
        if stage is FilterStage.MESSAGE:
            return await self._judge_message(state, context)
        connection = await self._open(state, context)
        if stage is not FilterStage.CONNECT:
            await self._greet(state, connection, context)
        verdict = state.of_client or state.of_hello
        if stage is not FilterStage.SENDER:
            return verdict or ACCEPT
        if verdict is not None:
            state.of_message = verdict
            return verdict
        state.is_in_message = True
        return self._settle(
            state, await connection.ask(commands.MAIL, context, texts(_sender(context)))
        )

    # ------------------------------------------------------------ the client

    async def _open(self, state: _MilterState, context: SmtpContext) -> MilterConnection:
        """Return the connection to the filter; on a new one, the client is sent first."""
        if state.connection is not None and state.connection.is_open:
            return state.connection
        state.drop()
        state.has_failed = False
        connection = state.connection = await MilterConnection.begin(
            self._connector, self._settings, self._hostname
        )
        answer = await connection.ask(commands.CONNECT, context, commands.connected(context))
        state.of_client = _early_verdict(answer)
        return connection

    async def _greet(
        self, state: _MilterState, connection: MilterConnection, context: SmtpContext
    ) -> None:
        """Send the name that the client gives, if that was not sent yet."""
        greeting = context.hello, context.tls_info
        if state.of_client is None and state.greeted != greeting:
            state.greeted = greeting
            hello = texts(context.hello.encode("utf-8", "replace"))
            state.of_hello = _early_verdict(await connection.ask(commands.HELO, context, hello))

    # ------------------------------------------------------------ the message

    def _settle(self, state: _MilterState, answer: FinalResponse) -> Verdict:
        """Return the verdict of a reply, and keep one that ends the message for the filter."""
        verdict = _early_verdict(answer)
        if verdict is not None:
            state.of_message = verdict
        return verdict or ACCEPT

    async def _judge_recipient(self, state: _MilterState, context: SmtpContext) -> Verdict:
        connection, recipient = _connection(state), context.recipient
        if recipient is None:
            return ACCEPT
        data = texts(commands.bracketed(recipient))
        answer = await connection.ask(commands.RCPT, context, data)
        if answer in (ResponseCode.REJECT, ResponseCode.TEMPFAIL) or isinstance(
            answer, CustomReply
        ):
            return _early_verdict(answer) or ACCEPT  # of this recipient alone
        return self._settle(state, answer)

    async def _judge_message(self, state: _MilterState, context: SmtpContext) -> Verdict:
        if context.message is None:
            return ACCEPT
        connection = _connection(state)
        revision = Revision(context.message, context.header)
        try:
            revision.edit(context.edits)
            body = revision.body
        except Refused as error:  # a header without end would hide the body from the filter
            return refuse(error.outcome.text, error.outcome)
        decided = await self._send_message(connection, revision.fields, body, context)
        if decided is not None:
            return self._settle(state, decided)
        answer, quarantine, edits = await connection.ask_end(context)
        state.is_in_message = False
        state.of_message = _final_verdict(answer, quarantine, edits)
        return state.of_message

    async def _send_message(
        self,
        connection: MilterConnection,
        fields: Sequence[bytes],
        body: Blob,
        context: SmtpContext,
    ) -> FinalResponse | None:
        """Send header and body; return a decision before the end of the message, or None."""
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
        """Send that a message was given up, or close when the conversation has ended."""
        state: _MilterState | None = context.notes.get(self._note)
        if state is None:
            return
        if state.connection is not None and is_over:
            state.connection.quit()
        elif state.connection is not None and state.is_in_message:
            state.connection.abort()
        state.is_in_message, state.of_message = False, None
        if is_over:
            del context.notes[self._note]


def _sender(context: SmtpContext) -> bytes:
    return commands.bracketed(context.sender)


def _connection(state: _MilterState) -> MilterConnection:
    if state.connection is None:
        raise Unavailable(_FAILED)
    return state.connection


# ---------------------------------------------------------------- verdicts


def _early_verdict(answer: FinalResponse) -> Verdict | None:
    """Return the verdict of a reply that decides before the end, or None to go on."""
    if answer in (ResponseCode.CONTINUE, ResponseCode.SKIP):
        return None
    return _final_verdict(answer, None, ())


def _final_verdict(
    answer: FinalResponse, quarantine: Quarantine | None, edits: tuple[Edit, ...]
) -> Verdict:
    """Return the verdict on a message."""
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
