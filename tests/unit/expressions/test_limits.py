"""Hostile expressions and values: each is refused or bounded in time and memory."""

from __future__ import annotations

import contextlib
import gc
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest
import regex

from pipeline.expressions import (
    Context,
    Dialect,
    ExpressionError,
    Scalar,
    Value,
    compile_expression,
)
from pipeline.expressions.functions import replacing
from pipeline.expressions.state import TIME_LIMIT
from tests.unit.expressions.hostile import CATEGORIES, SOURCE, corpus

SECONDS: Final = 0.5
"""Of processor time. Far more than any takes anywhere: it tells work that is bounded from work that grows."""
BYTES: Final = 10_000_000
TOO_LONG: Final = "the evaluation takes longer than 20 ms"

CORPUS: Final = corpus()


@pytest.fixture
def _collector_waits() -> Iterator[None]:
    """Count the expression's own work alone, and everything that it makes."""
    gc.disable()
    yield
    gc.enable()


def _forget_patterns() -> None:
    replacing.forget()
    regex.purge()


def _texts(category: str) -> dict[str, str]:
    return {name: text for name, text in CORPUS.items() if name.rsplit(" ", 1)[0] == category}


def _evaluated(text: str) -> None:
    """Read and evaluate; whatever happens, it is a value or a short error of ours."""
    error = ""
    try:
        compile_expression(text, Dialect.CONNECT).evaluate(SOURCE, Context())
    except ExpressionError as refusal:
        error = str(refusal)
    assert len(error) < 1000


def _traced(text: str) -> None:
    """Read and trace, which is to evaluate and to keep every node's value as well."""
    with contextlib.suppress(ExpressionError):
        assert compile_expression(text, Dialect.CONNECT).trace(SOURCE, Context()).root.text


def test_the_corpus_is_large() -> None:
    """There are hundreds of hostile expressions, no two alike, of every category and with a reason."""
    assert len(CORPUS) == len(set(CORPUS.values())) >= 1000
    assert all(reason and len(_texts(name)) >= 15 for name, (reason, _) in CATEGORIES.items())


@pytest.mark.usefixtures("_collector_waits")
@pytest.mark.parametrize("category", CATEGORIES)
def test_hostile_expressions_are_bounded_in_time(category: str) -> None:
    """Each gives a value or one of our errors after a bounded amount of work."""
    slow = {}
    for name, text in _texts(category).items():
        _forget_patterns()
        start = time.thread_time()
        _evaluated(text)
        if (seconds := time.thread_time() - start) > SECONDS:
            slow[name] = f"{seconds * 1000:.0f} ms for {text[:80]}"
    assert not slow


@pytest.mark.usefixtures("_collector_waits")
@pytest.mark.parametrize("category", CATEGORIES)
def test_hostile_expressions_are_bounded_in_memory(category: str) -> None:
    """Whatever each makes on the way, and what its trace keeps of it, stays below 10 MB."""
    large = {}
    tracemalloc.start()
    try:
        for name, text in _texts(category).items():
            _forget_patterns()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            _traced(text)
            if (peak := tracemalloc.get_traced_memory()[1] - before) > BYTES:
                large[name] = f"{peak / 1e6:.1f} MB for {text[:80]}"
    finally:
        tracemalloc.stop()
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
    with pytest.raises(ExpressionError, match=TOO_LONG):
        expression.evaluate({"m": ["x"] * 50_000}, context)
    assert time.thread_time() - start < SECONDS


@pytest.mark.parametrize(
    ("collections", "ends"),
    [(0, "too long"), (1, "well"), (2, "too long")],
    ids=["its own work", "one collection", "two collections"],
)
def test_a_collection_of_garbage_is_not_the_expressions_work(
    context: Context, collections: int, ends: str
) -> None:
    """Time that passed with a full collection of the process's garbage is given again, and only once."""
    turns = 0

    def spend() -> datetime:
        """Use up all the time in the second turn, and again in the fiftieth, each time with a collection."""
        nonlocal turns
        turns += 1
        if turns in (2, 50)[: max(1, collections)]:
            start = time.thread_time()
            while time.thread_time() - start < TIME_LIMIT:
                pass
            if collections:
                gc.collect()
        return context.now()

    expression = compile_expression("Count(Select($i, [m], Now()))", Dialect.CONNECT)
    world = replace(context, now=spend)
    if ends == "well":
        assert expression.evaluate({"m": ["x"] * 100}, world) == 100
        return
    with pytest.raises(ExpressionError, match=TOO_LONG):
        expression.evaluate({"m": ["x"] * 100}, world)


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
