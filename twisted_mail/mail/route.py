"""Routes: the next hop for one recipient."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Here:
    """The mail stays: the accounts, by name, that receive it once aliases are expanded."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The mail goes on to other hosts: addresses whose domains are not ours."""

    addresses: tuple[Address, ...]
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoute:
    """There is no such recipient, or mail for it is not taken."""

    outcome: Outcome


Route = Here | Elsewhere | NoRoute
