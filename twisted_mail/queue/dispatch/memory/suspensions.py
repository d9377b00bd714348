"""What the operator has stopped for a while, and whom that stops."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind

NO_TIME = 86_400.0  # after so long one without a time is looked at again


class Suspensions:
    """The suspensions in force. They hold until their time, whatever happens meanwhile."""

    def __init__(self) -> None:
        self._all: dict[tuple[SuspensionKind, str], Suspension] = {}

    def add(self, suspension: Suspension) -> None:
        """Suspend something, or suspend it until another time."""
        self._all[suspension.kind, suspension.name] = suspension

    def remove(self, kind: SuspensionKind, name: str) -> None:
        """Suspend something no longer."""
        self._all.pop((kind, name), None)

    def of_destination(self, destination: Destination, now: float) -> Suspension | None:
        """Return what stops a destination."""
        if not self._all or destination.carrier != SMTP:
            return None
        return self._in_force("domain", destination.name, now)

    def of_site(self, name: str, now: float) -> Suspension | None:
        """Return what stops a site."""
        return self._in_force("site", name, now) if self._all else None

    def of_mail(self, sender: Address, submitter: str, now: float) -> Suspension | None:
        """Return what stops the mail of a sender or an account."""
        if not self._all:
            return None
        return (
            self._in_force("account", submitter, now)
            or self._in_force("sender", sender.key, now)
            or self._in_force("sender", f"@{sender.domain}", now)
        )

    def _in_force(self, kind: SuspensionKind, name: str, now: float) -> Suspension | None:
        found = self._all.get((kind, name))
        if found is not None and not found.holds(now):
            del self._all[kind, name]
            return None
        return found


def ends_at(suspension: Suspension, now: float) -> float:
    """Return when what is suspended is to be looked at again."""
    return suspension.until or now + NO_TIME
