"""What a recipient in the queue leads to."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.queued.destination import ACCOUNT, LIST, PROGRAM, SMTP, Destination
from twisted_mail.mail.route import ListTarget, LocalRoute, ProgramTarget, RemoteRoute


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


def carried_targets(route: LocalRoute | RemoteRoute) -> tuple[Target, ...]:
    """Return what carriers bring mail of a route to; not the accounts, which get it at once."""
    if isinstance(route, LocalRoute):  # nearly all mail
        return (*route.programs, *route.lists)
    elsewhere = tuple(RemoteTarget(address) for address in route.addresses)
    return (*route.programs, *route.lists, *elsewhere)


def account_targets(
    route: LocalRoute | RemoteRoute, recipient: Address
) -> tuple[AccountTarget, ...]:
    """Return the accounts of the route of a recipient, for carriers."""
    details = dict(route.details)
    return tuple(
        AccountTarget(account, recipient, details.get(account, "")) for account in route.accounts
    )


def targets_of(recipient: Address, route: LocalRoute | RemoteRoute) -> tuple[Target, ...]:
    """Return all that mail for a recipient with a route goes to, accounts first."""
    return (*account_targets(route, recipient), *carried_targets(route))
