"""The kinds of arguments and how a value becomes one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.expressions.dotnet_dates import parse_date
from pipeline.expressions.errors import Fault
from pipeline.expressions.values import Scalar, Value, as_text, in_utc

MAX_INTEGER: Final = 2**64 - 1
_NUMBER: Final = re.compile(r"\s*([+-]?)([0-9]{1,25})(?:\.([0-9]{1,25}))?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of argument.

    `exact` is the Python type that needs no conversion; `convert` turns any other non-null, single value
    into one or raises Fault without an argument's name. A kind that `takes_lists` gets lists and nulls
    as they are; any other is applied to each value of a list.
    """

    name: str
    exact: type | None
    convert: Callable[[Any], Any]
    takes_lists: bool = False


def to_text(value: Scalar) -> str:
    """Read a value as text; binary values are refused, their text form would be a surprise."""
    if isinstance(value, bytes):
        raise Fault("must be a text; use ConvertToBase64 for binary values", value=value)
    return as_text(value)


def to_number(value: Scalar) -> int | float:
    """Read a value as a number: numbers, and texts of digits with a sign and a fraction."""
    number = as_number(value)
    if number is None:
        raise Fault("must be a number", value=value)
    return number


def as_number(value: Scalar) -> int | float | None:
    """Give a value as a number, or None when it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
        sign, whole, fraction = match.groups()
        if fraction is not None:
            return float(f"{sign}{whole}.{fraction}")
        number = int(sign + whole)
        return number if abs(number) <= MAX_INTEGER else None
    return None


def to_integer(value: Scalar) -> int:
    """Read a value as a whole number."""
    number = as_number(value)
    if number is None or (isinstance(number, float) and not number.is_integer()):
        raise Fault("must be a whole number", value=value)
    return int(number)


def to_date(value: Scalar) -> datetime:
    """Read a value as an instant in UTC: dates, and texts that CDate takes."""
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, str):
        moment = parse_date(value)
        if moment is not None:
            return moment
    raise Fault("must be a date", value=value)


def to_bytes(value: Scalar) -> bytes:
    """Read a value as bytes: binary values, and their base64 text."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise Fault("must be a binary value", value=value)


def to_boolean(value: Value) -> bool:
    """Read a value as a condition: null is false, a number is true unless zero, text says True or False."""
    if isinstance(value, bool):
        return value
    if value is None or value == "":
        return False
    if isinstance(value, list):
        if len(value) == 1:
            return to_boolean(value[0])
        if not value:
            return False
        raise Fault("must be true or false", value=value)
    if isinstance(value, str):
        stripped = value.strip()
        if len(stripped) <= len("false") and (folded := stripped.casefold()) in {"true", "false"}:
            return folded == "true"
    if not isinstance(value, bytes | datetime):
        number = as_number(value)
        if number is not None:
            return number != 0
    raise Fault("must be true or false", value=value)


def _as_is(value: Value) -> Value:
    return value


TEXT: Final = Kind("text", str, to_text)
INTEGER: Final = Kind("whole number", int, to_integer)
NUMBER: Final = Kind("number", int, to_number)
DATE: Final = Kind("date", None, to_date)
BINARY: Final = Kind("binary value", bytes, to_bytes)
SCALAR: Final = Kind("single value", None, _as_is)
ANY: Final = Kind("value", None, _as_is, takes_lists=True)
WORD: Final = Kind("word", str, to_text)
