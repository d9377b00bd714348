"""What is demanded of TLS with another host, and what was proven on a connection to it."""

from dataclasses import dataclass, replace
from enum import Enum

from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.outcome import Outcome


class TlsLevel(Enum):
    """What is demanded of a connection.

    ``MAY``: TLS where it is offered, whoever the host is; a handshake that fails is followed by clear
    text, once. ``ENCRYPT``: nothing in clear. ``VERIFY``: nor to a host that has not proven its name by
    an authority that is trusted here. ``DANE``: nor to one whose certificate fits none of its TLSA
    records.
    """

    NONE = "none"
    MAY = "may"
    ENCRYPT = "encrypt"
    VERIFY = "verify"
    DANE = "dane"


class Whence(Enum):
    """Where a demand comes from."""

    DEFAULT = ""
    SETTING = "setting"
    RELAY = "relay"
    DANE = "dane"
    MTA_STS = "mta-sts"
    SENDER = "requiretls"
    HEADER = "tls-required"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of connections to one host.

    ``names`` are those of which a certificate has to have one: without any, the host's own. ``records``
    are the TLSA records that are usable, and ``server_name`` is what the host is asked to prove by SNI,
    if not its own name (RFC 7672 §8.1). ``is_host_certain``: nobody can have named another host instead
    of this one, for DNSSEC or an MTA-STS policy vouches for it. ``is_binding``: the host has to offer
    REQUIRETLS, so that it demands the same of the next one.
    """

    level: TlsLevel = TlsLevel.MAY
    whence: Whence = Whence.DEFAULT
    names: tuple[str, ...] = ()
    records: tuple[TlsaRecord, ...] = ()
    server_name: str = ""
    is_host_certain: bool = False
    is_binding: bool = False

    def at(self, host: str) -> "Demand":
        """Return the demand with the host's own name, where a name is demanded and none is there."""
        needs_name = self.level is TlsLevel.VERIFY and not self.names
        return replace(self, names=(host,)) if needs_name else self

    @property
    def label(self) -> str:
        """Return the level, and whence it comes where that is not obvious, for the log."""
        whence = self.whence.value
        return (
            self.level.value if whence in ("", self.level.value) else f"{self.level.value}/{whence}"
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven on a connection.

    ``names`` are those that were demanded and the certificate has, if an authority vouches for it: one
    that is trusted here, or, with ``records``, the one that these name. ``records`` are all the TLSA
    records of the host, one of which the certificate fits; without ``names`` then, names did not matter.
    ``is_binding``: the host offers REQUIRETLS.
    """

    is_encrypted: bool = False
    names: tuple[str, ...] = ()
    records: tuple[TlsaRecord, ...] = ()
    is_binding: bool = False

    @property
    def label(self) -> str:
        """Return it as one word, for the log."""
        if self.records:
            return "dane"
        if self.names:
            return "name"
        return "encrypted" if self.is_encrypted else "nothing"


NOTHING_PROVEN = Proof()
ANY_HOST = Demand()
WAIVED = Demand(TlsLevel.MAY, Whence.HEADER)  # by a message with TLS-Required: No (RFC 8689 §3)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A host that mail does not go to now, and why."""

    host: str
    outcome: Outcome
