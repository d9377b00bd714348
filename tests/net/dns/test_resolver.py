import dns.name
import pytest
from twisted.internet.defer import CancelledError, Deferred

from twisted_mail.interfaces.resolver import DNS_LISTS
from twisted_mail.mail.dns import DnsAnswer, TlsaRecord
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.dns import answer_cache, question_queue
from twisted_mail.net.dns.questions import DnsQuestions
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import DnsReply
from twisted_mail.testing.doubles import StillClock


class Server:
    """Answers when asked to; keeps what was asked."""

    def __init__(self):
        self.asked, self.waiting = [], []

    async def __call__(self, name, kind):
        self.asked.append((name.to_text(omit_final_dot=True), kind))
        waiting = Deferred()
        self.waiting.append(waiting)
        return await waiting

    def say(self, *values, seconds=60.0, is_authentic=False, exists=True):
        self.waiting.pop(0).callback(DnsReply(values, is_authentic, seconds, exists))

    def fail(self):
        self.waiting.pop(0).errback(Unavailable("no answer"))


class ResolverFixture:
    def __init__(self, most=100):
        self.server, self.clock = Server(), StillClock()
        self.resolver = DnsResolver(DnsQuestions(self.server, self.clock, most))

    def ask(self, method, *arguments):
        results = []
        asking = Deferred.fromCoroutine(getattr(self.resolver, method)(*arguments))
        asking.addBoth(results.append)
        return asking, results


@pytest.fixture
def fixture():
    return ResolverFixture()


def test_the_same_question_is_asked_once_for_all_who_wait(fixture):
    _, first = fixture.ask("texts", "a.example")
    _, second = fixture.ask("texts", "A.Example.")
    assert fixture.server.asked == [("a.example", "TXT")]
    fixture.server.say(b"x")
    assert first == second == [DnsAnswer((b"x",))]


def test_an_answer_is_remembered_for_its_time_and_no_longer(fixture):
    fixture.ask("texts", "a.example")
    fixture.server.say(b"x", seconds=60)
    fixture.clock.seconds += 59
    assert fixture.ask("texts", "a.example")[1] == [DnsAnswer((b"x",))]
    fixture.clock.seconds += 1
    assert fixture.ask("texts", "a.example")[1] == []


@pytest.mark.parametrize(("said", "kept"), [(0, 5), (10**9, 3600)])
def test_very_short_and_very_long_times_are_not_believed(fixture, said, kept):
    fixture.ask("texts", "a.example")
    fixture.server.say(seconds=said)
    fixture.clock.seconds += kept - 1
    assert fixture.ask("texts", "a.example")[1] == [DnsAnswer()]
    fixture.clock.seconds += 1
    assert fixture.ask("texts", "a.example")[1] == []


def test_a_failure_goes_to_all_and_is_not_cached(fixture):
    results = [fixture.ask("texts", "a.example")[1] for _ in range(2)]
    fixture.server.fail()
    assert all(isinstance(one.value, Unavailable) for [one] in results)
    assert fixture.ask("texts", "a.example")[1] == []


def test_who_gives_up_harms_nobody_else(fixture):
    one, gone = fixture.ask("texts", "a.example")
    _, stays = fixture.ask("texts", "a.example")
    one.cancel()
    assert isinstance(gone[0].value, CancelledError)
    fixture.server.say(b"x")
    assert stays == [DnsAnswer((b"x",))]


def test_questions_beyond_the_bound_wait_for_their_turn(fixture):
    fixture = ResolverFixture(most=2)
    results = [fixture.ask("texts", f"{at}.example")[1] for at in range(3)]
    assert len(fixture.server.asked) == 2
    fixture.server.say(b"0")
    assert len(fixture.server.asked) == 3
    fixture.server.say(b"1")
    fixture.server.say(b"2")
    assert [one[0].values for one in results] == [(b"0",), (b"1",), (b"2",)]


def test_too_many_that_wait_fail_at_once(monkeypatch):
    monkeypatch.setattr(question_queue, "MAX_WAITING", 1)
    fixture = ResolverFixture(most=1)
    fixture.ask("texts", "a.example")
    fixture.ask("texts", "b.example")
    _, [refused] = fixture.ask("texts", "c.example")
    assert isinstance(refused.value, Unavailable)


def test_memory_is_bounded(monkeypatch, fixture):
    monkeypatch.setattr(answer_cache, "MAX_CACHED", 4)
    for name in ("a", "b", "c"):
        fixture.ask("texts", name)
        fixture.server.say(b"x")
    assert fixture.ask("texts", "c")[1]
    assert fixture.ask("texts", "b")[1]
    assert fixture.ask("texts", "a")[1] == []
    fixture.server.say(b"x" * 20_000)
    assert fixture.ask("texts", "a")[1] == []


def test_names_that_are_asked_for_once_take_no_place_from_those_in_use(monkeypatch, fixture):
    monkeypatch.setattr(answer_cache, "MAX_CACHED", 4)
    fixture.ask("texts", "known.example")
    fixture.server.say(b"x")
    assert fixture.ask("texts", "known.example")[1]
    for number in range(10):
        fixture.ask("texts", f"junk{number}.example")
        fixture.server.say(b"x")
    assert fixture.ask("texts", "known.example")[1] == [DnsAnswer((b"x",))]


