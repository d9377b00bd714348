"""A Maildir as a source: Maildir++ with its folders, as Dovecot, Courier and mutt write it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from typing import NamedTuple

from twisted_mail.control.store.importing.compressed_files import unpacked
from twisted_mail.control.store.importing.maildir_folders import PLACES, MaildirFolders
from twisted_mail.control.store.importing.source import (
    MAX_MESSAGE,
    SourceMessage,
    UidNumbering,
    storable_flags,
)
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem, reason_of
from twisted_mail.store.format import filename, keywords, subscriptions, uidlist

MAX_LIST = 256 * 1024 * 1024  # octets of a list of UIDs


class _File(NamedTuple):
    """A message, the nanosecond of its last change, and its path."""

    item: SourceMessage
    time: int
    path: bytes


class MaildirSource:
    """Fulfils ``source.ImportSource``. The maildir is only read; it may be in use."""

    def __init__(self, files: SourceFiles) -> None:
        self._source = files
        folders = MaildirFolders(files)
        self._bad = folders.bad
        self._folders = folders.found
        self._files: dict[str, list[tuple[SourceMessage, bytes]]] = {}
        self._paths: dict[tuple[str, bytes], bytes] = {}

    @staticmethod
    def is_one(files: SourceFiles) -> bool:
        """Return whether a source is a Maildir."""
        return not files.file and all(files.is_folder(place) for place in PLACES)

    def _read(self, path: bytes) -> bytes | None:
        try:
            return self._source.read(path, MAX_LIST)
        except (BadItem, OSError) as error:
            self._bad.append((self._source.shown(path), reason_of(error)))
            return None

    def mailboxes(self) -> Sequence[str]:
        """Return INBOX and the folders."""
        return list(self._folders)

    def subscribed(self) -> Iterable[str]:
        """Return the names in Dovecot's or Courier's file."""
        for name in (subscriptions.FILE, b"courierimapsubscribed"):
            data = self._read(name)
            if data is not None:
                lines = data.replace(b"INBOX.", b"") if name != subscriptions.FILE else data
                return subscriptions.parse(lines)
        return ()

    def numbering(self, mailbox: str) -> UidNumbering | None:
        """Return the numbers of Dovecot's list of UIDs."""
        found = self._list(mailbox)
        return None if found is None else UidNumbering(found.uidvalidity, found.uidnext)

    def _list(self, mailbox: str) -> uidlist.UidList | None:
        data = self._read(os.path.join(self._folders[mailbox], uidlist.FILE))
        return None if data is None else uidlist.parse(data)

    # ------------------------------------------------------------ messages

    def count(self, mailbox: str) -> int:
        """Return how many files there are."""
        return len(self._listed(mailbox))

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of their UIDs, then by age."""
        for item, path in self._listed(mailbox):
            self._paths[mailbox, item.key] = path
            yield item

    def _listed(self, mailbox: str) -> list[tuple[SourceMessage, bytes]]:
        if mailbox not in self._files:
            self._files = {mailbox: self._read_folder(mailbox)}
        return self._files[mailbox]

    def _read_folder(self, mailbox: str) -> list[tuple[SourceMessage, bytes]]:
        folder = self._folders[mailbox]
        listed = self._list(mailbox)
        letters = keywords.parse(self._read(os.path.join(folder, keywords.FILE)) or b"")
        found: dict[bytes, list[_File]] = {}
        for place in PLACES:
            try:
                names = self._source.names(os.path.join(folder, place))
            except (BadItem, OSError) as error:
                self._bad.append((f"{mailbox}/{os.fsdecode(place)}", reason_of(error)))
                continue
            for name in names:
                if name.startswith(b"."):
                    continue
                path = os.path.join(folder, place, name)
                base, rest = filename.split_any(name)
                described = self._described(path)
                if described is None:
                    continue
                uid = _uid(listed, base, name)
                item = SourceMessage(
                    base,
                    f"{mailbox}/{os.fsdecode(place)}/{os.fsdecode(name)}",
                    storable_flags(filename.flags_of(place[:1] + rest, letters)),
                    _date(described.st_mtime),
                    described.st_size,
                    uid,
                )
                found.setdefault(base, []).append(_File(item, described.st_mtime_ns, path))
        files = [one for alike in found.values() for one in self._told_apart(alike)]
        files.sort(key=lambda one: (one.item.uid or 2**33, one.time, one.item.key))
        return [(one.item, one.path) for one in files]

    def _described(self, path: bytes) -> os.stat_result | None:
        try:
            return self._source.described(path)
        except (BadItem, OSError) as error:
            self._bad.append((self._source.shown(path), reason_of(error)))
            return None

    def _told_apart(self, alike: Sequence[_File]) -> Sequence[_File]:
        """Return the different messages among files with one base name.

        Where there are more than one, the key of each is by what is in it: which of them comes first
        depends on flags, and the next run has to know each of them again. None has the UID.
        """
        if len(alike) == 1:
            return alike
        found: dict[bytes, _File] = {}
        for one in alike:
            with suppress(FileNotFoundError):  # it was renamed meanwhile: loading finds it
                found.setdefault(self._digest(one.path), one)
        if len(found) < 2:
            return [*found.values()] or alike[:1]
        return [
            one._replace(item=replace(one.item, key=one.item.key + b"/" + digest[:32], uid=0))
            for digest, one in found.items()
        ]

    def _digest(self, path: bytes) -> bytes:
        """Return the digest of a file, or of the name of one that cannot be read: loading names it."""
        try:
            with self._source.open(path) as file:
                return file_digest(file, "sha256").hexdigest().encode()
        except FileNotFoundError:
            raise
        except (BadItem, OSError):
            return sha256(path).hexdigest().encode()

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Read the files, even if they were renamed meanwhile."""
        for item in items:
            yield item, self._load(mailbox, item)

    def _load(self, mailbox: str, item: SourceMessage) -> bytes | BadItem:
        if item.size > MAX_MESSAGE:
            return BadItem(f"larger than {MAX_MESSAGE} octets")
        path = self._paths[mailbox, item.key]
        for _ in range(3):
            try:
                with self._source.open(path) as file:
                    data = file.read(MAX_MESSAGE + 1)
            except FileNotFoundError:
                self._files.clear()
                again = {each.key: where for each, where in self._listed(mailbox)}
                path = again.get(item.key, path)
            except (BadItem, OSError) as error:
                return BadItem(reason_of(error))
            else:
                return unpacked(data) or BadItem("it is empty")
        return BadItem("it is gone")

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return what could not be read."""
        return dict.fromkeys(self._bad)

    def remarks(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Close the folders."""
        self._source.close()


def _uid(listed: uidlist.UidList | None, base: bytes, name: bytes) -> int:
    """Return the UID in a list, which may have the whole of a name that Windows wrote; 0 for none."""
    if listed is None:
        return 0
    return listed.uid(base) or listed.uid(filename.split(name)[0]) or 0


def _date(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
