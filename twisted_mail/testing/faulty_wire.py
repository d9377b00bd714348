"""A wire on which faults happen, and the session that has it.

The session gets one command at a time, so that a fault takes the place of exactly one.
"""

from typing import Never

from twisted_mail.interfaces import Clock, ConversationEnded, Session, Wire
from twisted_mail.net.connection.conversation import MakeSession
from twisted_mail.smtp.stream.wire_wrapper import WireWrapper
from twisted_mail.testing.commands import Unit, cutter_for
from twisted_mail.testing.faults import END_OF_MESSAGE, GREETING, Fault, FaultPlan


class FaultyWire(WireWrapper):
    """Passes on what comes and goes, but for the faults of a plan. Fulfils ``interfaces.Wire``."""

    __slots__ = ("_clock", "_close_after", "_cutter", "_discards", "_keeps", "_plan", "_service")

    def __init__(self, wrapped: Wire, plan: FaultPlan, service: str, clock: Clock) -> None:
        super().__init__(wrapped)
        self._plan = plan
        self._service = service
        self._clock = clock
        self._cutter = cutter_for(service)
        self._discards = False  # what belongs to a command that was answered already
        self._close_after: int | None = None
        self._keeps: int | None = None

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have come that were not read."""
        return bool(self._cutter.buffer) or self.wrapped.has_unread

    async def read(self, timeout: float) -> bytes:
        """Return the next command, or a part of what belongs to it."""
        while True:
            unit = self._cutter.next()
            if unit is None:
                data = await self.wrapped.read(timeout)
                if not data:
                    return data
                self._cutter.buffer += data
            elif await self._goes_on(unit):
                return unit.octets

    async def _goes_on(self, unit: Unit) -> bool:
        """Return whether the session gets this unit, after what was to happen at it."""
        if not unit.command:
            return self._count_content(len(unit.octets))
        if self._close_after is not None:
            self._end()
        self._discards = False
        fault = self._plan.next(self._service, unit.command)
        return fault is None or await self.apply(fault, unit)

    def _count_content(self, size: int) -> bool:
        if self._close_after is not None:
            self._close_after -= size
            if self._close_after <= 0:
                self._end()
        return not self._discards

    async def apply(self, fault: Fault, unit: Unit) -> bool:
        """Let a fault happen; return whether the command is to be done all the same."""
        if fault.seconds:
            await self.wrapped.drain()
            await self._clock.sleep(fault.seconds)
        if fault.text and unit.command == END_OF_MESSAGE and not fault.closes:
            self._plan.refusal = fault
            return True
        if fault.text:
            self.write(self._tag(fault, unit) + fault.text.encode() + b"\r\n")
            self._discards = True
        if fault.closes and fault.keeps is not None:
            self._keeps = fault.keeps
        elif fault.closes and fault.after:
            self._close_after = fault.after
        elif fault.closes:
            self._end()
        return not fault.text

    def _tag(self, fault: Fault, unit: Unit) -> bytes:
        is_tagged = self._service == "imap" and not fault.text.startswith(("*", "+"))
        return unit.octets.split(None, 1)[0] + b" " if is_tagged else b""

    def _end(self) -> Never:
        self.wrapped.close()
        raise ConversationEnded(ConversationEnded.Reason.LOST)

    def write(self, data: bytes) -> None:
        """Take bytes to send, as many as are to be kept."""
        self._cutter.answer = data.rstrip(b"\r\n").rpartition(b"\n")[2] or b"\n"
        if self._keeps is None:
            self.wrapped.write(data)
            return
        self.wrapped.write(data[: self._keeps])
        self._keeps -= len(data)
        if self._keeps <= 0:
            self.wrapped.close()


class FaultySession:
    """A session on a faulty wire; the greeting may be a fault already."""

    def __init__(self, make_session: MakeSession, wire: FaultyWire, greeting: Fault | None) -> None:
        self._session = make_session(wire)
        self._wire = wire
        self._greeting = greeting

    async def run(self) -> None:
        """Hold the conversation."""
        if self._greeting is None or await self._wire.apply(self._greeting, Unit(b"*", GREETING)):
            await self._session.run()


def with_faults(
    make_session: MakeSession, plan: FaultPlan, service: str, clock: Clock
) -> MakeSession:
    """Return what makes sessions with the faults of a plan."""

    def make(wire: Wire) -> Session:
        faulty = FaultyWire(wire, plan, service, clock)
        return FaultySession(make_session, faulty, plan.next(service, GREETING))

    return make
