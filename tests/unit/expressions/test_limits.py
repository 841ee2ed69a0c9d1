"""Hostile expressions and values: each is refused or bounded in time and memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Final

import pytest

from pipeline.expressions import Context, Dialect, ExpressionError, Scalar, Value, compile_expression

# Of processor time. The engine's own limit is 50 ms; the rest is for reading the text and a slow machine.
SECONDS: Final = 0.5
BYTES: Final = 10_000_000

LONG: Final = "x" * 1_000_000
WIDE: Final = "\U0001f600é" * 120_000
SOURCE: Final[dict[str, Value]] = {
    "long": LONG,
    "wide": WIDE,
    "many": [f"CN=member {number},DC=contoso" for number in range(100_000)],
    "few": ["x"] * 60,
    "deep": "(" * 100_000,
    "digits": "9" * 100_000,
    "bytes": b"\xff" * 1_000_000,
}


def _doubling(times: int) -> str:
    text = "$v0"
    for number in range(times - 1, 0, -1):
        text = f"With($v{number}, $v{number - 1} & $v{number - 1}, {text})".replace("$v0)", f"$v{times - 1})")
    return f'With($v0, "xxxxxxxx", {text})'


def _nested_loops(depth: int, attribute: str) -> str:
    body = "$i0"
    for level in range(depth):
        body = f"Count(Select($i{level}, [{attribute}], {body}))"
    return body


HOSTILE: Final = {
    # deep nesting
    "nested calls": "Trim(" * 1500 + "[a]" + ")" * 1500,
    "nested parentheses": "(" * 4000 + "[a]" + ")" * 4000,
    "signs": "-" * 8000 + "1",
    "unclosed": "(" * 8000,
    "commas": "Join(" + "," * 8000 + ")",
    "chain": "&".join(["[long]"] * 1000),
    "chain of and": "&&".join(["True"] * 2000),
    "long text": '"' + "a" * 9000 + '"',
    # huge results
    "padding": 'PadLeft("a", 999999999, "b")',
    "padding in turn": "Join(" + ",".join(['PadLeft("a", 160000, "b")'] * 250) + ")",
    "padding in a loop": 'Select($i, [many], PadLeft($i, 4000, "x"))',
    "padding in a short loop": 'Select($i, [few], PadLeft($i, 150000, "😀"))',
    "doubling": _doubling(50),
    "doubling by replacement": 'Replace(PadLeft("", 9999, "x"), "x", PadLeft("", 4000, "x"))',
    "template": 'Replace([long], "x", , , , , PadLeft("x", 4000, "x"))',
    "replacement text": 'Replace(PadLeft("", 4000, "x"), , "x", , "$_", , )',
    "one text to many": 'PadLeft("", 4000, "x") & [many]',
    "multiplication": "*".join(["18446744073709551615"] * 50),
    "fractions": "*".join(["99999999999999999999.9"] * 50),
    "split": 'Split([long], "x")',
    "split and join": 'Join(Split(PadLeft("", 160000, "x"), "x"), "yyyyyyyy")',
    "random": "RandomString(256,1000000000000,0,0,0)",
    "dates": 'DateAdd("yyyy", 99999999999, Now())',
    "formats": 'FormatDateTime(Now(), PadLeft("", 4000, "d "))',
    # loops
    "loops": _nested_loops(12, "few"),
    "loops over many": _nested_loops(3, "many"),
    "mapping": "Trim(ToUpper(ToLower(StripSpaces([many]))))",
    "switch over many": 'Switch([many], [many], "a", [many])',
    "where": "Where($i, [many], Contains([many], $i) > 0)",
    # catastrophic patterns
    "pattern 1": 'Replace(PadLeft("b", 2000, "a"), , "^(?:a|aa)+$", , "x", , )',
    "pattern 2": 'Replace(PadLeft("b", 60, "a"), , "(?:a|aa)+c", , "x", , )',
    "pattern 3": 'Replace([long], , "(x+x+)+y", , "z", , )',
    "pattern 4": 'Replace([many], , "(.*)*x", , "z", , )',
    "pattern compiled": 'Replace("a", , "(?:(?:a{100}){100}){100}", , "b", , )',
    "pattern groups": 'Replace("a", , "' + "(" * 400 + ")" * 400 + '", , "b", , )',
    "pattern from an object": 'Replace("a", , [deep], , "b", , )',
    "pattern classes": 'Replace("a", , "' + "[a-z-" * 190 + '", , "b", , )',
    "pattern length": 'Replace("a", , PadLeft("", 4000, "a?"), , "b", , )',
    # large values
    "long values": "Join(" + ",".join(["ToUpper([long])"] * 400) + ")",
    "wide values": "&".join(["NormalizeDiacritics([wide])"] * 200),
    "wide case": "Join(" + ",".join(["PCase([wide])"] * 400) + ")",
    "characters": 'ReplaceChars([wide], "é:eeeeeeeeeeeeeeeeee")',
    "hexadecimal": "ConvertToUTF8Hex(ConvertToUTF8Hex([bytes]))",
    "base64": "ConvertToBase64(ConvertToBase64([bytes]))",
    "duplicates": "&".join(["Count(RemoveDuplicates([many]))"] * 200),
    "contains": "&".join(['Contains([many], "zz", CaseInsensitive)'] * 180),
    "digits": "CNum([digits]) + BitAnd([digits], 1)",
    "date": "CDate([digits])",
    "escapes": "&".join(["EscapeDNComponent([long])"] * 300),
    "components": "&".join(['DNComponent([deep] & "=a", 1)'] * 200),
    # reaching out
    "attribute access": "[__class__] & [evaluate.__globals__] & [../../etc/passwd]",
    "names": "__import__([a])",
    "format": '"{0.__class__}" & "%s%n" & %a.__class__%',
}


def _outcome(text: str, way: str) -> object:
    try:
        expression = compile_expression(text, Dialect.CONNECT)
        return getattr(expression, way)(SOURCE, Context())
    except ExpressionError as error:
        return error


@pytest.mark.parametrize("way", ["evaluate", "trace"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_is_bounded_in_time(name: str, way: str) -> None:
    """It gives a value or one of our errors, soon, traced or not."""
    start = time.thread_time()
    outcome = _outcome(HOSTILE[name], way)
    assert time.thread_time() - start < SECONDS
    assert not isinstance(outcome, ExpressionError) or len(str(outcome)) < 1000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_is_bounded_in_memory(name: str) -> None:
    """Nothing it makes on the way is large."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        outcome = _outcome(HOSTILE[name], "evaluate")
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < BYTES, f"{peak} bytes for {str(outcome)[:60]}"


