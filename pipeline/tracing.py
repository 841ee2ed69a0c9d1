"""How a mapping came to its value, small enough to be kept with the run."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from pipeline.expressions import Ignore, Trace, TraceNode, Value, as_text
from pipeline.model import TraceStep

MOST: Final = 60
"""How many steps of one mapping are kept; what is beyond is counted."""

_TEXT: Final = 160  # characters of a step's own text
_VALUE: Final = 200  # and of its value
_ITEMS: Final = 5
_AS_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_LITERALS: Final = frozenset({"text", "number", "word"})


def trace_steps(trace: Trace) -> tuple[TraceStep, ...]:
    """Return the steps of a trace, the whole first, each part one deeper than what it is a part of.

    Of a branch that was passed over nothing further is kept: nothing in it was looked at.
    """
    steps: list[TraceStep] = []
    _add(trace.root, 0, steps)
    left = len(steps) - MOST
    if left > 0:
        steps[MOST:] = [TraceStep(0, f"and {left:,} further steps", "", evaluated=False)]
    return tuple(steps)


def _add(node: TraceNode, depth: int, steps: list[TraceStep]) -> None:
    value = value_in_words(node.value) if node.evaluated else "failed" if node.failed else ""
    steps.append(TraceStep(depth, _line(node.text), value, node.evaluated, node.taken))
    if node.taken is False:
        return
    for child in node.children:
        if child.kind not in _LITERALS or child.taken is not None:  # its text stands in the line above
            _add(child, depth + 1, steps)


@lru_cache(maxsize=4096)
def _line(text: str) -> str:
    """Write a part of an expression in one line; the rules have a few hundred of them."""
    return _cut(" ".join(text.split()), _TEXT)


def value_in_words(value: Value | Ignore) -> str:
    """Write a value of an expression: texts in quotes, lists in brackets, nothing in a word."""
    if isinstance(value, Ignore):
        return "left out of the flow"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        shown = ", ".join(_quoted(as_text(item)) for item in value[:_ITEMS])
        return f"[{shown}{f' and {len(value) - _ITEMS:,} more' if len(value) > _ITEMS else ''}]"
    return _quoted(value) if isinstance(value, str) else _cut(as_text(value), _VALUE)


def _quoted(value: str) -> str:
    return _AS_JSON.encode(_cut(value, _VALUE))


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else f"{value[: limit - 1]}…"
