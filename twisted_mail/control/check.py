"""``twisted-mail check``: would the server start, and would mail arrive? Nothing is altered."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks.accounts_and_aliases import all_domains, directory_notes
from twisted_mail.control.checks.certificates import certificate_notes
from twisted_mail.control.checks.disk import disk_notes
from twisted_mail.control.checks.dns import dns_notes
from twisted_mail.control.checks.installation import installation_notes
from twisted_mail.control.checks.listeners import listener_notes
from twisted_mail.control.checks.note import Note
from twisted_mail.control.checks.queue import queue_notes
from twisted_mail.control.checks.queued_mail import queued_mail_notes
from twisted_mail.control.checks.reports import report_notes
from twisted_mail.control.checks.sending import (
    dane_note,
    sending_file_notes,
    sending_notes,
    source_addresses,
)
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.checks.state import configuration_notes, mail_log_notes, state_notes
from twisted_mail.control.output import FAILED, FINE, CommandResult, count, os_error_text
from twisted_mail.control.reactor import run_in_reactor
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.interfaces import Resolver
from twisted_mail.net.dns.resolver import make_resolver
from twisted_mail.net.process.clock import ReactorClock


def check(options: argparse.Namespace, config: Config) -> CommandResult:
    """Check everything that the configuration names."""
    subjects = (
        installation_notes,
        configuration_notes,
        certificate_notes,
        state_notes,
        disk_notes,
        mail_log_notes,
        directory_notes,
        queue_notes,
        queued_mail_notes,
        report_notes,
        sending_file_notes,
    )
    # Root could do everything: what matters is what the server's user can.
    with server_user_of(config.state).acting():
        notes = [note for look in subjects for note in _guarded(look, config)]
        domains = all_domains(config) if options.dns else []
    notes += listener_notes(config)
    if options.dns or options.sending:
        notes += run_in_reactor(_asked(options, config, domains))
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


async def _asked(options: argparse.Namespace, config: Config, domains: Sequence[str]) -> list[Note]:
    """Return what the DNS has to say about what was asked for."""
    resolver, notes = _resolver(config), []
    if options.dns:
        notes += await dns_notes(resolver, config.hostname, domains)
    if options.sending:
        notes += await sending_notes(resolver, config.hostname, source_addresses())
        if config.outgoing_tls.dane and not config.sending.relay:
            notes.append(await dane_note(resolver))
    return notes


def _guarded(look: Callable[[Config], Iterator[Note]], config: Config) -> Iterator[Note]:
    """Yield what was found; what cannot be looked at is a fault, and stops nothing else."""
    try:
        yield from look(config)
    except (OSError, apsw.Error, DirectoryUnusable) as error:
        subject = look.__name__.removesuffix("_notes").replace("_", " ")
        yield Note("fault", subject, _words(error))


def _words(error: Exception) -> str:
    return os_error_text(error) if isinstance(error, OSError) else str(error)


def _resolver(config: Config) -> Resolver:
    """Return what asks the DNS as the server does."""
    from twisted.internet import reactor

    servers, timeout = config.dns.server_addresses(), config.dns.timeout
    return make_resolver(reactor, servers, timeout, ReactorClock(reactor))


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``check``."""
    made = command("check", check, "look for everything that could go wrong")
    made.add_argument("--dns", action="store_true", help="ask the DNS for host and domains, too")
    about = "look at the addresses that mail leaves from, as other servers see them"
    made.add_argument("--sending", action="store_true", help=about)
