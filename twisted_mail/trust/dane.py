"""TLSA records: which are usable, and what certificate fits them (RFC 7672 §3, RFC 7671, RFC 6698).

Usages 0 and 1 lean on authorities, which add nothing to DNSSEC between mail servers: such records are
unusable (RFC 7672 §3.1.3), as are those that are malformed, or of kinds that nobody has defined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256, sha512
from itertools import groupby

from twisted_mail.mail.dns import TlsaRecord


class TlsaUsage(IntEnum):
    """What a record says of a certificate (RFC 7218 §2.1)."""

    DANE_TA = 2  # it has signed the host's, which has a name that is demanded, and is in its time
    DANE_EE = 3  # it is the host's, whatever its names and dates are


_CERT, _SPKI = 0, 1  # selectors
_FULL = 0  # the matching type of records that have no digest
_DIGESTS = {1: sha256, 2: sha512}  # the stronger ones are higher
_DIGEST_OCTETS = {1: 32, 2: 64}
_USAGES = frozenset(TlsaUsage)


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """A certificate that a host has shown: all of it, and its public key (SPKI), both in DER."""

    der: bytes
    public_key: bytes


def usable(records: Iterable[TlsaRecord]) -> tuple[TlsaRecord, ...]:
    """Return the records that can be used, in order.

    Of several digests of one usage and selector only the strongest counts (RFC 7671 §9): who can make a
    certificate that fits a weak one gains nothing.
    """
    fine = sorted(record for record in set(records) if _is_usable(record))
    kept: list[TlsaRecord] = []
    for _, group in groupby(fine, lambda record: (record.usage, record.selector)):
        alike = list(group)
        strongest = max(record.matching for record in alike)
        kept += [one for one in alike if one.matching in (_FULL, strongest)]
    return tuple(kept)


def _is_usable(record: TlsaRecord) -> bool:
    if record.usage not in _USAGES or record.selector not in (_CERT, _SPKI):
        return False
    if record.matching == _FULL:
        return bool(record.data)
    return len(record.data) == _DIGEST_OCTETS.get(record.matching, -1)


def fits(record: TlsaRecord, certificate: ShownCertificate) -> bool:
    """Return whether a usable record is about a certificate (RFC 6698 §2.1)."""
    whole = certificate.der if record.selector == _CERT else certificate.public_key
    digest = _DIGESTS.get(record.matching)
    return record.data == (whole if digest is None else digest(whole).digest())


def fits_end(records: Iterable[TlsaRecord], certificate: ShownCertificate) -> bool:
    """Return whether a record of usage 3 is about the host's own certificate: nothing else counts."""
    return any(one.usage == TlsaUsage.DANE_EE and fits(one, certificate) for one in records)


def anchors(records: Sequence[TlsaRecord], chain: Sequence[ShownCertificate]) -> list[int]:
    """Return which of a chain, by their places in it, are authorities by a record of usage 2.

    The host's own certificate, which is the first, can be one as well. Whether the chain leads to it is
    for who calls.
    """
    named = [record for record in records if record.usage == TlsaUsage.DANE_TA]
    return [at for at, one in enumerate(chain) if any(fits(record, one) for record in named)]


def whole_anchors(records: Iterable[TlsaRecord]) -> list[bytes]:
    """Return the authorities, in DER, that are in records of usage 2 as they are."""
    return [
        one.data
        for one in records
        if (one.usage, one.selector, one.matching) == (TlsaUsage.DANE_TA, _CERT, _FULL)
    ]
