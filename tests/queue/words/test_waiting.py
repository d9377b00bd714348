"""What recipients wait for."""

import pytest

from tests.queue.words.operated import NOW, owed
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import QueuedJob, RecipientState
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.queue.words.waiting import reasons

JOB = QueuedJob("1a", NOW - 100, parse("alice@example.org"))
TURN = WaitReason(WaitKind.TURN, site="mx")
RESTS = WaitReason(WaitKind.SITE, NOW + 60, "no answer", "mx")
LATER, DUE = owed(1, "b@one.example", due=NOW + 10), owed(1, "b@one.example")
OK, NO = Outcome(250, "2.0.0", "queued"), Outcome(550, "5.1.1", "nobody")
STOP = Suspension("site", "mx", NOW + 30)


def kinds(recipient, suspended=(), at_destination=TURN) -> list[WaitKind]:
    return [one.kind for one in reasons(JOB, recipient, suspended, at_destination, NOW)]


def test_what_is_held_waits_for_a_word_alone() -> None:
    held = owed(1, "b@one.example", state=RecipientState.HELD, reason="why", due=NOW + 5)
    assert reasons(JOB, held, [STOP], RESTS, NOW) == [WaitReason(WaitKind.WORD, NOW + 5, "why")]


@pytest.mark.parametrize("outcome", [OK, NO])
def test_what_has_ended_waits_for_its_report_alone(outcome: Outcome) -> None:
    ended = owed(1, "b@one.example", state=RecipientState.UNREPORTED, last=Attempt(outcome, NOW))
    [found] = reasons(JOB, ended, [STOP], RESTS, NOW)
    assert found.kind is WaitKind.REPORT
    assert ("was delivered" in found.text) == outcome.is_success
    assert [one.kind for one in reasons(JOB, ended, [], None, NOW)] == [
        WaitKind.REPORT,
        WaitKind.SERVER,
    ]


@pytest.mark.parametrize(
    ("recipient", "suspended", "at_destination", "expected"),
    [
        (DUE, [], TURN, [WaitKind.TURN]),
        (LATER, [], TURN, [WaitKind.TIME]),
        (DUE, [], RESTS, [WaitKind.SITE]),
        (DUE, [], WaitReason(WaitKind.TIME, NOW + 9, "no", "mx"), [WaitKind.TURN]),
        (LATER, [], RESTS, [WaitKind.TIME, WaitKind.SITE]),
        (DUE, [STOP], TURN, [WaitKind.SUSPENSION]),
        (LATER, [STOP], RESTS, [WaitKind.SUSPENSION, WaitKind.TIME, WaitKind.SITE]),
        (DUE, [Suspension("site", "mx", NOW - 1)], TURN, [WaitKind.TURN]),
        (DUE, [Suspension("site", "other")], TURN, [WaitKind.TURN]),
        (DUE, [], None, [WaitKind.SERVER]),
        (LATER, [], None, [WaitKind.TIME, WaitKind.SERVER]),
    ],
)
def test_all_that_is_waited_for_is_named(recipient, suspended, at_destination, expected) -> None:
    assert kinds(recipient, suspended, at_destination) == expected
