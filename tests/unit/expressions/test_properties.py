"""What holds for every expression: printing, errors, and agreement with a plain walk over the tree."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.expressions import (
    IGNORE,
    Context,
    Dialect,
    ExpressionError,
    ExpressionSyntaxError,
    Ignore,
    Value,
    as_text,
    compile_expression,
    compile_pattern,
)
from pipeline.expressions.functions import FUNCTIONS
from pipeline.expressions.nodes import (
    Attribute,
    Binary,
    Call,
    Chain,
    Negation,
    Node,
    Number,
    Parameter,
    Span,
    Text,
    Variable,
    Word,
)
from pipeline.expressions.parser import MAX_INTEGER, parse
from pipeline.expressions.printer import print_node

NOWHERE: Final = Span(0, 0, 1, 1)
MOMENT: Final = datetime(2024, 2, 29, 12, tzinfo=UTC)

# Trees of every shape that the grammar can give.

_NAME: Final = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_ATTRIBUTE_NAME: Final = (
    st.text(st.characters(exclude_characters="[]\r\n", exclude_categories=["Cs"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)


def _numbers() -> st.SearchStrategy[Node]:
    whole = st.integers(0, MAX_INTEGER).map(lambda n: Number(n, hexadecimal=False, span=NOWHERE))
    negative = st.integers(1, MAX_INTEGER).map(lambda n: Number(-n, hexadecimal=False, span=NOWHERE))
    hexadecimal = st.integers(0, MAX_INTEGER).map(lambda n: Number(n, hexadecimal=True, span=NOWHERE))
    fractions = st.floats(0, 1e60, allow_nan=False, allow_infinity=False).map(
        lambda n: Number(abs(n), hexadecimal=False, span=NOWHERE)
    )
    return st.one_of(whole, negative, hexadecimal, fractions)


def _leaves() -> st.SearchStrategy[Node]:
    return st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda t: Text(t, NOWHERE)),
        _numbers(),
        _ATTRIBUTE_NAME.map(lambda n: Attribute(n.casefold(), n, NOWHERE)),
        _NAME.map(lambda n: Parameter(n.casefold(), n, NOWHERE)),
        _NAME.map(lambda n: Variable(n.casefold(), n, NOWHERE)),
        _NAME.map(lambda n: Word(n.casefold(), n, NOWHERE)),
    )


def _negated(operand: Node) -> Node:
    if isinstance(operand, Number) and not operand.hexadecimal and operand.value > 0:
        return Number(-operand.value, hexadecimal=False, span=NOWHERE)  # as the parser folds it
    return Negation(operand, NOWHERE)


def _grown(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    skipped = st.one_of(st.none(), parts)
    arguments = st.lists(skipped, max_size=4).map(lambda given: () if given == [None] else tuple(given))
    operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "+", "-", "*"])
    chains = st.sampled_from(["&", "&&", "||"])
    return st.one_of(
        st.builds(lambda name, given: Call(name.casefold(), given, name, NOWHERE), _NAME, arguments),
        parts.map(_negated),
        st.builds(lambda sign, left, right: Binary(sign, left, right, NOWHERE), operators, parts, parts),
        st.builds(
            lambda sign, operands: Chain(sign, tuple(operands), NOWHERE),
            chains,
            st.lists(parts, min_size=2, max_size=4),
        ),
    )


TREES: Final = st.recursive(_leaves(), _grown, max_leaves=14)


@given(TREES)
@settings(max_examples=150, deadline=None, database=None)
@example(Number(-1, hexadecimal=False, span=NOWHERE))
@example(Negation(Number(0, hexadecimal=False, span=NOWHERE), NOWHERE))
@example(Text('\\"\\\\', NOWHERE))
@example(Number(5e-324, hexadecimal=False, span=NOWHERE))
def test_a_printed_tree_reads_as_the_same_tree(tree: Node) -> None:
    """Text can be made from a tree and read back without loss, and is printed again as it is."""
    text = print_node(tree)
    read = parse(text)
    assert read == tree
    assert print_node(read) == text


def test_spelling_does_not_matter_to_the_printed_text() -> None:
    """Names come out as documented, so that a digest over expressions is one over their meaning."""
    one = compile_expression("iif( ISPRESENT([a]) ,true,  null )")
    assert str(one) == "IIF(IsPresent([a]), True, NULL)"
    assert str(compile_expression('("a"&(1+2))=&hf')) == '"a" & 1 + 2 = &HF'
    assert str(compile_expression('("a"=1)&(2-(3-4))')) == '("a" = 1) & 2 - (3 - 4)'


# No input raises anything but our errors.

_FRAGMENTS: Final = st.sampled_from(
    [
        *(f"{function.name}(" for function in FUNCTIONS.values()),
        *(
            "(",
            ")",
            ",",
            "&",
            "&&",
            "||",
            "=",
            "<>",
            "<",
            ">=",
            "+",
            "-",
            "*",
            '"',
            "\\",
            "[",
            "]",
            "%",
            "$",
            " ",
        ),
        *('"a"', '"1"', '"2024-01-01"', '"yyyy"', "[a]", "[m]", "[b]", "[d]", "1", "0", "&HF", "1.5", "-1"),
        *("$x", "%P%", "True", "NULL", "IgnoreThisFlow", "UTF8", "\n", "é", "\ud800", "0" * 30, '"(?<a>x)"'),
    ]
)
_VALUES: Final = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.booleans(),
    st.binary(max_size=8),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
)
_SOURCES: Final = st.fixed_dictionaries(
    {
        "a": _VALUES,
        "b": _VALUES,
        "m": st.lists(_VALUES.filter(lambda value: value is not None), max_size=3),
        "d": _VALUES,
    }
)


def _context() -> Context:
    return Context(now=lambda: MOMENT, random=random.Random(1), parameters={"P": "p"})  # noqa: S311  # repeatable


def _outcome(text: str, dialect: Dialect, source: Mapping[str, Value]) -> str:
    try:
        value = compile_expression(text, dialect).evaluate(source, _context())
    except ExpressionError as error:
        return f"error {error.position}"
    return _shown(value)


def _shown(value: Value | Ignore) -> str:
    return f"{type(value).__name__} {value!r}"


@given(st.lists(_FRAGMENTS, max_size=14).map("".join), st.sampled_from(Dialect), _SOURCES)
@settings(max_examples=150, deadline=None, database=None)
def test_no_text_raises_anything_but_our_errors(
    text: str, dialect: Dialect, source: dict[str, Value]
) -> None:
    """Whatever is typed either is an expression or is refused with a place."""
    assert _outcome(text, dialect, source)


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None, database=None)
def test_no_characters_raise_anything_but_our_errors(text: str) -> None:
    """The same for any characters at all."""
    offset = 0
    try:
        parse(text)
    except ExpressionSyntaxError as error:
        offset = error.position.offset
    assert 0 <= offset <= len(text)


_ARGUMENTS: Final = st.sampled_from(
    [
        *(
            "[a]",
            "[b]",
            "[m]",
            "[d]",
            "[none]",
            "NULL",
            "True",
            '""',
            '"a"',
            '"3"',
            '"2024-01-02 3:04 PM"',
            "-1",
        ),
        *(
            "0",
            "1",
            "2",
            "99999999999999999999",
            "1.5",
            '"yyyy-MM-dd"',
            '"m"',
            '"(?<n>.)"',
            '"n"',
            '"a:b"',
            "UTF8",
        ),
        *('"CN=a,DC=b"', '"QQA="', '"{"', "Trim([a])", "[m] & [m]", "[a] = [b]", "$v", 'Split([a], "a")'),
    ]
)


@given(
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(st.one_of(_ARGUMENTS, st.just("")), max_size=7),
    st.sampled_from(Dialect),
    _SOURCES,
)
@settings(max_examples=150, deadline=None, database=None)
def test_no_call_raises_anything_but_our_errors(
    name: str, arguments: list[str], dialect: Dialect, source: dict[str, Value]
) -> None:
    """Every function takes values of every type, or says what is wrong with them; tracing changes nothing."""
    text = f"{name}({','.join(arguments)})"
    plain = _outcome(text, dialect, source)
    try:
        expression = compile_expression(text, dialect)
    except ExpressionError:
        return
    trace = expression.trace(source, _context())
    traced = f"error {trace.error.position}" if trace.error else _shown(trace.value)
    assert trace.root.text == text
    assert traced == plain


@given(_SOURCES, st.sampled_from(["[a]", "[m]", "IIF(True, [a], [b])", "Coalesce([none], [a])"]))
@settings(max_examples=100, deadline=None, database=None)
def test_values_pass_through_unchanged(source: dict[str, Value], text: str) -> None:
    """What no function touches keeps its type and value, also what no function could take."""
    value = compile_expression(text).evaluate(source, _context())
    wanted = source["m"] if text == "[m]" else source["a"]
    if value is not IGNORE and not (isinstance(wanted, float) and math.isnan(wanted)):
        assert type(value) is type(wanted)
        assert value == wanted


@pytest.mark.parametrize("value", [1.5, 2.0, 1e20, 1e-7, -0.5])
def test_fractions_have_a_text_form(value: float) -> None:
    """Whole numbers show no fraction."""
    assert as_text(value) == {1.5: "1.5", 2.0: "2", 1e20: "1e+20", 1e-7: "1e-07", -0.5: "-0.5"}[value]


_PATTERN_PARTS: Final = st.sampled_from(
    [
        *(
            "a",
            "(",
            "(?:",
            "(?<n>",
            "(?=",
            "(?<!",
            ")",
            ")",
            "[",
            "[^",
            "]",
            "-",
            "-[",
            "|",
            "*",
            "+",
            "?",
            "{2}",
        ),
        *(
            "{1,3}",
            "{",
            "}",
            r"\d",
            r"\k<n>",
            r"\1",
            r"\p{L}",
            "\\",
            "^",
            "$",
            "(?i)",
            "(?x)",
            "#",
            " ",
            r"\Z",
            "[:",
        ),
    ]
)


@given(st.lists(_PATTERN_PARTS, max_size=12).map("".join), st.text("aA1 -", max_size=6))
@settings(max_examples=150, deadline=None, database=None)
def test_no_pattern_raises_anything_but_our_errors(pattern: str, text: str) -> None:
    """A pattern either works, on any text, or is refused with a place in it."""
    offset = 0
    try:
        assert compile_pattern(pattern).found_in(text) in {True, False}
    except ExpressionSyntaxError as error:
        offset = error.position.offset
    assert 0 <= offset <= len(pattern)
