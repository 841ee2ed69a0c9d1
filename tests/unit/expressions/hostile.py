"""Hostile expressions, by category: what somebody writes, or puts into an attribute, to bring the bot down.

`SOURCE` holds the values that an attacker controls in the directory; the texts are what an attacker, or an
accident, writes into a configuration. Every text is evaluated in Connect's dialect, which has all functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pipeline.expressions import Dialect, Value
from pipeline.expressions.functions import FUNCTIONS
from pipeline.expressions.parser import MAX_TEXT

SOURCE: Final[dict[str, Value]] = {
    "long": "x" * 1_000_000,
    "edge": "x" * 150_000,
    "wide": "\U0001f600é" * 120_000,
    "many": [f"CN=member {number},DC=contoso" for number in range(100_000)],
    "few": ["x"] * 60,
    "thick": ["x" * 150_000] * 1000,
    "deep": "(" * 100_000,
    "digits": "9" * 100_000,
    "spaces": " " * 150_000,
    "dots": "a." * 75_000,
    "commas": "," * 150_000,
    "bytes": b"\xff" * 1_000_000,
    "evil": "(?:a|aa)+$",
    "evils": [f"(?:a|aa){{1,{number}}}$" for number in range(1, 90)],
    "costly": [f"(?i){'[à-ö]' * 100}{number}" for number in range(2000)],
    "whole": 2**63,
    "fraction": 1e308,
    "nothing": float("nan"),
}


def _filled(piece: str, length: int = MAX_TEXT) -> str:
    return piece * (length // len(piece))


def _nesting() -> Iterator[str]:
    around = {
        "Trim(": ")", "(": ")", "-": "", "- -": "", "Not(": ")", 'Join(",", ': ")", "Coalesce(": ")",
        "IIF(True, ": ', "")', 'IIF([a] = 1, "x", ': ")", "IIF(": ', "x", "y")',
        'Switch([a], "d", "k", ': ")", "Switch(": ', "d", "k", "v")', "With($v, ": ", $v)",
        "Select($i, [few], ": ")", "Where($i, [few], ": ")", "[a] & (": ")", "1 + (": ")", "[a] = (": ")",
        "True && (": ")", "Item(Split(": ', ","), 1)', "Replace(": ', , "(a|aa)+$", , "b", , )',
        "Append(": ', "x")',
    }  # fmt: skip
    for before, after in around.items():
        for depth in (59, 61, MAX_TEXT // len(before + after) - 1):
            yield before * depth + "[a]" + after * depth


def _unreadable() -> Iterator[str]:
    pieces = (
        "(", ")", ",", '"', '"\\', "[", "]", "[a", "[a]", "%", "%a", "%a%", "$", "$a", "&", "&&", "||",
        "=", "<>", "<", "+", "-", "*", "\\", "'", ";", "{", "}", "/", "!", "\0", "é", "\U0001f600", "\n",
        " ", "\t", "Trim(", "IIF(,", "Join(,", "&H", "&HF", "1", "1.", "1 ", "9.9", "a", "a ", "True",
        "NULL,", "“", "\ud800", "Trim(]", '"" ', '"",', "()", "(,)", "Trim()", "Trim(,", "a.b", "\u202e",
        "0x", "//", "/*", "--", "#",
    )  # fmt: skip
    for piece in pieces:
        yield _filled(piece)
    yield "Join(" + _filled(",", MAX_TEXT - 6) + ")"
    yield "[" + _filled("a", MAX_TEXT - 2) + "]"
    yield _filled("a", MAX_TEXT - 2) + "()"
    yield '"' + _filled('\\"', MAX_TEXT - 2) + '"'


def _megabytes() -> Iterator[str]:
    for piece in ("a", '"', " ", "(", "[a]", "[a] & ", "Trim(", "-", "1", "\\", "\n", ","):
        yield _filled(piece, 1_000_000)
    yield '"' + "a" * 1_000_000 + '"'
    yield "[" + "a" * 1_000_000 + "]"
    yield "%" + "a" * 1_000_000 + "%"
    yield "$" + "a" * 1_000_000


def _chains() -> Iterator[str]:
    for sign in ("&", "&&", "||", "+", "-", "*", "=", "<>", "<", "<=", ">", ">="):
        for operand in ("1", "[long]", "[many]", "True"):
            yield sign.join([operand] * 400)
    for argument in ("[long]", "[many]", "[edge]", '"x"', ""):
        for name in (
            "Join",
            "Coalesce",
            "Switch",
            "RemoveDuplicates",
            "Append",
            "Replace",
            "SelectUniqueValue",
        ):
            yield f"{name}({','.join([argument] * 700)})"


def _doubling(times: int) -> str:
    text = f"$v{times - 1}"
    for number in range(times - 1, 0, -1):
        text = f"With($v{number}, $v{number - 1} & $v{number - 1}, {text})"
    return f'With($v0, "xxxxxxxx", {text})'


def _growth() -> Iterator[str]:
    for size in ("160000", "160001", "999999999", "99999999999999999999", "-1"):
        for name in ("PadLeft", "PadRight"):
            yield f'{name}("a", {size}, "b")'
            yield f'Join({",".join([f"""{name}("a", {size}, "b")"""] * 160)})'
    for times in (14, 16, 30, 50):
        yield _doubling(times)
    yield from (
        'Select($i, [many], PadLeft($i, 4000, "x"))',
        'Select($i, [few], PadLeft($i, 150000, "\U0001f600"))',
        'Select($i, [few], Select($j, [few], PadLeft($j, 4000, "\U0001f600")))',
        'Replace(PadLeft("", 9999, "x"), "x", PadLeft("", 4000, "x"))',
        'Replace([long], "x", , , , , PadLeft("x", 4000, "x"))',
        'Replace(PadLeft("", 4000, "x"), , "x", , "$_", , )',
        'Replace(PadLeft("", 4000, "x"), , "x", , "$`$\'$_", , )',
        'Replace([edge], , "", , "$_", , )',
        'Replace([edge], , "(?<n>x)", "n", [edge], , )',
        'Replace([edge], "x", , , [edge], , )',
        'PadLeft("", 4000, "x") & [many]',
        "[edge] & [many]",
        "[thick] & [thick]",
        "[thick] & [many]",
        "Join([edge], [many])",
        "Join([edge], [thick])",
        'Split([long], "x")',
        'Split([edge], "x")',
        'Split([commas], ",")',
        'Join(Split([edge], "x"), "yyyyyyyy")',
        'Select($i, Split([edge], "x"), Split([edge], "x"))',
        "RandomString(256,1000000000000,0,0,0)",
        "RandomString(160000,160000,0,0,0)",
        'FormatDateTime(Now(), PadLeft("", 4000, "d "))',
        'FormatDateTime(Now(), PadLeft("", 160000, "d"))',
        'FormatDateTime([digits], , "yyyy", [edge])',
        "ConvertToUTF8Hex(ConvertToUTF8Hex(ConvertToUTF8Hex([edge])))",
        "ConvertToBase64(ConvertToBase64(ConvertToBase64([bytes])))",
        'ReplaceChars([wide], "é:eeeeeeeeeeeeeeeeee")',
        'ReplaceChars([edge], "x:eeeeeeeeeeeeeeeeee")',
    )  # fmt: skip


def _numbers() -> Iterator[str]:
    for sign in "+-*":
        for number in (
            "18446744073709551615",
            "99999999999999999999.9",
            "[whole]",
            "[fraction]",
            "[nothing]",
        ):
            yield sign.join([number] * 50)
    for number in ("9" * 8000, "&H" + "F" * 8000, "0." + "9" * 8000, "9" * 300 + ".0", "1e999", "[digits]"):
        yield f"CNum({number})"
        yield f"BitAnd({number}, 1)"
        yield f'Left("a", {number})'
        yield f'Word("a b", {number}, " ")'
    for unit in ("yyyy", "m", "d", "h", "s", "z" * 1000):
        for number in ("99999999999", "-99999999999", "[whole]", "[digits]", "[fraction]", "[nothing]"):
            yield f'DateAdd("{unit}", {number}, Now())'


def _loops(name: str, depth: int, attribute: str) -> str:
    body = "True" if name == "Where" else "$i0"
    for level in range(depth):
        body = f"Count({name}($i{level}, [{attribute}], {body}))"
        body = body if name == "Select" else f"{body} > 0"
    return body


def _looping() -> Iterator[str]:
    for name in ("Select", "Where"):
        for attribute in ("few", "many", "thick"):
            for depth in (1, 2, 3, 12):
                yield _loops(name, depth, attribute)
    yield from (
        "Trim(ToUpper(ToLower(StripSpaces([many]))))",
        'Switch([many], [many], "a", [many])',
        "Where($i, [many], Contains([many], $i) > 0)",
        "Where($i, [many], InStr($i, [edge]) > 0)",
        'Select($i, [many], Replace($i, , "(a|aa)+$", , "x", , ))',
        "Count(Where($i, [many], " + " || ".join(['InStr($i, "z") > 0'] * 120) + "))",
        "[many] = [many]",
        "[many] < [many]",
        "[many] * [many]",
        "[thick] = [thick]",
        "[many] & [many] & [many] & [many]",
        "Count(RemoveDuplicates([many])) & " + " & ".join(["Count(RemoveDuplicates([many]))"] * 140),
        " & ".join(['Contains([many], "zz", CaseInsensitive)'] * 130),
        " & ".join(['Contains([thick], "zz", CaseInsensitive)'] * 130),
        " & ".join(['DNComponent([deep] & "=a", 1)'] * 140),
        " & ".join(["EscapeDNComponent([edge])"] * 280),
        " & ".join(["NormalizeDiacritics([wide])"] * 200),
        " & ".join(["ToUpper([edge])"] * 280),
        " & ".join(["PCase([dots])"] * 280),
    )  # fmt: skip


# Of the published patterns that take exponential or polynomial time somewhere.
_SLOW: Final = (
    "(a+)+$", "(a*)*$", "(a|aa)+$", "(?:a|aa)+$", "(a|a?)+$", "(.*a){20}$", "(.*a){12}b", "(a+a+)+b",
    "(a?){30}a{30}", "^(([a-z])+.)+[A-Z]([a-z])+$", "([a-zA-Z]+)*$", "^(a+)*b$", "(x+x+)+y", "(.*)*b",
    "(.*?,){30}P", r"(\w+\s?)+$", r"^(\w+)*@", r"(\d+)+x", r"((a{1,30}){1,30}){1,10}b", "(a{0,90}){0,90}b",
    "(?=(a+))a*b\\1", "(?<=(a+)+)b", "(?<!(a|aa)+)$", "(a+)\\1+b", "((a+)\\2)+b", "(?:a*)*(?:a*)*b",
    "(?>(a|aa)+)+b", "(?i)(A|aa)+$", r"(\p{L}+)+1", r"([a-z-[x]]+)+1", ".*.*.*.*.*b", "a*a*a*a*a*a*b",
    "(?s).*.*.*.*b", r"\s+$", r"(\s*,)*x", "(a|b|ab)*c", "(?:(?:a|aa)|(?:a|aaa))+$",
    "((((((a*)*)*)*)*)*)*b", "^(?:.?){99}b", "(?<n>a+)+(?<m>a+)+b", "(a)?(?(1)a+|b)+c", "(?:a?a?a?a?a?)*b",
    "(a{1,1000}){1,9}b", "(?!(a+)+b)", "((?=a*)a)+b", "a.*b.*c.*d.*e", "[^b]*[^c]*[^d]*[^e]*!",
)  # fmt: skip


def _slow_patterns() -> Iterator[str]:
    for pattern in _SLOW:
        for text in ('PadLeft("!", 3000, "a")', "[long]"):
            yield f'Replace({text}, , "{pattern.replace(chr(92), chr(92) * 2)}", , "b", , )'
    for text in ("[long]", "[edge]", "[many]", "[thick]", "[spaces]"):
        for pattern in ("[evil]", "[evils]", "[deep]", '"(.*)*x"', '"\\s+$"'):
            yield f'Replace({text}, , {pattern}, , "b", , )'
    yield "Join(" + ",".join(['Replace([edge], , "x*y", , "b", , )'] * 100) + ")"
    yield 'Replace("a", , "(?<n>a|aa)+$", "n", , [edge], )'


def _costly_patterns() -> Iterator[str]:
    patterns = (
        "(?:(?:a{100}){100}){100}", "(" * 400 + ")" * 400, "[a-z-" * 190, _filled("a?", 1000),
        _filled("(a)", 999), _filled("[à-ö]", 1000), "(?i)" + _filled("[à-ö]", 990),
        "(?i)" + _filled("[^a]", 990), _filled("a|", 1000), "(?i)" + _filled(r"\p{L}", 990),
        "(?i)" + _filled(r"[\p{L}-[a]]", 900), _filled(r"\w\W", 1000), _filled("(?:a|b)", 994),
        _filled("(?=a)", 1000), _filled("(?<=a)", 996), _filled("a{99}", 500),
        "(?:" * 49 + "a{9}" + "){9}" * 49, "(?:" * 49 + "a?" + ")?" * 49, _filled("(a?)*", 1000),
        "a{9999}", "(?i)(?:ß|ſ|ﬀ){3333}", "(?:[^a]|[^b]){4999}", "(?i)[\\u0000-\\uFFFF]{4999}",
        "((?<n>a)|b){4999}", _filled(r"(?<n>a)\k<n>", 996), "(?:a{0,100}){0,99}",
        "(?:a|b|c|d|e|f|g|h){1249}", "(?<=a{9999})",
        "(?i)" + "".join(chr(0x400 + number) for number in range(900)),
        "[" + _filled(r"\u0100", 990) + "]", _filled(r"\P{IsGreek}", 990),
        "(?i)[" + _filled("à-ö", 990) + "]", "(?x)" + _filled("# ", 990), "a" * 1001,
        _filled("(?(a)b)", 900), "(?i)(?:[a-z]|[à-ö]){4999}", "(" * 49 + "a*" + ")*" * 49, "{" * 999,
        "\\\\" * 499, "a{,9}", "a{1e3}", "a{999999999999}", "(?<a-b>x)", "(?P<n>x)", "(?R)", "(?1)", r"\K",
        r"(?e)(?:a){e<=3}",
    )  # fmt: skip
    for pattern in patterns:
        yield f'Replace("a", , "{pattern.replace(chr(92), chr(92) * 2)}", , "b", , )'
    yield 'Replace("a", , PadLeft("", 4000, "a?"), , "b", , )'
    yield 'Replace("a", , [costly], , "b", , )'
    yield 'Select($i, [costly], Replace("a", , $i, , "b", , ))'


def _values() -> Iterator[str]:
    for function in FUNCTIONS.values():
        form = function.forms_of(Dialect.CONNECT)[0]
        for attribute in ("long", "many", "edge", "thick", "wide", "bytes"):
            count = max(1, form.least)
            yield f"{function.name}({', '.join([f'[{attribute}]'] * count)})"
    for attribute in ("digits", "deep", "spaces", "dots", "commas", "nothing", "fraction"):
        for name in (
            "CDate",
            "CNum",
            "Guid",
            "CRef",
            "DNComponent",
            "FormatDateTime",
            "IsDate",
            "PCase",
            "Word",
        ):
            form = FUNCTIONS[name.casefold()].forms_of(Dialect.CONNECT)[0]
            yield f"{name}({', '.join([f'[{attribute}]'] * form.least)})"


def _reaching_out() -> Iterator[str]:
    yield from (
        "[__class__]", "[evaluate.__globals__]", "[__class__.__mro__]", "[../../etc/passwd]",
        "[a].__class__", "[a].upper()", "$__class__", "%a.__class__%", "%__class__.__init__.__globals__%",
        "__import__([a])", '__import__("os").system("id")', 'eval("1")', 'exec("1")',
        'open("/etc/passwd")', 'compile("1")', "globals()", "self", "source", "state", "lambda: 1",
        "(lambda x: x)(1)", "[x for x in y]", "{1: 2}", '"{0.__class__}"', '"{state.context}"',
        '"%s%n%(a)s"', '"${__class__}"', '"$(id)"', '"`id`"', '"; rm -rf /"', '"\' OR 1=1 --"',
        '"<script>alert(1)</script>"', '"{{ 7*7 }}"', '"{% import os %}"',
        'Replace("a", , "a", , "${__class__}", , )', 'Replace("a", , "a", , "$99999999999", , )',
        'Replace("a", , "a", , "\\g<0>", , )', 'Replace("a", , "(?<n>a)", "__class__", "b", , )',
        'Replace("a", , "(?<n>a)", "0", "b", , )', 'Join("{}".format, [a])', 'Item([few], "__class__")',
        "Item([few], -1)", 'ImportedValue("__class__")', 'ToUpper("a", "../../x")',
        'ToUpper("a", "C.UTF-8")', 'CDate("{0}")', 'Error("{0.__class__} %s %n")', 'Guid("__class__")',
        "DateAdd(__class__, 1, Now())", "Redact(__class__)", "Trim.__call__([a])", "Trim", "Trim()()",
        "Trim ([a]", "import os", "1; 2", "a = 1",
    )  # fmt: skip


#: For each category: what it is about, and its expressions.
CATEGORIES: Final[dict[str, tuple[str, Callable[[], Iterator[str]]]]] = {
    "nesting": ("reading, compiling or evaluating must not recurse without end", _nesting),
    "unreadable": ("what is no expression must be refused quickly, with a short error", _unreadable),
    "megabytes": ("a text of any size may stand in a file", _megabytes),
    "chains": ("many operands or arguments are many pieces of work", _chains),
    "growth": ("a short text may ask for a huge value", _growth),
    "numbers": ("numbers must not grow without end, nor be taken for sizes", _numbers),
    "looping": ("loops multiply, over lists that the directory gives", _looping),
    "slow patterns": ("matching may take exponential time", _slow_patterns),
    "costly patterns": ("compiling a pattern has no time limit of its own", _costly_patterns),
    "values": ("every function may be given the largest values", _values),
    "reaching out": ("no text may reach the program, its host or its files", _reaching_out),
}


def corpus() -> dict[str, str]:
    """Give the hostile expressions by category and number; no two are equal."""
    found: dict[str, str] = {}
    for category, (_reason, texts) in CATEGORIES.items():
        for number, text in enumerate(texts()):
            found.setdefault(text, f"{category} {number}")
    return {name: text for text, name in found.items()}
