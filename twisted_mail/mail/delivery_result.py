"""What came of one attempt to deliver a job."""

from dataclasses import dataclass
from enum import Enum


class Completion(Enum):
    """What an attempt means for the job."""

    DONE = "done"
    LATER = "later"  # it is tried again
    FAILED = "failed"  # permanently: the sender gets a failure report


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of an attempt, its status (RFC 3463) and the reason in a few words, for reports.

    ``output`` is the beginning of what a program wrote; it is for the log, and never sent to anybody.
    """

    completion: Completion
    status: str = "2.0.0"
    reason: str = ""
    output: str = ""
