"""The messages that a server took in."""

import threading

import pytest

from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.testing.received import ReceivedMessage, ReceivedMessages

ENVELOPE = Envelope("id", NULL, (parse("alice@example.org"),))
MESSAGE = ReceivedMessage(ENVELOPE, b"Subject: hi\r\n\r\n", b"Received: x\r\n")


def test_a_message_is_a_value() -> None:
    assert MESSAGE.sender == ""
    assert MESSAGE.recipients == ["alice@example.org"]
    assert MESSAGE.parsed()["Subject"] == "hi"


def test_all_are_kept_in_order() -> None:
    received = ReceivedMessages()
    received.add(MESSAGE)
    found = received.all()
    found.clear()
    assert received.wait(1, 0) == received.all() == [MESSAGE]


def test_another_thread_is_waited_for() -> None:
    received = ReceivedMessages()
    sender = threading.Thread(target=received.add, args=(MESSAGE,))
    sender.start()
    assert received.wait(1, 10) == [MESSAGE]
    sender.join()


def test_waiting_has_an_end() -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        ReceivedMessages().wait(1, 0)
