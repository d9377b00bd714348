"""One connection to a filter: what is sent, and what it replies."""

from collections.abc import AsyncIterator, Sequence

from twisted_mail.interfaces import ClientConnection, Connector, SmtpContext
from twisted_mail.mail.outcome import ProtocolError, Unavailable
from twisted_mail.mail.verdict import (
    AddField,
    AddRecipient,
    ChangeBody,
    ChangeField,
    ChangeSender,
    DropRecipient,
    Edit,
)
from twisted_mail.policy.milter import commands, negotiation
from twisted_mail.policy.milter.commands import MilterCommand
from twisted_mail.policy.milter.negotiation import MilterActions, MilterSteps, NegotiatedOptions
from twisted_mail.policy.milter.packets import Framer, Packet, encode
from twisted_mail.policy.milter.replies import (
    CustomReply,
    MilterResponse,
    Quarantine,
    ReplacementBody,
    ResponseCode,
)
from twisted_mail.policy.milter.replies import parse_response as parse
from twisted_mail.policy.milter.settings import MilterSettings

CHUNK = 65_535  # octets of a body in one packet
MAX_EDITS = 500  # of one message
MAX_EDITED = 4 * 1024 * 1024  # octets of all its fields and addresses

_NEEDS = {
    AddField: MilterActions.ADD_FIELDS | MilterActions.CHANGE_FIELDS,
    ChangeField: MilterActions.CHANGE_FIELDS,
    ChangeSender: MilterActions.CHANGE_SENDER,
    AddRecipient: MilterActions.ADD_RECIPIENTS | MilterActions.ADD_RECIPIENTS_WITH_PARAMETERS,
    DropRecipient: MilterActions.DROP_RECIPIENTS,
    Quarantine: MilterActions.QUARANTINE,
    ReplacementBody: MilterActions.CHANGE_BODY,
}

FinalResponse = ResponseCode | CustomReply  # replies that decide


