"""Tests of twisted_mail.mail.credentials."""

from twisted_mail.mail.credentials import Credentials


def test_one_acts_as_oneself_unless_one_says_otherwise() -> None:
    assert Credentials("alice", "hunter2").acting_as == ""


def test_the_password_is_never_shown() -> None:
    credentials = Credentials("alice@example.org", "hunter2", "bob")
    for shown in (repr(credentials), str(credentials), f"{credentials}"):
        assert "hunter2" not in shown
        assert "alice@example.org" in shown
