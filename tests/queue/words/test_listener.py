"""What the words of the operator do with the server running."""

import pytest

from tests.queue.words.operated import NOW, OperatedQueue, new_job, owed
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import BY_OPERATOR, OwedRecipient, RecipientState
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.words.alterations import GIVEN_UP, MODERATED, NOT_MODERATED
from twisted_mail.queue.words.listener import BUG, NO_WORD

HELD = RecipientState.HELD


@pytest.fixture
def queue() -> OperatedQueue:
    return OperatedQueue(
        new_job("1a", owed(1, "b@one.example", due=NOW + 60, tries=1), owed(2, "c@two.example")),
        new_job("2b", owed(1, "d@one.example"), owed(2, "e@one.example"), sender=""),
        new_job("3c", owed(1, "f@two.example", state=HELD, reason=BY_OPERATOR)),
    )


def test_retry_makes_due_what_is_later_and_wakes_its_destinations(queue: OperatedQueue) -> None:
    answer = queue.say(Word(Act.RETRY, by="root"))
    assert (answer["recipients"], answer["messages"]) == (4, 2)
    assert answer["passed_over"] == {"held: release lets it go on": 1}
    assert queue.recipients()["1a/1"].due == 0.0
    assert all(at_once for _, at_once in queue.look_agains)
    assert set().union(*(what for what, _ in queue.look_agains)) == {
        "smtp:one.example",
        "smtp:two.example",
    }
    assert queue.lines() == [("1a", "retried"), ("", "word")]


def test_retry_wakes_what_is_due_already_without_a_write(queue: OperatedQueue) -> None:
    async def refuse(change: SpoolChange) -> None:
        assert not change.altered
        queue.spool.answers.update(change.answered)

    queue.apply = refuse  # type: ignore[method-assign]
    answer = queue.say(Word(Act.RETRY, Selection(destinations=("smtp:two.example",))))
    assert answer["recipients"] == 1
    assert queue.look_agains == [({"smtp:two.example"}, True)]


def test_hold_and_release_are_inverses(queue: OperatedQueue) -> None:
    before = queue.recipients()["2b/1"]
    word = Selection(ids=("2b/1",))
    assert queue.say(Word(Act.HOLD, word))["recipients"] == 1
    held = queue.recipients()["2b/1"]
    assert (held.state, held.reason, held.due) == (HELD, BY_OPERATOR, 0.0)
    assert queue.say(Word(Act.HOLD, word))["passed_over"] == {"held already": 1}
    assert queue.say(Word(Act.RELEASE, word))["recipients"] == 1
    released = queue.recipients()["2b/1"]
    assert (released.state, released.reason, released.due) == (before.state, "", 0.0)
    assert [event for id, event in queue.lines() if id == "2b"] == ["held", "released"]


def test_release_leaves_what_waits_for_the_moderators_of_a_list(queue: OperatedQueue) -> None:
    post = OwedRecipient(
        1, ListTarget("news@example.org", ListRole.POST), state=HELD, reason="not a member"
    )
    queue = OperatedQueue(new_job("1a", post))
    answer = queue.say(Word(Act.RELEASE))
    assert (answer["recipients"], answer["passed_over"]) == (0, {MODERATED: 1})
    assert queue.recipients()["1a/1"].state is HELD


def test_remove_tells_nobody_and_a_message_without_recipients_goes(queue: OperatedQueue) -> None:
    answer = queue.say(Word(Act.REMOVE, Selection(destinations=("smtp:one.example",))))
    assert (answer["recipients"], answer["messages"], answer["reports"]) == (3, 2, 0)
    assert sorted(queue.recipients()) == ["1a/2", "3c/1"]
    assert queue.told == []
    assert queue.look_agains[-1] == ({"smtp:one.example"}, False)
    assert [id for id, event in queue.lines() if event == "removed"] == ["1a", "2b", "2b"]