class MilterConnection:
    """One connection, after the negotiation. It cannot be used any more once it has raised."""

    def __init__(self, line: ClientConnection, settings: MilterSettings, hostname: str) -> None:
        self._line = line
        self._settings = settings
        self._hostname = hostname
        self._framer = Framer()
        self._options = NegotiatedOptions()

    @classmethod
    async def begin(
        cls, connector: Connector, settings: MilterSettings, hostname: str
    ) -> "MilterConnection":
        """Connect and negotiate. Raises Unavailable, ProtocolError."""
        line = await connector.connect(settings.endpoint, settings.connect_timeout)
        connection = cls(line, settings, hostname)
        try:
            await connection._negotiate()
        except BaseException:
            line.close()
            raise
        return connection

    async def _negotiate(self) -> None:
        offered = self._settings.version, self._settings.actions, self._settings.protocol_steps
        self._line.write(encode(negotiation.offer(*offered)))
        self._options = negotiation.parse_agreement(await self._packet(), *offered)

    @property
    def is_open(self) -> bool:
        """Return whether it can still be used."""
        return self._line.is_open

    # ------------------------------------------------------------ asking

    def wants(self, event: MilterCommand) -> bool:
        """Return whether the filter wants a step."""
        return not self._options.protocol_steps & event.unwanted

    async def ask(
        self, event: MilterCommand, context: SmtpContext, data: bytes = b""
    ) -> FinalResponse:
        """Send a step, and return the decision."""
        if event is commands.DATA and self._options.version < 4:
            return ResponseCode.CONTINUE
        if not self.wants(event):
            return ResponseCode.CONTINUE
        self._send(event, context, data)
        return await self._decision(event)

    def _send(self, event: MilterCommand, context: SmtpContext, data: bytes) -> None:
        macros = commands.macros(event, context, self._hostname, self._options.macros)
        packet = encode(Packet(event.kind, data))
        self._line.write(packet if macros is None else encode(macros) + packet)

    async def _decision(self, event: MilterCommand) -> FinalResponse:
        """Return the reply to a step; CONTINUE if the filter does not reply to it."""
        if self._options.protocol_steps & event.silent:
            return ResponseCode.CONTINUE
        answer = await self._answer()
        if isinstance(answer, (ResponseCode, CustomReply)):
            return answer
        raise ProtocolError("an answer out of place")

    async def _answer(self) -> MilterResponse:
        keeps_spaces = bool(self._options.protocol_steps & MilterSteps.KEEPS_SPACES)
        while (answer := parse(await self._packet(), keeps_spaces)) is ResponseCode.PROGRESS:
            pass  # the caller limits the time of the whole
        if answer in (ResponseCode.SHUTDOWN, ResponseCode.CONN_FAIL):
            raise Unavailable("The mail filter ends")
        return answer

    async def _packet(self) -> Packet:
        while (packet := self._framer.next()) is None:
            self._framer.feed(await self._line.read(self._settings.timeout))
        return packet

    # ------------------------------------------------------------ the message

    async def ask_fields(self, fields: Sequence[bytes]) -> FinalResponse:
        """Send the header, field by field; return the decision."""
        if not self.wants(commands.FIELD):
            return ResponseCode.CONTINUE
        keeps_spaces = bool(self._options.protocol_steps & MilterSteps.KEEPS_SPACES)
        packets = [
            encode(Packet(commands.FIELD.kind, commands.field(one, keeps_spaces)))
            for one in fields
            if b":" in one
        ]
        if self._options.protocol_steps & commands.FIELD.silent:
            self._line.write(b"".join(packets))
            return ResponseCode.CONTINUE
        for packet in packets:
            self._line.write(packet)
            decision = await self._decision(commands.FIELD)
            if decision is not ResponseCode.CONTINUE:
                return decision
        return ResponseCode.CONTINUE

    async def ask_body(self, pieces: AsyncIterator[bytes]) -> FinalResponse:
        """Send the body, as far as the filter wants it; return the decision."""
        async for piece in pieces:
            for at in range(0, len(piece), CHUNK):
                self._line.write(encode(Packet(commands.BODY.kind, piece[at : at + CHUNK])))
                decision = await self._decision(commands.BODY)
                if (
                    decision is ResponseCode.SKIP
                    and self._options.protocol_steps & MilterSteps.SKIPS_BODY
                ):
                    return ResponseCode.CONTINUE
                if decision is not ResponseCode.CONTINUE:
                    return decision
            await self._line.drain(self._settings.timeout)
        return ResponseCode.CONTINUE

    async def ask_end(
        self, context: SmtpContext
    ) -> tuple[FinalResponse, Quarantine | None, tuple[Edit, ...]]:
        """Send the end of the message; return the decision, and the edits."""
        self._send(commands.END_OF_MESSAGE, context, b"")
        edits: list[Edit] = []
        body: list[bytes] = []
        quarantine = None
        octets = replaced = 0
        while not isinstance(answer := await self._answer(), (ResponseCode, CustomReply)):
            self._check(answer)
            if isinstance(answer, ReplacementBody):
                replaced += len(answer.data)
                body.append(answer.data)
            elif isinstance(answer, Quarantine):
                quarantine = answer
            else:
                octets += _size(answer)
                edits.append(answer)
            if len(edits) > MAX_EDITS or octets > MAX_EDITED or replaced > self._settings.max_body:
                raise ProtocolError("too much is to be altered")
        if body:
            edits.append(ChangeBody(_clean(b"".join(body))))
        return answer, quarantine, tuple(edits)

    def _check(self, answer: MilterResponse) -> None:
        """Raise ProtocolError for a change that was not negotiated."""
        if not self._options.actions & _NEEDS[type(answer)]:
            raise ProtocolError("something is to be altered that was not agreed")

    # ------------------------------------------------------------ ending

    def abort(self) -> None:
        """Send that the message was given up."""
        if self.is_open:
            self._line.write(encode(commands.ABORT))

    def quit(self) -> None:
        """Send QUIT and close."""
        if self.is_open:
            self._line.write(encode(commands.QUIT))
        self._line.close()

    def close(self) -> None:
        """Close without QUIT."""
        self._line.close()


def _clean(body: bytes) -> bytes:
    """Return a body in which CR and LF occur together only, as in all that we accept."""
    ends = body.count(b"\r\n")
    if body.count(b"\r") == ends == body.count(b"\n"):
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def _size(edit: Edit) -> int:
    if isinstance(edit, (AddField, ChangeField)):
        return len(edit.name) + len(edit.value or "")
    return 1
