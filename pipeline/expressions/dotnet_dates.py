"""Dates as .NET reads and writes them.

Custom and standard format strings follow Microsoft Learn, pages "Custom date and time format strings" and
"Standard date and time format strings", with en-US names; a date without an offset is in UTC, and every
result is in UTC. Python's dates end at microseconds, so the seventh decimal of a second is lost.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Two-digit years up to this one belong to the current century (.NET's TwoDigitYearMax, 2049).
_TWO_DIGIT_PIVOT: Final = 49
_STANDARD: Final = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "M": "MMMM d",
    "m": "MMMM d",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "U": "dddd, MMMM d, yyyy h:mm:ss tt",
    "Y": "MMMM yyyy",
    "y": "MMMM yyyy",
}
_SPECIFIERS: Final = "dfFgHhKmMstyz"
#: How many times a specifier letter may stand in a row and still mean something; more is refused.
_LONGEST: Final = {"f": 7, "F": 7, "K": 1, "y": 7}


class FormatError(ValueError):
    """A format string that .NET would refuse."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a format: a specifier such as `yyyy`, or literal text."""

    text: str
    literal: bool


@functools.lru_cache(maxsize=256)
def read_format(text: str) -> tuple[Part, ...]:
    """Split a format string into its parts; raises FormatError."""
    if len(text) == 1:
        if text not in _STANDARD:
            raise FormatError(f'"{text}" is not a standard date format')
        text = _STANDARD[text]
    parts: list[Part] = []
    position = 0
    while position < len(text):
        part, position = _read_part(text, position)
        parts.append(part)
    return tuple(parts)


def _read_part(text: str, position: int) -> tuple[Part, int]:
    letter = text[position]
    if letter in "'\"":
        return _read_quoted(text, position)
    if letter == "\\":
        if position + 1 == len(text):
            raise FormatError("the format ends with a backslash")
        return Part(text[position + 1], literal=True), position + 2
    if letter == "%":
        following = text[position + 1 : position + 2]
        if not following or following == "%":
            raise FormatError("a percent sign must stand before a format letter")
        return _read_part(text, position + 1)
    if letter in _SPECIFIERS:
        end = position
        while end < len(text) and text[end] == letter:
            end += 1
        if end - position > _LONGEST.get(letter, 10):
            raise FormatError(f'"{text[position:end]}" is not a date format')
        return Part(text[position:end], literal=False), end
    return Part(letter, literal=True), position + 1


def _read_quoted(text: str, position: int) -> tuple[Part, int]:
    quote = text[position]
    out: list[str] = []
    position += 1
    while position < len(text) and text[position] != quote:
        if text[position] == "\\":
            position += 1
            if position == len(text):
                break
        out.append(text[position])
        position += 1
    if position >= len(text):
        raise FormatError("the format has a quote that is not closed")
    return Part("".join(out), literal=True), position + 1


def format_date(moment: datetime, text: str) -> str:
    """Write an instant, given in UTC, by a .NET format string; raises FormatError."""
    out: list[str] = []
    for part in read_format(text):
        if part.literal:
            out.append(part.text)
        elif part.text[0] == "F":
            digits = f"{moment.microsecond:06}0"[: len(part.text)].rstrip("0")
            if not digits and out and out[-1] == ".":
                out.pop()
            out.append(digits)
        else:
            out.append(_written(moment, part.text))
    return "".join(out)


def _written(moment: datetime, specifier: str) -> str:
    return _WRITERS[specifier[0]](moment, len(specifier))


def _padded(number: int, length: int) -> str:
    return str(number) if length == 1 else f"{number:02}"


def _year(moment: datetime, length: int) -> str:
    return _padded(moment.year % 100, length) if length <= 2 else f"{moment.year:0{length}}"


def _month(moment: datetime, length: int) -> str:
    name = MONTHS[moment.month - 1]
    return _padded(moment.month, length) if length <= 2 else name[:3] if length == 3 else name


def _day(moment: datetime, length: int) -> str:
    name = DAYS[moment.weekday()]
    return _padded(moment.day, length) if length <= 2 else name[:3] if length == 3 else name


