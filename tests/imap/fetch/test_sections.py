"""Sections with part numbers, of the message that RFC 3501 §6.4.5 prints as its example."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SmallMailbox
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch.body_sections import (
    GROUP_OCTETS,
    BodySectionReader,
    SectionExtent,
    Value,
)
from twisted_mail.imap.fetch.items import read_items
from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind, SectionSpec
from twisted_mail.imap.fetch.sections import selected_fields
from twisted_mail.imap.grammar import Reader
from twisted_mail.testing.doubles import InlineBlocking, finish


def multipart(subtype: str, boundary: str, *parts: str) -> str:
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return (
        f"Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n{inside}--{boundary}--\r\n"
    )


def leaf(kind: str, text: str) -> str:
    return f"Content-Type: {kind}\r\n\r\n{text}"


INNER = "Subject: three\r\n" + multipart(
    "mixed", "b3", leaf("text/plain", "3.1"), leaf("application/octet-stream", "3.2")
)
DEEP = "Subject: deep\r\n" + multipart(
    "mixed",
    "b42",
    leaf("text/plain", "4.2.1"),
    multipart(
        "alternative", "b422", leaf("text/plain", "4.2.2.1"), leaf("text/richtext", "4.2.2.2")
    ),
)
MESSAGE = (
    "Subject: whole\r\n"
    + multipart(
        "mixed",
        "b0",
        leaf("text/plain", "1"),
        leaf("application/octet-stream", "2"),
        "Content-Type: message/rfc822\r\n\r\n" + INNER,
        multipart(
            "mixed", "b4", leaf("image/gif", "4.1"), "Content-Type: message/rfc822\r\n\r\n" + DEEP
        ),
    )
).encode("ascii")
SIMPLE = b"Subject: simple\r\n\r\nbody\r\n"


KNOWN = make_tables().fetch_plans.known_items


def texts_of(section: bytes, mailbox: SmallMailbox) -> BodySectionReader:
    wanted = [item for item in read_items(Reader(section), KNOWN) if isinstance(item, BodySection)]
    return BodySectionReader(wanted, mailbox, InlineBlocking(), OrderedDict())


def value(section: bytes, message: bytes = MESSAGE) -> Value:
    texts = texts_of(b"BODY[" + section, SmallMailbox(message))
    found = finish(texts.read([texts.source(1, len(message), message.index(b"\r\n\r\n") + 4)]))
    [[read]] = found.columns
    return read


@pytest.mark.parametrize("path", ["1", "2", "3.1", "3.2", "4.1", "4.2.1", "4.2.2.1", "4.2.2.2"])
def test_part_numbers_lead_to_leaves(path):
    assert value(path.encode() + b"]") == path.encode()


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (b"4.1.MIME]", "Content-Type: image/gif\r\n\r\n"),
        (b"3.MIME]", "Content-Type: message/rfc822\r\n\r\n"),
        (b"3.HEADER.FIELDS (Subject)]", "Subject: three\r\n\r\n"),
        (b"4.2.HEADER.FIELDS.NOT (Content-Type)]", "Subject: deep\r\n\r\n"),
        (b"4.2.HEADER.FIELDS (Subject)]<0.7>", "Subject"),
        (b"4.2.2.2]<2.3>", "2.2"),
        (b"4.2.2.2]<90.3>", ""),
        (b"HEADER.FIELDS (Subject)]", "Subject: whole\r\n\r\n"),
    ],
)
def test_words_mean_texts_of_parts(section, text):
    assert value(section) == text.encode()


def test_header_and_text_of_an_enclosed_message_are_all_of_it():
    header, text = value(b"3.HEADER]"), value(b"3.TEXT]")
    assert isinstance(header, bytes)
    assert isinstance(text, bytes)
    assert header + text == value(b"3]")


@pytest.mark.parametrize(
    "section",
    [
        b"5]",
        b"1.1]",
        b"1.HEADER]",
        b"1.TEXT]",
        b"4.HEADER]",
        b"3.3]",
        b"4.2.3]",
        b"9.9.9.9.MIME]",
        b"5]<0.10>",
        b"1.HEADER.FIELDS (To)]",
    ],
)
def test_what_a_message_does_not_have_is_nil(section):
    assert value(section) is None


def test_a_simple_message_has_one_part():
    assert value(b"1]", SIMPLE) == b"body\r\n"
    assert value(b"1.1]", SIMPLE) is None
    assert value(b"2]", SIMPLE) is None


@pytest.mark.parametrize("section", [b"1]", b"3.1]", b"4.2.2.1]", b"3.HEADER]", b"9]", b"3.TEXT]"])
def test_parts_of_a_large_message_are_the_same(section):
    large = MESSAGE + bytes(GROUP_OCTETS)
    mailbox = SmallMailbox(large)
    texts = texts_of(b"BODY[" + section, mailbox)
    [[found]] = finish(texts.read([texts.source(1, len(large), 30)])).columns
    if isinstance(found, SectionExtent):
        found = large[found.start : found.stop]
    assert found == value(section)


def test_the_parts_of_a_large_message_are_found_once():
    large = MESSAGE + bytes(GROUP_OCTETS)
    mailbox = SmallMailbox(large)
    texts = texts_of(b"BODY[1]<0.1>", mailbox)
    for _ in range(3):
        finish(texts.read([texts.source(1, len(large), 30)]))
    assert [call[0] for call in mailbox.calls] == ["items"]


def test_few_large_messages_are_remembered():
    large = MESSAGE + bytes(GROUP_OCTETS)
    mailbox = SmallMailbox(*[large] * 9)
    texts = texts_of(b"BODY[1]", mailbox)
    for uid in range(1, 10):
        finish(texts.read([texts.source(uid, len(large), 30)]))
    assert list(texts.remembered) == [6, 7, 8, 9]


def test_a_line_without_an_end_is_a_field_too():
    section = SectionSpec((), SectionKind.FIELDS, (b"From",))
    assert selected_fields(b"From: a", section) == b"From: a"
    assert selected_fields(b"To: b\r\nFrom: a\r\n c", section) == b"From: a\r\n c"


def test_names_are_no_patterns():
    section = SectionSpec((), SectionKind.FIELDS, (b".*", b"a|b"))
    assert selected_fields(b"From: a\r\n.*: x\r\nb: y\r\n\r\n", section) == b".*: x\r\n\r\n"


LINES = st.lists(
    st.sampled_from([b"A: 1\r\n", b"b : 2\r\n", b" c\r\n", b"\td\r\n", b"C\r\n", b"\xff\r\n"])
)


@given(LINES, st.booleans())
def test_listed_fields_and_all_others_are_the_whole_header(lines, has_end):
    header = b"".join(lines) + (b"\r\n" if has_end else b"")
    names = (b"a", b"B")
    listed = selected_fields(header, SectionSpec((), SectionKind.FIELDS, names))
    others = selected_fields(header, SectionSpec((), SectionKind.FIELDS_NOT, names))
    end = 2 if has_end else 0
    assert len(listed) + len(others) == len(header) + end


# Too many for an expression of their own: with them, each field is looked at.
OTHERS = tuple(b"Other-%d" % number for number in range(20))
LINES = st.sampled_from(
    ["A", "a", "B-b", "b-B", "A.b", ":", ": x", " : x", "\t", " ", "\r\n", "\n", "\r", "\x0b", "x"]
)


@given(st.lists(LINES, max_size=20), st.sets(st.sampled_from([b"a", b"A", b"b-b", b"A.b", b"A+"])))
def test_a_few_fields_are_those_that_are_found_by_looking_at_each(
    words: list[str], names: set[bytes]
) -> None:
    header = "".join(words).encode()
    few = SectionSpec(kind=SectionKind.FIELDS, fields=(*sorted(names), b"B-b"))
    many = SectionSpec(kind=SectionKind.FIELDS, fields=(*few.fields, *OTHERS))
    assert selected_fields(header, few) == selected_fields(header, many)
