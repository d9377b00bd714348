import re
from pathlib import Path

import pytest

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from tests.queue.scripted_work import ScriptedWork
from twisted_mail.lists import distribution
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, RecipientState, Transaction
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.testing.doubles import finish

DAVE = "dave@elsewhere.example"


def test_a_post_goes_to_every_member(server: ListServer) -> None:
    server.send(NEWS, header="Precedence: bulk\r\nList-Help: <x>\r\nX-Own: 1\r\n")
    for name in (ALICE, BOB):
        (copy,) = server.inbox(name)
        assert copy.get_payload() == "hello\r\n"
        assert copy["List-Id"] == "<news.example.org>"
        assert copy.get_all("Precedence") == ["list"]
        assert copy.get_all("List-Help") == ["<mailto:news-request@example.org?subject=help>"]
        assert (copy["Subject"], copy["X-Own"]) == ("test", "1")
        assert copy.keys()[:3] == ["Return-Path", "List-Unsubscribe", "Received"]
    assert server.owed == []


def test_each_copy_has_an_envelope_sender_of_its_own(server: ListServer) -> None:
    server.send(NEWS)
    assert re.fullmatch(
        r"news-bounces\+alice=example\.org=[a-z2-7]{8}@example\.org", server.bounces(ALICE)
    )
    assert server.bounces(ALICE) != server.bounces(BOB)
    own = [server.inbox(name)[0]["List-Unsubscribe"] for name in (ALICE, BOB)]
    assert own[0] != own[1]


def test_a_post_is_in_the_queue_when_it_is_taken(server: ListServer) -> None:
    server.accept(NEWS)
    assert not server.store.copies
    assert [str(one.destination) for one in server.owed] == [f"list:{NEWS}"]


def transaction(server: ListServer) -> Transaction:
    job = server.spool.jobs["id1"]
    return Transaction(job.job, tuple(job.recipients.values()), job.message)


def test_all_members_are_recipients_of_one_job(server: ListServer) -> None:
    server.editor.lists.add_members(NEWS, [DAVE])
    server.accept(NEWS, mail_parameters=MailParameters(body="8BITMIME", envid="e1"))
    work = ScriptedWork(transaction(server))
    finish(server.lists.serve(finish(server.lists.site(server.owed[0].destination)), work))  # type: ignore[arg-type]
    [new] = work.new
    assert [one.target for one in new.recipients] == [
        AccountTarget(ALICE, parse(ALICE)),
        AccountTarget(BOB, parse(BOB)),
        RemoteTarget(parse(DAVE)),
    ]
    assert (new.job.id, new.job.submitter) == ("id1.3", NEWS)
    assert new.job.mail_parameters == MailParameters(body="8BITMIME")
    assert new.message.size == new.job.size == len(new.message.read())
    assert [one.progress for one in work.advanced] == [3]
    assert work.outcomes[0].text == "sent to 3 members"


def test_a_large_list_is_several_jobs_and_is_noted_after_each(
    server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "MEMBERS", 20)
    for number in range(45):
        server.editor.aliases.add(f"u{number}@example.org", [CAROL])
    members = [f"u{number}@example.org" for number in range(45)]
    server.editor.lists.add_members(NEWS, members)
    server.accept(NEWS)
    work = ScriptedWork(transaction(server))
    finish(server.lists.serve(finish(server.lists.site(server.owed[0].destination)), work))  # type: ignore[arg-type]
    assert [len(job.recipients) for job in work.new] == [20, 20, 7]
    assert [one.progress for one in work.advanced] == [20, 40, 47]
    assert len({job.job.id for job in work.new}) == 3
    server.work()
    assert len(server.inbox(CAROL)) == 45


def test_a_failing_queue_ends_the_attempt_and_the_next_goes_on_from_there(
    server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "MEMBERS", 1)
    server.accept(NEWS)
    [recipient] = transaction(server).recipients
    work = ScriptedWork(transaction(server))
    mailing_list = finish(server.mailing_lists.find(NEWS))
    assert mailing_list is not None
    advance, failures = work.advance, [None, Unavailable("full")]

    async def failing(*args: object) -> None:
        if failure := failures.pop(0):
            raise failure
        await advance(*args)  # type: ignore[arg-type]

    work.advance = failing  # type: ignore[method-assign, assignment]
    send = server.lists.distribution.send
    with pytest.raises(Unavailable):
        finish(send(mailing_list, transaction(server), recipient, work))
    assert [one.progress for one in work.advanced] == [1]
    again = ScriptedWork()
    finish(send(mailing_list, transaction(server), work.advanced[0], again))
    assert [str(job.recipients[0].address) for job in again.new] == [BOB]


