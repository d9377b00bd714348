import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer
from tests.faults import QuickDisk
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import uidvalidity
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def counters(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.startswith("dovecot-uidvalidity"))


def test_dovecots_counter_is_read_from_a_name(tmp_path: Path) -> None:
    (tmp_path / "dovecot-uidvalidity").write_text("6b03fd10")
    (tmp_path / "dovecot-uidvalidity.6b03fd10").touch()
    assert uidvalidity.last(Disk(), os.fsencode(tmp_path)) == 0x6B03FD10


@pytest.mark.parametrize(
    "name", ["", ".", ".xyz", ".6b03fd1", ".6b03fd1000", ".-6b03fd1", "x.6b03"]
)
def test_other_names_count_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / f"dovecot-uidvalidity{name}").touch()
    assert uidvalidity.last(Disk(), os.fsencode(tmp_path)) <= 0
    uidvalidity.raise_counters(Disk(), os.fsencode(tmp_path), 0)
    assert counters(tmp_path) == [f"dovecot-uidvalidity{name}"]


def test_the_first_number_of_an_account_is_recorded(tmp_path: Path) -> None:
    given = uidvalidity.UidValidities(
        Disk(), StillClock(), os.fsencode(tmp_path), os.fsencode(tmp_path)
    )
    given.note(1)
    assert (tmp_path / "uidvalidity").read_bytes() == b"1\n"


def test_numbers_that_are_given_together_are_recorded_together(tmp_path: Path) -> None:
    (tmp_path / "dovecot-uidvalidity.00000020").touch()
    here = os.fsencode(tmp_path)
    given = uidvalidity.UidValidities(Disk(), StillClock(10.0), here, here)
    assert given.new(0x21, 3) == [0x22, 0x23, 0x24]
    assert counters(tmp_path) == ["dovecot-uidvalidity.00000024"]
    assert given.new(0) == [0x25]


def test_the_counter_never_goes_back(tmp_path: Path) -> None:
    (tmp_path / "dovecot-uidvalidity.00000020").touch()
    uidvalidity.raise_counters(Disk(), os.fsencode(tmp_path), 0x1F)
    assert counters(tmp_path) == ["dovecot-uidvalidity.00000020"]
    uidvalidity.raise_counters(Disk(), os.fsencode(tmp_path), 0x21)
    assert counters(tmp_path) == ["dovecot-uidvalidity.00000021"]


def test_a_new_mailbox_counts_on_from_dovecots_last(tmp_path: Path) -> None:
    maildir = tmp_path / "example.org" / "alice" / "Maildir"
    maildir.mkdir(parents=True)
    (maildir / "dovecot-uidvalidity.6b03fd10").touch()
    (maildir / "dovecot-uidlist").write_text("3 V1 N1\n")
    store = MaildirStore(
        tmp_path, InlineBlocking(), StillClock(), FakeRenderer(), StoreServices(disk=QuickDisk())
    )
    account = finish(store.account(ALICE))
    finish(account.create("new"))
    assert (maildir / ".new" / "dovecot-uidlist").read_text().startswith(f"3 V{0x6B03FD11} N1 ")
    assert counters(maildir) == ["dovecot-uidvalidity.6b03fd11"]
