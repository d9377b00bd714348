"""RSET and NOOP."""

from tests.smtp.fakes import HELLO, MAIL, RCPT, say


def test_noop_takes_any_argument() -> None:
    assert say("NOOP anything at all")[0] == "250 2.0.0 Ok"


def test_rset_forgets_the_transaction_and_nothing_else() -> None:
    assert [reply[:3] for reply in say(HELLO, MAIL, "RSET", RCPT, MAIL)[2:]] == [
        "250",
        "503",
        "250",
    ]
