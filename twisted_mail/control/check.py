"""``twisted-mail check``: would the server start, and would mail arrive? Nothing is altered."""

import argparse
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from twisted_mail.config import Config, endpoints
from twisted_mail.control import password_files, ports
from twisted_mail.control.output import FAILED, FINE, CommandResult, count
from twisted_mail.control.setup import certificates
from twisted_mail.directory.editing.editor import DirectoryEditor, DirectoryProblem
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.queue.program import Program

Level = Literal["fine", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Note:
    """One check and its result. A fault keeps the server or a service from working."""

    level: Level
    subject: str
    text: str


def check(_: argparse.Namespace, config: Config) -> CommandResult:
    """Check everything that the configuration names."""
    notes = [
        Note("fine", "configuration", f"{config.path} has no mistakes"),
        *_certificates(config),
        *_state(config),
        *_mail_log(config),
        *_directory(config),
        *_ports(config),
    ]
    faults = sum(note.level == "fault" for note in notes)
    warnings = sum(note.level == "warning" for note in notes)
    lines = [f"{note.level:8} {note.subject}: {note.text}" for note in notes]
    lines += ["", f"{count(faults, 'fault')}, {count(warnings, 'warning')}"]
    data = {
        "config": str(config.path),
        "faults": faults,
        "warnings": warnings,
        "notes": [asdict(note) for note in notes],
    }
    return CommandResult(data, lines, FAILED if faults else FINE)


# ---------------------------------------------------------------- certificates


def _certificates(config: Config) -> Iterator[Note]:
    wanted = [listener for listener in config.listeners if listener.tls != "none"]
    try:
        findings = certificates.inspect_folder(config.tls.folder)
    except OSError as error:
        if wanted:
            yield Note("fault", "certificates", f"{config.tls.folder}: {error.strerror}")
        return
    for finding in findings:
        yield from _certificate(finding)
    usable = [finding for finding in findings if not finding.faults]
    if wanted and not usable:
        yield Note("fault", "certificates", f"{config.tls.folder} has none that can be used")
    elif usable and not any(certificates.covers(one, config.hostname) for one in usable):
        yield Note("warning", "certificates", f"none is for {config.hostname}")


def _certificate(finding: certificates.CertificateFinding) -> Iterator[Note]:
    subject = f"certificate {finding.path.name}"
    for fault in finding.faults:
        yield Note("fault", subject, fault)
    for warning in finding.warnings:
        yield Note("warning", subject, warning)
    if not finding.faults and not finding.warnings and finding.expires:
        names = ", ".join(finding.names) or "no names"
        yield Note("fine", subject, f"for {names}, until {finding.expires:%Y-%m-%d}")


# ---------------------------------------------------------------- the state folder


def _state(config: Config) -> Iterator[Note]:
    path = config.state
    try:
        found = os.stat(path)
    except OSError as error:
        yield Note("fault", "state folder", f"{path}: {error.strerror}")
        return
    if not stat.S_ISDIR(found.st_mode):
        yield Note("fault", "state folder", f"{path} is no folder")
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Note("fault", "state folder", f"{path} cannot be read and written by this user")
    elif found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        text = f"{path} is open to others on this machine (mode {mode:o}; chmod 700 {path})"
        yield Note("warning", "state folder", text)
    elif strangers := _strangers(path, found.st_uid):
        text = f"in {path} not everything belongs to the folder's owner: {', '.join(strangers)}"
        yield Note("warning", "state folder", text)
    else:
        yield Note("fine", "state folder", f"{path} belongs to its owner alone")


def _strangers(path: Path, owner: int) -> list[str]:
    """Return the files at the top of the state folder that belong to root or another user."""
    with os.scandir(path) as entries:
        found = [one.name for one in entries if one.stat(follow_symlinks=False).st_uid != owner]
    return sorted(found)[:10]


def _mail_log(config: Config) -> Iterator[Note]:
    """Check that a mail log can be written; without one, workers lose their lines."""
    if config.log.file:
        path = config.state / config.log.file
        wanted = path if path.exists() else path.parent
        if os.access(wanted, os.W_OK):
            yield Note("fine", "mail log", f"{path} can be written")
        else:
            text = f"{wanted} cannot be written by this user; the lines will go to twistd's log"
            yield Note("warning", "mail log", text)
    elif config.workers.number:
        text = "without [log] file each line of the workers goes through the main process"
        yield Note("warning", "workers", text)


# ---------------------------------------------------------------- the directory


def _directory(config: Config) -> Iterator[Note]:
    if not config.accounts_file.exists():
        yield Note("warning", "directory", "there are no accounts yet: twisted-mail account add")
        return
    try:
        with DirectoryEditor(
            config.accounts_file,
            config.passwords,
            config.domains,
            separators=config.addresses.separators,
        ) as register:
            yield from _residents(register)
            yield from _programs(register, config)
            for text in password_files.faults(config, register):
                yield Note("warning", "logins", text)
    except DirectoryUnusable as error:
        yield Note("fault", "directory", str(error))


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
    known = {row.address.lower() for row in accounts} | {row.address.lower() for row in aliases}
    for domain in domains:
        if not {f"postmaster@{domain.name}", f"@{domain.name}"} & known:
            text = f"postmaster@{domain.name} is missing, and RFC 5321 §4.5.1 asks for it"
            yield Note("warning", "directory", text)


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


# ---------------------------------------------------------------- ports

_WITH_LOGIN = ("submission", "imap", "pop3")  # where nothing works without one
_LEVELS: dict[ports.PortState, Level] = {
    "free": "fine",
    "ours": "fine",
    "unknown": "fine",
    "forbidden": "warning",
    "homeless": "warning",  # the program that starts the server may make the folder
    "taken": "fault",
    "impossible": "fault",
}


def _ports(config: Config) -> Iterator[Note]:
    for listener in config.listeners:
        finding = ports.probe(endpoints.parse(listener.endpoint))
        subject = f"{listener.service} on {listener.endpoint}"
        yield Note(_LEVELS[finding.state], subject, finding.text)
        if (
            listener.service in _WITH_LOGIN
            and listener.tls == "none"
            and not listener.cleartext_passwords
        ):
            yield Note("warning", subject, "nobody can log in here: there is no TLS")


# ---------------------------------------------------------------- the grammar


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``check``."""
    command("check", check, "look for everything that could go wrong")
