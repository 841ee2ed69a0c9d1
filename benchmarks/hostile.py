"""How long the slowest of more than a thousand hostile expressions takes: to read and evaluate, and to trace.

Each is to be done, or refused, within 50 ms of processor time. The tests hold the amount of work in bounds;
the time itself is a matter of the machine, and measured here.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable
from typing import Final

import regex
from rich.console import Console
from rich.table import Table

from pipeline.expressions import Context, Dialect, ExpressionError, compile_expression
from pipeline.expressions.functions import replacing
from tests.unit.expressions.hostile import SOURCE, corpus

TARGET_MS: Final = 50.0
ATTEMPTS: Final = 5
"""What is slow once may have been disturbed; what counts is the best of these."""
_ENOUGH_MS: Final = 10.0  # below this one attempt will do
_SHOWN: Final = 60


def _evaluate(text: str) -> None:
    compile_expression(text, Dialect.CONNECT).evaluate(SOURCE, Context())


def _trace(text: str) -> None:
    trace = compile_expression(text, Dialect.CONNECT).trace(SOURCE, Context())
    _ = trace.root  # the tree is made when asked for


def _milliseconds(work: Callable[[str], None], text: str) -> float:
    """Return the processor time that a piece of work takes at its best, nothing remembered before it."""
    best = float("inf")
    for _ in range(ATTEMPTS):
        replacing.forget()
        regex.purge()
        began = time.thread_time()
        with contextlib.suppress(ExpressionError):
            work(text)
        best = min(best, (time.thread_time() - began) * 1000)
        if best < _ENOUGH_MS:
            break
    return best


def slowest(work: Callable[[str], None]) -> tuple[float, str, str]:
    """Return the milliseconds, the name and the text of the hostile expression that takes longest."""
    compile_expression("Trim([a])")  # the grammar is read already
    gc.disable()
    try:
        return max((_milliseconds(work, text), name, text) for name, text in corpus().items())
    finally:
        gc.enable()


def show() -> list[str]:
    """Measure and print; return what is over the target."""
    table = Table(title=f"the slowest of {len(corpus()):,} hostile expressions")
    for column in ("", "ms", "target ms", "expression"):
        table.add_column(column, justify="left" if column in {"", "expression"} else "right")
    missed: list[str] = []
    for what, work in (("read and evaluated", _evaluate), ("read and traced", _trace)):
        taken, name, text = slowest(work)
        missed += [f"{what}: {name}"] if taken > TARGET_MS else []
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        table.add_row(what, f"{taken:.1f}", f"≤ {TARGET_MS:.0f}", f"{name}: {shown}")
    Console().print(table, markup=False)
    return missed
