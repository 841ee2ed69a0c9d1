"""Dates: reading, writing, adding, comparing, and AD's 100-nanosecond ticks."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.expressions.dotnet_dates import FormatError, White, format_date, parse_date, parse_exact
from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import ANY, DATE, INTEGER, SCALAR, TEXT
from pipeline.expressions.signature import (
    ALL,
    CONNECT,
    SERVICE,
    Form,
    Function,
    Parameter,
    Style,
    required,
)
from pipeline.expressions.values import Value, as_text, in_utc

if TYPE_CHECKING:
    from pipeline.expressions.state import State

#: Day zero of AD's dates ([MS-DTYP] FILETIME).
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_SPANS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "n": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_MONTHS: Final = {"yyyy": 12, "m": 1}
#: The intervals that Connect Sync has beyond the service's: quarter, day of the year, weekday.
_CONNECT_DAYS: Final = frozenset({"y", "w"})
_STYLES: Final = {
    "none": frozenset[str](),
    "allowleadingwhite": frozenset({"leading"}),
    "allowtrailingwhite": frozenset({"trailing"}),
    "allowinnerwhite": frozenset({"inner"}),
    "allowwhitespaces": frozenset({"leading", "trailing", "inner"}),
    # Dates without an offset are in UTC and results are in UTC, so these change nothing here.
    "nocurrentdatedefault": frozenset[str](),
    "adjusttouniversal": frozenset[str](),
    "assumelocal": frozenset[str](),
    "assumeuniversal": frozenset[str](),
    "roundtripkind": frozenset[str](),
}


def is_date(value: Value) -> bool:
    """Tell whether CDate can turn the value into a date."""
    return isinstance(value, datetime) or (isinstance(value, str) and parse_date(value) is not None)


def to_date(moment: datetime) -> datetime:
    """Give the date; reading it is the argument's own conversion."""
    return moment


def now(state: State) -> datetime:
    """Give the present moment in UTC, by the context's clock, in whole seconds."""
    return in_utc(state.context.now()).replace(microsecond=0)


def add(interval: str, value: int, date: datetime) -> datetime:
    """Add intervals of the service: yyyy, m, ww, d, h, n, s."""
    if interval in _MONTHS:
        return _add_months(date, value, _MONTHS[interval])
    span = timedelta(weeks=1) if interval == "ww" else _SPANS.get(interval)
    if span is None:
        raise Fault("must be yyyy, m, ww, d, h, n or s", "interval", value=interval)
    try:
        return date + value * span
    except OverflowError:
        raise Fault("leads outside the calendar", "value", value=value) from None


def add_connect(interval: str, value: int, date: datetime) -> datetime:
    """Add intervals of Connect Sync, which has quarters, days of the year and weekdays, too."""
    if interval == "q":
        return _add_months(date, value, 3)
    return add("d" if interval in _CONNECT_DAYS else interval, value, date)


def _add_months(date: datetime, value: int, months_each: int) -> datetime:
    index = date.year * 12 + date.month - 1 + value * months_each
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise Fault("leads outside the calendar", "value", value=value)
    last = calendar.monthrange(year, month + 1)[1]
    return date.replace(year=year, month=month + 1, day=min(date.day, last))


def difference(interval: str, first: datetime, second: datetime) -> int:
    """Count the intervals from the first date to the second: borders for yyyy, m, ww; else whole ones."""
    if interval == "yyyy":
        return second.year - first.year
    if interval == "m":
        return (second.year - first.year) * 12 + second.month - first.month
    if interval == "ww":
        return (_sunday(second) - _sunday(first)) // 7
    span = _SPANS.get(interval)
    if span is None:
        raise Fault("must be yyyy, m, ww, d, h, n or s", "interval", value=interval)
    whole = abs(second - first) // span
    return whole if second >= first else -whole


