"""The published samples of the expression language, and cases derived from its rules."""

from __future__ import annotations

import base64
import json
import os
import random
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.expressions import (
    IGNORE,
    Context,
    Dialect,
    ExpressionError,
    Scalar,
    Value,
    as_text,
    compile_expression,
)

_FOLDER: Final = Path(os.environ.get("CONFORMANCE_DIR") or Path(__file__).parent / "cases")


def _cases() -> list[Any]:
    cases = json.loads((_FOLDER / "expression-cases.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["id"]) for case in cases]


def _value(raw: Any) -> Value:
    if isinstance(raw, list):
        return [_single(item) for item in raw]
    return None if raw is None else _single(raw)


def _single(raw: Any) -> Scalar:
    if isinstance(raw, dict):
        return base64.b64decode(raw["$binary"])
    assert isinstance(raw, str | int | float | bool), raw
    return raw


def _context(given: dict[str, Any]) -> Context:
    taken = frozenset(given.get("taken", ()))
    moment = datetime.fromisoformat(given.get("now", "2021-07-02T15:33:38Z"))
    return Context(
        now=lambda: moment,
        random=random.Random(7),  # noqa: S311  # a test's chance has to be the same each time
        parameters=given.get("params", {}),
        is_taken=taken.__contains__,
    )


def _outcome(case: dict[str, Any]) -> Any:
    try:
        expression = compile_expression(case["expression"], Dialect(case["dialect"]))
        source = {name.casefold(): _value(raw) for name, raw in case["source"].items()}
        value = expression.evaluate(source, _context(case.get("context") or {}))
    except ExpressionError as error:
        wants_message = isinstance(case["expected"], dict) and "message" in case["expected"]
        return {"error": True, "message": error.message} if wants_message else {"error": True}
    if value is IGNORE:
        return {"ignore": True}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return None if value is None else as_text(value)


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    """An expression gives what Microsoft's pages say it gives, in the string form of Graph."""
    expected = case["expected"]
    outcome = _outcome(case)
    if isinstance(expected, dict) and "matches" in expected:
        assert isinstance(outcome, str)
        assert re.search(expected["matches"], outcome), outcome
    else:
        assert outcome == expected
