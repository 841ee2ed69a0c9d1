"""Say what an expression computes with: values, their text form, and the mark that drops an attribute."""

from __future__ import annotations

import base64
import enum
import math
from datetime import UTC, datetime
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | bytes | datetime
Value: TypeAlias = Scalar | list[Scalar] | None


class Dialect(enum.StrEnum):
    """Whose reading of the language applies; the three disagree on arities and on some functions."""

    CLOUD_SYNC = "cloud-sync"
    CONNECT = "connect"
    APP_PROVISIONING = "app-provisioning"


class Ignore(enum.Enum):
    """Mark that the attribute is to be left out of the flow: neither written nor cleared."""

    IGNORE = "ignore"

    def __repr__(self) -> str:
        return "IGNORE"


IGNORE: Final = Ignore.IGNORE


class Reference(str):
    """Hold the distinguished name of another object, so that Contains compares it whole."""

    __slots__ = ()


def as_text(value: Scalar) -> str:
    """Give the string form in which the provisioning service reports a value.

    Booleans are `True`/`False`, dates `M/d/yyyy h:mm:ss tt` in UTC, binary values base64 (Microsoft Entra,
    page "Reference for writing expressions for attribute mappings").
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return _date_text(value)


def in_utc(moment: datetime) -> datetime:
    """Give the same instant in UTC; a date without an offset is UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _float_text(value: float) -> str:
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _date_text(value: datetime) -> str:
    moment = in_utc(value)
    half = "AM" if moment.hour < 12 else "PM"
    return (
        f"{moment.month}/{moment.day}/{moment.year:04} "
        f"{moment.hour % 12 or 12}:{moment.minute:02}:{moment.second:02} {half}"
    )
