import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.repair import compact
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

NUMBER = 12


class Served:
    """A store with one account, and the list of its INBOX."""

    def __init__(self, root: Path) -> None:
        self.clock = StillClock(2e9)
        self.store = MaildirStore(
            root, InlineBlocking(), self.clock, FakeRenderer(), StoreServices(disk=QuickDisk())
        )
        self.account: MaildirAccount = finish(self.store.account(ALICE))
        self.list = root / "example.org" / "alice" / "Maildir" / "dovecot-uidlist"

    def fill(self, number: int = NUMBER) -> tuple[int, ...]:
        drafts = [draft(mail(str(each))) for each in range(number)]
        return finish(self.account.append("INBOX", drafts)).targets

    def idle(self) -> None:
        self.clock.seconds += 60
        while finish(self.store.compaction.step()):
            pass

    def lines(self) -> list[int]:
        """Return the UIDs that the list tells of."""
        return [int(line.split()[0]) for line in self.list.read_bytes().splitlines()[1:]]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(compact, "LEAST", 5)
    return Served(tmp_path)


def test_a_list_with_many_dead_lines_is_written_anew(served: Served) -> None:
    served.fill()
    inbox = finish(served.account.open("INBOX"))
    finish(inbox.expunge(range(1, 10)))
    assert served.lines() == [*range(1, 13)]
    before = served.list.stat().st_ino
    served.idle()
    assert served.lines() == [10, 11, 12]
    assert b" N13 " in served.list.read_bytes()
    assert served.list.stat().st_ino != before
    assert served.fill(1) == (13,)


def test_a_few_dead_lines_stay(served: Served) -> None:
    served.fill()
    finish(finish(served.account.open("INBOX")).expunge([1, 2, 3, 4, 5]))
    served.idle()
    assert served.lines() == [*range(1, 13)]


def test_dead_lines_that_are_a_small_share_stay(served: Served) -> None:
    served.fill(40)
    finish(finish(served.account.open("INBOX")).expunge(range(1, 10)))
    served.idle()
    assert len(served.lines()) == 40


def test_moves_leave_dead_lines_too(served: Served) -> None:
    served.fill()
    finish(finish(served.account.open("INBOX")).move([*range(1, 12)], "Trash"))
    served.idle()
    assert served.lines() == [12]


def test_nobody_has_to_wait_for_it_while_the_account_is_used(served: Served) -> None:
    served.fill()
    finish(finish(served.account.open("INBOX")).expunge(range(1, 12)))
    finish(served.store.compaction.step())
    assert len(served.lines()) == 12


def test_a_file_that_the_index_does_not_know_yet_keeps_its_line(served: Served) -> None:
    served.fill()
    inbox = finish(served.account.open("INBOX"))
    finish(inbox.expunge(range(1, 12)))
    (served.list.parent / "cur" / "2000000000.x.y:2,S").write_bytes(mail("Dovecot's"))
    with served.list.open("ab") as file:
        file.write(b"77 :2000000000.x.y\n")
    served.idle()
    assert 77 in served.lines()
    finish(inbox.refresh())
    assert list(inbox.columns.uids) == [12, 77]


def test_another_process_goes_on_with_the_list(served: Served, tmp_path: Path) -> None:
    served.fill()
    other = Served(tmp_path)
    theirs = finish(other.account.open("INBOX"))
    finish(finish(served.account.open("INBOX")).expunge(range(1, 12)))
    served.idle()
    assert served.lines() == [12]
    assert other.fill(1) == (13,)
    assert list(theirs.columns.uids) == [12, 13]
    assert served.fill(1) == (14,)
    assert served.lines() == [12, 13, 14]


def test_a_restart_reads_the_list_as_it_is(served: Served, tmp_path: Path) -> None:
    served.fill()
    finish(finish(served.account.open("INBOX")).expunge(range(1, 12)))
    served.idle()
    finish(served.store.close())
    for path in served.list.parent.parent.glob("index.sqlite3*"):
        path.unlink()
    again = Served(tmp_path)
    assert list(finish(again.account.open("INBOX")).columns.uids) == [12]
    assert again.fill(1) == (13,)


def test_a_delivery_does_not_touch_the_list(served: Served) -> None:
    served.fill()
    finish(finish(served.account.open("INBOX")).expunge(range(1, 12)))
    before = served.list.stat()
    finish(served.store.deliver([ALICE], Message(MemoryBlob(mail("new")))))
    assert os.path.samestat(served.list.stat(), before)
    assert len(served.lines()) >= 12


def test_a_mailbox_that_was_deleted_meanwhile_is_no_trouble(served: Served) -> None:
    drafts = [draft(mail(str(each))) for each in range(NUMBER)]
    finish(served.account.append("Sent", drafts))
    sent = finish(served.account.open("Sent"))
    finish(sent.expunge(range(1, 12)))
    sent.close()
    finish(served.account.delete("Sent"))
    served.idle()
