from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import (
    HELLO,
    LOGIN,
    MAIL,
    PROMISES,
    RCPT,
    SUBMISSION,
    FakeQueue,
    SmtpFixture,
    lines,
    say,
)
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.smtp.extensions.table import EXTENSIONS, MAIL_PARAMETERS, RCPT_PARAMETERS
from twisted_mail.smtp.settings import KEYWORDS, Settings
from twisted_mail.testing.wire import TLS, ScriptedWire

JOSE = "jos\xe9@ex\xe4mple.org"


def test_every_parameter_fills_a_field() -> None:
    mail_parameters = {one.name for one in fields(MailParameters)}
    assert {one.field for _, one in MAIL_PARAMETERS.values()} == mail_parameters
    dsn_request = {one.name for one in fields(DsnRequest)}
    assert {one.field for _, one in RCPT_PARAMETERS.values()} == dsn_request


def test_the_settings_know_every_keyword() -> None:
    assert {one.keyword for one in EXTENSIONS} == KEYWORDS
    with pytest.raises(
        ValueError, match=r"^hidden_keywords has 'CHUNKS', which is no keyword of EHLO$"
    ):
        Settings(hidden_keywords=("SIZE", "CHUNKS"))


def test_everything_is_offered_where_everything_is_kept() -> None:
    smtp = SmtpFixture(queue=FakeQueue({*PROMISES, "BINARYMIME"}))
    wire = ScriptedWire([lines("EHLO c")])
    wire.tls_info = TLS
    offered = {line[4:].split()[0] for line in smtp.hold(wire, SUBMISSION)[2:]}
    assert offered == {one.keyword for one in EXTENSIONS} - {"STARTTLS", "EXPN", "XCLIENT"}


def test_a_keyword_that_is_hidden_is_neither_offered_nor_known() -> None:
    settings = Settings(hidden_keywords=("SMTPUTF8", "8BITMIME", "HELP"))
    *_, last = replies = say("EHLO c", settings=settings)
    assert not [line for line in replies if "SMTPUTF8" in line or "8BITMIME" in line]
    assert last.startswith("250 LIMITS")
    assert say(HELLO, f"{MAIL} BODY=7BIT", settings=settings)[-1].startswith("555 5.5.4")


def test_with_everything_hidden_ehlo_is_one_line() -> None:
    settings = Settings(hidden_keywords=tuple(one.keyword for one in EXTENSIONS))
    assert say("EHLO c", settings=settings) == ["250 mail.example.org"]


def test_limits_are_told() -> None:
    settings = Settings(max_recipients=100, max_messages=20)
    assert "250-LIMITS MAILMAX=20 RCPTMAX=100" in say("EHLO c", settings=settings)


def test_a_conversation_has_so_many_messages_and_no_more() -> None:
    smtp = SmtpFixture()
    message = (MAIL, RCPT, "DATA", ".")
    replies = say(HELLO, *message * 2, MAIL, "NOOP", smtp=smtp, settings=Settings(max_messages=2))
    assert len(smtp.queue.accepted) == 2
    assert replies[-1].startswith("421 4.5.3")


@pytest.mark.parametrize("name", ["NOTIFY=NEVER", "FROB", "FROB=1", "RET=FULL"])
def test_an_unknown_parameter_is_555(name: str) -> None:
    assert say(HELLO, f"{MAIL} {name}")[-1].startswith("555 5.5.4 Unsupported parameter: ")


# ------------------------------------------------------------ SMTPUTF8 (RFC 6531)


def test_a_message_in_utf8_says_so_in_its_trace() -> None:
    smtp = SmtpFixture()
    say("EHLO c", f"MAIL FROM:<{JOSE}> SMTPUTF8", RCPT, "DATA", ".", smtp=smtp)
    ((envelope, _),) = smtp.queue.accepted
    assert str(envelope.sender) == "jos\xe9@xn--exmple-cua.org"
    assert envelope.mail_parameters.is_utf8
    assert b"with UTF8SMTP id" in smtp.prefix


def test_without_the_parameter_no_address_is_in_utf8() -> None:
    assert say("EHLO c", f"MAIL FROM:<{JOSE}>")[-1].startswith("550 5.6.7")
    assert say("EHLO c", MAIL, f"RCPT TO:<{JOSE}>")[-1].startswith("553 5.6.7")


def test_a_recipient_in_utf8_may_follow_a_sender_who_announced_it() -> None:
    replies = say("EHLO c", f"{MAIL} SMTPUTF8", "RCPT TO:<jos\xe9@example.org>")
    assert replies[-1].startswith("550 5.1.1")
    assert replies[-1].isascii()


VALUES = st.one_of(
    st.none(),
    st.text("0123456789-+;,NRTabcdefxyzFULHDSEVC.:<>@{}\\=\xe9", max_size=30),
    st.text(max_size=10),
    st.sampled_from(["60;R", "FULL", "<>", "rfc822;a@b", "utf-8;\\x{10FFFF}", "SUCCESS,DELAY"]),
)
MAIL_SAID = st.lists(st.tuples(st.sampled_from([*MAIL_PARAMETERS, "X"]), VALUES), max_size=4)
RCPT_SAID = st.lists(st.tuples(st.sampled_from([*RCPT_PARAMETERS, "X"]), VALUES), max_size=4)


def written(verb: str, parameters: list[tuple[str, str | None]]) -> bytes:
    words = [name if value is None else f"{name}={value}" for name, value in parameters]
    return " ".join([verb, *words]).encode("utf-8", "surrogatepass")


@given(MAIL_SAID, RCPT_SAID)
def test_no_parameters_do_worse_than_a_refusal(
    mail: list[tuple[str, str | None]], rcpt: list[tuple[str, str | None]]
) -> None:
    smtp = SmtpFixture(queue=FakeQueue({*PROMISES, "BINARYMIME"}))
    said = (written("MAIL FROM:<alice@example.org>", mail), written(RCPT, rcpt), RCPT)
    wire = ScriptedWire([lines("EHLO c", LOGIN, *said, "BDAT 3 LAST", "a", "QUIT")])
    wire.tls_info = TLS
    replies = smtp.hold(wire, SUBMISSION)
    assert not smtp.events("failed")
    assert len(smtp.queue.accepted) == sum("queued as" in reply for reply in replies)
