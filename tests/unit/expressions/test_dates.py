"""Dates: .NET's formats in both directions, and the functions of dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from pipeline.expressions import ExpressionError, Value, as_text
from pipeline.expressions.dotnet_dates import FormatError, White, format_date, parse_date, parse_exact

Evaluate: TypeAlias = Callable[..., Any]

_MOMENT = datetime(2021, 9, 7, 4, 5, 6, 120_000, tzinfo=UTC)
_EVENING = datetime(2024, 12, 25, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format_text", "expected"),
    [
        # custom formats
        ("yyyy-MM-dd", "2021-09-07"),
        ("M/d/yyyy h:mm:ss tt", "9/7/2021 4:05:06 AM"),
        ("d dd ddd dddd", "7 07 Tue Tuesday"),
        ("M MM MMM MMMM", "9 09 Sep September"),
        ("%y yy yyy yyyy yyyyy", "21 21 2021 2021 02021"),
        ("H HH h hh m mm s ss", "4 04 4 04 5 05 6 06"),
        ("f ff fff ffff fffffff", "1 12 120 1200 1200000"),
        ("ss.FFF", "06.12"),  # without the zeros at the end
        ("t tt", "A AM"),
        ("z zz zzz K", "+0 +00 +00:00 Z"),  # every date is in UTC
        ("yyyyMMddHHmmss.0Z", "20210907040506.0Z"),  # other letters and digits are themselves
        ("'day' d \"of\" MMMM", "day 7 of September"),  # quoted text
        ("\\d\\d d", "dd 7"),  # an escaped letter is itself
        ("'it''s'", "its"),
        ("'a\\'b'", "a'b"),
        ("%d", "7"),  # a percent sign makes a single letter a custom format
        ("%%"[:1] + "M", "9"),
        ("gg", "A.D."),
        # standard formats, with en-US names
        ("d", "9/7/2021"),
        ("D", "Tuesday, September 7, 2021"),
        ("f", "Tuesday, September 7, 2021 4:05 AM"),
        ("F", "Tuesday, September 7, 2021 4:05:06 AM"),
        ("g", "9/7/2021 4:05 AM"),
        ("G", "9/7/2021 4:05:06 AM"),
        ("M", "September 7"),
        ("o", "2021-09-07T04:05:06.1200000Z"),
        ("R", "Tue, 07 Sep 2021 04:05:06 GMT"),
        ("s", "2021-09-07T04:05:06"),
        ("t", "4:05 AM"),
        ("T", "4:05:06 AM"),
        ("u", "2021-09-07 04:05:06Z"),
        ("y", "September 2021"),
    ],
)
def test_a_date_is_written_by_a_format(format_text: str, expected: str) -> None:
    """Custom and standard format strings mean what they mean in .NET."""
    assert format_date(_MOMENT, format_text) == expected


def test_twelve_hour_clock() -> None:
    """Midnight and noon are twelve."""
    assert format_date(_EVENING, "h:mm tt") == "11:59 PM"
    assert format_date(_EVENING.replace(hour=12), "h tt") == "12 PM"
    assert format_date(_EVENING.replace(hour=0), "hh tt") == "12 AM"
    assert format_date(_EVENING, "ss.FFF") == "59"  # the dot goes with the digits


@pytest.mark.parametrize("format_text", ["Q", "yyyy'open", "yyyy\\", "%", "%%d", "ffffffff", "KK"])
def test_a_bad_format_is_refused(format_text: str) -> None:
    """What .NET would refuse is refused."""
    with pytest.raises(FormatError):
        format_date(_MOMENT, format_text)


@pytest.mark.parametrize(
    ("text", "format_text", "expected"),
    [
        ("20150123105347.1Z", "yyyyMMddHHmmss.fZ", "2015-01-23T10:53:47.100000+00:00"),
        ("2020-12-31-08:00", "yyyy-MM-ddzzz", "2020-12-31T08:00:00+00:00"),  # into UTC
        ("2020-12-31+0530", "yyyy-MM-ddzzz", "2020-12-30T18:30:00+00:00"),
        ("2020-12-31Z", "yyyy-MM-ddK", "2020-12-31T00:00:00+00:00"),
        ("2020-12-31", "yyyy-MM-ddK", "2020-12-31T00:00:00+00:00"),
        ("2020-12-31 -8", "yyyy-MM-dd z", "2020-12-31T08:00:00+00:00"),
        ("12/31/2020 12:00:00 AM", "M/d/yyyy hh:mm:ss tt", "2020-12-31T00:00:00+00:00"),
        ("1/2/2020 1:02 pm", "M/d/yyyy h:mm tt", "2020-01-02T13:02:00+00:00"),  # case is free
        ("3-Feb-21", "d-MMM-yy", "2021-02-03T00:00:00+00:00"),
        ("3 February 1999", "d MMMM yyyy", "1999-02-03T00:00:00+00:00"),
        ("Wed 3 Feb 2021", "ddd d MMM yyyy", "2021-02-03T00:00:00+00:00"),
        ("03.02.50", "dd.MM.yy", "1950-02-03T00:00:00+00:00"),  # two digits: up to 2049
        ("03.02.49", "dd.MM.yy", "2049-02-03T00:00:00+00:00"),
        ("10:11.5", "HH:mm.FFF", "0001-01-01T10:11:00.500000+00:00"),
        ("10:11", "HH:mm.FFF", "0001-01-01T10:11:00+00:00"),  # F needs no digits, and then no dot
        (" 2020-01-01 ", "yyyy-MM-dd", "2020-01-01T00:00:00+00:00"),  # white space around is free
        ("20200101", "yyyyMMdd", "2020-01-01T00:00:00+00:00"),
        ("2020-02-30", "yyyy-MM-dd", None),  # no such day
        ("Tue 3 Feb 2021", "ddd d MMM yyyy", None),  # it was a Wednesday
        ("2020-1-1", "yyyy-MM-dd", None),  # two letters want two digits
        ("13:00 AM", "h:mm tt", None),
        ("0:30 AM", "h:mm tt", None),  # a twelve-hour clock has no zero
        ("2020-12-31+20:00", "yyyy-MM-ddzzz", None),  # no place on earth
        ("29.02.2024", "yyyy-MM-dd", None),
        ("2020-01-01 x", "yyyy-MM-dd", None),
        ("1 2", "d d", None),  # contradicts itself
        ("0001-01-01+01:00", "yyyy-MM-ddzzz", None),  # before the calendar
        ("٢٠٢٠-01-01", "yyyy-MM-dd", None),  # digits of other scripts
    ],
)
def test_a_text_is_read_by_a_format(text: str, format_text: str, expected: str | None) -> None:
    """A text either follows the format and gives an instant in UTC, or is refused."""
    moment = parse_exact(text, format_text)
    assert (moment and moment.isoformat()) == expected


def test_white_space_is_by_the_styles() -> None:
    """DateTimeStyles says where white space may stand that the format does not have."""
    strict = White(leading=False, trailing=False)
    assert parse_exact("2020-01-01", "yyyy-MM-dd", strict)
    assert parse_exact(" 2020-01-01", "yyyy-MM-dd", strict) is None
    assert parse_exact("2020 - 01 - 01", "yyyy-MM-dd") is None
    assert parse_exact("2020 - 01 - 01", "yyyy-MM-dd", White(inner=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-03-16-07:00", "3/16/2020 7:00:00 AM"),  # an offset after a bare date
        ("2021-06-30+08:00", "6/29/2021 4:00:00 PM"),
        ("2009-06-15T01:45:30-07:00", "6/15/2009 8:45:30 AM"),
        ("2009-06-15T01:45:30.1234567Z", "6/15/2009 1:45:30 AM"),
        ("8/25/2021 5:41:18 PM", "8/25/2021 5:41:18 PM"),
        ("2013-01-10 4:00 PM -8", "1/11/2013 12:00:00 AM"),  # an offset of hours only
        ("2012-01-01 23:00:00", "1/1/2012 11:00:00 PM"),
        ("2013/1/2", "1/2/2013 12:00:00 AM"),
        ("1/2/30", "1/2/2030 12:00:00 AM"),
        ("2 May 2020", "5/2/2020 12:00:00 AM"),
        ("May 2, 2020 13:14", "5/2/2020 1:14:00 PM"),
        ("Sat, 02 May 2020 13:14:15 GMT", "5/2/2020 1:14:15 PM"),
        (" 2020-01-01 ", "1/1/2020 12:00:00 AM"),
        ("not a date", None),
        ("", None),
        ("2024-02-30", None),
        ("13/1/2024", None),  # months come first
        ("Sun, 02 May 2020", None),  # it was a Saturday
        ("20200101", None),
        ("2020-01-01 24:00", None),
        ("2020-01-01 13:00 PM", None),
        ("2020-01-01" + " " * 80, None),  # longer than any date
    ],
)
def test_dates_as_people_and_services_write_them(text: str, expected: str | None) -> None:
    """CDate takes ISO, US and written dates, with or without time and offset."""
    moment = parse_date(text)
    assert (None if moment is None else as_text(moment)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('DateAdd("d", 7, "2012-03-16-07:00")', "3/23/2012 7:00:00 AM"),
        ('DateAdd("m", 1, "2024-01-31")', "2/29/2024 12:00:00 AM"),  # the last day there is
        ('DateAdd("m", -1, "2024-03-31")', "2/29/2024 12:00:00 AM"),
        ('DateAdd("yyyy", 1, "2024-02-29")', "2/28/2025 12:00:00 AM"),
        ('DateAdd("ww", -2, "2024-01-15")', "1/1/2024 12:00:00 AM"),
        ('DateAdd("h", 25, "2024-01-01")', "1/2/2024 1:00:00 AM"),
        ('DateAdd("n", "-1", "2024-01-01")', "12/31/2023 11:59:00 PM"),
        ('DateAdd("s", 61, CDate("2024-01-01"))', "1/1/2024 12:01:01 AM"),
        ('DateDiff("d", "2021-08-18+08:00", "2021-08-31+08:00")', "13"),
        ('DateDiff("d", "2024-01-02 01:00", "2024-01-01 23:00")', "0"),  # less than a whole day
        ('DateDiff("d", "2024-01-03", "2024-01-01 01:00")', "-1"),  # towards zero
        ('DateDiff("ww", "8/25/2021 5:41:18 PM", "2012-03-16-07:00")', "-493"),
        ('DateDiff("ww", "2024-01-06", "2024-01-07")', "1"),  # a week begins on Sunday
        ('DateDiff("m", "2024-01-31", "2024-02-01")', "1"),  # borders, not whole months
        ('DateDiff("yyyy", "2023-12-31", "2024-01-01")', "1"),
        ('DateDiff("h", "2021-08-24", "2021-08-25")', "24"),
        ('DateDiff("n", "2021-08-24", "2021-08-25")', "1440"),
        ('DateDiff("s", "2021-08-25", "2021-08-24")', "-86400"),
        ("DateFromNum(129699324000000000)", "1/1/2012 11:00:00 PM"),
        ("DateFromNum(0)", "1/1/1601 12:00:00 AM"),
        ("DateFromNum([none])", None),
        ('NumFromDate("2012-01-01 23:00:00")', "129699324000000000"),
        ("NumFromDate(DateFromNum(132772253564048004))", "132772253564048000"),  # to the microsecond
        ("CDate([none])", None),
        ('FormatDateTime([hired], "yyyy-MM-dd", "dd/MM/yyyy")', "29/02/2024"),
        ('FormatDateTime([hired], , "yyyy-MM-dd", "dd/MM/yyyy")', "29/02/2024"),
        ('FormatDateTime([hired], "AllowWhiteSpaces, AssumeUniversal", "yyyy-MM-dd", "yy")', "24"),
        ('FormatDateTime([hired], "dd.MM.yyyy")', "29.02.2024"),
        ("FormatDateTime(Now(), \"yyyy-MM-dd'T'HH:mm\")", "2021-07-02T15:33"),
        ('FormatDateTime([none], "yyyy", "yy")', None),
        ('FormatDateTime([none], "yyyy")', None),
        ('FormatDateTime("", "yyyy", "yy")', ""),
        ('FormatDateTime(Now(), "yyyy", "yy")', "21"),  # a date needs no reading
        ("Now()", "7/2/2021 3:33:38 PM"),
        ('FormatDateTime([days], "yyyy-MM-dd", "dd")', ["01", "02"]),
    ],
)
def test_functions_of_dates(evaluate: Evaluate, text: str, expected: str | list[str] | None) -> None:
    """The functions of dates, in the text form that Graph reports."""
    source: dict[str, Value] = {"hired": "2024-02-29", "days": ["2024-01-01", "2024-01-02"]}
    value = evaluate(text, source)
    shown = value if value is None or isinstance(value, list) else as_text(value)
    assert shown == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('DateAdd("q", 1, "2024-01-31")', "4/30/2024 12:00:00 AM"),
        ('DateAdd("y", 1, "2024-01-31")', "2/1/2024 12:00:00 AM"),
        ('DateAdd("w", 1, "2024-01-31")', "2/1/2024 12:00:00 AM"),
        ('DateDiff("q", "2023-12-31", "2024-04-01")', "2"),
        ('DateDiff("w", "2024-01-15", "2024-01-01")', "-2"),
        ('IsDate("2013-01-10")', "True"),
        ('IsDate("no")', "False"),
        ("IsDate(Now())", "True"),
        ("IsDate([none])", "False"),
    ],
)
def test_functions_of_dates_of_connect(evaluate: Evaluate, text: str, expected: str) -> None:
    """Connect Sync has quarters, days of the year and weekdays as intervals, too."""
    assert as_text(evaluate(text, dialect="connect")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('CDate("not a date")', 'CDate: value must be a date, got "not a date" (column 7)'),
        (
            'DateAdd("q", 1, "2024-01-01")',
            'DateAdd: interval must be yyyy, m, ww, d, h, n or s, got "q" (column 9)',
        ),
        ('DateAdd("D", 1, "2024-01-01")', "interval must be"),  # case counts: m and M would be alike else
        ('DateAdd("yyyy", 9999, "2024-01-01")', "value leads outside the calendar, got 9999"),
        ('DateAdd("d", 99999999999, "2024-01-01")', "value leads outside the calendar, got 99999999999"),
        ('DateAdd("d", -999999, "2024-01-01")', "value leads outside the calendar"),
        ('DateDiff("x", "2024-01-01", "2024-01-01")', "interval must be"),
        ("DateFromNum(9223372036854775807)", "value is outside the calendar"),  # AD's never
        ("DateFromNum(18446744073709551615)", "value is outside the calendar"),
        (
            'FormatDateTime([d], "yyyy-MM-dd", "yy")',
            'source does not follow the format "yyyy-MM-dd", got "29.02.2024"',
        ),
        ('FormatDateTime([d], "Whatever", "yyyy", "yy")', "dateTimeStyles must be names of DateTimeStyles"),
        ('FormatDateTime("2024-01-01", "Q")', '"Q" is not a standard date format'),
        ('FormatDateTime([photo], "yyyy", "yy")', "source must be a text"),
    ],
)
def test_errors_of_dates(evaluate: Evaluate, text: str, message: str) -> None:
    """What is no date, no interval or no format is named."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, {"d": "29.02.2024", "photo": b"\0"})
    assert message in str(raised.value)