def test_strangers_loops_and_answers_are_refused(server: ListServer) -> None:
    assert server.refusal(NEWS, "eve@b.example") == "550 5.7.2"
    assert server.refusal(NEWS, header="X-Loop: news@example.org\r\n") == "554 5.4.6"
    assert server.refusal(NEWS, "") == "550 5.7.1"
    assert not server.store.copies


def test_a_copy_that_comes_back_to_the_list_is_refused(server: ListServer) -> None:
    server.send(NEWS)
    copy = server.inbox(ALICE)[0]
    fields = "".join(f"{name}: {value}\r\n" for name, value in copy.items())
    assert server.refusal(NEWS, header=fields) == "554 5.4.6"


def test_who_cannot_take_a_copy_now_gets_it_later_and_nobody_twice(server: ListServer) -> None:
    server.store.failures[BOB] = Unavailable("The disk is full")
    server.send(NEWS)
    assert (len(server.inbox(ALICE)), len(server.inbox(BOB))) == (1, 0)
    del server.store.failures[BOB]
    server.clock.seconds += 60
    server.work()
    assert (len(server.inbox(ALICE)), len(server.inbox(BOB))) == (1, 1)
    assert server.owed == []


def test_after_a_stop_in_the_middle_the_rest_get_theirs(server: ListServer, tmp_path: Path) -> None:
    server.lists.distribution.stop()
    server.send(NEWS)
    assert not server.store.copies
    assert [one.tries for one in server.owed] == [0]
    again = ListServer(tmp_path, server.spool)
    again.work()
    assert len(again.inbox(ALICE)) == len(again.inbox(BOB)) == 1


def test_a_member_who_is_an_alias_is_named_as_the_list_has_it(server: ListServer) -> None:
    server.editor.aliases.add("team@example.org", [CAROL, DAVE])
    server.editor.lists.add_members(NEWS, ["team@example.org"])
    server.send(NEWS)
    [dave] = server.owed
    assert (dave.target, dave.original) == (RemoteTarget(parse(DAVE)), parse("team@example.org"))
    assert str(dave.sender).startswith("news-bounces+team=example.org=")
    assert len(server.inbox(CAROL)) == 1


def test_a_list_that_is_a_member_decides_for_itself(server: ListServer) -> None:
    server.editor.lists.add("more@example.org")
    server.editor.lists.add_members("more@example.org", [CAROL])
    server.editor.lists.add_members(NEWS, ["more@example.org"])
    server.send(NEWS)
    [held] = server.owed  # it comes from another list
    assert (held.state, held.waits_for_moderators) == (RecipientState.HELD, True)
    assert server.inbox(CAROL) == []


def test_a_list_that_is_removed_meanwhile_is_a_failure(server: ListServer) -> None:
    server.accept(NEWS)
    server.editor.lists.remove(NEWS)
    server.work()
    [(id, failed)] = server.dispatch.failed
    assert failed.last is not None
    assert (id, failed.last.outcome.enhanced) == ("id1", "5.1.1")


def test_members_whom_an_earlier_version_left_out_get_a_job_of_their_own(
    server: ListServer,
) -> None:
    server.editor.lists.add_members(NEWS, [CAROL, DAVE])
    server.accept(NEWS)
    job = server.spool.jobs["id1"]
    old = Message(MemoryBlob(job.message.read()))  # its trace fields were in the file
    new = NewJob(job.job, (OwedRecipient(1, transaction(server).recipients[0].target),), old)
    [missing] = finish(server.lists.distribution.jobs_for_missing(new, {1, 3}))
    assert [str(one.address) for one in missing.recipients] == [BOB]
    assert b"List-Id: <news.example.org>" in missing.message.read()
