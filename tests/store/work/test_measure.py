"""Dates and sizes are looked up when somebody asks."""

import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, entry, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, Contains, MessageRange
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.index.index import Index
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.work import measure, newcomers
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

SECONDS = 1_000_000_000


@pytest.fixture(autouse=True)
def _lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 0)
    monkeypatch.setattr(measure, "PIECE", 2)


@pytest.fixture
def cur(tmp_path: Path) -> Path:
    """The folder of five messages that another program put there."""
    folder = tmp_path / "example.org" / "alice" / "Maildir" / "cur"
    folder.mkdir(parents=True)
    for number in range(5):
        path = folder / f"{number}.a:2,"
        path.write_bytes(mail(str(number)).replace(b"\r\n", b"\n"))
        os.utime(path, (SECONDS, SECONDS))
    return folder


@pytest.fixture
def account(tmp_path: Path, cur: Path) -> MaildirAccount:
    disk = QuickDisk()
    store = MaildirStore(
        tmp_path, InlineBlocking(), StillClock(2.5e9), FakeRenderer(), StoreServices(disk=disk)
    )
    return finish(store.account(ALICE))


@pytest.fixture
def inbox(account: MaildirAccount):
    return finish(account.open("INBOX"))


def facts(mailbox) -> list[tuple[int, int]]:
    return list(zip(mailbox.columns.dates, mailbox.columns.sizes, strict=True))


KNOWN = (SECONDS, len(mail("1")))
NOTHING = (UNKNOWN_DATE, 0)


def test_opening_looks_into_no_file(inbox) -> None:
    assert facts(inbox) == [NOTHING] * 5


def test_what_is_measured_is_known(inbox) -> None:
    finish(inbox.measure([1, 3, 4, 9]))
    assert facts(inbox) == [KNOWN, NOTHING, KNOWN, KNOWN, NOTHING]


def test_the_index_is_asked_once_for_what_is_to_be_measured(
    inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    rows = Index.rows

    def asking(index, state, uids):
        asked.append(list(uids))
        return rows(index, state, uids)

    monkeypatch.setattr(Index, "rows", asking)
    finish(inbox.measure([1, 3, 4]))
    assert asked == [[1, 3, 4]]


def test_what_was_measured_once_is_not_looked_at_again(
    account: MaildirAccount, cur: Path, inbox
) -> None:
    finish(inbox.measure(inbox.columns.uids))
    inbox.close()
    for path in cur.iterdir():
        path.write_bytes(b"shorter")
    again = finish(account.open("INBOX"))
    finish(again.measure(again.columns.uids))
    assert facts(again) == [KNOWN] * 5


def test_a_file_that_was_renamed_meanwhile_is_found_and_measured(cur: Path, inbox) -> None:
    for path in cur.iterdir():
        path.rename(f"{path}S" if ":2," in path.name else f"{path}:2,S")
    finish(inbox.measure([1, 2]))
    assert facts(inbox)[:2] == [KNOWN, KNOWN]


def test_reading_measures(inbox) -> None:
    assert finish(inbox.read([MessageRange(2), MessageRange(3, 0, 4)])) == [mail("1"), b"Subj"]
    assert facts(inbox) == [NOTHING, KNOWN, KNOWN, NOTHING, NOTHING]


def test_rendering_and_searching_measure(inbox) -> None:
    finish(inbox.items([1]))
    assert entry(inbox, 1).size == len(mail("0"))
    assert finish(inbox.matching([1, 2, 3], Contains("text", "is 2"))) == {3}


def test_the_copy_is_measured(account: MaildirAccount, cur: Path, inbox) -> None:
    finish(inbox.copy([1, 2], "Archive"))
    assert facts(finish(account.open("Archive"))) == [KNOWN, KNOWN]


def test_the_size_of_all_is_right_when_asked_for(account: MaildirAccount, cur: Path, inbox) -> None:
    assert finish(account.status("INBOX", has_size=False)).size == 0
    assert finish(account.status("INBOX")).size == 5 * len(mail("1"))
    assert finish(inbox.expunge([1])) == (1,)
    assert finish(account.status("INBOX")).size == 4 * len(mail("1"))


def test_a_file_that_vanished_is_passed_over(account: MaildirAccount, cur: Path, inbox) -> None:
    Path(cur, "0.a:2,").unlink()
    finish(inbox.measure(inbox.columns.uids))
    assert facts(inbox) == [KNOWN] * 4  # looked for, and found to be gone
    assert finish(account.status("INBOX")).messages == 4


def test_a_file_that_was_renamed_is_found(account: MaildirAccount, cur: Path, inbox) -> None:
    Path(cur, "0.a:2,").rename(Path(cur, "0.a:2,S"))
    assert finish(inbox.read([MessageRange(1)])) == [mail("0")]
