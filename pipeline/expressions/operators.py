"""What the operators do: comparison, arithmetic, concatenation.

Text compares with a number as numbers where it is numeric, with a boolean without regard to case; other texts
compare by code point. Null equals null and the empty text, and is neither less nor greater than anything.
A list on either side is treated value by value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from pipeline.expressions.dotnet_dates import parse_date
from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import MAX_INTEGER, as_number, to_text
from pipeline.expressions.shapes import Located, Run, Source
from pipeline.expressions.state import FEW, SMALL, State
from pipeline.expressions.values import Scalar, Value, as_text, in_utc

ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_Pair: TypeAlias = tuple[Scalar | None, Scalar | None]
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def comparison(sign: str, left: Run, right: Run, located: Located) -> Run:
    """Give the closure that compares two operands."""
    order = ORDER[sign]

    def run(source: Source, state: State) -> Value:
        first, second = left(source, state), right(source, state)
        if first.__class__ is str and second.__class__ is str:
            return order(first, second)
        try:
            return compare(state, sign, first, second)
        except Fault as fault:
            raise located(fault) from None

    return run


def comparison_with_constant(sign: str, left: Run, second: Scalar, located: Located) -> Run:
    """Give the closure that compares an operand with a literal."""
    order, exact = ORDER[sign], second.__class__

    def run(source: Source, state: State) -> Value:
        first = left(source, state)
        if first.__class__ is exact:
            return order(first, second)
        try:
            return compare(state, sign, first, second)
        except Fault as fault:
            raise located(fault) from None

    return run


def calculation(sign: str, left: Run, right: Run, located: Located) -> Run:
    """Give the closure that adds, subtracts or multiplies."""

    def run(source: Source, state: State) -> Value:
        first, second = left(source, state), right(source, state)
        try:
            return calculate(state, sign, first, second)
        except Fault as fault:
            raise located(fault) from None

    return run


def compare(state: State, sign: str, left: Value, right: Value) -> Value:
    """Compare two values; a list of more than one value gives a list of booleans."""
    if isinstance(left, list) or isinstance(right, list):
        pairs = paired(state, left, right)
        if not pairs:
            return compare_single(sign, None, None)
        if len(pairs) == 1:
            return compare_single(sign, *pairs[0])
        return _for_each(state, pairs, lambda one, other: compare_single(sign, one, other))
    return compare_single(sign, left, right)


def compare_single(sign: str, left: Scalar | None, right: Scalar | None) -> bool:
    """Compare two single values."""
    if left is None or right is None:
        empty = left in {None, ""} and right in {None, ""}
        return {"=": empty, "<>": not empty, "<=": empty, ">=": empty}.get(sign, False)
    return ORDER[sign](*_alike(left, right))


def _alike(left: Scalar, right: Scalar) -> tuple[Any, Any]:
    if isinstance(left, bool) or isinstance(right, bool):
        return as_text(left).strip().casefold(), as_text(right).strip().casefold()
    if isinstance(left, datetime) or isinstance(right, datetime):
        first, second = _moment(left), _moment(right)
        if first is not None and second is not None:
            return first, second
    elif isinstance(left, int | float) or isinstance(right, int | float):
        one, other = as_number_or_none(left), as_number_or_none(right)
        if one is not None and other is not None:
            return one, other
    if type(left) is type(right):
        return left, right
    return as_text(left), as_text(right)


def as_number_or_none(value: Scalar) -> int | float | None:
    """Give a number or a numeric text as a number."""
    return as_number(value) if isinstance(value, str | int | float) else None


def _moment(value: Scalar) -> datetime | None:
    if isinstance(value, datetime):
        return in_utc(value)
    return parse_date(value) if isinstance(value, str) else None


def paired(state: State, left: Value, right: Value) -> list[_Pair]:
    """Bring two values side by side: a single one is repeated, two lists must be of one length."""
    lefts = left if isinstance(left, list) else [left]
    rights = right if isinstance(right, list) else [right]
    count = max(len(lefts), len(rights))
    if len(lefts) not in {0, 1, count} or len(rights) not in {0, 1, count}:
        raise Fault(f"cannot bring together {len(lefts)} and {len(rights)} values")
    if count > FEW:
        state.charge(count)
    return list(zip(_spread(lefts, count), _spread(rights, count), strict=True))


def _spread(values: Sequence[Scalar | None], count: int) -> Sequence[Scalar | None]:
    if len(values) == count:
        return values
    return [values[0] if values else None] * count


def _for_each(
    state: State, pairs: list[_Pair], function: Callable[[Scalar | None, Scalar | None], Scalar | None]
) -> list[Scalar]:
    """Apply a function to pairs, dropping nulls, with a look at the clock now and then."""
    out: list[Scalar] = []
    for start in range(0, len(pairs), FEW):
        if start:
            state.remaining()
        results = [function(*pair) for pair in pairs[start : start + FEW]]
        out += [result for result in results if result is not None]
    return out


def calculate(state: State, sign: str, left: Value, right: Value) -> Value:
    """Add, subtract or multiply; null with anything is null."""
    if isinstance(left, list) or isinstance(right, list):
        pairs = paired(state, left, right)
        return _for_each(state, pairs, lambda one, other: _calculate_single(sign, one, other))
    return _calculate_single(sign, left, right)


def _calculate_single(sign: str, left: Scalar | None, right: Scalar | None) -> int | float | None:
    if left is None or right is None:
        return None
    return bounded(_ARITHMETIC[sign](_operand(left), _operand(right)))


def negate(value: Value) -> Value:
    """Give the number with the other sign; null stays null."""
    if isinstance(value, list):
        return [bounded(-_operand(item)) for item in value]
    return None if value is None else bounded(-_operand(value))


def _operand(value: Scalar) -> int | float:
    number = as_number_or_none(value)
    if number is None:
        raise Fault("cannot calculate with a value that is not a number", value=value)
    return number


def bounded(number: float) -> int | float:
    """Refuse what .NET's numbers cannot hold."""
    if isinstance(number, int) and abs(number) > MAX_INTEGER:
        raise Fault("the number is too large")
    if not math.isfinite(number):
        raise Fault("the number is too large")
    return number


