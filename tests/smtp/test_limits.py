"""What one client may use up; how the conversation goes then is told in ``test_loop``."""

from twisted_mail.smtp import replies
from twisted_mail.smtp.limits import OVERSIZE_FACTOR, ClientLimits, RecentCounts
from twisted_mail.smtp.settings import Settings


def limits(**settings: int) -> ClientLimits:
    return ClientLimits(Settings(**settings))  # type: ignore[arg-type]


def test_a_new_client_has_used_nothing_up() -> None:
    new = limits()
    assert (new.end, new.is_slowed, new.allow_message) == (None, False, True)


def test_commands_without_mail_are_errors_when_they_are_many() -> None:
    counted = limits(max_junk=2)
    for errors in (0, 0, 1, 2):
        counted.count_junk()
        assert counted.recent.errors == errors


def test_errors_slow_the_client_down_and_end_the_conversation() -> None:
    counted = limits(soft_errors=1, hard_errors=3)
    seen = []
    for errors in range(4):
        counted.recent.errors = errors
        seen.append((counted.is_slowed, counted.end is not None))
    assert seen == [(False, False), (False, False), (True, False), (True, True)]
    assert counted.end == (replies.TOO_MANY_ERRORS, "errors")


def test_unknown_recipients_end_the_conversation() -> None:
    counted = limits(max_unknown=1)
    counted.unknown_recipients = 1
    assert counted.end is None
    counted.unknown_recipients = 2
    assert counted.end == (replies.TOO_MANY_UNKNOWN, "unknown recipients")


def test_a_message_that_was_accepted_forgives_errors_and_not_failed_logins() -> None:
    counted = limits(max_failed_logins=2, max_size=10)
    assert not counted.count_login_failure()
    counted.recent.errors = counted.recent.junk = 5
    assert counted.count_discarded(10 * OVERSIZE_FACTOR + 1)
    counted.recent = RecentCounts()
    assert (counted.recent.errors, counted.recent.junk, counted.recent.discarded) == (0, 0, 0)
    assert counted.count_login_failure()


def test_messages_are_bounded_where_the_settings_say_so() -> None:
    some, any_number = limits(max_messages=2), limits()
    for counted in (some, any_number):
        counted.messages = 2
    assert (some.allow_message, any_number.allow_message) == (False, True)
    one = limits(max_messages=1)
    assert one.allow_message
    one.messages = 1
    assert not one.allow_message
