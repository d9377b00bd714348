from twisted.internet.task import Clock

from twisted_mail.net.connection.timelimit import TimeLimit


class Limited:
    def __init__(self) -> None:
        self.clock = Clock()
        self.passed: list[float] = []
        self.limit = TimeLimit(self.clock, lambda: self.passed.append(self.clock.seconds()))


def test_the_time_that_was_set_last_counts() -> None:
    limited = Limited()
    limited.limit.set(10)
    limited.clock.advance(9)
    limited.limit.set(10)
    limited.clock.advance(9)
    assert limited.passed == []
    limited.clock.advance(1)
    assert limited.passed == [19]


def test_a_shorter_time_comes_earlier() -> None:
    limited = Limited()
    limited.limit.set(100)
    limited.limit.set(1)
    limited.clock.advance(1)
    assert limited.passed == [1]


def test_a_later_deadline_is_just_set() -> None:
    limited = Limited()
    limited.limit.set(10)
    limited.limit.deadline = 15
    limited.clock.advance(14)
    assert limited.passed == []
    limited.clock.advance(1)
    assert limited.passed == [15]


def test_there_is_one_timer_however_often_the_time_is_set() -> None:
    limited = Limited()
    for _ in range(100):
        limited.limit.set(10)
    assert len(limited.clock.getDelayedCalls()) == 1


def test_what_is_ended_never_passes() -> None:
    limited = Limited()
    limited.limit.set(10)
    limited.limit.end()
    limited.limit.end()
    assert limited.clock.getDelayedCalls() == []
    assert limited.passed == []
