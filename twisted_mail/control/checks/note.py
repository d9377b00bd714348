"""What a check has found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["fine", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Note:
    """One check and its result. A fault keeps the server or a service from working."""

    level: Level
    subject: str
    text: str
