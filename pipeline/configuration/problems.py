"""What is wrong with a configuration: where, how badly, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is. Only errors keep a configuration from being used or from working."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file. `line` and `column` count from 1; `code` is stable, for scripts."""

    line: int
    column: int
    message: str
    code: str = "invalid"
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems from the top of the file to its end, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column, p.code, p.message)))


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that are errors."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
