"""What an operator may set for mail that waits."""

from dataclasses import dataclass

from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.spool.settings import SpoolSettings

_MINUTE, _HOUR, _MIB = 60.0, 3600.0, 1024 * 1024


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The section ``[queue]``: mail for other hosts, programs and lists, until it is handed on."""

    retries: tuple[float, ...] = (
        *(5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE),
        *(_HOUR, 2 * _HOUR, 3 * _HOUR),
    )  # seconds; the pauses between tries, of which the last one repeats
    greylist: float = 5 * _MINUTE  # seconds; the pause after an answer that means a greylist
    days: float = 5.0  # after these the sender gets a failure report
    report_days: float = 1.0  # the same for reports
    notices: tuple[float, ...] = (4 * _HOUR,)  # seconds after which the sender learns of a delay
    dead_days: float = 30.0  # how long what nobody could be told of is kept
    max_messages: int = 1_000_000  # that wait; no more are taken then
    min_free: int = 256 * _MIB  # octets on the file system, below which none are taken
    inline: int = 32 * 1024  # octets up to which a message is in the database
    ready: int = 20_000  # recipients that wait in memory for their turn
    ready_per_destination: int = 1_000

    def __post_init__(self) -> None:
        self.schedule  # noqa: B018  # raises ValueError
        self.dispatch(1, 1)

    @property
    def schedule(self) -> ScheduleSettings:
        """Return when mail is tried again."""
        return ScheduleSettings(
            self.retries,
            self.greylist,
            self.days,
            self.report_days,
            self.notices,
            self.dead_days,
        )

    @property
    def spool(self) -> SpoolSettings:
        """Return how much is kept."""
        return SpoolSettings(self.max_messages, self.min_free, self.inline)

    def dispatch(self, connections: int, recipients: int) -> DispatchSettings:
        """Return how much is under way, with so many connections, and recipients at a time."""
        return DispatchSettings(connections, self.ready, self.ready_per_destination, recipients)
