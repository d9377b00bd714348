"""Dates as servers, mail programs and From lines write them, and the date of a message itself."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from twisted_mail.mail.dates import MONTHS, parse_mail_date
from twisted_mail.mail.mime import header

_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_ZONES = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}
_ZONES |= {"GMT": 0, "UTC": 0, "UT": 0, "Z": 0, "WET": 0, "CET": 1, "MET": 1, "BST": 1}
_ZONES |= {"CEST": 2, "MEST": 2, "EET": 2, "EEST": 3, "JST": 9}

_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
_TIME += r"(?: ?(?P<half>[AaPp][Mm])\b)?"
_ZONE = r"(?P<zone{}>[+-][0-9]{{2}}:?[0-9]{{2}}|[A-Za-z]{{1,5}}(?![A-Za-z]))"
_DAY_NAME = r"(?:[A-Z][a-z]{2}[a-z]{0,6},? )?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
_MONTH = r"(?P<month>[A-Za-z]{3})[a-z]{0,6}\.?"
_DAY = r"(?P<day>[0-9]{1,2})"
# asctime(), with the zone before or after the year (RFC 4155 has none); RFC 5322 and IMAP; ISO 8601.
_FORMS = [
    (
        rf"{_DAY_NAME}{_MONTH} {_DAY},? {_TIME}(?: {_ZONE.format(1)})?(?: {_ZONE.format(2)})?"
        rf" {_YEAR}(?: {_ZONE.format(3)})?"
    ),
    rf"{_DAY_NAME}{_DAY}[ -]{_MONTH}[ -]{_YEAR},? {_TIME}(?: ?{_ZONE.format(1)})?",
    (
        rf"{_DAY_NAME}(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[Tt ]{_TIME}"
        rf"(?: ?{_ZONE.format(1)})?"
    ),
]
_DATES = [re.compile(form) for form in _FORMS]
_AT_END = [re.compile(rf"(?<![^ ]){form} ?\Z") for form in _FORMS]
_MAX = 200  # characters that are looked at


def read_date(text: str) -> datetime | None:
    """Read a date and time in any of these forms; None for what is none.

    A zone that is missing or has an unknown name is UTC.
    """
    text = " ".join(text[:_MAX].split())
    return _first(match for each in _DATES if (match := each.match(text)))


def date_at_end(text: str) -> datetime | None:
    """Read the date and time with which a text ends; None if there is none."""
    text = " ".join(text[-_MAX:].split())
    return _first(match for each in _AT_END if (match := each.search(text)))


def _first(matches: Iterable["re.Match[str]"]) -> datetime | None:
    return next((date for match in matches if (date := _moment(match)) is not None), None)


def _moment(match: "re.Match[str]") -> datetime | None:
    named = match.groupdict()
    month = named["month"].lower()
    number = int(month) if month.isdigit() else _MONTH_NUMBERS.get(month, 0)
    hour = int(named["hour"])
    if named["half"]:
        hour = hour % 12 + (12 if named["half"].lower() == "pm" else 0)
    zone = next((named[name] for name in ("zone3", "zone1") if named.get(name)), None)
    offset_after = named.get("zone2")
    if offset_after and (zone is None or offset_after[0] in "+-"):
        zone = offset_after
    second = min(int(named["second"] or 0), 59)
    try:
        return datetime(
            _year(named["year"]),
            number,
            int(named["day"]),
            hour,
            int(named["minute"]),
            second,
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return 2000 + year if year < 50 else 1900 + year


def _zone(text: str | None) -> timezone:
    if not text:
        return UTC
    if text[0] not in "+-":
        return timezone(timedelta(hours=_ZONES.get(text.upper(), 0)))
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset >= timedelta(hours=24):
        return UTC
    return timezone(-offset if text[0] == "-" else offset)


# ---------------------------------------------------------------- of the message itself


def date_of_message(data: bytes) -> datetime | None:
    """Return the time of a message by its Date field, else by its first Received field."""
    fields = header.fields(data)
    for name in (b"date", b"received"):
        value = next((field.value for field in fields if field.name.lower() == name), None)
        if value is None:
            continue
        stamp = header.unfolded(value)
        found = parse_mail_date(stamp.rpartition(b";")[2] if name == b"received" else stamp)
        if found is not None:
            return found
    return None
