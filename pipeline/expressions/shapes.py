"""The closures of calls, one for each shape that mappings have.

A shape is: what type the first argument must have to need no conversion, and how many constants follow it. In
each, a value that fits goes straight to the function, and anything else (null, a list, another type, a large
value) goes the general way. They differ only in the number of positions, which is what makes them quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.state import SMALL, State
from pipeline.expressions.values import Value

Source: TypeAlias = Mapping[str, Value]
Run: TypeAlias = Callable[[Source, State], Value]
#: The function of a form; it takes what its parameters' kinds convert to, which types cannot say here.
Apply: TypeAlias = Callable[..., Value]
#: The general way of a call whose other arguments are constants.
General: TypeAlias = Callable[[State, Value], Value]
Located: TypeAlias = Callable[[Fault], ExpressionError]


def constant(value: Value) -> Run:
    """Give a value that is known."""
    return lambda _source, _state: value


def anything(apply: Apply, get: Run, located: Located) -> Run:
    """Call a function of one value of any type."""

    def run(source: Source, state: State) -> Value:
        try:
            return apply(get(source, state))
        except Fault as fault:
            raise located(fault) from None

    return run


def anything_and_state(apply: Apply, getters: list[Run], located: Located) -> Run:
    """Call a function of values of any type that looks at the meter itself."""

    def run(source: Source, state: State) -> Value:
        values = [get(source, state) for get in getters]
        try:
            return apply(state, *values)
        except Fault as fault:
            raise located(fault) from None

    return run


def text(apply: Apply, get: Run, general: General, located: Located) -> Run:
    """Call a function of one text."""

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if value.__class__ is str and len(value) <= SMALL:
            try:
                return apply(value)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def text_and_one(apply: Apply, get: Run, second: Value, general: General, located: Located) -> Run:
    """Call a function of a text and a constant."""

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if value.__class__ is str and len(value) <= SMALL:
            try:
                return apply(value, second)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def text_and_two(
    apply: Apply, get: Run, rest: tuple[Value, Value], general: General, located: Located
) -> Run:
    """Call a function of a text and two constants."""
    second, third = rest

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if value.__class__ is str and len(value) <= SMALL:
            try:
                return apply(value, second, third)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def text_state_and_rest(apply: Apply, get: Run, rest: list[Value], general: General, located: Located) -> Run:
    """Call a function of the state, a text and constants."""

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if value.__class__ is str and len(value) <= SMALL:
            try:
                return apply(state, value, *rest)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def single_state_and_rest(
    apply: Apply, get: Run, rest: list[Value], general: General, located: Located
) -> Run:
    """Call a function of the state, a text or binary value, and constants."""

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if (value.__class__ is str or value.__class__ is bytes) and len(value) <= SMALL:
            try:
                return apply(state, value, *rest)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def number_and_one(apply: Apply, get: Run, second: Value, general: General, located: Located) -> Run:
    """Call a function of a whole number and a constant."""

    def run(source: Source, state: State) -> Value:
        value = get(source, state)
        if value.__class__ is int:
            try:
                return apply(value, second)
            except Fault as fault:
                raise located(fault) from None
        return general(state, value)

    return run


def anything_and_one(apply: Apply, get: Run, second: Value, located: Located) -> Run:
    """Call a function of a value of any type and a constant."""

    def run(source: Source, state: State) -> Value:
        try:
            return apply(get(source, state), second)
        except Fault as fault:
            raise located(fault) from None

    return run


def any_arguments(getters: list[Run], apply: Callable[[State, list[Value]], Value]) -> Run:
    """Call a function the general way."""

    def run(source: Source, state: State) -> Value:
        return apply(state, [get(source, state) for get in getters])

    return run