def test_fail_reports_once_for_each_message_in_the_same_change() -> None:
    last = Attempt(Outcome(450, "4.2.2", "Full"), NOW)
    queue = OperatedQueue(
        new_job("1a", owed(1, "b@one.example", last=last), owed(2, "c@two.example"))
    )
    answer = queue.say(Word(Act.FAIL, Selection(ids=("1a",))))
    assert answer["reports"] == 1
    assert queue.told == [("1a", [1, 2])]
    assert sorted(queue.recipients()) == ["r1/1"]
    assert [pair for pair in queue.lines() if pair[0]] == [
        ("1a", "reported"),
        ("1a", "failed"),
        ("1a", "failed"),
    ]
    _, _, fields = queue.events.of("queue_event")[1]
    assert fields["text"] == f"{GIVEN_UP.text}; the last answer was: 450 4.2.2 Full"


def test_what_nobody_can_be_told_of_is_given_up_all_the_same(queue: OperatedQueue) -> None:
    answer = queue.say(Word(Act.FAIL, Selection(sender="<>")))
    assert (answer["recipients"], answer["reports"]) == (2, 0)
    assert "2b/1" not in queue.recipients()


def test_nothing_is_altered_and_nobody_told_while_the_report_cannot_be_written(
    queue: OperatedQueue,
) -> None:
    async def refuse(*_: object) -> None:
        raise Unavailable("The directory does not answer")

    queue.write = refuse  # type: ignore[method-assign]
    before = queue.recipients()
    assert queue.say(Word(Act.FAIL)) == {"error": "The directory does not answer"}
    assert queue.recipients() == before


def test_a_site_stands_for_the_destinations_behind_it(queue: OperatedQueue) -> None:
    queue.sites["mx.two"] = [Destination("smtp", "two.example")]
    assert queue.say(Word(Act.HOLD, Selection(site="mx.two")))["recipients"] == 1
    assert queue.recipients()["1a/2"].state is HELD
    assert queue.recipients()["1a/1"].state is not HELD


def test_a_site_that_nothing_lies_behind_selects_nothing_and_not_all(
    queue: OperatedQueue,
) -> None:
    assert queue.say(Word(Act.REMOVE, Selection(site="mx.nowhere")))["recipients"] == 0
    assert len(queue.recipients()) == 5


def test_suspend_and_resume_reach_the_disk_and_the_dispatcher(queue: OperatedQueue) -> None:
    stop = Suspension("domain", "one.example", NOW + 60, NOW)
    assert queue.say(Word(Act.SUSPEND, suspension=stop)) == {"suspended": "domain one.example"}
    assert queue.suspended == [stop]
    go_on = Word(Act.RESUME, suspension=Suspension("domain", "one.example"))
    assert queue.say(go_on)["was_suspended"]
    assert queue.suspended == []
    assert not queue.say(go_on)["was_suspended"]
    assert [sorted(what) for what, _ in queue.look_agains] == [
        ["suspend domain one.example"],
        ["resume domain one.example"],
        ["resume domain one.example"],
    ]


def test_a_question_alters_nothing_and_leaves_no_line(queue: OperatedQueue) -> None:
    queue.sites["mx.two"] = [Destination("smtp", "two.example")]
    answer = queue.say(Word(Act.ASK, Selection(site="mx.two"), destinations=("smtp:one.example",)))
    assert answer["destinations"] == ["smtp:two.example"]
    assert answer["waits"]["smtp:one.example"] == {
        "kind": "site",
        "until": NOW + 60,
        "text": "no answer",
        "site": "mx.one.example",
    }
    assert queue.lines() == []


def test_each_word_leaves_one_line_with_who_gave_it(queue: OperatedQueue) -> None:
    queue.say(Word(Act.HOLD, Selection(state=SelectedState.DEFERRED), by="carol"))
    id, event, fields = queue.events.of("queue_event")[-1]
    assert (id, event, fields["by"], fields["recipients"]) == ("", "word", "carol", 1)
    assert fields["selection"] == "state=deferred"


