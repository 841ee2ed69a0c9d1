"""An expression that is ready to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.expressions.compiler import Compiler, IgnoreSignal
from pipeline.expressions.errors import ExpressionError
from pipeline.expressions.nodes import Node
from pipeline.expressions.parser import parse
from pipeline.expressions.printer import print_node
from pipeline.expressions.shapes import Run
from pipeline.expressions.state import UNSEEN, Context, MeterNeededError, State, unmetered
from pipeline.expressions.trace import Recording, Trace, described
from pipeline.expressions.values import IGNORE, Dialect, Ignore, Value


def compile_expression(text: str, dialect: Dialect = Dialect.CLOUD_SYNC) -> Expression:
    """Read and check an expression once; evaluate it as often as wanted, in any thread.

    Raises ExpressionSyntaxError for what is no expression, ExpressionError for unknown functions and words,
    wrong numbers of arguments and unbound variables.
    """
    return Expression(text, parse(text), dialect)


class Expression:
    """A compiled expression; made by compile_expression."""

    __slots__ = (
        "_recording", "_run", "_state", "attributes", "deterministic", "dialect", "functions", "node",
        "redacts", "text",
    )  # fmt: skip

    def __init__(self, text: str, node: Node, dialect: Dialect) -> None:
        compiler = Compiler(dialect)
        self._run: Run = compiler.compile(node)
        self._state = None if compiler.metered else unmetered()
        self._recording: Recording | None = None
        self.text = text
        self.node = node
        self.dialect = dialect
        self.attributes = frozenset(compiler.attributes.values())
        self.functions = frozenset(compiler.functions)
        self.deterministic = compiler.deterministic
        self.redacts = compiler.redacts

    def __str__(self) -> str:
        return print_node(self.node)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, source: Mapping[str, Value], context: Context) -> Value | Ignore:
        """Evaluate for one object.

        `source` has case-folded attribute names as keys; an absent key is null. Gives IGNORE when the
        attribute is to be dropped from the flow. Raises ExpressionError.
        """
        try:
            return self._run(source, self._state or State(context, []))
        except IgnoreSignal:
            return IGNORE
        except MeterNeededError:
            return self._with_meter(source, context)

    def trace(self, source: Mapping[str, Value], context: Context) -> Trace:
        """Evaluate for one object and keep how the value came about; raises nothing."""
        recording = self._recording or self._record()
        state = State(context, recording.blank.copy())
        try:
            return Trace(recording, state, recording.run(source, state))
        except IgnoreSignal:
            return Trace(recording, state, IGNORE)
        except ExpressionError as error:
            return Trace.failed(recording, state, error)

    def _record(self) -> Recording:
        compiler = Compiler(self.dialect, recording=True)
        run = compiler.compile(self.node)
        blank: list[object] = [UNSEEN] * len(compiler.slots)
        root = described(self.node, self.text, compiler.slots, compiler.outcomes)
        self._recording = Recording(run, blank, root)
        return self._recording

    def _with_meter(self, source: Mapping[str, Value], context: Context) -> Value | Ignore:
        try:
            return self._run(source, State(context, []))
        except IgnoreSignal:
            return IGNORE
