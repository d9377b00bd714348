"""One connection to a filter: what is told, and what it answers."""

from collections.abc import AsyncIterator, Sequence

from twisted_mail.interfaces import Dialing, Line, Visit
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
from twisted_mail.policy.milter.commands import Event
from twisted_mail.policy.milter.negotiation import Agreement, Flow, May
from twisted_mail.policy.milter.packets import Framer, Packet, encode
from twisted_mail.policy.milter.replies import Answer, BodyPiece, Quarantine, Reply, Step
from twisted_mail.policy.milter.replies import parse_answer as parse
from twisted_mail.policy.milter.settings import MilterSettings

CHUNK = 65_535  # octets of a body in one packet
MAX_EDITS = 500  # of one message
MAX_EDITED = 4 * 1024 * 1024  # octets of all its fields and addresses

_NEEDS = {
    AddField: May.ADD_FIELDS | May.CHANGE_FIELDS,
    ChangeField: May.CHANGE_FIELDS,
    ChangeSender: May.CHANGE_SENDER,
    AddRecipient: May.ADD_RECIPIENTS | May.ADD_RECIPIENTS_WITH_PARAMETERS,
    DropRecipient: May.DROP_RECIPIENTS,
    Quarantine: May.QUARANTINE,
    BodyPiece: May.CHANGE_BODY,
}

Final = Step | Reply  # answers that decide


class Talk:
    """One connection, once both sides have agreed. Once it has raised, it is of no more use."""

    def __init__(self, line: Line, settings: MilterSettings, hostname: str) -> None:
        self._line = line
        self._settings = settings
        self._hostname = hostname
        self._framer = Framer()
        self._agreement = Agreement()

    @classmethod
    async def begin(cls, dialing: Dialing, settings: MilterSettings, hostname: str) -> "Talk":
        """Connect and agree. Raises Unavailable, ProtocolError."""
        line = await dialing.dial(settings.endpoint, settings.connect_timeout)
        talk = cls(line, settings, hostname)
        try:
            await talk._agree()
        except BaseException:
            line.close()
            raise
        return talk

    async def _agree(self) -> None:
        terms = self._settings.version, self._settings.actions, self._settings.flow
        self._line.write(encode(negotiation.offer(*terms)))
        self._agreement = negotiation.agreed(await self._packet(), *terms)

    @property
    def is_open(self) -> bool:
        """Say whether it can still be used."""
        return self._line.is_open

    # ------------------------------------------------------------ asking

    def wants(self, event: Event) -> bool:
        """Say whether the filter wants to be told."""
        return not self._agreement.flow & event.unwanted

    async def ask(self, event: Event, visit: Visit, data: bytes = b"") -> Final:
        """Tell of a step, and return what the filter decides."""
        if event is commands.DATA and self._agreement.version < 4:
            return Step.CONTINUE
        if not self.wants(event):
            return Step.CONTINUE
        self._tell(event, visit, data)
        return await self._decision(event)

    def _tell(self, event: Event, visit: Visit, data: bytes) -> None:
        macros = commands.macros(event, visit, self._hostname, self._agreement.macros)
        packet = encode(Packet(event.kind, data))
        self._line.write(packet if macros is None else encode(macros) + packet)

    async def _decision(self, event: Event) -> Final:
        """Return the answer to a step, unless the filter does not answer it."""
        if self._agreement.flow & event.silent:
            return Step.CONTINUE
        answer = await self._answer()
        if isinstance(answer, (Step, Reply)):
            return answer
        raise ProtocolError("an answer out of place")

    async def _answer(self) -> Answer:
        keeps_spaces = bool(self._agreement.flow & Flow.KEEPS_SPACES)
        while (answer := parse(await self._packet(), keeps_spaces)) is Step.PROGRESS:
            pass  # whoever asks sets a limit to the whole
        if answer in (Step.SHUTDOWN, Step.CONN_FAIL):
            raise Unavailable("The mail filter ends")
        return answer

    async def _packet(self) -> Packet:
        while (packet := self._framer.next()) is None:
            self._framer.feed(await self._line.read(self._settings.timeout))
        return packet

    # ------------------------------------------------------------ the message

    async def ask_fields(self, fields: Sequence[bytes]) -> Final:
        """Tell of the header, field by field."""
        if not self.wants(commands.FIELD):
            return Step.CONTINUE
        keeps_spaces = bool(self._agreement.flow & Flow.KEEPS_SPACES)
        packets = [
            encode(Packet(commands.FIELD.kind, commands.field(one, keeps_spaces)))
            for one in fields
            if b":" in one
        ]
        if self._agreement.flow & commands.FIELD.silent:
            self._line.write(b"".join(packets))
            return Step.CONTINUE
        for packet in packets:
            self._line.write(packet)
            decision = await self._decision(commands.FIELD)
            if decision is not Step.CONTINUE:
                return decision
        return Step.CONTINUE

    async def ask_body(self, pieces: AsyncIterator[bytes]) -> Final:
        """Tell of the body, as far as the filter wants it."""
        async for piece in pieces:
            for at in range(0, len(piece), CHUNK):
                self._line.write(encode(Packet(commands.BODY.kind, piece[at : at + CHUNK])))
                decision = await self._decision(commands.BODY)
                if decision is Step.SKIP and self._agreement.flow & Flow.SKIPS_BODY:
                    return Step.CONTINUE
                if decision is not Step.CONTINUE:
                    return decision
            await self._line.drain(self._settings.timeout)
        return Step.CONTINUE

    async def ask_end(self, visit: Visit) -> tuple[Final, Quarantine | None, tuple[Edit, ...]]:
        """Tell that this is all; return the decision, and what is to be altered."""
        self._tell(commands.END_OF_MESSAGE, visit, b"")
        edits: list[Edit] = []
        body: list[bytes] = []
        quarantine = None
        octets = replaced = 0
        while not isinstance(answer := await self._answer(), (Step, Reply)):
            self._check(answer)
            if isinstance(answer, BodyPiece):
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

    def _check(self, answer: Answer) -> None:
        """See to it that the filter does only what was agreed."""
        if not self._agreement.actions & _NEEDS[type(answer)]:
            raise ProtocolError("something is to be altered that was not agreed")

    # ------------------------------------------------------------ ending

    def abort(self) -> None:
        """Tell that there is no end to the message."""
        if self.is_open:
            self._line.write(encode(commands.ABORT))

    def quit(self) -> None:
        """Say farewell and close."""
        if self.is_open:
            self._line.write(encode(commands.QUIT))
        self._line.close()

    def close(self) -> None:
        """Close without a word."""
        self._line.close()


def _clean(body: bytes) -> bytes:
    """Return a body in which CR and LF stand together only, as in all that we take in."""
    ends = body.count(b"\r\n")
    if body.count(b"\r") == ends == body.count(b"\n"):
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def _size(edit: Edit) -> int:
    if isinstance(edit, (AddField, ChangeField)):
        return len(edit.name) + len(edit.value or "")
    return 1
