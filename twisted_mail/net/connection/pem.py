"""What is in a PEM file, and in words why it cannot be used."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_REFUSALS = {
    "ca key too small": "the key of an authority in the chain has too few bits",
    "ca md too weak": "a signature in the chain is of a kind that is too weak",
    "unknown certificate type": "the key is of a kind that TLS does not know",
}


def read_chain(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates, one at least. Raises ValueError with a text for people."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        is_there = b"-----BEGIN CERTIFICATE-----" in pem
        text = "a certificate in it is damaged" if is_there else "there is no certificate in it"
        raise ValueError(text) from None


def read_key(pem: bytes) -> PrivateKeyTypes:
    """Return the private key. Raises ValueError with a text for people."""
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("the private key is locked with a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        is_there = b"PRIVATE KEY-----" in pem
        text = "the private key is damaged, or of an unknown kind"
        raise ValueError(text if is_there else "there is no private key in it") from None


def refusal_in_words(error: Exception, key: PrivateKeyTypes) -> str:
    """Return why OpenSSL does not take a key with its chain."""
    found = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [reason for *_, reason in found] or [str(error) or type(error).__name__]
    if "ee key too small" in reasons:
        return f"the key has {getattr(key, 'key_size', 'some')} bits: too few"
    return _REFUSALS.get(reasons[-1], f"TLS does not take it: {reasons[-1]}")
