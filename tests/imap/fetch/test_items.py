import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch import items
from twisted_mail.imap.fetch.item import RequestedItem
from twisted_mail.imap.fetch.items import read_items
from twisted_mail.imap.fetch.section_spec import BodySection, PartialRange, SectionKind, SectionSpec
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.outcome import ProtocolError

KNOWN = make_tables().fetch_plans.known_items


def parsed(data: bytes) -> tuple[RequestedItem, ...]:
    reader = Reader(data)
    found = read_items(reader, KNOWN)
    reader.end()
    return found


def test_an_item_may_stand_alone():
    assert parsed(b"flags") == (items.FLAGS,)


def test_items_keep_the_order_in_which_they_were_asked():
    assert parsed(b"(UID RFC822.SIZE flags BODY)") == (
        items.UID,
        items.SIZE,
        items.FLAGS,
        items.BODY,
    )


def test_an_item_asked_for_twice_is_answered_once():
    assert parsed(b"(FLAGS UID FLAGS)") == (items.FLAGS, items.UID)


@pytest.mark.parametrize(
    ("macro", "facts"),
    [
        (b"FAST", (items.FLAGS, items.INTERNALDATE, items.SIZE)),
        (
            b"all",
            (
                items.FLAGS,
                items.INTERNALDATE,
                items.SIZE,
                items.ENVELOPE,
            ),
        ),
        (
            b"FULL",
            (
                items.FLAGS,
                items.INTERNALDATE,
                items.SIZE,
                items.ENVELOPE,
                items.BODY,
            ),
        ),
    ],
)
def test_macros_stand_for_their_items(macro, facts):
    assert parsed(macro) == facts


def test_the_whole_message_is_an_empty_section():
    assert parsed(b"BODY[]") == (BodySection(SectionSpec(), b"BODY[]", marks_seen=True),)


def test_peek_is_not_in_the_answer_and_does_not_mark():
    assert parsed(b"BODY.PEEK[]") == (BodySection(SectionSpec(), b"BODY[]"),)


def test_rfc822_header_does_not_mark_and_the_others_do():
    marks = [item.marks_seen for item in parsed(b"(RFC822 RFC822.HEADER RFC822.TEXT)")]
    assert marks == [True, False, True]


@pytest.mark.parametrize(
    ("written", "section"),
    [
        (b"HEADER", SectionSpec(kind=SectionKind.HEADER)),
        (b"text", SectionSpec(kind=SectionKind.TEXT)),
        (b"1", SectionSpec((1,))),
        (b"4.2.2.1", SectionSpec((4, 2, 2, 1))),
        (b"4.1.MIME", SectionSpec((4, 1), SectionKind.MIME)),
        (b"3.HEADER", SectionSpec((3,), SectionKind.HEADER)),
        (b"HEADER.FIELDS (Date From)", SectionSpec((), SectionKind.FIELDS, (b"Date", b"From"))),
        (
            b'3.HEADER.FIELDS.NOT ("X-(" To)',
            SectionSpec((3,), SectionKind.FIELDS_NOT, (b"X-(", b"To")),
        ),
    ],
)
def test_sections_are_read_and_written(written, section):
    [item] = parsed(b"BODY.PEEK[" + written + b"]")
    assert isinstance(item, BodySection)
    assert item.spec == section
    assert item.label.lower() == b"body[" + written.lower() + b"]"


def test_a_field_name_may_be_a_literal():
    [item] = parsed(b"BODY[HEADER.FIELDS ({4}\r\nDate)]")
    assert item == BodySection(
        SectionSpec((), SectionKind.FIELDS, (b"Date",)), b"BODY[HEADER.FIELDS (Date)]", None, True
    )


def test_a_range_is_answered_with_its_origin_only():
    [item] = parsed(b"BODY.PEEK[TEXT]<1024.2048>")
    assert item == BodySection(
        SectionSpec(kind=SectionKind.TEXT), b"BODY[TEXT]<1024>", PartialRange(1024, 2048)
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"()",
        b"(FLAGS",
        b"XYZZY",
        b"(FAST)",
        b"FLAGS UID",
        b"BODY[",
        b"BODY[0]",
        b"BODY[1.0]",
        b"BODY[1..2]",
        b"BODY[1.]",
        b"BODY[.1]",
        b"BODY[.TEXT]",
        b"BODY[1TEXT]",
        b"BODY[MIME]",
        b"BODY[1.FOO]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS (Da:te)]",
        b'BODY[HEADER.FIELDS ("")]',
        b"BODY[HEADER.FIELDS (Date) ]",
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[]<a.b>",
        b"BODYSTRUCTURE[]",
        b"BODY[" + b".".join([b"1"] * 101) + b"]",
        b"BODY[99999999999]",
        b"(" + b" ".join([b"FLAGS"] * 101) + b")",
        b"BODY[HEADER.FIELDS (" + b" ".join([b"A"] * 501) + b")]",
    ],
)
def test_what_is_no_item_is_a_protocol_error(data):
    with pytest.raises(ProtocolError):
        parsed(data)


TOKENS = st.sampled_from(
    [
        b"BODY",
        b".PEEK",
        b"[",
        b"]",
        b"(",
        b")",
        b" ",
        b"HEADER",
        b".FIELDS",
        b".NOT",
        b"<0.1>",
        b"1",
        b".",
        b"MIME",
        b"TEXT",
        b'"',
        b"{1}\r\n",
        b"FLAGS",
        b"ALL",
        b"UID",
        b"\xff",
        b"\x00",
    ]
)


@given(st.binary() | st.lists(TOKENS).map(b"".join))
def test_any_octets_give_items_or_a_protocol_error(data):
    with contextlib.suppress(ProtocolError):
        assert parsed(data)


NAMES = st.text("ABCxyz-()\"\\%*{]<'_.1", min_size=1, max_size=8).map(str.encode)
SECTIONS = st.builds(
    lambda path, kind, names: SectionSpec(
        path, kind, names if kind in (SectionKind.FIELDS, SectionKind.FIELDS_NOT) else ()
    ),
    st.lists(st.integers(1, 9999), max_size=4).map(tuple),
    st.sampled_from(SectionKind),
    st.lists(NAMES, min_size=1, max_size=4).map(tuple),
).filter(lambda section: section.path or section.kind is not SectionKind.MIME)


@given(SECTIONS)
def test_a_written_section_reads_back(section):
    [item] = parsed(b"BODY[" + bytes(section) + b"]")
    assert isinstance(item, BodySection)
    assert item.spec == section
