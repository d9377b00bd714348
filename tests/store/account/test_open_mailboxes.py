"""Tests of twisted_mail.store.account.open_mailboxes: mailboxes that were closed and are opened again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, listen, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import SharedMaildir, lose, texts, uids
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.change import MailboxDeleted
from twisted_mail.mail.mailbox.entry import Entry
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.net.process.inotify import Inotify
from twisted_mail.store.account import account
from twisted_mail.store.account.folder_watch import UNSEEN_SECONDS
from twisted_mail.store.account.open_mailboxes import MAX_CLOSED
from twisted_mail.store.index import expunged_log
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

LATER = 2_500_000_000


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of mailboxes whose columns were read from the index, as it happens."""
    names: list[str] = []
    columns = account.columns

    def reading(folder, work, row):
        names.append(folder.name)
        return columns(folder, work, row)

    monkeypatch.setattr(account, "columns", reading)
    return names


def put(shared: SharedMaildir, *bodies: str, name: str = "INBOX") -> None:
    finish(shared.account.append(name, [draft(mail(body)) for body in bodies]))


def visit(shared: SharedMaildir, name: str = "INBOX") -> None:
    """Open a mailbox and close it."""
    shared.open(name).close()


def entries(mailbox: Mailbox) -> list[Entry]:
    return list(mailbox.columns)


def is_as_on_disk(shared: SharedMaildir, name: str = "INBOX") -> bool:
    """Return whether a mailbox, opened again, is as one that is opened for the first time."""
    again = shared.open(name)
    shown = entries(again), again.columns.uidnext, again.columns.highest_modseq, again.uidvalidity
    again.close()
    first = finish(finish(other_store(shared.root).account(ALICE)).open(name))
    return shown == (
        entries(first),
        first.columns.uidnext,
        first.columns.highest_modseq,
        first.uidvalidity,
    )


def other_store(root: Path, services: StoreServices | None = None) -> MaildirStore:
    """Return the store of another process."""
    services = services or StoreServices(disk=QuickDisk())
    return MaildirStore(root, InlineBlocking(), StillClock(LATER), FakeRenderer(), services)


# ---------------------------------------------------------------- in memory


def test_a_mailbox_that_is_opened_again_is_in_memory(
    shared: SharedMaildir, loaded: list[str]
) -> None:
    put(shared, "a", "b")
    visit(shared)
    assert not shared.account.is_open
    again = shared.open()
    assert texts(again) == [mail("a"), mail("b")]
    assert shared.account.is_open
    assert loaded == ["INBOX"]


def test_what_happens_in_this_process_reaches_closed_mailboxes(
    shared: SharedMaildir, loaded: list[str]
) -> None:
    put(shared, "a", "b", "c")
    visit(shared)
    put(shared, "d")
    finish(shared.store.deliver([ALICE], Message(MemoryBlob(mail("e")))))
    sent = shared.open("Sent")
    finish(shared.account.append("Sent", [draft(mail("f"))]))
    finish(sent.move([1], "INBOX"))
    sent.close()
    assert is_as_on_disk(shared)
    assert is_as_on_disk(shared, "Sent")
    assert uids(shared.open()) == [1, 2, 3, 4, 5, 6]
    assert loaded[:2] == ["INBOX", "Sent"]


def test_each_account_has_a_few_closed_mailboxes_in_memory(
    shared: SharedMaildir, loaded: list[str]
) -> None:
    names = [f"Work {number}" for number in range(MAX_CLOSED + 1)]
    for name in names:
        finish(shared.account.create(name))
        visit(shared, name)
    visit(shared, names[1])
    assert loaded == names
    visit(shared, names[0])
    visit(shared, names[2])
    assert loaded == [*names, names[0], names[2]]


def test_open_mailboxes_are_not_forgotten(shared: SharedMaildir, loaded: list[str]) -> None:
    inbox = shared.open()
    for number in range(MAX_CLOSED + 2):
        finish(shared.account.create(f"Work {number}"))
        visit(shared, f"Work {number}")
    visit(shared)
    inbox.close()
    visit(shared)
    assert loaded.count("INBOX") == 1


def test_an_account_whose_index_is_closed_has_no_closed_mailboxes_in_memory(
    shared: SharedMaildir, loaded: list[str]
) -> None:
    put(shared, "a")
    visit(shared)
    shared.close()
    visit(shared)
    assert loaded == ["INBOX", "INBOX"]


def test_whoever_wanted_a_mailbox_and_has_gone_leaves_it_closed(shared: SharedMaildir) -> None:
    put(shared, "a")
    opening = shared.account.open("INBOX")
    opening.close()
    assert not shared.account.is_open
    assert is_as_on_disk(shared)


# ---------------------------------------------------------------- other programs


def _drop(shared: SharedMaildir) -> None:
    shared.drop("new/another.host")


def _rename(shared: SharedMaildir) -> None:
    [path] = (shared.maildir / "cur").glob("2.*")
    path.rename(f"{path}F")