def difference_connect(interval: str, first: datetime, second: datetime) -> int:
    """Count the intervals of Connect Sync."""
    if interval == "q":
        return (second.year - first.year) * 4 + (second.month - 1) // 3 - (first.month - 1) // 3
    if interval == "w":
        days = difference("d", first, second)
        return days // 7 if days >= 0 else -(-days // 7)
    return difference("d" if interval == "y" else interval, first, second)


def _sunday(date: datetime) -> int:
    return date.toordinal() - date.isoweekday() % 7


def from_ticks(value: int) -> datetime:
    """Give the date of AD's count of 100 nanoseconds since 1601."""
    try:
        return _EPOCH + timedelta(microseconds=value // 10)
    except OverflowError:
        raise Fault("is outside the calendar", "value", value=value) from None


def to_ticks(date: datetime) -> int:
    """Give AD's count of 100 nanoseconds since 1601."""
    return (date - _EPOCH) // timedelta(microseconds=1) * 10


def reformat(source: Value, styles: str | None, input_format: str, output_format: str) -> Value:
    """Read a text by one format and write it by another."""
    if source is None or source == "":
        return source
    if isinstance(source, datetime):
        return _written(in_utc(source), output_format, "outputFormat")
    try:
        moment = parse_exact(_text(source), input_format, _white(styles))
    except FormatError as refusal:
        raise Fault(str(refusal), "inputFormat", value=input_format) from None
    if moment is None:
        raise Fault(f'does not follow the format "{input_format}"', "source", value=source)
    return _written(moment, output_format, "outputFormat")


def _text(source: Value) -> str:
    if not isinstance(source, str | int):
        raise Fault("must be a text", "source", value=source)
    return as_text(source)


def reformat_without_styles(source: Value, input_format: str, output_format: str) -> Value:
    """Do the same with the default styles."""
    return reformat(source, None, input_format, output_format)


def write(date: datetime, format_text: str) -> str:
    """Write a date by a format."""
    return _written(date, format_text, "format")


def _written(moment: datetime, format_text: str, argument: str) -> str:
    try:
        return format_date(moment, format_text)
    except FormatError as refusal:
        raise Fault(str(refusal), argument, value=format_text) from None


def _white(styles: str | None) -> White:
    if not styles:
        return White()
    places: set[str] = set()
    for style in styles.split(","):
        found = _STYLES.get(style.strip().removeprefix("DateTimeStyles.").casefold())
        if found is None:
            raise Fault("must be names of DateTimeStyles", "dateTimeStyles", value=styles)
        places |= found
    return White("leading" in places, "trailing" in places, "inner" in places)


_ADD: Final = required(("interval", TEXT), ("value", INTEGER), ("dateTime", DATE))
_DIFFERENCE: Final = required(("interval", TEXT), ("date1", DATE), ("date2", DATE))

FUNCTIONS: Final = (
    Function("CDate", (Form(ALL, required(("value", DATE)), to_date),)),
    Function("DateAdd", (Form(SERVICE, _ADD, add), Form(CONNECT, _ADD, add_connect))),
    Function(
        "DateDiff", (Form(SERVICE, _DIFFERENCE, difference), Form(CONNECT, _DIFFERENCE, difference_connect))
    ),
    Function("DateFromNum", (Form(ALL, required(("value", INTEGER)), from_ticks),)),
    Function(
        "FormatDateTime",
        (
            Form(
                ALL,
                (
                    Parameter("source", SCALAR),
                    Parameter("dateTimeStyles", TEXT, skippable=True),
                    Parameter("inputFormat", TEXT),
                    Parameter("outputFormat", TEXT),
                ),
                reformat,
            ),
            Form(
                ALL,
                required(("source", SCALAR), ("inputFormat", TEXT), ("outputFormat", TEXT)),
                reformat_without_styles,
            ),
            Form(ALL, required(("value", DATE), ("format", TEXT)), write),
        ),
    ),
    Function("IsDate", (Form(CONNECT, required(("Expression", ANY)), is_date),)),
    Function("Now", (Form(ALL, (), now, Style.METERED),), deterministic=False),
    Function("NumFromDate", (Form(ALL, required(("value", DATE)), to_ticks),)),
)
