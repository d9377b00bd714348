"""Connections by address."""

from twisted.internet.defer import Deferred

from twisted_mail.net.client import address_slots
from twisted_mail.net.client.address_slots import MAX_WAITING, WAIT_SECONDS, AddressSlots
from twisted_mail.testing.clock import ServerClock, ServerTime

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Fixture:
    def __init__(self, most: int = 1) -> None:
        self.time = ServerTime()
        self.slots = AddressSlots(ServerClock(self.time), most)

    def wait(self, address: str = HERE) -> list[bool]:
        """Wait for a slot; return the list that gets the answer."""
        answers: list[bool] = []
        Deferred.fromCoroutine(self.slots.wait(address)).addCallback(answers.append)
        return answers


def test_each_address_has_so_many_slots() -> None:
    slots = Fixture(most=2).slots
    assert [slots.take(HERE) for _ in range(3)] == [True, True, False]
    assert slots.take(THERE)
    slots.release(HERE)
    assert slots.take(HERE)
    assert len(slots) == 3


def test_a_slot_that_is_given_back_goes_to_who_has_waited_longest() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE)
    first, second = fixture.wait(), fixture.wait()
    assert fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE)
    assert (first, second) == ([True], [])
    assert not fixture.slots.take(HERE)
    fixture.slots.release(HERE)
    assert second == [True]
    assert not fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE)
    assert len(fixture.slots) == 0


def test_nobody_waits_for_ever() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE)
    answers = fixture.wait()
    fixture.time.advance(WAIT_SECONDS)
    assert answers == [False]
    assert not fixture.slots.is_wanted(HERE)
    fixture.slots.release(HERE)
    assert fixture.slots.take(HERE)


def test_only_so_many_wait() -> None:
    fixture = Fixture()
    fixture.slots.take(HERE)
    waiting = [fixture.wait() for _ in range(MAX_WAITING)]
    assert fixture.wait() == [False]
    assert waiting == [[]] * MAX_WAITING
    assert address_slots.MAX_WAITING < 100
