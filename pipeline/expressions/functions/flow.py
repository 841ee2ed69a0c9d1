"""What an expression says about the flow itself: leave out, hide, choose what is free, app roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.functions.logic import is_empty
from pipeline.expressions.kinds import ANY, TEXT
from pipeline.expressions.signature import ALL, Form, Function, Parameter, Style, required
from pipeline.expressions.values import Value, as_text

if TYPE_CHECKING:
    from pipeline.expressions.compiler import Compiler
    from pipeline.expressions.nodes import Call
    from pipeline.expressions.shapes import Run, Source
    from pipeline.expressions.state import State


def _ignore_if_empty(compiler: Compiler, call: Call) -> Run:
    inner = compiler.branch(call.arguments[0])
    ignore = compiler.ignore

    def run(source: Source, state: State) -> Value:
        value = inner(source, state)
        return ignore(source, state) if is_empty(value) else value

    return run


def _redact(compiler: Compiler, call: Call) -> Run:
    compiler.redacts = True
    inner = compiler.branch(call.arguments[0])

    def run(source: Source, state: State) -> Value:
        try:
            return inner(source, state)
        except ExpressionError as error:
            failed = error.function or "evaluation"
            raise Fault(f"{failed} failed; its values are hidden").at(error.position, call.name) from None

    return run


def _select_unique(compiler: Compiler, call: Call) -> Run:
    compiler.metered = True
    rules = [compiler.branch(argument) for argument in call.arguments]

    def run(source: Source, state: State) -> Value:
        tried: list[str] = []
        for rule in rules:
            value = rule(source, state)
            if isinstance(value, list):
                raise Fault("a rule gave several values", value=value).at(call.span.position, call.name)
            if value is None or value == "":
                continue
            if not state.context.is_taken(as_text(value)):
                return value
            tried.append(as_text(value))
        outcome = f"all {len(tried)} values are taken" if tried else "no rule gave a value"
        raise Fault(outcome).at(call.span.position, call.name)

    return run


def _as_is(value: Value) -> Value:
    return value


def _first(value: Value) -> Value:
    if isinstance(value, list):
        return value[0] if value else None
    return value


FUNCTIONS: Final = (
    Function("AppRoleAssignmentsComplex", (Form(ALL, required(("appRoleAssignments", ANY)), _as_is),)),
    Function("SingleAppRoleAssignment", (Form(ALL, required(("appRoleAssignments", ANY)), _first),)),
    Function(
        "IgnoreFlowIfNullOrEmpty",
        (Form(ALL, required(("Expression", ANY)), _ignore_if_empty, Style.SPECIAL),),
    ),
    Function("Redact", (Form(ALL, required(("value", ANY)), _redact, Style.SPECIAL),)),
    Function(
        "SelectUniqueValue",
        (
            Form(
                ALL,
                (Parameter("uniqueValueRule1", TEXT), Parameter("uniqueValueRule", TEXT, repeats=True)),
                _select_unique,
                Style.SPECIAL,
            ),
        ),
        deterministic=False,
        top_level_only=True,
    ),
)
