"""Numbers and bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import ANY, INTEGER, NUMBER, as_number
from pipeline.expressions.signature import ALL, CONNECT, Form, Function, Style, required
from pipeline.expressions.values import Value

if TYPE_CHECKING:
    from pipeline.expressions.state import State


def bit_and(first: int, second: int) -> int:
    """Give the bits that both numbers have."""
    return first & second


def bit_or(first: int, second: int) -> int:
    """Give the bits that either number has."""
    return first | second


def as_it_is(value: float) -> float:
    """Give the number; reading it is the argument's own conversion."""
    return value


def is_bit_set(value: int, flag: int) -> bool:
    """Tell whether the numbers share a bit."""
    return value & flag != 0


def is_numeric(value: Value) -> bool:
    """Tell whether CNum can turn the value into a number."""
    return isinstance(value, str | int | float) and as_number(value) is not None


def random_number(state: State, start: int, end: int) -> int:
    """Give a random number between two limits, both included."""
    if start > end:
        raise Fault(f"must not be less than start ({start})", "end", value=end)
    return state.context.random.randint(start, end)


FUNCTIONS: Final = (
    Function("BitAnd", (Form(ALL, required(("value1", INTEGER), ("value2", INTEGER)), bit_and),)),
    Function("BitOr", (Form(CONNECT, required(("value1", INTEGER), ("value2", INTEGER)), bit_or),)),
    Function("CNum", (Form(CONNECT, required(("value", NUMBER)), as_it_is),)),
    Function(
        "IsBitSet", (Form(CONNECT, required(("value", INTEGER), ("flag", INTEGER)), is_bit_set, null=False),)
    ),
    Function("IsNumeric", (Form(CONNECT, required(("Expression", ANY)), is_numeric),)),
    Function(
        "RandomNum",
        (Form(CONNECT, required(("start", INTEGER), ("end", INTEGER)), random_number, Style.METERED),),
        deterministic=False,
    ),
)
