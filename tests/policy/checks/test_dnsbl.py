import pytest

from tests.policy.contexts import HOST, context, judged, names
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.verdict import Decision
from twisted_mail.policy.checks.dnsbl import DnsListCheck, DnsListSettings
from twisted_mail.policy.checks.dnsbl_query import DnsList
from twisted_mail.testing.doubles import StillClock
from twisted_mail.testing.recorded_log import ListJournal

BLOCK, OTHER = DnsList("bl.example"), DnsList("other.example", weight=2)
ALLOW = DnsList("wl.example", use="allow", weight=5)
SOUND = {
    f"2.0.0.127.{zone}": ["127.0.0.2"] for zone in ("bl.example", "other.example", "wl.example")
}


class DnsListFixture:
    def __init__(self, *lists, listed=(), txt=None, **options):
        self.resolver = names(
            A={**SOUND, **{name: ["127.0.0.2"] for name in listed}}, TXT=txt or {}
        )
        self.clock, self.journal = StillClock(), ListJournal()
        settings = DnsListSettings(lists=lists, **options)
        self.check = DnsListCheck(settings, self.resolver, self.clock, self.journal)

    def judge(self, *args, **more):
        return judged(self.check, context(*args, **more))

    @property
    def warnings(self):
        return [text for _, (_, text) in self.journal.events]


def test_a_client_that_is_not_listed_is_fine():
    fixture = DnsListFixture(BLOCK, OTHER)
    assert fixture.judge().reason == "not listed"
    assert not fixture.warnings


def test_a_listed_client_is_refused_in_the_words_of_the_list():
    fixture = DnsListFixture(
        BLOCK,
        listed=["1.2.0.192.bl.example"],
        txt={"1.2.0.192.bl.example": [b"see https://bl.example/?ip=192.0.2.1\r\n250 \xff"]},
    )
    verdict = fixture.judge()
    assert verdict.decision is Decision.REFUSE
    assert verdict.reason == "listed by bl.example: weight 1"
    said = "Listed by bl.example: see https://bl.example/?ip=192.0.2.1__250 _"
    assert (verdict.answer.code, verdict.answer.enhanced, verdict.answer.text) == (
        550,
        "5.7.1",
        said,
    )


def test_weights_are_added_and_what_they_reach_is_done():
    listed = ["1.2.0.192.bl.example", "1.2.0.192.other.example"]
    rules = {"quarantine_at": 1, "defer_at": 2, "refuse_at": 3}
    assert DnsListFixture(BLOCK, OTHER, listed=listed, **rules).judge().decision is Decision.REFUSE
    assert (
        DnsListFixture(BLOCK, OTHER, listed=listed[1:], **rules).judge().decision is Decision.DEFER
    )
    assert (
        DnsListFixture(BLOCK, OTHER, listed=listed[:1], **rules).judge().decision
        is Decision.QUARANTINE
    )


def test_an_allow_list_outweighs_and_ends_the_asking():
    listed = ["1.2.0.192.bl.example", "1.2.0.192.wl.example"]
    verdict = DnsListFixture(BLOCK, ALLOW, listed=listed).judge()
    assert verdict.decision is Decision.ACCEPT
    assert verdict.is_final
    assert verdict.reason == "listed by bl.example, wl.example (allows): weight -4"
    assert not DnsListFixture(ALLOW, listed=listed, trusts_allowed=False).judge().is_final


def test_names_are_looked_up_where_a_list_is_of_names():
    lists = [DnsList("d.example", of=of) for of in ("hello", "sender", "reverse-name")]
    for listed, hello, sender in [
        ("bad.example.d.example", "bad.example", "a@good.example"),
        ("bad.example.d.example", "good.example", "a@Bad.Example"),
        ("host.example.d.example", "good.example", ""),
    ]:
        fixture = DnsListFixture(*lists, listed=[listed])
        fixture.resolver.add(HOST, "PTR", "host.example")
        assert fixture.judge(hello=hello, sender=sender.lower()).is_refusal


def test_an_ipv6_client_is_looked_up_too():
    name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example"
    assert DnsListFixture(BLOCK, listed=[name]).judge("2001:db8::1").is_refusal