def test_a_word_of_another_version_is_answered_and_not_done_again(queue: OperatedQueue) -> None:
    assert queue.say(None) == {"error": NO_WORD}
    assert queue.say(Word(Act.SUSPEND)) == {"error": NO_WORD}


def test_a_bug_costs_one_word_an_answer(queue: OperatedQueue) -> None:
    queue.look_again = None  # type: ignore[method-assign,assignment]
    assert queue.say(Word(Act.HOLD)) == {"error": BUG}
    assert [where for where, _ in queue.journal.of("failed")] == ["the word hold for the queue"]
    del queue.look_again
    assert "error" not in queue.say(Word(Act.HOLD))


def test_words_that_are_done_again_after_a_crash_find_their_work_done(
    queue: OperatedQueue,
) -> None:
    queue.say(Word(Act.FAIL, Selection(ids=("1a",))))
    reports = [id for id in queue.recipients() if id.startswith("r")]
    answer = queue.say(Word(Act.FAIL, Selection(ids=("1a",))))
    assert answer["recipients"] == 0
    assert [id for id in queue.recipients() if id.startswith("r")] == reports


@pytest.mark.parametrize("act", [Act.APPROVE, Act.REJECT])
def test_moderators_decide_about_posts_alone(act: Act, queue: OperatedQueue) -> None:
    assert queue.say(Word(act))["passed_over"] == {NOT_MODERATED: 5}


def test_an_approved_post_goes_on_and_a_rejected_one_is_gone() -> None:
    target = ListTarget("news@example.org", ListRole.POST)
    posts = [OwedRecipient(number, target, state=HELD, reason="not a member") for number in (1, 2)]
    queue = OperatedQueue(new_job("1a", *posts))
    queue.say(Word(Act.APPROVE, Selection(ids=("1a/1",)), by="moderator"))
    queue.say(Word(Act.REJECT, Selection(ids=("1a/2",)), by="moderator"))
    [post] = queue.recipients().values()
    assert (post.number, post.state, post.reason) == (1, RecipientState.WAITING, "")
    assert [event for id, event in queue.lines() if id] == ["approved", "rejected"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("sender", "alice@example.org"), ("sender", "@example.org"), ("account", "alice")],
)
def test_what_was_put_off_for_a_sender_is_due_when_he_is_resumed(kind: str, name: str) -> None:
    queue = OperatedQueue(
        new_job("1a", owed(1, "b@one.example", due=NOW + 60), submitter="alice"),
        new_job("2b", owed(1, "b@one.example", due=NOW + 60), sender="x@example.net"),
    )
    queue.suspended = [Suspension(kind, name)]
    queue.say(Word(Act.RESUME, suspension=Suspension(kind, name)))
    assert [one.due for one in queue.recipients().values()] == [0.0, NOW + 60]


def test_failing_everything_spares_the_reports_that_come_of_it() -> None:
    jobs = [new_job(f"{number}a", owed(1, "b@one.example")) for number in range(5)]
    queue = OperatedQueue(*jobs)
    answer = queue.say(Word(Act.FAIL))
    assert (answer["recipients"], answer["reports"]) == (5, 5)
    assert sorted(queue.recipients()) == ["r1/1", "r2/1", "r3/1", "r4/1", "r5/1"]


def test_what_comes_in_meanwhile_is_not_meant() -> None:
    queue = OperatedQueue(*(new_job(f"{number}a", owed(1, "b@one.example")) for number in range(3)))
    apply = queue.spool.apply

    async def accept_more(change: object) -> None:
        await apply(change)
        if getattr(change, "gone", ()) and "new" not in queue.spool.jobs:
            await queue.spool.accept(new_job("new", owed(1, "c@one.example")))

    queue.spool.apply = accept_more  # type: ignore[method-assign]
    assert queue.say(Word(Act.REMOVE))["recipients"] == 3
    assert sorted(queue.recipients()) == ["new/1"]
