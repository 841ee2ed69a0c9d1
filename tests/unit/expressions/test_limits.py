"""Hostile expressions and values: each is refused or bounded in time and memory."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from typing import Final

import pytest
import regex

from pipeline.expressions import (
    Context,
    Dialect,
    Expression,
    ExpressionError,
    Scalar,
    Value,
    compile_expression,
)
from pipeline.expressions.functions import replacing
from tests.unit.expressions.hostile import CATEGORIES, SOURCE, corpus

SECONDS: Final = 0.050
"""Of processor time: for reading and evaluating together, and for tracing."""
BYTES: Final = 10_000_000
ATTEMPTS: Final = 5
"""What is slow once may have been disturbed; what is slow each time is slow."""

CORPUS: Final = corpus()


@pytest.fixture(autouse=True)
def _own_work_only() -> Iterator[None]:
    """Count the expression's own work: the grammar is read already, the collector waits."""
    compile_expression("Trim([a])")
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _forget_patterns() -> None:
    replacing.forget()
    regex.purge()


def _texts(category: str) -> dict[str, str]:
    return {name: text for name, text in CORPUS.items() if name.rsplit(" ", 1)[0] == category}


def _evaluated(text: str) -> Expression | None:
    """Read and evaluate; whatever happens, it is a value or a short error of ours."""
    expression, error = None, ""
    try:
        expression = compile_expression(text, Dialect.CONNECT)
        expression.evaluate(SOURCE, Context())
    except ExpressionError as refusal:
        error = str(refusal)
    assert len(error) < 1000
    return expression


def _seconds(text: str) -> float:
    """Give the larger of the times that reading with evaluating, and tracing, take."""
    _forget_patterns()
    start = time.thread_time()
    expression = _evaluated(text)
    middle = time.thread_time()
    if expression is not None:
        assert expression.trace(SOURCE, Context()).root.text
    return max(middle - start, time.thread_time() - middle)


def test_the_corpus_is_large() -> None:
    """There are hundreds of hostile expressions, no two alike, of every category and with a reason."""
    assert len(CORPUS) == len(set(CORPUS.values())) >= 1000
    assert all(reason and len(_texts(name)) >= 15 for name, (reason, _) in CATEGORIES.items())


@pytest.mark.parametrize("category", CATEGORIES)
def test_hostile_expressions_are_bounded_in_time(category: str) -> None:
    """Each gives a value or one of our errors within 50 ms, and so does its trace."""
    slow = {}
    for name, text in _texts(category).items():
        attempts = (_seconds(text) for _ in range(ATTEMPTS))
        if all((best := seconds) > SECONDS for seconds in attempts):
            slow[name] = f"{best * 1000:.0f} ms for {text[:80]}"
    assert not slow


@pytest.mark.parametrize("category", CATEGORIES)
def test_hostile_expressions_are_bounded_in_memory(category: str) -> None:
    """Whatever each makes on the way, traced or not, stays below 10 MB."""
    large = {}
    for name, text in _texts(category).items():
        _forget_patterns()
        tracemalloc.start()
        try:
            expression = _evaluated(text)
            if expression is not None:
                assert expression.trace(SOURCE, Context()).root.text
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if peak > BYTES:
            large[name] = f"{peak / 1e6:.1f} MB for {text[:80]}"
    assert not large


@pytest.mark.parametrize("text", _texts("reaching out").values())
def test_an_expression_reaches_nothing_but_its_object(text: str) -> None:
    """What looks like code, a path or a format gives nothing, or is the text that it is."""
    try:
        value = compile_expression(text, Dialect.CONNECT).evaluate({"a": "a"}, Context())
    except ExpressionError:
        return
    assert value is None or str(value) in text


def test_time_is_limited_over_the_whole_evaluation(context: Context) -> None:
    """Many pieces of work that are each allowed add up; the limit is theirs together."""
    text = "Count(Where($i, [m], " + " || ".join(['InStr($i, "z") > 0'] * 120) + "))"
    expression = compile_expression(text, Dialect.CONNECT)
    start = time.thread_time()
    with pytest.raises(ExpressionError, match="the evaluation takes longer than 20 ms"):
        expression.evaluate({"m": ["x"] * 50_000}, context)
    assert time.thread_time() - start < SECONDS


def test_large_but_reasonable_values_pass(context: Context) -> None:
    """A photo, a long note and a large group are ordinary; limits are for what is not."""
    note = "word " * 10_000
    photo = b"\xff" * 100_000
    members: list[Scalar] = [f"CN=member {number},OU=x,DC=contoso,DC=com" for number in range(20_000)]
    source: dict[str, Value] = {"note": note, "photo": photo, "member": members}

    def value(text: str) -> object:
        return compile_expression(text).evaluate(source, context)

    assert value("Trim([note])") == note.strip()
    assert value("[note] & [note]") == note * 2
    assert len(str(value("ConvertToBase64([photo])"))) == 133_336
    assert value("Count([member])") == 20_000
    assert value("Trim([member])") == members
    assert value("[member]") is members


def test_a_value_beyond_the_limit_says_so(context: Context) -> None:
    """The error names the size and the limit."""
    with pytest.raises(ExpressionError, match="a value of 1000000 is longer than 160000"):
        compile_expression("Trim([long])").evaluate(SOURCE, context)
    with pytest.raises(ExpressionError, match="add up to more than 2000000"):
        compile_expression('Select($i, [m], PadLeft($i, 40000, "y"))', Dialect.CONNECT).evaluate(
            {"m": ["x"] * 100}, context
        )
