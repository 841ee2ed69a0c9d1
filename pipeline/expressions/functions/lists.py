"""Multi-valued attributes: count, pick, search, split, and the functions that bind a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.functions.text import WHITE, upper
from pipeline.expressions.kinds import ANY, INTEGER, TEXT, WORD, to_boolean, to_text
from pipeline.expressions.nodes import Text, Variable
from pipeline.expressions.signature import ALL, CONNECT, Form, Function, Parameter, Style, required
from pipeline.expressions.state import FEW, SMALL
from pipeline.expressions.values import Reference, Scalar, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.expressions.compiler import Compiler
    from pipeline.expressions.nodes import Call
    from pipeline.expressions.shapes import Run, Source
    from pipeline.expressions.state import State


def as_list(value: Value) -> list[Scalar]:
    """Give the values of an attribute: none, one, or several."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def count(attribute: Value) -> int:
    """Count the values."""
    return len(as_list(attribute))


def item(attribute: Value, index: int) -> Value:
    """Give the n-th value (from 1)."""
    values = as_list(attribute)
    if not 1 <= index <= len(values):
        raise Fault(f"must be 1 to {len(values)}" if values else "picks from nothing", "index", value=index)
    return values[index - 1]


def item_or_null(attribute: Value, index: int) -> Value:
    """Give the n-th value (from 1), or null when there is none."""
    values = as_list(attribute)
    return values[index - 1] if 1 <= index <= len(values) else None


def contains(state: State, attribute: Value, search: str, case: str | None = None) -> int:
    """Give the place (from 1) of the first value that has the text in it; a reference must equal it."""
    folds = False
    if case is not None:
        if case.casefold() not in {"caseinsensitive", "casesensitive"}:
            raise Fault("must be CaseInsensitive or CaseSensitive", "Casetype", value=case)
        folds = case.casefold() == "caseinsensitive"
    values = as_list(attribute)
    if len(values) > FEW:
        state.charge(len(values))
    wanted = upper(search) if folds else search
    for place, value in enumerate(values, start=1):
        if isinstance(value, str) and len(value) > SMALL:
            state.charge(len(value))
        elif place > FEW:
            state.step()
        text = upper(to_text(value)) if folds else to_text(value)
        if (text == wanted) if isinstance(value, Reference) else (wanted in text):
            return place
    return 0


def remove_duplicates(state: State, attribute: Value) -> Value:
    """Give each value once, in the order of its first place; case counts."""
    if not isinstance(attribute, list):
        return attribute
    if len(attribute) > FEW:
        state.charge(len(attribute))
    if len({value.__class__ for value in attribute}) == 1:
        return list(dict.fromkeys(attribute))
    # 1, 1.0 and True are equal in Python and different values here.
    return list({(value.__class__, value): value for value in attribute}.values())


def split(state: State, source: str, delimiter: str, limit: int | None = None) -> Value:
    """Split a text into its trimmed parts, at most `limit` of them."""
    if not delimiter:
        raise Fault("must not be empty", "delimiter", value=delimiter)
    if limit is not None and limit < 1:
        raise Fault("must be 1 or more", "limit", value=limit)
    if len(source) > SMALL:
        state.charge(8 * source.count(delimiter))
    return [part.strip(WHITE) for part in source.split(delimiter, -1 if limit is None else limit - 1)]


def _bound(call: Call) -> Variable:
    variable = call.arguments[0]
    if not isinstance(variable, Variable):
        message = "the first argument must be a variable such as $item"
        span = call.span if variable is None else variable.span
        raise ExpressionError(message, position=span.position, function=call.name)
    return variable


def _select(compiler: Compiler, call: Call) -> Run:
    def keep(_item: Scalar, result: Value) -> list[Scalar]:
        return as_list(result)

    return _loop(compiler, call, keep)


def _where(compiler: Compiler, call: Call) -> Run:
    def keep(item: Scalar, result: Value) -> list[Scalar]:
        return [item] if to_boolean(result) else []

    return _loop(compiler, call, keep)


def _loop(compiler: Compiler, call: Call, keep: Callable[[Scalar, Value], list[Scalar]]) -> Run:
    variable = _bound(call)
    collection = compiler.branch(call.arguments[1])
    body, slots = compiler.bound(variable, call.arguments[2])
    name = variable.folded
    key = id(call.arguments[2])

    def run(source: Source, state: State) -> Value:
        out: list[Scalar] = []
        try:
            for value in as_list(collection(source, state)):
                outer = state.bind(name, value)
                kept = keep(value, body(source, state))
                state.bind(name, outer)
                state.produced(kept)
                out.extend(kept)
                if slots:
                    state.note_turn(key, slots)
        except Fault as fault:
            raise fault.at(call.span.position, call.name) from None
        return out

    return run


def _with(compiler: Compiler, call: Call) -> Run:
    variable = _bound(call)
    bound = compiler.branch(call.arguments[1])
    body, _ = compiler.bound(variable, call.arguments[2])
    name = variable.folded

    def run(source: Source, state: State) -> Value:
        outer = state.bind(name, bound(source, state))
        value = body(source, state)
        state.bind(name, outer)
        return value

    return run


def _literal_name(call: Call) -> str:
    name = call.arguments[0]
    if not isinstance(name, Text) or not name.value.strip():
        message = "takes the name of an attribute in quotes"
        raise ExpressionError(message, position=call.span.position, function=call.name)
    return name.value.strip()


def _imported_value(compiler: Compiler, call: Call) -> Run:
    return compiler.attribute(_literal_name(call))


def _value_count(compiler: Compiler, call: Call) -> Run:
    read = compiler.attribute(_literal_name(call))
    return lambda source, state: count(read(source, state))


_PICK: Final = required(("attribute", ANY), ("index", INTEGER))
_EACH: Final = required(("item", ANY), ("attribute", ANY), ("function", ANY))
_NAME: Final = required(("attribute", ANY))

FUNCTIONS: Final = (
    Function(
        "Contains",
        (
            Form(
                ALL,
                (
                    Parameter("attribute", ANY),
                    Parameter("search", TEXT),
                    Parameter("Casetype", WORD, optional=True),
                ),
                contains,
                Style.STATEFUL,
            ),
        ),
    ),
    Function("Count", (Form(ALL, required(("attribute", ANY)), count),)),
    Function("ImportedValue", (Form(CONNECT, _NAME, _imported_value, Style.SPECIAL),)),
    Function("Item", (Form(ALL, _PICK, item),)),
    Function("ItemOrNull", (Form(CONNECT, _PICK, item_or_null),)),
    Function(
        "RemoveDuplicates", (Form(ALL, required(("attribute", ANY)), remove_duplicates, Style.STATEFUL),)
    ),
    Function("Select", (Form(CONNECT, _EACH, _select, Style.SPECIAL),)),
    Function(
        "Split",
        (
            Form(
                ALL,
                (
                    Parameter("source", TEXT),
                    Parameter("delimiter", TEXT),
                    Parameter("limit", INTEGER, optional=True),
                ),
                split,
                Style.STATEFUL,
            ),
        ),
    ),
    Function("ValueCount", (Form(CONNECT, _NAME, _value_count, Style.SPECIAL),)),
    Function("Where", (Form(CONNECT, _EACH, _where, Style.SPECIAL),)),
    Function("With", (Form(CONNECT, _EACH, _with, Style.SPECIAL),)),
)
