"""Whether mail programs can follow a chain of certificates to an authority that they know."""

import re
import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

# Where systems keep the authorities that come with them.
BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Alpine, Arch
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora
    Path("/etc/ssl/cert.pem"),  # BSD
)

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def chain_warnings(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[str]:
    """Yield what keeps clients from trusting the first certificate of a chain (RFC 8446 §4.4.2)."""
    if chain[0].issuer == chain[0].subject:
        yield "is signed by itself: mail programs will ask whether to trust it"
        return
    for one, following in pairwise(chain):
        if not _is_issued_by(one, following):
            yield (
                f"the certificates are not in order, or one is missing: {_name(one.subject)} is not"
                f" signed by {_name(following.subject)}, which comes next"
            )
            return
    for one in chain[1:]:
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            yield f"{_name(one.subject)} in its chain is not valid at this time"
    yield from _end_warnings(chain)


def _end_warnings(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    """Look for the authority that signed the end of a chain."""
    last, roots = chain[-1], known_roots()
    if last.issuer == last.subject or last.issuer in roots or (not roots and len(chain) > 1):
        return
    yield (
        f"an intermediate certificate is missing after it: {_name(last.subject)} is signed by"
        f" {_name(last.issuer)}, whom this system does not know (fine only if it is an authority of"
        " your own, which mail programs were made to trust)"
    )


def _is_issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def known_roots() -> frozenset[x509.Name]:
    """Return the names of the authorities that come with this system; none if it has no list."""
    own = ssl.get_default_verify_paths().cafile
    for path in (*BUNDLES, *([Path(own)] if own else [])):
        if path.exists():
            return _names_in(path)
    return frozenset()


@cache
def _names_in(path: Path) -> frozenset[x509.Name]:
    names = set()
    with suppress(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old authorities that break a rule
        for pem in _PEM.findall(path.read_bytes()):
            with suppress(ValueError):
                names.add(x509.load_pem_x509_certificate(pem).subject)
    return frozenset(names)


def _name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string() or "a certificate without a name"
