"""Texts: case, parts, padding, searching, joining."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import ANY, INTEGER, TEXT, WORD, to_text
from pipeline.expressions.operators import concatenation, joined
from pipeline.expressions.signature import (
    ALL,
    CONNECT,
    SERVICE,
    Form,
    Function,
    Parameter,
    Style,
    required,
)
from pipeline.expressions.state import SMALL
from pipeline.expressions.values import Value

if TYPE_CHECKING:
    from pipeline.expressions.compiler import Compiler
    from pipeline.expressions.nodes import Call
    from pipeline.expressions.shapes import Run
    from pipeline.expressions.state import State

#: What .NET's Char.IsWhiteSpace takes; Python's strip() would also take the separators U+001C to U+001F.
WHITE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_CULTURE: Final = re.compile(r"(?:[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?")
_TURKIC: Final = frozenset({"tr", "az"})


def to_upper(text: str, culture: str | None = None) -> str:
    """Give the text in upper case by a culture's rules, the invariant ones unless told."""
    if _is_turkic(culture):
        text = text.replace("i", "İ").replace("ı", "I")
    return upper(text)


def to_lower(text: str, culture: str | None = None) -> str:
    """Give the text in lower case by a culture's rules, the invariant ones unless told."""
    if _is_turkic(culture):
        text = text.replace("I", "ı").replace("İ", "i")
    return lower(text)


def upper(text: str) -> str:
    """Give the upper-case text as .NET's invariant culture does: letter by letter, ß and ı stay."""
    changed = text.upper()
    if len(changed) == len(text) and "ı" not in text:
        return changed
    return "".join(_upper_letter(letter) for letter in text)


def _upper_letter(letter: str) -> str:
    changed = letter.upper()
    return changed if len(changed) == 1 and letter != "ı" else letter


def lower(text: str) -> str:
    """Give the lower-case text as .NET's invariant culture does: letter by letter, İ stays."""
    if "Σ" in text or "İ" in text:
        return "".join(letter if letter == "İ" else letter.lower() for letter in text)
    return text.lower()


def _is_turkic(culture: str | None) -> bool:
    if not culture:
        return False
    if not _CULTURE.fullmatch(culture):
        raise Fault("must be a culture such as en-US", "culture", value=culture)
    return culture.split("-")[0].lower() in _TURKIC


def trim(text: str) -> str:
    """Take the white space off both ends."""
    stripped = text.strip()
    # Python's white space holds .NET's, so that most texts need no second look.
    return text if len(stripped) == len(text) else text.strip(WHITE)


def trim_left(text: str) -> str:
    """Take the white space off the beginning."""
    return text.lstrip(WHITE)


def trim_right(text: str) -> str:
    """Take the white space off the end."""
    return text.rstrip(WHITE)


def strip_spaces(text: str) -> str:
    """Take out every space (U+0020), nothing else."""
    return text.replace(" ", "")


def left(text: str, count: int) -> str:
    """Give the first characters; a negative count gives the whole text."""
    return text if count < 0 else text[:count]


def right(text: str, count: int) -> str:
    """Give the last characters; a negative count gives the whole text."""
    if count < 0:
        return text
    return text[-count:] if count else ""


def mid(text: str, start: int, length: int | None = None) -> str:
    """Give the characters from a place (from 1) on, at most `length` of them."""
    if start < 1:
        raise Fault("must be 1 or more", "start", value=start)
    if length is None:
        return text[start - 1 :]
    if length < 0:
        raise Fault("must not be negative", "length", value=length)
    return text[start - 1 : start - 1 + length]


def mid_connect(text: str, start: int, length: int | None = None) -> str:
    """Do the same as Connect Sync does: what makes no sense gives the whole text."""
    if start < 1 or start > len(text) or (length is not None and length < 0):
        return text
    return mid(text, start, length)


def word(text: str, number: int, delimiters: str) -> str:
    """Give the n-th word (from 1), words being parted by any of the delimiters."""
    if number < 1 or not text:
        return ""
    if len(delimiters) == 1:
        words = [found for found in text.split(delimiters) if found]
    elif delimiters:
        words = [found for found in re.split(f"[{re.escape(delimiters)}]", text) if found]
    else:
        words = [text]
    return words[number - 1] if number <= len(words) else ""


def length(text: str) -> int:
    """Count the characters."""
    return len(text)


def pad_left(state: State, text: str, size: int, character: str) -> str:
    """Fill a text up on the left."""
    return _padding(state, text, size, character) + text


def pad_right(state: State, text: str, size: int, character: str) -> str:
    """Fill a text up on the right."""
    return text + _padding(state, text, size, character)


def _padding(state: State, text: str, size: int, character: str) -> str:
    if len(character) != 1:
        raise Fault("must be one character", "padCharacter", value=character)
    if size > SMALL:
        state.charge(size)
    return character * max(0, size - len(text))


def _append(compiler: Compiler, call: Call) -> Run:
    parts = [compiler.branch(argument) for argument in call.arguments]
    return concatenation(parts, lambda fault: fault.at(call.span.position, call.name))


def join(state: State, separator: Any, *sources: Value) -> str:
    """Join texts and the values of lists, leaving out the empty ones."""
    try:
        # The usual case, all texts; anything else has no length or cannot be joined and is treated below.
        texts: list[Any] = [source for source in sources if source is not None and source != ""]
        if separator.__class__ is str and sum(map(len, texts)) + len(separator) * len(texts) <= SMALL:
            return separator.join(texts)
    except TypeError:
        pass
    return _join_any(state, separator, sources)


