"""Scope filters against documented and derived cases, from CONFORMANCE_DIR or `cases` beside this."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.filters import FilterError, ScopeFilter, evaluate_filter, scope_clause

FOLDER = Path(os.environ.get("CONFORMANCE_DIR") or Path(__file__).parent / "cases")
CASES: list[dict[str, Any]] = json.loads((FOLDER / "scope-cases.json").read_text(encoding="utf-8"))


def _filters(groups: list[dict[str, Any]]) -> list[ScopeFilter]:
    return [
        ScopeFilter(
            group["name"] or "",
            tuple(
                scope_clause(
                    clause["sourceOperandName"],
                    clause["operatorName"],
                    (clause.get("targetOperand") or {}).get("values") or [],
                )
                for clause in group["clauses"]
            ),
        )
        for group in groups
    ]


def _in_scope(case: dict[str, Any]) -> bool:
    """Both sets of groups must hold; of each, any group is enough, and none is no condition."""
    given = case["filter"] or {}
    source = {name.casefold(): value for name, value in case["source"].items()}
    return all(
        not filters or any(evaluate_filter(f, source).passed for f in filters)
        for filters in (_filters(given.get("groups") or []), _filters(given.get("inputFilterGroups") or []))
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_scope(case: dict[str, Any]) -> None:
    """A filter decides as Microsoft's pages say; what has no meaning is an error and never a guess."""
    if isinstance(case["in_scope"], dict):
        with pytest.raises(FilterError):
            _in_scope(case)
    else:
        assert _in_scope(case) is case["in_scope"]
