"""IMAP's own forms of date and time (RFC 3501 §9, date and date-time)."""

import re
from datetime import date, datetime, timedelta, timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER_OF = {month.lower(): number for number, month in enumerate(_MONTHS, 1)}
_DATE = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
_DATE_TIME = re.compile(
    r"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)


def parse_date(text: str) -> date:
    """Read ``1-Feb-1994``. Raises ValueError."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("malformed date")
    return date(int(match[3]), _month(match[2]), int(match[1]))


def parse_date_time(text: str) -> datetime:
    """Read `` 7-Feb-1994 21:52:25 -0800``. Raises ValueError; a leap second is the next one."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("malformed date and time")
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    zone = timezone(-offset if sign == "-" else offset)
    is_leap = second == "60"
    moment = datetime(
        int(year), _month(month), int(day), int(hour), int(minute), 59 if is_leap else int(second),
        tzinfo=zone,
    )  # fmt: skip
    return moment + timedelta(seconds=1) if is_leap else moment


def format_date_time(moment: datetime) -> str:
    """Write an aware datetime as INTERNALDATE has it, without the quotes."""
    return f"{moment.day:2d}-{_MONTHS[moment.month - 1]}-{moment:%Y %H:%M:%S %z}"


def _month(name: str) -> int:
    number = _NUMBER_OF.get(name.lower())
    if number is None:
        raise ValueError("no such month")
    return number
