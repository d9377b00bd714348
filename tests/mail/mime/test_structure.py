"""Tests of twisted_mail.mail.mime.structure."""

import email
import tracemalloc
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.mime.examples import COMPLEX, crlf, multipart, text
from twisted_mail.mail.mime import structure
from twisted_mail.mail.mime.sections import PartSection, find
from twisted_mail.mail.mime.structure import Part, scan


def outline(part: Part) -> object:
    """The types of a tree, nested."""
    name = b"/".join(part.type[:2]).decode()
    return (name, [outline(child) for child in part.children]) if part.children else name


def contents(data: bytes) -> list[bytes]:
    """The contents of the parts that hold no others, in order."""
    return [data[part.body : part.stop] for part in scan(data).walk() if not part.children]


def test_the_tree_is_that_of_the_rfc() -> None:
    assert outline(scan(COMPLEX)) == (
        "multipart/mixed",
        [
            "text/plain",
            "application/octet-stream",
            (
                "message/rfc822",
                [("multipart/mixed", ["text/plain", "application/octet-stream"])],
            ),
            (
                "multipart/mixed",
                [
                    "image/gif",
                    (
                        "message/rfc822",
                        [
                            (
                                "multipart/mixed",
                                [
                                    "text/plain",
                                    ("multipart/alternative", ["text/plain", "text/richtext"]),
                                ],
                            )
                        ],
                    ),
                ],
            ),
        ],
    )


def test_content_ends_before_the_line_end_of_the_boundary() -> None:
    data = crlf(multipart() + "--b\n\na\n\n--b\n\n--b\n--b\n\n\n--b--\n")
    assert contents(data) == [b"a\r\n", b"", b"", b""]
    assert [part.lines for part in scan(data).children] == [1, 0, 0, 0]


def test_lines_are_counted_without_a_copy_of_the_message() -> None:
    data = b"\r\n" + b"line\r\n" * 1_000_000
    tracemalloc.start()
    try:
        root = scan(data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert root.lines == 1_000_000
    assert most < len(data) / 4


def test_bare_lf_ends_lines_too() -> None:
    data = (multipart() + "--b\n\none\n--b\n\ntwo\n--b--\n").encode()
    assert contents(data) == [b"one", b"two"]


def test_a_missing_close_ends_with_the_message() -> None:
    assert contents(crlf(multipart() + "--b\n\none\n--b\n\ntwo\n")) == [b"one", b"two\r\n"]


def test_an_outer_boundary_ends_inner_parts() -> None:
    data = crlf(
        multipart("a")
        + "--a\n"
        + multipart("b")
        + "--b\n\none\n--a\n\ntwo\n--b\n\nno part\n--a--\n"
    )
    assert outline(scan(data)) == (
        "multipart/mixed",
        [("multipart/mixed", ["text/plain"]), "text/plain"],
    )
    assert contents(data) == [b"one", b"two\r\n--b\r\n\r\nno part"]


def test_boundaries_in_the_epilogue_do_not_count() -> None:
    data = crlf(multipart() + "--b\n\none\n--b--\n--b\n\nno part\n")
    assert contents(data) == [b"one"]


def test_a_boundary_that_begins_another_is_not_taken_for_it() -> None:
    data = crlf(multipart("b") + "--b\n" + multipart("b-2") + "--b-2\n\none\n--b-2--\n--b--\n")
    assert outline(scan(data)) == ("multipart/mixed", [("multipart/mixed", ["text/plain"])])
    assert contents(data) == [b"one"]


def test_the_same_boundary_within_belongs_to_the_innermost() -> None:
    data = crlf(multipart() + "--b\n" + multipart() + "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n")
    assert outline(scan(data)) == (
        "multipart/mixed",
        [("multipart/mixed", ["text/plain"]), "text/plain"],
    )


def test_a_boundary_may_end_with_dashes_and_have_blanks_after_it() -> None:
    data = crlf(multipart("b--") + "--b-- \t\n\none\n--b--\n\ntwo\n--b----\n\nepilogue")
    assert contents(data) == [b"one", b"two"]


def test_a_delimiter_cuts_a_header_off() -> None:
    data = crlf(
        multipart() + "--b\nContent-Type: image/gif\n--b\nContent-Type: image/png\n\nx\n--b--"
    )
    first, second = scan(data).children
    assert data[first.start : first.body] == b"Content-Type: image/gif\r\n"
    assert first.size == 0
    assert data[second.body : second.stop] == b"x"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/mixed",
        'multipart/mixed; boundary=""',
        "multipart/mixed; boundary=" + "x" * (structure.MAX_BOUNDARY + 1),
        "nonsense",
        "",
    ],
)
def test_an_invalid_type_is_plain_text(kind: str) -> None:
    data = crlf(f"Content-Type: {kind}\n\n--\nbody\n--x\n")
    assert outline(scan(data)) == "text/plain"


def test_a_boundary_may_have_256_octets() -> None:
    assert structure.MAX_BOUNDARY == 256  # some senders take more than the 70 of RFC 2046 §5.1.1
    boundary = "x" * 256
    data = crlf(multipart(boundary) + f"--{boundary}\n\nbody\n--{boundary}--\n")
    assert outline(scan(data)) == ("multipart/mixed", ["text/plain"])


def test_a_multipart_may_have_no_parts() -> None:
    part = scan(crlf(multipart() + "no boundary here\n"))
    assert part.is_multipart
    assert part.children == []
    assert find(part, (1,)) is None


