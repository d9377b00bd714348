"""Where a carrier brings mail."""

from dataclasses import dataclass
from sys import intern

SMTP, PROGRAM, LIST, ACCOUNT = "smtp", "program", "list", "account"  # the carriers of this server


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """A domain, a program, a list or an account, by the carrier that brings mail there.

    ``name`` is the domain in A-labels and lower case (an address literal with its brackets), or what the
    carrier calls it. Written as ``smtp:example.org``.
    """

    carrier: str
    name: str

    def __str__(self) -> str:
        return f"{self.carrier}:{self.name}"


def parse_destination(text: str) -> Destination:
    """Read ``carrier:name``. Raises ValueError."""
    carrier, colon, name = text.partition(":")
    if not (carrier and colon):
        raise ValueError("a destination is written carrier:name")
    return Destination(intern(carrier), name)
