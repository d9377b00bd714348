import pytest

from twisted_mail.interfaces import Peer
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import (
    ACCEPT,
    AddField,
    Decision,
    FilterStage,
    Verdict,
    defer,
    refuse,
)
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

PEER = Peer("192.0.2.1", 1234)


class Says:
    """A filter that says the same each time, and keeps whom it was asked about."""

    def __init__(self, verdict, *stages, clock=None, takes=0.0):
        self.stages = stages or (FilterStage.MESSAGE,)
        self.verdict, self.clock, self.takes = verdict, clock, takes
        self.asked = []

    async def judge(self, stage, context):
        self.asked.append((stage, context))
        if self.takes:
            await self.clock.sleep(self.takes)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


class Follows(Says):
    def __init__(self, *args):
        super().__init__(*args)
        self.heard = []

    def ended(self, context, is_over):
        self.heard.append(is_over)


def judged(*filters, stage=FilterStage.MESSAGE, clock=None, **rules):
    journal = ListJournal()
    configured = [ConfiguredFilter(f"filter{at}", one, **rules) for at, one in enumerate(filters)]
    stages = FilterChain(clock or StillClock(), journal, configured)
    context = stages.begin("smtp", PEER)
    return finish(stages.judge(stage, context)), context, journal


def test_without_filters_there_is_no_context():
    assert FilterChain(StillClock(), ListJournal()).begin("smtp", PEER) is None


def test_a_filter_is_asked_only_about_its_services_and_stages():
    stages = FilterChain(
        StillClock(),
        ListJournal(),
        [ConfiguredFilter("a", Says(ACCEPT, FilterStage.SENDER), ["smtp"])],
    )
    assert stages.begin("lmtp", PEER) is None
    context = stages.begin("smtp", PEER)
    assert stages.is_asked(FilterStage.SENDER, context)
    assert not stages.is_asked(FilterStage.MESSAGE, context)


def test_the_first_refusal_ends_the_asking_and_is_what_the_peer_is_told():
    told = Outcome(550, "5.7.1", "Go away")
    first, second, third = Says(ACCEPT), Says(refuse("listed", told)), Says(ACCEPT)
    verdict, context, journal = judged(first, second, third)
    assert verdict.answer == told
    assert not third.asked
    assert context.verdicts == [("filter1", second.verdict)]
    assert [event for event, _ in journal.events] == ["judged"]


def test_of_verdicts_that_take_the_mail_the_strictest_holds_with_all_edits():
    one, other = AddField("X-One", "1"), AddField("X-Other", "2")
    verdict, _, _ = judged(
        Says(Verdict(edits=(one,))),
        Says(Verdict(Decision.QUARANTINE, "smells", edits=(other,))),
        Says(ACCEPT),
    )
    assert verdict == Verdict(Decision.QUARANTINE, "smells", edits=(one, other))


def conversation(filters, *steps):
    """Return the last verdict; a step is a stage, or the end of a transaction (None)."""
    journal = ListJournal()
    stages = FilterChain(
        StillClock(), journal, [ConfiguredFilter(f"{at}", one) for at, one in enumerate(filters)]
    )
    context, verdict = stages.begin("smtp", PEER), None
    for step in steps:
        if step is None:
            stages.ended(context, is_over=False)
        else:
            verdict = finish(stages.judge(step, context))
    return verdict, context, journal


@pytest.mark.parametrize(
    "stage", [FilterStage.CONNECT, FilterStage.HELLO, FilterStage.SENDER, FilterStage.RECIPIENT]
)
def test_what_was_said_earlier_holds_for_the_message(stage):
    quarantine = Verdict(Decision.QUARANTINE, "odd", edits=(AddField("X-Odd", "1"),))
    verdict, _, _ = conversation([Says(quarantine, stage)], stage, FilterStage.MESSAGE)
    assert verdict == quarantine


def test_what_was_said_of_a_message_does_not_hold_for_the_next():
    says = [
        Says(Verdict(reason="client"), FilterStage.CONNECT),
        Says(defer("x", None), FilterStage.RECIPIENT),
    ]
    says.append(Says(Verdict(Decision.QUARANTINE, "bad"), FilterStage.SENDER))
    steps = (FilterStage.SENDER, FilterStage.RECIPIENT, FilterStage.MESSAGE, None)
    verdict, context, _ = conversation(
        says, FilterStage.CONNECT, FilterStage.HELLO, *steps, FilterStage.MESSAGE
    )
    assert [name for name, _ in context.verdicts] == ["0"]
    assert verdict.decision is Decision.ACCEPT


