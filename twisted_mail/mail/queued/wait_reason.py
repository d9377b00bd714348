"""What a recipient in the queue waits for."""

from dataclasses import dataclass
from enum import Enum


class WaitKind(Enum):
    """What has to happen before the next attempt, or before it is gone."""

    TURN = "turn"  # it is due, and others are before it
    UNDER_WAY = "under way"
    TIME = "time"
    SITE = "site"  # which rests
    SUSPENSION = "suspension"
    LIMIT = "limit"  # of connections or of a rate
    WORD = "word"  # of the operator or of a moderator
    REPORT = "report"  # nothing is tried any more: its sender is to hear of it
    SERVER = "server"  # which does not run


@dataclass(frozen=True, slots=True)
class WaitReason:
    """What is waited for, until when (seconds since 1970; 0: that is not known), and why.

    ``site`` is the site of the destination, or empty where it is not known (yet).
    """

    kind: WaitKind
    until: float = 0.0
    text: str = ""
    site: str = ""
