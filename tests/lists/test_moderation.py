import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from twisted_mail.interfaces import SpoolChange
from twisted_mail.lists.held_posts import RETRY_SECONDS
from twisted_mail.lists.moderation import PostDecision
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import BY_OPERATOR, RecipientState
from twisted_mail.testing.doubles import finish


def test_a_post_to_a_moderated_list_waits_for_a_decision(server: ListServer) -> None:
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.send(NEWS)
    assert not server.inbox(ALICE)
    (letter,) = server.inbox(CAROL)
    assert letter["Subject"] == "A message for news@example.org waits for a word"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "twisted-mail list approve id1" in str(letter.get_payload(decode=True))
    finish(server.lists.held_posts.decide(NEWS, "id1", PostDecision.APPROVE))
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
    assert len(server.owed) == 1
    server.send(address, CAROL, "Auto-Submitted: auto-replied\r\n")  # no vacation says a word
    server.work()
    assert len(server.owed) == 1
    server.send(address, CAROL)
    server.work()
    server.work()
    assert len(server.inbox(ALICE)) == copies
    assert server.owed == []


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


def moderated(folder: Path, **settings: float) -> ListServer:
    """Return a server on whose list a post is held."""
    server = ListServer(folder, **settings).furnish()
    server.editor.lists.alter(NEWS, is_moderated=True)
    server.accept(NEWS)
    return server


def test_owners_are_asked_once_about_a_post_also_after_a_restart(tmp_path: Path) -> None:
    server = moderated(tmp_path)
    for _ in range(3):
        server.work()
    again = ListServer(tmp_path, server.spool)
    again.work()
    assert (len(server.inbox(CAROL)), again.inbox(CAROL)) == (1, [])


def test_owners_who_cannot_be_asked_are_not_written_to_all_the_time(tmp_path: Path) -> None:
    server = moderated(tmp_path)
    server.store.failures[CAROL] = Unavailable("full")
    for _ in range(10):
        server.work()
    assert [one[2] for one in server.journal.of("tried")] == ["later"]
    server.store.failures.clear()
    server.work()
    assert server.inbox(CAROL) == []
    server.clock.seconds += RETRY_SECONDS
    server.work()
    assert len(server.inbox(CAROL)) == 1


def test_a_bug_in_asking_about_one_post_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = moderated(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(server.lists.held_posts, "_notify", lambda _: 1 / 0)
        server.work()
    assert len(server.journal.of("failed")) == 1
    server.accept(NEWS)
    server.work()
    assert len(server.inbox(CAROL)) == 1


def test_what_is_held_too_long_is_gone(tmp_path: Path) -> None:
    server = moderated(tmp_path, held_days=1.0)
    server.work()
    server.clock.seconds += 86401
    server.work()
    assert server.owed == []
    assert server.journal.of("tried") == [("id1", NEWS, "expired", "the list is moderated")]


def test_what_no_owner_could_be_asked_about_is_kept_for_the_operator(tmp_path: Path) -> None:
    server = moderated(tmp_path, held_days=1.0)
    server.store.failures[CAROL] = Unavailable("full")
    server.work()
    server.clock.seconds += 86401
    server.work()
    [kept] = server.owed
    assert kept.is_undeliverable
    assert kept.reason.endswith("no owner could be asked about it: the list is moderated")
    server.work()
    assert server.owed == [kept]


def test_what_the_operator_holds_is_no_moderators_affair(tmp_path: Path) -> None:
    server = ListServer(tmp_path).furnish()
    server.accept(NEWS)
    [post] = server.owed
    held = replace(post, state=RecipientState.HELD, reason=BY_OPERATOR)
    finish(server.spool.apply(SpoolChange(altered=[("id1", held)])))
    finish(server.lists.held_posts.decide(NEWS, "id1", PostDecision.REJECT))
    server.clock.seconds += 1e8
    server.work()
    assert server.owed == [held]
    assert server.inbox(CAROL) == []


def test_a_decision_about_what_is_not_there_is_passed_over(server: ListServer) -> None:
    finish(server.lists.held_posts.decide(NEWS, "id9", PostDecision.APPROVE))
    assert server.owed == []


@pytest.mark.parametrize("age", [0, 86401])
def test_a_word_that_comes_while_a_post_is_looked_at_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    server = moderated(tmp_path, held_days=1.0)
    held = server.spool.held
    if age:  # asked about, and now too old; or about to be asked about
        server.work()
    server.clock.seconds += age

    async def held_and_approved(*given):
        page = await held(*given)
        await server.lists.held_posts.decide(NEWS, "id1", PostDecision.APPROVE)
        return page

    monkeypatch.setattr(server.spool, "held", held_and_approved)
    finish(server.lists.held_posts.work())
    [post] = server.owed
    assert (post.state, post.notices) == (RecipientState.WAITING, 0)
