"""Turn a call of an ordinary function into a closure.

Most calls in mappings have one to three arguments, all but the first constant, and values of the right type
already: those go straight to the function. Everything else (nulls, lists, texts that are to be numbers, large
values) takes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.functions.kinds import TEXT
from pipeline.expressions.functions.signature import Form, Parameter, Style
from pipeline.expressions.nodes import Call
from pipeline.expressions.state import SMALL, State
from pipeline.expressions.values import Scalar, Value

Source: TypeAlias = Mapping[str, Value]
Run: TypeAlias = Callable[[Source, State], Value]


class Constant:
    """An argument that is known when the expression is loaded."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


Argument: TypeAlias = Run | Constant | None


def located(fault: Fault, call: Call, form: Form) -> ExpressionError:
    """Give the error of a call, at the argument that the fault names, else at the call."""
    span = call.span
    for index, argument in enumerate(call.arguments):
        if argument is not None and fault.argument and form.parameter(index).name == fault.argument:
            span = argument.span
            break
    return fault.at(span.position, call.name)


class CallPlan:
    """One call, ready to be made into a closure."""

    def __init__(self, call: Call, form: Form, arguments: list[Argument]) -> None:
        self.call = call
        self.form = form
        self.parameters = [form.parameter(index) for index in range(len(arguments))]
        self.stateful = form.style is not Style.PLAIN
        self.arguments = [
            self._settled(argument, parameter)
            for argument, parameter in zip(arguments, self.parameters, strict=True)
        ]

    def closure(self) -> Run:
        """Give the closure of the call."""
        getters = [_getter(argument) for argument in self.arguments]
        general = self.apply

        def run(source: Source, state: State) -> Value:
            return general(state, [get(source, state) for get in getters])

        return run

    def apply(self, state: State, values: list[Value]) -> Value:
        """Call the function with any values: lists are mapped, nulls and other types converted."""
        try:
            width = self._width(values)
            if width is None:
                return self._apply_single(state, values)
            out: list[Scalar] = []
            for index in range(width):
                state.step()
                result = self._apply_single(state, self._row(values, index))
                if isinstance(result, list):
                    out.extend(result)
                elif result is not None:
                    out.append(result)
        except Fault as fault:
            raise located(fault, self.call, self.form) from None
        return out

    def _width(self, values: list[Value]) -> int | None:
        """Give how many values the call is to be mapped over, or None when no argument is a list."""
        width: int | None = None
        for value, parameter in zip(values, self.parameters, strict=True):
            if isinstance(value, list) and not parameter.kind.takes_lists:
                if width is not None and len(value) != width and 1 not in {width, len(value)}:
                    raise Fault(f"cannot bring together {width} and {len(value)} values", parameter.name)
                width = max(width or 0, len(value))
        return width

    def _row(self, values: list[Value], index: int) -> list[Value]:
        return [
            value[index if len(value) > 1 else 0]
            if isinstance(value, list) and not parameter.kind.takes_lists
            else value
            for value, parameter in zip(values, self.parameters, strict=True)
        ]

    def _apply_single(self, state: State, values: list[Value]) -> Value:
        converted: list[Any] = []
        for index, (value, parameter) in enumerate(zip(values, self.parameters, strict=True)):
            kind = parameter.kind
            if kind.takes_lists:
                _weigh(state, value)
                converted.append(value)
            elif value is None:
                if index == 0:
                    return self.form.null
                converted.append(self._null(parameter))
            elif value.__class__ is kind.exact:
                _weigh(state, value)
                converted.append(value)
            else:
                _weigh(state, value)
                converted.append(self._converted(value, parameter))
        result = self.form.apply(state, *converted) if self.stateful else self.form.apply(*converted)
        return result  # type: ignore[no-any-return]  a form's function gives values

    def _null(self, parameter: Parameter) -> Value:
        if parameter.optional:
            return None
        if parameter.kind is TEXT:
            return ""
        raise Fault(f"must be a {parameter.kind.name}", parameter.name, value=None)

    def _converted(self, value: Value, parameter: Parameter) -> Any:
        try:
            return parameter.kind.convert(value)
        except Fault as fault:
            raise Fault(fault.problem, parameter.name, value=fault.value) from None

    def _settled(self, argument: Argument, parameter: Parameter) -> Argument:
        """Convert a constant now; one that cannot be converted fails when the call is made, not before."""
        if not isinstance(argument, Constant) or parameter.kind.takes_lists:
            return argument
        value = argument.value
        if value is None or isinstance(value, list) or value.__class__ is parameter.kind.exact:
            return argument
        try:
            return Constant(parameter.kind.convert(value))
        except Fault:
            return lambda _source, _state: value


def _weigh(state: State, value: Value) -> None:
    if isinstance(value, str | bytes | list) and len(value) > SMALL:
        state.charge(len(value))


def _getter(argument: Argument) -> Run:
    if argument is None:
        return lambda _source, _state: None
    if isinstance(argument, Constant):
        value = argument.value
        return lambda _source, _state: value
    return argument
