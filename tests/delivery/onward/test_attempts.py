"""Attempts, as they are noted of mail for other hosts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delivery.onward.fakes import attempt, transaction
from twisted_mail.delivery.onward.attempts import (
    MAX_DOUBTS,
    asks_for_less,
    is_refused_by_policy,
    place_of,
    repeated,
    with_class,
    without_port,
    worst,
)
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.smtp.dialogue.settings import NextHop


@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_address_is_read_as_it_is_shown(address: object, port: int) -> None:
    assert without_port(NextHop("mx.example", str(address), port).shown_address) == str(address)


def test_a_class_that_is_known_stays() -> None:
    known = attempt("454 4.7.0 TLS not available", reply_class=ReplyClass.NETWORK)
    assert with_class(known) is known
    assert with_class(attempt("250 2.0.0 greylisted")).reply_class is ReplyClass.OTHER


def test_what_a_host_said_says_more_than_silence() -> None:
    said, silent = attempt("554 5.7.1 No"), attempt("451 4.4.1 x", reply_class=ReplyClass.NETWORK)
    assert worst([said, silent]) is said
    assert worst([silent]) is silent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("421 4.3.2 Closing", True),
        ("451 4.7.0 [TSS04] temporarily deferred due to user complaints", True),
        ("450 4.2.1 The user is receiving mail at a rate that", False),
        ("451 4.3.0 Trouble", False),
        ("250 2.0.0 Ok, too many connections", False),
    ],
)
def test_answers_that_ask_for_less(text: str, wanted: bool) -> None:
    assert asks_for_less(with_class(attempt(text))) is wanted


def test_only_a_final_refusal_is_one_by_policy() -> None:
    assert is_refused_by_policy(with_class(attempt("550 5.7.1 blocked")))
    assert not is_refused_by_policy(with_class(attempt("450 4.7.1 blocked")))
    assert not is_refused_by_policy(with_class(attempt("550 5.1.1 User unknown")))


def test_where_a_greylist_waits() -> None:
    grey = attempt(
        "450 4.2.0 Greylisted",
        host="mx.example",
        address="192.0.2.1:2525",
        reply_class=ReplyClass.GREYLIST,
    )
    assert repeated(transaction("a@b.example", last=grey)) is grey
    assert place_of(grey) == ("mx.example", "192.0.2.1")
    assert repeated(transaction("a@b.example", last=attempt("450 4.2.0 x"))) is None
    assert repeated(transaction("a@b.example")) is None


@pytest.mark.parametrize(
    ("command", "is_reply", "tries", "wanted"),
    [
        (".", False, 1, True),
        (".", False, MAX_DOUBTS, True),
        (".", False, MAX_DOUBTS + 1, False),
        (".", True, 1, False),
        ("DATA", False, 1, False),
    ],
)
def test_who_may_have_a_message_already_is_asked_again(
    command: str, is_reply: bool, tries: int, wanted: bool
) -> None:
    lost = attempt(
        "451 4.4.2 The connection was lost",
        host="mx.example",
        address="192.0.2.1",
        command=command,
        is_reply=is_reply,
        reply_class=ReplyClass.NETWORK,
    )
    whole = transaction("a@b.example", last=lost)
    whole = replace(whole, recipients=(replace(whole.recipients[0], tries=tries),))
    assert (repeated(whole) is lost) is wanted
