import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.extensions.within import OlderOrYounger
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search import parser
from twisted_mail.imap.search.criteria import (
    ArrivedBetween,
    ContainsText,
    HasFlag,
    InNumberSet,
    IsRecent,
    SentBetween,
    SizeBetween,
)
from twisted_mail.imap.search.evaluation import Criterion
from twisted_mail.imap.search.groups import ALL, all_of, any_of, negated
from twisted_mail.mail.mailbox import numbers
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.outcome import ProtocolError, Refused

SEEN, DELETED = HasFlag("\\seen"), HasFlag("\\deleted")
KEYS = make_tables().search_keys
DAY = date(1994, 2, 1).toordinal()


def parsed(data: bytes) -> Criterion:
    return parser.parse(Reader(data), KEYS)


def header(name: str, needle: str) -> Criterion:
    return ContainsText(Contains("header", needle, name))


@pytest.mark.parametrize(
    ("data", "criterion"),
    [
        (b"ALL", ALL),
        (b"unseen", negated(SEEN)),
        (b"SEEN", SEEN),
        (b"ANSWERED", HasFlag("\\answered")),
        (b"UNDRAFT", negated(HasFlag("\\draft"))),
        (b"RECENT", IsRecent()),
        (b"OLD", negated(IsRecent())),
        (b"NEW", all_of((IsRecent(), negated(SEEN)))),
        (b"1:3,*", InNumberSet(numbers.parse("1:3,*"), is_uid=False)),
        (b"*", InNumberSet(numbers.parse("*"), is_uid=False)),
        (b"UID 5:*", InNumberSet(numbers.parse("5:*"), is_uid=True)),
        (b"KEYWORD $Junk", HasFlag("$junk")),
        (b"UNKEYWORD $Junk", negated(HasFlag("$junk"))),
        (b"LARGER 10", SizeBetween(first=11)),
        (b"SMALLER 10", SizeBetween(end=10)),
        (b"BEFORE 1-Feb-1994", ArrivedBetween(end=DAY)),
        (b'ON "1-Feb-1994"', ArrivedBetween(DAY, DAY + 1)),
        (b"SINCE 1-Feb-1994", ArrivedBetween(DAY)),
        (b"SENTBEFORE 1-Feb-1994", SentBetween(end=DAY)),
        (b"SENTON 1-Feb-1994", SentBetween(DAY, DAY + 1)),
        (b"SENTSINCE 1-Feb-1994", SentBetween(DAY)),
        (b"SENTON 31-Dec-9999", SentBetween(date.max.toordinal(), date.max.toordinal() + 1)),
        (b"YOUNGER 60", OlderOrYounger(60, or_more=False)),
        (b"OLDER 60", OlderOrYounger(60, or_more=True)),
        (b"FROM smith", header("From", "smith")),
        (b'SUBJECT ""', header("Subject", "")),
        (b"HEADER X-Foo bar", header("X-Foo", "bar")),
        (b'TEXT "a b"', ContainsText(Contains("text", "a b"))),
        (b"BODY {3}\r\na b", ContainsText(Contains("body", "a b"))),
        (b'TEXT ""', ALL),
        (b"(SEEN)", SEEN),
        (b"((((SEEN))))", SEEN),
        (b"NOT NOT SEEN", SEEN),
        (b"OR SEEN DELETED", any_of((SEEN, DELETED))),
        (b"OR (SEEN DELETED) NOT ALL", any_of((all_of((SEEN, DELETED)), negated(ALL)))),
        (b"NOT OR SEEN DELETED SEEN", all_of((negated(any_of((SEEN, DELETED))), SEEN))),
    ],
)
def test_keys_are_read(data, criterion):
    assert parsed(data) == criterion


def test_what_is_cheap_to_find_out_comes_first():
    found = parsed(b"TEXT foo SENTON 1-Feb-1994 SEEN 1:5")
    assert found == all_of(
        (
            InNumberSet(numbers.parse("1:5"), is_uid=False),
            SEEN,
            SentBetween(DAY, DAY + 1),
            ContainsText(Contains("text", "foo")),
        )
    )


