"""What the tests of ``twisted-mail store`` share: a server's folders, the command, and a look inside."""

import errno
import io
import json
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.corpus import Sample
from twisted_mail.config import load
from twisted_mail.control import main
from twisted_mail.control.store import accounts
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.reading.contents import read_whole
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import append_to
from twisted_mail.store.work.list_status import list_mailboxes, status
from twisted_mail.store.work.measure import all_measured
from twisted_mail.store.work.perform import perform, perform_steps
from twisted_mail.store.work.reconcile import scan

ALICE, BOB = "alice@example.org", "bob@example.org"
CONFIG = """\
hostname = "mail.example.org"
state = "state"
domains = ["example.org"]

[passwords]
memory_mib = 1
passes = 1
lanes = 1

[[listener]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
"""


class Seen(NamedTuple):
    """One message of a mailbox."""

    uid: int
    data: bytes
    flags: frozenset[str]
    date: int


class StoreCommand:
    """A state folder with two accounts, and the command that works on it."""

    def __init__(self, folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.path = folder / "mail.toml"
        self.path.write_text(CONFIG)
        (folder / "state").mkdir(mode=0o700)
        self.config = load(self.path)
        with DirectoryEditor(
            self.config.accounts_file, self.config.passwords, self.config.domains
        ) as register:
            register.accounts.import_lines(f"{name}:{{PLAIN}}secret" for name in (ALICE, BOB))
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = self.err = ""

    def type(self, text: str) -> None:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    def __call__(self, *words: object) -> int:
        code = main.main(["--config", str(self.path), "store", *map(str, words)])
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.out + self.err
        assert "this is a bug" not in self.out + self.err, self.err
        return code

    def json(self, *words: object) -> Any:
        self(*words, "--json")
        return json.loads(self.out)

    def deny(self, folder: Path) -> None:
        """Let the names in a folder be refused, as to a user who may not read it."""
        listed = os.listdir

        def listdir(path: Any = ".") -> Any:
            if os.fsdecode(path) == str(folder):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return listed(path)

        self._monkeypatch.setattr(os, "listdir", listdir)

    # ------------------------------------------------------------ mail

    def account(self, name: str = ALICE) -> Path:
        return Path(os.fsdecode(accounts.path(self.config, name)))

    def maildir(self, name: str = ALICE) -> Path:
        return self.account(name) / "Maildir"

    def put(self, mails: Iterable[Sample], account: str = ALICE, mailbox: str = "INBOX") -> None:
        drafts = [
            NewMessage(Message(MemoryBlob(each.data)), flag.normal(each.flags), each.date)
            for each in mails
        ]
        with accounts.opened(self.config, account) as tree:
            perform(tree, append_to, mailbox, drafts)

    def look(self, account: str = ALICE, mailbox: str = "INBOX") -> list[Seen]:
        with accounts.opened(self.config, account) as tree:
            return perform(tree, _look, mailbox)

    def names(self, account: str = ALICE) -> list[str]:
        with accounts.opened(self.config, account) as tree:
            return [info.name for info in perform_steps(tree, list_mailboxes) if info.is_selectable]

    def subscribed(self, account: str = ALICE) -> list[str]:
        with accounts.opened(self.config, account) as tree:
            return [info.name for info in perform_steps(tree, list_mailboxes) if info.is_subscribed]

    def uidvalidity(self, account: str = ALICE, mailbox: str = "INBOX") -> int:
        with accounts.opened(self.config, account) as tree:
            return perform(tree, status, mailbox).uidvalidity


def _look(tree: Tree, work: UnitOfWork, name: str) -> list[Seen]:
    folder = tree.find(name)
    rows = all_measured(folder, work, work.index.all_rows(scan(folder, work)))
    return [Seen(row.uid, read_whole(folder, row), row.flags, row.date) for row in rows]


def facts(seen: Iterable[Seen]) -> list[tuple[bytes, frozenset[str], int]]:
    """Return what must be the same after any way through other formats."""
    return sorted((each.data, each.flags, each.date) for each in seen)


def wanted(mails: Iterable[Sample]) -> list[tuple[bytes, frozenset[str], int]]:
    return sorted((each.data, each.flags, _seconds(each.date)) for each in mails)


def _seconds(date: datetime) -> int:
    return int(date.timestamp())
