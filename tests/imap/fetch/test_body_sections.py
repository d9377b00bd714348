import pytest

from tests.imap.selected import SmallMailbox
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch.body_sections import (
    GROUP_OCTETS,
    BodySectionReader,
    DeferredFields,
    FoundSections,
    SectionExtent,
    Value,
)
from twisted_mail.imap.fetch.items import read_items
from twisted_mail.imap.fetch.section_spec import BodySection
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.testing.doubles import InlineBlocking, finish

MESSAGE = b"From: a@b\r\nTo: c@d,\r\n e@f\r\nX-To: no\r\n\r\nbody\r\n"
HEADER_SIZE = MESSAGE.index(b"body")


KNOWN = make_tables().fetch_plans.known_items


def texts_of(data: bytes, mailbox: SmallMailbox) -> BodySectionReader:
    wanted = [item for item in read_items(Reader(data), KNOWN) if isinstance(item, BodySection)]
    return BodySectionReader(wanted, mailbox, InlineBlocking(), {})


def values(data: bytes, message: bytes = MESSAGE, header_size: int = HEADER_SIZE) -> list[Value]:
    mailbox = SmallMailbox(message)
    texts = texts_of(data, mailbox)
    found = finish(texts.read([texts.source(1, len(message), header_size)]))
    assert found.uids == [1]
    return row(found)


def row(found: FoundSections) -> list[Value]:
    """Return what is sent of the only message."""
    return [value for [value] in found.columns]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"BODY[]", MESSAGE),
        (b"RFC822", MESSAGE),
        (b"BODY[HEADER]", MESSAGE[:HEADER_SIZE]),
        (b"BODY[TEXT]", b"body\r\n"),
        (b"BODY[HEADER.FIELDS (to)]", b"To: c@d,\r\n e@f\r\n\r\n"),
        (b"BODY[HEADER.FIELDS (To From)]", b"From: a@b\r\nTo: c@d,\r\n e@f\r\n\r\n"),
        (b"BODY[HEADER.FIELDS (Subject)]", b"\r\n"),
        (b"BODY[HEADER.FIELDS.NOT (To From)]", b"X-To: no\r\n\r\n"),
        (b"BODY[]<0.4>", b"From"),
        (b"BODY[]<6.3>", b"a@b"),
        (b"BODY[TEXT]<1.99999999>", b"ody\r\n"),
        (b"BODY[TEXT]<6.1>", b""),
        (b"BODY[TEXT]<4294967295.4294967295>", b""),
        (b"BODY[HEADER.FIELDS (To)]<4.3>", b"c@d"),
        (b"BODY[HEADER.FIELDS (To)]<99.3>", b""),
    ],
)
def test_sections_are_cut_out(data, value):
    assert values(data) == [value]


@pytest.mark.parametrize("path", [b"0", b"1.0", b"1..2", b"12345678901"])
def test_parts_are_counted_from_one(path):
    with pytest.raises(ProtocolError, match=r"^Malformed part number$"):
        values(b"BODY[" + path + b"]")


def test_several_sections_come_in_their_order():
    assert values(b"(BODY[TEXT] BODY[]<0.1>)") == [b"body\r\n", b"F"]


def test_small_messages_are_read_in_one_call():
    mailbox = SmallMailbox(MESSAGE, MESSAGE, MESSAGE)
    texts = texts_of(b"(BODY[TEXT] BODY[HEADER])", mailbox)
    sources = [texts.source(uid, len(MESSAGE), HEADER_SIZE) for uid in (1, 2, 3)]
    [group] = texts.groups(sources)
    found = finish(texts.read(group))
    assert found == FoundSections([1, 2, 3], [[b"body\r\n"] * 3, [MESSAGE[:HEADER_SIZE]] * 3])
    assert len(mailbox.calls) == 1


