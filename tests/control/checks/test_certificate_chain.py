"""Chains of certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from twisted_mail.control.checks import certificate_chain
from twisted_mail.control.checks.certificate_chain import chain_warnings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Authority:
    """Signs certificates; it is signed by another authority, or by itself."""

    def __init__(self, name: str, by: "Authority | None" = None, days: int = 90) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = by or self
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name)
        builder = builder.serial_number(1).public_key(self.key.public_key())
        builder = builder.not_valid_before(NOW - timedelta(days=100))
        builder = builder.not_valid_after(NOW + timedelta(days=days))
        self.certificate = builder.sign(issuer.key, hashes.SHA256())


ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
SERVER = Authority("mail.example.org", MIDDLE)


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that knows ROOT."""
    bundle = tmp_path / "bundle.crt"
    bundle.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setattr(certificate_chain, "BUNDLES", (bundle,))
    return bundle


def warnings(*chain: Authority) -> list[str]:
    return list(chain_warnings([one.certificate for one in chain], NOW))


@pytest.mark.parametrize("chain", [(SERVER, MIDDLE), (SERVER, MIDDLE, ROOT), (MIDDLE,)])
def test_a_chain_that_ends_at_a_known_authority_is_fine(chain: tuple[Authority, ...]) -> None:
    assert warnings(*chain) == []


def test_a_missing_intermediate_certificate_is_named() -> None:
    (text,) = warnings(SERVER)
    assert "mail.example.org is signed by Middle, whom this system does not know" in text


def test_certificates_out_of_order_are_named() -> None:
    (text,) = warnings(SERVER, ROOT, MIDDLE)
    assert "mail.example.org is not signed by Root, which comes next" in text


def test_an_intermediate_certificate_that_has_expired_is_named() -> None:
    old = Authority("Old", ROOT, days=-1)
    assert warnings(Authority("mail", old), old) == ["Old in its chain is not valid at this time"]


def test_a_certificate_that_is_signed_by_itself_is_named() -> None:
    assert "signed by itself" in warnings(ROOT)[0]


def test_an_authority_of_ones_own_in_the_chain_is_enough() -> None:
    own = Authority("Own")
    assert warnings(Authority("mail", own), own) == []


@pytest.mark.parametrize("text", [None, "no certificates"])
def test_without_a_list_of_authorities_only_a_lone_certificate_is_named(
    system: Path, text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "other.crt"
    if text is not None:
        bundle.write_text(text)
    monkeypatch.setattr(certificate_chain, "BUNDLES", (bundle,))
    monkeypatch.setattr(certificate_chain.ssl, "get_default_verify_paths", NoPaths)
    assert warnings(SERVER, MIDDLE) == []
    assert "an intermediate certificate is missing" in warnings(SERVER)[0]


class NoPaths:
    cafile = None
