"""Tests of twisted_mail.store.closed_mailboxes."""

from functools import partial

from twisted_mail.store.closed_mailboxes import ClosedMailboxes


class Closed:
    """Mailboxes that may have 100 octets; ``forgotten`` has the numbers of those that were forgotten."""

    def __init__(self) -> None:
        self.closed = ClosedMailboxes(max_octets=100)
        self.forgotten: list[int] = []

    def put(self, mailbox: int, octets: int) -> None:
        self.closed.put(mailbox, octets, partial(self.forgotten.append, mailbox))


def test_all_stay_while_there_is_room() -> None:
    here = Closed()
    for mailbox in (1, 2, 3, 4):
        here.put(mailbox, 25)
    assert here.forgotten == []


def test_the_first_closed_is_forgotten_first() -> None:
    here = Closed()
    for mailbox in (1, 2, 3):
        here.put(mailbox, 40)
    here.put(4, 80)
    assert here.forgotten == [1, 2, 3]


def test_one_that_grows_counts_anew_and_keeps_its_place() -> None:
    here = Closed()
    here.put(1, 40)
    here.put(2, 40)
    here.put(1, 60)
    assert here.forgotten == []
    here.put(2, 41)
    assert here.forgotten == [1]


def test_one_that_is_open_again_does_not_count() -> None:
    here = Closed()
    here.put(1, 90)
    here.closed.remove(1)
    here.closed.remove(1)
    here.put(2, 90)
    assert here.forgotten == []


def test_the_last_one_stays_however_large_it_is() -> None:
    here = Closed()
    here.put(1, 10)
    here.put(2, 1000)
    assert here.forgotten == [1]
    here.put(3, 10)
    assert here.forgotten == [1, 2]


def test_one_may_be_taken_out_while_it_is_forgotten() -> None:
    here = Closed()
    here.closed.put(1, 90, lambda: here.closed.remove(1))
    here.put(2, 60)
    here.put(3, 40)
    assert here.forgotten == []
