from pathlib import Path
from typing import Any

import pytest

from tests.control.store.backup.test_backup import change, expunge
from tests.control.store.commands import ALICE, BOB, StoreCommand, facts, wanted
from tests.corpus import mails
from twisted_mail.store.work.mailbox_operations import create, delete


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    made = StoreCommand(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(5))
    change(made, expunge, [2, 4])
    return made


def test_expunged_messages_are_listed(store: StoreCommand) -> None:
    listed = store.json("undelete", ALICE, "--list")["messages"]
    assert [each["uid"] for each in listed] == [2, 4]
    assert listed[0]["subject"]
    assert store("undelete", ALICE, "--list") == 0
    assert "INBOX" in store.out
    assert len(store.look()) == 3


def test_expunged_messages_come_back_with_flags_and_dates(store: StoreCommand) -> None:
    assert store("undelete", ALICE) == 0
    assert "INBOX: 2 messages brought back" in store.out
    assert facts(store.look()) == wanted(mails(5))
    assert [each.uid for each in store.look()] == [1, 3, 5, 6, 7]
    assert store("undelete", ALICE) == 0
    assert "there was nothing" in store.out


def test_they_are_chosen_by_mailbox_time_and_uid(store: StoreCommand) -> None:
    assert store.json("undelete", ALICE, "Sent")["mailboxes"] == {}
    assert store.json("undelete", ALICE, "INBOX", "--since", "2199-01-01")["mailboxes"] == {}
    [one] = store.json("undelete", ALICE, "--since", "2h", "--uid", "4")["mailboxes"]["INBOX"]
    assert one["old_uid"] == 4


def test_a_deleted_mailbox_comes_back(store: StoreCommand) -> None:
    change(store, create, "Work", "")
    store.put(mails(2, seed=4), mailbox="Work")
    change(store, delete, "Work")
    assert store("undelete", ALICE, "Work") == 0
    assert len(store.look(mailbox="Work")) == 2


def test_they_can_come_back_elsewhere(store: StoreCommand) -> None:
    assert store("undelete", ALICE, "--into", "Archive") == 0
    assert len(store.look(mailbox="Archive")) == 2
    assert store("undelete", ALICE, "--into", "Nowhere") == 0  # there was nothing left


def test_what_makes_no_sense_is_refused(store: StoreCommand) -> None:
    assert store("undelete", ALICE, "--since", "yesterday-ish") == 2
    assert store("undelete", BOB) == 1
    assert store("undelete", "nobody") == 1
