"""Acceptance with an answer for each recipient: nobody waits for another's trouble."""

from dataclasses import replace

import pytest

from tests.delivery.acceptance_bench import (
    ALICE,
    AWAY,
    BOB,
    BODY,
    BOTH,
    BUSY,
    DAVE,
    FULL,
    NEWS,
    TEAM,
    TICKETS,
    AcceptanceBench,
)
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.mail.queued.target import AccountTarget


def test_all_are_served_by_one_delivery() -> None:
    bench = AcceptanceBench()
    assert bench.answers(ALICE, BOB, TEAM, ALICE) == [None] * 4
    message = b"Return-Path: <s@client.example>\r\nReceived: x\r\n" + BODY
    assert bench.store.deliveries == [([ALICE, BOB], message)]


def test_who_cannot_be_served_keeps_nobody_waiting() -> None:
    bench = AcceptanceBench(bob=FULL)
    served, full, unknown, elsewhere = bench.answers(ALICE, BOB, "nobody@example.org", DAVE)
    assert (served, full) == (None, FULL.outcome)
    assert unknown is not None
    assert (unknown.code, unknown.enhanced) == (550, "5.1.1")
    assert elsewhere is not None
    assert (elsewhere.code, elsewhere.enhanced) == (550, "5.1.2")


def test_what_somebody_gets_is_received_before_it_is_delivered() -> None:
    bench = AcceptanceBench(bob=FULL)
    bench.answers(BOB, ALICE)
    received, delivered = bench.journal.events
    assert (received[0], received[1][1]) == ("received", len(BODY))
    assert delivered == ("delivered", ("id1", [ALICE], "INBOX"))


def test_what_only_a_program_gets_is_received() -> None:
    bench = AcceptanceBench()
    assert bench.answers(TICKETS) == [None]
    assert [event for event, _ in bench.journal.events] == ["received"]
    assert bench.spool.jobs["id1"].is_kept


def test_a_message_that_nobody_got_was_not_received() -> None:
    bench = AcceptanceBench(bob=FULL)
    bench.answers(BOB, "nobody@example.org")
    assert bench.journal.events == []


def test_trouble_that_passes_is_told_before_what_stays() -> None:
    assert AcceptanceBench(alice=FULL, bob=BUSY).answers(TEAM) == [BUSY.outcome]


def test_a_store_that_fails_fails_those_who_needed_it() -> None:
    bench = AcceptanceBench()
    bench.store.exception = Unavailable(BUSY.outcome)
    assert bench.answers(ALICE, TICKETS) == [BUSY.outcome, None]
    assert list(bench.owed) == [TICKETS]


def test_a_bug_drops_what_was_prepared() -> None:
    bench = AcceptanceBench()
    bench.store.exception = RuntimeError("secret inside")
    with pytest.raises(RuntimeError):
        bench.answers(ALICE, TICKETS)
    assert bench.spool.jobs == {}


def test_a_recipient_that_is_not_served_is_left_out_of_the_job() -> None:
    bench = AcceptanceBench(bob=BUSY)
    assert bench.answers(TICKETS, NEWS, BOTH) == [None, None, BUSY.outcome]
    assert list(bench.owed) == [TICKETS, NEWS]
    assert bench.spool.jobs["id1"].is_kept


def test_a_list_that_refuses_is_one_recipients_affair() -> None:
    bench = AcceptanceBench()
    bench.admission.answers[NEWS] = Refused("Only members may post")
    listed, both, ticket = bench.answers(NEWS, BOTH, TICKETS)
    assert listed is not None
    assert listed.text == "Only members may post"
    assert (both, ticket) == (None, None)
    assert bench.store.delivered == [BOB]
    assert {str(one.destination) for one in bench.owed.values()} == {
        "program:ticket",
        "program:ticket2",
    }


def test_a_queue_that_fails_is_told_to_those_whose_mail_it_would_bring() -> None:
    for step in ("prepare", "keep"):
        bench = AcceptanceBench()

        async def failing(*_: object) -> None:
            raise BUSY

        setattr(bench.spool, step, failing)
        assert bench.answers(ALICE, TICKETS) == [None, BUSY.outcome]
        assert bench.store.delivered == [ALICE]
        assert bench.spool.jobs == {}


def test_an_alias_of_which_one_account_fails_is_served_and_the_queue_has_the_rest() -> None:
    bench = AcceptanceBench(bob=BUSY)
    assert bench.answers(TEAM) == [None]
    assert bench.store.delivered == [ALICE]
    assert [one.target for one in bench.owed.values()] == [AccountTarget(BOB, parse(TEAM))]


def test_an_account_that_the_client_sends_to_again_is_not_in_the_queue_as_well() -> None:
    bench = AcceptanceBench(bob=BUSY)
    assert bench.answers(TEAM, BOB) == [None, BUSY.outcome]
    assert bench.spool.jobs == {}


def test_where_the_queue_fails_too_an_alias_gives_nobody_a_second_copy() -> None:
    bench = AcceptanceBench(bob=BUSY)
    for _ in range(3):
        bench.spool.failure = BUSY
        assert bench.answers(TEAM) == [BUSY.outcome]
    assert bench.store.delivered == [ALICE]
    bench.store.failures.clear()
    assert bench.answers(TEAM) == [None]
    assert bench.store.delivered == [ALICE, BOB]


def test_an_alias_that_leads_away_is_sent_on() -> None:
    bench = AcceptanceBench()
    assert bench.answers(AWAY) == [None]
    assert list(bench.owed) == ["x@elsewhere.example"]


def test_without_a_queue_there_are_no_programs() -> None:
    bench = AcceptanceBench(bob=BUSY)
    bench.each = LmtpAcceptance(replace(bench.backend, queue=None))
    served, ticket, team = bench.answers(ALICE, TICKETS, TEAM)
    assert served is None
    assert ticket is not None
    assert ticket.enhanced == "4.3.5"
    assert team == BUSY.outcome
