"""Dates as IMAP and as message headers write them, to and from aware datetimes."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}

# ---------------------------------------------------------------- IMAP (RFC 3501 §9)

# A day below ten may have a space or a zero in front, or nothing, as iOS, Outlook and imapflow write it.
_DAY = r" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"
_DATE = re.compile(_DAY)
# So may an hour below ten. node-imap writes -0400 as --400.
_TIME = r" ( ?[0-9]|[0-9]{2}):([0-9]{2}):([0-9]{2})"
_ZONE = r"(?: ([+-][0-9]{4}|--[0-9]{3}|[A-Za-z]{1,5})| ?)"
_DATE_TIME = re.compile(_DAY + _TIME + _ZONE)


def parse_date(text: str) -> date:
    """Read ``date-text``, as in ``1-Feb-1994`` (without quotes). Raises ValueError.

    A space in front of a short day, as ``date-time`` has it, is let through.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("a date looks like 1-Feb-1994")
    return date(int(match[3]), _month(match[2]), int(match[1]))


def parse_date_time(text: str) -> datetime:
    """Read ``date-time`` without its quotes, as in ``17-Jul-1996 02:44:25 -0700``.

    A day or an hour below ten should have a space or a zero in front; clients leave both out. Zones may
    have the names of RFC 5322 §4.3; unknown names count as UTC, as Dovecot has it. Raises ValueError
    with what is wrong.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("it looks like 17-Jul-1996 02:44:25 -0700")
    day, month, year, hour, minute, second, zone = match.groups()
    offset = _date_time_zone(zone)
    if int(second) > 60:
        raise ValueError("a minute has 60 seconds")
    moment = (int(year), _month(month), int(day), int(hour), int(minute), min(int(second), 59))
    try:
        return datetime(*moment, tzinfo=offset)
    except ValueError:
        raise ValueError("there is no such day or time") from None


def _date_time_zone(text: str | None) -> timezone:
    """Return a zone as ``_ZONE`` has it."""
    if text is None:
        raise ValueError("the zone is missing, such as +0000")
    if text[0] not in "+-":
        return _zone(text)
    digits = text[1:].replace("-", "0")
    offset = _offset(text[0], int(digits[:2]), int(digits[2:]))
    if offset is None:
        raise ValueError("there is no such time zone")
    return offset


def format_internal(seconds: int) -> bytes:
    """Write seconds since 1970 as ``date-time``, in quotes and in UTC.

    Seconds outside the years 1 to 9999 become the nearest end. A mailbox has few days and many messages:
    the cache of days makes this three times as fast.
    """
    days, second = divmod(max(_FIRST, min(seconds, _LAST)), 86400)
    minutes, second = divmod(second, 60)
    return _format_day(days) % (minutes // 60, minutes % 60, second)


@lru_cache(4096)
def _format_day(days: int) -> bytes:
    day = date.fromordinal(_EPOCH + days)
    text = f'"{day.day:2d}-{MONTHS[day.month - 1]}-{day.year:04d} %02d:%02d:%02d +0000"'
    return text.encode("ascii")


_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = -62135596800, 253402300799  # seconds: the years 1 to 9999


def _month(name: str) -> int:
    number = _MONTH_NUMBERS.get(name.lower())
    if number is None:
        raise ValueError("there is no such month")
    return number


def _offset(sign: str, hours: int, minutes: int) -> timezone | None:
    """Return the zone, or None when it is out of range."""
    if hours > 23 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def _format_zone(when: datetime) -> str:
    offset = when.utcoffset()
    if offset is None:
        raise ValueError("the datetime has no zone")
    minutes = int(offset.total_seconds() / 60)  # zones before 1900 had seconds: cut off
    hours, minutes = divmod(abs(minutes), 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02d}{minutes:02d}"


# ---------------------------------------------------------------- message headers (RFC 5322 §3.3)

_MAX_DATE = 1000  # octets of a Date value that are looked at: comments may be long
# One alternative each: day month year, or month day ... year at the end as asctime() writes it.
_MAIL_DATE = re.compile(
    r"(?:[A-Za-z]{2,9}\.?\s?,?\s?)?"
    r"([0-9]{1,2})[\s-]([A-Za-z]{3})[A-Za-z]{0,6}[\s.-]{1,2}([0-9]{2,4})\s?,?\s?"
    r"([0-9]{1,2})\s?[:.]\s?([0-9]{2})(?:\s?[:.]\s?([0-9]{2}))?(?:\.[0-9]{1,9})?"
    r"\s?([+-]\s?[0-9]{4}|[A-Za-z]{1,5}\b)?"
)
_ASCTIME = re.compile(
    r"[A-Za-z]{3},?\s([A-Za-z]{3})\s([0-9]{1,2})\s"
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?\s(?:([A-Za-z]{1,5})\s)?([0-9]{4})(?:\s([+-][0-9]{4}))?"
)
_ZONE_HOURS = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7}
_ZONE_HOURS |= {"PST": -8}


def parse_mail_date(value: bytes | str) -> datetime | None:
    """Read the value of a Date field, obsolete forms included (RFC 5322 §4.3).

    Returns None for what is no date; never raises. Undefined names of zones count as UTC, as does
    ``-0000``.
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = " ".join(_without_comments(text[:_MAX_DATE]).split())
    try:
        return _parse_usual(text) or _parse_asctime(text)
    except ValueError:
        return None


def _parse_usual(text: str) -> datetime | None:
    match = _MAIL_DATE.match(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    return _moment(_year(year), month, day, hour, minute, second, zone)


def _parse_asctime(text: str) -> datetime | None:
    match = _ASCTIME.match(text)
    if match is None:
        return None
    month, day, hour, minute, second, name, year, zone = match.groups()
    return _moment(int(year), month, day, hour, minute, second, zone or name)


def _moment(
    year: int, month: str, day: str, hour: str, minute: str, second: str | None, zone: str | None
) -> datetime:
    seconds = min(int(second or 0), 60)
    return datetime(
        year, _month(month), int(day), int(hour), int(minute), min(seconds, 59), tzinfo=_zone(zone)
    )


def _year(digits: str) -> int:
    """Read a year of two to four digits (RFC 5322 §4.3)."""
    year = int(digits)
    if len(digits) == 2 and year < 50:
        return 2000 + year
    return year if len(digits) == 4 else 1900 + year


def _zone(text: str | None) -> timezone:
    if text is None:
        return UTC
    if text[0] in "+-":
        digits = text[1:].strip()
        return _offset(text[0], int(digits[:2]), int(digits[2:])) or UTC
    return timezone(timedelta(hours=_ZONE_HOURS.get(text.upper(), 0)))


def _without_comments(text: str) -> str:
    """Return the text with a space for each comment (RFC 5322 §3.2.2), which may be nested."""
    if "(" not in text:
        return text
    kept = []
    depth = 0
    for piece in re.split(r"(\\.|[()])", text):
        if piece == "(":
            depth += 1
            kept.append(" ")
        elif piece == ")":
            depth = max(depth - 1, 0)
        elif not depth:
            kept.append(piece)
    return "".join(kept)


def format_mail_date(when: datetime) -> str:
    """Write a Date value: ``Wed, 17 Jul 1996 02:23:25 -0700``. Raises ValueError when naive."""
    day = f"{DAYS[when.weekday()]}, {when.day:02d} {MONTHS[when.month - 1]} {when.year:04d}"
    return f"{day} {when:%H:%M:%S} {_format_zone(when)}"
