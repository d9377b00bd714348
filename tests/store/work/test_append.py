"""Messages put into a mailbox one after the other."""

from pathlib import Path

import pytest

from tests.contracts.ground import draft, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import LATER, SharedMaildir
from twisted_mail.store.tree.freshness import DOUBT_SECONDS
from twisted_mail.testing.doubles import finish


class ListingDisk(QuickDisk):
    """Counts the listings of cur."""

    listings = 0

    def files(self, path: bytes) -> list[bytes]:
        self.listings += path.endswith(b"cur")
        return super().files(path)


@pytest.fixture
def disk() -> ListingDisk:
    return ListingDisk()


@pytest.fixture
def shared(tmp_path: Path, disk: ListingDisk) -> SharedMaildir:
    """A maildir whose folders are always too young for their times to be trusted."""
    found = SharedMaildir(tmp_path, disk)
    found.clock.seconds = 1_000_000_000
    return found


def append(shared: SharedMaildir, *texts: str) -> None:
    for text in texts:
        finish(shared.account.append("INBOX", [draft(mail(text))]))


def test_a_mailbox_that_was_just_made_is_not_read_for_each(
    shared: SharedMaildir, disk: ListingDisk
) -> None:
    append(shared, "a", "b")
    disk.listings = 0
    append(shared, "c", "d", "e")
    assert disk.listings == 0


def test_what_another_program_did_before_an_own_rename_is_found(shared: SharedMaildir) -> None:
    append(shared, "a")
    shared.drop("cur/1.dropped:2,S")
    append(shared, "b")
    assert len(shared.open().columns) == 3


def test_what_an_own_rename_may_have_hidden_is_looked_for_after_a_while(
    shared: SharedMaildir, disk: ListingDisk
) -> None:
    append(shared, "a", "b")
    shared.clock.seconds += DOUBT_SECONDS + 1
    disk.listings = 0
    append(shared, "c", "d")
    assert disk.listings == 1
    shared.clock.seconds = LATER
    assert len(shared.open().columns) == 4
