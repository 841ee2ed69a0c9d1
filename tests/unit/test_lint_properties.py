"""Whatever stands in a file, checking it ends with findings and never with a traceback."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.configuration import parse_configuration
from pipeline.configuration.lint import CODES, check_configuration

LINES = (
    (Path(__file__).parents[2] / "configurations" / "contoso.yaml").read_text(encoding="utf-8").splitlines()
)
RUBBISH = st.sampled_from(
    [
        "x", "- x", "  y: 1", "a: &a [*a]", "null", "[]", "{}", "- {}", "? x", "'", "\t", "!!binary x",
        "2026-02-31", "1.5", "<<: 3", "- target: jobTitle", "match: []", "attributes: x", "objects: 3",
        "  user:", "version: one", "members: all", "- - - a", "all: [{}]", "expression: 'Left('", "...",
        "---", "%x", "é: 1",
    ]
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> str:
    """Return the sample with some lines gone, doubled, moved in or out, or replaced by rubbish."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["delete", "double", "in", "out", "rubbish", "value"])):
            case "delete":
                del lines[at : at + draw(st.integers(1, 3))]
            case "double":
                lines.insert(at, lines[at])
            case "in":
                lines[at] = "  " + lines[at]
            case "out":
                lines[at] = lines[at][2:]
            case "rubbish":
                indentation = " " * (len(lines[at]) - len(lines[at].lstrip()))
                lines.insert(at, indentation + draw(RUBBISH))
            case _:
                key, colon, _ = lines[at].partition(":")
                lines[at] = f"{key}{colon} {draw(RUBBISH)}"
        lines = lines or ["x"]
    return "\n".join(lines)


@settings(max_examples=60, deadline=None)
@given(broken())
def test_a_broken_file_is_told_and_never_raises(text: str) -> None:
    """Every finding has a known code and stands in the file; loading and checking agree about errors."""
    checked = check_configuration(text)
    configuration, problems = parse_configuration(text)

    assert {problem.code for problem in checked.problems} <= set(CODES)
    for problem in checked.problems:
        assert 1 <= problem.line <= text.count("\n") + 2
        assert problem.column >= 1
    assert set(problems) <= set(checked.problems)
    assert (configuration is None) is bool(problems)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_told(text: str) -> None:
    """A file that was never a configuration is no exception either."""
    assert check_configuration(text).problems