def _remove(shared: SharedMaildir) -> None:
    [path] = (shared.maildir / "cur").glob("1.*")
    path.unlink()


@pytest.mark.parametrize("act", [_drop, _rename, _remove])
def test_what_other_programs_did_is_there(
    shared: SharedMaildir, loaded: list[str], act: Callable[[SharedMaildir], None]
) -> None:
    for number in (1, 2, 3):
        shared.drop(f"cur/{number}.host:2,S")
    visit(shared)
    before = entries(shared.open())
    act(shared)
    assert is_as_on_disk(shared)
    assert entries(shared.open()) != before
    assert loaded[0] == "INBOX"


def test_a_mailbox_that_is_gone_is_not_opened_again(shared: SharedMaildir) -> None:
    finish(shared.account.create("Work"))
    visit(shared, "Work")
    shutil.rmtree(shared.maildir / ".Work")
    with pytest.raises(Exception, match="no such mailbox"):
        visit(shared, "Work")


@pytest.mark.parametrize("is_other_program", [True, False])
def test_another_mailbox_of_the_same_name_is_another_one(
    shared: SharedMaildir, is_other_program: bool
) -> None:
    finish(shared.account.create("Work"))
    put(shared, "a", "b", name="Work")
    visit(shared, "Work")
    if is_other_program:
        shutil.rmtree(shared.maildir / ".Work")
        for place in ("new", "cur", "tmp"):
            (shared.maildir / ".Work" / place).mkdir(parents=True)
        finish(shared.account.status("Work"))
    else:
        finish(shared.account.delete("Work"))
        finish(shared.account.create("Work"))
    put(shared, "c", name="Work")
    second = shared.open("Work")
    assert texts(second) == [mail("c")]
    second.close()
    assert is_as_on_disk(shared, "Work")


def test_a_mailbox_that_was_renamed_is_in_memory_under_its_new_name(
    shared: SharedMaildir, loaded: list[str]
) -> None:
    finish(shared.account.create("Work"))
    put(shared, "a", name="Work")
    visit(shared, "Work")
    finish(shared.account.rename("Work", "Play"))
    finish(shared.account.create("Work"))
    assert texts(shared.open("Play")) == [mail("a")]
    assert uids(shared.open("Work")) == []
    assert loaded == ["Work", "Work"]


def _number_anew(shared: SharedMaildir) -> None:
    """Give the messages of INBOX other UIDs, under another UIDVALIDITY, in a list of another program."""
    lose(shared)
    path = shared.maildir / "dovecot-uidlist"
    names = [line.partition(" ")[2] for line in path.read_text().splitlines()[1:]]
    lines = [f"{uid} {name}" for uid, name in enumerate(reversed(names), 1)]
    path.write_text("\n".join([f"3 V77 N9 G{'0' * 32}", *lines, ""]))


def test_a_mailbox_with_another_uidvalidity_is_read_anew(shared: SharedMaildir) -> None:
    put(shared, "a", "b")
    visit(shared)
    _number_anew(shared)
    assert is_as_on_disk(shared)


def test_a_mailbox_with_another_uidvalidity_is_gone_for_those_who_have_it_open(
    shared: SharedMaildir,
) -> None:
    put(shared, "a", "bb", "ccc")
    old = shared.open()
    heard = listen(old)
    texts(old)
    finish(old.items(uids(old)))
    _number_anew(shared)
    new = shared.open()
    assert heard == [MailboxDeleted("INBOX")]
    with pytest.raises(Refused, match="deleted"):
        finish(old.mark([1], "add", normal(["\\Deleted"])))
    assert (new.uidvalidity, texts(new)) == (77, [mail("ccc"), mail("bb"), mail("a")])
    sizes = [len(mail(text)) for text in ("ccc", "bb", "a")]
    assert [items and items.envelope for items in finish(new.items(uids(new)))] == [
        b"(E %d)" % size for size in sizes
    ]
    old.close()
    new.close()
    assert is_as_on_disk(shared)


def test_where_list_and_index_are_lost_a_mailbox_is_gone_for_those_who_have_it_open(
    shared: SharedMaildir,
) -> None:
    put(shared, "a", "b")
    old = shared.open()
    uidvalidity = old.uidvalidity
    heard = listen(old)
    lose(shared)
    (shared.maildir / "dovecot-uidlist").unlink()
    new = shared.open()
    assert heard == [MailboxDeleted("INBOX")]
    assert (new.uidvalidity > uidvalidity, texts(new)) == (True, [mail("a"), mail("b")])
    assert is_as_on_disk(shared)


def test_an_index_that_was_lost_leaves_closed_mailboxes_as_they_are_on_the_disk(
    shared: SharedMaildir,
) -> None:
    put(shared, "a", "b")
    visit(shared)
    lose(shared)
    _drop(shared)
    assert is_as_on_disk(shared)


# ---------------------------------------------------------------- other processes


