"""The carrier of mail to other hosts, over hosts that are faked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred

from tests.delivery.onward.fakes import (
    OK,
    POLICY,
    FakeClient,
    FakeHost,
    FakeWork,
    attempt,
    transaction,
)
from twisted_mail.delivery.onward.connection_work import ConnectionWork
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.delivery.onward.mail_hosts import MailHostFinder
from twisted_mail.delivery.onward.memory import RecentlyKnown
from twisted_mail.delivery.onward.next_hosts import NextHostFinder
from twisted_mail.delivery.onward.providers import Provider, Providers
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.remote import DEMAND_SECONDS, SECOND_TRY_SECONDS, RemoteCarrier
from twisted_mail.interfaces import FoundHosts, Site
from twisted_mail.mail.address import NULL
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.trust import Demand, PassedOver, Proof, TlsLevel, Whence
from twisted_mail.net.client.address_slots import MAX_WAITING
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.resolver import FakeResolver

B = "bob@there.example"


class Fixture:
    """A carrier, its DNS, and the hosts of the world by their addresses."""

    def __init__(self, *providers: Provider, login: Any = None, **settings: Any) -> None:
        self.dns, self.client, self.clock = FakeResolver(), FakeClient(), StillClock()
        self.settings = SendingSettings(**settings)
        hosts = MailHostFinder(self.dns, DialingRules(), "mail.here.example", lambda hosts: None)
        finder = NextHostFinder(self.settings, Providers(providers), hosts, self.dns)
        self.carrier = RemoteCarrier(
            self.client, finder, self.clock, self.settings, "mail.here.example", login
        )
        self.work = FakeWork()

    def domain(self, name: str, *hosts: str) -> "Fixture":
        self.dns.add(name, "MX", *(MailHost(at, host) for at, host in enumerate(hosts)))
        return self

    def host(self, name: str, *addresses: str, **values: Any) -> "Fixture":
        for address in addresses:
            self.dns.add(name, "AAAA" if ":" in address else "A", address)
            self.client.hosts[address] = FakeHost(**values)
        return self

    def down(self, name: str, *addresses: str) -> "Fixture":
        self.host(name, *addresses)
        for address in addresses:
            del self.client.hosts[address]
        return self

    def fill(self, *addresses: str) -> None:
        """Use up all connections that addresses may have."""
        for address in addresses:
            while self.carrier._slots.take(address, "others"):
                pass

    def site(self, domain: str = "there.example") -> Site | Attempt:
        return finish(self.carrier.site(Destination("smtp", domain)))

    def site_of(self, *transactions: Transaction) -> Site:
        """Return the site of the first of these that has one."""
        found = [self.site(one.destination.name) for one in transactions]
        return next((one for one in found if isinstance(one, Site)), Site("smtp", "none"))

    def serve(self, *transactions: Transaction, later: tuple[Transaction, ...] = ()) -> FakeWork:
        """Hand these on, after their sites were asked for, as the queue does."""
        for one in (*transactions, *later):
            self.site(one.destination.name)
        self.work.waiting += transactions
        self.work.later += later
        finish(self.carrier.serve(self.site_of(*transactions, *later), self.work))
        return self.work


@pytest.fixture
def there() -> Fixture:
    fixture = Fixture().domain("there.example", "mx1.example", "mx2.example")
    return fixture.host("mx1.example", "192.0.2.1").host("mx2.example", "192.0.2.2")


def test_what_was_known_too_long_ago_is_forgotten() -> None:
    clock = StillClock()
    known: RecentlyKnown[int] = RecentlyKnown(clock, 10.0)
    known["a"] = 1
    clock.seconds += 11
    known["b"] = 2
    assert (len(known), known["b"]) == (1, 2)


def mail(*recipients: str, id: str = "a", last: Attempt | None = None) -> Transaction:
    return transaction(*recipients or (B,), id=id, last=last)


# ------------------------------------------------------------ sites


def test_a_site_is_asked_for(there: Fixture) -> None:
    site = there.site()
    assert isinstance(site, Site)
    assert site.name == "mx1.example+mx2.example"


def test_why_there_is_no_site(there: Fixture) -> None:
    there.dns.missing.add("nowhere.example")
    there.dns.broken.add("silent.example")
    final, later = there.site("nowhere.example"), there.site("silent.example")
    assert isinstance(final, Attempt)
    assert isinstance(later, Attempt)
    assert (final.outcome.enhanced, final.reply_class) == ("5.1.2", ReplyClass.DNS)
    assert (later.outcome.enhanced, later.reply_class) == ("4.4.3", ReplyClass.DNS)


# ------------------------------------------------------------ handing on


def test_a_slot_at_an_address_is_free_when_the_connection_is_gone(there: Fixture) -> None:
    there.client.lingers = True
    there.serve(mail())
    assert there.client.is_open == 0
    assert len(there.carrier._slots) == 1
    there.client.leave()
    assert len(there.carrier._slots) == 0


def test_what_there_is_goes_over_one_connection(there: Fixture) -> None:
    work = there.serve(mail(id="a"), mail(id="b"), later=(mail(id="c"),))
    assert there.client.sent == [("192.0.2.1", "a"), ("192.0.2.1", "b"), ("192.0.2.1", "c")]
    assert there.client.addresses == ["192.0.2.1"]
    assert work.codes == [("a", {1: 250}), ("b", {1: 250}), ("c", {1: 250})]
    assert there.client.is_open == 0


def test_the_next_host_is_dialled_where_one_does_not_answer(there: Fixture) -> None:
    del there.client.hosts["192.0.2.1"]
    work = there.serve(mail())
    assert there.client.addresses == ["192.0.2.1", "192.0.2.2"]
    assert work.codes == [("a", {1: 250})]
    assert work.unreached == []


@pytest.mark.parametrize("greeting", [Outcome(554, "5.7.1", "go away"), Outcome(421, "", "busy")])
def test_a_greeting_that_refuses_is_of_one_host(there: Fixture, greeting: Outcome) -> None:
    there.client.hosts["192.0.2.1"].refuses = greeting
    assert there.serve(mail()).codes == [("a", {1: 250})]


def test_a_site_that_is_not_reached_rests_and_its_mail_is_as_it_was(there: Fixture) -> None:
    there.client.hosts.clear()
    work = there.serve(mail(id="a"), mail(id="b"))
    (attempt,) = work.unreached
    assert attempt.outcome.is_temporary
    assert work.ended == []
    assert [one.job.id for one in work.waiting] == ["b"]


def test_what_a_host_has_said_goes_before_one_that_is_silent(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"].refuses = Outcome(554, "5.7.1", "blocked")
    del there.client.hosts["192.0.2.2"]
    (attempt,) = there.serve(mail()).unreached
    assert (attempt.outcome.code, attempt.outcome.enhanced) == (554, "5.7.1")  # as it was said
    assert attempt.host == "mx1.example"


def test_hosts_that_never_take_mail_are_final_if_all_are(there: Fixture) -> None:
    for host in there.client.hosts.values():
        host.refuses = Outcome(521, "", "mx.example does not accept mail")
    work = there.serve(mail(id="a"), mail(id="b"))
    assert work.codes == [("a", {1: 521}), ("b", {1: 521})]
    assert there.client.addresses == ["192.0.2.1", "192.0.2.2"]
    there.client.hosts["192.0.2.2"].refuses = Outcome(421, "", "busy")
    assert len(there.serve(mail()).unreached) == 1


def test_that_a_host_never_takes_mail_is_said_by_its_greeting(
    there: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in there.client.hosts.values():
        host.refuses = Outcome(521, "5.7.1", "Your address is blocked")
    connect = there.client.connect

    async def at_hello(*arguments: Any) -> Any:
        refused = await connect(*arguments)
        assert isinstance(refused, Attempt)
        return replace(refused, command="EHLO mail.here.example")

    monkeypatch.setattr(there.client, "connect", at_hello)
    work = there.serve(mail())
    assert (work.codes, len(work.unreached)) == ([], 1)


def test_a_destination_that_has_become_unknown_is_ended_and_others_go_on(there: Fixture) -> None:
    there.dns.broken.add("silent.example")
    there.dns.missing.add("missing.example")
    site, work = there.site_of(mail()), there.work
    work.waiting += [mail("x@silent.example"), mail("x@missing.example", id="b"), mail(id="c")]
    finish(there.carrier.serve(site, work))
    assert work.codes == [("b", {1: 550}), ("c", {1: 250})]
    assert work.unreached_alone == [Destination("smtp", "silent.example")]


def test_nothing_to_do(there: Fixture) -> None:
    there.serve()
    assert there.client.dialled == []


# ------------------------------------------------------------ other destinations


def test_another_domain_of_the_same_hosts_goes_over_the_connection(there: Fixture) -> None:
    there.domain("other.example", "mx1.example")
    there.serve(mail(id="a"), mail("x@other.example", id="b"))
    assert there.client.addresses == ["192.0.2.1"]


def test_another_domain_of_other_hosts_gets_another_connection() -> None:
    fixture = Fixture(Provider("big", ("big.example",)))
    fixture.domain("there.example", "a.big.example").host("a.big.example", "192.0.2.1")
    fixture.domain("other.example", "b.big.example").host("b.big.example", "192.0.2.9")
    work = fixture.serve(mail(id="a"), mail("x@other.example", id="b"), mail(id="c"))
    assert fixture.client.sent == [("192.0.2.1", "a"), ("192.0.2.9", "b"), ("192.0.2.1", "c")]
    assert len(work.ended) == 3


# ------------------------------------------------------------ greylists


def grey(host: str, address: str) -> Attempt:
    return attempt(
        "450 4.2.0 Greylisted", host=host, address=address, reply_class=ReplyClass.GREYLIST
    )


def test_a_greylist_sees_mail_come_back_at_the_same_address(there: Fixture) -> None:
    there.serve(mail(last=grey("mx2.example", "192.0.2.2")))
    assert there.client.addresses == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("source", "bound"), [("127.0.0.1", "127.0.0.1"), ("192.0.2.77", ""), ("", "")]
)
def test_it_comes_from_the_same_address_as_long_as_we_have_it(
    there: Fixture, source: str, bound: str
) -> None:
    there.serve(mail(last=replace(grey("mx2.example", "192.0.2.2"), source=source)))
    assert [hop.source for hop in there.client.dialled] == [bound]


def test_another_host_is_dialled_from_any_address(there: Fixture) -> None:
    del there.client.hosts["192.0.2.2"]
    there.serve(mail(last=replace(grey("mx2.example", "192.0.2.2"), source="127.0.0.1")))
    assert [hop.source for hop in there.client.dialled] == ["127.0.0.1", ""]


def test_a_greylist_that_is_gone_keeps_no_mail_back(there: Fixture) -> None:
    there.serve(mail(last=grey("mx7.example", "192.0.2.7")))
    assert there.client.addresses == ["192.0.2.1"]


def test_mail_that_a_greylist_waits_for_leaves_an_open_connection(there: Fixture) -> None:
    there.serve(mail(id="a"), mail(id="b", last=grey("mx2.example", "192.0.2.2")), mail(id="c"))
    assert there.client.sent == [("192.0.2.1", "a"), ("192.0.2.2", "b"), ("192.0.2.2", "c")]


def test_mail_whose_answer_was_lost_goes_to_the_same_host_again(there: Fixture) -> None:
    lost = attempt(
        "451 4.4.2 The connection was lost",
        host="mx2.example",
        address="192.0.2.2",
        command=".",
        is_reply=False,
        reply_class=ReplyClass.NETWORK,
    )
    there.serve(mail(last=lost))
    assert there.client.addresses == ["192.0.2.2"]


# ------------------------------------------------------------ answers


def test_replies_are_classified(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"].answers = lambda one: Outcome(550, "5.1.1", "User unknown")
    ((_, attempts),) = there.serve(mail()).ended
    assert attempts[1].reply_class is ReplyClass.MAILBOX


def test_a_rate_is_noted(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"].answers = lambda one: Outcome(450, "4.7.1", "too much mail")
    assert len(there.serve(mail()).slowed) == 1


def test_the_rate_of_one_mailbox_is_no_rate_of_the_site(there: Fixture) -> None:
    text = "The user is receiving mail at a rate that prevents this"
    there.client.hosts["192.0.2.1"].answers = lambda one: Outcome(450, "4.2.1", text)
    assert there.serve(mail()).slowed == []


def test_421_at_the_end_of_a_connection_is_noted_once(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"] = FakeHost(ends=Outcome(421, "4.7.0", "enough"), most=1)
    work = there.serve(mail(id="a"), mail(id="b"))
    assert [one.outcome.code for one in work.slowed] == [421]
    assert work.unreached == []


def test_a_connection_that_ends_before_anything_is_said_is_no_success(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"] = FakeHost(ends=Outcome(451, "4.4.2", "lost"), most=0)
    assert len(there.serve(mail()).unreached) == 1


def test_a_bug_of_the_client_closes_the_connection(there: Fixture) -> None:
    def bug(recipient: str) -> Outcome:
        raise RuntimeError("a bug")

    there.client.hosts["192.0.2.1"].answers = bug
    with pytest.raises(RuntimeError):
        there.serve(mail())
    assert there.client.is_open == 0
    assert len(there.carrier._slots) == 0


# ------------------------------------------------------------ two versions of IP


@pytest.fixture
def both() -> Fixture:
    fixture = Fixture().domain("there.example", "mx.example")
    fixture.host("mx.example", "2001:db8::1", answers=lambda one: POLICY)
    return fixture.host("mx.example", "192.0.2.1")


def test_what_ipv6_is_refused_by_policy_goes_by_ipv4(both: Fixture) -> None:
    work = both.serve(mail(id="a"), mail(id="b"))
    assert both.client.sent[:2] == [("2001:db8::1", "a"), ("192.0.2.1", "a")]
    assert work.codes[0] == ("a", {1: 250})
    assert work.avoids == 6


def test_after_that_only_ipv4_is_dialled(both: Fixture) -> None:
    both.work.avoids = 6
    both.serve(mail())
    assert both.client.addresses == ["192.0.2.1"]


def test_the_reverse() -> None:
    fixture = Fixture().domain("there.example", "mx.example")
    fixture.host("mx.example", "192.0.2.1", answers=lambda one: POLICY)
    fixture.host("mx.example", "2001:db8::1")
    fixture.client.hosts["2001:db8::1"].refuses = Outcome(554, "5.7.1", "no")
    work = fixture.serve(mail())
    assert fixture.client.addresses == ["2001:db8::1", "192.0.2.1", "2001:db8::1"]
    assert work.codes == [("a", {1: 550})]  # the other version is no better


def test_only_who_was_refused_is_tried_again(both: Fixture) -> None:
    both.client.hosts["2001:db8::1"].answers = lambda one: POLICY if one == B else OK
    work = both.serve(mail(B, "carol@there.example"))
    assert work.codes == [("a", {2: 250}), ("a", {1: 250})]
    assert work.ended[0][0] is work.ended[1][0]


def test_a_refusal_over_both_is_final_and_not_tried_twice_again(both: Fixture) -> None:
    both.client.hosts["192.0.2.1"].answers = lambda one: POLICY
    assert both.serve(mail(id="a")).codes == [("a", {1: 550})]
    assert both.client.addresses == ["2001:db8::1", "192.0.2.1"]
    both.serve(mail(id="b"))
    assert both.client.addresses == ["2001:db8::1", "192.0.2.1", "2001:db8::1"]
    assert both.work.codes == [("a", {1: 550}), ("b", {1: 550})]
    assert both.work.avoids == 0


def test_where_ipv4_is_not_reached_the_refusal_stands(both: Fixture) -> None:
    del both.client.hosts["192.0.2.1"]
    assert both.serve(mail()).codes == [("a", {1: 550})]


def test_who_is_cancelled_at_the_second_try_is_as_before(both: Fixture) -> None:
    both.fill("192.0.2.1")
    both.work.waiting.append(mail())
    both.site()
    serving = Deferred.fromCoroutine(both.carrier.serve(both.site_of(mail()), both.work))
    serving.addErrback(lambda failure: failure.trap(CancelledError))
    assert both.client.addresses == ["2001:db8::1"]
    assert not serving.called
    serving.cancel()
    assert (serving.called, both.work.ended) == (True, [])


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(550, "5.1.1", "User unknown"),
        Outcome(552, "5.2.2", "Mailbox full"),
        Outcome(550, "5.7.1", "Message contains a virus"),
        Outcome(450, "4.7.25", "No reverse name"),
    ],
)
def test_other_refusals_stand(both: Fixture, outcome: Outcome) -> None:
    both.client.hosts["2001:db8::1"].answers = lambda one: outcome
    work = both.serve(mail())
    assert both.client.addresses == ["2001:db8::1"]
    assert work.codes == [("a", {1: outcome.code})]


# ------------------------------------------------------------ providers


def provider_fixture() -> Fixture:
    fixture = Fixture(Provider("big", ("big.example",), messages=7))
    fixture.domain("a.example", "a.big.example").domain("b.example", "b.big.example")
    return fixture.down("a.big.example", "192.0.2.1").host("b.big.example", "192.0.2.2")


def test_one_customer_of_a_provider_that_is_down_is_no_word_on_the_others() -> None:
    fixture = provider_fixture()
    work = fixture.serve(mail("x@a.example", id="a"), mail("x@b.example", id="c"))
    assert work.codes == [("c", {1: 250})]
    assert work.unreached_alone == [Destination("smtp", "a.example")]
    assert fixture.client.settings[-1].limits.max_messages == 7


def test_a_domain_whose_hosts_are_others_than_a_moment_ago_rests_alone(there: Fixture) -> None:
    site = there.site_of(mail())
    there.dns.records.clear()
    there.domain("there.example", "mx1.example", "tarpit.evil.example")
    there.host("mx1.example", "192.0.2.1").host("tarpit.evil.example", "192.0.2.66")
    there.work.waiting.append(mail())
    finish(there.carrier.serve(site, there.work))
    assert (there.client.addresses, there.work.ended) == ([], [])
    assert there.work.unreached_alone == [Destination("smtp", "there.example")]


# ------------------------------------------------------------ limits


def test_an_address_with_all_its_connections_is_passed_over(there: Fixture) -> None:
    there.fill("192.0.2.1")
    there.serve(mail())
    assert there.client.addresses == ["192.0.2.2"]


def test_a_site_with_all_its_connections_is_to_have_fewer(there: Fixture) -> None:
    there.fill("192.0.2.1", "192.0.2.2")
    for one in range(MAX_WAITING):
        Deferred.fromCoroutine(there.carrier._slots.wait("192.0.2.1", f"site {one}"))
    work = there.serve(mail())
    assert there.client.addresses == []
    assert (len(work.slowed), work.ended, work.unreached) == (1, [], [])


def test_a_connection_that_ends_makes_room_for_one_that_waits(there: Fixture) -> None:
    there.fill("192.0.2.1")
    del there.client.hosts["192.0.2.2"]  # which does not make the site unreachable
    there.work.waiting.append(mail())
    there.site()
    serving = Deferred.fromCoroutine(there.carrier.serve(there.site_of(mail()), there.work))
    assert not serving.called
    there.carrier._slots.release("192.0.2.1", "others")
    assert serving.called
    assert there.work.codes == [("a", {1: 250})]
    assert there.work.unreached == []


def test_a_host_that_was_waited_for_does_not_speak_for_those_that_were_not_reached(
    there: Fixture,
) -> None:
    there.fill("192.0.2.1")
    there.client.hosts["192.0.2.1"].refuses = Outcome(521, "", "mx1.example does not accept mail")
    del there.client.hosts["192.0.2.2"]
    there.work.waiting.append(mail())
    there.site()
    Deferred.fromCoroutine(there.carrier.serve(there.site_of(mail()), there.work))
    there.carrier._slots.release("192.0.2.1", "others")
    assert (there.work.codes, len(there.work.unreached)) == ([], 1)


def test_limits_and_port_are_those_of_the_settings() -> None:
    fixture = Fixture(port=2525, messages=3, age=4, idle=5, recipients=6)
    fixture.host("there.example", "192.0.2.1").serve(mail())
    (settings,), (hop,) = fixture.client.settings, fixture.client.dialled
    limits = settings.limits
    assert (limits.max_messages, limits.max_age, limits.idle, limits.max_recipients) == (3, 4, 5, 6)
    assert (hop.port, hop.host, hop.source) == (2525, "there.example", "")
    assert (settings.hostname, settings.demand.level, settings.login) == (
        "mail.here.example",
        TlsLevel.MAY,
        None,
    )


def test_no_address_of_a_version_that_is_used_is_for_now() -> None:
    fixture = Fixture(families="ipv6").host("there.example", "192.0.2.1")
    (attempt,) = fixture.serve(mail()).unreached
    assert attempt.outcome.is_temporary


# ------------------------------------------------------------ the relay


class FakeLogin(RelayLogin):
    def __init__(self, read: Callable[[], Credentials]) -> None:
        self.read_now = read

    async def read(self) -> Credentials:
        return self.read_now()


def test_a_relay_gets_all_with_a_login_over_proven_tls() -> None:
    login = FakeLogin(lambda: Credentials("alice", "secret"))
    fixture = Fixture(relay="smtps://10.0.0.1", relay_login="x", login=login)
    fixture.client.hosts["10.0.0.1"] = FakeHost()
    work = fixture.serve(mail(id="a"), mail("x@other.example", id="b"))
    assert fixture.client.sent == [("10.0.0.1", "a"), ("10.0.0.1", "b")]
    (settings,), (hop,) = fixture.client.settings, fixture.client.dialled
    assert (settings.demand.level, settings.is_tls_implicit) == (TlsLevel.VERIFY, True)
    assert settings.login == Credentials("alice", "secret")
    assert not settings.trusts_unproven
    assert hop.port == 465
    assert len(work.ended) == 2


def test_a_login_that_cannot_be_read_is_trouble_for_now(tmp_path: Any) -> None:
    login = RelayLogin(tmp_path / "none", InlineBlocking(), lambda where, error: None)
    fixture = Fixture(relay="smtp://10.0.0.1", relay_login="x", login=login)
    (attempt,) = fixture.serve(mail()).unreached
    assert attempt.reply_class is ReplyClass.CONFIGURATION
    assert fixture.client.dialled == []


def test_a_login_that_is_refused_is_no_failure_of_the_mail() -> None:
    fixture = Fixture(relay="smtp://10.0.0.1")
    fixture.client.hosts["10.0.0.1"] = FakeHost(refuses=Outcome(535, "5.7.8", "Wrong password"))
    work = fixture.serve(mail())
    assert work.ended == []
    assert work.unreached[0].outcome.code == 535  # as it was said


def test_a_relay_that_takes_no_mail_is_no_word_on_the_domains() -> None:
    fixture = Fixture(relay="smtp://10.0.0.1")
    fixture.client.hosts["10.0.0.1"] = FakeHost(Outcome(521, "", "takes no mail from you"))
    work = fixture.serve(mail())
    assert (work.codes, len(work.unreached)) == ([], 1)


def test_what_a_relay_refuses_by_policy_stands() -> None:
    fixture = Fixture(relay="smtp://relay.example")
    fixture.host("relay.example", "2001:db8::1", answers=lambda one: POLICY)
    fixture.host("relay.example", "192.0.2.1")
    assert fixture.serve(mail()).codes == [("a", {1: 550})]


# ------------------------------------------------------------ whatever hosts do

OUTCOMES = st.sampled_from(
    [
        OK,
        POLICY,
        Outcome(450, "4.2.0", "Greylisted"),
        Outcome(421, "4.7.0", "Too many messages"),
        Outcome(550, "5.1.1", "User unknown"),
        Outcome(521, "", "does not accept mail"),
    ]
)
HOSTS = st.one_of(
    st.none(),
    st.builds(
        lambda refuses, answer, ends, most: FakeHost(refuses, lambda _: answer, ends, most),
        st.none() | OUTCOMES.filter(lambda one: one.code > 400),
        OUTCOMES,
        st.none() | st.just(Outcome(421, "", "enough")),
        st.integers(0, 3),
    ).filter(lambda host: host.most or host.ends),
)
ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]


@given(
    hosts=st.lists(HOSTS, min_size=4, max_size=4),
    mails=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=6),
    has_provider=st.booleans(),
)
def test_each_recipient_ends_once_at_most_and_no_connection_stays(
    hosts: list[FakeHost | None], mails: list[tuple[int, int]], has_provider: bool
) -> None:
    fixture = Fixture(*([Provider("p", ("example",))] if has_provider else []))
    fixture.domain("d0.example", "m0.example", "m1.example").domain("d1.example", "m1.example")
    for at, address in enumerate(ADDRESSES):
        fixture.host(f"m{at % 2}.example", address)
        if hosts[at] is None:
            del fixture.client.hosts[address]
        else:
            fixture.client.hosts[address] = hosts[at]
    given_out = [
        mail(*(f"r{number}@d{domain}.example" for number in range(recipients)), id=f"j{at}")
        for at, (domain, recipients) in enumerate(mails)
    ]
    work = fixture.serve(*given_out)
    ended = [(id(one), number) for one, attempts in work.ended for number in attempts]
    assert len(set(ended)) == len(ended)
    assert {one for one, _ in ended} <= set(map(id, given_out))
    assert fixture.client.is_open == 0
    assert len(fixture.carrier._slots) == 0
    finals = [one for _, attempts in work.ended for one in attempts.values()]
    assert all(
        one.reply_class is not ReplyClass.NETWORK or one.outcome.is_temporary for one in finals
    )
    if given_out and not ended:
        assert work.unreached or work.slowed


# ------------------------------------------------------------ what is demanded of hosts


class Rules:
    """What is demanded of hosts, by their names, or of all hosts of a domain."""

    def __init__(self, **demands: Demand | PassedOver) -> None:
        self.demands = {f"{name}.example": one for name, one in demands.items()}
        self.of_domains: dict[str, Demand | PassedOver] = {}
        self.asked: list[tuple[tuple[str, ...], bool]] = []

    async def of(self, found: FoundHosts) -> Mapping[str, Demand | PassedOver]:
        self.asked.append((found.names, found.is_authentic))
        usual = self.of_domains.get(found.names[0], Demand())
        return {one.name: self.demands.get(one.name, usual) for one in found.hosts}


OUTSIDE = PassedOver("mx1.example", Outcome(451, "4.7.5", "mx1.example is none of the hosts"))


def verify(host: str) -> Demand:
    return Demand(TlsLevel.VERIFY, Whence.MTA_STS, (host,))


def ruled(there: Fixture, **demands: Demand | PassedOver) -> Rules:
    rules = there.carrier._demands = Rules(**demands)
    return rules


def waiving(one: Transaction) -> Transaction:
    return replace(one, job=replace(one.job, is_tls_optional=True))


def test_each_host_is_dialled_with_its_own_demand(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"].refuses = Outcome(451, "4.7.5", "no TLS")
    rules = ruled(there, mx1=verify("mx1.example"), mx2=Demand(TlsLevel.ENCRYPT))
    there.serve(mail())
    assert [one.demand.label for one in there.client.settings] == ["verify/mta-sts", "encrypt"]
    assert set(rules.asked) == {(("there.example",), False)}


def test_a_host_that_is_passed_over_is_not_dialled(there: Fixture) -> None:
    ruled(there, mx1=OUTSIDE)
    assert there.serve(mail()).codes == [("a", {1: 250})]
    assert there.client.addresses == ["192.0.2.2"]


def test_where_all_hosts_are_passed_over_the_message_waits_and_the_site_does_not(
    there: Fixture,
) -> None:
    ruled(there, mx1=OUTSIDE, mx2=PassedOver("mx2.example", OUTSIDE.outcome))
    work = there.serve(mail())
    assert there.client.dialled == []
    assert (work.ended, work.unreached_alone) == ([], [Destination("smtp", "there.example")])
    [attempt] = work.unreached
    assert (attempt.outcome.code, attempt.reply_class) == (451, ReplyClass.TLS)
    assert attempt.host == "mx2.example"


def test_tls_that_fails_where_it_is_demanded_is_no_word_on_the_site(there: Fixture) -> None:
    ruled(there, mx1=verify("mx1.example"), mx2=verify("mx2.example"))
    for address in ("192.0.2.1", "192.0.2.2"):
        there.client.hosts[address].refuses = Outcome(451, "4.7.5", "The certificate has expired")
    there.client.failure_class = ReplyClass.TLS
    work = there.serve(mail())
    assert (work.ended, work.unreached_alone) == ([], [Destination("smtp", "there.example")])


def test_a_message_for_which_tls_is_not_required_goes_wherever_it_can(there: Fixture) -> None:
    ruled(there, mx1=OUTSIDE, mx2=PassedOver("mx2.example", OUTSIDE.outcome))
    assert there.serve(waiving(mail())).codes == [("a", {1: 250})]
    assert there.client.settings[0].demand.label == "may/tls-required"


@pytest.mark.parametrize(
    ("first", "second", "connections"),
    [
        (Demand(), Demand(), 1),
        (Demand(), verify("mx1.example"), 2),
        (verify("mx1.example"), Demand(), 1),
        (verify("mx1.example"), verify("mx1.example"), 1),
        (verify("mx1.example"), verify("other.example"), 2),
        (Demand(TlsLevel.NONE), Demand(), 2),
        (Demand(TlsLevel.ENCRYPT), Demand(TlsLevel.NONE), 1),
        (Demand(TlsLevel.ENCRYPT), OUTSIDE, 1),
    ],
)
def test_a_connection_is_used_where_its_proof_is_enough(
    there: Fixture, first: Demand, second: Demand | PassedOver, connections: int
) -> None:
    there.domain("else.example", "mx1.example", "mx2.example")
    ruled(there).of_domains = {"there.example": first, "else.example": second}
    there.serve(mail(), mail("carol@else.example", id="b"))
    assert len(there.client.dialled) == connections


def test_what_is_tried_a_second_time_goes_over_no_connection_that_proves_less(
    both: Fixture,
) -> None:
    both.domain("else.example", "mx.example")
    ruled(both).of_domains = {"else.example": Demand(TlsLevel.ENCRYPT)}
    host = both.client.hosts["2001:db8::1"]
    host.proves, host.answers = Proof(is_encrypted=True), lambda one: OK if one == B else POLICY
    work = both.serve(mail(), mail("carol@else.example", id="b"))
    assert both.client.sent == [("2001:db8::1", "a"), ("2001:db8::1", "b")]
    assert work.codes == [("a", {1: 250}), ("b", {1: 550})]


def test_nor_is_what_is_too_large_offered_by_the_demand_of_another(there: Fixture) -> None:
    place, large = ("mx1.example", "192.0.2.1"), attempt("552 5.3.4 too large", is_reply=False)
    over = ConnectionWork(there.work, mail(), place, lambda _: None, False, lambda _: True)
    stricter = requiring(mail(id="b"))
    over.done(stricter, {1: large})
    assert (over.too_large, over.left) == ([], stricter)


# ------------------------------------------------------------ messages that require TLS


def requiring(one: Transaction, **values: Any) -> Transaction:
    parameters = MailParameters(requires_tls=True)
    return replace(one, job=replace(one.job, mail_parameters=parameters, **values))


CERTAIN = Demand(is_host_certain=True)


def test_a_message_that_requires_tls_wants_a_name_of_each_host(there: Fixture) -> None:
    ruled(there).of_domains = {"there.example": CERTAIN}
    assert there.serve(requiring(mail())).codes == [("a", {1: 250})]
    [settings] = there.client.settings
    assert settings.demand.label == "verify/requiretls"
    assert settings.demand.is_binding


def test_it_is_refused_where_nobody_vouches_for_the_hosts(there: Fixture) -> None:
    ruled(there)
    work = there.serve(requiring(mail()))
    assert there.client.dialled == []
    [(_, attempts)] = work.ended
    assert (attempts[1].outcome.code, attempts[1].outcome.enhanced) == (550, "5.7.10")


@pytest.mark.parametrize(
    ("answers", "enhanced"),
    [
        (("4.7.5", "4.7.5"), "5.7.10"),
        (("4.7.5", "4.7.30"), "5.7.30"),
    ],
)
def test_it_is_refused_once_no_host_is_good_enough(
    there: Fixture, answers: tuple[str, str], enhanced: str
) -> None:
    ruled(there).of_domains = {"there.example": CERTAIN}
    for address, code in zip(("192.0.2.1", "192.0.2.2"), answers, strict=True):
        there.client.hosts[address].refuses = Outcome(451, code, "No")
    there.client.failure_class = ReplyClass.TLS
    work = there.serve(requiring(mail()), mail(id="b"))
    assert there.client.addresses[:2] == ["192.0.2.1", "192.0.2.2"]
    assert work.ended[0][1][1].outcome == Outcome(550, enhanced, "No")


def test_it_waits_where_a_host_is_not_reached(there: Fixture) -> None:
    ruled(there).of_domains = {"there.example": CERTAIN}
    there.client.hosts.clear()
    work = there.serve(requiring(mail()))
    assert (len(work.unreached), work.ended) == (1, [])


def test_that_it_waits_is_no_word_on_other_mail(there: Fixture) -> None:
    ruled(there).of_domains = {"there.example": CERTAIN}
    there.client.hosts["192.0.2.1"].refuses = Outcome(451, "4.7.30", "No")
    there.client.failure_class = ReplyClass.TLS
    del there.client.hosts["192.0.2.2"]
    assert there.serve(requiring(mail())).codes == [("a", {1: 451})]
    assert isinstance(there.site(), Site)


def test_nor_is_it_one_on_a_relay() -> None:
    fixture = Fixture(relay="smtp://relay.example")
    fixture.host("relay.example", "2001:db8::1", "192.0.2.1")
    fixture.client.hosts["192.0.2.1"].refuses = Outcome(451, "4.7.30", "No")
    fixture.client.failure_class = ReplyClass.TLS
    del fixture.client.hosts["2001:db8::1"]
    work = fixture.serve(requiring(mail()))
    assert (work.codes, work.unreached) == ([("a", {1: 451})], [])


def test_it_waits_where_the_dns_is_silent_about_tlsa_records(there: Fixture) -> None:
    silent = PassedOver("mx1.example", Outcome(451, "4.4.3", "The DNS does not answer"))
    ruled(there, mx1=silent, mx2=silent)
    assert there.serve(requiring(mail())).codes == [("a", {1: 451})]


def test_a_report_that_requires_tls_goes_all_the_same(there: Fixture) -> None:
    ruled(there)
    assert there.serve(requiring(mail(), sender=NULL)).codes == [("a", {1: 250})]


def test_it_does_not_follow_on_a_connection_that_has_proven_less(there: Fixture) -> None:
    ruled(there).of_domains = {"there.example": CERTAIN}
    there.serve(mail(), requiring(mail(id="b")))
    assert [one.demand.label for one in there.client.settings] == ["may", "verify/requiretls"]


def test_mail_does_not_wait_long_for_what_is_demanded_and_holds_up_no_other(there: Fixture) -> None:
    rules = ruled(there)

    async def slowly(found: FoundHosts) -> Mapping[str, Demand | PassedOver]:
        if found.names[0] == "there.example":
            await there.clock.sleep(DEMAND_SECONDS + 1)
        return await Rules.of(rules, found)

    rules.of = slowly  # type: ignore[method-assign]
    found = there.site()
    assert isinstance(found, Attempt)
    assert found.outcome.enhanced == "4.4.3"
    work = there.serve(mail())
    assert work.unreached_alone == [Destination("smtp", "there.example")]
    assert there.client.settings == []


# ------------------------------------------------------------ large mail

LARGE = Outcome(552, "5.3.4", "The host takes messages of 70000 octets at most")


def larger(fixture: Fixture, *refusing: str) -> Fixture:
    """Let hosts say that the message is too large."""
    for address in refusing:
        fixture.client.hosts[address].answers = lambda one: LARGE
    return fixture


def test_what_is_too_large_for_one_host_is_taken_by_another(there: Fixture) -> None:
    work = larger(there, "192.0.2.1").serve(mail(id="a"), mail(id="b"))
    assert there.client.sent == [("192.0.2.1", "a"), ("192.0.2.2", "a")]
    assert work.codes == [("a", {1: 250})]


def test_what_is_too_large_for_all_fails_and_the_next_one_at_once(there: Fixture) -> None:
    larger(there, "192.0.2.1", "192.0.2.2").serve(mail(id="a"))
    there.serve(mail(id="b"))
    assert there.work.codes == [("a", {1: 552}), ("b", {1: 552})]
    assert there.client.sent[2:] == [("192.0.2.1", "b")]
    there.clock.seconds += SECOND_TRY_SECONDS
    there.serve(mail(id="c"))
    assert there.client.sent[3:] == [("192.0.2.1", "c"), ("192.0.2.2", "c")]


def test_the_word_of_the_hosts_that_are_reached_counts(there: Fixture) -> None:
    del there.client.hosts["192.0.2.2"]
    for id in ("a", "b"):
        larger(there, "192.0.2.1").serve(mail(id=id))
    assert there.work.codes == [("a", {1: 552}), ("b", {1: 552})]
    assert there.client.addresses == ["192.0.2.1", "192.0.2.2"] * 2


def test_a_host_that_says_so_in_answer_to_the_message_is_believed(there: Fixture) -> None:
    there.client.hosts["192.0.2.1"].answers = lambda one: LARGE
    there.client.are_replies = True
    assert there.serve(mail()).codes == [("a", {1: 552})]
    assert there.client.addresses == ["192.0.2.1"]


def test_a_relay_has_no_others() -> None:
    fixture = Fixture(relay="smtp://10.0.0.1")
    fixture.client.hosts["10.0.0.1"] = FakeHost(answers=lambda one: LARGE)
    assert fixture.serve(mail()).codes == [("a", {1: 552})]
