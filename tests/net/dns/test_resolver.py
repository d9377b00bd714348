import dns.name
import pytest
from twisted.internet.defer import CancelledError, Deferred

from twisted_mail.mail.dns import DnsAnswer
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.dns import resolver as room
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import DnsReply
from twisted_mail.testing.doubles import StillClock


class Server:
    """Answers when told to; keeps what was asked."""

    def __init__(self):
        self.asked, self.waiting = [], []

    async def __call__(self, name, kind):
        self.asked.append((name.to_text(omit_final_dot=True), kind))
        waiting = Deferred()
        self.waiting.append(waiting)
        return await waiting

    def say(self, *values, seconds=60.0, is_authentic=False):
        self.waiting.pop(0).callback(DnsReply(values, is_authentic, seconds))

    def fail(self):
        self.waiting.pop(0).errback(Unavailable("no answer"))


class Place:
    def __init__(self, most=100):
        self.server, self.clock = Server(), StillClock()
        self.resolver = DnsResolver(self.server, self.clock, most)

    def ask(self, method, *arguments):
        results = []
        asking = Deferred.fromCoroutine(getattr(self.resolver, method)(*arguments))
        asking.addBoth(results.append)
        return asking, results


@pytest.fixture
def place():
    return Place()


def test_the_same_question_is_asked_once_for_all_who_wait(place):
    _, first = place.ask("texts", "a.example")
    _, second = place.ask("texts", "A.Example.")
    assert place.server.asked == [("a.example", "TXT")]
    place.server.say(b"x")
    assert first == second == [DnsAnswer((b"x",))]


def test_an_answer_is_remembered_for_its_time_and_no_longer(place):
    place.ask("texts", "a.example")
    place.server.say(b"x", seconds=60)
    place.clock.seconds += 59
    assert place.ask("texts", "a.example")[1] == [DnsAnswer((b"x",))]
    place.clock.seconds += 1
    assert place.ask("texts", "a.example")[1] == []


@pytest.mark.parametrize(("said", "kept"), [(0, 5), (10**9, 3600)])
def test_very_short_and_very_long_times_are_not_believed(place, said, kept):
    place.ask("texts", "a.example")
    place.server.say(seconds=said)
    place.clock.seconds += kept - 1
    assert place.ask("texts", "a.example")[1] == [DnsAnswer()]
    place.clock.seconds += 1
    assert place.ask("texts", "a.example")[1] == []


def test_a_failure_is_told_to_all_and_not_remembered(place):
    results = [place.ask("texts", "a.example")[1] for _ in range(2)]
    place.server.fail()
    assert all(isinstance(one.value, Unavailable) for [one] in results)
    assert place.ask("texts", "a.example")[1] == []


def test_who_gives_up_harms_nobody_else(place):
    one, gone = place.ask("texts", "a.example")
    _, stays = place.ask("texts", "a.example")
    one.cancel()
    assert isinstance(gone[0].value, CancelledError)
    place.server.say(b"x")
    assert stays == [DnsAnswer((b"x",))]


def test_questions_beyond_the_bound_wait_for_their_turn(place):
    place = Place(most=2)
    results = [place.ask("texts", f"{at}.example")[1] for at in range(3)]
    assert len(place.server.asked) == 2
    place.server.say(b"0")
    assert len(place.server.asked) == 3
    place.server.say(b"1")
    place.server.say(b"2")
    assert [one[0].values for one in results] == [(b"0",), (b"1",), (b"2",)]


def test_too_many_that_wait_are_told_at_once(monkeypatch):
    monkeypatch.setattr(room, "MAX_WAITING", 1)
    place = Place(most=1)
    place.ask("texts", "a.example")
    place.ask("texts", "b.example")
    _, [refused] = place.ask("texts", "c.example")
    assert isinstance(refused.value, Unavailable)


def test_memory_is_bounded(monkeypatch, place):
    monkeypatch.setattr(room, "MAX_CACHED", 2)
    for name in ("a", "b", "c"):
        place.ask("texts", name)
        place.server.say(b"x")
    assert place.ask("texts", "c")[1]
    assert place.ask("texts", "b")[1]
    assert place.ask("texts", "a")[1] == []
    place.server.say(b"x" * 20_000)
    assert place.ask("texts", "a")[1] == []


def test_one_version_of_addresses_is_enough_where_the_other_fails(place):
    _, found = place.ask("addresses", "a.example")
    place.server.fail()
    place.server.say("192.0.2.1")
    assert found == [DnsAnswer(("192.0.2.1",))]


def test_no_addresses_and_a_failure_are_no_answer(place):
    _, [*found] = place.ask("addresses", "a.example")
    _, found = place.ask("addresses", "a.example")
    place.server.say()
    place.server.fail()
    assert isinstance(found[0].value, Unavailable)


def test_what_cannot_be_a_name_is_not_asked_for(place):
    for name in ("", "a..b", "x" * 64, "\u00e4.example", ".".join(["abc"] * 80)):
        assert place.ask("texts", name)[1] == [DnsAnswer()]
    assert not place.server.asked


def test_the_name_of_an_address_is_asked_for_in_its_zone(place):
    place.ask("names", "192.0.2.1")
    place.ask("names", "::ffff:192.0.2.1")
    place.ask("names", "fe80::1%eth0")
    assert place.server.asked[0] == ("1.2.0.192.in-addr.arpa", "PTR")
    assert place.server.asked[1][0].endswith("8.e.f.ip6.arpa")
    assert dns.name.from_text("x")  # the same library
