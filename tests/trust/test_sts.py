"""The grammar of MTA-STS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.trust.sts import MAX_AGE, MAX_POLICY, StsMode, StsPolicy, read_id, read_policy

POLICY = b"""version: STSv1\r
mode: enforce\r
mx: mail.example.com\r
mx: *.Example.NET\r
max_age: 604800\r
"""


@pytest.mark.parametrize(
    "record",
    [
        b"v=STSv1; id=20160831085700Z;",
        b"v=STSv1;id=20160831085700Z",
        b"v=STSv1 \t; \tid=20160831085700Z ; ",
        b"v=STSv1; other=x; id=20160831085700Z; id=2",
    ],
)
def test_the_id_of_a_record(record: bytes) -> None:
    assert read_id([b"v=spf1 -all", record]) == "20160831085700Z"


@pytest.mark.parametrize(
    "records",
    [
        [],
        [b""],
        [b"v=STSv1"],
        [b"v=STSv1;"],
        [b"v=STSv2; id=1"],
        [b"V=STSv1; id=1"],
        [b"v=STSv1; id="],
        [b"v=STSv1; id=a-b"],
        [b"v=STSv1; id=" + b"1" * 33],
        [b"v=STSv1; ID=1"],
        [b"v=STSv1; id=1; nonsense"],
        [b"v=STSv1;; id=1"],
        [b" v=STSv1; id=1"],
        [b"v=STSv1; id=1\xff"],
        [b"v=STSv1; id=1", b"v=STSv1; id=2"],
    ],
)
def test_what_is_no_record(records: list[bytes]) -> None:
    assert read_id(records) is None


@given(st.lists(st.binary(max_size=80)))
def test_any_records_are_read(records: list[bytes]) -> None:
    id = read_id([b"v=STSv1; " + one for one in records])
    assert id is None or 0 < len(id) <= 32


def test_a_policy() -> None:
    policy = read_policy(POLICY)
    assert policy == StsPolicy(StsMode.ENFORCE, 604800, ("mail.example.com", "*.example.net"))


def test_line_feeds_alone_blank_lines_and_unknown_fields_do_no_harm() -> None:
    text = POLICY.replace(b"\r", b"") + b"\nfuture: x:y z\xc3\xa9\n\n"
    assert read_policy(text) == read_policy(POLICY)


def test_of_a_field_that_is_there_twice_the_first_counts() -> None:
    assert read_policy(POLICY + b"mode: none\nmax_age: 1\n") == read_policy(POLICY)


def test_an_age_of_ages_is_a_year() -> None:
    assert read_policy(POLICY.replace(b"604800", b"9999999999")).max_age == MAX_AGE


def test_a_domain_that_ends_it_needs_no_hosts() -> None:
    assert read_policy(b"version: STSv1\nmode: none\nmax_age: 0").mode is StsMode.NONE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"version: STSv1", b"version: STSv2"),
        (b"version: STSv1\r\n", b""),
        (b"enforce", b"Enforce"),
        (b"mode: enforce\r\n", b""),
        (b"604800", b"-1"),
        (b"604800", b"60.5"),
        (b"604800", b"12345678901"),
        (b"max_age: 604800\r\n", b""),
        (b"mx: mail.example.com\r\nmx: *.Example.NET\r\n", b""),
        (b"mail.example.com", b"*.*.example.com"),
        (b"mail.example.com", b"mail*.example.com"),
        (b"mail.example.com", b"*"),
        (b"mail.example.com", b""),
        (b"mail.example.com", b"b\xc3\xbccher.example"),
        (b"mode: enforce", b"mode enforce"),
        (b"mode: enforce", b"mode : enforce"),
        (b"mail.example.com", b"\xff"),
        (b"mail.example.com", b"x" * MAX_POLICY),
    ],
)
def test_what_is_no_policy(old: bytes, new: bytes) -> None:
    assert old in POLICY
    with pytest.raises(ValueError):  # noqa: PT011
        read_policy(POLICY.replace(old, new))


@given(st.binary(max_size=200))
def test_any_octets_are_a_policy_or_none(octets: bytes) -> None:
    for text in (octets, POLICY + octets):
        try:
            policy = read_policy(text)
        except ValueError:
            continue
        assert read_policy(policy.text) == policy


NAMES = st.from_regex(r"(\*\.)?[a-z0-9]{1,5}(\.[a-z]{1,5}){0,2}", fullmatch=True)


@given(
    st.sampled_from([StsMode.ENFORCE, StsMode.TESTING]),
    st.integers(0, MAX_AGE),
    st.lists(NAMES, min_size=1, max_size=9),
)
def test_writing_and_reading_are_inverses(mode: StsMode, age: int, names: list[str]) -> None:
    policy = StsPolicy(mode, age, tuple(names))
    assert read_policy(policy.text) == policy


@pytest.mark.parametrize(
    ("host", "is_there"),
    [
        ("mail.example.com", True),
        ("MAIL.example.com.", True),
        ("a.example.net", True),
        ("a.b.example.net", False),
        ("example.net", False),
        ("example.com", False),
        ("xmail.example.com", False),
        ("", False),
        (".example.net", False),
    ],
)
def test_hosts_of_a_policy(host: str, is_there: bool) -> None:
    assert read_policy(POLICY).has(host) is is_there
