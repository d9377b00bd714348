"""``store import``: mail from a Maildir, from mbox files, or from another IMAP server."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from twisted_mail.config import Config
from twisted_mail.control.output import CommandError, CommandResult, count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.importing import batch as batches
from twisted_mail.control.store.importing import open_source
from twisted_mail.control.store.importing.batch import Batch
from twisted_mail.control.store.importing.dates import date_of_message
from twisted_mail.control.store.importing.journal import ImportJournal, mark_of, marks_in
from twisted_mail.control.store.importing.report import (
    MailboxSummary,
    ended_early,
    result,
    unfinished,
)
from twisted_mail.control.store.importing.source import (
    ImportSource,
    SourceMessage,
    UidNumbering,
    message_mark,
)
from twisted_mail.control.store.mailbox_choice import chosen_mailboxes
from twisted_mail.control.store.progress import GO_ON, Progress
from twisted_mail.control.store.skipped import BadItem, SkippedItems
from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.format import layout, mailbox_names
from twisted_mail.store.repair.import_stage import (
    ImportStaging,
    MailboxNumbers,
    is_free,
    publish_staged,
)
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.append import append_to
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.perform import perform, perform_steps
from twisted_mail.store.work.subscribe import subscribe


def import_mail(options: argparse.Namespace, config: Config) -> CommandResult:
    """Import every message once, however often the command is run."""
    account = accounts.existing_account(config, options.account)
    source, name = open_source.opened(options)
    try:
        with accounts.opened(config, account) as tree:
            work = Import(tree, source, f"{name}>{options.into}", options)
            try:
                work.run()
            except KeyboardInterrupt:
                taken = count(work.imported, "message")
                lines = work.result(account).lines
                raise CommandError(f"interrupted after {taken}; {GO_ON}", details=lines) from None
            except (CommandError, MailError, OSError) as error:
                raise ended_early(error, work.result(account).lines) from None
            return work.result(account)
    finally:
        source.close()


class Import:
    """One run of ``store import``."""

    def __init__(
        self, tree: Tree, source: ImportSource, name: str, options: argparse.Namespace
    ) -> None:
        self._tree = tree
        self._source = source
        self._options = options
        self._journal = ImportJournal(tree.path, name)
        self._progress = Progress(0, is_shown=False)
        self.skipped = SkippedItems()
        self.summaries: list[MailboxSummary] = []
        self._expected: dict[str, int] = {}  # messages of the mailboxes that are not finished

    @property
    def imported(self) -> int:
        """Return how many messages were imported in this run."""
        return sum(each.imported for each in self.summaries)

    def result(self, account: str) -> CommandResult:
        """Return what was imported so far, and what was not."""
        skipped = SkippedItems([*self.skipped.items, *self._source.bad()])
        expected = {self._target(name): number for name, number in self._expected.items()}
        remarks = [*self._source.remarks(), *unfinished(expected, self.summaries)]
        return result(account, self.summaries, skipped, self._options.dry_run, remarks)

    def run(self) -> None:
        """Import everything. Raises CommandError, MailError, OSError."""
        mailboxes = chosen_mailboxes(self._source.mailboxes(), self._options)
        self._expected = {name: self._count_of(name) for name in mailboxes}
        with Progress(sum(self._expected.values()), not self._options.json) as self._progress:
            for mailbox in mailboxes:
                self._progress.place = mailbox
                self._try(mailbox)
                del self._expected[mailbox]
        if not self._options.dry_run:
            self._subscribe(mailboxes)

    def _try(self, mailbox: str) -> None:
        """Import a mailbox, or name it: what was taken of it stays, and the others come."""
        try:
            target = mailbox_names.new(self._target(mailbox))
            layout.folder_name(target)
            self._mailbox(mailbox, target)
        except BadItem as bad:
            self.skipped.add(mailbox, bad)
        except Refused as refused:  # there can be no mailbox of this name
            self.skipped.add(mailbox, refused.outcome.text)

    def _count_of(self, mailbox: str) -> int:
        try:
            return self._source.count(mailbox)
        except BadItem:
            return 0  # it is named when it is read

    def _target(self, mailbox: str) -> str:
        into: str | None = self._options.into
        if not into:
            return mailbox
        return into if mailbox == "INBOX" else f"{into}/{mailbox}"

    def _subscribe(self, mailboxes: Sequence[str]) -> None:
        for mailbox in self._source.subscribed():
            if mailbox in mailboxes:
                with suppress(Refused):
                    perform(self._tree, subscribe, self._target(mailbox), True)

    # ------------------------------------------------------------ one mailbox

    def _mailbox(self, mailbox: str, target: str) -> None:
        done = MailboxSummary(target)
        self.summaries.append(done)
        numbering = self._source.numbering(mailbox)
        if self._options.dry_run:
            self._count(mailbox, done, numbering)
            return
        if numbering is None or not self._with_uids(mailbox, done, numbering):
            self._plain(mailbox, done)

    def _count(self, mailbox: str, done: MailboxSummary, numbering: UidNumbering | None) -> None:
        known = self._known(done.target)
        done.has_uids = numbering is not None and is_free(self._tree, done.target)
        for item in self._fresh(mailbox, done, known):
            done.imported += 1
            done.octets += item.size

    def _known(self, target: str) -> set[bytes]:
        """Return the marks of messages that were imported before, wherever they are now."""
        return {*self._present(target)} | self._journal.done

    def _present(self, target: str) -> dict[bytes, bytes]:
        """Return the base names of messages that an import put into a mailbox, by their marks."""
        try:
            return marks_in(self._tree.path_of(target))
        except Refused:
            return {}

    def _fresh(
        self, mailbox: str, done: MailboxSummary, known: set[bytes]
    ) -> Iterator[SourceMessage]:
        for item in self._source.items(mailbox):
            done.found += 1
            if message_mark(mailbox, item) in known:
                done.already += 1
                self._progress.step()
            else:
                yield item

    # ------------------------------------------------------------ with new UIDs

    def _plain(self, mailbox: str, done: MailboxSummary) -> None:
        try:
            perform(self._tree, create, done.target, "")
        except Refused as refused:
            if refused.condition != "ALREADYEXISTS":
                raise
        known = self._known(done.target)
        self._journal.write(known)
        batch = Batch()
        for item in self._fresh(mailbox, done, known):
            if batch.add(item):
                self._put(mailbox, done, batch.items)
                batch = Batch()
        if batch.items:
            self._put(mailbox, done, batch.items)

    def _put(self, mailbox: str, done: MailboxSummary, items: Sequence[SourceMessage]) -> None:
        drafts: list[NewMessage] = []
        marks: list[bytes] = []
        octets = 0
        for item, data in self._loaded(mailbox, done, items):
            drafts.append(NewMessage(Message(MemoryBlob(data)), item.flags, item.date))
            marks.append(message_mark(mailbox, item))
            octets += len(data)
            if octets >= batches.MAX_SIZE:  # packed files are larger than the source told
                self._finish(done, drafts, marks, octets)
                drafts, marks, octets = [], [], 0
        self._finish(done, drafts, marks, octets)
        self._progress.step(len(items))

    def _finish(
        self, done: MailboxSummary, drafts: list[NewMessage], marks: list[bytes], octets: int
    ) -> None:
        if drafts:
            self._append(done.target, drafts, marks)
        self._journal.write(marks)
        done.imported += len(drafts)
        done.octets += octets

    def _loaded(
        self, mailbox: str, done: MailboxSummary, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes]]:
        for item, data in self._source.load(mailbox, items):
            if isinstance(data, BadItem):
                self.skipped.add(item.where, data)
                done.skipped += 1
            else:
                dated = item if item.date else replace(item, date=date_of_message(data))
                yield dated, with_crlf(data)

    def _append(self, target: str, drafts: Sequence[NewMessage], marks: Sequence[bytes]) -> None:
        try:
            perform(self._tree, append_to, target, drafts, marks)
        except Refused as refused:
            if refused.condition != "LIMIT":
                raise CommandError(f"{target}: {refused.outcome.text} Then {GO_ON}.") from None
            self.skipped.add(target, "there are too many keywords: some messages came without")
            bare = [
                NewMessage(each.message, each.flags.intersection(flag.SYSTEM), each.date)
                for each in drafts
            ]
            perform(self._tree, append_to, target, bare, marks)

    # ------------------------------------------------------------ with the UIDs they had

    def _with_uids(self, mailbox: str, done: MailboxSummary, numbering: UidNumbering) -> bool:
        """Import into an empty mailbox; return False if it is not empty."""
        stage = ImportStaging(self._tree, done.target)
        # Files that an earlier run had published when it was stopped.
        present = self._present(done.target) if stage.is_begun else {}
        if not perform_steps(self._tree, is_free, done.target, {*present.values()}):
            return False
        staged = {mark_of(base): base for base in stage.files()} | present
        uids: dict[bytes, int] = {}
        batch = Batch()
        for item in self._fresh(mailbox, done, self._journal.done):
            here = staged.get(message_mark(mailbox, item))
            if here is not None:
                uids[here] = item.uid
                self._progress.step()
            elif batch.add(item):
                uids |= self._stage(stage, mailbox, done, batch.items)
                batch = Batch()
        uids |= self._stage(stage, mailbox, done, batch.items)
        numbers = MailboxNumbers(numbering.uidvalidity, numbering.uidnext, uids)
        if not perform_steps(
            self._tree, publish_staged, stage, numbers
        ):  # mail arrived there meanwhile
            done.found = done.already = done.skipped = done.octets = 0
            with self._tree.environment.faults.converted(stage.path):
                stage.remove()
            return False
        self._journal.write(mark_of(base) for base in uids)
        done.imported = len(uids)
        done.has_uids = True
        return True

    def _stage(
        self,
        stage: ImportStaging,
        mailbox: str,
        done: MailboxSummary,
        items: Sequence[SourceMessage],
    ) -> dict[bytes, int]:
        uids = {}
        for item, data in self._loaded(mailbox, done, items):
            now = self._tree.environment.clock.now()
            base = self._tree.environment.namer.base(
                now, len(data), len(data), message_mark(mailbox, item)
            )
            seconds = now if item.date is None else item.date.timestamp()
            with self._tree.environment.faults.converted(stage.path):
                stage.put(base, item.flags, [data], seconds)
            uids[base] = item.uid
            done.octets += len(data)
        self._progress.step(len(items))
        return uids