def concatenation(operands: list[Run], located: Located) -> Run:
    """Give the closure that puts texts together; where all are texts, joining them is all there is to do."""

    def run(source: Source, state: State) -> Value:
        values = [operand(source, state) for operand in operands]
        try:
            # A null or a number has no length and a list cannot be joined: either is a TypeError.
            if sum(map(len, values)) <= SMALL:  # type: ignore[arg-type]  # see above
                return "".join(values)  # type: ignore[arg-type]  # see above
        except TypeError:
            pass
        try:
            return concatenate(state, values)
        except Fault as fault:
            raise located(fault) from None

    return run


def concatenate(state: State, parts: Sequence[Value]) -> Value:
    """Put values together as text; nulls count as empty, unless there is nothing else."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, list):
            return (
                _concatenate_lists(state, parts)
                if part
                else concatenate(state, [p for p in parts if p != []])
            )
        if part is not None:
            texts.append(to_text(part))
    return joined(state, "", texts) if texts else None


def joined(state: State, separator: str, texts: list[Any]) -> str:
    """Join texts after looking at how long the result will be."""
    size = sum(map(len, texts)) + len(separator) * len(texts)
    if size > SMALL:
        state.charge(size)
    return separator.join(texts)


def _concatenate_lists(state: State, parts: Sequence[Value]) -> Value:
    lists = [part for part in parts if isinstance(part, list)]
    count = max(map(len, lists))
    if any(len(values) not in {1, count} for values in lists):
        raise Fault("cannot bring together lists of different lengths")
    out: list[Scalar] = []
    for index in range(count):
        row = [part[index if len(part) > 1 else 0] if isinstance(part, list) else part for part in parts]
        texts = [to_text(value) for value in row if value is not None]
        out.append(joined(state, "", texts))
        if count > FEW:
            state.produced(out[-1:])
    return out
