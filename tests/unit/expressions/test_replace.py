"""Replace in all its modes, and .NET's regular expressions behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest

from pipeline.expressions import (
    ExpressionError,
    ExpressionSyntaxError,
    Value,
    compile_expression,
    compile_pattern,
)
from pipeline.expressions.dotnet_characters import PatternError
from pipeline.expressions.dotnet_regex import translate
from pipeline.expressions.patterns import Pattern, Template

Evaluate: TypeAlias = Callable[..., Any]

_SOURCE: Final[dict[str, Value]] = {
    "phone": "+91 9998887777",
    "mobile": "+91 8887779999",
    "address": "545 Tremont Street",
    "upn": "jsmith@contoso.com",
    "blank": "",
    "many": ["a-b", "c-d"],
    "number": 1213,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # old and value
        ('Replace("banana", "a", , , "b", , )', "bbnbnb"),
        ('Replace("banana", "A", , , "b")', "banana"),  # case counts
        ('Replace("a.c", ".", , , "")', "ac"),  # literal
        ('Replace([many], "-", , , "+")', ["a+b", "c+d"]),
        ('Replace([number], "1", , , "x")', "x2x3"),
        ('Replace([none], "a", , , "b")', None),
        ('Replace("abc", "b", , , [none])', "ac"),  # a null replacement removes
        # old and template
        ('Replace([upn], "<u>", , , , , "<u>/<u>")', "jsmith@contoso.com/jsmith@contoso.com"),
        # pattern and value
        ('Replace([phone], , "\\\\+(?<isd>\\\\d* )(?<n>\\\\d{10})", , "${n}", , )', "9998887777"),
        ('Replace("abc1", , "[a-z_]*", , "-")', "--1-"),  # empty matches count
        ('Replace("ab", , "(.)(.)", , "$2$1$$$&$9${x}")', "ba$ab$9${x}"),  # what names no group is text
        ('Replace("abc", , "b", , "[$`|$\'|$_]")', "a[a|c|abc]c"),
        ('Replace("ab", , "(a)(b)?", , "$+")', "b"),
        ('Replace("aXb", , "(?i)x", , "")', "ab"),
        ('Replace("CN=A\\,b,OU=x", , "^.*?,(?=(?:CN|OU|DC)=)", , "")', "OU=x"),
        # pattern, group and value
        ('Replace([address], , "(?<street>^\\\\d*)", "street", "888", , )', "888 Tremont Street"),
        ('Replace([upn], , "(?<Suffix>@(.)*)", "Suffix", "", , )', "jsmith"),
        ('Replace("a1 b2", , "[a-z](?<d>\\\\d)", "d", "$0")', "a$0 b$0"),  # the value is literal here
        ('Replace("ab", , "(?<x>q)?b", "x", "!")', "ab"),  # a group that took no part
        ('Replace("ab", , "a(?=(?<x>b))", "x", "!")', "ab"),  # a group outside the match
        # pattern, group and attribute
        ('Replace([blank], , "\\\\+(?<i>\\\\d* )(?<n>\\\\d{10})", "n", , [mobile], )', "8887779999"),
        ('Replace([none], , "\\\\+(?<i>\\\\d* )(?<n>\\\\d{10})", "n", , [mobile], )', "8887779999"),
        ('Replace([phone], , "\\\\+(?<i>\\\\d* )(?<n>\\\\d{10})", "n", , [mobile], )', "+91 9998887777"),
        ('Replace([none], , "(?<n>x)", "n", , [mobile], )', None),  # nothing found
        ('Replace([none], , "(?<n>x)", "n", , [none], )', None),
        # Connect's form, known by its three arguments
        ('Replace("a-b-c", "-", "+")', "a+b+c"),
    ],
)
def test_the_modes_of_replace(evaluate: Evaluate, text: str, expected: Value) -> None:
    """The arguments that are given decide the mode."""
    assert evaluate(text, _SOURCE) == expected


def test_connect_has_monikers(evaluate: Evaluate) -> None:
    r"""In Connect's form \n, \r and \t stand for the characters that cannot be typed."""
    assert (
        evaluate('Replace([a], "\\r\\n", ", ")', {"a": "One Way\r\nRedmond"}, "connect") == "One Way, Redmond"
    )
    assert evaluate('Replace([a], ", ", "\\t")', {"a": "x, y"}, "connect") == "x\ty"
    assert evaluate('Replace("a-b", "-", , , "+", , )', dialect="connect") == "a+b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Replace("a")', "Replace: oldValue or regexPattern must be given (column 1)"),
        ('Replace("a", "b", , )', "Replace: replacementValue or template must be given (column 1)"),
        ('Replace("a", , "b", "g")', "replacementValue or replacementAttributeName must be given"),
        ('Replace("a", , "b", , , [c])', "regexGroupName must be given with replacementAttributeName"),
        (
            'Replace("a", , "(", , "b")',
            'a group is not closed (character 2 of the pattern), got "(" (column 16)',
        ),
        (
            'Replace("a", , "(?<x>a)", "y", "b")',
            'regexGroupName is not a group of the pattern, got "y" (column 27)',
        ),
        ('Replace("a", , "(?<x>a)(b)", , "$1")', "replacementValue refers to a group by number"),
    ],
)
def test_what_can_never_work_is_refused_when_it_is_loaded(text: str, message: str) -> None:
    """A mode without its arguments, a bad pattern, an unknown group are found before any object is seen."""
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Replace("a", , [p], , "b")', "regexPattern cannot be used: a group is not closed"),
        ('Replace("a", , "(?<x>a)", [g], "b")', "regexGroupName is not a group of the pattern"),
        ('Replace("a", [none], , , "b")', 'oldValue must not be empty, got ""'),
        ('Replace("a", "", "b")', "OldValue must not be empty"),
    ],
)
def test_what_an_object_brings_is_checked_too(evaluate: Evaluate, text: str, message: str) -> None:
    """A pattern can come from an attribute; it is held to the same rules."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, {"p": "(", "g": "nope"})
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"(?<n>a)\k<n>", "aa", True),
        (r"(?<n>a)\k'n'", "ab", False),
        (r"(?'n'a)", "a", True),
        (r"(?<n>a)|(?<n>b)", "b", True),  # the same name twice
        (r"(a)\1", "aa", True),
        (r"(a)\10", "aa", None),  # there is no tenth group
        (r"^[a-z-[aeiou]]+$", "xyz", True),  # subtraction
        (r"^[a-z-[aeiou]]+$", "xaz", False),
        (r"^[^x-[a]]$", "b", True),
        (r"^[^x-[a]]$", "a", False),
        (r"^[a-z-[aeiou-[e]]]+$", "bed", True),  # subtraction from a subtraction
        (r"a\Z", "a\n", True),  # before a last line break, too
        (r"a\Z", "a\n\n", False),
        (r"a\z", "a\n", False),
        (r"a$", "a\n", True),
        (r"\d", "٣", True),  # digits of all scripts
        (r"\w", "é", True),
        (r"(?<=a+)b", "aab", True),  # lookbehind of any length
        (r"(?<!a+)b", "aab", False),
        (r"(?>a+)a", "aa", False),  # atomic
        (r"^(?<q>')?a(?(q)')$", "'a'", True),  # conditional
        (r"^(?<q>')?a(?(q)'|b)$", "ab", True),
        (r"^(')?a(?(1)')$", "'a", False),
        (r"^(?(?=a)ab|cd)$", "cd", True),
        (r"a(?i)b", "aB", True),  # an option from here on
        (r"a(?i)b|c", "C", True),  # and over the alternatives after it
        (r"(?:(?i)a)b", "AB", False),  # to the end of its group
        (r"(?i:a)(?-i)b", "AB", False),
        (r"(?s)a.b", "a\nb", True),
        (r"a.b", "a\nb", False),
        (r"(?m)^b$", "a\nb", True),
        ("(?x) a b # c )\n c", "abc", True),  # free white space and comments
        ("(?x: a b ) c", "ab c", True),  # only in the group
        (r"a(?#not ( this)b", "ab", True),
        (r"\Ga", "ba", False),
        (r"\p{Lu}\P{L}", "A1", True),
        (r"^\p{IsCyrillic}$", "Ж", True),
        (r"^\p{IsBasicLatin}$", "a", True),  # blocks, not scripts
        (r"^\p{IsGreek}$", "ά", True),
        (r"^\p{IsGreek}$", "ἀ", False),  # the block ends before the extended letters
        (r"^\cA\e\x41\u0042\040\0$", "\x01\x1bAB \0", True),
        (r"^[\b\n\x41]+$", "\b\nA", True),
        (r"^[]a]+$", "]a", True),  # a bracket at the beginning is itself
        (r"^[^]a]+$", "b", True),
        (r"^[a&&b||c~~d]+$", "&|~", True),  # no operators of sets
        (r"^[a\-z]+$", "-", True),
        (r"^SystemMailbox{", "SystemMailbox{bb55}", True),  # a brace that repeats nothing is itself
        (r"^a{x}$", "a{x}", True),
        (r"^CAS_{guid}$", "CAS_{guid}", True),
        (r"^a{1,2}?b{2}c{1,}$", "aabbcc", True),
        (r"^(?<a>x)(y)\k<a>$", "xyx", True),
        (r"\.\*\+\?\(\[\{\|\^\$\#\ ", ".*+?([{|^$# ", True),  # escaped punctuation
        (r"a|", "", True),
        ("", "", True),
    ],
)
def test_patterns_mean_what_they_mean_in_dotnet(pattern: str, text: str, found: bool | None) -> None:  # noqa: FBT001  # a column of the table
    """What differs between the dialects is rewritten; None stands for a refusal."""
    if found is None:
        with pytest.raises(PatternError):
            translate(pattern)
    else:
        assert compile_pattern(pattern).found_in(text) is found


@pytest.mark.parametrize(
    ("pattern", "offset", "words"),
    [
        (r"(?<a>x)(y)\2", 10, "mixed"),  # .NET would number them the other way
        (r"(?<a>x)(y)(?(1)z)", 10, "mixed"),
        (r"(?n)(a)", 0, "explicit capture"),
        (r"(?<a>x)(?<b-a>y)", 7, "balancing groups"),
        (r"(?<1>x)", 0, "numbers as names"),
        (r"a++", 1, "a repeat of a repeat"),  # possessive elsewhere
        (r"a*+b", 1, "a repeat of a repeat"),
        (r"a{2}{3}", 1, "a repeat of a repeat"),
        (r"a??+", 1, "a repeat of a repeat"),
        (r"a{,3}", 1, "{,n} is literal"),
        (r"a{e<=1}", 1, "approximate matching"),
        (r"(?:abc){i}", 7, "approximate matching"),
        (r"a{1i+2d<=3}", 1, "approximate matching"),
        (r"a{i,1<=d<=2}", 1, "approximate matching"),
        (r"[[:alpha:]]", 1, "[:alpha:]"),
        (r"\h", 0, "not of .NET"),
        (r"\R", 0, "not of .NET"),
        (r"\X", 0, "not of .NET"),
        (r"a\Kb", 1, "lookbehind"),
        (r"\L<x>", 0, "not of .NET"),
        (r"(?R)", 0, "not of .NET"),
        (r"(?P<a>x)", 0, "not of .NET"),
        (r"(?|a)", 0, "not of .NET"),
        (r"(?1)", 0, "not of .NET"),
        (r"(?&a)", 0, "not of .NET"),
        (r"(?e)a", 0, "not of .NET"),
        (r"(?V1)a", 0, "not of .NET"),
        (r"(?)", 0, "not of .NET"),
        (r"\y", 0, "not an escape"),
        (r"\_", 0, "not an escape"),
        (r"\p{Greek}", 0, "not a category"),
        (r"\pL", 0, "braces"),
        (r"\p{IsKlingon}", 0, "no block"),
        (r"\k<a>", 0, "no group before it"),
        (r"\k", 0, "angle brackets"),
        (r"(a)\<a>", 3, "old form"),
        (r"\2(a)", 0, "no group 2"),
        (r"(?(x)a)", 0, "no group before it"),
        (r"(?(a|b)c)", 0, "no group before it"),
        (r"*a", 0, "follows nothing"),
        (r"a|*b", 2, "follows nothing"),
        (r"(*a)", 1, "follows nothing"),
        (r"^*", 1, "follows nothing"),
        (r"a)", 1, "closes nothing"),
        (r"(a", 2, "not closed"),
        (r"(?#a", 0, "not closed"),
        (r"[a", 0, "not closed"),
        (r"[a-z-[b]c]", 0, "last part of a class"),
        (r"[\A]", 1, "no meaning inside"),
        (r"[\1]", 1, "inside a class"),
        ("a\\", 1, "ends with a backslash"),
        ("[\\", 0, "not closed"),
        (r"a{3,1}", 1, "wrong way round"),
        (r"(?<>a)", 0, "no valid name"),
        (r"(?<a b>c)", 0, "no valid name"),
        (r"[z-a]", 0, "cannot be compiled"),
    ],
)
def test_what_dotnet_refuses_or_reads_otherwise_is_refused(pattern: str, offset: int, words: str) -> None:
    """Nothing is silently something else here, and the refusal names the place in the pattern."""
    with pytest.raises(PatternError) as raised:
        translate(pattern)
    assert words in raised.value.reason
    assert raised.value.offset == offset


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a" * 1001, "more than 1000"),
        ("(?:a{1000}){1000}", "unfold to more than 5000"),
        ("(?:(?:a{100}){100}){100}", "unfold to more than 5000"),
        ("a{9999}b{9999}", "unfold to more than 5000"),  # one after the other adds up
        ("(?:a|b{6000}|c{6000}){1}", "unfold to more than 5000"),
        ("a{99999999999999999999}", "unfold to more than 5000"),
        ("(" * 51 + ")" * 51, "deeper than 50"),
        ("(?<=a)" * 101, "more than 100 groups"),
        ("[a-z-" * 60 + "[b]" + "]" * 60, "nested deeper than 50"),
    ],
)
def test_patterns_are_bounded_before_they_are_compiled(pattern: str, words: str) -> None:
    """Compiling has no time limit, so size, depth and repeats have one."""
    with pytest.raises(PatternError, match=words):
        translate(pattern)


def test_the_limits_themselves_are_allowed() -> None:
    """A thousand characters, five thousand repeats, a hundred groups, fifty of them in one another."""
    for pattern in ("a" * 1000, "(?:a{100}){50}", ".{0,5000}", "(" * 50 + ")" * 50, "(a)" * 100):
        assert translate(pattern).compiled is not None


def test_a_pattern_of_a_scope_filter_says_where_it_is_wrong() -> None:
    """Outside an expression the column is the place in the pattern."""
    with pytest.raises(ExpressionSyntaxError) as raised:
        compile_pattern("ab(c")
    assert str(raised.value) == "a group is not closed (column 5)"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(?:a|aa)+$", "a" * 60 + "b"),  # the classic that no optimisation saves
        (r"(?:(?:a|aa)+)+c", "a" * 200),
    ],
)
def test_a_pattern_that_explodes_is_stopped(pattern: str, text: str) -> None:
    """Matching has a time limit, and reaching it is an error of ours."""
    with pytest.raises(ExpressionError, match="takes longer than 20 ms"):
        compile_pattern(pattern).found_in(text)


def test_templates_are_taken_apart_once() -> None:
    """A replacement text is read when the pattern is known, so that a wrong group is found early."""
    template = Template.read("${a}-$0-$", translate("(?<a>.)"))
    assert template.pieces == (("group", "a"), ("text", "-"), ("group", 0), ("text", "-$"))
    assert Pattern(translate("(?<a>.)")).replace("xy", template, 1.0) == "x-x-$y-y-$"
