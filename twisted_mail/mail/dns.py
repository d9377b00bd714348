"""What the DNS says about names, as far as mail asks it.

Names are A-labels in lower case, without a dot at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

IpVersion = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class DnsAnswer(Generic[T]):
    """What there is of a kind under a name; nothing, if there is no such name or nothing of the kind.

    ``is_authentic`` says that a validating resolver on this host vouches for it by DNSSEC, also for
    there being nothing (RFC 6840 §5.8).
    """

    values: tuple[T, ...] = ()
    is_authentic: bool = False

    def __iter__(self) -> Iterator[T]:
        """Yield the values."""
        return iter(self.values)

    def __len__(self) -> int:
        """Return how many values there are: an answer is true when there are any."""
        return len(self.values)


@dataclass(frozen=True, slots=True, order=True)
class MailHost:
    """One MX record (RFC 5321 §5.1): the lower preference is tried first."""

    preference: int
    name: str

    @property
    def is_null(self) -> bool:
        """True for the record that says that the domain takes no mail (RFC 7505 §3)."""
        return not self.name
