import pytest

from twisted_mail.imap.limits import ClientLimits
from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import ProtocolError, Refused
from twisted_mail.testing.doubles import StillClock

SETTINGS = Settings(
    login_timeout=60,
    idle_timeout=1800,
    command_timeout=300,
    max_login_errors=3,
    max_errors=2,
    max_failed_logins=2,
)
BAD, NO = ProtocolError("bad"), Refused("no")


def test_a_stranger_has_one_time_limit_for_all_until_login() -> None:
    clock = StillClock()
    patience = ClientLimits(SETTINGS, clock)
    clock.seconds += 59
    assert patience.seconds(is_between=True) == 1
    clock.seconds += 1
    with pytest.raises(ConversationEnded):
        patience.seconds(is_between=False)


def test_who_has_logged_in_may_be_silent_longer_between_commands_than_in_one() -> None:
    patience = ClientLimits(SETTINGS, StillClock())
    patience.is_known = True
    assert patience.seconds(is_between=True) == 1800
    assert patience.seconds(is_between=False) == 300


def test_bad_commands_before_login_are_never_forgiven() -> None:
    patience = ClientLimits(SETTINGS, StillClock())
    assert not patience.count_error(BAD)
    assert not patience.count_error(NO)
    patience.count_success()
    assert not patience.count_error(BAD)
    assert patience.count_error(BAD)


def test_bad_commands_after_login_are_forgiven_by_a_good_one() -> None:
    patience = ClientLimits(SETTINGS, StillClock())
    patience.count_error(BAD)
    patience.count_error(BAD)
    patience.is_known = True
    patience.count_success()
    assert not patience.count_error(BAD)
    patience.count_success()
    assert not patience.count_error(BAD)
    assert patience.count_error(BAD)


def test_refused_logins_are_counted() -> None:
    patience = ClientLimits(SETTINGS, StillClock())
    assert not patience.count_login_failure()
    assert patience.count_login_failure()
