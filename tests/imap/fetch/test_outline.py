"""Tests of twisted_mail.imap.fetch.outline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.mime.test_structure import COMPLEX
from twisted_mail.imap.fetch.outline import Outline, encode_outline
from twisted_mail.mail.mime.sections import PartSection, find, locate
from twisted_mail.mail.mime.structure import MAX_PARTS, Part, parts_of, scan

LINES = st.lists(
    st.sampled_from(
        [b"--a", b"--a--", b"--b", b"--b--", b"", b"", b"text",
         b"Content-Type: multipart/mixed; boundary=a",
         b"Content-Type: multipart/digest; boundary=b",
         b"Content-Type: message/rfc822"]
    ),
    max_size=40,
)  # fmt: skip
PATHS = st.lists(st.integers(0, 4), max_size=5)


def outline_of(data: bytes) -> Outline:
    return Outline(encode_outline(parts_of(data)))


def paths(part: Part, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """All part numbers below a part, and some that are none."""
    inner = part.children[0] if part.is_message and path else part
    found = [path, (*path, 0), (*path, 1), (*path, len(inner.children) + 1)]
    for number, child in enumerate(inner.children if inner.is_multipart else [], 1):
        found += paths(child, (*path, number))
    return found


@pytest.mark.parametrize("kind", PartSection)
def test_an_outline_leads_to_every_section(kind: PartSection) -> None:
    root = scan(COMPLEX)
    outline = outline_of(COMPLEX)
    for path in paths(root):
        assert locate(outline.root, path, kind) == locate(root, path, kind), path


@given(LINES, PATHS, st.sampled_from(PartSection))
def test_an_outline_says_what_the_tree_says(
    lines: list[bytes], path: list[int], kind: PartSection
) -> None:
    data = b"\r\n".join(lines)
    assert locate(outline_of(data).root, path, kind) == locate(scan(data), path, kind)


@given(st.binary(max_size=200))
def test_any_octets_have_an_outline(data: bytes) -> None:
    assert locate(outline_of(data).root, ()) == (0, len(data))


def test_the_octets_of_an_outline_are_those_that_stores_have_kept() -> None:
    data = (
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nhi\r\n"
        b"--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nyo\r\n--a--\r\n"
    )
    parts = [b"4 3 0 45 118", b"0 0 50 52 54", b"1 1 61 93 109", b"0 0 93 107 109"]
    assert encode_outline(parts_of(data)) == b" ".join(parts)


def test_a_multipart_without_parts_is_one_all_the_same() -> None:
    outline = outline_of(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n")
    assert (outline.root.is_multipart, len(outline.root.children)) == (True, 0)


def test_children_are_a_sequence() -> None:
    children = outline_of(COMPLEX).root.children
    tree = scan(COMPLEX).children
    assert [child.start for child in children] == [part.start for part in tree]
    assert [child.body for child in children[1:3]] == [part.body for part in tree[1:3]]
    with pytest.raises(IndexError):
        children[len(tree)]


def test_a_message_of_ten_thousand_parts_has_an_outline_of_octets_for_each() -> None:
    data = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n\r\n" * 20_000
    root = scan(data)
    outline = outline_of(data)
    assert len(encode_outline(parts_of(data))) < 25 * MAX_PARTS
    last = [len(root.children)]
    found = find(outline.root, last)
    assert found is not None
    assert found.start == root.children[-1].start
