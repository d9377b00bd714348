"""What the processes of one server share. A server of one process has it for itself."""

from pathlib import Path

from twisted_mail.auth.throttle import LocalThrottle, LoginThrottle
from twisted_mail.delivery.doors import DeliveryHandoff
from twisted_mail.directory.password_checks import PasswordChecks
from twisted_mail.interfaces import Blocking, Clock, FaultReport, Filter, unreported
from twisted_mail.net.server.connection_count import (
    ConnectionCounter,
    LocalConnectionCounter,
    SharedCountMemory,
)
from twisted_mail.store.maildir import NoteElsewhere
from twisted_mail.store.reservations import Reserver
from twisted_mail.store.settings import StoreSettings


class SharedServices:
    """Makes the parts of which a server has one, whatever the number of its processes.

    ``process`` is the number of this process in the server, None where it is alone.
    """

    process: int | None = None

    def throttle(self, clock: Clock) -> LoginThrottle:
        """Return what slows down the guessing of passwords."""
        return LocalThrottle(clock)

    def password_checks(self, clock: Clock) -> PasswordChecks | None:
        """Return what checks passwords; None: this process does."""
        return None

    def reserver(self, settings: StoreSettings) -> Reserver | None:
        """Return what keeps account of quotas; None: the store itself."""
        return None

    def background(self, clock: Clock) -> NoteElsewhere | None:
        """Return what takes notes of mailboxes to index and to tidy; None: this process does that."""
        return None

    def handoff(
        self, spool: Path, files: Blocking, report_fault: FaultReport = unreported
    ) -> DeliveryHandoff | None:
        """Return what takes mail that is not for inboxes alone; None: this process does."""
        return None

    def filter(self, number: int, made: Filter) -> Filter:
        """Return what judges instead of a filter that all processes have in common."""
        return made

    def connection_counter(self, listener: int) -> ConnectionCounter:
        """Return the counts of a listener's connections."""
        return LocalConnectionCounter()


class MainSharedServices(SharedServices):
    """The services of the main process: its own, but for counts that the workers see."""

    process = 0

    def __init__(self, counts: SharedCountMemory) -> None:
        self._counts = counts

    def throttle(self, clock: Clock) -> LoginThrottle:
        """Return what slows down the guessing of passwords."""
        return LocalThrottle(clock, failing_accounts(self._counts))

    def connection_counter(self, listener: int) -> ConnectionCounter:
        """Return the counts of a listener's connections, in all processes."""
        return self._counts.listener(listener)


def failing_accounts(counts: SharedCountMemory) -> ConnectionCounter:
    """Return the count of accounts with failed logins, in the place of a listener that there is not."""
    return counts.listener(counts.layout.listeners - 1)
