"""Tests of twisted_mail.mail.mime.header."""

import email

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.mime import header

LINES = [b"A: 1\r\n", b"B:\r\n folded\r\n\ttwice\r\n", b"no field\r\n", b"a : 2\r\n", b" lost\r\n"]
hostile = st.binary() | st.text("AB:c \t\r\n", max_size=80).map(str.encode)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", 0),
        (b"\r\n", 2),
        (b"\nbody", 1),
        (b"A: 1\r\n\r\nbody", 8),
        (b"A: 1\n\nbody", 6),
        (b"A: 1\n\r\nbody", 7),
        (b"A: 1\r\n", 6),
        (b"A: 1", 4),
        (b"A: 1\r\r\nB: 2\r\n\r\n\r\n", 15),
    ],
)
def test_a_header_ends_after_the_first_empty_line(data: bytes, end: int) -> None:
    assert header.end(data) == end
    assert header.end(b"before\n" + data, 7) == 7 + end


def test_fields_come_in_order_with_their_octets() -> None:
    data = b"".join(LINES) + b"\r\nbody: no field\r\n"
    found = header.fields(data)
    assert [(field.name, header.unfolded(field.value)) for field in found] == [
        (b"A", b"1"),
        (b"B", b"folded twice"),
        (b"a", b"2\x20lost"),
    ]
    assert [data[field.start : field.stop] for field in found] == [
        LINES[0],
        LINES[1],
        LINES[3] + LINES[4],
    ]


def test_the_last_field_may_lack_its_line_end() -> None:
    (field,) = header.fields(b"A: 1")
    assert field == (b"A", b" 1", 0, 4)


def test_lines_that_are_no_fields_have_no_name() -> None:
    data = b"Dear Ann,\r\n all is well\r\nTo: b\r\n: x\r\nSub ject: y\r\n\r\nz: z\r\n"
    assert header.lines(data) == [
        (b"", b"Dear Ann,\r\n all is well\r", 0, 25),
        (b"To", b" b\r", 25, 32),
        (b"", b": x\r", 32, 37),
        (b"", b"Sub ject: y\r", 37, 50),
    ]


def test_the_number_of_fields_is_bounded() -> None:
    data = b"A: 1\r\n" * (header.MAX_FIELDS + 5)
    assert len(header.fields(data)) == header.MAX_FIELDS


@pytest.mark.parametrize(
    "value",
    [b"a\r\n b", b" a\r\n\tb\r", b"a\n\tb", b" a \r\n \t b ", b"a\r\n \r\n\tb", b"\r\n a\r\n b\r"],
)
def test_a_fold_is_one_space(value: bytes) -> None:
    assert header.unfolded(value) == b"a b"


def test_all_values_of_each_wanted_field_are_found() -> None:
    data = b"a: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n\r\n"
    assert header.values(data, 0, len(data), frozenset({b"a", b"c", b"d"})) == {
        b"a": [b" 1\r", b" 3\r"],
        b"c": [b" 4\r"],
    }


def test_a_value_is_read_as_a_person_reads_it() -> None:
    assert header.text(b" =?utf-8?Q?caf=C3=A9?=\r\n =?utf-8?Q?_noir?=\r\n") == "café noir"


@given(hostile)
def test_fields_of_any_octets_lie_within_the_header(data: bytes) -> None:
    end = header.end(data)
    position = 0
    for field in header.fields(data):
        assert position <= field.start < field.stop <= end
        assert data[field.start : field.stop].startswith(field.name)
        assert field.value in data[field.start : field.stop]
        position = field.stop


@given(st.lists(st.tuples(st.text("ABc-", min_size=1), st.text("xyz é", max_size=9)), min_size=1))
def test_fields_agree_with_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    data = b"".join(f"{name}: {value.strip()}\r\n".encode() for name, value in pairs) + b"\r\n"
    theirs = email.message_from_bytes(data)
    ours = [field.name.decode() for field in header.fields(data)]
    assert ours == theirs.keys()


@given(
    st.lists(st.sampled_from([b"a", b":", b" ", b"\t", b"\r\n", b"\n", b"b: c\r\n"])).map(b"".join)
)
def test_pairs_are_those_of_the_lines(data: bytes):
    whole = [(line.name, line.value) for line in header.lines(data)]
    assert header.pairs(data, 0, len(data)) == whole


_LINE_PIECES = [
    *(b"a", b"b", b"A", b"ab", b":", b" ", b"\t", b"\r\n", b"\n", b"\r", b"a:", b"b: c\r\n", b"\0"),
]
_NAMED = frozenset({b"a", b"b"})


def values_by_lines(data: bytes) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for line in header.raw_lines(data, 0, len(data)):
        name, _, value = line.partition(b":")
        name = name.rstrip(b" \t").lower()
        if name in _NAMED:
            found.setdefault(name, []).append(value[: header.MAX_VALUE])
    return found


@given(st.lists(st.sampled_from(_LINE_PIECES), max_size=30).map(b"".join))
@example(b"a")
@example(b"a\n \nb\t \n")
def test_values_are_those_of_the_lines(data: bytes) -> None:
    assert header.values(data, 0, len(data), _NAMED) == values_by_lines(data)


@pytest.mark.parametrize("fill", [b"x\n", b"a: 1\r\n", b"\n", b"x" * 30 + b"\n"])
def test_values_beyond_the_number_of_fields_are_not_looked_at(fill: bytes) -> None:
    for number in range(header.MAX_FIELDS - 2, header.MAX_FIELDS + 2):
        data = fill * number + b"b: 2\r\n"
        assert header.values(data, 0, len(data), _NAMED) == values_by_lines(data)
