from types import SimpleNamespace
from typing import Any

from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.pop3.capabilities import capabilities
from twisted_mail.pop3.state import State


def wire(takes_passwords: bool, may_start_tls: bool) -> Any:
    return SimpleNamespace(takes_passwords=takes_passwords, may_start_tls=may_start_tls)


def test_no_password_is_asked_for_before_tls() -> None:
    lines = capabilities(wire(False, True), MECHANISMS, State.AUTHORIZATION)
    assert "STLS" in lines
    assert "USER" not in lines
    assert not [line for line in lines if line.startswith("SASL")]


def test_under_tls_both_ways_to_log_in_are_there() -> None:
    lines = capabilities(wire(True, False), MECHANISMS, State.AUTHORIZATION)
    assert {"USER", "SASL PLAIN LOGIN"} <= set(lines)
    assert "STLS" not in lines


def test_after_login_only_stls_is_left_out() -> None:
    before = capabilities(wire(True, True), MECHANISMS, State.AUTHORIZATION)
    after = capabilities(wire(True, True), MECHANISMS, State.TRANSACTION)
    assert set(before) - set(after) == {"STLS"}
