from pathlib import Path
from typing import Any

import pytest

from tests.control.store.backup.test_backup import change, expunge
from tests.control.store.commands import ALICE, BOB, Place, facts, wanted
from tests.corpus import mails
from twisted_mail.store.work.mailbox_operations import create, delete


@pytest.fixture
def place(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(5))
    change(made, expunge, [2, 4])
    return made


def test_expunged_messages_are_listed(place: Place) -> None:
    listed = place.json("undelete", ALICE, "--list")["messages"]
    assert [each["uid"] for each in listed] == [2, 4]
    assert listed[0]["subject"]
    assert place("undelete", ALICE, "--list") == 0
    assert "INBOX" in place.out
    assert len(place.look()) == 3


def test_expunged_messages_come_back_with_flags_and_dates(place: Place) -> None:
    assert place("undelete", ALICE) == 0
    assert "INBOX: 2 messages brought back" in place.out
    assert facts(place.look()) == wanted(mails(5))
    assert [each.uid for each in place.look()] == [1, 3, 5, 6, 7]
    assert place("undelete", ALICE) == 0
    assert "there was nothing" in place.out


def test_they_are_chosen_by_mailbox_time_and_uid(place: Place) -> None:
    assert place.json("undelete", ALICE, "Sent")["mailboxes"] == {}
    assert place.json("undelete", ALICE, "INBOX", "--since", "2199-01-01")["mailboxes"] == {}
    [one] = place.json("undelete", ALICE, "--since", "2h", "--uid", "4")["mailboxes"]["INBOX"]
    assert one["old_uid"] == 4


def test_a_deleted_mailbox_comes_back(place: Place) -> None:
    change(place, create, "Work", "")
    place.put(mails(2, seed=4), mailbox="Work")
    change(place, delete, "Work")
    assert place("undelete", ALICE, "Work") == 0
    assert len(place.look(mailbox="Work")) == 2


def test_they_can_come_back_elsewhere(place: Place) -> None:
    assert place("undelete", ALICE, "--into", "Archive") == 0
    assert len(place.look(mailbox="Archive")) == 2
    assert place("undelete", ALICE, "--into", "Nowhere") == 0  # there was nothing left


def test_what_makes_no_sense_is_refused(place: Place) -> None:
    assert place("undelete", ALICE, "--since", "yesterday-ish") == 2
    assert place("undelete", BOB) == 1
    assert place("undelete", "nobody") == 1
