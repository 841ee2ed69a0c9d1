"""One way to evaluate an expression in a test."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

import pytest

from pipeline.expressions import Context, Dialect, Ignore, Value, compile_expression

NOW: Final = datetime(2021, 7, 2, 15, 33, 38, 250_000, tzinfo=UTC)


class Evaluate(Protocol):
    """Evaluate a text with source attributes, in a dialect."""

    def __call__(
        self, text: str, source: Mapping[str, Value] | None = None, dialect: str = "cloud-sync"
    ) -> Value | Ignore:
        """Give the value; raises ExpressionError."""


@pytest.fixture
def context() -> Context:
    """Give a world that stands still: fixed clock, seeded chance, one domain, two taken addresses."""
    return Context(
        now=lambda: NOW,
        random=random.Random(7),  # noqa: S311  # a test's chance has to be the same each time
        parameters={"Domain.FQDN": "contoso.test", "ReplaceString": "’:,ä:a,ö:oe"},
        is_taken={"a@contoso.test", "b@contoso.test"}.__contains__,
    )


@pytest.fixture
def evaluate(context: Context) -> Evaluate:
    """Compile and evaluate in one step."""

    def run(
        text: str, source: Mapping[str, Value] | None = None, dialect: str = "cloud-sync"
    ) -> Value | Ignore:
        expression = compile_expression(text, Dialect(dialect))
        return expression.evaluate({name.casefold(): v for name, v in (source or {}).items()}, context)

    return run
