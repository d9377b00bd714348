"""A store that keeps what is delivered."""

import pytest

from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.store import RecordingStore

ALICE, BOB = "alice@example.org", "bob@example.org"
FULL, BUSY = Refused("full"), Unavailable("busy")


def message() -> Message:
    return Message(MemoryBlob(b"hello"), b"A: b\r\n")


def test_each_account_gets_a_copy() -> None:
    store = RecordingStore()
    assert finish(store.deliver([ALICE, BOB], message())) == {ALICE: None, BOB: None}
    assert store.deliveries == [([ALICE, BOB], b"A: b\r\nhello")]
    assert store.copies[BOB] == [b"A: b\r\nhello"]
    assert store.delivered == [ALICE, BOB]


def test_an_account_that_fails_gets_none() -> None:
    store = RecordingStore({BOB: FULL})
    assert finish(store.deliver([ALICE, BOB], message())) == {ALICE: None, BOB: FULL}
    assert store.delivered == [ALICE]
    assert finish(store.check_quota([BOB], 7)) == {BOB: FULL}


def test_all_accounts_can_fail() -> None:
    store = RecordingStore()
    store.error = BUSY
    assert finish(store.deliver([ALICE], message())) == {ALICE: BUSY}
    assert store.delivered == []


def test_an_exception_is_raised() -> None:
    store = RecordingStore()
    store.exception = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        finish(store.deliver([ALICE], message()))
    assert store.deliveries == []
