from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import header as header_fields
from twisted_mail.smtp.arrival import own_fields
from twisted_mail.smtp.arrival.field_names import ASKED, FieldNames

_NAMES = st.sampled_from([*ASKED, b"Received", b"DATE", b"x-received", b"receivedx", b"to"])
_FIELDS = st.builds(
    lambda name, blanks, value: name + blanks + b":" + value + b"\r\n",
    _NAMES,
    st.sampled_from([b"", b" ", b"\t "]),
    st.sampled_from([b"", b" x", b"\r\n received: folded", b" From: x"]),
)


def test_fields_are_counted_in_any_case_and_only_at_the_start_of_a_line() -> None:
    names = FieldNames(
        b"Received: a\r\nRECEIVED:b\r\nX-Received: c\r\n received: d\r\nReceivedx: e\r\n"
    )
    assert names.count(b"received") == 2
    assert names.count(b"date") == 0


def test_blanks_before_the_colon_make_no_other_name() -> None:
    assert FieldNames(b"a: b\r\nDate \t: x\r\n").places(b"date") == [6]


def test_names_of_fields_that_pass_for_ours_are_asked_for() -> None:
    assert {*ASKED} >= {*own_fields._NAMES}


@given(st.lists(_FIELDS).map(b"".join))
def test_the_places_are_those_of_the_fields(header: bytes) -> None:
    names = FieldNames(header)
    for name in ASKED:
        parsed = [one.start for one in header_fields.fields(header) if one.name.lower() == name]
        assert list(names.places(name)) == parsed
