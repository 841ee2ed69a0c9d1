"""The failures of an expression, each with the place in its text.

ExpressionError            evaluation or checking failed: function, argument, value and place are known
└── ExpressionSyntaxError  the text is not an expression at all
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.expressions.values import Value, as_text

_SHOWN = 80
# Names and texts in a message may be as long as somebody made them; a message is to be read.
_MESSAGE = 600


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an expression's text: line and column count from 1, offset from 0."""

    line: int
    column: int
    offset: int

    def __str__(self) -> str:
        return f"column {self.column}" if self.line == 1 else f"line {self.line}, column {self.column}"


class ExpressionError(Exception):
    """An expression cannot be used or cannot be evaluated for this object."""

    def __init__(
        self,
        message: str,
        *,
        position: Position,
        function: str | None = None,
        argument: str | None = None,
        value: Value = None,
    ) -> None:
        if len(message) > _MESSAGE:
            message = message[:_MESSAGE] + "…"
        super().__init__(message, position, function, argument, value)
        self.message = message
        self.position = position
        self.function = function
        self.argument = argument
        self.value = value

    def __str__(self) -> str:
        # What a rule's author wrote into Error() is the whole sentence; the function's name adds nothing.
        owner = f"{self.function}: " if self.function and self.function != "Error" else ""
        return f"{owner}{self.message} ({self.position})"


class ExpressionSyntaxError(ExpressionError):
    """The text does not follow the grammar."""


class Unset(enum.Enum):
    """Mark that a fault is about no value; null is a value one can object to."""

    UNSET = "unset"


class Fault(Exception):
    """What a function objects to, before the place in the text is known."""

    def __init__(
        self, problem: str, argument: str | None = None, *, value: Value | Unset = Unset.UNSET
    ) -> None:
        super().__init__(problem, argument, value)
        self.problem = problem
        self.argument = argument
        self.value = value

    @property
    def message(self) -> str:
        """Say it in words: argument, problem, offending value."""
        subject = f"{self.argument} " if self.argument else ""
        got = "" if isinstance(self.value, Unset) else f", got {shown(self.value)}"
        return f"{subject}{self.problem}{got}"

    def at(self, position: Position, function: str | None = None) -> ExpressionError:
        """Give the error that names the place."""
        value = None if isinstance(self.value, Unset) else self.value
        return ExpressionError(
            self.message, position=position, function=function, argument=self.argument, value=value
        )


def shown(value: Value) -> str:
    """Give a value as it may stand in a sentence: quoted text, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"{len(value)} value{'s' * (len(value) != 1)}"
    if isinstance(value, bytes):
        return f"{len(value)} byte{'s' * (len(value) != 1)}"
    text = as_text(value)
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + "…"
    return f'"{text}"' if isinstance(value, str) else text
