import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.job_file import decode, encode

ADDRESSES = st.sampled_from(
    [parse("a@example.org"), parse('"a b"@example.org'), Address("ü", "xn--bcher-kva.example")]
)
PROGRAM_TARGETS = st.builds(
    ProgramTarget, st.sampled_from(["ticket", "x-y"]), ADDRESSES, st.text(max_size=5)
)
LIST_TARGETS = st.builds(
    ListTarget, st.just("news@example.org"), st.sampled_from(ListRole), st.text(max_size=5)
)
NUMBERS = st.floats(0, 2**33)


@given(
    st.builds(
        Job,
        st.just("0abc-1"),
        NUMBERS,
        ADDRESSES | st.just(NULL),
        PROGRAM_TARGETS | LIST_TARGETS,
        st.text(max_size=5),
        st.sampled_from(["7BIT", "8BITMIME"]),
        st.booleans(),
        NUMBERS,
        st.integers(0, 100),
        st.booleans(),
        st.text(max_size=20),
    )
)
def test_reading_is_the_inverse_of_writing(job: Job) -> None:
    assert decode(encode(job)) == job


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"nonsense", b'{"id": 1}', b"\xff", encode(
        Job("x", 1.0, NULL, ListTarget("n@example.org", ListRole.POST))
    ).replace(b'"role": ""', b'"role": "king"')],
)  # fmt: skip
def test_what_describes_no_job_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(data)


def test_a_description_has_the_keys_of_older_versions() -> None:
    job = Job("0abc-1", 1.0, NULL, ProgramTarget("ticket", parse("t@example.org")), attempts=2)
    assert json.loads(encode(job)) == {
        "id": "0abc-1",
        "created": 1.0,
        "sender": "",
        "errand": {"program": "ticket", "for": "t@example.org", "detail": ""},
        "submitter": "",
        "body": "7BIT",
        "is_utf8": False,
        "due": 0.0,
        "tries": 2,
        "is_held": False,
        "reason": "",
    }
