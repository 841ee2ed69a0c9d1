"""An expression that is ready to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.expressions.calls import Run
from pipeline.expressions.compiler import Compiler, IgnoreSignal
from pipeline.expressions.errors import ExpressionError
from pipeline.expressions.nodes import Node
from pipeline.expressions.parser import parse
from pipeline.expressions.printer import print_node
from pipeline.expressions.state import Context, MeterNeededError, State, unmetered
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
        "_metered", "_run", "_unmetered", "attributes", "deterministic", "dialect", "functions", "node",
        "redacts", "text",
    )  # fmt: skip

    def __init__(self, text: str, node: Node, dialect: Dialect) -> None:
        compiler = Compiler(dialect)
        self._run: Run = compiler.compile(node)
        self._metered = compiler.metered
        self._unmetered = unmetered()
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
            if not self._metered:
                try:
                    return self._run(source, self._unmetered)
                except MeterNeededError:
                    pass
            return self._run(source, State(context))
        except IgnoreSignal:
            return IGNORE