def test_what_was_said_of_a_name_goes_with_the_name():
    class Names(Says):
        async def judge(self, stage, context):
            return Verdict(reason=f"name {len(self.asked)}") if self.asked.append(1) is None else 0

    _, context, _ = conversation(
        [Names(ACCEPT, FilterStage.HELLO)], FilterStage.HELLO, FilterStage.HELLO, None
    )
    assert [one.reason for _, one in context.verdicts] == ["name 2"]


def test_a_name_that_is_refused_takes_nothing_back():
    hello = Says(ACCEPT, FilterStage.HELLO)
    says = [hello, Says(Verdict(Decision.QUARANTINE, "bad"), FilterStage.SENDER)]
    stages = FilterChain(
        StillClock(), ListJournal(), [ConfiguredFilter(f"{at}", one) for at, one in enumerate(says)]
    )
    context = stages.begin("smtp", PEER)
    for stage in (FilterStage.HELLO, FilterStage.SENDER):
        finish(stages.judge(stage, context))
    hello.verdict = refuse("no")
    finish(stages.judge(FilterStage.HELLO, context))
    assert finish(stages.judge(FilterStage.MESSAGE, context)).decision is Decision.QUARANTINE


def test_the_same_verdict_for_many_recipients_is_kept_and_told_once():
    stage = FilterStage.RECIPIENT
    _, context, journal = conversation([Says(Verdict(reason="fine"), stage)], *[stage] * 100)
    assert len(context.verdicts) == len(journal.events) == 1


def test_reasons_beyond_the_bound_are_not_kept_but_decisions_are():
    class Chatty(Says):
        async def judge(self, stage, context):
            self.asked.append(stage)
            number = len(self.asked)
            return Verdict(Decision.QUARANTINE if number == 200 else Decision.ACCEPT, f"{number}")

    steps = [FilterStage.RECIPIENT] * 200
    verdict, context, _ = conversation(
        [Chatty(ACCEPT, FilterStage.RECIPIENT)], *steps, FilterStage.MESSAGE
    )
    assert len(context.verdicts) == 51
    assert verdict.decision is Decision.QUARANTINE


def test_nobody_is_asked_after_a_final_verdict():
    last = Says(refuse("never"))
    verdict, _, _ = judged(Says(Verdict(reason="a friend", is_final=True)), last)
    assert verdict.decision is Decision.ACCEPT
    assert not last.asked


def test_a_filter_that_is_too_slow_gets_its_configured_verdict():
    clock = StillClock()
    slow = Says(ACCEPT, clock=clock, takes=11)
    verdict, context, _ = judged(slow, clock=clock, when_failed=Decision.DEFER)
    assert verdict.decision is Decision.DEFER
    assert context.verdicts[0][1].reason == "no answer within 10 seconds"


def test_a_filter_that_cannot_be_asked_gets_its_configured_verdict():
    verdict, _, journal = judged(Says(Unavailable("no DNS")), when_failed=Decision.REFUSE)
    assert verdict.decision is Decision.REFUSE
    assert "failed" not in [event for event, _ in journal.events]


def test_a_broken_filter_is_a_bug_in_the_log_and_nothing_worse():
    verdict, _, journal = judged(Says(ZeroDivisionError()), Says(defer("later")))
    assert verdict.decision is Decision.DEFER
    assert ("failed", ("filter filter0",)) in journal.events


def test_those_that_keep_something_hear_of_the_end():
    follower = Follows(ACCEPT)
    stages = FilterChain(
        StillClock(),
        ListJournal(),
        [ConfiguredFilter("a", follower), ConfiguredFilter("b", Says(ACCEPT))],
    )
    context = stages.begin("smtp", PEER)
    stages.ended(context, is_over=False)
    stages.ended(context, is_over=True)
    assert follower.heard == [False, True]


def test_the_usual_words_are_said_where_a_filter_has_none():
    assert refuse("spam").answer == Outcome(550, "5.7.1", "Refused for reasons of policy")
    assert defer("new").answer.is_temporary
    assert not ACCEPT.is_refusal


def test_what_a_filter_is_besides_is_asked_once_when_it_is_configured():
    made = Says(ACCEPT)
    chain = FilterChain(StillClock(), ListJournal(), [ConfiguredFilter("a", made)])
    context = chain.begin("smtp", PEER)
    heard = []
    made.ended = lambda *args: heard.append(args)
    chain.ended(context, is_over=True)
    assert not heard
