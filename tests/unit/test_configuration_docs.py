"""The pages about rules tell the truth: their samples load, their tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.configuration.document import Attribute, ConfigurationDocument
from pipeline.configuration.lint import CODES, check_configuration
from pipeline.expressions import Dialect, compile_expression
from pipeline.expressions.functions import FUNCTIONS
from pipeline.filters import Operator

DOCS = Path(__file__).parents[2] / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")
EXPRESSIONS = (DOCS / "expressions.md").read_text(encoding="utf-8")


def test_the_sample_of_the_page_has_no_fault() -> None:
    """What people copy from the page checks without an error or a warning."""
    (sample,) = re.findall(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL)
    problems = check_configuration(sample).problems

    assert {str(problem.severity) for problem in problems} <= {"note"}, problems


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_in_the_table(code: str) -> None:
    """A code that somebody looks up is there, with the meaning that the code has."""
    assert re.search(
        rf"^\| `{code}` \| (error|warning|note) \| {re.escape(CODES[code])} \|$", CONFIGURATION, re.MULTILINE
    )


def test_every_setting_and_operator_is_in_the_tables() -> None:
    """Nothing can be written that the page does not name."""
    options = set(Attribute.model_fields) - {"target"}

    assert [name for name in ConfigurationDocument.model_fields if f"| `{name}` |" not in CONFIGURATION] == []
    assert [name for name in options if f"`{name}: " not in CONFIGURATION] == []
    assert [str(operator) for operator in Operator if f"`{operator}`" not in CONFIGURATION] == []


@pytest.mark.parametrize(
    "expression", re.findall(r"^\| [^|]+ \| `(.+)` \|$", EXPRESSIONS.split("## Patterns")[1], re.MULTILINE)
)
def test_the_patterns_of_the_page_compile(expression: str) -> None:
    """What people copy from the page is an expression of the dialect that is the default."""
    assert compile_expression(expression, Dialect.CLOUD_SYNC).text == expression


def test_every_function_is_named() -> None:
    """The page lists the functions that there are, each under its dialects."""
    listed = EXPRESSIONS.split("## Functions")[1].split("Not there")[0]
    everywhere, connect = (set(re.findall(r"`(\w+)`", part)) for part in listed.split("In `connect` as well"))
    homes = {f.name: {d for form in f.forms for d in form.dialects} for f in FUNCTIONS.values()}

    assert everywhere == {name for name, dialects in homes.items() if dialects == set(Dialect)}
    assert connect == {name for name, dialects in homes.items() if dialects == {Dialect.CONNECT}}
