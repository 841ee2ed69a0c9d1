"""What is kept of how a mapping came to its value."""

from __future__ import annotations

import pytest

from bot.views.details_action import trace_text
from pipeline.expressions import compile_expression
from pipeline.expressions.state import Context
from pipeline.model import TraceStep
from pipeline.tracing import MOST, trace_steps


def steps(text: str, **source: object) -> tuple[TraceStep, ...]:
    """Return the steps of an expression for a source."""
    return trace_steps(compile_expression(text).trace(source, Context()))  # type: ignore[arg-type]  # test values


def test_the_branch_that_was_taken_is_marked() -> None:
    """Of an IIF the condition has its value, one branch is taken, and the other was not looked at."""
    assert steps('IIF(IsPresent([title]), Trim([title]), "none")', title=" Reader") == (
        TraceStep(0, 'IIF(IsPresent([title]), Trim([title]), "none")', '"Reader"'),
        TraceStep(1, "IsPresent([title])", "True"),
        TraceStep(2, "[title]", '" Reader"'),
        TraceStep(1, "Trim([title])", '"Reader"', taken=True),
        TraceStep(2, "[title]", '" Reader"'),
        TraceStep(1, '"none"', "", evaluated=False, taken=False),
    )


def test_of_a_switch_only_the_case_that_fits_is_taken() -> None:
    """Every case is listed, the one that gave the value marked."""
    taken = {
        step.text: step.taken
        for step in steps('Switch([c], "other", "GB", "British", "FR", "French")', c="FR")
        if step.taken is not None
    }
    assert taken == {'"other"': False, '"British"': False, '"French"': True}


def test_what_failed_is_told_from_what_was_passed_over() -> None:
    """An error stands at the branch that was taken; its text in quotes would be another thing."""
    kept = steps('IIF([a] = 1, Error("failed"), "failed")', a="1")
    assert [(step.text[:5], step.value, step.evaluated, step.taken) for step in kept] == [
        ("IIF([", "failed", False, None),
        ("[a] =", "True", True, None),
        ("[a]", '"1"', True, None),
        ("Error", "failed", False, True),
        ('"fail', "", False, False),
    ]
    drawn = trace_text(kept).splitlines()
    assert drawn[0] == 'IIF([a] = 1, Error("failed"), "failed")  →  failed'
    assert drawn[3] == '  ✔ taken: Error("failed")  →  failed'
    assert drawn[4] == '  ✘ not taken: "failed"'


@pytest.mark.parametrize(
    ("text", "source", "said"),
    [
        ("Trim([title])", {}, "nothing"),
        ("[n]", {"n": 7}, "7"),
        ("[many]", {"many": [str(n) for n in range(9)]}, '["0", "1", "2", "3", "4" and 4 more]'),
    ],
)
def test_values_are_in_words(text: str, source: dict[str, object], said: str) -> None:
    """A text stands in quotes, a list is cut, and nothing is a word."""
    evaluated = [step for step in steps(text, **source) if step.evaluated]
    assert said in {step.value for step in evaluated}


def test_what_is_kept_is_bounded() -> None:
    """A huge expression on a huge value is cut and counted, never kept whole."""
    kept = steps(" & ".join(["[a]"] * 300), a="x" * 30_000)
    assert len(kept) == MOST + 1
    assert kept[-1].text.endswith("further steps")
    assert all(len(step.text) <= 160 and len(step.value) <= 210 for step in kept)