def test_time_is_limited_over_the_whole_evaluation(context: Context) -> None:
    """Many pieces of work that are each allowed add up; the limit is theirs together."""
    text = "Count(Where($i, [m], " + " || ".join(['InStr($i, "z") > 0'] * 200) + "))"
    expression = compile_expression(text, Dialect.CONNECT)
    start = time.thread_time()
    with pytest.raises(ExpressionError, match="the evaluation takes longer than 50 ms"):
        expression.evaluate({"m": ["x"] * 50_000}, context)
    assert time.thread_time() - start < SECONDS


def test_large_but_reasonable_values_pass(context: Context) -> None:
    """A photo, a long note and a large group are ordinary; limits are for what is not."""
    note = "word " * 10_000
    photo = b"\xff" * 100_000
    members: list[Scalar] = [f"CN=member {number},OU=x,DC=contoso,DC=com" for number in range(20_000)]
    source: dict[str, Value] = {"note": note, "photo": photo, "member": members}

    def value(text: str) -> object:
        return compile_expression(text).evaluate(source, context)

    assert value("Trim([note])") == note.strip()
    assert value("[note] & [note]") == note * 2
    assert len(str(value("ConvertToBase64([photo])"))) == 133_336
    assert value("Count([member])") == 20_000
    assert value("Trim([member])") == members
    assert value("[member]") is members


def test_a_value_beyond_the_limit_says_so(context: Context) -> None:
    """The error names the size and the limit."""
    with pytest.raises(ExpressionError, match="a value of 1000000 is longer than 160000"):
        compile_expression("Trim([long])").evaluate(SOURCE, context)
    with pytest.raises(ExpressionError, match="add up to more than 2000000"):
        compile_expression('Select($i, [m], PadLeft($i, 40000, "y"))', Dialect.CONNECT).evaluate(
            {"m": ["x"] * 100}, context
        )
