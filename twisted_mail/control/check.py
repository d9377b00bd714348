"""``twisted-mail check``: would the server start, and would mail arrive? Nothing is altered."""

import argparse
from collections.abc import Callable
from dataclasses import asdict

from twisted_mail.config import Config
from twisted_mail.control.checks.certificates import certificate_notes
from twisted_mail.control.checks.directory import directory_notes
from twisted_mail.control.checks.disk import disk_notes
from twisted_mail.control.checks.listeners import listener_notes
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.checks.state import config_notes, mail_log_notes, state_notes
from twisted_mail.control.output import FAILED, FINE, CommandResult, count


def check(_: argparse.Namespace, config: Config) -> CommandResult:
    """Check everything that the configuration names."""
    # Root could do everything: what matters is what the server's user can.
    with server_user_of(config.state).acting():
        notes = [
            *config_notes(config),
            *certificate_notes(config),
            *state_notes(config),
            *disk_notes(config),
            *mail_log_notes(config),
            *directory_notes(config),
        ]
    notes += listener_notes(config)
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


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``check``."""
    command("check", check, "look for everything that could go wrong")