def test_groups_are_bounded_in_octets():
    texts = texts_of(b"BODY[]", SmallMailbox())
    sources = [texts.source(uid, GROUP_OCTETS // 2 - 1, 10) for uid in range(1, 8)]
    groups = list(texts.groups(sources))
    assert [len(group) for group in groups] == [2, 2, 2, 1]


def test_groups_count_only_the_range_that_is_wanted():
    texts = texts_of(b"BODY[]<0.100>", SmallMailbox())
    sources = [texts.source(uid, 10 * GROUP_OCTETS, 10) for uid in range(1, 8)]
    assert len(list(texts.groups(sources))) == 1


def test_a_large_message_is_sent_in_pieces():
    mailbox = SmallMailbox(MESSAGE + bytes(GROUP_OCTETS))
    size = len(MESSAGE) + GROUP_OCTETS
    texts = texts_of(b"(BODY[HEADER.FIELDS (From)] BODY[] BODY[TEXT])", mailbox)
    found = finish(texts.read([texts.source(1, size, HEADER_SIZE)]))
    assert row(found) == [
        DeferredFields(texts.sections[0], MessageRange(1, 0, HEADER_SIZE)),
        SectionExtent(1, 0, size),
        SectionExtent(1, HEADER_SIZE, size),
    ]


def test_pieces_cover_the_extent():
    pieces = list(SectionExtent(1, 5, 5 + 2 * GROUP_OCTETS + 1).pieces())
    assert [(piece.start, piece.stop) for piece in pieces] == [
        (5, 5 + GROUP_OCTETS),
        (5 + GROUP_OCTETS, 5 + 2 * GROUP_OCTETS),
        (5 + 2 * GROUP_OCTETS, 6 + 2 * GROUP_OCTETS),
    ]


@pytest.mark.parametrize("size", [len(MESSAGE), GROUP_OCTETS + 1])
def test_a_message_that_is_gone_has_no_values(size):
    mailbox = SmallMailbox(MESSAGE)
    mailbox.remove([1])
    for data in (b"BODY[]", b"BODY[HEADER.FIELDS (From)]", b"BODY[1]"):
        texts = texts_of(data, mailbox)
        found = finish(texts.read([texts.source(1, size, HEADER_SIZE)]))
        assert found == FoundSections([], [[]])


def test_those_that_are_gone_are_left_out_of_all_columns():
    mailbox = SmallMailbox(MESSAGE, MESSAGE, MESSAGE)
    mailbox.remove([2])
    for data in (b"(BODY[]<0.4> BODY[TEXT])", b"(BODY[]<0.4> BODY[1])"):
        texts = texts_of(data, mailbox)
        sources = [texts.source(uid, len(MESSAGE), HEADER_SIZE) for uid in (1, 2, 3)]
        expected = [[b"From"] * 2, [b"body\r\n"] * 2]
        assert finish(texts.read(sources)) == FoundSections([1, 3], expected)


def test_a_header_without_an_end_gets_none():
    assert values(b"BODY[HEADER.FIELDS (From)]", b"From: a\r\n", 9) == [b"From: a\r\n"]


def test_listed_fields_of_a_large_message_are_selected_when_they_are_there():
    mailbox = SmallMailbox(MESSAGE + bytes(GROUP_OCTETS))
    texts = texts_of(b"(BODY[] BODY[HEADER.FIELDS (From)]<2.5>)", mailbox)
    source = texts.source(1, len(MESSAGE) + GROUP_OCTETS, HEADER_SIZE)
    _whole, fields = row(finish(texts.read([source])))
    assert isinstance(fields, DeferredFields)
    assert fields.literal(MESSAGE[:HEADER_SIZE]) == b"{5}\r\nom: a"


def test_nothing_is_read_to_know_where_the_parts_of_a_large_message_lie():
    mailbox = SmallMailbox(MESSAGE + bytes(GROUP_OCTETS))
    texts = texts_of(b"(BODY[1] BODY[2] BODY[1.MIME])", mailbox)
    size = len(MESSAGE) + GROUP_OCTETS
    found = finish(texts.read([texts.source(1, size, HEADER_SIZE)]))
    assert row(found) == [
        SectionExtent(1, HEADER_SIZE, size),
        None,
        SectionExtent(1, 0, HEADER_SIZE),
    ]
    assert [call[0] for call in mailbox.calls] == ["items"]


def test_the_parts_of_a_large_message_that_is_gone_are_not_looked_for():
    mailbox = SmallMailbox(MESSAGE + bytes(GROUP_OCTETS))
    mailbox.remove([1])
    texts = texts_of(b"BODY[1]", mailbox)
    source = texts.source(1, len(MESSAGE) + GROUP_OCTETS, HEADER_SIZE)
    assert finish(texts.read([source])) == FoundSections([], [[]])
    assert not texts.remembered
