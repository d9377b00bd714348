"""What an operator may set of the journey of messages."""

from dataclasses import dataclass
from typing import Literal

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class JourneySettings:
    """The section ``[journey]``: how long, and how much, the events of messages are kept."""

    days: int = 7  # 0: nothing is kept
    octets: int = 1024 * MIB  # of all files; the oldest make room for the newest
    dialogues: Literal["failures", "all", "none"] = "failures"  # with other hosts, which are kept

    def __post_init__(self) -> None:
        if not 0 <= self.days <= 3660:
            raise ValueError("days must be 0 to 3660")
        if self.octets < 16 * MIB:
            raise ValueError("octets must be 16777216 or more")

    @property
    def keeps_dialogues(self) -> bool:
        """Return whether any dialogue is kept."""
        return bool(self.days) and self.dialogues != "none"

    @property
    def dialogue_octets(self) -> int:
        """Return how much of it dialogues may be."""
        return 0 if self.dialogues == "none" else self.octets // 4

    @property
    def event_octets(self) -> int:
        """Return how much of it events may be."""
        return self.octets - self.dialogue_octets
