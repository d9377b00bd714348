"""What a recipient in the queue leads to."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.queued.destination import ACCOUNT, LIST, PROGRAM, SMTP, Destination
from twisted_mail.mail.route import ListTarget, ProgramTarget


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """An address of another host's."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class AccountTarget:
    """An account here, by name, that could not be given its copy at once.

    ``recipient`` is the address that led to it; ``detail`` is the part after the separator.
    """

    account: str
    recipient: Address
    detail: str = ""


Target = RemoteTarget | AccountTarget | ProgramTarget | ListTarget


def destination(target: Target) -> Destination:
    """Return where the carrier of a target brings it."""
    match target:
        case RemoteTarget():
            return Destination(SMTP, target.recipient.domain)
        case AccountTarget():
            return Destination(ACCOUNT, target.account)
        case ProgramTarget():
            return Destination(PROGRAM, target.program)
    return Destination(LIST, target.list)