_WRITERS: Final[dict[str, Callable[[datetime, int], str]]] = {
    "y": _year,
    "M": _month,
    "d": _day,
    "H": lambda moment, length: _padded(moment.hour, length),
    "h": lambda moment, length: _padded(moment.hour % 12 or 12, length),
    "m": lambda moment, length: _padded(moment.minute, length),
    "s": lambda moment, length: _padded(moment.second, length),
    "f": lambda moment, length: f"{moment.microsecond:06}0"[:length],
    "t": lambda moment, length: ("AM" if moment.hour < 12 else "PM")[:length],
    "g": lambda _moment, _length: "A.D.",
    "K": lambda _moment, _length: "Z",
    "z": lambda _moment, length: ("+0", "+00", "+00:00")[min(length, 3) - 1],
}


@dataclass(frozen=True, slots=True)
class White:
    """Where white space may stand that the format does not name (.NET's DateTimeStyles)."""

    leading: bool = True
    trailing: bool = True
    inner: bool = False


def parse_exact(text: str, format_text: str, white: White = White()) -> datetime | None:
    """Read a date that must follow a .NET format string; None when it does not. Raises FormatError."""
    parts = read_format(format_text)
    if white.leading:
        text = text.lstrip()
    if white.trailing:
        text = text.rstrip()
    pattern = _pattern(parts, white.inner)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    return _Fields.read(parts, [value for value in found.groups() if value is not None]).moment()


@functools.lru_cache(maxsize=256)
def _pattern(parts: tuple[Part, ...], inner: bool) -> re.Pattern[str]:  # noqa: FBT001  part of the cache's key
    gap = r"\s*" if inner else ""
    pieces: list[str] = []
    for index, part in enumerate(parts):
        if not part.literal:
            optional_dot = part.text[0] == "F" and index > 0 and parts[index - 1] == Part(".", literal=True)
            if optional_dot:
                pieces[-1] = r"\.?"
            pieces.append(f"({_accepted(part.text)})")
        elif part.text.isspace():
            pieces.append(r"\s+" if not inner else r"\s*")
        else:
            pieces.append(re.escape(part.text))
    return re.compile(gap.join(pieces), re.IGNORECASE | re.ASCII)


def _accepted(specifier: str) -> str:
    letter, length = specifier[0], len(specifier)
    special = _ACCEPTED.get(specifier[:3]) or _ACCEPTED.get(letter)
    if special is not None:
        return special.format(length=length, digits=max(length, 4))
    if letter in "dM" and length > 2:
        names = DAYS if letter == "d" else MONTHS
        return "|".join(name[:3] if length == 3 else name for name in names)
    return "[0-9]{1,2}" if length == 1 else "[0-9]{2}"


_ACCEPTED: Final = {
    "y": "[0-9]{{{digits}}}",
    "yy": "[0-9]{{2}}",
    "f": "[0-9]{{{length}}}",
    "F": "[0-9]{{0,{length}}}",
    "g": r"A\.?D\.?",
    "t": "[AP]",
    "tt": "[AP]M",
    "K": r"Z|[+-][0-9]{{2}}:?[0-9]{{2}}|",
    "z": r"Z|[+-][0-9]{{1,2}}",
    "zzz": r"Z|[+-][0-9]{{2}}:?[0-9]{{2}}",
}


_FIELD_NAMES: Final = {
    "H": "hour",
    "h": "hour",
    "d": "day",
    "M": "month",
    "m": "minute",
    "s": "second",
}


@dataclass(slots=True)
class _Fields:
    """The numbers of a date while it is read."""

    year: int = 1
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    half: str = ""
    weekday: str = ""
    offset: timedelta = timedelta()
    consistent: bool = True

    @classmethod
    def read(cls, parts: tuple[Part, ...], values: list[str]) -> _Fields:
        """Take the values in the order of the format's specifiers."""
        fields = cls()
        specifiers = [part.text for part in parts if not part.literal]
        seen: dict[str, str] = {}
        for specifier, value in zip(specifiers, values, strict=True):
            letter = specifier[0]
            key = f"{letter}name" if letter in "dM" and len(specifier) > 2 else letter
            if seen.setdefault(key, value) != value:
                fields.consistent = False
            fields.take(key, value)
        return fields

    def take(self, key: str, value: str) -> None:
        """Set one field."""
        if key == "Mname":
            self.month = 1 + [name[:3].casefold() for name in MONTHS].index(value[:3].casefold())
        elif key == "dname":
            self.weekday = value[:3].casefold()
        elif key == "y":
            self.year = full_year(int(value)) if len(value) <= 2 else int(value)
        elif key in "fF":
            self.microsecond = int(value[:6].ljust(6, "0"))
        elif key == "t":
            self.half = value[0].upper()
        elif key in "Kz":
            self.offset = offset_of(value)
        elif key in _FIELD_NAMES:
            setattr(self, _FIELD_NAMES[key], int(value))
            self.consistent = self.consistent and (key != "h" or 1 <= int(value) <= 12)

    def moment(self) -> datetime | None:
        """Give the instant in UTC, or None when the fields make no date."""
        if not self.consistent:
            return None
        hour = self.hour
        if self.half:
            if hour > 12:
                return None
            hour = hour % 12 + (12 if self.half == "P" else 0)
        return _instant(
            (self.year, self.month, self.day, hour, self.minute, self.second, self.microsecond),
            self.offset,
            self.weekday,
        )


