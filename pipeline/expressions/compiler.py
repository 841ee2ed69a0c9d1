"""Turn the syntax tree into closures, once, when an expression is loaded.

Every closure takes the source attributes (names case-folded) and the evaluation's state. The compiler picks
the narrowest closure it can: arguments that are constants are converted now, and a value that has the right
type already goes straight to the function.
"""

from __future__ import annotations

from typing import Final

from pipeline.expressions import operators
from pipeline.expressions.calls import Argument, CallPlan, Constant
from pipeline.expressions.errors import ExpressionError, Fault
from pipeline.expressions.functions import find_form, lookup
from pipeline.expressions.kinds import WORD, to_boolean
from pipeline.expressions.nodes import (
    Attribute,
    Binary,
    Call,
    Chain,
    Negation,
    Node,
    Number,
    Parameter,
    Span,
    Text,
    Variable,
    Word,
)
from pipeline.expressions.shapes import Run, Source, constant
from pipeline.expressions.signature import SKIPPED, Form, Style
from pipeline.expressions.state import FAILED, State, parameter_key
from pipeline.expressions.values import IGNORE, Dialect, Value

_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None, "crlf": "\r\n"}
_IGNORE_WORD: Final = "ignorethisflow"


class IgnoreSignal(Exception):
    """The attribute is to be dropped from the flow, whatever surrounds the place that says so."""


