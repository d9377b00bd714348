import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.auth.sasl import LOGIN, MAX_TEXT, MECHANISMS, PLAIN
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import ProtocolError

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


def test_plain_comes_before_login_and_both_reveal_the_password():
    assert [mechanism.name for mechanism in MECHANISMS] == ["PLAIN", "LOGIN"]
    assert all(mechanism.reveals_password for mechanism in MECHANISMS)
    assert [mechanism.server_first for mechanism in MECHANISMS] == [False, True]


def test_the_first_example_of_rfc_4616():
    assert PLAIN.begin().step(b"\0tim\0tanstaaftanstaaf") == Credentials("tim", "tanstaaftanstaaf")


def test_the_second_example_of_rfc_4616():
    assert PLAIN.begin().step(b"Ursel\0Kurt\0xipj3plmq") == Credentials(
        "Kurt", "xipj3plmq", "Ursel"
    )


@given(texts, texts, st.one_of(st.just(""), texts))
def test_plain_returns_what_was_said(name, password, acting_as):
    said = "\0".join((acting_as, name, password)).encode()
    if max(len(text.encode()) for text in (name, password, acting_as)) <= MAX_TEXT:
        assert PLAIN.begin().step(said) == Credentials(name, password, acting_as)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"alice",
        b"alice\0secret",
        b"\0\0secret",
        b"\0alice\0",
        b"\0alice\0sec\0ret",
        b"\0alice\0\xff",
        b"\0\xc0\x80\0secret",
        b"\xed\xa0\x80\0alice\0secret",
        b"\0" + b"a" * (MAX_TEXT + 1) + b"\0secret",
        b"\0alice\0" + b"a" * (MAX_TEXT + 1),
        b"a" * (MAX_TEXT + 1) + b"\0alice\0secret",
    ],
)
def test_plain_refuses_what_rfc_4616_does_not_allow(response):
    with pytest.raises(ProtocolError) as caught:
        PLAIN.begin().step(response)
    assert caught.value.outcome.code == 501


def test_login_asks_for_name_and_password_in_turn():
    exchange = LOGIN.begin()
    assert exchange.step(b"") == b"Username:"
    assert exchange.step(b"alice") == b"Password:"
    assert exchange.step(b"secret") == Credentials("alice", "secret")


def test_login_takes_an_initial_response_as_the_name():
    exchange = LOGIN.begin()
    assert exchange.step("ålice".encode()) == b"Password:"
    assert exchange.step(b"secret") == Credentials("ålice", "secret")


@pytest.mark.parametrize("answers", [[b"", b""], [b"", b"a\0"], [b"alice", b""], [b"\xff"]])
def test_login_refuses_empty_and_malformed_answers(answers):
    exchange = LOGIN.begin()
    for answer in answers[:-1]:
        exchange.step(answer)
    with pytest.raises(ProtocolError):
        exchange.step(answers[-1])


@given(st.lists(st.binary(max_size=20), max_size=4))
def test_no_responses_raise_anything_else(responses):
    for mechanism in MECHANISMS:
        exchange = mechanism.begin()
        try:
            for response in responses:
                if isinstance(exchange.step(response), Credentials):
                    break
        except ProtocolError:
            pass
