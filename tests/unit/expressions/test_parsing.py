"""Reading an expression: the grammar, its odd corners, and where it says that something is wrong."""

from __future__ import annotations

import pytest
from lark import Lark

from pipeline.expressions import Context, ExpressionError, ExpressionSyntaxError, compile_expression
from pipeline.expressions.nodes import Attribute, Binary, Call, Chain, Number, Text, Word
from pipeline.expressions.parser import grammar, parse


def test_the_grammar_has_no_conflicts() -> None:
    """A strict build refuses the conflicts that an ordinary build settles in silence."""
    built = Lark(grammar(), parser="lalr", maybe_placeholders=True, strict=True)
    assert built.parse("f([a],)") is not None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("f()", 0),  # no argument at all
        ("f(,)", 2),  # two skipped ones
        ("f([a],)", 2),  # the comma says that there is a second
        ("f(,,)", 3),
        ("f( [a] , , )", 3),  # white space is nothing
        ("f([a])", 1),
    ],
)
def test_skipped_arguments_keep_their_places(text: str, count: int) -> None:
    """An empty place between commas is an argument; empty parentheses are none."""
    node = parse(text)
    assert isinstance(node, Call)
    assert len(node.arguments) == count


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\"b"', 'a"b'),  # an escaped quote
        (r'"a\\b"', r"a\b"),  # an escaped backslash
        (r'"\,"', r"\,"),  # a backslash before anything else is itself, as Microsoft's samples need
        (r'"\2C"', r"\2C"),
        (r'"\\d"', r"\d"),  # a regular expression, escaped
        (r'"\d"', r"\d"),  # the same, not escaped
        (r'"\\"', "\\"),
        ('"two\nlines"', "two\nlines"),  # line breaks may stand in a text
        (r'"\\\""', '\\"'),  # both escapes, from the left
        ('""', ""),
    ],
)
def test_texts_are_unescaped(text: str, value: str) -> None:
    """Only the quote and the backslash are escaped; any other backslash is itself."""
    node = parse(text)
    assert isinstance(node, Text)
    assert node.value == value


def test_hexadecimal_and_concatenation_are_told_apart() -> None:
    """The ampersand joins texts after a value and starts a number where a value is wanted."""
    joined = parse("[a]&HF")
    assert joined == Chain(
        "&", (Attribute("a", "a", joined.span), Word("hf", "HF", joined.span)), joined.span
    )
    number = parse('"x" & &HF')
    assert isinstance(number, Chain)
    assert number.operands[1] == Number(15, hexadecimal=True, span=number.span)
    both = parse("[a]&&[hf]")
    assert isinstance(both, Chain)
    assert both.operator == "&&"
    argument = parse("BitAnd(&hff, 1)")
    assert isinstance(argument, Call)
    assert argument.arguments[0] == Number(255, hexadecimal=True, span=argument.span)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2147483648", -2147483648),  # folded into the literal
        ("3--2", 5),
        ("1-1", 0),
        ("- 5", -5),
        ("2*5+3", 13),  # the usual ladder of operators
        ("2*(5+3)", 16),
        ("10-3-2", 5),  # from the left
        ("-(2)*3", -6),
        ("1.5*2", 3.0),
        ("&H10+1", 17),
    ],
)
def test_arithmetic_reads_as_written(text: str, value: float) -> None:
    """Minus is a sign or an operation by its place, and multiplication binds tighter than addition."""
    assert compile_expression(text).evaluate({}, Context()) == value


def test_comparison_binds_between_concatenation_and_logic() -> None:
    """The shipped rules only work when & is tighter than =, = tighter than && and && tighter than ||."""
    node = parse('[a] & "x" = "bx" && [c] = 1 || [d]')
    assert isinstance(node, Chain)
    assert node.operator == "||"
    conjunction = node.operands[0]
    assert isinstance(conjunction, Chain)
    assert conjunction.operator == "&&"
    comparison = conjunction.operands[0]
    assert isinstance(comparison, Binary)
    assert isinstance(comparison.left, Chain)


def test_words_need_no_reserved_names() -> None:
    """A name that starts like a constant is a name of its own, and any case will do."""
    assert parse("TRUE") == parse("true")
    assert parse("switch([A],1)") == parse("Switch([a],1)")
    with pytest.raises(ExpressionError, match="there is no function Trueish"):
        compile_expression("Trueish()")


