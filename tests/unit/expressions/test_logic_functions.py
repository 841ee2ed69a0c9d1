"""Conditions and branches, operators, and what an expression says about the flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from pipeline.expressions import (
    IGNORE,
    Context,
    Dialect,
    ExpressionError,
    Reference,
    Value,
    compile_expression,
)

Evaluate: TypeAlias = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # text and text
        ('"a" = "a"', True),
        ('"a" = "A"', False),  # case counts
        ('"9" > "10"', True),  # two texts compare as texts
        ('"b" >= "a"', True),
        # text and number: as numbers where the text is numeric
        ("[n99] < 100", True),
        ('100 = "100.0"', True),
        ('" 7 " = 7', True),
        ("[word] = 1", False),
        ("[word] <> 1", True),
        ("2 > [n99]", False),
        # booleans: AD writes TRUE, the service True
        ("[flag] = True", True),
        ('False = "FALSE"', True),
        ("[flag] <> False", True),
        ("True = 1", False),
        # null: equals null and the empty text, and is neither less nor greater
        ("[none] = NULL", True),
        ('[none] = ""', True),
        ('[none] <> ""', False),
        ('[none] = "a"', False),
        ('[none] <> "a"', True),
        ("[none] = 0", False),
        ("[none] < 1", False),
        ("[none] >= 1", False),
        ('[none] <= ""', True),
        # dates, and texts that are dates
        ('CDate("2024-01-02") > CDate("1/1/2024")', True),
        ('CDate("2024-01-02") = "2024-01-02"', True),
        ('CDate("2024-01-02") > "2023-12-31"', True),
        ('Now() = "no date"', False),
        # binary values
        ("[guid] = [guid]", True),
        ('[guid] = "AAE="', True),  # by their text form
        ("[dn] = [dn]", True),
        ('[dn] = "CN=a"', True),
        # lists: value by value, one value like a single one
        ('[one] = "a"', True),
        ('[two] = "a"', [True, False]),
        ("[none] = [empty]", True),
        ("[two] = [two]", [True, True]),
        # from the left
        ("1 < 2 = True", True),
    ],
)
def test_comparison(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Values of different types compare by what an admin means by them."""
    source: dict[str, Value] = {
        "n99": "99",
        "word": "abc",
        "flag": "TRUE",
        "guid": b"\0\1",
        "dn": Reference("CN=a"),
        "one": ["a"],
        "two": ["a", "b"],
        "empty": [],
    }
    assert evaluate(text, source) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ('"4" - 1', 3),  # numeric texts
        ("1.5 + 1", 2.5),
        ("[none] + 1", None),  # null with anything is null
        ("-[none]", None),
        ('-"2"', -2),
        ("[counts] + 1", [2, 3]),
        ('"a" & 1 & True & NULL', "a1True"),
        ("NULL & NULL", None),
        ('"a" & CRLF & "b"', "a\r\nb"),
        ("True && True", True),
        ('True && "FALSE"', False),
        ("NULL || 1", True),  # a number is true unless it is zero
        ("0 || NULL", False),
        ('"" || False', False),
        ("%domain.fqdn%", "contoso.test"),  # without regard to case
        ("%DomainFQDN%", "contoso.test"),  # and to the dot: Microsoft's pages write both
    ],
)
def test_operators(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Arithmetic, concatenation, logic and parameters."""
    assert evaluate(text, {"counts": [1, "2"]}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('1 + "a"', 'cannot calculate with a value that is not a number, got "a" (column 1)'),
        ("18446744073709551615 * 2", "the number is too large (column 1)"),
        ("[big] * [big]", "the number is too large (column 1)"),
        ('True && "maybe"', 'the condition must be true or false, got "maybe" (column 9)'),
        ("[two] && True", "the condition must be true or false, got 2 values (column 1)"),
        ("1 & %Forest%", "the parameter %Forest% has no value in this configuration (column 5)"),
        ("[two] = [three]", "cannot bring together 2 and 3 values (column 1)"),
    ],
)
def test_operators_say_what_they_cannot_do(evaluate: Evaluate, text: str, message: str) -> None:
    """An operator names the value and its place, as a function does."""
    source: dict[str, Value] = {"big": 1e300, "two": ["a", "b"], "three": ["a", "b", "c"]}
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, source)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IIF(1 = 1, [a], [b])", "A"),
        ("IIF([none], [a], [b])", "B"),  # null is not true
        ('IIF("TRUE", [a], [b])', "A"),
        ("IIF(2, [a], [b])", "A"),
        ("IIF(True, NULL, 1)", None),
        ('IIF(True, "a", Error("no"))', "a"),  # the other branch is not evaluated
        ('IIF([two] = "x", Error("no"), [two])', ["a", "b"]),  # nor where no value of a list is true
        ('IIF([two] <> "x", [two], Error("no"))', ["a", "b"]),
        ('Switch([a], "d", "A", 1, Error("no"), 2)', 1),  # nor the keys after the one that matches
        ('Switch([a], Error("no"), "A", "x")', "x"),  # nor the default
        ('Switch([a], "d", "a", "x")', "d"),  # case counts
        ('Switch([none], "d", "", "empty")', "empty"),  # the empty key matches null
        ('Switch([a], , "x", "y")', None),  # a skipped default is null
        ('Switch(1 = 1, "d", "True", "yes")', "yes"),  # a boolean is its text
        ('Switch(7, "d", 7, "seven")', "seven"),  # so is a number
        ('Switch([two], "d", "a", "x")', ["x", "d"]),  # each value of a list
        ("Coalesce([none], [a])", "A"),
        ("Coalesce([none], [empty], [b])", "B"),
        ('Coalesce([blank], "x")', ""),  # an empty text is a value
        ("Coalesce([none], )", None),
        ('Coalesce([a], Error("no"))', "A"),
        ("IsNull([none])", True),
        ("IsNull([blank])", False),
        ("IsNull([empty])", True),
        ("IsNullOrEmpty([blank])", True),
        ("IsNullOrEmpty([two])", False),
        ("IsNullOrEmpty([zero])", False),  # a number is a value
        ("IsPresent([none])", False),
        ("IsPresent([a])", True),
        ("IsPresent([empty])", False),
        ('IsPresent(Trim("  "))', False),
        ("IsString([a])", True),
        ("IsString([guid])", False),
        ("IsString([none])", False),
        ("IsString(5)", True),  # CStr can make one of it
        ("Not([none])", True),
        ('Not("true")', False),  # any case
        ('Not("False")', True),
        ("Not(1 = 1)", False),
        ("Not(1)", True),  # anything but True
        ("CBool([none])", False),
        ("CBool(-1)", True),
        ('CBool("0")', False),
        ('CBool("TRUE")', True),
        ("CBool([a] = [b])", False),
    ],
)
def test_branches_and_tests(evaluate: Evaluate, text: str, expected: Value) -> None:
    """The functions that decide evaluate only what they have to, and null has its rules in each."""
    source: dict[str, Value] = {
        "a": "A",
        "b": "B",
        "blank": "",
        "empty": [],
        "two": ["a", "b"],
        "zero": 0,
        "guid": b"\0",
    }
    assert evaluate(text, source) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Switch([c] = "L", "E", True, Error("no"))', "E"),
        ('Switch(False, 1, [none], 2, "true", 3)', 3),
        ("Switch(False, 1)", None),  # nothing is true
        ("IsEmpty([blank])", True),
        ("IsEmpty([none])", False),  # absent is not empty
        ("IsEmpty([c])", False),
    ],
)
def test_connect_branches(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Connect's Switch takes conditions, the service's a value and its keys."""
    assert evaluate(text, {"c": "L", "blank": ""}, "connect") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'Error("AccountName is required")',
            "AccountName is required (column 1)",
        ),  # the author's words alone
        ('Error("a" & 1)', "a1 (column 1)"),
        ("Error([none])", "the rule stopped here without saying why (column 1)"),
        ('IIF("x", 1, 2)', 'IIF: condition must be true or false, got "x" (column 5)'),
        ('CBool("abc")', 'CBool: Expression must be true or false, got "abc" (column 7)'),
        ("IIF([two] = 1, [three], 2)", "IIF: the condition has 2 values, the result 3 (column 1)"),
    ],
)
def test_errors_of_branches(evaluate: Evaluate, text: str, message: str) -> None:
    """A condition that is none is an error at its place; Error() speaks for itself."""
    source: dict[str, Value] = {"two": [1, 2], "three": ["a", "b", "c"]}
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, source)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NoSuch([a])", "there is no function NoSuch (column 1)"),
        ("Trim(Lefft([a], 1))", "there is no function Lefft; did you mean Left (column 6)"),
        ("LCase([a])", "LCase is a function of connect expressions, not of cloud-sync (column 1)"),
        ("IIF(1, 2)", "IIF: takes 3 arguments, got 2 arguments (column 1)"),
        ("IIF(1, 2, )", "IIF: valueIfFalse is required and cannot be skipped (column 1)"),
        ("Now(1)", "Now: takes no arguments, got 1 argument (column 1)"),
        ("Mid([a])", "Mid: takes 2 to 3 arguments, got 1 argument (column 1)"),
        ("Coalesce()", "Coalesce: takes 1 or more arguments, got 0 arguments (column 1)"),
        ('Switch([a], "b", "c")', "Switch: takes 4 or more arguments in pairs, got 3 arguments (column 1)"),
        ('Switch([a], "b")', "Switch: takes 4 or more arguments in pairs, got 2 arguments (column 1)"),
        (
            "Nope",
            "Nope is not a word of the language; texts stand in quotes, attributes in brackets (column 1)",
        ),
        ("Trim(UTF8)", "UTF8 is not a word of the language"),  # a word only where a word is wanted
        ("$item", "$item is not bound here; Select, Where and With bind variables (column 1)"),
        ("SelectUniqueValue([a])", "SelectUniqueValue: takes 2 or more arguments, got 1 argument (column 1)"),
        (
            "Trim(SelectUniqueValue([a], [b]))",
            "SelectUniqueValue: cannot stand inside another function (column 6)",
        ),
    ],
)
def test_what_can_never_work_is_refused_when_it_is_loaded(text: str, message: str) -> None:
    """Names, numbers of arguments and bindings are checked before any object is seen."""
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "IgnoreThisFlow",
        "ignorethisflow",
        "IIF(IsNull([none]), IgnoreThisFlow, 1)",
        'Trim(IIF(True, IgnoreThisFlow, "a"))',  # nothing around it brings the attribute back
        "Coalesce(IgnoreThisFlow, 1)",
        "IgnoreFlowIfNullOrEmpty([none])",
        'IgnoreFlowIfNullOrEmpty(Trim("  "))',
        "IgnoreFlowIfNullOrEmpty([empty])",
    ],
)
def test_an_attribute_is_dropped_from_the_flow(evaluate: Evaluate, text: str) -> None:
    """Neither a value nor null: the target is left alone."""
    assert evaluate(text, {"empty": []}) is IGNORE


