import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.parcel import LISTS, Parcel, decode, encode
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.mailing_list import Role
from twisted_mail.mail.route import Errand, ListMail

ADDRESSES = st.sampled_from(
    [parse("a@example.org"), parse('"a b"@example.org'), Address("ü", "xn--bcher-kva.example")]
)
ERRANDS = st.builds(Errand, st.sampled_from(["ticket", "x-y"]), ADDRESSES, st.text(max_size=5))
LIST_MAILS = st.builds(
    ListMail, st.just("news@example.org"), st.sampled_from(Role), st.text(max_size=5)
)
NUMBERS = st.floats(0, 2**33)


@given(
    st.builds(
        Parcel,
        st.just("0abc-1"),
        NUMBERS,
        ADDRESSES | st.just(NULL),
        ERRANDS | LIST_MAILS,
        st.text(max_size=5),
        st.sampled_from(["7BIT", "8BITMIME"]),
        st.booleans(),
        NUMBERS,
        st.integers(0, 100),
        st.booleans(),
        st.text(max_size=20),
    )
)
def test_reading_is_the_inverse_of_writing(parcel: Parcel) -> None:
    assert decode(encode(parcel)) == parcel


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"nonsense", b'{"id": 1}', b"\xff", encode(
        Parcel("x", 1.0, NULL, ListMail("n@example.org", Role.POST))
    ).replace(b'"role": ""', b'"role": "king"')],
)  # fmt: skip
def test_what_is_no_parcel_is_said_so(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(data)


def test_parcels_of_one_program_have_one_key_and_those_of_lists_another() -> None:
    address = parse("a@example.org")
    assert Parcel("x", 1.0, NULL, Errand("ticket", address)).key == "|ticket"
    assert Parcel("x", 1.0, NULL, ListMail("n@example.org", Role.POST)).key == LISTS
