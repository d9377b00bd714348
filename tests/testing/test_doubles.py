"""Doubles of clocks and threads."""

import pytest

from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.journal import ListJournal
from twisted_mail.testing.resolver import FakeResolver


class Pause:
    def __await__(self) -> object:
        yield


def test_what_does_not_wait_is_finished() -> None:
    async def work() -> int:
        return 7

    assert finish(work()) == 7


def test_what_waits_is_not_finished() -> None:
    async def work() -> None:
        await Pause()  # type: ignore[misc]

    with pytest.raises(AssertionError, match="waits"):
        finish(work())


def test_sleeping_moves_a_still_clock() -> None:
    clock = StillClock(5)
    finish(clock.sleep(2))
    assert (clock.now(), clock.monotonic(), clock.slept) == (7, 7, [2])


def test_what_takes_too_long_ends_in_time() -> None:
    clock = StillClock()
    finish(clock.within(3, clock.sleep(3)))
    with pytest.raises(TimeoutError):
        finish(clock.within(3, clock.sleep(4)))


def test_inline_work_is_done_at_once() -> None:
    blocking = InlineBlocking()
    assert finish(blocking.lane().run(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        finish(blocking.run(divmod, 7, 0))


def test_a_journal_keeps_what_happens() -> None:
    journal = ListJournal()
    journal.connected("smtp", "peer")
    assert journal.of("connected") == [("smtp", "peer")]
    assert journal.of("failed") == []


def test_a_resolver_answers_from_its_records() -> None:
    resolver = FakeResolver().add("a.example", "A", "192.0.2.1").add("a.example", "AAAA", "::1")
    resolver.add("a.example", "MX", MailHost(10, "mx.example")).add("a.example", "TXT", b"text")
    resolver.add("192.0.2.1", "PTR", "a.example")
    assert finish(resolver.addresses("A.example")).values == ("::1", "192.0.2.1")
    assert finish(resolver.addresses("a.example", 4)).values == ("192.0.2.1",)
    assert finish(resolver.mail_hosts("a.example")).values == (MailHost(10, "mx.example"),)
    assert finish(resolver.texts("a.example")).values == (b"text",)
    assert finish(resolver.names("192.0.2.1")).values == ("a.example",)
    assert resolver.asked[0] == ("A.example", "AAAA")


def test_a_broken_name_is_not_answered() -> None:
    resolver = FakeResolver()
    resolver.broken.add("a.example")
    with pytest.raises(Unavailable):
        finish(resolver.texts("a.example"))
    assert finish(resolver.addresses_of_each(["a.example", "b.example"]))[0] is None
