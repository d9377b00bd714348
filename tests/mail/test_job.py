import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.job import LISTS_KEY, Job, decode, encode
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.route import ListTarget, ProgramTarget

ADDRESSES = st.sampled_from(
    [parse("a@example.org"), parse('"a b"@example.org'), Address("ü", "xn--bcher-kva.example")]
)
ERRANDS = st.builds(
    ProgramTarget, st.sampled_from(["ticket", "x-y"]), ADDRESSES, st.text(max_size=5)
)
LIST_MAILS = st.builds(
    ListTarget, st.just("news@example.org"), st.sampled_from(ListRole), st.text(max_size=5)
)
NUMBERS = st.floats(0, 2**33)


@given(
    st.builds(
        Job,
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
def test_reading_is_the_inverse_of_writing(parcel: Job) -> None:
    assert decode(encode(parcel)) == parcel


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"nonsense", b'{"id": 1}', b"\xff", encode(
        Job("x", 1.0, NULL, ListTarget("n@example.org", ListRole.POST))
    ).replace(b'"role": ""', b'"role": "king"')],
)  # fmt: skip
def test_what_is_no_parcel_is_said_so(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(data)


def test_parcels_of_one_program_have_one_key_and_those_of_lists_another() -> None:
    address = parse("a@example.org")
    assert Job("x", 1.0, NULL, ProgramTarget("ticket", address)).key == "|ticket"
    assert Job("x", 1.0, NULL, ListTarget("n@example.org", ListRole.POST)).key == LISTS_KEY
