import base64

import pytest

from tests.smtp.fakes import LOGIN, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.interfaces import Peer
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire

PEER = Peer("192.0.2.1", 54321)
EHLO = 11  # lines of the answer


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def auth(*texts: str, smtp: SmtpFixture | None = None) -> list[str]:
    return say("EHLO c", *texts, smtp=smtp, settings=SUBMISSION)[EHLO:]


def test_a_login_with_an_initial_response() -> None:
    smtp = SmtpFixture()
    assert auth(LOGIN, smtp=smtp) == ["235 2.7.0 Authentication successful"]
    assert smtp.events("logged_in") == [("submission", PEER, "alice@example.org", "PLAIN", None)]


def test_mechanisms_have_no_case() -> None:
    assert auth(f"auth plain {b64('alice secret')}")[0].startswith("235")


def test_a_login_without_initial_response_is_asked_for_it() -> None:
    assert auth("AUTH PLAIN", b64("alice secret")) == [
        "334 ",
        "235 2.7.0 Authentication successful",
    ]


def test_a_challenge_is_base64() -> None:
    assert auth("AUTH ENDLESS", "*")[0] == f"334 {b64('again')}"


def test_a_star_cancels() -> None:
    assert auth("AUTH PLAIN", "*", "NOOP")[1:] == [
        "501 5.7.0 Authentication cancelled",
        "250 2.0.0 Ok",
    ]


def test_an_equals_sign_is_an_empty_initial_response() -> None:
    assert auth("AUTH PLAIN =")[0] == "501 5.5.2 name password, please"


@pytest.mark.parametrize("text", ["a", "====", "=AAA", "AAA=BBB", "YWxp!A==", "YW xp"])
def test_what_is_not_base64_is_501(text: str) -> None:
    assert auth(f"AUTH PLAIN {text}")[0].startswith("501 5.5.2")
    assert auth("AUTH PLAIN", text)[1].startswith("501 5.5.2")


def test_a_response_may_have_12_kib_and_no_more() -> None:
    good = b64("alice " + "x" * 9210)
    assert len(good) == 12288
    assert auth("AUTH PLAIN", good)[1].startswith("535 5.7.8")
    assert auth("AUTH PLAIN", good + "AAAA", "NOOP")[1:] == [
        "500 5.5.6 The authentication exchange line is too long",
        "250 2.0.0 Ok",
    ]


def test_a_response_with_a_bare_lf_is_no_response() -> None:
    assert auth("AUTH PLAIN", "YW\nxp", "NOOP")[1][:9] == "500 5.5.2"


def test_an_exchange_does_not_go_on_for_ever() -> None:
    replies = auth("AUTH ENDLESS", *["YQ=="] * 10)
    assert [reply[:3] for reply in replies] == ["334"] * 10 + ["501"]


def test_a_wrong_password_is_535_and_the_third_ends_the_conversation() -> None:
    smtp = SmtpFixture()
    wrong = f"AUTH PLAIN {b64('alice wrong')}"
    replies = auth(wrong, wrong, wrong, wrong, smtp=smtp)
    assert [reply[:9] for reply in replies] == ["535 5.7.8"] * 3 + ["421 4.7.0"]
    assert smtp.events("login_failed") == [("submission", PEER, "alice")] * 3
    assert smtp.events("disconnected")[0][2] == "failed logins"


@pytest.mark.parametrize(
    "trouble",
    [
        Unavailable("the directory is down"),
        Refused(Outcome(454, "4.7.0", "Too many attempts, try again later")),
    ],
)
def test_a_login_that_cannot_be_judged_now_is_454(trouble: Exception) -> None:
    smtp = SmtpFixture(login_trouble=trouble)
    assert auth(LOGIN, smtp=smtp)[0].startswith("454 4.7.0")


def test_a_bug_behind_the_login_is_451() -> None:
    smtp = SmtpFixture(login_trouble=RuntimeError("inside"))
    assert auth(LOGIN, "NOOP", smtp=smtp)[0].startswith("451 4.3.0")


def test_nobody_logs_in_twice() -> None:
    assert auth(LOGIN, LOGIN)[1].startswith("503 5.5.1")


@pytest.mark.parametrize(
    ("command", "reply"),
    [("AUTH", "501 5.5.4"), ("AUTH FOO", "504 5.5.4"), ("AUTH \xff", "504 5.5.4")],
)
def test_auth_needs_a_mechanism_that_is_offered(command: str, reply: str) -> None:
    assert auth(command)[0][:9] == reply


def test_a_password_does_not_cross_in_clear() -> None:
    wire = ScriptedWire([lines("EHLO c", LOGIN, "AUTH ENDLESS", "*")])
    wire.takes_passwords = False
    replies = SmtpFixture().hold(wire, SUBMISSION)[-3:]
    assert replies[0] == "538 5.7.11 Must issue a STARTTLS command first"
    assert replies[1].startswith("334 ")


def test_the_service_on_port_25_offers_no_login() -> None:
    assert say("EHLO c", LOGIN, settings=Settings())[-1].startswith("502 5.5.1")


def test_an_account_with_too_many_connections_is_told_so_and_not_logged_in() -> None:
    smtp = SmtpFixture()
    script = ["EHLO c", LOGIN, "MAIL FROM:<alice@example.org>"]
    wire = ScriptedWire(script, takes_accounts=False)
    replies = smtp.hold(wire, SUBMISSION)[1 + EHLO :]
    assert replies[0] == "454 4.7.0 Too many connections of this account"
    assert replies[1].startswith("530")
    assert wire.account == "alice@example.org"
    assert smtp.events("logged_in") == []
