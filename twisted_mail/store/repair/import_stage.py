"""A mailbox that is made next to the maildir and then takes the place of an empty one, UIDs included.

It lies in ``arriving`` in the account's folder, where nobody looks, and may be filled over hours and
in several runs. Then, under the locks of index and list, the list of UIDs is written and all files are
renamed into the mailbox. If that is cut short, what is there keeps its UIDs, the rest gets new ones.
"""

import os
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.durable import (
    exists,
    make_folders,
    read_file,
    remove_tree,
    replace_file,
)
from twisted_mail.store.disk.message_file import write_file
from twisted_mail.store.format import filename, keywords, layout, mailbox_names, uidlist
from twisted_mail.store.format.uidlist import UidFile, UidList
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.reconcile import scan

FOLDER = b"arriving"


class ImportStaging:
    """The files that will be one mailbox. Methods raise OSError, and Refused for impossible names."""

    def __init__(self, tree: Tree, mailbox: str) -> None:
        self._disk = tree.disk
        self.faults = tree.environment.faults
        self.mailbox = mailbox
        coded = layout.folder_name(mailbox_names.new(mailbox)) or b"INBOX"
        self.path = os.path.join(tree.path, FOLDER, coded)
        data = read_file(self._disk, os.path.join(self.path, keywords.FILE))
        self._letters = {name: letter for letter, name in keywords.parse(data or b"").items()}

    @property
    def is_begun(self) -> bool:
        """Return whether an earlier run left something."""
        return exists(self._disk, self.path)

    def files(self) -> dict[bytes, bytes]:
        """Return the names of the files that are here, by their base names."""
        try:
            found = self._disk.names(self._place(b"cur"))
        except FileNotFoundError:
            return {}
        return {filename.split(name)[0]: name for name in found}

    def _place(self, name: bytes) -> bytes:
        return os.path.join(self.path, name)

    def put(self, base: bytes, flags: Flags, pieces: Iterable[bytes], seconds: float) -> None:
        """Write one message, synced. Keywords for which there is no letter are left out."""
        for place in (b"tmp", b"cur"):
            make_folders(self._disk, self._place(place))
        self._give_letters(flags)
        written = os.path.join(self._place(b"tmp"), base)
        with suppress(FileNotFoundError):
            self._disk.unlink(written)
        write_file(self._disk, written, pieces, seconds)
        tail = filename.tail_of(flags, self._letters)
        self._disk.rename(written, os.path.join(self._place(b"cur"), base + tail[1:]))

    def _give_letters(self, flags: Flags) -> None:
        fresh = sorted(flag.keywords(flags).difference(self._letters))
        taken = {*self._letters.values()}
        free = [letter for letter in filename.KEYWORD_LETTERS if letter not in taken]
        added = dict(zip(fresh, free, strict=False))
        if added:
            self._letters |= added
            by_letter = {letter: name for name, letter in self._letters.items()}
            replace_file(self._disk, self._place(keywords.FILE), keywords.write(by_letter))

    def remove(self) -> None:
        """Forget all of it."""
        if self.is_begun:
            remove_tree(self._disk, self.path)


def is_free(tree: Tree, mailbox: str, own: Container[bytes] = ()) -> bool:
    """Return whether there is no such mailbox, or no message in it but those of these base names."""
    try:
        path = tree.path_of(mailbox)
    except Refused:
        return True
    found: list[bytes] = []
    for place in (b"new", b"cur"):
        if exists(tree.disk, os.path.join(path, place)):
            found += tree.disk.names(os.path.join(path, place))
    return all(filename.split(name)[0] in own for name in found)


@dataclass(frozen=True, slots=True)
class MailboxNumbers:
    """The numbers that a mailbox is to have; ``uids`` are by base names, ``guid`` may be empty."""

    uidvalidity: int
    uidnext: int
    uids: Mapping[bytes, int]
    guid: bytes = b""


def publish_staged(
    tree: Tree, stage: ImportStaging, numbers: MailboxNumbers, use: str = ""
) -> bool:
    """Make a mailbox of what is staged; return whether its place was free.

    It is free, too, when an earlier attempt was stopped in the middle of it. To be called by
    ``perform_steps``.
    """
    if not is_free(tree, stage.mailbox, numbers.uids):
        return False
    with suppress(Refused):  # it is there already
        in_transaction(tree, create, stage.mailbox, use)
    if not in_transaction(tree, _publish, stage, numbers):
        return False
    in_transaction(tree, _scan, stage.mailbox)
    stage.remove()
    return True


def _publish(tree: Tree, work: UnitOfWork, stage: ImportStaging, numbers: MailboxNumbers) -> bool:
    folder = tree.find(stage.mailbox)
    with folder.uids.lock.held():
        state = scan(folder, work, is_forced=True)
        if not is_free(tree, stage.mailbox, numbers.uids):
            return False
        _write_lists(tree, stage, folder.path, _listed(folder.uids, numbers))
        _rename_all(tree, work, stage, folder.subfolder(b"cur"))
        work.index.mailboxes.remove(state)
    work.afterwards.append(partial(tree.folders.pop, folder.folder, None))
    return True


def _scan(tree: Tree, work: UnitOfWork, mailbox: str) -> None:
    scan(tree.find(mailbox), work, is_forced=True)


def _listed(now: UidFile, numbers: MailboxNumbers) -> UidList:
    highest = max([numbers.uidnext, *(uid + 1 for uid in numbers.uids.values())])
    if now.uidvalidity == numbers.uidvalidity:
        highest = max(highest, now.uidnext)
    listed = UidList(numbers.uidvalidity, highest, numbers.guid or uidlist.new_guid())
    listed.records = {base: (uid, b"") for base, uid in numbers.uids.items() if uid}
    return listed


def _write_lists(tree: Tree, stage: ImportStaging, path: bytes, listed: UidList) -> None:
    data = read_file(tree.disk, os.path.join(stage.path, keywords.FILE))
    if data is not None:
        replace_file(tree.disk, os.path.join(path, keywords.FILE), data)
    UidFile(tree.disk, path).start(listed)


def _rename_all(tree: Tree, work: UnitOfWork, stage: ImportStaging, target: bytes) -> None:
    source = os.path.join(stage.path, b"cur")
    for name in stage.files().values():
        path, new_path = os.path.join(source, name), os.path.join(target, name)
        tree.disk.rename(path, new_path)
        work.undo.append(partial(tree.disk.rename, new_path, path))
    tree.disk.sync_folder(target)
