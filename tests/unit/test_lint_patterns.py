"""Regular expressions that can explode are told from those that cannot, without running them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.configuration.lint.explosive import is_explosive
from pipeline.expressions import ExpressionError, compile_pattern

EXPLOSIVE = [
    "(a+)+$", r"^(\w+\s?)+$", "(a|aa)+$", "(a*)*b", "(x+x+)+y", "^(.*)*$", "(a|a)*$", "([a-zA-Z]+)*$",
    r"^(\d+\d*)+x", "(?i)(a|A)+$", r"^([a-z0-9]+\.?)+@x$", "(.*,?)+$", "(a{1,5})+$", "(a+){10,30}$",
    r"^(?:[\w.-]+)*@", "(?<name>a+)+$", r"(\d|\w)+$", "([a-c]|[b-d])+$",
]  # fmt: skip
HARMLESS = [
    "^.*?,(?=(?:CN|OU|DC)=)", "^CAS_([^{]*){", r"(\d+)", "^(?<x>[^@]+)@.*$", "([1-9][0-9])",
    r"^([a-z]+\.)*[a-z]+$", r"^CN\s*=\s*([^\,]*)\0ACNF", "^User_", "^(1[0-2]|0?[1-9])$", "a*a*b",
    "(ab|cd)+", r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", "(a{3})+", "(a|b)*$", r"^\s*(\S+\s+)*\S+$",
    "([a-c]|[d-f])+$",
    "(?i)(a|b)+$", "", "^$", "(?<=x)(a|b)+(?!y)", "[^]a]+", "(a[b-[b]]|ac)+", "(a(b?c)*)*d",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_two_ways_through_a_loop_are_found(pattern: str) -> None:
    """A loop that can match the same text in two ways doubles the work with every character."""
    assert is_explosive(pattern)


@pytest.mark.parametrize("pattern", HARMLESS)
def test_one_way_through_a_loop_is_fine(pattern: str) -> None:
    """Nested repeats are no fault by themselves: only ambiguity is."""
    assert not is_explosive(pattern)


PROVED = ["(a|aa)+$", "(a|a)*$", "(a|A|aa)+$"]


@pytest.mark.parametrize("pattern", PROVED)
def test_what_is_called_explosive_does_explode(pattern: str) -> None:
    """The verdict is about the engine that runs the patterns: it runs into its time limit."""
    with pytest.raises(ExpressionError):
        compile_pattern(pattern).found_in("a" * 45 + "!")


@given(st.text(alphabet="ab|()*+?{1,2}[]^$.\\wd-", max_size=25))
def test_no_pattern_breaks_the_reader(pattern: str) -> None:
    """Whatever stands in a file, the verdict comes, and is yes or no."""
    assert is_explosive(pattern) in {True, False}