def _join_any(state: State, separator: Value, sources: tuple[Value, ...]) -> str:
    if isinstance(separator, list):
        raise Fault("must be a text", "separator", value=separator)
    texts: list[str] = []
    for source in sources:
        values = source if isinstance(source, list) else [] if source is None else [source]
        texts += [text for text in map(to_text, values) if text]
    return joined(state, "" if separator is None else to_text(separator), texts)


def join_connect(state: State, attribute: Value, delimiter: Value = " ") -> str:
    """Join the values of one list; called the other way round, a text before a list is the separator."""
    if isinstance(delimiter, list) and not isinstance(attribute, list):
        return join(state, attribute, delimiter)
    return join(state, delimiter, attribute)


def in_string(text: str, search: str, start: int | None = None, compare: str | None = None) -> int:
    """Give the place (from 1) where a text is found first from `start` on, or 0."""
    first = 1 if start is None else start
    if first < 1:
        raise Fault("must be 1 or more", "start", value=first)
    if _without_case(compare):
        text, search = upper(text), upper(search)
    return text.find(search, first - 1) + 1


def in_string_reverse(text: str, search: str, start: int | None = None, compare: str | None = None) -> int:
    """Give the place (from 1) where a text is found last, at or before `start`, or 0."""
    last = len(text) if start is None else start
    if last < 1 and start is not None:
        raise Fault("must be 1 or more", "start", value=last)
    if _without_case(compare):
        text, search = upper(text), upper(search)
    return text.rfind(search, 0, last) + 1


def _without_case(compare: str | None) -> bool:
    if compare is None:
        return False
    folded = compare.casefold()
    if folded not in {"vbtextcompare", "vbbinarycompare"}:
        raise Fault("must be vbTextCompare or vbBinaryCompare", "compare", value=compare)
    return folded == "vbtextcompare"


def to_string(value: Value) -> Value:
    """Give the text form of a number, a boolean, a date or a reference."""
    if isinstance(value, list):
        return [to_text(item) for item in value]
    return None if value is None else to_text(value)


_SOURCE: Final = Parameter("source", TEXT)
_CULTURE_NAME: Final = Parameter("culture", TEXT, optional=True)
_SEARCH: Final = (
    Parameter("stringcheck", TEXT),
    Parameter("stringmatch", TEXT),
    Parameter("start", INTEGER, optional=True),
    Parameter("compare", WORD, optional=True),
)
_MID: Final = (
    Parameter("source", TEXT),
    Parameter("start", INTEGER),
    Parameter("length", INTEGER, optional=True),
)
_PAD: Final = required(("string", TEXT), ("length", INTEGER), ("padCharacter", TEXT))
_PART: Final = required(("string", TEXT), ("NumChars", INTEGER))

FUNCTIONS: Final = (
    Function("Append", (Form(ALL, required(("source", ANY), ("suffix", ANY)), _append, Style.SPECIAL),)),
    Function("CStr", (Form(ALL, required(("value", ANY)), to_string),)),
    Function("InStr", (Form(ALL, _SEARCH, in_string, null=0),)),
    Function("InStrRev", (Form(CONNECT, _SEARCH, in_string_reverse, null=0),)),
    Function(
        "Join",
        (
            Form(
                SERVICE,
                (Parameter("separator", ANY), Parameter("source", ANY, skippable=True, repeats=True)),
                join,
                Style.STATEFUL,
            ),
            Form(
                CONNECT,
                (Parameter("attribute", ANY), Parameter("delimiter", ANY, optional=True)),
                join_connect,
                Style.STATEFUL,
            ),
            Form(
                CONNECT,
                (Parameter("separator", ANY), Parameter("source", ANY, skippable=True, repeats=True)),
                join,
                Style.STATEFUL,
            ),
        ),
    ),
    Function("LCase", (Form(CONNECT, required(("value", TEXT)), lower),)),
    Function("Left", (Form(ALL, _PART, left, null=""),)),
    Function("Len", (Form(CONNECT, required(("value", TEXT)), length, null=0),)),
    Function("LTrim", (Form(CONNECT, required(("value", TEXT)), trim_left),)),
    Function("Mid", (Form(SERVICE, _MID, mid, null=""), Form(CONNECT, _MID, mid_connect, null=""))),
    Function("PadLeft", (Form(CONNECT, _PAD, pad_left, Style.STATEFUL, null=""),)),
    Function("PadRight", (Form(CONNECT, _PAD, pad_right, Style.STATEFUL, null=""),)),
    Function("Right", (Form(CONNECT, _PART, right, null=""),)),
    Function("RTrim", (Form(CONNECT, required(("value", TEXT)), trim_right),)),
    Function("StripSpaces", (Form(ALL, (_SOURCE,), strip_spaces),)),
    Function("ToLower", (Form(ALL, (_SOURCE, _CULTURE_NAME), to_lower),)),
    Function("ToUpper", (Form(ALL, (_SOURCE, _CULTURE_NAME), to_upper),)),
    Function("Trim", (Form(ALL, required(("value", TEXT)), trim),)),
    Function("UCase", (Form(CONNECT, required(("string", TEXT)), upper),)),
    Function(
        "Word",
        (
            Form(
                ALL, required(("string", TEXT), ("WordNumber", INTEGER), ("delimiters", TEXT)), word, null=""
            ),
        ),
    ),
)
