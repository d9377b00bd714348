"""``queue suspend`` and ``resume``: mail for a domain or a site, or of a sender or an account, stops."""

import argparse
from collections.abc import Callable

from twisted_mail.config import Config
from twisted_mail.control.directory import opened
from twisted_mail.control.output import FAILED, FINE, WRONG_USE, CommandError, CommandResult
from twisted_mail.control.queue.filters import plain, site_name, span_seconds
from twisted_mail.control.queue.opened import OpenedQueue, now, opened_queue
from twisted_mail.control.queue.phrases import stamp, when
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.mail.address import canonical_name, parse, parse_domain
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.suspension import SUSPENSION_KINDS, Suspension, SuspensionKind
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words.queries import sites


def queue_suspend(options: argparse.Namespace, config: Config) -> CommandResult:
    """Begin no attempts of a kind until a time, or until they are resumed."""
    moment = now()
    until = 0.0 if options.span is None else moment + _span(options.span)
    suspension = Suspension(options.kind, _name(options.kind, options.name), until, moment)
    with opened_queue(config) as queue:
        notes = _look(queue, suspension)
        speak(queue, Word(Act.SUSPEND, suspension=suspension, by=speaker()))
    ends = when(until, moment) if until else "it is resumed"
    lines = [f"{suspension} is suspended until {ends}; new mail is taken, and waits", *notes]
    data = {"kind": suspension.kind, "name": suspension.name, "until": stamp(until)}
    return CommandResult({"suspended": data}, lines)


def queue_resume(options: argparse.Namespace, config: Config) -> CommandResult:
    """Go on with what was suspended."""
    suspension = Suspension(options.kind, _name(options.kind, options.name))
    with opened_queue(config) as queue:
        answer = speak(queue, Word(Act.RESUME, suspension=suspension, by=speaker()))
    was_there = bool(answer["was_suspended"])
    lines = [f"{suspension} is {'resumed' if was_there else 'not suspended'}"]
    data = {"kind": suspension.kind, "name": suspension.name, "was_suspended": was_there}
    return CommandResult({"resumed": data}, lines, FINE if was_there else FAILED)


def _look(queue: OpenedQueue, suspension: Suspension) -> list[str]:
    """Return what is to be said about a name that nothing here has. Raises CommandError.

    Accounts are known; any domain and any sender may be the next one.
    """
    name = suspension.name
    if suspension.kind == "account" and not _is_account(queue, name):
        raise CommandError(
            f"there is no account {name}, and no mail of it waits: nothing is suspended"
            " (twisted-mail account list)"
        )
    if suspension.kind == "site" and not _is_site(queue, name):
        return [f"no site {name} is known now; twisted-mail queue explain DOMAIN names that of one"]
    return []


def _is_account(queue: OpenedQueue, name: str) -> bool:
    """Return whether there is an account, or mail of one that was removed."""
    if queue.config.accounts_file.exists():
        with opened(queue.config) as register:
            if register.accounts.has(name):
                return True
    query = "SELECT 1 FROM jobs WHERE submitter = ? LIMIT 1"
    return queue.connection.execute(query, (name,)).fetchone() is not None


def _is_site(queue: OpenedQueue, name: str) -> bool:
    """Return whether something is remembered of a site, or lies behind it."""
    if any(site_name(one.name) == name for one in sites(queue.connection)):
        return True
    relay = queue.config.sending.next_relay
    if relay is not None and relay.site == name:
        return True
    return bool(speak(queue, Word(Act.ASK, Selection(site=name), by=speaker())).get("destinations"))


def _span(text: str) -> float:
    seconds = span_seconds(text, "--for")
    if not seconds:
        raise CommandError(f"--for {text}: that is over at once", WRONG_USE)
    return seconds


def _name(kind: SuspensionKind, text: str) -> str:
    """Return a name in the spelling in which mail is compared with it. Raises CommandError."""
    plain(text, f"the name of the {kind}")
    try:
        match kind:
            case "domain":
                return parse_domain(text)
            case "sender" if text.startswith("@"):
                return f"@{parse_domain(text[1:])}"
            case "sender":
                return parse(text).key
            case "account":
                return canonical_name(text)
        return site_name(text)
    except ValueError as error:
        raise CommandError(f"{kind} {text}: {error}", WRONG_USE) from None


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands ``suspend`` and ``resume``."""
    for name, work, about in (
        ("suspend", queue_suspend, "begin nothing more for a while; new mail is taken, and waits"),
        ("resume", queue_resume, "go on with what was suspended"),
    ):
        parser = command(name, work, about)
        parser.add_argument("kind", choices=SUSPENSION_KINDS, help="what the name is of")
        parser.add_argument("name", metavar="NAME", help="for senders an address, or @domain")
        if work is queue_suspend:
            parser.add_argument("--for", dest="span", metavar="SPAN", help="90s, 30m, 2h, 3d, 1w")
