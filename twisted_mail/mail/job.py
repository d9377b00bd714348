"""Jobs: one message on its way to one program or one mailing list."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import BodyType
from twisted_mail.mail.route import JobTarget, ProgramTarget

LISTS = "lists"  # the transport of all mailing lists
APPROVE, REJECT = "approve", "reject"  # what a moderator may decide about a held job


@dataclass(frozen=True, slots=True)
class Job:
    """A message that we have promised to deliver, its target, and how often that was tried.

    ``id`` is the message's with the number of the target: ``0abc...-1``. ``created`` and ``due``, the
    time of the next attempt, are seconds since 1970. A job that ``is_held`` waits for a moderator;
    ``reason`` says why it is held, or why the last attempt failed.
    """

    id: str
    created: float
    sender: Address
    target: JobTarget
    submitter: str = ""
    body: BodyType = "7BIT"
    is_utf8: bool = False
    due: float = 0.0
    attempts: int = 0
    is_held: bool = False
    reason: str = ""

    @property
    def transport(self) -> str:
        """Return the name of the transport that delivers it; also what the log calls its target."""
        if isinstance(self.target, ProgramTarget):
            return program_transport(self.target.program)
        return LISTS


def program_transport(program: str) -> str:
    """Return the name of the transport to one program."""
    return f"|{program}"
