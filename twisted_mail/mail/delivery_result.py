"""What came of one attempt to deliver a job."""

from dataclasses import dataclass
from enum import Enum


class Completion(Enum):
    """What a program's end means for the message."""

    DONE = "done"
    LATER = "later"  # the program gets the message again
    FAILED = "failed"  # for good: the sender is told


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How a program ended: the result, a status of RFC 3463 for reports, and why in a few words.

    ``output`` is the beginning of what it wrote; it is for the log, and never told to anybody.
    """

    completion: Completion
    status: str = "2.0.0"
    reason: str = ""
    output: str = ""