class Compiler:
    """Compile the nodes of one expression, and note what it uses."""

    def __init__(self, dialect: Dialect, *, recording: bool = False) -> None:
        self.dialect = dialect
        self.attributes: dict[str, str] = {}
        self.functions: set[str] = set()
        self.deterministic = True
        self.metered = False
        self.redacts = False
        self.slots: dict[int, int] = {}
        self.outcomes: set[int] = set()
        self._recording = recording
        self._variables: list[str] = []
        self._top = True

    def compile(self, node: Node) -> Run:
        """Give the closure of a node; raises ExpressionError for what can never be evaluated."""
        top, self._top = self._top, False
        if isinstance(node, Text | Number):
            return constant(node.value)
        if isinstance(node, Word):
            return self._word(node)
        if not self._recording:
            return self._plain(node, top=top)
        slot = self._slot(node)
        if isinstance(node, Attribute):
            return _recorded_attribute(self.attribute_key(node.name), slot)
        return _recorded(self._plain(node, top=top), slot)

    def branch(self, node: Node | None) -> Run:
        """Compile an argument of a function that decides what to evaluate; a skipped one is null."""
        if node is None:
            return constant(None)
        run = self.compile(node)
        # A constant argument leaves no other mark of having been evaluated.
        noted = self._recording and id(node) not in self.slots
        return _recorded(run, self._slot(node)) if noted else run

    def outcome(self, node: Node | None) -> Run:
        """Compile a branch that may become the value of its function."""
        if node is not None:
            self.outcomes.add(id(node))
        return self.branch(node)

    @property
    def ignore(self) -> Run:
        """The closure that drops the attribute from the flow."""
        return _ignore

    def bound(self, variable: Variable, node: Node | None) -> tuple[Run, range]:
        """Compile a node in which a variable is bound; give its closure and the places of its notes."""
        self._variables.append(variable.folded)
        self.metered = True
        first = len(self.slots)
        try:
            return self.branch(node), range(first, len(self.slots))
        finally:
            self._variables.pop()

    def _slot(self, node: Node) -> int:
        return self.slots.setdefault(id(node), len(self.slots))

    def _plain(
        self, node: Attribute | Parameter | Variable | Call | Negation | Binary | Chain, *, top: bool
    ) -> Run:
        if isinstance(node, Call):
            return self._call(node, top=top)
        if isinstance(node, Binary | Chain | Negation):
            return self._operation(node)
        if isinstance(node, Attribute):
            return self.attribute(node.name)
        return self._parameter(node) if isinstance(node, Parameter) else self._variable(node)

    def _operation(self, node: Binary | Chain | Negation) -> Run:
        if isinstance(node, Binary):
            return self._binary(node)
        return self._chain(node) if isinstance(node, Chain) else self._negation(node)

    def attribute_key(self, name: str) -> str:
        """Note that an attribute is read, and give the key under which the source has it."""
        folded = name.casefold()
        self.attributes.setdefault(folded, name)
        return folded

    def attribute(self, name: str) -> Run:
        """Give the closure that reads an attribute, and note its name."""
        folded = self.attribute_key(name)
        return lambda source, _state: source.get(folded)

    def _word(self, node: Word) -> Run:
        if node.folded in _CONSTANTS:
            return constant(_CONSTANTS[node.folded])
        if node.folded == _IGNORE_WORD:
            return _ignore
        message = f"{node.name} is not a word of the language; texts stand in quotes, attributes in brackets"
        raise ExpressionError(message, position=node.span.position)

    def _parameter(self, node: Parameter) -> Run:
        key = parameter_key(node.name)
        self.metered = True

        def run(_source: Source, state: State) -> Value:
            value = state.context.parameter(key)
            if value is None:
                message = f"the parameter %{node.name}% has no value in this configuration"
                raise ExpressionError(message, position=node.span.position)
            return value

        return run

    def _variable(self, node: Variable) -> Run:
        if node.folded not in self._variables:
            message = f"${node.name} is not bound here; Select, Where and With bind variables"
            raise ExpressionError(message, position=node.span.position)
        folded = node.folded
        return lambda _source, state: state.variable(folded)

    def _call(self, node: Call, *, top: bool) -> Run:
        function = lookup(node, self.dialect)
        self.functions.add(function.name)
        self.deterministic = self.deterministic and function.deterministic
        if function.top_level_only and not top:
            message = "cannot stand inside another function"
            raise ExpressionError(message, position=node.span.position, function=node.name)
        form, call = find_form(function, node, self.dialect)
        if form.style is Style.SPECIAL:
            run: Run = form.apply(self, call)
            return run
        if form.style is Style.METERED:
            self.metered = True
        arguments = [self._argument(argument, form, index) for index, argument in enumerate(call.arguments)]
        plan = CallPlan(call, form, arguments)
        plan.check()
        return plan.closure()

    def _argument(self, node: Node | None, form: Form, index: int) -> Argument:
        if node is None:
            return Constant(SKIPPED)
        if form.parameter(index).kind is WORD and isinstance(node, Word):
            return Constant(node.name)
        if isinstance(node, Text | Number):
            return Constant(node.value)
        if isinstance(node, Word) and node.folded in _CONSTANTS:
            return Constant(_CONSTANTS[node.folded])
        return self.compile(node)

    def _negation(self, node: Negation) -> Run:
        operand = self.compile(node.operand)

        def run(source: Source, state: State) -> Value:
            try:
                return operators.negate(operand(source, state))
            except Fault as fault:
                raise fault.at(node.span.position) from None

        return run

    def _binary(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)

        def located(fault: Fault) -> ExpressionError:
            return fault.at(node.span.position)

        if node.operator not in operators.ORDER:
            return operators.calculation(node.operator, left, right, located)
        if isinstance(node.right, Text | Number):
            return operators.comparison_with_constant(node.operator, left, node.right.value, located)
        return operators.comparison(node.operator, left, right, located)

    def _chain(self, node: Chain) -> Run:
        operands = [self.branch(operand) for operand in node.operands]
        if node.operator == "&":
            return operators.concatenation(operands, lambda fault: fault.at(node.span.position))
        stop = node.operator == "||"
        go_on = not stop
        spans = [operand.span for operand in node.operands]

        def run(source: Source, state: State) -> Value:
            for index, operand in enumerate(operands):
                value = operand(source, state)
                if value is go_on:
                    continue
                if value is stop or condition(value, spans[index]) is stop:
                    return stop
            return go_on

        return run


def condition(value: Value, span: Span) -> bool:
    """Read a value as true or false, or say where it is neither."""
    try:
        return to_boolean(value)
    except Fault as fault:
        raise Fault("the condition " + fault.problem, value=fault.value).at(span.position) from None


def _recorded(run: Run, slot: int) -> Run:
    def note(source: Source, state: State) -> Value:
        try:
            value = state.values[slot] = run(source, state)
        except IgnoreSignal:
            state.values[slot] = IGNORE
            raise
        except ExpressionError:
            state.values[slot] = FAILED
            raise
        return value

    return note


def _recorded_attribute(key: str, slot: int) -> Run:
    def note(source: Source, state: State) -> Value:
        value = state.values[slot] = source.get(key)
        return value

    return note


def _ignore(_source: Source, _state: State) -> Value:
    raise IgnoreSignal