def test_strings_are_read_in_their_charset():
    assert parsed(b"CHARSET ISO-8859-1 FROM {4}\r\nJ\xf6rg") == header("From", "Jörg")


def test_strings_without_a_charset_are_utf_8():
    assert parsed("FROM {5}\r\nJörg".encode()) == header("From", "Jörg")


def test_a_command_may_name_the_charset_by_itself():
    reader = Reader(b"ISO-8859-1 FROM {4}\r\nJ\xf6rg")
    assert parser.parse_in(reader, parser.read_charset(reader), KEYS) == header("From", "Jörg")


def test_a_program_whose_charset_is_known_has_no_charset_of_its_own():
    with pytest.raises(ProtocolError):
        parser.parse_in(Reader(b"CHARSET UTF-8 ALL"), "utf_8", KEYS)


@pytest.mark.parametrize("data", [b"", b"UTF-8", b"X-KLINGON", b"(UTF-8) ALL"])
def test_a_charset_by_itself_is_a_word_with_a_space(data):
    with pytest.raises(ProtocolError):
        parser.read_charset(Reader(data))


def test_an_unknown_charset_by_itself_is_refused():
    with pytest.raises(Refused):
        parser.read_charset(Reader(b"X-KLINGON ALL"))


def test_an_unknown_charset_is_refused_with_those_that_are_known():
    with pytest.raises(Refused) as caught:
        parsed(b"CHARSET X-KLINGON TEXT foo")
    assert caught.value.condition == "BADCHARSET (US-ASCII UTF-8)"


def test_octets_outside_the_charset_are_a_protocol_error():
    with pytest.raises(ProtocolError):
        parsed(b"CHARSET UTF-8 TEXT {1}\r\n\xff")


def test_a_program_looks_for_so_many_texts_and_no_more():
    parsed(b"TEXT a " * 99 + b"SUBJECT b")
    with pytest.raises(Refused) as refused:
        parsed(b"TEXT a " * 99 + b"SUBJECT b HEADER c d")
    assert refused.value.condition == "LIMIT"


def test_keys_may_be_nested_50_deep():
    for depth, is_good in ((50, True), (51, False)):
        data = b"SEEN"
        for level in range(depth):
            data = b"OR DELETED %b" % data if level % 2 else b"(SEEN %b)" % data
        with (
            contextlib.nullcontext()
            if is_good
            else pytest.raises(ProtocolError, match="too deeply")
        ):
            parsed(data)


def test_long_chains_of_or_are_one_group():
    chain = b"OR SEEN " * 400 + b"DELETED"
    assert parsed(chain) == any_of((*[SEEN] * 400, DELETED))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"FOO",
        b"(SEEN",
        b"SEEN)",
        b"()",
        b"NOT",
        b"OR SEEN",
        b"KEYWORD (",
        b"KEYWORD \\Seen",
        b"LARGER x",
        b"YOUNGER 0",
        b"BEFORE 31-Feb-1994",
        b"HEADER From",
        b"CHARSET UTF-8",
        b"0:3",
        b"RETURN (MIN) ALL",
        b"(" * 2000,
        b"NOT " * 2000 + b"SEEN",
        b"NOT OR SEEN " * 60 + b"SEEN",
        b" ".join([b"SEEN"] * 1001),
    ],
)
def test_what_is_no_program_is_a_protocol_error(data):
    with pytest.raises(ProtocolError):
        parsed(data)


TOKENS = st.sampled_from(
    [
        b"SEEN",
        b"OR",
        b"NOT",
        b"(",
        b")",
        b" ",
        b" ",
        b" ",
        b"1:*",
        b"UID",
        b"TEXT",
        b"{1}\r\nx",
        b"BEFORE",
        b"1-Feb-1994",
        b"HEADER",
        b"CHARSET",
        b"UTF-8",
        b"LARGER",
        b"7",
        b"\xff",
        b'"',
    ]
)


@given(st.binary() | st.lists(TOKENS).map(b"".join))
def test_any_octets_give_a_program_or_a_clear_error(data):
    with contextlib.suppress(ProtocolError, Refused):
        parsed(data)