def test_a_list_that_has_everything_is_not_believed():
    fixture = DnsListFixture(BLOCK, listed=["1.0.0.127.bl.example", "1.2.0.192.bl.example"])
    assert fixture.judge().decision is Decision.ACCEPT
    assert fixture.warnings == ["is not used: it lists what no list may have"]
    fixture.judge("192.0.2.2")
    assert len(fixture.warnings) == 1
    fixture.resolver.records.pop(("1.0.0.127.bl.example", "A"))
    fixture.clock.seconds += 3600
    assert fixture.judge().is_refusal


def test_a_list_that_does_not_serve_us_is_not_believed():
    fixture = DnsListFixture(BLOCK)
    fixture.resolver.add("1.2.0.192.bl.example", "A", "127.255.255.254")
    assert fixture.judge().decision is Decision.ACCEPT
    assert fixture.warnings == ["is not used: it says that it does not serve us"]
    asked = len(fixture.resolver.asked)
    assert fixture.judge("192.0.2.9").decision is Decision.ACCEPT
    assert len(fixture.resolver.asked) == asked


def test_a_list_without_its_test_entry_is_used_with_a_warning():
    fixture = DnsListFixture(DnsList("own.example"), listed=["1.2.0.192.own.example"])
    assert fixture.judge().is_refusal
    assert fixture.warnings == ["lists nothing, not even its test entry"]


def test_a_domain_that_lapsed_lists_nobody():
    fixture = DnsListFixture(BLOCK)
    fixture.resolver.add("1.2.0.192.bl.example", "A", "198.51.100.80")
    assert fixture.judge().decision is Decision.ACCEPT


def test_without_an_answer_nothing_is_decided_unless_another_list_suffices():
    fixture = DnsListFixture(BLOCK, OTHER)
    fixture.resolver.broken.add("1.2.0.192.bl.example")
    with pytest.raises(Unavailable):
        fixture.judge()
    fixture = DnsListFixture(BLOCK, OTHER, listed=["1.2.0.192.other.example"])
    fixture.resolver.broken |= {"1.2.0.192.bl.example", "2.0.0.127.bl.example"}
    assert fixture.judge().is_refusal


def test_what_a_list_says_may_be_missing():
    fixture = DnsListFixture(BLOCK, listed=["1.2.0.192.bl.example"])
    find = fixture.resolver.texts

    async def texts(name):
        raise Unavailable("no answer")

    fixture.resolver.texts = texts
    assert fixture.judge().answer.text == "Listed by bl.example"
    fixture.resolver.texts = find


def test_reverse_names_that_cannot_be_found_are_not_looked_up():
    fixture = DnsListFixture(DnsList("d.example", of="reverse-name"))
    fixture.resolver.broken.add(HOST)
    assert fixture.judge().decision is Decision.ACCEPT


def test_a_list_that_refuses_the_trial_is_not_believed():
    fixture = DnsListFixture(DnsList("big.example"))
    fixture.resolver.add("2.0.0.127.big.example", "A", "127.255.255.254")
    fixture.resolver.add("1.2.0.192.big.example", "A", "127.0.0.2")
    assert fixture.judge().decision is Decision.ACCEPT
    assert fixture.warnings == ["is not used: it says that it does not serve us"]


def test_lists_are_believed_untried_where_the_settings_say_so():
    fixture = DnsListFixture(
        BLOCK, test_hours=0.0, listed=["1.0.0.127.bl.example", "1.2.0.192.bl.example"]
    )
    assert fixture.judge().is_refusal


def test_several_uses_of_one_zone_ask_it_the_same():
    worse = DnsList("bl.example", weight=5, replies=("127.0.0.9",))
    fixture = DnsListFixture(BLOCK, worse, refuse_at=6)
    fixture.resolver.add("1.2.0.192.bl.example", "A", "127.0.0.9")
    assert fixture.judge().is_refusal


def test_lists_need_to_know_what_they_list():
    with pytest.raises(ValueError, match="before the hello"):
        DnsListSettings(stage="connect", lists=(DnsList("d.example", of="hello"),))


def test_without_lists_nobody_is_asked():
    assert DnsListFixture().judge().decision is Decision.ACCEPT
