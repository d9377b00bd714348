from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import header as header_fields
from twisted_mail.smtp.arrival import own_fields
from twisted_mail.smtp.arrival.field_names import ASKED, FieldNames
from twisted_mail.smtp.arrival.steps import smtp_steps
from twisted_mail.smtp.settings import SubmissionSettings

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
    assert {name: len(places) for name, places in names.places.items()} == {b"received": 2}


def test_blanks_before_the_colon_make_no_other_name() -> None:
    assert FieldNames(b"a: b\r\nDate \t: x\r\n").places == {b"date": [6]}


def test_the_names_that_steps_are_for_are_asked_for() -> None:
    asked = [step.fields for step in smtp_steps(SubmissionSettings()) if step.fields is not None]
    assert own_fields.NAMES in asked
    assert {*ASKED} >= frozenset().union(*asked)


@given(st.lists(_FIELDS).map(b"".join))
def test_the_places_are_those_of_the_fields(header: bytes) -> None:
    names = FieldNames(header)
    for name in ASKED:
        parsed = [one.start for one in header_fields.fields(header) if one.name.lower() == name]
        assert names.places.get(name, []) == parsed