def test_a_client_whose_names_never_answer_keeps_nobody_else_waiting(fixture):
    for number in range(90):
        Deferred.fromCoroutine(
            fixture.resolver.asked_by("192.0.2.0/24").texts(f"{number}.evil.example")
        )
    assert len(fixture.server.asked) == 10
    lists = fixture.resolver.asked_by(DNS_LISTS)
    for resolver in (lists, fixture.resolver.asked_by("198.51.100.0/24"), fixture.resolver):
        Deferred.fromCoroutine(resolver.texts("good.example"))
        assert len(fixture.server.asked) == 11  # the same question is asked once
    Deferred.fromCoroutine(lists.texts("other.example"))
    assert fixture.server.asked[-1] == ("other.example", "TXT")


def test_a_silent_zone_gets_few_questions_and_the_others_fail_at_once(fixture):
    for number in range(2):
        fixture.ask("texts", f"{number}.evil.example")
        fixture.clock.seconds += 5
        fixture.server.fail()
    failed = [fixture.ask("texts", f"x{number}.evil.example")[1] for number in range(5)]
    assert [len(one) for one in failed] == [0, 0, 1, 1, 1]
    assert isinstance(failed[2][0].value, Unavailable)
    assert fixture.ask("texts", "good.example")[1] == []
    assert len(fixture.server.waiting) == 3


def test_the_lists_of_the_configuration_are_asked_though_they_were_silent(fixture):
    lists = fixture.resolver.asked_by(DNS_LISTS)
    for number in range(5):
        Deferred.fromCoroutine(lists.texts(f"{number}.list.example")).addErrback(lambda _: None)
        fixture.clock.seconds += 5
        fixture.server.fail()
    for number in range(5):
        Deferred.fromCoroutine(lists.texts(f"x{number}.list.example"))
    assert len(fixture.server.waiting) == 5


def test_hundreds_that_fail_at_once_are_gone_through_in_a_loop():
    fixture = ResolverFixture(most=3)
    for number in range(2):
        fixture.ask("texts", f"{number}.evil.example")
        fixture.clock.seconds += 5
        fixture.server.fail()
    _, first = fixture.ask("texts", "good.example")
    results = [fixture.ask("texts", f"x{number}.evil.example")[1] for number in range(900)]
    assert len(fixture.server.waiting) == 3
    fixture.server.say(b"x")
    assert first == [DnsAnswer((b"x",))]
    assert sum(map(len, results)) == 898  # two are under way


def test_a_question_that_nobody_waits_for_any_more_is_not_asked():
    fixture = ResolverFixture(most=1)
    fixture.ask("texts", "a.example")
    asking, _ = fixture.ask("texts", "b.example")
    fixture.ask("texts", "c.example")
    asking.cancel()
    fixture.server.say(b"x")
    assert [name for name, _ in fixture.server.asked] == ["a.example", "c.example"]


def test_one_version_of_addresses_is_enough_where_the_other_fails(fixture):
    _, found = fixture.ask("addresses", "a.example")
    fixture.server.fail()
    fixture.server.say("192.0.2.1")
    assert found == [DnsAnswer(("192.0.2.1",))]


def test_no_addresses_and_a_failure_are_no_answer(fixture):
    _, [*found] = fixture.ask("addresses", "a.example")
    _, found = fixture.ask("addresses", "a.example")
    fixture.server.say()
    fixture.server.fail()
    assert isinstance(found[0].value, Unavailable)


def test_what_cannot_be_a_name_is_not_asked_for(fixture):
    for name in ("", "a..b", "x" * 64, "\u00e4.example", ".".join(["abc"] * 80)):
        assert fixture.ask("texts", name)[1] == [DnsAnswer(exists=False)]
    assert not fixture.server.asked


def test_the_name_of_an_address_is_asked_for_in_its_zone(fixture):
    fixture.ask("names", "192.0.2.1")
    fixture.ask("names", "::ffff:192.0.2.1")
    fixture.ask("names", "fe80::1%eth0")
    assert fixture.server.asked[0] == ("1.2.0.192.in-addr.arpa", "PTR")
    assert fixture.server.asked[1][0].endswith("8.e.f.ip6.arpa")
    assert dns.name.from_text("x")  # the same library


def test_a_name_that_does_not_exist_is_another_thing_than_one_without_records(fixture):
    for exists in (False, True):
        _, first = fixture.ask("mail_hosts", f"{exists}.example".lower())
        fixture.server.say(exists=exists)
        _, cached = fixture.ask("mail_hosts", f"{exists}.example".lower())
        assert first == cached == [DnsAnswer(exists=exists)]


@pytest.mark.parametrize(
    ("ipv6", "ipv4", "exists"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_a_name_exists_if_it_does_for_one_version_of_ip(fixture, ipv6, ipv4, exists):
    _, found = fixture.ask("addresses", "a.example")
    fixture.server.say(exists=ipv6)
    fixture.server.say(exists=ipv4)
    assert found == [DnsAnswer(exists=exists)]


def test_a_family_that_is_suppressed_takes_nothing_from_the_other(fixture):
    _, results = fixture.ask("addresses", "a.example")
    fixture.server.fail()
    fixture.server.say("192.0.2.1", is_authentic=True)
    assert results == [DnsAnswer(("192.0.2.1",), True)]


def test_both_families_have_to_be_authentic(fixture):
    _, results = fixture.ask("addresses", "a.example")
    fixture.server.say("2001:db8::1")
    fixture.server.say("192.0.2.1", is_authentic=True)
    assert results == [DnsAnswer(("2001:db8::1", "192.0.2.1"), False)]


def test_large_records_are_known_for_no_longer_than_they_are_asked_for(fixture):
    for _ in range(2):
        _, results = fixture.ask("tlsa_of_each", ["a.example"])
        fixture.server.say(TlsaRecord(3, 0, 0, b"x" * 20_000))
        assert len(results[0][0]) == 1
    assert fixture.server.asked == [("a.example", "TLSA")] * 2
