"""What an operator may set for when mail goes, and how much of it at a time."""

from dataclasses import dataclass
from itertools import pairwise

_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """When a recipient is tried again, and for how long.

    ``retries`` are the pauses in seconds, the last of which repeats; ``greylist`` is the pause after an
    answer that means a greylist. Mail is tried for ``days``, reports for ``report_days``. ``notices`` are
    the ages, in seconds, at which the sender gets a notice that the message is late. What nobody could be
    told of is kept for ``dead_days``.
    """

    retries: tuple[float, ...] = (
        *(5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE),
        *(_HOUR, 2 * _HOUR, 3 * _HOUR),
    )
    greylist: float = 5 * _MINUTE
    days: float = 5.0
    report_days: float = 1.0
    notices: tuple[float, ...] = (4 * _HOUR,)
    dead_days: float = 30.0

    def __post_init__(self) -> None:
        if not self.retries or min(self.retries) < 1 or self.greylist < 1:
            raise ValueError("retries must be one second or more, and at least one")
        if min(self.days, self.report_days) <= 0:
            raise ValueError("days and report_days must be more than 0")
        if any(later <= sooner for sooner, later in pairwise((0.0, *self.notices))):
            raise ValueError("notices must rise")


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """How much is under way, and in memory for it.

    ``connections`` is the most there may be together. ``ready`` and ``ready_per_destination`` bound the
    recipients that wait in memory for their turn. A transaction has at most ``recipients``.
    """

    connections: int = 500
    ready: int = 20_000
    ready_per_destination: int = 1_000
    recipients: int = 100

    def __post_init__(self) -> None:
        if min(self.connections, self.ready, self.ready_per_destination, self.recipients) < 1:
            raise ValueError("connections, ready and recipients must be 1 or more")
