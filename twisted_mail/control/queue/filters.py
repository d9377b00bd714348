"""Filters of the command line: read, checked, and put into words."""

import argparse
import re

from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.mail.address import canonical_name, parse, parse_domain
from twisted_mail.mail.queued.destination import SMTP, Destination, parse_destination
from twisted_mail.mail.queued.selection import SelectedState, Selection

MAX_IDS = 10_000  # of one command
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"([0-9]{1,9})(s|min|m|h|d|w)")
_ID = re.compile(r"[A-Za-z0-9_.-]+(/[0-9]{1,9})?")


def add_filters(parser: argparse.ArgumentParser, ids: str) -> None:
    """Add the ids and the filters."""
    parser.add_argument("id", metavar="ID", nargs=ids, help="a message, or a recipient: ID/NUMBER")
    about = parser.add_argument_group("filters: all that are given have to fit")
    about.add_argument("--to", metavar="ADDRESS", help="of this recipient; * stands for anything")
    about.add_argument(
        "--from", metavar="ADDRESS", dest="sender", help="of this sender; <> for none"
    )
    about.add_argument(
        "--domain", metavar="NAME", help="for this domain, or program:NAME, list:NAME"
    )
    about.add_argument("--site", metavar="NAME", help="for what lies behind these mail hosts")
    about.add_argument("--account", metavar="NAME", help="submitted by this account")
    about.add_argument("--older", metavar="SPAN", help="than 90s, 30m, 2h, 3d or 1w")
    about.add_argument(
        "--reason", metavar="TEXT", help="a class of replies, or words of the last one"
    )
    about.add_argument("--state", choices=[one.value for one in SelectedState])


def selection_of(options: argparse.Namespace) -> Selection:
    """Return the filters of a command. Raises CommandError where one makes no sense."""
    return Selection(
        ids=_ids(options.id),
        recipient=_pattern(options.to, "--to"),
        sender=options.sender if options.sender == "<>" else _pattern(options.sender, "--from"),
        destinations=(str(destination(options.domain)),) if options.domain else (),
        site=_text(options.site, "--site"),
        account=canonical_name(_text(options.account, "--account")),
        older=0.0 if options.older is None else span_seconds(options.older, "--older"),
        reason=_text(options.reason, "--reason"),
        state=None if options.state is None else SelectedState(options.state),
    )


def _ids(given: list[str]) -> tuple[str, ...]:
    for one in given:
        if not _ID.fullmatch(one):
            raise CommandError(f"{one!r} is no id of a message (queue list shows them)", WRONG_USE)
    if len(given) > MAX_IDS:
        raise CommandError(f"more than {MAX_IDS} ids: use a filter", WRONG_USE)
    return tuple(dict.fromkeys(given))


def _text(given: str | None, option: str) -> str:
    if given == "":
        raise CommandError(f"{option} is empty", WRONG_USE)
    return given or ""


def _pattern(given: str | None, option: str) -> str:
    """Return an address, or a pattern with ``*``, as it is looked for."""
    text = _text(given, option)
    if not text or "*" in text:
        return text
    try:
        return parse(text).key
    except ValueError as error:
        hint = "" if "@" in text else f"; for a whole domain: *@{text}"
        raise CommandError(f"{option} {text}: {error}{hint}", WRONG_USE) from None


def destination(text: str) -> Destination:
    """Return the destination that a domain stands for, or ``carrier:name``. Raises CommandError."""
    try:
        if ":" in text and not text.startswith("["):
            return _whole(text)
        return Destination(SMTP, parse_domain(text))
    except ValueError as error:
        raise CommandError(f"--domain {text}: {error}", WRONG_USE) from None


def _whole(text: str) -> Destination:
    found = parse_destination(text)
    if not found.name:
        raise ValueError("a destination is written carrier:name")
    return Destination(SMTP, parse_domain(found.name)) if found.carrier == SMTP else found


def span_seconds(text: str, option: str) -> float:
    """Return the seconds of ``2h``, ``1d12h``. Raises CommandError."""
    found = _SPAN.findall(text)
    if not found or "".join(f"{number}{unit}" for number, unit in found) != text:
        raise CommandError(f"{option} {text}: write 90s, 30m, 2h, 3d or 1w", WRONG_USE)
    return float(sum(int(number) * _UNITS[unit] for number, unit in found))
