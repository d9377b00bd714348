from twisted_mail.pop3.limits import ClientLimits
from twisted_mail.pop3.settings import Settings
from twisted_mail.testing.doubles import StillClock


def test_the_time_for_the_login_runs_out_whatever_is_sent() -> None:
    clock = StillClock()
    limits = ClientLimits(Settings(login_timeout=100), clock)
    assert limits.seconds == 100
    clock.seconds += 70
    assert limits.seconds == 30
    clock.seconds += 70
    assert limits.seconds == 0


def test_after_login_each_silence_counts_alone() -> None:
    clock = StillClock()
    limits = ClientLimits(Settings(idle_timeout=900), clock)
    limits.is_known = True
    clock.seconds += 70
    assert limits.seconds == 900


def test_errors_and_refused_logins_are_counted_apart() -> None:
    limits = ClientLimits(Settings(max_errors=2, max_failed_logins=1), StillClock())
    assert not limits.count_error()
    assert limits.count_login_failure()
    assert limits.count_error()
