from array import array
from types import SimpleNamespace
from typing import Any

import pytest

from twisted_mail.mail.outcome import Refused
from twisted_mail.pop3.snapshot import BATCH, MaildropSnapshot


def snapshot(*sizes: int) -> MaildropSnapshot:
    uids = array("I", range(10, 10 + len(sizes)))
    columns = SimpleNamespace(uids=uids, sizes=array("I", sizes))
    mailbox: Any = SimpleNamespace(columns=columns, uidvalidity=7)
    return MaildropSnapshot(mailbox)


def test_what_is_marked_as_deleted_is_counted_no_longer() -> None:
    shot = snapshot(100, 200, 300)
    shot.delete(shot.row(2))
    assert (shot.count, shot.octets, shot.summary) == (2, 400, "2 messages (400 octets)")
    assert shot.deleted_uids() == [11]
    shot.reset()
    assert (shot.count, shot.octets, shot.deleted_uids()) == (3, 600, [])


def test_numbers_stay_and_only_messages_that_are_there_have_one() -> None:
    shot = snapshot(1, 2)
    shot.delete(shot.row(1))
    assert (shot.row(2), shot.uid(1), shot.size(1)) == (1, 11, 2)
    for number in (0, 1, 3):
        with pytest.raises(Refused) as caught:
            shot.row(number)
        assert (caught.value.condition, caught.value.outcome.code) == ("NONEXISTENT", 550)


def test_one_message_is_no_messages() -> None:
    assert snapshot(5).summary == "1 message (5 octets)"


def test_a_listing_leaves_in_pieces_without_what_is_deleted() -> None:
    shot = snapshot(*[1] * (BATCH + 1))
    shot.delete(0)
    first, second = shot.listing(lambda row: b"%d" % (row + 1))
    assert first.startswith(b"2\r\n3\r\n")
    assert second == b"%d\r\n" % (BATCH + 1)


def test_unique_ids_are_those_of_dovecot() -> None:
    assert snapshot(1).unique_id(0) == b"0000000a00000007"
