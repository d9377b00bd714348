"""The accounts that a command is about, and their mail.

The command works on the maildirs in its own process, with the store's own classes: these share accounts
with a running server.
"""

import os
import pwd
import stat
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from twisted_mail.config import Config
from twisted_mail.control import directory
from twisted_mail.control.output import CommandError
from twisted_mail.interfaces import FaultReport
from twisted_mail.mail.address import canonical_name
from twisted_mail.mail.outcome import Refused
from twisted_mail.net.process.fault_log import fault_text
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults, is_of_one_file
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import close

T = TypeVar("T")

MAX_SHOWN = 100  # errors of the disk in one account


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


def path(config: Config, account: str) -> bytes:
    """Return the folder of an account."""
    return layout.account_path(os.fsencode(config.mail_folder), account)


def has_mail(config: Config, account: str) -> bool:
    """Return whether the account has a maildir, or one may be there and cannot be looked at."""
    maildir = os.path.join(path(config, account), b"Maildir")
    try:
        return stat.S_ISDIR(os.stat(maildir).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def shown_once() -> FaultReport:
    """Return what shows each error of the disk once, where errors are shown."""
    shown: set[str] = set()

    def report(where: str, error: Exception) -> None:
        text = fault_text(where, error)
        if text not in shown and len(shown) < MAX_SHOWN:
            shown.add(text)
            print(f"disk: {text}", file=sys.stderr)

    return report


@contextmanager
def opened(config: Config, account: str) -> Iterator[Tree]:
    """Open one account's mail, without a quota: an administrator may exceed it."""
    with opened_at(config, path(config, account)) as tree:
        yield tree


@contextmanager
def opened_at(config: Config, folder: bytes) -> Iterator[Tree]:
    """Open the mail in a folder, as ``opened`` does."""
    disk = Disk()
    environment = StoreEnvironment(
        disk, SystemClock(), Namer(), disk.boot_id(), config.store, DiskFaults(shown_once())
    )
    tree = Tree(environment, folder, QuotaLedger())
    try:
        yield tree
    finally:
        close(tree)


# ---------------------------------------------------------------- names


def chosen(config: Config, named: Sequence[str]) -> list[str]:
    """Return the accounts that have mail: those named, or all. Raises CommandError.

    Mail that lies under another spelling of an account's name comes with it.
    """
    check_user(config)
    known = spellings(config)
    keys = dict.fromkeys(canonical_name(existing_account(config, name)) for name in named)
    found = []
    for key in keys if named else known:
        with_mail = [name for name in known[key] if has_mail(config, name)]
        if named and not with_mail:
            raise CommandError(f"{known[key][0]} has no mail yet")
        found += with_mail
    return found if named else sorted(found)


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

    A name without a domain is in the first domain; any spelling will do. Raises CommandError.
    """
    check_user(config)
    if "@" not in name and config.domains:
        name = f"{name}@{config.domains[0]}"
    found = spellings(config).get(canonical_name(_in_its_domain(config, name)))
    if found is None:
        raise CommandError(f"there is no account {name}, and no mail of one")
    return found[0]


def name_of(config: Config, name: str) -> str:
    """Return what an account is called here: the canonical spelling if there is none yet."""
    key = canonical_name(name)
    known = spellings(config).get(key, [key])
    return name if name in known else known[0]


def spellings(config: Config) -> dict[str, list[str]]:
    """Return the names of accounts by their canonical spelling, that of the directory first.

    More than one have the same when mail lies under a spelling that is not the account's.
    """
    found: dict[str, list[str]] = {}
    for name in (
        *_in_directory(config),
        *sorted(_on_disk(os.fsencode(config.mail_folder)), key=_is_written_otherwise),
    ):
        names = found.setdefault(canonical_name(name), [])
        if name not in names:
            names.append(name)
    return found


def _is_written_otherwise(name: str) -> bool:
    return canonical_name(name) != name


def _in_its_domain(config: Config, name: str) -> str:
    """Return the name in the domain that the name's domain stands for."""
    if config.accounts_file.exists():
        with (
            directory.opened(config) as register,
            suppress(Refused),
        ):
            return register.accounts.find(name)
    return name


def _in_directory(config: Config) -> list[str]:
    if not config.accounts_file.exists():
        return []
    with directory.opened(config) as register:
        return [row.address for row in register.accounts.all()]


def _on_disk(folder: bytes) -> Iterator[str]:
    for domain in _folders(folder):
        for local in _folders(os.path.join(folder, domain)):
            name = layout.account_name(domain, local)
            if name is not None and os.path.isdir(os.path.join(folder, domain, local, b"Maildir")):
                yield name


def unreadable_folders(config: Config) -> list[tuple[str, str]]:
    """Return the folders of domains that cannot be read, and why not: their accounts are unknown."""
    found = []
    root = os.fsencode(config.mail_folder)
    for domain in _folders(root):
        folder = os.path.join(root, domain)
        try:
            os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.append((os.fsdecode(folder), error.strerror or str(error)))
    return sorted(found)


def _folders(path: bytes) -> list[bytes]:
    try:
        names = os.listdir(path)
    except OSError as error:
        if is_of_one_file(error):  # see ``unreadable_folders``
            return []
        raise
    return [name for name in names if not name.startswith(b".")]
