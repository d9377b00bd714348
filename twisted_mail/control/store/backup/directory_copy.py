"""The directory in a backup: domains, accounts, aliases, lists."""

import os
from contextlib import suppress
from pathlib import Path

import apsw

from twisted_mail.config import Config
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem
from twisted_mail.mail.address import canonical_name
from twisted_mail.mail.outcome import Refused

MAX_DIRECTORY = 1024 * 1024 * 1024  # octets


def save(source: Path, folder: Path) -> None:
    """Copy domains, accounts and aliases, by SQLite's own means."""
    if not source.exists():
        return
    target = folder / source.name
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    old = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    new = apsw.Connection(str(part))
    try:
        with new.backup("main", old, "main") as copied:
            while not copied.done:
                copied.step(1000)
        new.pragma("journal_mode", "delete")  # one file, without a separate log
    finally:
        new.close()
        old.close()
    part.chmod(0o600)
    _sync_file(part)
    part.rename(target)


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def restore(config: Config, files: SourceFiles, names: list[str]) -> list[str]:
    """Restore accounts that are missing, with their passwords; all of them if there are none.

    Raises CommandError where the copy cannot be read, OSError.
    """
    name = os.fsencode(config.accounts_file.name)
    try:
        data = files.whole(name, MAX_DIRECTORY)
    except FileNotFoundError:
        return []
    except BadItem as bad:
        raise CommandError(f"{files.shown(name)}: {bad}") from None
    if not config.accounts_file.exists():
        copying.replace(config.accounts_file, data)
        return names
    return _missing_accounts(config, data, names)


def _missing_accounts(config: Config, data: bytes, names: list[str]) -> list[str]:
    old = apsw.Connection(":memory:")
    try:
        old.deserialize("main", data)
        rows = old.execute("SELECT address, hash FROM account")
        hashes = {canonical_name(address): stored for address, stored in rows}
    finally:
        old.close()
    made = []
    with opened(config) as register:
        there = {canonical_name(row.address) for row in register.accounts.all()}
        for name in names:
            key = canonical_name(name)
            if key in there or key not in hashes:
                continue
            with suppress(Refused):
                register.domains.add(name.rpartition("@")[2])
            register.accounts.import_lines([f"{name}:{hashes[key]}"])
            made.append(name)
    return made
