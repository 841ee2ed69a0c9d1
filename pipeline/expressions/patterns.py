"""A pattern outside an expression: the regular expressions of scope filters."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.expressions.dotnet_regex import Pattern, PatternError, translate
from pipeline.expressions.errors import ExpressionError, ExpressionSyntaxError, Fault, Position
from pipeline.expressions.state import TIME_LIMIT

_START = Position(1, 1, 0)


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A .NET pattern, ready to be looked for; made by compile_pattern."""

    text: str
    pattern: Pattern

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern occurs anywhere in a text; raises ExpressionError when it takes too long."""
        try:
            return self.pattern.found_in(text, TIME_LIMIT)
        except Fault as fault:
            raise fault.at(_START) from None


def compile_pattern(text: str) -> TextPattern:
    """Read a .NET pattern; raises ExpressionSyntaxError with the column in the pattern."""
    try:
        return TextPattern(text, translate(text))
    except PatternError as refusal:
        raise ExpressionSyntaxError(str(refusal), position=Position(1, 1, 0)) from None


__all__ = ["ExpressionError", "TextPattern", "compile_pattern"]
