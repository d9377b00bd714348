import re
from pathlib import Path

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import PostingPolicy
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import finish


def test_a_post_goes_to_every_member(server: ListServer) -> None:
    server.send(NEWS, header="Precedence: bulk\r\nList-Help: <x>\r\nX-Own: 1\r\n")
    for name in (ALICE, BOB):
        (copy,) = server.inbox(name)
        assert copy.get_payload() == "hello\r\n"
        assert copy["List-Id"] == "<news.example.org>"
        assert copy.get_all("Precedence") == ["list"]
        assert copy.get_all("List-Help") == ["<mailto:news-request@example.org?subject=help>"]
        assert (copy["Subject"], copy["X-Own"]) == ("test", "1")
        assert copy.keys()[:2] == ["Return-Path", "Received"]
    assert not list(server.path.iterdir())


def test_each_copy_has_an_envelope_sender_of_its_own(server: ListServer) -> None:
    server.send(NEWS)
    assert re.fullmatch(
        r"news-bounces\+alice=example\.org=[a-z2-7]{8}@example\.org", server.bounces(ALICE)
    )
    assert server.bounces(ALICE) != server.bounces(BOB)


def test_a_post_is_on_disk_when_it_is_taken(server: ListServer) -> None:
    envelope = Envelope("id9", parse(ALICE), (parse(NEWS),))
    finish(server.delivery.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    assert not server.store.copies
    assert len(QueueFolder(str(server.path), DiskFiles()).load()) == 1


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
    assert not list(server.path.iterdir())


def test_after_a_stop_in_the_middle_the_rest_get_theirs(server: ListServer, tmp_path: Path) -> None:
    server.delivery.lists.distribution.stop()
    server.send(NEWS)
    assert not server.store.copies
    again = ListServer(tmp_path)
    again.clock.seconds += 60
    again.work()
    assert len(again.inbox(ALICE)) == len(again.inbox(BOB)) == 1


def test_a_list_with_many_members_reaches_all(server: ListServer) -> None:
    for number in range(45):
        server.editor.aliases.add(f"u{number}@example.org", [CAROL])
    members = [f"u{number}@example.org" for number in range(45)]
    server.editor.lists.add_members(NEWS, members)
    server.send(NEWS)
    assert len(server.inbox(CAROL)) == 45


def test_a_list_that_is_removed_meanwhile_tells_the_sender(server: ListServer) -> None:
    envelope = Envelope("id9", parse(ALICE), (parse(NEWS),))
    finish(server.delivery.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    server.editor.lists.remove(NEWS)
    server.work()
    (report,) = server.inbox(ALICE)
    assert report.get_content_type() == "multipart/report"
    text, status, returned = report.get_payload()  # type: ignore[misc]
    assert "the mailing list does not exist any more" in text.get_payload()  # type: ignore[union-attr]
    assert status.get_payload()[1]["Status"] == "5.1.1"  # type: ignore[union-attr, index, call-overload]
    assert returned.get_payload()[0]["Subject"] == "x"  # type: ignore[union-attr, index, call-overload]


def test_where_the_sender_is_elsewhere_the_postmaster_gets_the_report(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, posting=PostingPolicy.ANYONE)
    envelope = Envelope("id9", parse("s@b.example"), (parse(NEWS),))
    finish(server.delivery.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    server.editor.lists.remove(NEWS)
    server.work()
    assert server.subjects(CAROL) == ["Your mail was not delivered"]