def test_attribute_names_are_trimmed_and_kept_as_written() -> None:
    """White space around a name is not of the name; its spelling is kept for those who are shown it."""
    node = parse("[ msDS-cloudExtensionAttribute1 ]")
    assert isinstance(node, Attribute)
    assert (node.name, node.folded) == ("msDS-cloudExtensionAttribute1", "msds-cloudextensionattribute1")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "is empty"),
        (" \n ", 1, 1, "is empty"),
        ("Append([a], [b]", 1, 16, "the expression ends where"),  # the end, not the last token's start
        ('Append([a],\n  "x"', 2, 6, "the expression ends where"),
        ('Append([a], "x"))', 1, 17, 'found ")"'),
        ('Trim("abc', 1, 6, "a text that is not closed"),  # reported where it opens
        (r'Trim("\")', 1, 6, "a text that is not closed"),  # an escaped quote does not close
        ("Trim([abc)", 1, 6, "an attribute that is not closed"),
        ("Trim([])", 1, 6, "the attribute has no name"),
        ("Trim([  ])", 1, 6, "the attribute has no name"),
        ("Trim(“abc”)", 1, 6, "curly quote"),
        ("Trim('abc')", 1, 6, "single quote"),
        ('Left("a"; 1)', 1, 9, "arguments are separated by commas"),
        ("12abc", 1, 1, "a number that runs into letters"),
        ("1 2", 1, 3, 'found "2"'),
        ('"a" "b"', 1, 5, "found"),
        ("[a] | [b]", 1, 5, "“or” is written ||"),
        ("4 / 2", 1, 3, "there is no division"),
        ("!IsPresent([a])", 1, 1, "Not()"),
        ("f(\n  g(,,\n", 3, 1, "the expression ends where"),
        ("99999999999999999999", 1, 1, "too large"),
        ("&HFFFFFFFFFFFFFFFFF", 1, 1, "too large"),
        ("$1", 1, 1, "cannot read"),
        ("%a", 1, 1, "a parameter that is not closed"),
        ("%Domain FQDN%", 1, 1, "a parameter that is not closed"),
    ],
)
def test_a_syntax_error_names_the_place_that_a_reader_looks_for(
    text: str, line: int, column: int, words: str
) -> None:
    """Line and column count from 1 and point at the fault, and the sentence says what to change."""
    with pytest.raises(ExpressionSyntaxError) as raised:
        compile_expression(text)
    error = raised.value
    assert (error.position.line, error.position.column) == (line, column)
    assert words in str(error)
    assert str(error).endswith(f"(column {column})" if line == 1 else f"(line {line}, column {column})")


def test_the_offset_points_into_the_text() -> None:
    """Whoever marks the place in the text gets it as an offset, too."""
    with pytest.raises(ExpressionSyntaxError) as raised:
        compile_expression("f(\n  'a')")
    assert raised.value.position.offset == 5


def test_a_long_chain_is_not_a_deep_one() -> None:
    """Hundreds of terms of one operator stay flat, so that they neither exhaust the stack nor the depth."""
    for operator in ("&", "&&", "||"):
        node = parse(f" {operator} ".join(["[a]"] * 700))
        assert isinstance(node, Chain)
        assert len(node.operands) == 700
        assert node.depth == 2


@pytest.mark.parametrize(
    "text",
    [
        "Trim(" * 60 + "[a]" + ")" * 60,  # functions
        "(" * 60 + "[a]" + ")" * 60,  # parentheses count, too
        "-" * 61 + "[a]",  # signs
        "+".join(["1"] * 62),  # left-associative operations nest
    ],
)
def test_nesting_has_a_limit(text: str) -> None:
    """More than 60 levels are refused while reading; evaluation would run out of stack."""
    with pytest.raises(ExpressionSyntaxError, match="deeper than 60 levels"):
        compile_expression(text)


def test_sixty_levels_are_fine() -> None:
    """The limit itself is allowed."""
    assert compile_expression("Trim(" * 59 + "[a]" + ")" * 59).functions == {"Trim"}


def test_the_text_has_a_limit() -> None:
    """More than 8192 characters are refused before they are read."""
    with pytest.raises(ExpressionSyntaxError, match="more than 8192"):
        compile_expression('"' + "a" * 8191 + '"')
    assert compile_expression('"' + "a" * 8190 + '"').text


def test_the_number_of_parts_has_a_limit() -> None:
    """More than 1500 names, texts and signs are refused unread; what quotes hold is one part."""
    with pytest.raises(ExpressionSyntaxError, match="1501 parts, more than 1500"):
        compile_expression(" & ".join(["[a]"] * 751))
    assert compile_expression("Trim(" + " & ".join(["[a]"] * 749) + ")").attributes == {"a"}
    assert compile_expression('Join(",", "' + "a, (b) & " * 800 + '", [a, b (c)])').attributes == {"a, b (c)"}
