"""The first use of an account."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import SYNCING, PowerDisk, QuickDisk, StopDisk, Stopped
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format.mailbox_names import SPECIAL
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

MAX_STEPS = 200
Seen = tuple[int, list[int]]


def fill(root: Path) -> None:
    """Make a maildir that no server has seen."""
    maildir = root / "example.org" / "alice" / "Maildir"
    for place in ("cur", "new", "tmp"):
        (maildir / place).mkdir(parents=True)
    for number in (1, 2):
        (maildir / "cur" / f"{number}.a.h:2,S").write_bytes(mail("text"))


def alice(root: Path, disk: Disk) -> MaildirAccount:
    services = StoreServices(disk=disk)
    store = MaildirStore(root, InlineBlocking(), StillClock(2e9), FakeRenderer(), services)
    return finish(store.account(ALICE))


def open_inbox(root: Path, disk: Disk) -> Seen:
    account = alice(root, disk)
    inbox = finish(account.open("INBOX"))
    there = {info.name for info in finish(account.mailboxes()) if info.is_subscribed}
    assert there == {"INBOX", *SPECIAL}
    return inbox.uidvalidity, list(inbox.columns.uids)


def test_an_account_is_made_ready_with_few_syncs(tmp_path: Path) -> None:
    """Of four files at once, then of two folders at once; the last is for UIDs."""
    fill(tmp_path)
    disk = StopDisk(MAX_STEPS)
    open_inbox(tmp_path, disk)
    syncs = [step for step in disk.done if step in SYNCING]
    assert syncs == [*["sync_file"] * 4, *["sync_folder"] * 2, "sync_data"]


def test_what_the_first_look_at_inbox_needs_is_there_from_the_beginning(tmp_path: Path) -> None:
    """It is made with the rest, in the same time."""
    account = alice(tmp_path, QuickDisk())
    finish(account.mailboxes())
    path = tmp_path / "example.org" / "alice"
    header = (path / "Maildir" / "dovecot-uidlist").read_text()
    assert header.split()[:3] == ["3", f"V{(path / 'uidvalidity').read_text().strip()}", "N1"]
    inbox = finish(account.open("INBOX"))
    assert f"V{inbox.uidvalidity}" in header
    assert inbox.columns.uidnext == 1


@pytest.mark.parametrize("is_cut", [False, True])
def test_an_account_is_ready_at_the_next_start_wherever_the_first_one_stopped(
    tmp_path: Path, is_cut: bool
) -> None:
    for step in range(MAX_STEPS):
        root = tmp_path / str(step)
        fill(root)
        disk = PowerDisk(step, tmp_path / f"attic{step}")
        seen = None
        with suppress(Stopped):
            seen = open_inbox(root, disk)
        if is_cut:
            disk.cut()
        assert open_inbox(root, QuickDisk()) == (seen or open_inbox(root, QuickDisk()))
        sent = finish(alice(root, QuickDisk()).append("Sent", [draft(mail("sent"))]))
        assert sent.targets == (1,)
        if seen is not None:
            return
    raise AssertionError("the first use does not end")
