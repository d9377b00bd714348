"""A Maildir as a source: Maildir++ with its folders, as Dovecot, Courier and mutt write it."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from twisted_mail.control.store.importing.source import (
    MAX_MESSAGE,
    SourceMessage,
    UidNumbering,
    storable_flags,
)
from twisted_mail.control.store.skipped import BadItem
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file
from twisted_mail.store.format import filename, keywords, layout, subscriptions, uidlist


class MaildirSource:
    """Fulfils ``source.ImportSource``. The maildir is only read; it may be in use."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(os.fsencode(path))
        self._disk = Disk()
        self._bad: list[tuple[str, str]] = []
        self._folders = self._find()
        self._files: dict[str, list[tuple[SourceMessage, bytes]]] = {}
        self._paths: dict[tuple[str, bytes], bytes] = {}

    @staticmethod
    def is_one(path: str) -> bool:
        """Return whether a path is a Maildir."""
        return all(os.path.isdir(os.path.join(path, place)) for place in ("new", "cur"))

    def _find(self) -> dict[str, bytes]:
        found = {"INBOX": self._path}
        for name in sorted(os.listdir(self._path)):
            path = os.path.join(self._path, name)
            if not name.startswith(b".") or name.startswith(b".."):
                continue
            if not os.path.isdir(os.path.join(path, b"cur")):
                continue
            mailbox = layout.mailbox_name(name) or _guessed(name)
            if mailbox in found:
                self._bad.append((os.fsdecode(name), f"its name would be {mailbox} a second time"))
                continue
            found[mailbox] = path
        return found

    def mailboxes(self) -> Sequence[str]:
        """Return INBOX and the folders."""
        return list(self._folders)

    def subscribed(self) -> Iterable[str]:
        """Return the names in Dovecot's or Courier's file."""
        for name in (subscriptions.FILE, b"courierimapsubscribed"):
            data = read_file(self._disk, os.path.join(self._path, name))
            if data is not None:
                lines = data.replace(b"INBOX.", b"") if name != subscriptions.FILE else data
                return subscriptions.parse(lines)
        return ()

    def numbering(self, mailbox: str) -> UidNumbering | None:
        """Return the numbers of Dovecot's list of UIDs."""
        found = self._list(mailbox)
        return None if found is None else UidNumbering(found.uidvalidity, found.uidnext)

    def _list(self, mailbox: str) -> uidlist.UidList | None:
        data = read_file(self._disk, os.path.join(self._folders[mailbox], uidlist.FILE))
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
        letters = keywords.parse(read_file(self._disk, os.path.join(folder, keywords.FILE)) or b"")
        found: dict[bytes, tuple[tuple[int, int, bytes], SourceMessage, bytes]] = {}
        for place in (b"new", b"cur"):
            try:
                names = os.listdir(os.path.join(folder, place))
            except OSError as error:
                self._bad.append((f"{mailbox}/{os.fsdecode(place)}", error.strerror or ""))
                continue
            for name in names:
                if name.startswith(b"."):
                    continue
                path = os.path.join(folder, place, name)
                base, rest = filename.split(name)
                described = self._described(path)
                if described is None:
                    continue
                uid = (listed.uid(base) if listed else None) or 0
                item = SourceMessage(
                    base,
                    f"{mailbox}/{os.fsdecode(place)}/{os.fsdecode(name)}",
                    storable_flags(_flags(place[:1] + rest, letters)),
                    _date(described.st_mtime),
                    described.st_size,
                    uid,
                )
                found[base] = ((uid or 2**33, described.st_mtime_ns, base), item, path)
        return [(item, path) for _, item, path in sorted(found.values(), key=lambda one: one[0])]

    def _described(self, path: bytes) -> os.stat_result | None:
        try:
            found = os.stat(path)
        except OSError as error:
            self._bad.append((os.fsdecode(path), error.strerror or ""))
            return None
        if not stat.S_ISREG(found.st_mode):
            self._bad.append((os.fsdecode(path), "it is no file"))
            return None
        return found

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
                with open(path, "rb") as file:
                    data = file.read(MAX_MESSAGE + 1)
            except FileNotFoundError:
                self._files.clear()
                again = {each.key: where for each, where in self._listed(mailbox)}
                path = again.get(item.key, path)
            except OSError as error:
                return BadItem(error.strerror)
            else:
                return data or BadItem("it is empty")
        return BadItem("it is gone")

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return what could not be read."""
        return dict.fromkeys(self._bad)

    def remarks(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _guessed(folder: bytes) -> str:
    """Return a mailbox name for a folder that is not named as Dovecot does."""
    levels = folder[1:].decode("utf-8", "replace").split(".")
    name = "/".join(level.replace("/", "_") or "_" for level in levels)
    return "".join(sign if sign.isprintable() else "_" for sign in name)


def _flags(tail: bytes, letters: dict[str, str]) -> flag.Flags:
    return filename.flags_of(tail, letters)


def _date(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
