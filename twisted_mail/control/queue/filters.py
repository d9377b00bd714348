"""Filters of the command line: read, checked, and put into words."""

import argparse
import re

from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.mail.address import canonical_name, canonical_text, parse, parse_domain
from twisted_mail.mail.queued.destination import SMTP, Destination, parse_destination
from twisted_mail.mail.queued.selection import SelectedState, Selection

MAX_IDS = 10_000  # of one command
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"([0-9]{1,9})(s|min|m|h|d|w)")
_ID = re.compile(r"([A-Za-z0-9_.-]{1,200})(?:/([0-9]{1,9}))?")
MAX_TEXT = 1000  # characters of a filter, or of a name
_SHOWN = 40  # of one that is refused


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
        destinations=_destinations(options.domain),
        site=site_name(_text(options.site, "--site")),
        account=canonical_name(_text(options.account, "--account")),
        older=0.0 if options.older is None else span_seconds(options.older, "--older"),
        reason=_text(options.reason, "--reason"),
        state=None if options.state is None else SelectedState(options.state),
    )


def _ids(given: list[str]) -> tuple[str, ...]:
    if len(given) > MAX_IDS:
        raise CommandError(f"more than {MAX_IDS} ids: use a filter", WRONG_USE)
    found = [id if number is None else f"{id}/{number}" for id, number in map(parsed_id, given)]
    return tuple(dict.fromkeys(found))


def parsed_id(text: str) -> tuple[str, int | None]:
    """Return the id of a message, and the number of a recipient if it has one. Raises CommandError."""
    found = _ID.fullmatch(text)
    if found is None:
        what = f"{shown(text)} is no id of a message (queue list shows them)"
        raise CommandError(what, WRONG_USE)
    id, number = found.groups()
    return id, None if number is None else int(number)


def shown(text: str) -> str:
    """Return what was typed as it is named in a complaint: in quotes, and not all of very much."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def plain(text: str, what: str) -> str:
    """Return what was typed, if it can be the name of anything. Raises CommandError."""
    if not text:
        raise CommandError(f"{what} is empty", WRONG_USE)
    if len(text) > MAX_TEXT:
        raise CommandError(f"{what} has more than {MAX_TEXT} characters", WRONG_USE)
    if not text.isprintable():  # what is not UTF-8, too
        raise CommandError(f"{what} {shown(text)} has signs that cannot be shown", WRONG_USE)
    return text


def site_name(text: str) -> str:
    """Return the name of a site; ``queue --json`` and earlier versions have the carrier before it."""
    return canonical_text(text).removeprefix(f"{SMTP}:")


def _text(given: str | None, option: str) -> str:
    return "" if given is None else plain(given, option)


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


def _destinations(text: str | None) -> tuple[str, ...]:
    return () if text is None else (str(destination(plain(text, "--domain"))),)


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
