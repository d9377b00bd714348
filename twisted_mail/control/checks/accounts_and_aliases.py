"""Accounts, aliases, lists and programs, as ``twisted-mail check`` sees them."""

import os
import pwd
from collections.abc import Iterator

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks import password_files
from twisted_mail.control.checks.note import Note
from twisted_mail.control.checks.postmaster import postmaster_notes
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandError, count
from twisted_mail.directory.editing.editor import DirectoryEditor, DirectoryProblem
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.queue.program import Program


def directory_notes(config: Config) -> Iterator[Note]:
    """Check accounts, aliases and lists, and what they lead to."""
    if not config.accounts_file.exists():
        yield Note("warning", "directory", "there are no accounts yet: twisted-mail account add")
        return
    try:
        with opened(config) as register:
            yield from _residents(register)
            yield from postmaster_notes(config, [row.name for row in register.domains.all()])
            yield from _programs(register, config)
            for text in password_files.faults(config, register):
                yield Note("warning", "logins", text)
    except DirectoryUnusable as error:
        yield Note("fault", "directory", str(error))


def all_domains(config: Config) -> list[str]:
    """Return the domains of ours, those of the configuration alone if there is no directory."""
    try:
        if not config.accounts_file.exists():
            return list(config.domains)
        with opened(config) as register:
            return [row.name for row in register.domains.all()]
    except (OSError, apsw.Error, CommandError, DirectoryUnusable):
        return list(config.domains)


def _residents(register: DirectoryEditor) -> Iterator[Note]:
    domains, accounts = register.domains.all(), register.accounts.all()
    aliases = register.aliases.all()
    sums = (
        count(len(domains), "domain"),
        count(len(accounts), "account"),
        count(len(aliases), "alias", "aliases"),
    )
    yield Note("fine" if domains and accounts else "warning", "directory", ", ".join(sums))
    for trouble in register.problems():
        yield Note("fault" if not trouble.address else "warning", "directory", _words(trouble))


def _programs(register: DirectoryEditor, config: Config) -> Iterator[Note]:
    """Look for programs of aliases that are not configured, and for programs that do not exist."""
    known = {f"|{program.name}" for program in config.programs}
    for row in register.aliases.all():
        for target in row.targets:
            if target.startswith("|") and "@" not in target and target not in known:
                yield Note(
                    "warning", "directory", f"{row.address}: there is no program {target[1:]}"
                )
    for program in config.programs:
        yield from (Note("warning", f"program {program.name}", text) for text in _faults(program))


def _faults(program: Program) -> Iterator[str]:
    """Return what keeps a program from being run."""
    if not os.access(program.command[0], os.X_OK):
        yield f"{program.command[0]} cannot be run"
    if not os.path.isdir(program.folder):
        yield f"{program.folder} is no folder"
    if program.user:
        try:
            pwd.getpwnam(program.user)
        except KeyError:
            yield f"there is no user {program.user}"


def _words(trouble: DirectoryProblem) -> str:
    return f"{trouble.address}: {trouble.text}" if trouble.address else trouble.text
