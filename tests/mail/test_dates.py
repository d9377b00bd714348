"""Tests of twisted_mail.mail.dates."""

import re
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.dates import (
    format_internal,
    format_mail_date,
    parse_date,
    parse_date_time,
    parse_mail_date,
)

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda n: timezone(timedelta(minutes=n)))
moments = st.datetimes(timezones=zones).map(lambda when: when.replace(microsecond=0))


def at(offset: float, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone(timedelta(hours=offset)))  # type: ignore[arg-type,misc]


def test_imap_dates_are_read() -> None:
    assert parse_date("1-Feb-1994") == date(1994, 2, 1)
    assert parse_date("01-FEB-1994") == date(1994, 2, 1)
    assert parse_date(" 1-feb-1994") == date(1994, 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1-Foo-1994",
        "30-Feb-1994",
        "1-Feb-94",
        "1 Feb 1994",
        "001-Feb-1994",
        "1-Feb-0000",
        "  1-Feb-1994",
    ],
)
def test_what_is_no_imap_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("17-Jul-1996 02:44:25 -0700", at(-7, 1996, 7, 17, 2, 44, 25)),
        (" 1-jan-2020 00:00:00 +0530", at(5.5, 2020, 1, 1)),
        ("01-Jan-2020 00:00:00 +0000", at(0, 2020, 1, 1)),
        ("1-Jan-2020 00:00:00 +0000", at(0, 2020, 1, 1)),
        ("1-Jan-2020 00:00:00 GMT", at(0, 2020, 1, 1)),
        ("01-Jan-2020 00:00:00 est", at(-5, 2020, 1, 1)),
        ("01-Jan-2020 00:00:00 CEST", at(0, 2020, 1, 1)),
        ("9-DEC-2024 18:28:47 -0000", at(0, 2024, 12, 9, 18, 28, 47)),
        (" 17-Jul-1996 02:44:25 -0700", at(-7, 1996, 7, 17, 2, 44, 25)),
        ("30-Jun-2015 23:59:60 +0000", at(0, 2015, 6, 30, 23, 59, 59)),
        ("01-Jan-2020 9:05:00 +0100", at(1, 2020, 1, 1, 9, 5)),
        ("01-Jan-2020  9:05:00 +0100", at(1, 2020, 1, 1, 9, 5)),
        ("18-Mar-2015 11:25:52 --400", at(-4, 2015, 3, 18, 11, 25, 52)),
    ],
)
def test_imap_date_times_are_read(text: str, when: datetime) -> None:
    assert parse_date_time(text) == when
    assert parse_date_time(text).utcoffset() == when.utcoffset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  1-Jan-2020 00:00:00 +0000",
        "001-Jan-2020 00:00:00 +0000",
        "-Jan-2020 00:00:00 +0000",
        "1 Jan 2020 00:00:00 +0000",
        "0-Jan-2020 00:00:00 +0000",
        "01-Jan-2020 24:00:00 +0000",
        "01-Jan-2020 00:00:61 +0000",
        "01-Jan-2020 00:00:00 +2400",
        "01-Jan-2020 00:00:00 +0060",
        "01-Jan-2020 0:0:00 +0000",
        "01-Jan-2020 00:00 +0000",
        "01-Jan-2020  00:00:00 +0000",
        "18-Mar-2015 11:25:52 ++400",
        "01-Jan-2020 00:00:00 0000",
        "01-Jan-2020 00:00:00 Etc/UTC",
        "32-Jan-2020 00:00:00 +0000",
        "01-Jan-0000 00:00:00 +0000",
        "01-Jan-2020 00:00:00 +0000 ",
    ],
)
def test_what_is_no_imap_date_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_date_time(text)


@pytest.mark.parametrize("text", ["01-Jan-2020 00:00:00 ", "1-jan-2020 0:00:00"])
def test_a_date_time_without_a_zone_could_be_any_hour_and_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match="the zone is missing"):
        parse_date_time(text)


def test_days_and_times_that_do_not_exist_are_refused_as_such() -> None:
    for text in ("30-Feb-2020 00:00:00 +0000", "01-Jan-2020 24:00:00 +0000"):
        with pytest.raises(ValueError, match="there is no such day or time"):
            parse_date_time(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1 Jan 2020", "it looks like 17-Jul-1996 02:44:25 -0700"),
        ("01-Foo-2020 00:00:00 +0000", "there is no such month"),
        ("01-Jan-2020 00:00:00 +2400", "there is no such time zone"),
        ("01-Jan-2020 00:00:61 +0000", "a minute has 60 seconds"),
    ],
)
def test_the_fault_of_an_imap_date_time_is_named(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}$"):
        parse_date_time(text)


def test_the_fault_of_an_imap_date_is_named() -> None:
    with pytest.raises(ValueError, match=r"^a date looks like 1-Feb-1994$"):
        parse_date("1 Feb 1994")


