"""Delivery to programs: the environment they get, and the message as they read it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.delivery_result import DeliveryResult
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Blob
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.program import UNKNOWN_PROGRAM, Program

# Strangers choose these values, and programs hand them to shells: odd characters go, as in Postfix.
_ODD = re.compile(r"[^A-Za-z0-9!@%_=+:,./\[\]~-]")
_MAX_VALUE = 512
_FIXED = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

RunProgram = Callable[[Program, Mapping[str, str], Iterable[bytes]], DeliveryResult]


class ProgramTransport:
    """Delivers jobs to programs. ``run`` is ``queue.pipe.Pipe.run``, and may block."""

    def __init__(self, programs: Sequence[Program], run: RunProgram, blocking: Blocking) -> None:
        self._programs = {program.name: program for program in programs}
        self._run = run
        self._blocking = blocking

    async def deliver(self, job: Job, blob: Blob) -> DeliveryResult:
        """Run the program of a job once; return the result. Raises Unavailable."""
        target = job.target
        assert isinstance(target, ProgramTarget)
        program = self._programs.get(target.program)
        if program is None:
            return UNKNOWN_PROGRAM
        return await self._blocking.run(
            self._run,
            program,
            environment(job, target),
            _program_input(job, target, blob),
        )


def environment(job: Job, target: ProgramTarget) -> dict[str, str]:
    """Return the whole environment of a program except HOME."""
    values = {
        "SENDER": str(job.sender),
        "RECIPIENT": str(target.recipient),
        "LOCAL": target.recipient.local,
        "DOMAIN": target.recipient.domain,
        "EXTENSION": target.detail,
        "SUBMITTER": job.submitter,
        "MESSAGE": job.id,
    }
    return {**_FIXED, **{name: _ODD.sub("_", text[:_MAX_VALUE]) for name, text in values.items()}}


def _program_input(job: Job, target: ProgramTarget, blob: Blob) -> Iterator[bytes]:
    """Yield the message as a program reads it: with our last trace fields, and LF line ends."""
    yield f"Return-Path: <{job.sender}>\nDelivered-To: {target.recipient}\n".encode()
    yield from blob.pieces() if job.body == "BINARYMIME" else with_lf(blob.pieces())


def with_lf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces with each CRLF made an LF, also one across two pieces."""
    held = b""
    for piece in pieces:
        whole = held + piece
        held = b"\r" if whole.endswith(b"\r") else b""
        yield whole[: len(whole) - len(held)].replace(b"\r\n", b"\n")
    if held:
        yield held
