"""DNS block and allow lists (RFC 5782): what to ask for, and what an answer means."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from twisted_mail.mail.address import parse_domain
from twisted_mail.policy.networks import address_of

ListedItem = Literal["address", "hello", "sender", "reverse-name"]

_ANSWER_NETWORK = ipaddress.ip_network("127.0.0.0/8")
# Answers of large lists to servers that they do not serve: these are about us, not about the client.
_REFUSAL_NETWORK = ipaddress.ip_network("127.255.255.0/24")

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class DnsList:
    """One list: its zone, what it lists, what being listed weighs, and which answers count.

    ``replies`` are addresses or ranges such as ``127.0.0.4-127.0.0.7``; none: every address in 127/8 but
    the last network, which means that a list does not serve us. ``use`` is ``block`` or ``allow``.
    """

    zone: str
    of: ListedItem = "address"
    use: Literal["block", "allow"] = "block"
    weight: int = 1
    replies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parse_domain(self.zone)
        parse_ranges(self.replies)

    def counts(self, answers: Iterable[str]) -> list[str]:
        """Return those of the answers that mean: listed."""
        ranges = parse_ranges(self.replies)
        return [one for one in answers if _is_code(one) and _is_in(one, ranges)]

    def refuses_us(self, answers: Iterable[str]) -> bool:
        """Return whether the answers mean that the list does not serve us."""
        return any(address_of(one) in _REFUSAL_NETWORK for one in answers if _is_ipv4(one))


def parse_ranges(texts: Iterable[str]) -> Ranges:
    """Read replies. Raises ValueError."""
    return tuple(_range(text) for text in texts)


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        low, high = (ipaddress.IPv4Address(one.strip()) for one in (first, last or first))
    except ValueError:
        low = high = ipaddress.IPv4Address(0)
    if low not in _ANSWER_NETWORK or high not in _ANSWER_NETWORK or high < low:
        raise ValueError(f"{text!r} is not an answer of a list, as in '127.0.0.4-127.0.0.7'")
    return int(low), int(high)


def _is_ipv4(text: str) -> bool:
    found = address_of(text)
    return found is not None and found.version == 4


def _is_code(text: str) -> bool:
    """Return whether an answer can come from a list; others come from zones that have expired."""
    found = address_of(text)
    return _is_ipv4(text) and found in _ANSWER_NETWORK and found not in _REFUSAL_NETWORK


def _is_in(text: str, ranges: Ranges) -> bool:
    number = int(ipaddress.IPv4Address(text))
    return not ranges or any(low <= number <= high for low, high in ranges)


# ---------------------------------------------------------------- what is asked for


def address_query_name(host: str, zone: str) -> str | None:
    """Return the name under which an address is listed (RFC 5782 §2.1, §2.4); None for no address."""
    found = address_of(host)
    if found is None:
        return None
    if found.version == 4:
        return ".".join([*reversed(str(found).split(".")), zone])
    return ".".join([*reversed(found.exploded.replace(":", "")), zone])


def domain_query_name(domain: str, zone: str) -> str | None:
    """Return the name under which a domain is listed (RFC 5782 §3); None for a literal or nothing."""
    domain = domain.removesuffix(".").lower()
    is_name = bool(domain) and not domain.startswith("[") and address_of(domain) is None
    return f"{domain}.{zone}" if is_name and domain.isascii() else None


def test_entries(one: DnsList) -> tuple[str, str]:
    """Return what every list has and what none has (RFC 5782 §5)."""
    if one.of != "address":
        return f"test.{one.zone}", f"invalid.{one.zone}"
    return f"2.0.0.127.{one.zone}", f"1.0.0.127.{one.zone}"
