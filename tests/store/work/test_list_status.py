"""Tests of twisted_mail.store.work.list_status: what is listed where a file cannot be read."""

import errno
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer
from tests.faults import BadFilesDisk
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class Listing:
    """An account with the mailboxes Work, not subscribed to, and Mine; and what its disk refuses."""

    def __init__(self, root: Path) -> None:
        self.disk = BadFilesDisk()
        self.reports: list[str] = []
        services = StoreServices(
            disk=self.disk, report_fault=lambda where, error: self.reports.append(where)
        )
        store = MaildirStore(root, InlineBlocking(), StillClock(), FakeRenderer(), services)
        self.account: MaildirAccount = finish(store.account(ALICE))
        finish(self.account.create("Work", "\\Archive"))
        finish(self.account.create("Mine"))
        finish(self.account.subscribe("Mine", True))
        finish(self.account.subscribe("Work", False))

    def all(self) -> dict[str, tuple[str, bool]]:
        """Return special use and subscription of each mailbox of the two."""
        found = {info.name: (info.use, info.is_subscribed) for info in self.infos()}
        return {name: found[name] for name in ("Mine", "Work")}

    def infos(self):
        return finish(self.account.mailboxes())


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    return Listing(tmp_path)


def test_all_is_listed_as_subscribed_where_subscriptions_cannot_be_read(listing: Listing) -> None:
    assert listing.all() == {"Mine": ("", True), "Work": ("\\Archive", False)}
    listing.disk.bad["open", b"subscriptions"] = errno.EACCES
    assert listing.all() == {"Mine": ("", True), "Work": ("\\Archive", True)}
    assert any(where.endswith("Maildir/subscriptions") for where in listing.reports)
    with pytest.raises(Unavailable):  # nothing is lost by writing over them
        finish(listing.account.subscribe("Work", True))
    listing.disk.bad.clear()
    assert listing.all() == {"Mine": ("", True), "Work": ("\\Archive", False)}


def test_mailboxes_are_listed_where_their_uses_cannot_be_read(listing: Listing) -> None:
    listing.disk.bad["open", b"special-use"] = errno.EIO
    assert listing.all() == {"Mine": ("", True), "Work": ("", False)}
    assert any(where.endswith("special-use") for where in listing.reports)


def test_what_no_file_is_to_blame_for_is_an_answer(listing: Listing) -> None:
    listing.disk.bad["open", b"subscriptions"] = errno.EMFILE
    with pytest.raises(Unavailable):
        listing.all()