@given(moments, st.sampled_from(["{:2d}", "{:02d}", "{:d}"]))
def test_any_imap_date_time_is_read(when: datetime, day: str) -> None:
    day = f"{day.format(when.day)}-{when:%b}-{when.year:04d}"
    read = parse_date_time(f"{day} {when:%H:%M:%S %z}")
    assert read == when
    assert read.utcoffset() == when.utcoffset()


@given(st.dates())
def test_any_imap_date_is_read(day: date) -> None:
    assert parse_date(f"{day.day}-{day:%b}-{day.year:04d}") == day


def internal(seconds: int) -> datetime:
    shown = format_internal(seconds).decode("ascii")
    assert len(shown) == len('"17-Jul-1996 02:44:25 -0700"')
    assert shown[0] == shown[-1] == '"'
    return parse_date_time(shown[1:-1])


@given(st.integers(-62135596800, 253402300799))
def test_internal_dates_are_written_in_utc(seconds: int) -> None:
    written = internal(seconds)
    assert written.timestamp() == seconds
    assert written.utcoffset() == timedelta(0)


def test_an_internal_date_has_a_space_before_a_short_day() -> None:
    assert format_internal(0) == b'" 1-Jan-1970 00:00:00 +0000"'


@pytest.mark.parametrize("seconds", [-(2**63), 2**63 - 1])
def test_internal_dates_beyond_the_calendar_are_cut(seconds: int) -> None:
    assert internal(seconds).year in (1, 9999)


def test_naive_datetimes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the datetime has no zone$"):
        format_mail_date(datetime(2020, 1, 1))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)", at(-7, 1996, 7, 17, 2, 23, 25)),
        ("Fri, 21 Nov 1997 09:55:06 -0600", at(-6, 1997, 11, 21, 9, 55, 6)),
        (
            "Thu,\r\n\t13\r\n Feb\r\n  1969\r\n 23:32\r\n -0330 (Newfoundland Time)",
            at(-3.5, 1969, 2, 13, 23, 32),
        ),
        ("21 Nov 97 09:55:06 GMT", at(0, 1997, 11, 21, 9, 55, 6)),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", at(-6, 1997, 11, 21, 9, 55, 6)),
        ("1 Jan 49 00:00 Z", at(0, 2049, 1, 1)),
        ("1 Jan 50 00:00 Z", at(0, 1950, 1, 1)),
        ("1 Jan 101 00:00 UT", at(0, 2001, 1, 1)),
        ("1 Jan 2020 00:00:00 EDT", at(-4, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 EST", at(-5, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 CDT", at(-5, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 CST", at(-6, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 MDT", at(-6, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 MST", at(-7, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 pdt", at(-7, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 PST", at(-8, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 XYZ", at(0, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 -0000", at(0, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00 +9999", at(0, 2020, 1, 1)),
        ("1 Jan 2020 00:00:00", at(0, 2020, 1, 1)),
        ("1-Jan-2020 00:00:00 +0100", at(1, 2020, 1, 1)),
        ("Tue 1 January 2020 0:00:00 +0100", at(1, 2020, 1, 1)),
        ("Wed, 1 Jan 2020 00:00:00.123 +0100", at(1, 2020, 1, 1)),
        ("Sat, 31 Dec 2016 23:59:60 +0000", at(0, 2016, 12, 31, 23, 59, 59)),
        ("Wed Jul 17 02:23:25 1996", at(0, 1996, 7, 17, 2, 23, 25)),
        ("Wed Jul 17 02:23:25 EDT 1996", at(-4, 1996, 7, 17, 2, 23, 25)),
        ("(a (nested \\) one) here) 1 Jan 2020 00:00 +0000", at(0, 2020, 1, 1)),
    ],
)
def test_mail_dates_are_read(text: str, when: datetime) -> None:
    read = parse_mail_date(text.encode())
    assert read == when
    assert read is not None
    assert read.utcoffset() == when.utcoffset()


@pytest.mark.parametrize(
    "text",
    ["", "today", "Wed, 99 Jul 1996 02:23:25 -0700", "17 Foo 1996 00:00 +0000", "(", "1 Jan 2020"],
)
def test_what_is_no_mail_date_is_none(text: str) -> None:
    assert parse_mail_date(text) is None


@given(st.binary() | st.text("0123456789:+-( )\\JanWed,.", max_size=60).map(str.encode))
def test_any_mail_date_is_read_or_none(value: bytes) -> None:
    read = parse_mail_date(value)
    assert read is None or read.utcoffset() is not None


@given(moments)
def test_mail_dates_come_back(when: datetime) -> None:
    read = parse_mail_date(format_mail_date(when))
    assert read == when


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=zones))
def test_mail_dates_agree_with_the_standard_library(when: datetime) -> None:
    when = when.replace(microsecond=0)
    assert format_mail_date(when) == format_datetime(when)
    assert parse_mail_date(format_datetime(when)) == parsedate_to_datetime(format_datetime(when))
