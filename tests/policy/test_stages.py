from tests.support import NoteJournal, StillClock, finish
from twisted_mail.interfaces import Peer
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import ACCEPT, AddField, Decision, Stage, Verdict, defer, refuse
from twisted_mail.policy.stages import Seat, Stages

PEER = Peer("192.0.2.1", 1234)


class Says:
    """A filter that says the same each time, and keeps whom it was asked about."""

    def __init__(self, verdict, *stages, clock=None, takes=0.0):
        self.stages = stages or (Stage.MESSAGE,)
        self.verdict, self.clock, self.takes = verdict, clock, takes
        self.asked = []

    async def judge(self, stage, visit):
        self.asked.append((stage, visit))
        if self.takes:
            await self.clock.sleep(self.takes)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


class Follows(Says):
    def __init__(self, *args):
        super().__init__(*args)
        self.heard = []

    def ended(self, visit, is_over):
        self.heard.append(is_over)


def judged(*filters, stage=Stage.MESSAGE, clock=None, **rules):
    journal = NoteJournal()
    seats = [Seat(f"filter{at}", one, **rules) for at, one in enumerate(filters)]
    stages = Stages(clock or StillClock(), journal, seats)
    visit = stages.begin("smtp", PEER)
    return finish(stages.judge(stage, visit)), visit, journal


def test_without_filters_there_is_no_visit():
    assert Stages(StillClock(), NoteJournal()).begin("smtp", PEER) is None


def test_a_filter_is_asked_only_about_its_services_and_stages():
    stages = Stages(StillClock(), NoteJournal(), [Seat("a", Says(ACCEPT, Stage.SENDER), ["smtp"])])
    assert stages.begin("lmtp", PEER) is None
    visit = stages.begin("smtp", PEER)
    assert stages.is_asked(Stage.SENDER, visit)
    assert not stages.is_asked(Stage.MESSAGE, visit)


def test_the_first_refusal_ends_the_asking_and_is_what_the_peer_is_told():
    told = Outcome(550, "5.7.1", "Go away")
    first, second, third = Says(ACCEPT), Says(refuse("listed", told)), Says(ACCEPT)
    verdict, visit, journal = judged(first, second, third)
    assert verdict.answer == told
    assert not third.asked
    assert visit.verdicts == [("filter1", second.verdict)]
    assert [event for event, _ in journal.events] == ["judged"]


def test_of_verdicts_that_take_the_mail_the_strictest_holds_with_all_edits():
    one, other = AddField("X-One", "1"), AddField("X-Other", "2")
    verdict, _, _ = judged(
        Says(Verdict(edits=(one,))),
        Says(Verdict(Decision.QUARANTINE, "smells", edits=(other,))),
        Says(ACCEPT),
    )
    assert verdict == Verdict(Decision.QUARANTINE, "smells", edits=(one, other))


def test_nobody_is_asked_after_a_final_verdict():
    last = Says(refuse("never"))
    verdict, _, _ = judged(Says(Verdict(reason="a friend", is_final=True)), last)
    assert verdict.decision is Decision.ACCEPT
    assert not last.asked


def test_a_filter_that_is_too_slow_gets_the_verdict_of_its_seat():
    clock = StillClock()
    slow = Says(ACCEPT, clock=clock, takes=11)
    verdict, visit, _ = judged(slow, clock=clock, when_failed=Decision.DEFER)
    assert verdict.decision is Decision.DEFER
    assert visit.verdicts[0][1].reason == "no answer within 10 seconds"


def test_a_filter_that_cannot_be_asked_gets_the_verdict_of_its_seat():
    verdict, _, journal = judged(Says(Unavailable("no DNS")), when_failed=Decision.REFUSE)
    assert verdict.decision is Decision.REFUSE
    assert "failed" not in [event for event, _ in journal.events]


def test_a_broken_filter_is_a_bug_in_the_log_and_nothing_worse():
    verdict, _, journal = judged(Says(ZeroDivisionError()), Says(defer("later")))
    assert verdict.decision is Decision.DEFER
    assert ("failed", ("filter filter0",)) in journal.events


def test_those_that_keep_something_hear_of_the_end():
    follower = Follows(ACCEPT)
    stages = Stages(StillClock(), NoteJournal(), [Seat("a", follower), Seat("b", Says(ACCEPT))])
    visit = stages.begin("smtp", PEER)
    stages.ended(visit, is_over=False)
    stages.ended(visit, is_over=True)
    assert follower.heard == [False, True]


def test_the_usual_words_are_said_where_a_filter_has_none():
    assert refuse("spam").answer == Outcome(550, "5.7.1", "Refused for reasons of policy")
    assert defer("new").answer.is_temporary
    assert not ACCEPT.is_refusal
