"""Dovecot gives UIDs and letters just before this store has its lock."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, listen, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

LATER = 2_500_000_000  # the clock stands after all dates of files
LOCK = b"dovecot-uidlist.lock"


class Meanwhile(QuickDisk):
    """Lets ``act`` happen before the lock is taken next, and waits for nothing."""

    def __init__(self) -> None:
        self.act: Callable[[], object] | None = None
        self.unlocked: list[bytes] = []

    def link(self, path: bytes, new_path: bytes) -> None:
        act, self.act = (self.act, None) if new_path.endswith(LOCK) else (None, self.act)
        if act is not None:
            act()
        super().link(path, new_path)

    def rename(self, path: bytes, new_path: bytes) -> None:
        folder, file = os.path.split(new_path)
        if os.path.dirname(path).endswith(b"/tmp") and folder.endswith(b"/cur"):
            lock = os.path.join(os.path.dirname(folder), LOCK)
            self.unlocked += [] if os.path.exists(lock) else [file]
        super().rename(path, new_path)

    def pause(self, seconds: float) -> None: ...


class RacingMaildir:
    def __init__(self, root: Path) -> None:
        self.disk = Meanwhile()
        self.maildir = root / "example.org" / "alice" / "Maildir"
        store = MaildirStore(
            root, InlineBlocking(), StillClock(LATER), FakeRenderer(), StoreServices(disk=self.disk)
        )
        self.account = finish(store.account(ALICE))
        finish(self.account.append("INBOX", [draft(mail("first"))]))
        self.inbox = finish(self.account.open("INBOX"))
        self.list = self.maildir / "dovecot-uidlist"

    def drop(self, name: str) -> None:
        path = self.maildir / name
        path.write_bytes(mail(name))
        os.utime(path, (1_000_000_000, 1_000_000_000))

    def told(self, line: str) -> None:
        with self.list.open("a") as file:
            file.write(line + "\n")

    def bases(self) -> dict[int, str]:
        lines = self.list.read_text().splitlines()[1:]
        pairs = (line.split(" :") for line in lines)
        return {int(uid): base for uid, base in pairs}


@pytest.fixture
def racing(tmp_path: Path) -> RacingMaildir:
    return RacingMaildir(tmp_path)


def test_an_append_comes_after_what_dovecot_appended_just_now(racing: RacingMaildir) -> None:
    def dovecot() -> None:
        racing.drop("cur/theirs:2,S")
        racing.told("2 :theirs")

    racing.disk.act = dovecot
    copied = finish(racing.account.append("INBOX", [draft(mail("ours"))]))
    assert copied.targets == (3,)
    assert list(racing.inbox.columns.uids) == [1, 2, 3]
    assert racing.bases()[2] == "theirs"
    assert racing.disk.unlocked == []


def test_what_dovecot_appended_behind_an_own_mark_is_not_passed_over(racing: RacingMaildir) -> None:
    seen = os.stat(racing.maildir / "cur")
    racing.drop("cur/theirs:2,S")  # in the same tick of the clock
    os.utime(racing.maildir / "cur", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    racing.told("2 :theirs")
    assert finish(racing.account.append("INBOX", [draft(mail("ours"))])).targets == (3,)
    assert list(racing.inbox.columns.uids) == [1, 2, 3]


def test_a_delivery_that_dovecot_saw_first_has_its_uid(racing: RacingMaildir) -> None:
    def dovecot() -> None:
        racing.drop("cur/late:2,")
        racing.told("2 :late\n3 :delivered")

    racing.drop("new/delivered")
    racing.disk.act = dovecot
    heard = listen(racing.inbox)
    finish(racing.inbox.refresh())
    assert [type(change) for change in heard] == [EntriesAdded]
    assert list(racing.inbox.columns.uids) == [1, 2, 3]
    assert [racing.bases()[uid] for uid in (2, 3)] == ["late", "delivered"]
    assert len(racing.bases()) == 3


def test_a_file_that_dovecot_gave_another_uid_is_another_message(racing: RacingMaildir) -> None:
    racing.drop("new/delivered")
    racing.told(f"2 :{racing.bases()[1]}")
    heard = listen(racing.inbox)
    finish(racing.inbox.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged, EntriesAdded]
    assert list(racing.inbox.columns.uids) == [2, 3]
    assert len(racing.bases()) == 3


def test_letters_that_dovecot_gave_just_now_stay_its_own(racing: RacingMaildir) -> None:
    racing.disk.act = lambda: (racing.maildir / "dovecot-keywords").write_text("0 theirs\n")
    finish(racing.inbox.mark([1], "add", frozenset({"ours", "more"})))
    assert (racing.maildir / "dovecot-keywords").read_text() == "0 theirs\n1 more\n2 ours\n"
    assert [path.name[-5:] for path in (racing.maildir / "cur").iterdir()] == [":2,bc"]


def test_a_keyword_that_dovecot_gave_a_letter_just_now_has_that_one(racing: RacingMaildir) -> None:
    racing.disk.act = lambda: (racing.maildir / "dovecot-keywords").write_text("4 Ours\n")
    finish(racing.inbox.mark([1], "add", frozenset({"ours"})))
    finish(racing.inbox.refresh())
    assert racing.inbox.columns.flags[0] == {"Ours"}
    assert (racing.maildir / "dovecot-keywords").read_text() == "4 Ours\n"


def test_the_keywords_file_gets_a_new_second_each_time(racing: RacingMaildir) -> None:
    seconds = []
    for name in ("a", "b", "c"):
        finish(racing.inbox.mark([1], "add", frozenset({name})))
        seconds.append(int(os.stat(racing.maildir / "dovecot-keywords").st_mtime))
    assert seconds == sorted({*seconds})


def test_a_lock_that_stays_is_waited_for_in_vain_and_then_nothing_was_done(
    racing: RacingMaildir,
) -> None:
    lock = racing.maildir / "dovecot-uidlist.lock"
    lock.write_text(f"1:{socket.gethostname()}")
    with pytest.raises(Unavailable):
        finish(racing.account.append("INBOX", [draft(mail("ours"))]))
    assert racing.bases().keys() == {1}
    left = os.listdir(racing.maildir / "tmp")
    assert [name for name in left if not name.startswith("lock.")] == []  # which wait for next time
    lock.unlink()
    assert finish(racing.account.append("INBOX", [draft(mail("ours"))])).targets == (2,)
    assert not lock.exists()
