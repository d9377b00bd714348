"""Mod-sequences that were told are never told again, whatever becomes of the index."""

import dataclasses
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class RestartedStore:
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
def restarted(tmp_path: Path) -> RestartedStore:
    return RestartedStore(tmp_path)


def test_an_empty_mailbox_tells_no_lower_one_when_the_index_is_lost_after_a_start(
    restarted: RestartedStore,
) -> None:
    restarted.modseq("Sent")
    finish(restarted.store.close())
    restarted.start()
    told = restarted.modseq("Sent")
    restarted.lose_index()
    assert restarted.modseq("Sent") >= told


def test_each_loss_of_the_index_leads_to_higher_ones_even_soon_after_a_start(
    restarted: RestartedStore,
) -> None:
    finish(finish(restarted.store.account(ALICE)).append("Sent", [draft(mail("one"))]))
    restarted.lose_index()
    restarted.modseq("Sent")
    finish(restarted.store.close())
    restarted.start()
    told = restarted.modseq("Sent")
    restarted.lose_index()
    assert restarted.modseq("Sent") > told


def test_a_mailbox_that_the_index_thinks_empty_may_have_told_higher_ones(
    restarted: RestartedStore,
) -> None:
    restarted.modseq("Sent")
    finish(restarted.store.close())
    kept = {path: path.read_bytes() for path in restarted.root.glob("*/*/index.sqlite3*")}
    account = finish(restarted.store.account(ALICE))
    finish(account.append("Sent", [draft(mail("one"))]))
    for flags in ("Own", "Other"):
        sent = finish(account.open("Sent"))
        finish(sent.mark([1], "set", frozenset({flags})))
        sent.close()
    told = restarted.modseq("Sent")
    finish(restarted.store.close())
    for path, data in kept.items():
        path.write_bytes(data)
    restarted.start()
    assert restarted.modseq("Sent") > told
