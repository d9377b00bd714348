"""Tests of twisted_mail.store.search.texts; that its questions are answered right is in test_fulltext."""

import pytest

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.substring_search import MAX_HEADERS, searchable
from twisted_mail.store.search.fields import NUMBERS
from twisted_mail.store.search.text_database import HEADERS
from twisted_mail.store.search.texts import (
    IndexedText,
    SubstringQuery,
    matches_everything,
    substring_query,
    text_of,
)
from twisted_mail.store.search.words import BEGINS, HOLDS, IS, Piece

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


@pytest.mark.parametrize("needle", ["a", "Z", ". ", "!\0?", "\u0301", "…"])
def test_what_says_nothing_of_words_is_not_put_to_the_index(needle: str):
    assert not substring_query(Contains("text", needle)).is_answerable
    assert not substring_query(Contains("header", needle, "äx")).is_answerable


def test_one_word_is_found_without_reading():
    assert substring_query(Contains("body", "Word")).is_exact
    assert substring_query(Contains("text", "Straße")).is_exact
    assert not substring_query(Contains("body", "two words")).is_exact


def test_fields_that_are_kept_are_asked_for_their_values():
    asked = substring_query(Contains("header", "a\t b", "To"))
    assert (asked.field, asked.needle) == (NUMBERS["to"], b"a b")


def test_an_unusual_field_is_looked_up_by_its_name_and_words():
    asked = substring_query(Contains("header", "One two", "X-Other"))
    words = Piece(IS, "x"), Piece(IS, "other"), Piece(HOLDS, "one"), Piece(BEGINS, "two")
    assert asked == SubstringQuery(words, (HEADERS,), is_exact=False)