def full_year(year: int) -> int:
    """Give the year that two digits stand for."""
    return year + (2000 if year <= _TWO_DIGIT_PIVOT else 1900)


def offset_of(text: str) -> timedelta:
    """Read an offset: empty or Z, or a sign with hours and perhaps minutes."""
    match = re.fullmatch(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?", text)
    if match is None:
        return timedelta()
    sign = -1 if match[1] == "-" else 1
    return sign * timedelta(hours=int(match[2]), minutes=int(match[3] or 0))


def _instant(
    fields: tuple[int, int, int, int, int, int, int], offset: timedelta, weekday: str = ""
) -> datetime | None:
    if abs(offset) > timedelta(hours=14):
        return None
    try:
        local = datetime(*fields, tzinfo=timezone(offset))
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if weekday and DAYS[local.weekday()][:3].casefold() != weekday:
        return None
    return moment


_TIME: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,7}))?)?"
    r"(?:\s*(?P<half>[AP])\.?M\.?)?"
)
_ZONE: Final = r"(?P<offset>Z|GMT|UTC|[+-][0-9]{1,2}(?::?[0-9]{2})?)"
_MONTH: Final = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS)
_DAY_NAME: Final = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in DAYS)
_DATE_FORMS: Final = (
    r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4}|[0-9]{2})",
    rf"(?:(?P<weekday>{_DAY_NAME}),?\s+)?(?P<day>[0-9]{{1,2}})[\s-](?P<name>{_MONTH})[\s-](?P<year>[0-9]{{4}})",
    rf"(?:(?P<weekday>{_DAY_NAME}),?\s+)?(?P<name>{_MONTH})\s+(?P<day>[0-9]{{1,2}}),?\s+(?P<year>[0-9]{{4}})",
)
_GENERAL: Final = tuple(
    re.compile(rf"\s*{form}(?:(?:\s+|T){_TIME})?\s*{_ZONE}?\s*", re.IGNORECASE | re.ASCII)
    for form in _DATE_FORMS
)
_LONGEST_DATE: Final = 64


@functools.lru_cache(maxsize=1024)
def parse_date(text: str) -> datetime | None:
    """Read a date as CDate does, in UTC; None when it is none.

    Taken are ISO dates, US dates and dates with month names, each with or without a time (24 hours or
    AM/PM) and an offset, which may stand directly after the date and may be of hours only.
    """
    if len(text) > _LONGEST_DATE:
        return None
    for pattern in _GENERAL:
        if match := pattern.fullmatch(text):
            return _general(match.groupdict())
    return None


def _general(fields: dict[str, str | None]) -> datetime | None:
    name = fields.get("name")
    month = int(fields["month"] or 0) if name is None else 1 + [m[:3] for m in MONTHS].index(name[:3].title())
    year = fields["year"] or ""
    hour = int(fields["hour"] or 0)
    if half := fields["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "pP" else 0)
    fraction = (fields["fraction"] or "")[:6].ljust(6, "0")
    return _instant(
        (
            full_year(int(year)) if len(year) == 2 else int(year),
            month,
            int(fields["day"] or 0),
            hour,
            int(fields["minute"] or 0),
            int(fields["second"] or 0),
            int(fraction),
        ),
        offset_of(fields["offset"] or ""),
        (fields.get("weekday") or "")[:3].casefold(),
    )
