"""The mailboxes of a Maildir: Maildir++ (``.Sent.2024``), or folders in folders (``Sent/2024``)."""

import os
from contextlib import suppress

from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem, reason_of
from twisted_mail.mail.mime.encoding import decode_mailbox_name
from twisted_mail.store.format import layout, mailbox_names

PLACES = (b"new", b"cur")
_NO_MAILBOXES = (b"new", b"cur", b"tmp")
MAX_DEPTH = 20


class MaildirFolders:
    """The folders below the source by the names of their mailboxes, and what is none. Raises OSError."""

    def __init__(self, files: SourceFiles) -> None:
        self._files = files
        self.bad: list[tuple[str, str]] = []
        self.found = {"INBOX": b""}
        for name in files.names():
            if name.startswith(b"."):
                self._take(name, layout.mailbox_name(name) or _guessed(name))
        self._look_into(b"", "", 0)

    def _look_into(self, folder: bytes, above: str, depth: int) -> None:
        """Find folders in folders, as Dovecot keeps them with ``LAYOUT=fs``."""
        try:
            names = self._files.names(folder)
        except (BadItem, OSError) as error:
            self.bad.append((self._files.shown(folder), reason_of(error)))
            return
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(b".") or name in _NO_MAILBOXES:
                continue
            mailbox = f"{above}{_level(name)}"
            self._take(path, mailbox)
            if not self._files.is_folder(path):
                continue
            if depth < MAX_DEPTH:
                self._look_into(path, mailbox + "/", depth + 1)
            elif self._has_folders(path):
                self.bad.append((self._files.shown(path), "folders below it lie too deep"))

    def _has_folders(self, path: bytes) -> bool:
        names = [name for name in self._files.names(path) if name not in _NO_MAILBOXES]
        return any(self._files.is_folder(os.path.join(path, name)) for name in names)

    def _take(self, path: bytes, mailbox: str) -> None:
        if not self._is_mailbox(path):
            return
        if mailbox in self.found:
            text = f"its name would be {mailbox} a second time"
            self.bad.append((self._files.shown(path), text))
            return
        self.found[mailbox] = path

    def _is_mailbox(self, folder: bytes) -> bool:
        """Return whether a folder is a mailbox; one that is a link is bad."""
        if self._files.is_link_to_folder(folder):
            self.bad.append((self._files.shown(folder), "it is a link, and none is followed"))
            return False
        return any(self._is_there(os.path.join(folder, place)) for place in PLACES)

    def _is_there(self, path: bytes) -> bool:
        with suppress(BadItem, OSError):
            return self._files.is_folder(path) or self._files.is_link_to_folder(path)
        return False


def _level(name: bytes) -> str:
    try:
        text = decode_mailbox_name(name)
    except ValueError:
        text = name.decode("utf-8", "replace")
    return mailbox_names.printable(text)


def _guessed(folder: bytes) -> str:
    """Return a mailbox name for a folder that is not named as Dovecot does."""
    return mailbox_names.of_levels(folder[1:].decode("utf-8", "replace").split("."))
