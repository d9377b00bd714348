"""Whether the certificates that a host has shown fit its TLSA records (RFC 7672 §3.2).

OpenSSL's own DANE is not within reach from Python, so the records are compared after the handshake. What
usage 2 needs of a chain (signatures, dates, constraints) is OpenSSL's to say all the same, with the
authority of the record as the only one that is trusted.
"""

from collections.abc import Sequence

from OpenSSL import SSL, crypto

from twisted_mail.interfaces import TlsFailed
from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.trust import Proof
from twisted_mail.net.client.certificate_names import has_name
from twisted_mail.trust import dane
from twisted_mail.trust.dane import ShownCertificate

MAX_CHAIN = 20  # certificates of a host that are looked at

_NO_FIT = "The certificate fits none of the TLSA records of the host"


def tlsa_proof(
    connection: SSL.Connection, records: tuple[TlsaRecord, ...], names: Sequence[str]
) -> Proof:
    """Return what a host has proven by its records; one of the names is wanted for usage 2 alone.

    Raises TlsFailed if it has proven nothing.
    """
    chain = (connection.get_peer_cert_chain() or [])[:MAX_CHAIN]
    shown = [_shown(one) for one in chain]
    if shown and dane.fits_end(records, shown[0]):
        return Proof(True, (), records)
    if not any(_leads_to(anchor, chain) for anchor in _anchors(records, chain, shown)):
        raise TlsFailed(_NO_FIT)
    proven = tuple(name for name in names if has_name(connection, name))
    if not proven:
        raise TlsFailed(f"The certificate is not for {', '.join(names)}")
    return Proof(True, proven, records)


def _shown(certificate: crypto.X509) -> ShownCertificate:
    """Return a certificate as records are compared with it; a key that is none fits nothing."""
    der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
    try:
        key = crypto.dump_publickey(crypto.FILETYPE_ASN1, certificate.get_pubkey())
    except (crypto.Error, ValueError, TypeError):
        key = b""
    return ShownCertificate(der, key)


def _anchors(
    records: Sequence[TlsaRecord], chain: Sequence[crypto.X509], shown: Sequence[ShownCertificate]
) -> list[crypto.X509]:
    """Return the authorities that records of usage 2 name: of the chain, or whole in a record."""
    return [chain[at] for at in dane.anchors(records, shown)] + [
        anchor
        for data in dane.whole_anchors(records)
        if (anchor := _read_certificate(data)) is not None
    ]


def _read_certificate(der: bytes) -> crypto.X509 | None:
    try:
        return crypto.load_certificate(crypto.FILETYPE_ASN1, der)
    except (crypto.Error, ValueError):
        return None


def _leads_to(anchor: crypto.X509, chain: Sequence[crypto.X509]) -> bool:
    """Return whether a chain is fine and ends at an authority, if that is all that is trusted."""
    store = crypto.X509Store()
    store.add_cert(anchor)
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    try:
        crypto.X509StoreContext(store, chain[0], chain[1:]).verify_certificate()
    except (crypto.X509StoreContextError, IndexError):
        return False
    return True
