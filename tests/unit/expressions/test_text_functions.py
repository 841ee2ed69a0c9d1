"""Texts: case, parts, padding, searching, joining, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.expressions import Context, ExpressionError, Value, compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable

    Evaluate = Callable[..., Value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Left("John", 2)', "Jo"),
        ('Left("John", 0)', ""),  # nothing asked for
        ('Left("John", -1)', "John"),  # negative: all
        ('Left("John", 9)', "John"),  # fewer than asked for
        ("Left([none], 2)", ""),  # null gives the empty text
        ('Left("John", "2")', "Jo"),  # a numeric text is a number
        ("Left(12345, 2)", "12"),  # a number is a text
        ('Mid("John", 2)', "ohn"),  # the form with two arguments is in Microsoft's samples
        ('Mid("John", 2, 2)', "oh"),
        ('Mid("John", 2, 99)', "ohn"),
        ('Mid("John", 9, 2)', ""),  # beyond the end
        ('Mid("John", 1, 0)', ""),
        ("Mid([none], 1, 2)", ""),
        ("Trim([none])", None),  # null stays null where no rule says otherwise
        ('Trim("\t\u00a0 a \u2003")', "a"),  # what .NET calls white space
        ('Trim("\u001ca")', "\u001ca"),  # and what only Python does
        ('StripSpaces(" a\tb c ")', "a\tbc"),  # spaces only
        ('ToUpper("straße")', "STRAßE"),  # one letter for one
        ('ToLower("İΣ")', "İσ"),  # neither several letters nor by the neighbour
        ('ToUpper("iı", "tr-TR")', "İI"),  # Turkish has two letters i
        ('ToLower("Iİ", "az")', "ıi"),
        ('ToUpper("iı")', "Iı"),  # the invariant culture does not
        ('ToUpper("a", "")', "A"),  # the empty name is the invariant culture
        ('ToUpper("a", [none])', "A"),
        ('Append("a", "b")', "ab"),
        ('Append([none], "b")', "b"),
        ("Append([none], [none])", None),
        ('Append("a", 1)', "a1"),
        ('Word("a-b-c", 2, "-")', "b"),
        ('Word("a--b", 2, "-")', "b"),  # delimiters in a row part once
        ('Word("a,b;c", 3, ",;")', "c"),
        ('Word("a b", 0, " ")', ""),
        ('Word("a b", 3, " ")', ""),
        ('Word([none], 1, " ")', ""),
        ('Word("a b", 1, "")', "a b"),  # nothing to part by
        ('Word("a]b^c", 2, "]^-")', "b"),  # delimiters are characters, whatever a pattern means by them
        ('InStr("The quick", "quick")', 5),
        ('InStr("The quick", "Quick")', 0),  # case counts
        ('InStr("The quick", "Quick", 1, vbTextCompare)', 5),  # unless told
        ('InStr("repEated", "e", 3, VBBINARYCOMPARE)', 7),
        ('InStr("repeated", "e", , vbTextCompare)', 2),  # a skipped argument in the middle
        ('InStr("abc", "c", 9)', 0),  # starts beyond the end
        ('InStr("abc", "", 2)', 2),
        ('InStr([none], "a")', 0),
        ('Join(",", "", "a", [none], "b")', "a,b"),  # empty ones are skipped
        ('Join(", ", "", [sn], [givenName])', "Doe, John"),
        ('Join(";", [many], "d")', "a;b;c;d"),  # a list is expanded
        ('Join("", 1000, "a", True)', "1000aTrue"),
        ('Join([none], "a", "b")', "ab"),  # no separator
        ('Join(",", 0, False)', "0,False"),  # not empty
        ('Join(",", [none])', ""),
        ("CStr(True)", "True"),
        ("CStr(1.50)", "1.5"),
        ("CStr([none])", None),
        ("CStr([many])", ["a", "b", "c"]),
    ],
)
def test_functions_of_every_dialect(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Each function gives what Microsoft's reference says, at its edges too."""
    source: dict[str, Value] = {"many": ["a", "b", "c"], "givenName": "John", "sn": "Doe"}
    assert evaluate(text, source) == expected
    assert evaluate(text, source, "app-provisioning") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('LCase("TeSt")', "test"),
        ('UCase("TeSt")', "TEST"),
        ('Len("John Doe")', 8),
        ("Len([none])", 0),
        ('LTrim("  a ")', "a "),
        ('RTrim("  a ")', "  a"),
        ('Right("John Doe", 3)', "Doe"),
        ('Right("abc", 0)', ""),
        ('Right("abc", -2)', "abc"),
        ('Right("abc", 9)', "abc"),
        ("Right([none], 1)", ""),
        ('PadLeft("User", 10, "0")', "000000User"),
        ('PadRight("User", 6, " ")', "User  "),
        ('PadLeft("User", 3, "0")', "User"),  # long enough already
        ('PadLeft([none], 3, "0")', ""),  # null gives the empty text, not padding
        ('InStrRev("abbcdbbbef", "bb")', 7),
        ('InStrRev("abc", "x")', 0),
        ('InStrRev("abcabc", "c", 5)', 3),  # at or before the start
        ('InStrRev("abcABC", "abc", 6, vbTextCompare)', 4),
        ('Mid("John", 0, 2)', "John"),  # what makes no sense gives the whole text
        ('Mid("John", 9, 2)', "John"),
        ('Mid("John", 2, -1)', "John"),
        ('Mid("John", 2, 0)', ""),
        ('Join([many], "-")', "a-b-c"),  # the list comes first
        ("Join([many])", "a b c"),  # and a space is the default
        ('Join([many], "")', "abc"),
        ('Join("-", [many])', "a-b-c"),  # a text before a list can only be the separator
        ('Join("-", "a", "b")', "a-b"),  # three arguments are the service's form
        ('PCase("maria-luisa del rio")', "Maria-luisa Del Rio"),  # spaces only
        ('PCase("maria-luisa", "-")', "Maria-Luisa"),
        ('ReplaceChars("Räksmörgås", "å:a, ä:a ,ö:oe")', "Raksmoergas"),  # spaces in the pattern are nothing
        ('ReplaceChars("O’Neil ö", %ReplaceString%)', "ONeil oe"),  # an empty target removes
        ('ReplaceChars("aA", "a:b")', "bA"),  # case counts
        ('ReplaceChars("ab", "a:b,b:a")', "ba"),  # in one go, not one after the other
        ('ReplaceChars("aö", "a:e,ö,o")', "eo"),  # the published sample ends with a comma for a colon
        ('CStr(CNum("12") + 1)', "13"),
    ],
)
def test_functions_of_connect(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Connect Sync has more functions, and some of the same name that differ."""
    assert evaluate(text, {"many": ["a", "b", "c"]}, "connect") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('NormalizeDiacritics("Zoë Łukasz")', "Zoe Lukasz"),
        ('NormalizeDiacritics("ÆæØøŒœßıİ")', "AEaeOEoeOEoessiI"),
        ('NormalizeDiacritics("ǣǢ")', "aeAE"),  # a mark on a letter that stands for two
        ('NormalizeDiacritics("a\u0331\u0304")', "a"),  # marks of their own
        ('NormalizeDiacritics("Đorđe")', "Đorđe"),  # not in the published table
        ('NormalizeDiacritics("Йожик")', "Йожик"),  # marks of other scripts are letters
        ('NormalizeDiacritics("हिन्दी")', "हिन्दी"),
        ('NormalizeDiacritics("김철수")', "김철수"),
        ('PCase("PINTO-DE\'SILVA")', "Pinto-De'silva"),  # .NET goes on over an apostrophe
        ('PCase("o\'neil_x a12b 2nd (SECOND)")', "O'neil_X A12b 2Nd (Second)"),
        ('PCase("éva ÖZIL")', "Éva Özil"),
        ('PCase("anna MARIA-luisa", "-")', "Anna maria-Luisa"),
    ],
)
def test_names_of_people(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Names come out as they may stand in an address, or as people write them."""
    assert evaluate(text) == expected


def test_the_quick_way_of_proper_case_agrees_with_the_long_one(evaluate: Evaluate) -> None:
    """ASCII has a way of its own; a letter beyond ASCII takes the other, and both give the same."""
    text = "o'neil-SMITH a12b 2nd x_y (z) 3'a b''c"
    quick = evaluate(f'PCase("{text}")')
    long = evaluate(f'PCase("{text}é")')
    assert long == str(quick) + "é"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Trim([many])", ["a", "b"]),
        ("Left(Trim([many]), 1)", ["a", "b"]),
        ('Word([mails], 1, "@") & "@c.test"', ["a@c.test", "b@c.test"]),  # CE's own example
        ('IIF(InStr([proxies], "SIP:") = 1, NULL, [proxies])', ["SMTP:b"]),  # and its other
        ("Left([one], 1)", ["a"]),  # a list of one stays a list
        ('Append([many], "!")', [" a!", "b !"]),
        ('[mails] & "-" & [many]', ["a@x- a", "b@y-b "]),  # two lists go side by side
        ("[one] & [many]", ["abc a", "abcb "]),  # a list of one goes with each
        ('[empty] & "x"', "x"),  # no value is null
        ("Left([empty], 1)", ""),
        ("Trim([mixed])", ["a", "7"]),
        ('InStr([mails], "@")', [2, 2]),
    ],
)
def test_lists_are_treated_value_by_value(evaluate: Evaluate, text: str, expected: Value) -> None:
    """A function of one text, given a multi-valued attribute, gives a value for each."""
    source: dict[str, Value] = {
        "many": [" a", "b "],
        "mails": ["a@x", "b@y"],
        "proxies": ["SIP:a", "SMTP:b"],
        "one": ["abc"],
        "empty": [],
        "mixed": [" a", 7],
    }
    assert evaluate(text, source) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Mid([cn], "x", 2)', 'Mid: start must be a whole number, got "x" (column 11)'),
        ('Mid("abc", 0, 2)', "Mid: start must be 1 or more, got 0 (column 12)"),
        ('Mid("abc", 1, -1)', "Mid: length must not be negative, got -1 (column 15)"),
        ('Left("abc", 1.5)', "Left: NumChars must be a whole number, got 1.5 (column 13)"),
        ('Left("abc", [none])', "Left: NumChars must be a whole number, got nothing (column 13)"),
        ('InStr("a", "a", 0)', "InStr: start must be 1 or more, got 0 (column 17)"),
        ('InStr("a", "a", 1, UTF8)', 'InStr: compare must be vbTextCompare or vbBinaryCompare, got "UTF8"'),
        ('ToUpper("a", "no such")', 'ToUpper: culture must be a culture such as en-US, got "no such"'),
        ("Trim([photo])", "Trim: value must be a text; use ConvertToBase64 for binary values, got 2 bytes"),
        ('[photo] & "a"', "use ConvertToBase64 for binary values, got 2 bytes (column 1)"),
        ("Join(Trim([many]), [cn])", "Join: separator must be a text, got 2 values (column 6)"),
        ("[many] & [three]", "cannot bring together lists of different lengths (column 1)"),
        ("Append([many], [three])", "Append: cannot bring together lists of different lengths (column 1)"),
    ],
)
def test_an_error_names_function_argument_value_and_place(
    evaluate: Evaluate, text: str, message: str
) -> None:
    """A reader learns which argument of which function is wrong, what it was and where it stands."""
    source: dict[str, Value] = {
        "cn": "John",
        "photo": b"\xff\xd8",
        "many": ["a", "b"],
        "three": ["a", "b", "c"],
    }
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, source)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('PadLeft("a", 3, "xy")', 'PadLeft: padCharacter must be one character, got "xy" (column 17)'),
        ('ReplaceChars("a", "ab:c")', "must have one character before each colon"),
        ('ReplaceChars("a", "a:b,c")', "must be pairs such as ä:a,ö:o"),
    ],
)
def test_errors_of_connect_functions(evaluate: Evaluate, text: str, message: str) -> None:
    """The same for functions that only Connect Sync has."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, dialect="connect")
    assert message in str(raised.value)


def test_the_parts_of_an_error_are_data() -> None:
    """Lint and messages read position, function, argument and value from the error itself."""
    with pytest.raises(ExpressionError) as raised:
        compile_expression('Trim(Mid([cn],\n "x"))').evaluate({"cn": "John"}, Context())
    error = raised.value
    assert (error.function, error.argument, error.value) == ("Mid", "start", "x")
    assert (error.position.line, error.position.column, error.position.offset) == (2, 2, 16)
    assert error.message == 'start must be a whole number, got "x"'
