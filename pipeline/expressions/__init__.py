"""The expression language of Entra's provisioning service and of Connect Sync.

Compile an expression once, evaluate it for many objects:

    expression = compile_expression('Join(" ", [givenName], [sn])')
    expression.evaluate({"givenname": "Ada", "sn": "Lovelace"}, Context())    # "Ada Lovelace"
"""

from pipeline.expressions.errors import ExpressionError, ExpressionSyntaxError, Position
from pipeline.expressions.expression import Expression, compile_expression
from pipeline.expressions.patterns import TextPattern, compile_pattern
from pipeline.expressions.state import Context
from pipeline.expressions.trace import Trace, TraceNode
from pipeline.expressions.values import IGNORE, Dialect, Ignore, Reference, Scalar, Value, as_text

__all__ = [
    "IGNORE",
    "Context",
    "Dialect",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "Ignore",
    "Position",
    "Reference",
    "Scalar",
    "TextPattern",
    "Trace",
    "TraceNode",
    "Value",
    "as_text",
    "compile_expression",
    "compile_pattern",
]
