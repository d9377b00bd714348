"""Mail of accounts that are not in the directory any more: whose there is, and its removal."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

from twisted_mail.config import Config
from twisted_mail.mail.address import canonical_name
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import make_folders, remove_tree
from twisted_mail.store.format import layout

_SET_ASIDE = (b".purged.", b".astray.")  # what an interrupted purge and a repair leave


def kept_mail(config: Config) -> dict[str, list[bytes]]:
    """Return the folders of accounts by the canonical spelling of their names. Raises OSError."""
    found: dict[str, list[bytes]] = {}
    for domain in _names(os.fsencode(config.mail_folder)):
        for name, path in _in_domain(config, domain):
            if os.path.isdir(path):
                found.setdefault(name, []).append(path)
    return found


class KeptMailNames:
    """The names of accounts that have mail, in their canonical spelling. Each domain is read once.

    Whether a name is here raises Refused where the folder of its domain cannot be read.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._domains: dict[str, frozenset[str]] = {}

    def __contains__(self, name: object) -> bool:
        domain = str(name).rpartition("@")[2]
        if domain not in self._domains:
            self._domains[domain] = self._names_at(domain)
        return name in self._domains[domain] or os.path.isdir(_own_path(self._config, str(name)))

    def _names_at(self, domain: str) -> frozenset[str]:
        root = os.fsencode(self._config.mail_folder)
        try:
            found = [
                name
                for folder in _names(root)
                if canonical_name(layout.account_name(folder, b"x") or "") == f"x@{domain}"
                for name, path in _in_domain(self._config, folder)
                if os.path.isdir(path)
            ]
        except OSError as error:
            path = os.fsdecode(error.filename or root)
            raise Refused(
                f"whether there is mail cannot be seen: {path}: {error.strerror}"
            ) from None
        return frozenset(found)


def _own_path(config: Config, name: str) -> bytes:
    """Return the folder where the server looks for an account's mail."""
    return layout.account_path(os.fsencode(config.mail_folder), name)


def _in_domain(config: Config, domain: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what may be accounts' folders, with the canonical spelling of their names."""
    folder = os.path.join(os.fsencode(config.mail_folder), domain)
    for local in _names(folder):
        name = layout.account_name(domain, local)
        if name is not None and not local.startswith(b"."):
            yield canonical_name(name), os.path.join(folder, local)


def folders(config: Config, name: str) -> list[bytes]:
    """Return the folders in which an account's mail lies, in whatever spelling. Raises OSError."""
    own, key = _own_path(config, name), canonical_name(name)
    here = os.path.basename(os.path.dirname(own))
    found = [
        path
        for domain in _names(os.fsencode(config.mail_folder))
        if domain == here or b"%" in domain  # with capital letters, in an earlier release
        for other, path in _in_domain(config, domain)
        if other == key and os.path.isdir(path)
    ]
    is_hashed = own not in found and os.path.isdir(own)  # its name cannot be read back
    return [*found, own] if is_hashed else found


def keep(config: Config, name: str) -> bool:
    """Give a new account the mail of an earlier one; return whether that is all in one folder.

    Raises OSError.
    """
    own, found = _own_path(config, name), folders(config, name)
    if len(found) == 1 and found != [own]:
        _move(found[0], own)
        return True
    return found in ([], [own])


def purge(config: Config, name: str) -> int:
    """Remove an account's mail, all of it; return how many folders there were. Raises OSError.

    A folder gets another name first: from then on nobody sees it, however long its removal takes. What
    an interrupted purge left goes too.
    """
    found = folders(config, name)
    for path in found:
        _move(path, _beside(path, b".purged."))
    own = _own_path(config, name)
    removed = [aside for path in {*found, own} for aside in _aside(path)]
    for aside in removed:
        remove_tree(Disk(), aside)
    return len(removed)


def set_aside(path: bytes) -> bytes:
    """Rename an account's folder so that nobody looks for mail there; return its path.

    Raises OSError.
    """
    aside = _beside(path, b".astray.")
    _move(path, aside)
    return aside


def _beside(path: bytes, mark: bytes) -> bytes:
    folder, name = os.path.split(path)
    return os.path.join(folder, b"%s%d.%s" % (mark, time.time_ns(), name))


def _aside(path: bytes) -> Iterator[bytes]:
    """Yield what was set aside of an account's folder."""
    folder, name = os.path.split(path)
    for other in _names(folder):
        if other.startswith(_SET_ASIDE) and other.split(b".", 3)[3:] == [name]:
            yield os.path.join(folder, other)


def _move(source: bytes, target: bytes) -> None:
    """Rename a folder, durably."""
    disk = Disk()
    folder = os.path.dirname(target)
    make_folders(disk, folder)
    disk.rename(source, target)
    disk.sync_folder(folder)
    if os.path.dirname(source) != folder:
        disk.sync_folder(os.path.dirname(source))


def _names(path: bytes) -> list[bytes]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.listdir(path)
    return []
