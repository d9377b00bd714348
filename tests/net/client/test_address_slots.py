"""Connections by address."""

from twisted.internet.defer import Deferred

from twisted_mail.net.client import address_slots
from twisted_mail.net.client.address_slots import MAX_WAITING, WAIT_SECONDS, AddressSlots, HeldSlot
from twisted_mail.testing.clock import ServerClock, ServerTime

HERE, THERE = "192.0.2.1", "192.0.2.2"
A, B, C = "a.example", "b.example", "c.example"  # users


class Fixture:
    def __init__(self, most: int = 1) -> None:
        self.time = ServerTime()
        self.slots = AddressSlots(ServerClock(self.time), most)

    def wait(self, user: str = B) -> list[bool]:
        """Wait for a slot; return the list that gets the answer."""
        answers: list[bool] = []
        Deferred.fromCoroutine(self.slots.wait(HERE, user)).addCallback(answers.append)
        return answers


def test_each_address_has_so_many_slots() -> None:
    slots = Fixture(most=2).slots
    assert [slots.take(HERE, A) for _ in range(3)] == [True, True, False]
    assert slots.take(THERE, A)
    slots.release(HERE, A)
    assert slots.take(HERE, A)
    assert len(slots) == 3


def test_a_slot_that_is_given_back_goes_to_who_has_waited_longest() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE, A)
    first, second = fixture.wait(B), fixture.wait(C)
    assert fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE, A)
    assert (first, second) == ([True], [])
    assert not fixture.slots.take(HERE, A)
    fixture.slots.release(HERE, B)
    assert second == [True]
    assert not fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE, C)
    assert len(fixture.slots) == 0


def test_nobody_waits_for_ever() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE, A)
    answers = fixture.wait()
    fixture.time.advance(WAIT_SECONDS)
    assert answers == [False]
    assert not fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE, A)
    assert fixture.slots.take(HERE, A)


def test_only_so_many_wait() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE, A)
    waiting = [fixture.wait(f"{one}.example") for one in range(MAX_WAITING)]
    assert fixture.wait(B) == [False]
    assert waiting == [[]] * MAX_WAITING
    assert address_slots.MAX_WAITING < 100


def test_who_has_its_share_does_not_wait_for_more() -> None:
    fixture = Fixture(most=4)
    assert [fixture.slots.take(HERE, A) for _ in range(4)] == [True] * 4
    assert fixture.wait(A) == [False]
    assert not fixture.slots.is_wanted(HERE)
    waiting = [fixture.wait(B), fixture.wait(B)]
    assert waiting == [[], []]
    assert fixture.wait(B) == [False]


def test_slots_are_given_up_until_all_have_the_same() -> None:
    fixture = Fixture(most=4)
    for _ in range(4):
        fixture.slots.take(HERE, A)
    assert not fixture.slots.is_owed(HERE, A)
    given_up = 0
    answers = [fixture.wait(B), fixture.wait(B), fixture.wait(B)]
    while fixture.slots.is_owed(HERE, A):
        fixture.slots.release(HERE, A)
        given_up += 1
    assert given_up == 2
    assert answers == [[True], [True], [False]]
    assert not fixture.slots.is_owed(HERE, B)


def test_one_slot_is_not_torn_from_hand_to_hand() -> None:
    fixture = Fixture(most=1)
    fixture.slots.take(HERE, A)
    fixture.wait(B)
    assert fixture.slots.is_wanted(HERE)
    assert not fixture.slots.is_owed(HERE, A)


def test_who_ends_a_connection_may_wait_for_its_slot() -> None:
    fixture = Fixture()
    held = HeldSlot(fixture.slots, HERE, A)
    assert fixture.slots.take(HERE, A)
    assert fixture.wait(A) == [False]
    held.leave()
    answers = fixture.wait(A)
    assert not fixture.slots.take(HERE, B)
    held.release()
    assert answers == [True]
    assert fixture.wait(A) == [False]
    held.leave()
    assert fixture.wait(A) == [False]


def test_nobody_ends_one_connection_more_while_one_is_about_to_end() -> None:
    fixture = Fixture(most=2)
    held = HeldSlot(fixture.slots, HERE, A)
    assert [fixture.slots.take(HERE, A) for _ in range(2)] == [True, True]
    fixture.wait(B)
    assert fixture.slots.is_owed(HERE, A)
    held.leave()
    assert not fixture.slots.is_owed(HERE, A)