def test_parts_of_a_digest_are_messages() -> None:
    data = crlf(multipart("b", "digest") + "--b\n\nSubject: one\n\nbody\n--b--\n")
    assert outline(scan(data)) == ("multipart/digest", [("message/rfc822", ["text/plain"])])
    assert text((1,), PartSection.HEADER, data) == b"Subject: one\r\n\r\n"


@pytest.mark.parametrize(
    "unit",
    [
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n",
    ],
)
def test_depth_is_bounded(unit: bytes) -> None:
    root = scan(unit * 3000)
    depth, part = 0, root
    while part.children:
        depth, part = depth + 1, part.children[0]
    assert depth == structure.MAX_DEPTH
    assert outline(part) == "application/octet-stream"


def test_the_number_of_parts_is_bounded() -> None:
    data = crlf(multipart() + "--b\n\n" * 12_000 + "end")
    parts = list(scan(data).walk())
    assert len(parts) == structure.MAX_PARTS
    assert data[parts[-1].body : parts[-1].stop].endswith(b"end")


def test_headers_beyond_the_limit_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MAX_HEADERS", 64)
    data = crlf(
        multipart() + "--b\nContent-Type: image/gif\n\n--b\nContent-Type: image/gif\n\n--b--"
    )
    assert [outline(part) for part in scan(data).children] == ["text/plain"] * 2


class CountedBytes(bytes):
    """Octets that count how many of them searches went over."""

    seen = 0

    def find(self, what: bytes, start: int = 0, stop: int | None = None) -> int:  # type: ignore[override]
        end = len(self) if stop is None else stop
        found = super().find(what, start, end)
        CountedBytes.seen += (end if found < 0 else found) - start + len(what)
        return found


@pytest.mark.parametrize(
    "unit",
    [
        b"--b\n",
        b"--b\nx: y\n",
        b"--\n",
        b"--b" + b" " * 50 + b"\n",
        b"--b\nContent-Type: multipart/mixed; boundary=b\n\n",
        b"--b\nContent-Type: message/rfc822\n\n",
        b"\n",
        b"--bb",
    ],
)
def test_hostile_messages_are_gone_over_a_few_times_only(unit: bytes) -> None:
    CountedBytes.seen = 0
    data = CountedBytes(multipart().encode() + unit * 20_000)
    scan(data)
    assert CountedBytes.seen < 6 * len(data)


def check_nesting(data: bytes) -> None:
    root = scan(data)
    assert (root.start, root.stop) == (0, len(data))
    for part in root.walk():
        assert part.start <= part.body <= part.stop
        has_lines = part.is_message or part.type.type == b"text"
        assert part.lines == (data.count(b"\n", part.body, part.stop) if has_lines else 0)
        position = part.body
        for child in part.children:
            assert position <= child.start
            assert child.stop <= part.stop
            position = child.stop


lines = st.sampled_from(
    (
        *(b"--b", b"--b--", b"--c", b"--c--", b"", b" x", b"--b ", b"text", b"--", b"Subject: s\r"),
        b"Content-Type: multipart/mixed; boundary=b",
        b'Content-Type: multipart/x; boundary="c"',
        b"Content-Type: message/rfc822",
        b"Content-Type: multipart/digest; boundary=c",
    )
)


def test_an_outer_boundary_may_follow_an_inner_at_once() -> None:
    check_nesting(crlf(multipart("b") + "--b\n" + multipart("c") + "--c\n--b\n\nx"))


@given(st.lists(lines, max_size=40), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_parts_come_in_the_order_of_the_octets(found: list[bytes], end: bytes) -> None:
    data = b"Content-Type: multipart/mixed; boundary=b" + end * 2 + end.join(found)
    places = [(part.start, part.body, part.stop) for part in structure.parts_of(data)]
    assert places == [(part.start, part.body, part.stop) for part in scan(data).walk()]


@given(st.lists(lines, max_size=40), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_parts_lie_within_their_parents(found: list[bytes], end: bytes) -> None:
    check_nesting(end.join(found))
    check_nesting(b"Content-Type: multipart/mixed; boundary=b" + end * 2 + end.join(found))


@given(st.binary())
def test_any_octets_are_a_message(data: bytes) -> None:
    check_nesting(data)


# ---------------------------------------------------------------- against the standard library


@st.composite
def trees(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.sampled_from(["text", "multipart", "message"] if depth < 3 else ["text"]))
    if kind == "text":
        body = draw(st.lists(st.sampled_from(["hello", "", "-- ", "--x", "a b"]), max_size=4))
        return "Content-Type: text/plain\n\n" + "\n".join(body)
    if kind == "message":
        return "Content-Type: message/rfc822\n\nSubject: s\n" + draw(trees(depth + 1))
    boundary = f"b{depth}-{draw(st.integers(0, 9))}"
    parts = draw(st.lists(trees(depth + 1), min_size=1, max_size=3))
    inner = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return (
        multipart(boundary)
        + draw(st.sampled_from(["", "preamble\n"]))
        + inner
        + f"--{boundary}--\n"
    )


def theirs(message: Message) -> object:
    payload = message.get_payload()
    name = message.get_content_type()
    if isinstance(payload, list):
        return name, [theirs(part) for part in payload]  # type: ignore[arg-type]
    return name, payload


def ours(data: bytes, part: Part) -> object:
    name = b"/".join(part.type[:2]).decode()
    if part.children:
        return name, [ours(data, child) for child in part.children]
    return name, data[part.body : part.stop].decode()


@given(trees(), st.booleans())
def test_ordinary_messages_agree_with_the_standard_library(message: str, is_lf: bool) -> None:
    data = message.encode() if is_lf else crlf(message)
    assert ours(data, scan(data)) == theirs(email.message_from_bytes(data))
