import re
from pathlib import Path

import pytest

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from twisted_mail.mail.job import APPROVE
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.store.disk.files import DiskFiles


def test_a_post_to_a_moderated_list_waits_for_a_decision(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.send(NEWS)
    assert not server.inbox(ALICE)
    (letter,) = server.inbox(CAROL)
    assert letter["Subject"] == "A message for news@example.org waits for a word"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "twisted-mail list approve id1-1" in str(letter.get_payload(decode=True))
    QueueFolder(str(server.path), DiskFiles()).decide("id1-1", APPROVE)
    server.work()
    server.work()
    assert len(server.inbox(ALICE)) == len(server.inbox(BOB)) == 1


@pytest.mark.parametrize(("word", "copies"), [("approve", 1), ("reject", 0)])
def test_an_owner_decides_by_mail(server: ListServer, word: str, copies: int) -> None:
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.send(NEWS)
    text = server.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    (address,) = re.findall(rf"{word} +(news-confirm\S+)", text)
    forged = address.replace(address.partition("@")[0][-8:], "aaaaaaaa")
    server.send(forged, CAROL)
    server.work()
    assert [path.suffix for path in server.path.iterdir()].count(".json") == 1
    server.send(address, CAROL, "Auto-Submitted: auto-replied\r\n")  # no vacation says a word
    server.work()
    assert [path.suffix for path in server.path.iterdir()].count(".json") == 1
    server.send(address, CAROL)
    server.work()
    server.work()
    assert len(server.inbox(ALICE)) == copies
    assert not list(server.path.iterdir())


def test_an_owner_without_room_keeps_no_other_from_being_notified(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.editor.lists.set_owners(NEWS, [BOB, CAROL])
    server.store.failures[BOB] = Unavailable("full")
    server.send(NEWS)
    for _ in range(10):
        server.work()
    assert len(server.inbox(CAROL)) == 1
    server.editor.lists.set_owners(NEWS, [CAROL, BOB])
    server.send(NEWS)
    for _ in range(10):
        server.work()
    assert len(server.inbox(CAROL)) == 2


def test_a_decision_about_another_list_is_passed_over(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.editor.lists.add("x@example.org")
    server.send(NEWS)
    text = server.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    (address,) = re.findall(r"approve +(news-confirm\S+)", text)
    server.send(address.replace("news-", "x-"), CAROL)
    server.work()
    assert not server.inbox(ALICE)


def test_where_the_address_would_be_too_long_owners_ask_the_administrator(
    server: ListServer,
) -> None:
    name = "a" * 35 + "@example.org"
    server.editor.lists.add(name)
    server.editor.lists.set_owners(name, [CAROL])
    server.editor.lists.alter(name, is_moderated=True)
    server.count = 10**14  # so that the id has as many signs as one from outside
    server.send(name)
    text = server.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "twisted-mail list approve id1" in text
    assert "-confirm+" not in text


def test_only_so_many_posts_are_held(tmp_path: Path) -> None:
    server = ListServer(tmp_path, max_held=1).furnish()
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.send(NEWS)
    assert server.refusal(NEWS) == "452 4.3.1"
