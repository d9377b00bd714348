"""Mod-sequences that were told are never told again, whatever becomes of the index."""

import dataclasses
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class Place:
    """A store whose machine starts anew when it is told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = StillClock(2e9)
        self.boots = 0
        self.start()

    def start(self) -> None:
        self.boots += 1
        store = MaildirStore(
            self.root, InlineBlocking(), self.clock, FakeRenderer(), disk=QuickDisk()
        )
        store._environment = dataclasses.replace(store._environment, boot=f"boot {self.boots}")
        self.store = store
        self.clock.seconds += 10

    def lose_index(self) -> None:
        finish(self.store.close())
        for path in self.root.glob("*/*/index.sqlite3*"):
            path.unlink()
        self.start()

    def modseq(self, name: str) -> int:
        return finish(finish(self.store.account(ALICE)).status(name)).highest_modseq


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_empty_mailbox_tells_no_lower_one_when_the_index_is_lost_after_a_start(
    place: Place,
) -> None:
    place.modseq("Sent")
    finish(place.store.close())
    place.start()
    told = place.modseq("Sent")
    place.lose_index()
    assert place.modseq("Sent") >= told


def test_each_loss_of_the_index_leads_to_higher_ones_even_soon_after_a_start(place: Place) -> None:
    finish(finish(place.store.account(ALICE)).append("Sent", [draft(mail("one"))]))
    place.lose_index()
    place.modseq("Sent")
    finish(place.store.close())
    place.start()
    told = place.modseq("Sent")
    place.lose_index()
    assert place.modseq("Sent") > told


def test_a_mailbox_that_the_index_thinks_empty_may_have_told_higher_ones(place: Place) -> None:
    place.modseq("Sent")
    finish(place.store.close())
    kept = {path: path.read_bytes() for path in place.root.glob("*/*/index.sqlite3*")}
    account = finish(place.store.account(ALICE))
    finish(account.append("Sent", [draft(mail("one"))]))
    for flags in ("Own", "Other"):
        sent = finish(account.open("Sent"))
        finish(sent.mark([1], "set", frozenset({flags})))
        sent.close()
    told = place.modseq("Sent")
    finish(place.store.close())
    for path, data in kept.items():
        path.write_bytes(data)
    place.start()
    assert place.modseq("Sent") > told
