"""Answers of the DNS, as far as mail needs them.

Names are A-labels in lower case, without a dot at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

IpVersion = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class DnsAnswer(Generic[T]):
    """The records of one kind of a name; none if the name or records of the kind do not exist.

    ``is_authentic``: a validating resolver on this host vouches for the answer by DNSSEC, also if it is
    empty (RFC 6840 §5.8). ``exists`` is false where there is no such name at all, with records of any
    kind (NXDOMAIN, RFC 8020 §2). ``canonical`` is the name behind CNAMEs, or empty where there are none.
    """

    values: tuple[T, ...] = ()
    is_authentic: bool = False
    exists: bool = True
    canonical: str = ""

    def __iter__(self) -> Iterator[T]:
        """Yield the values."""
        return iter(self.values)

    def __len__(self) -> int:
        """Return how many values there are; an answer without any is false."""
        return len(self.values)


@dataclass(frozen=True, slots=True, order=True)
class MailHost:
    """One MX record (RFC 5321 §5.1): lower preferences are tried first."""

    preference: int
    name: str

    @property
    def is_null(self) -> bool:
        """True for the record of a domain that accepts no mail (RFC 7505 §3)."""
        return not self.name


@dataclass(frozen=True, slots=True, order=True)
class TlsaRecord:
    """One TLSA record (RFC 6698 §2.1): what certificate a server has, or who signs it."""

    usage: int
    selector: int
    matching: int
    data: bytes
