"""Conditions and branches: IIF, Switch, Coalesce, the tests for null and emptiness, Error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import ANY, SCALAR, to_boolean
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
from pipeline.expressions.state import FEW
from pipeline.expressions.values import Scalar, Value, as_text

if TYPE_CHECKING:
    from pipeline.expressions.compiler import Compiler
    from pipeline.expressions.nodes import Call
    from pipeline.expressions.shapes import Run, Source
    from pipeline.expressions.state import State


def is_empty(value: Value) -> bool:
    """Tell whether a value is null, the empty text, or a list of nothing else."""
    if value.__class__ is str:
        return value == ""
    if isinstance(value, list):
        return value.count("") == len(value)
    return value is None or value in {"", b""}


def is_present(value: Value) -> bool:
    """Tell whether there is a value that is not empty."""
    return value != "" if value.__class__ is str else not is_empty(value)


def is_null(value: Value) -> bool:
    """Tell whether there is no value at all."""
    return value is None or value == []


def is_empty_text(value: Value) -> bool:
    """Tell whether the value is there, but the empty text."""
    return value is not None and value != [] and is_empty(value)


def is_string(value: Value) -> bool:
    """Tell whether CStr can turn the value into a text."""
    return value is not None and not isinstance(value, bytes | list)


def negated(value: Value) -> Value:
    """Give False for True (or its text), and True for everything else."""
    if isinstance(value, list):
        return [negated(item) is True for item in value]
    if isinstance(value, str):
        stripped = value.strip()
        return not (len(stripped) == len("true") and stripped.casefold() == "true")
    return value is not True


def to_condition(value: Value) -> Value:
    """Give the truth of a value; null is False."""
    try:
        if isinstance(value, list) and len(value) > 1:
            return [to_boolean(item) for item in value]
        return to_boolean(value)
    except Fault as fault:
        raise Fault(fault.problem, "Expression", value=fault.value) from None


def error(message: Value) -> Value:
    """Stop with the author's own words."""
    if message is None or message == "" or isinstance(message, list):
        raise Fault("the rule stopped here without saying why")
    raise Fault(as_text(message))


def _iif(compiler: Compiler, call: Call) -> Run:
    condition = compiler.branch(call.arguments[0])
    when_true, when_false = (compiler.outcome(argument) for argument in call.arguments[1:])

    def run(source: Source, state: State) -> Value:
        value = condition(source, state)
        if value is True:
            return when_true(source, state)
        if value is False:
            return when_false(source, state)
        if isinstance(value, list) and len(value) > 1:
            yes = when_true(source, state) if True in value else None
            no = when_false(source, state) if False in value else None
            return _each(value, yes, no, call)
        truth = _truth(value, call, 0, "condition")
        return when_true(source, state) if truth else when_false(source, state)

    return run


def _truth(value: Value, call: Call, index: int, name: str) -> bool:
    try:
        return to_boolean(value)
    except Fault as fault:
        argument = call.arguments[index]
        span = call.span if argument is None else argument.span
        raise Fault(fault.problem, name, value=fault.value).at(span.position, call.name) from None


def _each(conditions: list[Scalar], yes: Value, no: Value, call: Call) -> Value:
    out: list[Scalar] = []
    for index, item in enumerate(conditions):
        chosen = yes if item is True else no
        if isinstance(chosen, list):
            if len(chosen) != len(conditions):
                message = f"the condition has {len(conditions)} values, the result {len(chosen)}"
                raise Fault(message).at(call.span.position, call.name)
            chosen = chosen[index]
        if chosen is not None:
            out.append(chosen)
    return out


def _switch(compiler: Compiler, call: Call) -> Run:
    source_value = compiler.branch(call.arguments[0])
    default = compiler.outcome(call.arguments[1])
    keys = [compiler.branch(argument) for argument in call.arguments[2::2]]
    values = [compiler.outcome(argument) for argument in call.arguments[3::2]]
    pairs = list(zip(keys, values, strict=True))

    def choose(item: Value, source: Source, state: State) -> Value:
        wanted = item if item.__class__ is str else _key(item)
        for key, value in pairs:
            candidate = key(source, state)
            if (candidate if candidate.__class__ is str else _key(candidate)) == wanted:
                return value(source, state)
        return default(source, state)

    def run(source: Source, state: State) -> Value:
        value = source_value(source, state)
        if not isinstance(value, list) or not value:
            return choose(value, source, state)
        out: list[Scalar] = []
        for item in value:
            result = choose(item, source, state)
            added = result if isinstance(result, list) else [] if result is None else [result]
            if len(value) > FEW:
                state.produced(added)
            out.extend(added)
        return out

    return run


def _key(value: Value) -> str:
    """Give what a key is compared as; null matches the empty key."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return _key(value[0]) if len(value) == 1 else "\0"
    return as_text(value)


def _connect_switch(compiler: Compiler, call: Call) -> Run:
    tests = [compiler.branch(argument) for argument in call.arguments[::2]]
    values = [compiler.outcome(argument) for argument in call.arguments[1::2]]
    pairs = list(zip(tests, values, strict=True))

    def run(source: Source, state: State) -> Value:
        for index, (test, value) in enumerate(pairs):
            if _truth(test(source, state), call, 2 * index, f"expr{index + 1}"):
                return value(source, state)
        return None

    return run


def _coalesce(compiler: Compiler, call: Call) -> Run:
    parts = [compiler.branch(argument) for argument in call.arguments]

    def run(source: Source, state: State) -> Value:
        for part in parts:
            value = part(source, state)
            if value is not None and value != []:
                return value
        return None

    return run


FUNCTIONS: Final = (
    Function("CBool", (Form(ALL, required(("Expression", ANY)), to_condition),)),
    Function(
        "Coalesce",
        (
            Form(
                ALL,
                (
                    Parameter("source1", ANY, skippable=True),
                    Parameter("source", ANY, optional=True, repeats=True),
                ),
                _coalesce,
                Style.SPECIAL,
            ),
        ),
    ),
    Function("Error", (Form(ALL, required(("ErrorMessage", ANY)), error),)),
    Function(
        "IIF",
        (
            Form(
                ALL,
                required(("condition", ANY), ("valueIfTrue", ANY), ("valueIfFalse", ANY)),
                _iif,
                Style.SPECIAL,
            ),
        ),
    ),
    Function("IsNull", (Form(ALL, required(("Expression", ANY)), is_null),)),
    Function("IsNullOrEmpty", (Form(ALL, required(("Expression", ANY)), is_empty),)),
    Function("IsPresent", (Form(ALL, required(("Expression", ANY)), is_present),)),
    Function("IsString", (Form(ALL, required(("Expression", ANY)), is_string),)),
    Function("IsEmpty", (Form(CONNECT, required(("Expression", ANY)), is_empty_text),)),
    Function("Not", (Form(ALL, required(("source", ANY)), negated),)),
    Function(
        "Switch",
        (
            Form(
                SERVICE,
                (
                    Parameter("source", SCALAR),
                    Parameter("defaultValue", ANY, skippable=True),
                    Parameter("key", SCALAR),
                    Parameter("value", ANY, repeats=True),
                ),
                _switch,
                Style.SPECIAL,
                pairs=True,
            ),
            Form(
                CONNECT,
                (Parameter("expr1", ANY), Parameter("value1", ANY, repeats=True)),
                _connect_switch,
                Style.SPECIAL,
                pairs=True,
            ),
        ),
    ),
)
