"""Accounts that could not be given their copy at once get it from the queue."""

from dataclasses import replace
from typing import Any

import pytest

from tests.delivery.acceptance_bench import ALICE, BOB, BODY, BUSY, FULL, SENDER, AcceptanceBench
from tests.queue.scripted_work import ScriptedWork
from twisted_mail.delivery.account_carrier import AccountCarrier
from twisted_mail.mail.address import parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import AccountTarget
from twisted_mail.testing.doubles import EPOCH, finish

MESSAGE = Message(MemoryBlob(BODY), b"Received: x\r\n")


def transaction(*recipients: str, account: str = BOB, **more: Any) -> Transaction:
    owed = tuple(
        OwedRecipient(number, AccountTarget(account, parse(one)), **more)
        for number, one in enumerate(recipients, 1)
    )
    return Transaction(QueuedJob("id1", EPOCH, parse(SENDER)), owed, MESSAGE)


def serve(bench: AcceptanceBench, *transactions: Transaction) -> ScriptedWork:
    carrier, work = AccountCarrier(bench.backend), ScriptedWork(*transactions)
    site: Any = finish(carrier.site(Destination("account", BOB)))
    assert (site.carrier, site.name) == ("account", BOB)
    finish(carrier.serve(site, work))
    return work


def test_an_account_gets_the_copy_that_it_would_have_got_at_once() -> None:
    bench = AcceptanceBench()
    work = serve(bench, transaction(BOB))
    assert bench.store.deliveries == [
        ([BOB], b"Return-Path: <s@client.example>\r\n" + MESSAGE.read())
    ]
    assert [outcome.code for outcome in work.outcomes] == [250]
    assert bench.journal.events == [("delivered", ("id1", [BOB], "INBOX"))]


def test_an_account_named_by_several_recipients_gets_one_copy() -> None:
    bench = AcceptanceBench()
    work = serve(bench, transaction("team@example.org", "Bob+x@example.org"))
    assert bench.store.delivered == [BOB]
    assert bench.store.copies[BOB][0].count(b"Delivered-To: ") == 2
    assert sorted(work.attempts) == [("id1", 1), ("id1", 2)]


def test_a_detail_leads_to_its_mailbox() -> None:
    bench = AcceptanceBench()
    bench.backend = replace(bench.backend, saves_to_detail_mailbox=True)
    bench.store.mailboxes = {BOB: ["lists"]}
    owed = OwedRecipient(1, AccountTarget(BOB, parse("bob+lists@example.org"), "lists"))
    serve(bench, Transaction(QueuedJob("id1", EPOCH, parse(SENDER)), (owed,), MESSAGE))
    assert bench.store.filed == [(BOB, "lists")]


def test_a_recipient_may_have_a_sender_and_fields_of_its_own() -> None:
    bench = AcceptanceBench()
    own = {"sender": parse("news-bounces+1@example.org"), "fields": b"List-Unsubscribe: <x>\r\n"}
    serve(bench, transaction(BOB, **own))
    [(_, data)] = bench.store.deliveries
    assert data == (
        b"Return-Path: <news-bounces+1@example.org>\r\nList-Unsubscribe: <x>\r\n" + MESSAGE.read()
    )


@pytest.mark.parametrize(
    ("error", "kind"), [(BUSY, ReplyClass.OTHER), (FULL, ReplyClass.FULL)], ids=["busy", "full"]
)
def test_why_an_account_gets_no_copy_is_how_the_attempt_ended(
    error: MailError, kind: ReplyClass
) -> None:
    work = serve(AcceptanceBench(bob=error), transaction(BOB))
    [attempt] = work.attempts.values()
    assert (attempt.outcome, attempt.reply_class, attempt.at) == (error.outcome, kind, EPOCH)


def test_an_account_that_is_gone_by_then_is_a_failure() -> None:
    bench = AcceptanceBench()
    work = serve(bench, transaction("x@example.org", account="carol@example.org"))
    assert [(one.code, one.enhanced) for one in work.outcomes] == [(550, "5.1.1")]
    assert bench.store.deliveries == []


def test_all_that_waits_for_an_account_is_delivered() -> None:
    bench = AcceptanceBench()
    second = transaction(BOB)
    second = replace(second, job=replace(second.job, id="id2"))
    assert len(serve(bench, transaction(BOB), second).attempts) == 2
    assert bench.store.delivered == [BOB, BOB]


def test_an_alias_in_the_place_of_an_account_is_no_account() -> None:
    bench = AcceptanceBench()
    work = serve(bench, transaction(ALICE, account="team@example.org"))
    assert [one.code for one in work.outcomes] == [550]