def test_what_another_process_did_is_there(
    shared: SharedMaildir, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shared, "a", "b", "c")
    visit(shared)
    other = finish(other_store(shared.root).account(ALICE))
    inbox = finish(other.open("INBOX"))
    finish(inbox.mark([1], "add", normal(["\\Flagged", "Word"])))
    finish(inbox.expunge([2]))
    finish(other.append("INBOX", [draft(mail("d"))]))
    loaded.clear()
    again = shared.open()
    assert entries(again) == entries(inbox)
    assert again.columns.highest_modseq == inbox.columns.highest_modseq
    assert "Word" in again.keywords
    assert loaded == []


def test_what_another_process_did_and_forgot_is_found_by_comparing(
    shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expunged_log, "GONE_KEPT", 0)
    monkeypatch.setattr(expunged_log, "RECENT_MODSEQS", 1)
    put(shared, "a", "b", "c", "d")
    visit(shared)
    other = finish(other_store(shared.root).account(ALICE))
    inbox = finish(other.open("INBOX"))
    for uid in (1, 2, 3):
        finish(inbox.expunge([uid]))
    assert uids(shared.open()) == [4]
    assert is_as_on_disk(shared)


@pytest.mark.parametrize("is_made_again", [True, False])
def test_a_mailbox_that_another_process_deleted_or_renamed_is_not_taken_for_it(
    shared: SharedMaildir, is_made_again: bool
) -> None:
    finish(shared.account.create("Work"))
    put(shared, "a", name="Work")
    visit(shared, "Work")
    other = finish(other_store(shared.root).account(ALICE))
    if is_made_again:
        finish(other.delete("Work"))
    else:
        finish(other.rename("Work", "Play"))
    finish(other.create("Work"))
    assert is_as_on_disk(shared, "Work")
    assert uids(shared.open("Work")) == []


# ---------------------------------------------------------------- watching


class Reactor:
    """Takes the descriptor of inotify, and calls nothing later."""

    def addReader(self, _: object) -> None: ...

    def removeReader(self, _: object) -> None: ...

    def seconds(self) -> float:
        return 0.0

    def callLater(self, *_: object) -> None: ...


@pytest.fixture
def watched(tmp_path: Path):
    """A store with the kernel's events, and what notices them."""
    monitor = Inotify(Reactor(), ListJournal())
    store = other_store(tmp_path, StoreServices(disk=QuickDisk(), monitor=monitor))
    yield store, monitor
    monitor.close()


def test_mailboxes_are_watched_from_the_first_refresh_until_they_are_closed(watched) -> None:
    store, monitor = watched
    inbox = finish(finish(store.account(ALICE)).open("INBOX"))
    assert len(monitor._subscriptions) == 0
    finish(inbox.refresh())
    assert len(monitor._subscriptions) == 3  # new, cur, and the account's folder
    inbox.close()
    assert len(monitor._subscriptions) == 0


def test_what_was_heard_of_a_watched_mailbox_is_there_for_the_next_session(watched) -> None:
    store, _ = watched
    alice = finish(store.account(ALICE))
    one = finish(alice.open("INBOX"))
    finish(one.refresh())
    cur = Path(os.fsdecode(alice.lane.tree.maildir)) / "cur"
    before = os.stat(cur)
    (cur / "a.host:2,").write_bytes(mail("a"))
    os.utime(cur, ns=(before.st_atime_ns, before.st_mtime_ns))  # within one tick of its clock
    assert uids(finish(alice.open("INBOX"))) == [1]


def test_a_mailbox_that_is_gone_and_still_watched_hides_no_other_of_its_name(watched) -> None:
    store, monitor = watched
    alice = finish(store.account(ALICE))
    finish(alice.create("Work"))
    first = finish(alice.open("Work"))
    finish(first.refresh())
    monitor.close()
    alice.lane.tree.environment.clock.seconds += UNSEEN_SECONDS
    other = finish(other_store(Path(os.fsdecode(alice.lane.tree.path)).parents[1]).account(ALICE))
    finish(other.delete("Work"))
    finish(other.create("Work"))
    for _ in range(2):
        assert finish(alice.open("Work")).uidvalidity > first.uidvalidity


def test_what_comes_just_after_a_watched_mailbox_was_closed_is_found(watched) -> None:
    store, _ = watched
    alice = finish(store.account(ALICE))
    cur = Path(os.fsdecode(alice.lane.tree.maildir)) / "cur"
    one = finish(alice.open("INBOX"))
    finish(one.refresh())
    (cur / "a.host:2,").write_bytes(mail("a"))
    os.utime(cur, (LATER, LATER))
    finish(one.refresh())
    one.close()
    (cur / "b.host:2,").write_bytes(mail("b"))
    os.utime(cur, (LATER, LATER))  # within one tick of its clock
    assert uids(finish(alice.open("INBOX"))) == [1, 2]


def test_deliveries_look_at_no_mailbox_that_nobody_has_open(shared: SharedMaildir) -> None:
    visit(shared)
    assert not shared.account.is_watching("INBOX")
    inbox = shared.open()
    assert shared.account.is_watching("INBOX")
    inbox.close()
