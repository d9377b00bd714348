"""Size and octets of a message never change under its UID, whatever a repair finds."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, listen, mail
from tests.faults import QuickDisk
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.repair.check import MaildirCheck
from twisted_mail.store.repair.reindex import reindex
from twisted_mail.store.repair.repair import repair
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work import newcomers
from twisted_mail.store.work.perform import close, perform, perform_steps
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

LATER = 2_500_000_000
LF = b"Subject: x\n\ny\n"
CRLF = LF.replace(b"\n", b"\r\n")
WORDS = [f"Word{number}" for number in range(30)]  # more than have letters


class Shown(NamedTuple):
    size: int
    data: bytes | None
    flags: frozenset[str]
    date: int


class Server:
    """A store that serves alice's INBOX, and repairs by another process."""

    def __init__(self, root: Path) -> None:
        self.store = MaildirStore(
            root,
            InlineBlocking(),
            StillClock(LATER),
            FakeRenderer(),
            StoreServices(disk=QuickDisk()),
        )
        self.account: MaildirAccount = finish(self.store.account(ALICE))
        self.path = root / "example.org" / "alice"
        finish(self.account.append("INBOX", [draft(mail("first"))]))
        self.inbox: Mailbox = finish(self.account.open("INBOX"))

    def file(self, place: str = "cur", start: str = "") -> Path:
        [found] = [
            path
            for path in (self.path / "Maildir" / place).iterdir()
            if path.name.startswith(start)
        ]
        return found

    def drop(self, name: str, data: bytes = LF) -> Path:
        path = self.path / "Maildir" / "cur" / name
        path.write_bytes(data)
        return path

    def tree(self) -> Tree:
        disk = QuickDisk()
        environment = StoreEnvironment(disk, StillClock(LATER), Namer(), "boot", StoreSettings())
        return Tree(environment, bytes(self.path), QuotaLedger())

    def repair(self) -> list[str]:
        tree = self.tree()
        try:
            found = MaildirCheck(tree.disk, bytes(self.path), LATER).findings()
            assert {each.kind for each in found} <= {"size", "stored"}
            done = perform_steps(tree, repair, found)
            assert MaildirCheck(tree.disk, bytes(self.path), LATER).findings() == []
            return done
        finally:
            close(tree)

    def reindex(self) -> None:
        tree = self.tree()
        try:
            perform(tree, reindex, "INBOX")
        finally:
            close(tree)

    def shown(self) -> dict[int, Shown]:
        finish(self.inbox.refresh())
        uids = [*self.inbox.columns.uids]
        finish(self.inbox.measure(uids))
        texts = finish(self.inbox.read([MessageRange(uid) for uid in uids]))
        entries = (self.inbox.columns[row] for row in range(len(uids)))
        return {
            entry.uid: Shown(entry.size, text, entry.flags, entry.date)
            for entry, text in zip(entries, texts, strict=True)
        }

    def email(self, uid: int) -> str:
        [found] = finish(self.inbox.identities([uid]))
        assert found is not None
        return found.email


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_octets_that_have_to_change_are_another_message(server: Server) -> None:
    [uid] = finish(server.account.append("INBOX", [draft(LF, "\\Flagged", *WORDS)])).targets
    before, email = server.shown(), server.email(uid)
    assert before[uid][:2] == (len(LF), LF)
    heard = listen(server.inbox)
    [text] = server.repair()
    assert "1 messages are not as long as clients have seen" in text
    after = server.shown()
    assert [*after] == [1, uid + 1]
    assert after[uid + 1] == before[uid]._replace(size=len(CRLF), data=CRLF)
    assert [type(change) for change in heard] == [EntriesAdded, EntriesExpunged]
    assert server.email(uid + 1) != email


def test_a_message_that_was_cut_is_another_one(server: Server) -> None:
    server.shown()
    with server.file().open("r+b") as file:
        file.truncate(10)
    server.repair()
    assert {uid: shown.data for uid, shown in server.shown().items()} == {2: mail("first")[:10]}


@pytest.mark.parametrize("name", ["1.M1P1.host,S=14,W=14", "1.M1P1.host,S=5,W=6"])
def test_what_an_earlier_index_told_is_told_by_the_name(
    server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 0)
    server.drop(name + ":2,F")
    finish(server.inbox.refresh())
    server.repair()
    assert [*server.shown()] == [1, 3]


@pytest.mark.parametrize("name", ["1.M1P1.host", "1.M1P1.host,S=5,W=6", "1.M1P1.host,W=9"])
def test_a_name_that_is_wrong_is_mended_under_the_uid(server: Server, name: str) -> None:
    file = server.drop(name + ":2,F")
    before = server.shown()
    file.write_bytes(CRLF)  # what the wire has stays
    server.repair()
    assert server.shown() == before
    assert server.file(start="1.M").name == f"1.M1P1.host,S={len(CRLF)},W={len(CRLF)}:2,F"


def test_a_name_is_mended_before_its_file_is_measured(server: Server) -> None:
    data = LF + b"\n" * 70_000
    server.drop("1.M1P1.host,S=3:2,F", data)
    finish(server.inbox.refresh())
    server.repair()
    shown = server.shown()
    assert (shown[2].size, shown[2].data) == (len(data) * 2 - 11, data.replace(b"\n", b"\r\n"))
    status = finish(server.account.status("INBOX", has_size=True))
    assert status.size == sum(each.size for each in shown.values())


def test_the_mark_of_an_import_stays_in_the_name(server: Server) -> None:
    server.drop("1.M1P1Q1R2Iabcdef.host,E=old,S=14,W=14:2,")
    server.shown()
    server.repair()
    name = server.file(start="1.M").name
    assert name.startswith("1.M1P1Q1R2Iabcdef.host,E=")
    assert "old" not in name
    assert name.endswith(f",S=14,W={len(CRLF)}:2,")


def test_a_new_index_does_not_give_a_uid_other_octets(server: Server) -> None:
    server.shown()
    with server.file().open("r+b") as file:
        file.truncate(10)
    server.reindex()
    assert {uid: shown.data for uid, shown in server.shown().items()} == {2: mail("first")[:10]}
