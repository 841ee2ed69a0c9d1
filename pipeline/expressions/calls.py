"""Turn a call of an ordinary function into a closure, and do the general way of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline.expressions import shapes
from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.kinds import SCALAR, TEXT
from pipeline.expressions.nodes import Call
from pipeline.expressions.shapes import Run
from pipeline.expressions.signature import Form, Parameter, Style
from pipeline.expressions.state import FEW, SMALL, State
from pipeline.expressions.values import Scalar, Value


@dataclass(frozen=True, slots=True)
class Constant:
    """An argument that is known when the expression is loaded."""

    value: Value


Argument: TypeAlias = Run | Constant


class CallPlan:
    """One call, ready to be made into a closure."""

    def __init__(self, call: Call, form: Form, arguments: list[Argument]) -> None:
        self._call = call
        self._form = form
        self._parameters = [form.parameter(index) for index in range(len(arguments))]
        self._stateful = form.style is not Style.PLAIN
        self._arguments = [
            _settled(argument, parameter)
            for argument, parameter in zip(arguments, self._parameters, strict=True)
        ]
        # A list of texts with nothing but converted constants after it is the common case of mapping over values.
        exact = [parameter.kind.exact for parameter in self._parameters]
        self._maps_texts = (
            not self._stateful and exact[:1] == [str] and self._constants_after_first() is not None
        )

    def closure(self) -> Run:
        """Give the narrowest closure that fits the call."""
        return self._narrow() or shapes.any_arguments(self._getters(), self.apply)

    def _getters(self) -> list[Run]:
        return [
            shapes.constant(argument.value) if isinstance(argument, Constant) else argument
            for argument in self._arguments
        ]

    def _narrow(self) -> Run | None:
        if not self._arguments:
            return None
        apply = self._form.apply
        if all(parameter.kind.takes_lists for parameter in self._parameters):
            if self._stateful:
                return shapes.anything_and_state(apply, self._getters(), self.located)
            if len(self._arguments) == 1:
                return shapes.anything(apply, self._getters()[0], self.located)
            return None
        first, rest = self._arguments[0], self._constants_after_first()
        if isinstance(first, Constant) or rest is None:
            return None
        kind = self._parameters[0].kind
        if kind is SCALAR and self._stateful:
            return shapes.single_state_and_rest(apply, first, rest, self.apply, self.located)
        if kind.exact is str:
            return self._on_text(first, rest)
        if self._stateful or len(rest) != 1:
            return None
        if kind.takes_lists:
            return shapes.anything_and_one(apply, first, rest[0], self.located)
        if kind.exact is int:
            return shapes.number_and_one(apply, first, rest[0], self.apply, self.located)
        return None

    def _on_text(self, first: Run, rest: list[Value]) -> Run | None:
        apply = self._form.apply
        if self._stateful:
            return shapes.text_state_and_rest(apply, first, rest, self.apply, self.located)
        if not rest:
            return shapes.text(apply, first, self.apply, self.located)
        if len(rest) == 1:
            return shapes.text_and_one(apply, first, rest[0], self.apply, self.located)
        if len(rest) == 2:
            return shapes.text_and_two(apply, first, (rest[0], rest[1]), self.apply, self.located)
        return None

    def _constants_after_first(self) -> list[Value] | None:
        """Give the other arguments when each is a constant that needs no more conversion."""
        values: list[Value] = []
        for argument, parameter in zip(self._arguments[1:], self._parameters[1:], strict=True):
            if not isinstance(argument, Constant):
                return None
            if argument.value is None and not parameter.optional and not parameter.kind.takes_lists:
                return None
            values.append(argument.value)
        return values

    def located(self, fault: Fault) -> ExpressionError:
        """Give the error of a call, at the argument that the fault names, else at the call."""
        span = self._call.span
        for index, argument in enumerate(self._call.arguments):
            if argument is not None and self._form.parameter(index).name == fault.argument:
                span = argument.span
                break
        return fault.at(span.position, self._call.name)

    def apply(self, state: State, values: list[Value]) -> Value:
        """Call the function with any values: map over lists, convert, apply the rules for null."""
        try:
            texts = values[0] if values else None
            if isinstance(texts, list) and self._maps_texts and _all_small_texts(texts):
                return [
                    result for text in texts if (result := self._form.apply(text, *values[1:])) is not None
                ]
            width = self._width(values)
            if width is None:
                return self._apply_single(state, values)
            out: list[Scalar] = []
            for index in range(width):
                result = self._apply_single(state, self._row(values, index))
                added = result if isinstance(result, list) else [] if result is None else [result]
                if width > FEW:
                    state.produced(added)
                out.extend(added)
        except Fault as fault:
            raise self.located(fault) from None
        return out

    def _width(self, values: list[Value]) -> int | None:
        """Give how many values the call is to be mapped over, or None when no argument is a list."""
        width: int | None = None
        for value, parameter in zip(values, self._parameters, strict=True):
            if isinstance(value, list) and not parameter.kind.takes_lists:
                if width is not None and len(value) != width and 1 not in {width, len(value)}:
                    raise Fault(
                        f"cannot be brought together: {width} and {len(value)} values", parameter.name
                    )
                width = len(value) if width is None or width == 1 else width
        return width

    def _row(self, values: list[Value], index: int) -> list[Value]:
        return [
            value[index if len(value) > 1 else 0]
            if isinstance(value, list) and not parameter.kind.takes_lists
            else value
            for value, parameter in zip(values, self._parameters, strict=True)
        ]

    def _apply_single(self, state: State, values: list[Value]) -> Value:
        converted: list[Any] = []
        for index, (value, parameter) in enumerate(zip(values, self._parameters, strict=True)):
            if not parameter.kind.takes_lists and value is None:
                if index == 0:
                    return self._form.null
                converted.append(_null(parameter))
                continue
            if isinstance(value, str | bytes | list) and len(value) > SMALL:
                state.charge(len(value))
            converted.append(_converted(value, parameter))
        result: Value = (
            self._form.apply(state, *converted) if self._stateful else self._form.apply(*converted)
        )
        return result


def _settled(argument: Argument, parameter: Parameter) -> Argument:
    """Convert a constant now; one that cannot be converted fails when the call is made, not before."""
    if not isinstance(argument, Constant) or argument.value is None:
        return argument
    try:
        return Constant(_converted(argument.value, parameter))
    except Fault:
        return shapes.constant(argument.value)


def _all_small_texts(values: list[Scalar]) -> bool:
    if len(values) > FEW:
        return False
    return all([value.__class__ is str and len(value) <= SMALL for value in values])  # type: ignore[arg-type]  # a text has a length


def _null(parameter: Parameter) -> Value:
    if parameter.optional:
        return None
    if parameter.kind is TEXT:
        return ""
    raise Fault(f"must be a {parameter.kind.name}", parameter.name, value=None)


def _converted(value: Any, parameter: Parameter) -> Any:
    kind = parameter.kind
    if kind.takes_lists or value.__class__ is kind.exact:
        return value
    try:
        return kind.convert(value)
    except Fault as fault:
        raise Fault(fault.problem, parameter.name, value=fault.value) from None
