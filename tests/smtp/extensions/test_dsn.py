import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import HELLO, MAIL, PROMISES, FakeQueue, SmtpFixture, say
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import DEFAULT_DSN_REQUEST, DsnRequest, Envelope
from twisted_mail.mail.mime import xtext

ALICE, BOB = parse("alice@example.org"), parse("bob@example.org")


def envelope(mail: str, *rcpts: str) -> Envelope:
    """Return what a message that said this has on its envelope."""
    smtp = SmtpFixture(queue=FakeQueue(PROMISES))
    said = [f"MAIL FROM:<s@client.example> {mail}", *[f"RCPT TO:{rcpt}" for rcpt in rcpts]]
    replies = say(HELLO, *said, "DATA", ".", smtp=smtp)
    assert replies[-1].startswith("250"), replies
    ((taken, _),) = smtp.queue.accepted
    return taken


def mail_reply(parameters: str) -> str:
    return say(HELLO, f"{MAIL} {parameters}", smtp=SmtpFixture(queue=FakeQueue(PROMISES)))[-1][:9]


def rcpt_reply(parameters: str, mail: str = MAIL) -> str:
    rcpt = f"RCPT TO:<alice@example.org> {parameters}"
    return say(HELLO, mail, rcpt, smtp=SmtpFixture(queue=FakeQueue(PROMISES)))[-1][:9]


def test_nothing_is_known_of_notices_where_none_are_sent() -> None:
    for parameter in ("RET=FULL", "ENVID=x"):
        assert say(HELLO, f"{MAIL} {parameter}")[-1].startswith("555 5.5.4")
    for parameter in ("NOTIFY=NEVER", "ORCPT=rfc822;a@b.example"):
        assert say(HELLO, MAIL, f"RCPT TO:<{ALICE}> {parameter}")[-1].startswith("555 5.5.4")


def test_the_example_of_rfc_3461() -> None:
    taken = envelope(
        "RET=HDRS ENVID=QQ314159",
        f"<{ALICE}> NOTIFY=SUCCESS ORCPT=rfc822;Alice@Pure-Heart.ORG",
        f"<{BOB}> NOTIFY=FAILURE,delay",
        "<carol@example.org>",
    )
    assert (taken.mail_parameters.returns, taken.mail_parameters.envid) == ("HDRS", "QQ314159")
    assert taken.dsn_request(ALICE) == DsnRequest(
        frozenset({"SUCCESS"}), "rfc822;Alice@Pure-Heart.ORG"
    )
    assert taken.dsn_request(BOB) == DsnRequest(frozenset({"FAILURE", "DELAY"}))
    assert taken.dsn_request(parse("carol@example.org")) == DEFAULT_DSN_REQUEST


def test_never_is_no_happening() -> None:
    assert envelope("", f"<{ALICE}> NOTIFY=never").dsn_request(ALICE).events == frozenset()


def test_of_a_recipient_named_twice_the_last_word_counts() -> None:
    taken = envelope("", f"<{ALICE}> NOTIFY=NEVER", f"<{ALICE}> NOTIFY=DELAY")
    assert taken.dsn_request(ALICE).events == {"DELAY"}


@pytest.mark.parametrize(
    "parameters",
    [
        "RET",
        "RET=ALL",
        "RET=FULL RET=FULL",
        "ENVID",
        "ENVID=a+b",
        "ENVID=+00",
        "ENVID=+E4",
        f"ENVID={'x' * 101}",
        "ENVID=a ENVID=a",
    ],
)
def test_what_mail_does_not_say(parameters: str) -> None:
    assert mail_reply(parameters) == "501 5.5.4"


@pytest.mark.parametrize(
    "parameters",
    [
        "NOTIFY",
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=SUCCESS,",
        "NOTIFY=,",
        "NOTIFY=FOO",
        "NOTIFY=DELAY NOTIFY=DELAY",
        "ORCPT",
        "ORCPT=a@b.example",
        "ORCPT=;a@b.example",
        "ORCPT=rfc822;",
        "ORCPT=rfc822;a+b@c.example",
        "ORCPT=rfc822;a+0Ab@c.example",
        "ORCPT=rf(c;a@b.example",
        f"ORCPT=rfc822;{'x' * 494}",
        "ORCPT=utf-8;a+2Bb",
        "ORCPT=utf-8;a\\x{D800}",
    ],
)
def test_what_rcpt_does_not_say(parameters: str) -> None:
    assert rcpt_reply(parameters) == "501 5.5.4"


@pytest.mark.parametrize("parameters", [f"ENVID={'x' * 100}", "ENVID=a+2Bb+20c"])
def test_what_mail_may_say(parameters: str) -> None:
    assert mail_reply(parameters) == "250 2.1.0"


@pytest.mark.parametrize(
    "parameters",
    [
        f"ORCPT=rfc822;{'x' * 493}",
        "ORCPT=X400;/C=us/".replace("=us", "+3Dus"),
        "ORCPT=utf-8;jos\\x{E9}@example.org",
    ],
)
def test_what_rcpt_may_say(parameters: str) -> None:
    assert rcpt_reply(parameters) == "250 2.1.5"


def test_an_original_recipient_in_utf8_needs_smtputf8() -> None:
    assert rcpt_reply("ORCPT=utf-8;jos\xe9@b.example", f"{MAIL} SMTPUTF8") == "250 2.1.5"
    assert rcpt_reply("ORCPT=utf-8;jos\xe9@b.example") == "553 5.6.7"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_any_printable_name_of_a_message_comes_through(name: str) -> None:
    taken = envelope(f"ENVID={xtext.encode(name)}", f"<{ALICE}>")
    assert xtext.decode(taken.mail_parameters.envid) == name
