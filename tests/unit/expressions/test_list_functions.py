"""Multi-valued attributes, and the functions that bind a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest

from pipeline.expressions import ExpressionError, Reference, Value, compile_expression
from pipeline.expressions.values import Dialect

Evaluate: TypeAlias = Callable[..., Any]

_SOURCE: Final[dict[str, Value]] = {
    "proxies": ["smtp:jd@c.test", "SMTP:john@c.test", "SIP:john@c.test"],
    "single": "x",
    "empty": [],
    "doubles": ["a", "A", "a", "b"],
    "mixed": [1, True, 1.0, "1", 1],
    "members": [Reference("CN=a,DC=c"), Reference("CN=a,DC=c,DC=d")],
    "phones": ["555-0100", "555-0101"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Count([proxies])", 3),
        ("Count([single])", 1),
        ("Count([none])", 0),
        ("Count([empty])", 0),
        ("Item([proxies], 1)", "smtp:jd@c.test"),  # from 1
        ('Item([proxies], "2")', "SMTP:john@c.test"),
        ("Item([single], 1)", "x"),
        ('Contains([proxies], "SMTP:")', 2),  # case counts
        ('Contains([proxies], "SMTP:", CaseInsensitive)', 1),
        ('Contains([proxies], "SMTP:", CaseSensitive)', 2),
        ('Contains([proxies], "x500:")', 0),
        ('Contains([none], "a")', 0),
        ('Contains([single], "x")', 1),
        ('Contains([members], "CN=a,DC=c,DC=d")', 2),  # a reference must be equal
        ('Contains([members], "CN=a")', 0),
        ("RemoveDuplicates([doubles])", ["a", "A", "b"]),  # in order, case counts
        ("RemoveDuplicates([single])", "x"),
        ("RemoveDuplicates([none])", None),
        ('Split("a, b ,c", ",")', ["a", "b", "c"]),  # trimmed
        ('Split("a,b,c", ",", 2)', ["a", "b,c"]),  # the last one holds the rest
        ('Split("a,,b", ",")', ["a", "", "b"]),
        ('Split([none], ",")', None),
        ('Item(Split("a@b", "@"), 2)', "b"),
        ('Split("abc", ",")', ["abc"]),
        ('DNComponent(CRef("cn=Joe,ou=A"), 1)', "Joe"),
    ],
)
def test_lists(evaluate: Evaluate, text: str, expected: Value) -> None:
    """A list is none, one or several values, counted from 1."""
    assert evaluate(text, _SOURCE) == expected


def test_equal_values_of_different_types_are_not_doubles(evaluate: Evaluate) -> None:
    """One, true and the text 1 are three values."""
    result = evaluate("RemoveDuplicates([mixed])", _SOURCE)
    assert [(type(value), value) for value in result] == [(int, 1), (bool, True), (float, 1.0), (str, "1")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ItemOrNull([proxies], 9)", None),
        ("ItemOrNull([proxies], 0)", None),
        ("ItemOrNull([proxies], 3)", "SIP:john@c.test"),
        ('Select($item, [phones], Replace($item, "-", ""))', ["5550100", "5550101"]),
        ('Select($item, [single], $item & "!")', ["x!"]),
        ("Select($item, [none], $item)", []),
        ("Select($item, [phones], NULL)", []),  # a null is no value
        ('Select($i, [phones], Split($i, "-"))', ["555", "0100", "555", "0101"]),
        ('Where($item, [proxies], InStr($item, "smtp:") = 1)', ["smtp:jd@c.test"]),
        ('Where($ITEM, [proxies], $item = "none")', []),  # case does not count in names
        ('With($a, Trim(" x "), $a & "-" & $a)', "x-x"),
        ("With($a, 1, With($a, 2, $a) + $a)", 3),  # the inner one hides the outer, for its body only
        ("Select($a, [phones], Count(Select($b, [phones], $a & $b)))", [2, 2]),
        (
            'With($m, Where($i, [proxies], Left($i, 4) = "SIP:"), IIF(Count($m) > 0, $m, NULL))',
            ["SIP:john@c.test"],
        ),
        ('ImportedValue("single")', "x"),
        ('ValueCount("proxies")', 3),
        ('ValueCount("none")', 0),
    ],
)
def test_lists_of_connect(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Select, Where and With bind a variable for their last argument."""
    assert evaluate(text, _SOURCE, "connect") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Item([proxies], 4)", "Item: index must be 1 to 3, got 4 (column 17)"),
        ("Item([proxies], 0)", "Item: index must be 1 to 3, got 0 (column 17)"),
        ("Item([none], 1)", "Item: index picks from nothing, got 1 (column 14)"),
        ('Contains([proxies], "a", UTF8)', "Contains: Casetype must be CaseInsensitive or CaseSensitive"),
        ('Split("a", "")', 'Split: delimiter must not be empty, got "" (column 12)'),
        ('Split("a", ",", 0)', "Split: limit must be 1 or more, got 0 (column 17)"),
        ("Left([proxies], Item([proxies], 1))", "Left: NumChars must be a whole number"),
    ],
)
def test_errors_of_lists(evaluate: Evaluate, text: str, message: str) -> None:
    """Picking what is not there is an error, not null."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, _SOURCE)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Select([a], [b], 1)", "Select: the first argument must be a variable such as $item (column 8)"),
        ("With($a, $a, 1)", "$a is not bound here"),  # not in its own value
        ("Select($a, [x], 1) & $a", "$a is not bound here"),  # not outside
        ("ImportedValue([a])", "ImportedValue: takes the name of an attribute in quotes (column 1)"),
        ("Where($a, [x], $b)", "$b is not bound here"),
    ],
)
def test_variables_are_checked_when_loaded(text: str, message: str) -> None:
    """A variable is known only inside the function that binds it."""
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text, Dialect.CONNECT)
    assert message in str(raised.value)
