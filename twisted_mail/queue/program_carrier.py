"""Bringing mail to programs: the environment they get, and the message as they read it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from twisted_mail.interfaces import Blocking, Clock, Site, SiteLimits, Work
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import PROGRAM, Destination
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.program import UNKNOWN_PROGRAM, Program, ProgramEnd

READ_SECONDS = 5.0  # within which the first message is read from the queue

# Strangers choose these values, and programs hand them to shells: odd characters go, as in Postfix.
_ODD = re.compile(r"[^A-Za-z0-9!@%_=+:,./\[\]~-]")
_MAX_VALUE = 512
_FIXED = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

RunProgram = Callable[[Program, Mapping[str, str], Iterable[bytes]], ProgramEnd]


class ProgramCarrier:
    """Runs programs by ``queue.pipe.Pipe.run``, which may block. Fulfils ``interfaces.Carrier``."""

    name = PROGRAM

    def __init__(
        self, programs: Sequence[Program], run: RunProgram, blocking: Blocking, clock: Clock
    ) -> None:
        self._programs = {program.name: program for program in programs}
        self._run = run
        self._blocking = blocking
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Begin nothing more; what is killed now is not noted, and gets its mail after the next start."""
        self._is_stopping = True

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of a program, which may run several times at once; or that it is unknown."""
        program = self._programs.get(destination.name)
        if program is None:
            return Attempt(UNKNOWN_PROGRAM, self._clock.now(), ReplyClass.CONFIGURATION)
        return Site(PROGRAM, program.name, SiteLimits(program.max_running, program.max_running))

    async def serve(self, site: Site, work: Work) -> None:
        """Run a program for one message after the other, and for each recipient by itself."""
        program = self._programs[site.name]
        transaction = await work.wait(READ_SECONDS)
        while transaction is not None:
            for recipient in transaction.recipients:
                attempt = await self._attempt(program, transaction, recipient)
                if self._is_stopping and attempt.outcome.is_temporary:
                    return
                work.done(transaction, {recipient.number: attempt})
            transaction = work.next()

    async def _attempt(
        self, program: Program, transaction: Transaction, recipient: OwedRecipient
    ) -> Attempt:
        target = recipient.target
        assert isinstance(target, ProgramTarget), "transactions come by the name of the carrier"
        values, pieces = environment(transaction, target), _program_input(transaction, target)
        try:
            end = await self._blocking.run(self._run, program, values, pieces)
        except MailError as error:
            return Attempt(error.outcome, self._clock.now())
        return Attempt(end.outcome, self._clock.now(), output=end.output)


def environment(transaction: Transaction, target: ProgramTarget) -> dict[str, str]:
    """Return the whole environment of a program except HOME."""
    values = {
        "SENDER": str(transaction.sender),
        "RECIPIENT": str(target.recipient),
        "LOCAL": target.recipient.local,
        "DOMAIN": target.recipient.domain,
        "EXTENSION": target.detail,
        "SUBMITTER": transaction.job.submitter,
        "MESSAGE": transaction.job.id,
    }
    return {**_FIXED, **{name: _ODD.sub("_", text[:_MAX_VALUE]) for name, text in values.items()}}


def _program_input(transaction: Transaction, target: ProgramTarget) -> Iterator[bytes]:
    """Yield the message as a program reads it: with our last trace fields, and LF line ends."""
    yield f"Return-Path: <{transaction.sender}>\nDelivered-To: {target.recipient}\n".encode()
    is_binary = transaction.job.mail_parameters.body == "BINARYMIME"
    pieces = _pieces(transaction)
    yield from pieces if is_binary else with_lf(pieces)


def _pieces(transaction: Transaction) -> Iterator[bytes]:
    if transaction.fields:
        yield transaction.fields
    yield from transaction.message.pieces()


def with_lf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces with each CRLF made an LF, also one across two pieces."""
    held = b""
    for piece in pieces:
        whole = held + piece
        held = b"\r" if whole.endswith(b"\r") else b""
        yield whole[: len(whole) - len(held)].replace(b"\r\n", b"\n")
    if held:
        yield held
