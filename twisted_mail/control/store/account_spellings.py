"""Mail that lies under another spelling of an account's name, where nobody sees it.

Releases before account names were canonical opened ``alice@`` for the account ``Alice@`` in some ways of
logging in. What lies there is imported as from any other mail server: with flags, dates and
subscriptions, with its UIDs where a mailbox is empty so far, and each message once, however often that is
interrupted. Then the folder is set aside; nothing is removed.
"""

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from twisted_mail.config import Config
from twisted_mail.control import orphaned_mail
from twisted_mail.control.output import count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.importing.importer import Import
from twisted_mail.control.store.importing.source import MAX_MESSAGE, SourceMessage, UidNumbering
from twisted_mail.control.store.skipped import BadItem, reason_of
from twisted_mail.store.index.rows import Row
from twisted_mail.store.repair.findings import StoreFinding
from twisted_mail.store.repair.snapshot import MailboxSnapshot, mailbox_snapshots, opened
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.list_status import list_mailboxes
from twisted_mail.store.work.perform import perform, perform_steps

_ALL = {"into": None, "only": None, "skip": None, "dry_run": False}  # options of an import


def astray(config: Config) -> dict[str, str]:
    """Return the names under which mail is astray, with the names of the accounts it belongs to."""
    return {
        other: names[0]
        for names in accounts.spellings(config).values()
        for other in names[1:]
        if accounts.has_mail(config, other)
    }


def spelled_otherwise(owner: str) -> StoreFinding:
    """Return what a check says of mail that is astray."""
    return StoreFinding("", "spelling", f"the account is called {owner}, so nobody sees this mail")


def bring_together(
    config: Config, other: str, owner: str, options: Namespace
) -> tuple[list[str], list[StoreFinding]]:
    """Give an account the mail that is under another name; return what was done, and what is left.

    Raises CommandError, MailError, OSError.
    """
    source = accounts.path(config, other)
    if orphaned_mail.folders(config, owner) == [source]:
        orphaned_mail.keep(config, owner)
        return [f"is called {owner} now, with all UIDs"], []
    taken, skipped = _import(config, source, source, owner, options)
    if not skipped:
        aside = orphaned_mail.set_aside(source)
        late, skipped = _import(config, source, aside, owner, options)  # what came meanwhile
        taken += late
    done = [f"{count(taken, 'message')} brought to {owner}"]
    left = [StoreFinding("", "spelling", f"{where}: {why}") for where, why in skipped]
    if not left:
        done.append(f"the folder is set aside as {os.fsdecode(aside)}")
    return done, left


def _import(
    config: Config, named: bytes, source: bytes, owner: str, options: Namespace
) -> tuple[int, Sequence[tuple[str, str]]]:
    """Import what lies in a folder, under the name that the import's journal has for it."""
    with accounts.opened_at(config, source) as old, accounts.opened(config, owner) as tree:
        wanted = Namespace(**_ALL, json=options.json)
        work = Import(tree, TreeSource(old), f"{os.fsdecode(named)}>", wanted)
        work.run()
        perform(tree, _take_uses, old.special_uses.read())
        return work.imported, work.skipped.items


def _take_uses(tree: Tree, _: UnitOfWork, uses: dict[str, str]) -> None:
    """Give mailboxes the special uses that they had, where no mailbox has them."""
    there = tree.mailboxes()
    taken = set(tree.special_uses.read().values())
    added = {name: use for name, use in uses.items() if name in there and use not in taken}
    if added:
        tree.special_uses.add(added, there)


class TreeSource:
    """One account's mail as a source; fulfils ``source.ImportSource``."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._moments = {each.name: each for each in perform_steps(tree, mailbox_snapshots)}
        self._rows: dict[bytes, Row] = {}

    def mailboxes(self) -> Sequence[str]:
        """Return the mailboxes that have messages, or could have."""
        return list(self._moments)

    def subscribed(self) -> Iterable[str]:
        """Return the names that are subscribed to."""
        return [
            each.name for each in perform_steps(self._tree, list_mailboxes) if each.is_subscribed
        ]

    def numbering(self, mailbox: str) -> UidNumbering | None:
        """Return the numbers of a mailbox, unless some of its keywords are in no file's name."""
        moment = self._moments[mailbox]
        if any(map(moment.has_hidden_keywords, moment.rows)):
            return None
        return UidNumbering(moment.uidvalidity, moment.uidnext)

    def count(self, mailbox: str) -> int:
        """Return how many messages there are."""
        return len(self._moments[mailbox].rows)

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of their UIDs."""
        self._rows = {row.base: row for row in self._moments[mailbox].rows}
        for row in self._moments[mailbox].rows:
            where = f"{mailbox}, UID {row.uid}"
            date = datetime.fromtimestamp(row.date, UTC)
            yield SourceMessage(row.base, where, row.flags, date, row.stored, row.uid)

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Read the files, even if they were renamed meanwhile."""
        for item in items:
            yield item, _load(self._tree, self._moments[mailbox], self._rows[item.key])

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return nothing: what cannot be read is known when it is loaded."""
        return ()

    def remarks(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Do nothing: who opened the mail closes it."""


def _load(tree: Tree, moment: MailboxSnapshot, row: Row) -> bytes | BadItem:
    if row.stored > MAX_MESSAGE:
        return BadItem(f"larger than {MAX_MESSAGE} octets")
    try:
        fd = opened(tree, moment, row)
        if fd is None:
            return BadItem("it is gone")
        with os.fdopen(fd, "rb") as file:
            return file.read()
    except OSError as error:
        return BadItem(reason_of(error))
