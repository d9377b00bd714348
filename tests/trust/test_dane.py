"""Which TLSA records are usable, and what certificate fits them."""

from hashlib import sha256, sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.trust.dane import ShownCertificate, anchors, fits, fits_end, usable

CERT = ShownCertificate(b"the certificate", b"its key")
CA = ShownCertificate(b"an authority", b"its own key")
D256, D512 = sha256(CERT.public_key).digest(), sha512(CERT.public_key).digest()


def record(usage: int, selector: int, matching: int, data: bytes) -> TlsaRecord:
    return TlsaRecord(usage, selector, matching, data)


@pytest.mark.parametrize("usage", [2, 3])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize(("matching", "data"), [(0, b"x"), (1, bytes(32)), (2, bytes(64))])
def test_usages_two_and_three_are_usable(
    usage: int, selector: int, matching: int, data: bytes
) -> None:
    one = record(usage, selector, matching, data)
    assert usable([one]) == (one,)


@pytest.mark.parametrize(
    "one",
    [
        record(0, 0, 1, bytes(32)),  # an authority that everybody trusts: adds nothing
        record(1, 1, 1, bytes(32)),
        record(4, 1, 1, bytes(32)),
        record(255, 1, 1, bytes(32)),
        record(3, 2, 1, bytes(32)),
        record(3, 1, 3, bytes(32)),
        record(3, 1, 1, bytes(31)),
        record(3, 1, 1, bytes(64)),
        record(3, 1, 2, bytes(32)),
        record(3, 0, 0, b""),
    ],
)
def test_what_is_malformed_or_unknown_is_unusable(one: TlsaRecord) -> None:
    assert usable([one]) == ()


def test_only_the_strongest_digest_counts() -> None:
    weak, strong = record(3, 1, 1, bytes(32)), record(3, 1, 2, bytes(64))
    whole, other = record(3, 1, 0, b"key"), record(2, 1, 1, bytes(32))
    assert usable([strong, weak, other, whole]) == (other, whole, strong)


def test_a_strong_digest_that_is_malformed_takes_nothing_from_a_weak_one() -> None:
    weak = record(3, 1, 1, bytes(32))
    assert usable([weak, record(3, 1, 2, bytes(63))]) == (weak,)


@given(
    st.lists(
        st.builds(
            TlsaRecord,
            st.integers(0, 4),
            st.integers(0, 2),
            st.integers(0, 3),
            st.sampled_from((b"", b"x", bytes(32), bytes(64))),
        )
    )
)
def test_the_order_of_records_matters_nothing(records: list[TlsaRecord]) -> None:
    found = usable(records)
    assert found == usable(reversed(records)) == usable(found)
    assert set(found) <= set(records)


@pytest.mark.parametrize(
    ("selector", "matching", "data", "is_fitting"),
    [
        (0, 0, CERT.der, True),
        (1, 0, CERT.public_key, True),
        (0, 1, sha256(CERT.der).digest(), True),
        (1, 1, D256, True),
        (1, 2, D512, True),
        (0, 1, D256, False),
        (1, 1, sha256(b"another key").digest(), False),
        (1, 0, D256, False),
    ],
)
def test_what_a_record_is_about(
    selector: int, matching: int, data: bytes, is_fitting: bool
) -> None:
    one = record(3, selector, matching, data)
    assert fits(one, CERT) is is_fitting
    assert fits_end([record(3, 1, 1, bytes(32)), one], CERT) is is_fitting


def test_usage_two_is_not_about_the_end() -> None:
    assert not fits_end([record(2, 1, 1, D256)], CERT)
    assert anchors([record(3, 1, 1, D256)], [CERT]) == []


def test_the_authorities_of_a_chain() -> None:
    named = record(2, 0, 1, sha256(CA.der).digest())
    assert anchors([named], [CERT, CA, CA]) == [1, 2]
    assert anchors([named], [CERT]) == []
