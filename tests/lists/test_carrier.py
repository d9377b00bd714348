from pathlib import Path

import pytest

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import JoiningPolicy
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.testing.doubles import finish


def test_joining_is_confirmed_by_an_answer(server: ListServer) -> None:
    server.send("news-subscribe@example.org", CAROL)
    (question,) = server.inbox(CAROL)
    assert question["Subject"] == "Confirm that you want to be on news@example.org"
    assert CAROL not in server.members
    server.send(question["From"].strip("<>"), CAROL)
    assert CAROL in server.members
    assert server.subjects(CAROL)[-1] == "You are on news@example.org"
    server.send(question["From"].strip("<>"), CAROL)  # once more: nothing happens
    assert len(server.inbox(CAROL)) == 2


def test_leaving_is_confirmed_too(server: ListServer) -> None:
    server.send("news-request@example.org", BOB, "Subject: x\r\n")
    assert server.subjects(BOB) == ["How to use news@example.org"]
    server.send("news-unsubscribe@example.org", BOB)
    server.send(server.inbox(BOB)[-1]["From"].strip("<>"), BOB)
    assert server.members == [ALICE]


def test_the_address_in_list_unsubscribe_needs_no_question(server: ListServer) -> None:
    server.send(NEWS)
    uri = server.inbox(BOB)[0]["List-Unsubscribe"]
    address = uri.removeprefix("<mailto:").removesuffix(">").replace("%3D", "=")
    server.send(address, "somebody@b.example")
    assert server.members == [ALICE]
    assert server.subjects(BOB)[-1] == "You have left news@example.org"


def test_one_click_takes_a_member_off_the_list(tmp_path: Path) -> None:
    server = ListServer(tmp_path, base_url="https://example.org/lists").furnish()
    server.send(NEWS)
    page = server.inbox(BOB)[0]["List-Unsubscribe"].partition(">")[0]
    name, number, tag = page.split("/")[-3:]
    assert not finish(server.lists.unsubscribe(name, int(number), "aaaaaaaa"))
    assert not finish(server.lists.unsubscribe(name, 999, tag))
    assert finish(server.lists.unsubscribe(name, int(number), tag))
    assert server.members == [ALICE]


def test_a_command_may_stand_in_the_subject(server: ListServer) -> None:
    header = "X: y\r\n"
    server.count += 1
    blob = MemoryBlob(f"Subject: Re: Unsubscribe me\r\n{header}\r\n".encode())
    envelope = Envelope("id0", parse(BOB), (parse("news-request@example.org"),))
    finish(server.queue.accept(envelope, Message(blob)))
    server.work()
    assert server.subjects(BOB) == ["Confirm that you want to leave news@example.org"]


def test_nobody_gets_the_same_notice_many_times(server: ListServer) -> None:
    for _ in range(3):
        server.send("news-request@example.org", BOB)
        server.send("news-unsubscribe@example.org", CAROL)
    assert len(server.inbox(BOB)) == len(server.inbox(CAROL)) == 1
    server.clock.seconds += 3601
    server.send("news-request@example.org", BOB)
    assert len(server.inbox(BOB)) == 2


def test_a_closed_list_is_joined_by_the_administrator_alone(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, joining=JoiningPolicy.CLOSED)
    server.send("news-subscribe@example.org", CAROL)
    assert server.subjects(CAROL) == ["news@example.org is closed"]


def test_an_address_that_is_no_member_is_refused(server: ListServer) -> None:
    server.send("news-unsubscribe@example.org", CAROL)
    assert server.subjects(CAROL) == ["This cannot be done on news@example.org"]


@pytest.mark.parametrize("role", ["subscribe", "unsubscribe", "request", "confirm+x"])
@pytest.mark.parametrize(
    ("sender", "header"),
    [("", ""), (CAROL, "Auto-Submitted: auto-replied\r\n"), (CAROL, "Precedence: bulk\r\n")],
)
def test_programs_get_no_answers(server: ListServer, role: str, sender: str, header: str) -> None:
    server.send(f"news-{role}@example.org", sender, header)
    assert not server.store.copies
    assert server.owed == []


def test_strangers_elsewhere_are_asked_too(server: ListServer) -> None:
    server.send("news-subscribe@example.org", "eve@b.example")
    assert [str(one.destination) for one in server.owed] == ["smtp:b.example"]