def test_what_is_not_empty_flows(evaluate: Evaluate) -> None:
    """The guard against empty values lets every other value through."""
    assert evaluate("IgnoreFlowIfNullOrEmpty([a])", {"a": "x"}) == "x"
    assert evaluate("IIF(False, IgnoreThisFlow, 1)") == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"a": "free@contoso.test"}, "free@contoso.test"),
        ({"a": "a@contoso.test", "b": "c@contoso.test"}, "c@contoso.test"),  # the first is taken
        ({"b": "c@contoso.test"}, "c@contoso.test"),  # a rule that gives nothing is passed over
    ],
)
def test_the_first_free_value_is_chosen(
    evaluate: Evaluate, source: Mapping[str, Value], expected: str
) -> None:
    """SelectUniqueValue asks the target for each value in turn."""
    assert evaluate("SelectUniqueValue([a], [b])", source) == expected


def test_no_free_value_is_an_error(evaluate: Evaluate) -> None:
    """With all values taken there is nothing to write."""
    with pytest.raises(ExpressionError, match="all 2 values are taken"):
        evaluate('SelectUniqueValue("a@contoso.test", "b@contoso.test")')
    with pytest.raises(ExpressionError, match="no rule gave a value"):
        evaluate("SelectUniqueValue([a], [b])")


