"""Whose question is next: nobody's many keep others from theirs."""

import dns.name
import pytest
from twisted.internet.defer import Deferred

from twisted_mail.interfaces.resolver import DNS_LISTS
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.dns import question_queue as room
from twisted_mail.net.dns.question_queue import Question, QuestionQueue


def question(name: str) -> Question:
    made = Question((dns.name.from_text(name), "A"))
    made.waiting.append(Deferred())
    return made


def filled(queue: QuestionQueue, asker: str, count: int) -> list[Question]:
    made = [question(f"{number}.{asker or 'own'}.example") for number in range(count)]
    for each in made:
        assert queue.add(each, asker) == []
    return made


def begun(queue: QuestionQueue) -> list[str]:
    """Begin all whose turn it is; return whose turns those were."""
    found = []
    while (turn := queue.next()) is not None:
        found.append(turn[1])
    return found


def test_one_network_has_a_tenth() -> None:
    queue = QuestionQueue(100)
    filled(queue, "192.0.2.0/24", 50)
    assert begun(queue) == ["192.0.2.0/24"] * 10
    queue.end("192.0.2.0/24")
    assert begun(queue) == ["192.0.2.0/24"]


def test_networks_take_turns() -> None:
    queue = QuestionQueue(20)
    filled(queue, "a", 5)
    filled(queue, "b", 1)
    filled(queue, "c", 1)
    assert begun(queue) == ["a", "b", "c", "a"]


def test_lists_and_all_others_each_have_a_quarter_of_their_own() -> None:
    queue = QuestionQueue(100)
    for network in range(20):
        filled(queue, f"n{network}", 10)
    assert len(begun(queue)) == 75
    filled(queue, DNS_LISTS, 100)
    assert begun(queue) == [DNS_LISTS] * 25
    other = QuestionQueue(100)
    filled(other, DNS_LISTS, 100)
    assert begun(other) == [DNS_LISTS] * 75
    filled(other, "", 100)
    assert begun(other) == [""] * 25


def test_lists_are_asked_first() -> None:
    queue = QuestionQueue(4)
    filled(queue, "a", 1)
    filled(queue, DNS_LISTS, 2)
    assert begun(queue) == [DNS_LISTS, DNS_LISTS, "a"]


def test_one_network_fills_no_more_than_its_places() -> None:
    queue = QuestionQueue(10)
    filled(queue, "a", room.MAX_WAITING_OF_ONE)
    with pytest.raises(Unavailable):
        queue.add(question("x.example"), "a")
    filled(queue, "b", 1)


def test_when_all_places_are_taken_who_has_most_gives_one_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_WAITING", 4)
    queue = QuestionQueue(10)
    filled(queue, "a", 1)
    last = filled(queue, "b", 3)[-1]
    assert queue.add(question("x.example"), "c") == [last]
    with pytest.raises(Unavailable):
        queue.add(question("y.example"), "c")
    filled(queue, DNS_LISTS, 4)
    with pytest.raises(Unavailable):
        queue.add(question("z.example"), DNS_LISTS)


def test_what_several_ask_is_begun_in_the_first_turn_and_once() -> None:
    queue = QuestionQueue(10)
    filled(queue, "a", 3)
    shared = question("gmail.example")
    queue.add(shared, "a")
    queue.add(shared, "b")
    assert [turn[0] is shared for turn in (queue.next(), queue.next()) if turn] == [False, True]
    queue.end("a")
    queue.end("b")
    assert begun(queue) == ["a"]
