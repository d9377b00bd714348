"""The accounts that a command is about, and their mail.

The command works on the maildirs in its own process, with the store's own classes: these share accounts
with a running server.
"""

import os
import pwd
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from twisted_mail.config import Config
from twisted_mail.control.output import CommandError
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import close

T = TypeVar("T")


class SystemClock:
    """Fulfils ``interfaces.Clock`` where there is no reactor."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Block for a while."""
        time.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Do the work without a time limit: nothing here could interrupt it."""
        return await work


def root(config: Config) -> bytes:
    """Return the folder below which all accounts lie."""
    return os.fsencode(config.state / "mail")


def path(config: Config, account: str) -> bytes:
    """Return the folder of an account."""
    return layout.account_path(root(config), account)


def has_mail(config: Config, account: str) -> bool:
    """Return whether the account has a maildir."""
    return os.path.isdir(os.path.join(path(config, account), b"Maildir"))


@contextmanager
def opened(config: Config, account: str) -> Iterator[Tree]:
    """Open one account's mail, without a quota: an administrator may exceed it."""
    disk = Disk()
    environment = StoreEnvironment(disk, SystemClock(), Namer(), disk.boot_id(), config.store)
    tree = Tree(environment, path(config, account), QuotaLedger())
    try:
        yield tree
    finally:
        close(tree)


# ---------------------------------------------------------------- names


def chosen(config: Config, named: Sequence[str]) -> list[str]:
    """Return the accounts that have mail: those named, or all. Raises CommandError."""
    check_user(config)
    if not named:
        return sorted(name for name in _known(config) if has_mail(config, name))
    found = list(dict.fromkeys(existing_account(config, name) for name in named))
    for name in found:
        if not has_mail(config, name):
            raise CommandError(f"{name} has no mail yet")
    return found


def check_user(config: Config) -> None:
    """Raise CommandError unless the state folder is ours: the server could not read what we write."""
    try:
        owner = config.state.stat().st_uid
    except FileNotFoundError:
        raise CommandError(f"the state folder {config.state} is missing") from None
    if owner != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise CommandError(
            f"{config.state} belongs to {name}: sudo -u {name} twisted-mail store ..."
        )


def existing_account(config: Config, name: str) -> str:
    """Return the account of a name: one in the directory, or one whose mail is still here.

    A name without a domain is in the first domain. Raises CommandError.
    """
    check_user(config)
    if "@" not in name and config.domains:
        name = f"{name}@{config.domains[0]}"
    known = _known(config)
    if name in known:
        return name
    alike = [other for other in known if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    raise CommandError(f"there is no account {name}, and no mail of one")


def _known(config: Config) -> set[str]:
    return {*_in_directory(config), *_on_disk(root(config))}


def _in_directory(config: Config) -> list[str]:
    if not config.accounts_file.exists():
        return []
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        return [row.address for row in register.accounts.all()]


def _on_disk(folder: bytes) -> Iterator[str]:
    for domain in _folders(folder):
        for local in _folders(os.path.join(folder, domain)):
            name = layout.account_name(domain, local)
            if name is not None and os.path.isdir(os.path.join(folder, domain, local, b"Maildir")):
                yield name


def _folders(path: bytes) -> list[bytes]:
    try:
        names = os.listdir(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if not name.startswith(b".")]
