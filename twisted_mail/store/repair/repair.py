"""Mending what ``check`` finds in one account. No mail is ever removed.

UIDs stay what they are wherever clients can go on trusting them. A message whose UID is doubtful gets
a new one, so that no UID ever means two messages; a mailbox whose UIDs are all lost gets a new
UIDVALIDITY.
"""

import os
from collections.abc import Iterator, Sequence

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.store.disk.durable import exists, replace_file
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.format import filename, layout, mailbox_names, subscriptions, uidlist
from twisted_mail.store.index import read_only
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.repair.check import DAMAGED
from twisted_mail.store.repair.findings import StoreFinding
from twisted_mail.store.repair.reindex import selectable_mailboxes
from twisted_mail.store.repair.sizes import repair_sizes
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.newcomers import carry_keywords
from twisted_mail.store.work.reconcile import scan


def repair(tree: Tree, findings: Sequence[StoreFinding]) -> list[str]:
    """Mend what was found; return what was done, in words. Raises OSError, apsw.Error, Refused.

    To be called by ``perform_steps``, which removes leftovers on its way.
    """
    done = [*_of_account(tree, findings)]
    for mailbox in sorted({finding.mailbox for finding in findings if finding.mailbox}):
        mine = [finding for finding in findings if finding.mailbox == mailbox]
        try:
            mended = in_transaction(tree, _repair_mailbox, mailbox, mine)
        except OSError as error:  # what is left is found again
            if not is_of_one_file(error):
                raise
            tree.environment.faults.note(tree.path, error)
            continue
        done += [f"{mailbox}: {text}" for text in mended]
    return done


# ---------------------------------------------------------------- the account


def _of_account(tree: Tree, findings: Sequence[StoreFinding]) -> Iterator[str]:
    kinds = {finding.kind for finding in findings if not finding.mailbox}
    if "index" in kinds and read_only.read_index(tree.disk, tree.path).fault:
        tree.index.database.replace()
        yield "the index is made again from the files, UIDs are kept"
    for name in tree.disk.names(tree.path):
        if name.startswith(DAMAGED):
            tree.disk.unlink(os.path.join(tree.path, name))
            yield f"{os.fsdecode(name)} is removed"
    for finding in findings:
        if finding.kind == "leftover" and DAMAGED in finding.subject:
            continue
        if finding.kind == "leftover" and not exists(tree.disk, finding.subject):
            yield f"{os.fsdecode(os.path.basename(finding.subject))!r} is removed"
        elif finding.kind == "name" and not finding.mailbox:
            yield _named(tree, finding.subject)
    if "subscriptions" in kinds:
        path = os.path.join(tree.maildir, subscriptions.FILE)
        tree.disk.rename(path, path + b".damaged")
        replace_file(tree.disk, path, subscriptions.write(selectable_mailboxes(tree)))
        yield "all mailboxes are subscribed to; the old file is subscriptions.damaged"


def _named(tree: Tree, path: bytes) -> str:
    """Give a folder a name that clients can be sent."""
    text = os.path.basename(path)[1:].decode("utf-8", "replace")
    name = mailbox_names.new(mailbox_names.of_levels(text.split(".")))
    target = os.path.join(tree.maildir, layout.folder_name(name))
    if exists(tree.disk, target):
        return f"the folder {text!r} stays: there is a mailbox {name} already"
    tree.disk.rename(path, target)
    tree.disk.sync_folder(tree.maildir)
    return f"the folder {text!r} is the mailbox {name} now"


# ---------------------------------------------------------------- one mailbox


def _repair_mailbox(
    tree: Tree, work: UnitOfWork, mailbox: str, findings: Sequence[StoreFinding]
) -> list[str]:
    kinds = {finding.kind for finding in findings}
    before = _uidvalidity(tree, mailbox)
    folder = tree.find(mailbox)
    done: list[str] = []
    state = scan(folder, work, is_forced=True)
    with folder.uids.lock.held():  # Dovecot may be at work as well
        if kinds & {"list", "uid"}:
            done += _repair_uid_list(folder, work, state)
        if kinds & {"size", "stored"}:
            names = (os.path.basename(each.subject) for each in findings if each.kind == "size")
            bases = frozenset(filename.split(name)[0] for name in names)
            done += repair_sizes(folder, work, state, bases)
    if "flags" in kinds:
        done += _repair_flags(folder, work, state)
    if before and state.uidvalidity != before:
        done.append(
            f"UIDVALIDITY was {before} and is {state.uidvalidity}: its UIDs could not be trusted,"
            " clients load it again"
        )
    if "missing" in kinds:
        done.append("messages without files are reported to clients as gone")
    if kinds & {"folder", "leftover", "name"}:
        done.append("missing folders are made, leftovers removed, odd names altered")
    return done


def _uidvalidity(tree: Tree, mailbox: str) -> int:
    known = read_only.read_index(tree.disk, tree.path).known.get(layout.folder_name(mailbox))
    if known is not None:
        return known.uidvalidity
    found = uidlist.UidFile(tree.disk, tree.path_of(mailbox)).load()
    return 0 if found is None else found.uidvalidity


def _repair_uid_list(folder: Folder, work: UnitOfWork, state: MailboxRow) -> Iterator[str]:
    """Write the list of UIDs anew, in order; messages with two UIDs get a third."""
    found = folder.uids.load()
    if found is None:
        return
    rows = work.index.all_rows(state)
    taken = {uid for uid, _ in found.records.values()}
    doubtful = []
    for row in rows:
        uid = found.uid(row.base)
        if uid is None and row.uid not in taken:
            found.records[row.base] = row.uid, b""
        elif uid != row.uid:
            found.records.pop(row.base, None)
            doubtful.append(row.uid)
    found.uidnext = max(found.uidnext, state.uidnext)
    folder.uids.start(found)
    state.list_seen = folder.uids.stamp
    yield "the list of UIDs is written anew"
    if doubtful:
        work.index.remove(state, doubtful, state.next_modseq())
        scan(folder, work, is_forced=True)
        carry_keywords(folder, work, state, rows)
        yield f"{len(doubtful)} messages whose UIDs were doubtful have new ones"


def _repair_flags(folder: Folder, work: UnitOfWork, state: MailboxRow) -> Iterator[str]:
    changed = []
    for row in work.index.all_rows(state):
        named = filename.flags_of(row.tail, folder.keywords.by_letter)
        kept = [name for name in flag.keywords(row.flags) if name not in folder.keywords.letter_of]
        flags = flag.intern(named.union(kept))
        if flags != row.flags:
            changed.append(row._replace(flags=flags))
    if changed:
        modseq = state.next_modseq()
        work.index.update(state, [row._replace(modseq=modseq) for row in changed])
        yield f"{len(changed)} messages have the flags that their files' names say"