def test_rules_after_the_chosen_one_are_not_evaluated(evaluate: Evaluate) -> None:
    """A later rule may fail for an object that does not need it."""
    assert evaluate('SelectUniqueValue("c@contoso.test", Error("no"))') == "c@contoso.test"


def test_app_roles_pass_through(evaluate: Evaluate) -> None:
    """The functions of app roles give what they get; AD objects have none."""
    assert evaluate("SingleAppRoleAssignment([roles])", {"roles": ["r1", "r2"]}) == "r1"
    assert evaluate("SingleAppRoleAssignment([roles])") is None
    assert evaluate("AppRoleAssignmentsComplex([roles])", {"roles": ["r1", "r2"]}) == ["r1", "r2"]


def test_redacted_values_flow_and_stay_out_of_messages(evaluate: Evaluate) -> None:
    """Redact gives its value, but no error shows what it hides."""
    assert evaluate("Redact([pin])", {"pin": "0000"}) == "0000"
    assert compile_expression('"x" & Redact([pin])').redacts
    with pytest.raises(ExpressionError) as raised:
        evaluate("Redact(CBool([pin]))", {"pin": "secret"})
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(raised.value)
    assert raised.value.value is None


def test_an_expression_says_what_it_uses() -> None:
    """Lint reads the attributes as written, the functions by their documented names, and determinism."""
    expression = compile_expression(
        'IIF(isPresent([Mail]), [mail], ImportedValue("msDS-X") & ValueCount("other"))', Dialect.CONNECT
    )
    assert expression.attributes == {"Mail", "msDS-X", "other"}
    assert expression.functions == {"IIF", "IsPresent", "ImportedValue", "ValueCount"}
    assert expression.deterministic
    for text in ("Guid()", "Trim(Now())", "RandomString(1,0,0,0,0)", "SelectUniqueValue([a],[b])"):
        assert not compile_expression(text).deterministic, text


def test_the_source_is_read_by_folded_names() -> None:
    """Attribute names differ in case between a schema and an entry; an absent one is null."""
    expression = compile_expression("[SAMAccountName]")
    assert expression.evaluate({"samaccountname": "ada"}, Context()) == "ada"
    assert expression.evaluate({}, Context()) is None


def test_dates_flow_as_dates(evaluate: Evaluate) -> None:
    """A date is a value; its text form is the caller's to ask for."""
    assert evaluate("Now()") == datetime(2021, 7, 2, 15, 33, 38, tzinfo=UTC)
