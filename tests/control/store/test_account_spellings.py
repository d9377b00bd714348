"""Mail under another spelling of an account's name, found by check and brought together by repair."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, StoreCommand, facts, wanted
from tests.corpus import mails
from twisted_mail.control.store import account_spellings as reading
from twisted_mail.control.store import accounts
from twisted_mail.control.store.account_spellings import astray
from twisted_mail.control.store.importing.importer import Import
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.store.index.rows import Row
from twisted_mail.store.repair.snapshot import MailboxSnapshot
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.mailbox_operations import create, delete
from twisted_mail.store.work.perform import perform
from twisted_mail.store.work.subscribe import subscribe

OTHER = "Alice@example.org"
MAILS = list(mails(12))


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


def make(store: StoreCommand, account: str, mailbox: str, use: str = "") -> None:
    with accounts.opened(store.config, account) as tree:
        perform(tree, create, mailbox, use)
        perform(tree, subscribe, mailbox, True)


def repair(store: StoreCommand, *words: str) -> list[str]:
    return [line for each in store.json("repair", *words)["accounts"] for line in each["done"]]


@pytest.mark.parametrize("other", [OTHER, "alice@EXAMPLE.org", '"alice"@example.org'])
def test_check_finds_mail_that_is_astray(store: StoreCommand, other: str) -> None:
    store.put(MAILS[:2], ALICE)
    assert store("check") == 0
    store.put(MAILS[2:4], other)
    for words in ([], [ALICE], [other]):
        assert store("check", *words) == 1
        assert f"the account is called {ALICE}, so nobody sees this mail" in store.out


def test_repair_brings_all_messages_together(store: StoreCommand) -> None:
    store.put(MAILS[:4], ALICE)
    store.put(MAILS[4:], OTHER)
    before = store.look(ALICE)
    uidvalidity = store.uidvalidity(ALICE)
    assert any("8 messages brought to alice@example.org" in line for line in repair(store))
    assert facts(store.look(ALICE)) == wanted(MAILS)
    assert store.look(ALICE)[:4] == before
    assert store.uidvalidity(ALICE) == uidvalidity
    assert not store.maildir(OTHER).exists()
    (aside,) = store.account(ALICE).parent.glob(".astray.*.%41lice")
    assert sum(file.is_file() for file in aside.glob("Maildir/cur/*")) == 8
    assert store("check") == 0
    assert repair(store) == []
    assert facts(store.look(ALICE)) == wanted(MAILS)


def test_mailboxes_that_the_account_lacks_keep_their_uids(store: StoreCommand) -> None:
    store.put(MAILS[:1], ALICE)
    make(store, OTHER, "Project/Old")
    for account in (ALICE, OTHER):
        with accounts.opened(store.config, account) as tree:
            perform(tree, delete, "Junk")
    make(store, OTHER, "Spam", "\\Junk")
    store.put(MAILS[:6], OTHER, "Project/Old")
    before = store.look(OTHER, "Project/Old"), store.uidvalidity(OTHER, "Project/Old")
    repair(store, ALICE)
    assert (store.look(ALICE, "Project/Old"), store.uidvalidity(ALICE, "Project/Old")) == before
    assert {"Project/Old", "Spam"} <= {*store.subscribed(ALICE)}
    with accounts.opened(store.config, ALICE) as tree:
        uses = tree.special_uses.read()
    assert (uses["Spam"], uses["Sent"]) == ("\\Junk", "\\Sent")


def test_keywords_beyond_the_letters_of_a_maildir_are_kept(store: StoreCommand) -> None:
    store.put(MAILS[:1], ALICE)
    store.put(
        [each._replace(flags=frozenset({f"word{at}"})) for at, each in enumerate(MAILS * 3)], OTHER
    )
    repair(store)
    words = {word for each in store.look(ALICE) for word in each.flags}
    assert {f"word{at}" for at in range(36)} <= words


def test_an_account_without_mail_gets_the_folder_as_it_is(store: StoreCommand) -> None:
    store.put(MAILS, OTHER)
    before = store.look(OTHER), store.uidvalidity(OTHER)
    assert repair(store) == [f"is called {ALICE} now, with all UIDs"]
    assert (store.look(ALICE), store.uidvalidity(ALICE)) == before
    assert store("check") == 0


def test_the_spelling_of_the_directory_is_the_accounts(store: StoreCommand) -> None:
    with DirectoryEditor(store.config.accounts_file, None, store.config.domains) as register:
        register._tables.connection.execute(
            f"UPDATE account SET address = '{OTHER}' WHERE key = '{ALICE}'"
        )
    store.put(MAILS[:2], OTHER)
    store.put(MAILS[2:4], ALICE)
    assert astray(store.config) == {ALICE: OTHER}
    assert accounts.existing_account(store.config, ALICE) == OTHER
    repair(store)
    assert facts(store.look(OTHER)) == wanted(MAILS[:4])


def test_a_repair_that_is_interrupted_goes_on(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(MAILS[:4], ALICE)
    store.put(MAILS[4:], OTHER)

    def stopped(tree: Tree, work: UnitOfWork, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("twisted_mail.control.store.account_spellings._take_uses", stopped)
        assert store("repair") == 1
        assert "run the same command again" in store.err
    assert store.maildir(OTHER).exists()
    repair(store)
    assert facts(store.look(ALICE)) == wanted(MAILS)


def test_mail_that_comes_while_it_is_brought_together_is_not_left(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(MAILS[:4], ALICE)
    store.put(MAILS[4:8], OTHER)
    run = Import.run

    def run_late(self: Import) -> None:
        run(self)
        if store.maildir(OTHER).exists():
            store.put(MAILS[8:], OTHER)

    monkeypatch.setattr(Import, "run", run_late)
    assert any("8 messages brought" in line for line in repair(store))
    assert facts(store.look(ALICE)) == wanted(MAILS)


def test_a_message_that_cannot_be_read_leaves_the_folder_where_it_is(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(MAILS[:4], ALICE)
    store.put(MAILS[4:], OTHER)
    opened = reading.opened

    def broken(tree: Tree, moment: MailboxSnapshot, row: Row) -> int | None:
        if row.uid == 3:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(tree, moment, row)

    with monkeypatch.context() as patched:
        patched.setattr(reading, "opened", broken)
        assert store("repair") == 1
    assert "INBOX, UID 3: Input/output error" in store.out
    assert len(store.look(ALICE)) == 11
    assert len(store.look(OTHER)) == 8
    assert store("repair") == 0
    assert facts(store.look(ALICE)) == wanted(MAILS)


def test_a_named_account_is_found_in_any_spelling(store: StoreCommand) -> None:
    with DirectoryEditor(store.config.accounts_file, None, store.config.domains) as register:
        register.domains.add_name("example.com", "example.org")
    for name in ("ALICE", "aLICE@example.org", "alice@example.com", "alice@Example.COM"):
        assert accounts.existing_account(store.config, name) == ALICE
