"""What an operator may set for mail that waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The section ``[waiting]``: mail for programs and lists, which is tried until it succeeds."""

    first_retry: float = 60.0  # seconds; each pause is twice as long as the one before ...
    longest_retry: float = 3600.0  # ... up to this
    days: float = 5.0  # after this many the sender gets a failure report
    dead_days: float = 30.0  # how long what nobody could be told of is kept; 0: for ever
    max_parcels: int = 10_000  # most messages that wait; no more are taken then

    def __post_init__(self) -> None:
        if min(self.first_retry, self.longest_retry) <= 0:
            raise ValueError("first_retry and longest_retry must be more than 0")
