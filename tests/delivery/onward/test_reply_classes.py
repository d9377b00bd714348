"""What replies are about: a corpus of the words of mail hosts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward.reply_classes import classify, rules
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass

CORPUS = [
    line
    for line in (Path(__file__).with_name("replies.txt")).read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def outcome(code: str, enhanced: str = "-", text: str = "") -> Outcome:
    return Outcome(int(code), "" if enhanced == "-" else enhanced, text)


@pytest.mark.parametrize("line", CORPUS)
def test_a_reply_is_about(line: str) -> None:
    wanted, reply = line.split(" ", 1)
    assert classify(outcome(*reply.split(" ", 2))).value == wanted


def test_the_corpus_has_every_class() -> None:
    assert {line.split(" ", 1)[0] for line in CORPUS} == {one.value for one in ReplyClass}
    assert len(CORPUS) > 200


@pytest.mark.parametrize(
    ("code", "enhanced", "wanted"),
    [
        (550, "5.1.1", "mailbox"),
        (452, "4.2.2", "full"),
        (552, "5.3.4", "size"),
        (550, "5.6.0", "content"),
        (450, "4.7.0", "policy"),
        (421, "", "rate"),
        (535, "5.7.8", "configuration"),
        (556, "5.1.10", "dns"),
        (550, "", "mailbox"),
        (454, "4.7.29", "tls"),
    ],
)
def test_a_reply_without_words_is_read_by_its_codes(code: int, enhanced: str, wanted: str) -> None:
    assert classify(Outcome(code, enhanced, "")).value == wanted


def test_letter_case_and_line_ends_do_not_count() -> None:
    assert classify(Outcome(450, "", "GREYLISTED\r\n for now")) is ReplyClass.GREYLIST
    assert classify(Outcome(550, "5.7.1", "message\n  too   Large")) is ReplyClass.SIZE


def test_words_of_a_rule_are_as_texts_are_compared() -> None:
    for rule in rules():
        for word in rule.words + rule.without:
            assert word == word.lower()
            assert "  " not in word


def test_greylisting_is_a_refusal_for_now() -> None:
    assert all(
        set(rule.codes) <= {"4", "450", "451"} and rule.codes
        for rule in rules()
        if rule.reply_class is ReplyClass.GREYLIST
    )


@given(st.integers(0, 999), st.text(max_size=12), st.text(max_size=3000))
def test_any_reply_is_about_something(code: int, enhanced: str, text: str) -> None:
    assert isinstance(classify(Outcome(code, enhanced, text)), ReplyClass)
