"""Turn a call of an ordinary function into a closure, and do the general way of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline.expressions import shapes
from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.kinds import SCALAR, TEXT
from pipeline.expressions.nodes import Call
from pipeline.expressions.shapes import Run
from pipeline.expressions.signature import SKIPPED, UNKNOWN, Form, Parameter, Skipped, Style
from pipeline.expressions.state import FEW, SMALL, State
from pipeline.expressions.values import Scalar, Value


@dataclass(frozen=True, slots=True)
class Constant:
    """An argument that is known when the expression is loaded."""

    value: Value | Skipped


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
        self._rest = self._constants_after_first()
        self._passed_rest = [
            _passed(argument) for argument in self._arguments[1:] if isinstance(argument, Constant)
        ]
        # Absent attributes are common, and most functions answer them without being called.
        self._null_ends = bool(self._parameters) and not (
            self._parameters[0].nullable or self._parameters[0].kind.takes_lists
        )
        # A list of texts with nothing but constants after it is the common case of mapping over values.
        self._maps_texts = (
            self._rest is not None
            and not self._stateful
            and self._parameters[0].kind.exact is str
            and not self._parameters[0].kind.takes_lists
        )

    def check(self) -> None:
        """Refuse constants that can never work; raises ExpressionError."""
        if self._form.check is None:
            return
        known = [
            _given(argument) if isinstance(argument, Constant) else UNKNOWN for argument in self._arguments
        ]
        try:
            self._form.check(known)
        except Fault as fault:
            raise self.located(fault) from None

    def closure(self) -> Run:
        """Give the narrowest closure that fits the call."""
        return self._narrow() or shapes.any_arguments(self._getters(), self.apply)

    def _getters(self) -> list[Run]:
        return [
            shapes.constant(_passed(argument)) if isinstance(argument, Constant) else argument
            for argument in self._arguments
        ]

    def _narrow(self) -> Run | None:
        apply = self._form.apply
        if self._arguments and all(parameter.kind.takes_lists for parameter in self._parameters):
            if self._stateful:
                return shapes.anything_and_state(apply, self._getters(), self.located)
            return shapes.anything(apply, self._getters()[0], self.located) if not self._rest else None
        first = self._arguments[0] if self._arguments else None
        if first is None or isinstance(first, Constant) or self._rest is None:
            return None
        if self._stateful:
            return self._narrow_stateful(first, self._rest)
        return self._narrow_plain(first, self._rest)

    def _narrow_stateful(self, first: Run, rest: list[Value]) -> Run | None:
        apply, kind = self._form.apply, self._parameters[0].kind
        if kind is SCALAR:
            return shapes.single_state_and_rest(apply, first, rest, self.apply_to_first, self.located)
        if kind.exact is str:
            return shapes.text_state_and_rest(apply, first, rest, self.apply_to_first, self.located)
        return None

    def _narrow_plain(self, first: Run, rest: list[Value]) -> Run | None:
        apply, kind, general = self._form.apply, self._parameters[0].kind, self.apply_to_first
        match kind.exact, rest:
            case _, [second] if kind.takes_lists:
                return shapes.anything_and_one(apply, first, second, self.located)
            case exact, [] if exact is str:
                return shapes.text(apply, first, general, self.located)
            case exact, [second] if exact is str:
                return shapes.text_and_one(apply, first, second, general, self.located)
            case exact, [second, third] if exact is str:
                return shapes.text_and_two(apply, first, (second, third), general, self.located)
            case exact, [second] if exact is int:
                return shapes.number_and_one(apply, first, second, general, self.located)
            case _:
                return None

    def _constants_after_first(self) -> list[Value] | None:
        """Give the other arguments, as the function takes them, when all are constants."""
        if not self._arguments:
            return None
        values: list[Value] = []
        for argument, parameter in zip(self._arguments[1:], self._parameters[1:], strict=True):
            if not isinstance(argument, Constant):
                return None
            if argument.value is SKIPPED:
                values.append(None)
            elif argument.value is None and not parameter.kind.takes_lists:
                return None
            else:
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

    def apply_to_first(self, state: State, first: Value) -> Value:
        """Call the function with any first value; the other arguments are constants."""
        if first is None and self._null_ends:
            return self._form.null
        if isinstance(first, list) and len(first) > FEW:
            # Looking at all values is work already: the clock runs from here.
            state.remaining()
        if isinstance(first, list) and self._maps_texts and first and _all_small_texts(first):
            try:
                return self._map_texts(state, first)
            except Fault as fault:
                raise self.located(fault) from None
        return self.apply(state, [first, *self._passed_rest])

    def apply(self, state: State, values: list[Value]) -> Value:
        """Call the function with any values: map over lists, convert, apply the rules for null.

        An empty list is null, as an attribute without values is absent.
        """
        try:
            width = max([len(value) for value in self._mapped(values) if isinstance(value, list)], default=0)
            if width > FEW:
                state.remaining()
            if not width:
                return self._apply_single(state, self._row(values, 0))
            return self._map(state, values, width)
        except Fault as fault:
            raise self.located(fault) from None

    def _mapped(self, values: list[Value]) -> list[Value]:
        """Give the values of the arguments that take single values only."""
        return [
            value
            for value, parameter in zip(values, self._parameters, strict=True)
            if not parameter.kind.takes_lists
        ]

    def _map_texts(self, state: State, texts: list[Any]) -> list[Scalar]:
        apply, rest = self._form.apply, self._rest or []
        if len(texts) <= FEW:
            return [result for text in texts if (result := apply(text, *rest)) is not None]
        out: list[Scalar] = []
        for start in range(0, len(texts), FEW):
            some = [
                result for text in texts[start : start + FEW] if (result := apply(text, *rest)) is not None
            ]
            state.produced(some)
            out += some
        return out

    def _map(self, state: State, values: list[Value], width: int) -> list[Scalar]:
        if any(isinstance(value, list) and len(value) not in {0, 1, width} for value in self._mapped(values)):
            raise Fault("cannot bring together lists of different lengths")
        out: list[Scalar] = []
        for index in range(width):
            result = self._apply_single(state, self._row(values, index))
            added = result if isinstance(result, list) else [] if result is None else [result]
            if width > FEW:
                state.produced(added)
            out.extend(added)
        return out

    def _row(self, values: list[Value], index: int) -> list[Value]:
        """Give the values of one call: of a list the one at `index`, of a list of one always that one."""
        row: list[Value] = []
        for value, parameter in zip(values, self._parameters, strict=True):
            if not isinstance(value, list) or parameter.kind.takes_lists:
                row.append(value)
            else:
                row.append(value[index if len(value) > 1 else 0] if value else None)
        return row

    def _apply_single(self, state: State, values: list[Value]) -> Value:
        converted: list[Any] = []
        for index, (value, parameter) in enumerate(zip(values, self._parameters, strict=True)):
            if _is_skipped(value):
                converted.append(None)
                continue
            if value is None and not parameter.kind.takes_lists:
                if index == 0 and not parameter.nullable:
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
    if argument.value is SKIPPED:
        return Constant(None) if parameter.kind.takes_lists else argument
    try:
        return Constant(_converted(argument.value, parameter))
    except Fault:
        return shapes.constant(_passed(argument))


def _given(constant: Constant) -> object:
    """Give a constant as a form's check wants it: None for a skipped one, and a null is an empty text."""
    if constant.value is SKIPPED:
        return None
    return "" if constant.value is None else constant.value


def _is_skipped(value: object) -> bool:
    return value is SKIPPED


def _passed(constant: Constant) -> Any:
    """Give a constant as one of the values of a call, which may be the mark of a skipped one."""
    return constant.value


def _all_small_texts(values: list[Scalar]) -> bool:
    # A list is quicker here than a generator.
    return all([value.__class__ is str and len(value) <= SMALL for value in values])  # noqa: C419


def _null(parameter: Parameter) -> Value:
    """Give what a null becomes where it is not the first argument: an empty text, or the default."""
    if parameter.nullable:
        return None
    if parameter.kind is TEXT:
        return ""
    if parameter.optional:
        return None
    raise Fault(f"must be a {parameter.kind.name}", parameter.name, value=None)


def _converted(value: Any, parameter: Parameter) -> Any:
    kind = parameter.kind
    if kind.takes_lists or value.__class__ is kind.exact:
        return value
    try:
        return kind.convert(value)
    except Fault as fault:
        raise Fault(fault.problem, parameter.name, value=fault.value) from None
