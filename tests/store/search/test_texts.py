"""Tests of twisted_mail.store.search.texts; that its questions are answered right is in test_fulltext."""

import pytest

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.matching import MAX_HEADERS, searchable
from twisted_mail.store.search.texts import (
    IndexedText,
    SubstringQuery,
    matches_everything,
    substring_query,
    text_of,
)

DATA = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Other: one\r\n\r\nHello World\r\n"


def text(data: bytes, limit: int = 1000) -> IndexedText:
    return text_of(searchable(data), limit)


def test_a_text_is_what_the_plain_scan_compares():
    found = text(DATA)
    assert found[:3] == searchable(DATA)[:3]
    assert found.is_whole


def test_a_long_text_is_cut_and_known_to_be():
    found = text(DATA, 40)
    assert not found.is_whole
    assert sum(map(len, found[:3])) == 40
    assert searchable(DATA).body.startswith(found.body)


def test_a_header_that_the_scan_does_not_read_whole_is_known():
    assert not text(b"X: " + b"y" * MAX_HEADERS + b"\nSubject: late\n\nx", 10**7).is_whole


@pytest.mark.parametrize("where", ["text", "body"])
def test_every_message_holds_nothing(where: str):
    assert matches_everything(Contains(where, ""))
    assert not matches_everything(Contains(where, "x"))
    assert not matches_everything(Contains("header", "", "subject"))


@pytest.mark.parametrize("needle", ["a", "a\0b", "a\0", "\ufffdb", "a\ufffdb", "\ufffd"])
def test_some_questions_are_not_put_to_the_index(needle: str):
    assert not substring_query(Contains("text", needle)).is_answerable
    assert not substring_query(Contains("header", needle, "x\0y")).is_answerable


def test_short_needles_are_looked_up_as_openings_where_they_are_rare():
    assert substring_query(Contains("text", "AB")).opening == "ab"
    assert substring_query(Contains("body", "会")) == SubstringQuery(
        opening="会", is_anywhere=False
    )


def test_quotes_do_not_end_a_phrase():
    assert substring_query(Contains("text", 'say "x" OR')).phrase == '"say ""x"" or"'


def test_white_space_is_one_space_in_headers_alone():
    assert (
        substring_query(Contains("text", "a  bc")).phrase
        == '{body names} : "a  bc" OR headers : "a bc"'
    )
    assert substring_query(Contains("body", "a  bc")).phrase == 'body : "a  bc"'
    assert substring_query(Contains("header", "a\t b", "to")).needle == b"a b"
    assert not substring_query(Contains("text", "a  ")).is_answerable


def test_a_long_phrase_is_looked_up_by_its_beginning():
    asked = substring_query(Contains("body", "x" * 1000))
    assert len(asked.phrase) < 200
    assert not asked.is_exact


def test_an_unusual_field_is_a_hint():
    asked = substring_query(Contains("header", "One", "X-Other"))
    assert (asked.phrase, asked.is_exact) == ('headers : ("x-other: " AND "one")', False)
