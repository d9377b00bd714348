"""Dialogues with other hosts, as they are kept."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["C", "S"]
WE: Side = "C"  # the client's side
THEY: Side = "S"  # the server's


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line: seconds since the dialogue began, who said it, and what, without its end.

    Octets that are no UTF-8 are surrogates. In parentheses stands what happened and was not said.
    """

    at: float
    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said over one connection about one message: the opening, and this message's part.

    ``message`` is the id of the message, empty where the dialogue ended before there was one; ``began``
    is in seconds since 1970. The others are those of the attempt.
    Passwords and contents are not in it.
    """

    id: str
    message: str
    began: float
    host: str
    address: str
    source: str
    tls: str
    use: int
    lines: tuple[SpokenLine, ...]
