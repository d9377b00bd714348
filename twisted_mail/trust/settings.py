"""What an operator may set for TLS with other hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from twisted_mail.mail.address import parse_domain
from twisted_mail.mail.trust import TlsLevel, Whence

SetLevel = Literal["none", "may", "encrypt", "verify"]


@dataclass(frozen=True, slots=True)
class OutgoingTlsSettings:
    """The section ``[outgoing_tls]``, for mail to the mail hosts of domains.

    ``level`` is what is demanded at least; ``domains`` has other levels for some: ``example.net`` for the
    domain itself, ``.example.net`` for all below it, and of several that fit the longest counts. With
    ``mta_sts`` the policies of domains are fetched and obeyed, with ``dane`` TLSA records are, where a
    resolver on this host validates. A domain with level ``none`` is asked for neither.
    """

    level: SetLevel = "may"
    domains: Mapping[str, SetLevel] = field(default_factory=dict)
    mta_sts: bool = True
    dane: bool = True

    def __post_init__(self) -> None:
        for name in self.domains:
            _check(name)

    def level_of(self, domain: str) -> tuple[TlsLevel, Whence]:
        """Return the level for a domain in A-labels, and whence it comes."""
        levels = {_folded(name): level for name, level in self.domains.items()}
        for name in (domain, *_parents(domain)):
            if name in levels:
                return TlsLevel(levels[name]), Whence.SETTING
        is_default = self.level == "may"
        return TlsLevel(self.level), Whence.DEFAULT if is_default else Whence.SETTING


def _parents(domain: str) -> list[str]:
    """Return ``.b.example`` and ``.example`` for ``a.b.example``."""
    labels = domain.split(".")
    return ["." + ".".join(labels[at:]) for at in range(1, len(labels))]


def _check(name: str) -> None:
    try:
        parse_domain(name.removeprefix("."))
    except ValueError:
        raise ValueError(
            f"{name!r} is not a domain, as in 'example.net' or '.example.net'"
        ) from None


def _folded(name: str) -> str:
    dot = "." if name.startswith(".") else ""
    return dot + parse_domain(name.removeprefix("."))
