from twisted_mail.queue.reports.rate import HOUR, MAX_SENDERS, ReportRate


def test_a_sender_gets_so_many_in_an_hour() -> None:
    rate = ReportRate(2)
    assert [rate.allows("alice@example.org", now) for now in (0, 1, 2)] == [True, True, False]
    assert rate.allows("bob@example.net", 2)
    assert rate.allows("alice@example.org", HOUR)
    assert not rate.allows("alice@example.org", HOUR)


def test_zero_is_any_number() -> None:
    rate = ReportRate(0)
    assert all(rate.allows("alice@example.org", 0) for _ in range(1000))


def test_a_clock_that_is_set_back_forgets_what_is_to_come() -> None:
    rate = ReportRate(1)
    assert rate.allows("alice@example.org", 2 * HOUR)
    assert rate.allows("alice@example.org", 0)


def test_the_sender_who_was_seen_least_recently_is_forgotten() -> None:
    rate = ReportRate(1)
    for number in range(MAX_SENDERS + 1):
        assert rate.allows(str(number), 0)
    assert not rate.allows(str(MAX_SENDERS), 0)
    assert rate.allows("0", 0)
