"""People's names: proper case, letters without diacritics, single characters replaced."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import regex

from pipeline.expressions.errors import Fault
from pipeline.expressions.functions.text import lower, upper
from pipeline.expressions.kinds import TEXT
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

if TYPE_CHECKING:
    from pipeline.expressions.state import State

# Letters that Unicode does not take apart, as the published table of NormalizeDiacritics has them.
_LETTERS: Final = {
    "æ": "ae", "Æ": "AE", "ø": "oe", "Ø": "OE", "œ": "oe", "Œ": "OE",
    "ß": "ss", "ẞ": "SS", "ł": "l", "Ł": "L", "ı": "i",
}  # fmt: skip
_LETTER_TABLE: Final = str.maketrans(_LETTERS)
# A word starts with a letter and goes on over letters, marks, digits and apostrophes (Microsoft Learn, page
# "TextInfo.ToTitleCase").
_WORD: Final = regex.compile(r"(\p{L})[\p{L}\p{M}\p{N}']*")
_GOES_ON: Final = re.compile("[0-9']")
_MARKS: Final = re.compile("([A-Za-zæÆøØœŒßẞłŁı])[\u0300-\u036f]+")


def normalize_diacritics(state: State, text: str) -> str:
    """Give Latin letters without marks, and letters that stand for two as two; other scripts stay."""
    if text.isascii():
        return text
    if len(text) > SMALL // 2:
        state.charge(len(text) * 2)
    bare = _MARKS.sub(r"\1", unicodedata.normalize("NFD", text)).translate(_LETTER_TABLE)
    return unicodedata.normalize("NFC", bare)


def _capital(match: regex.Match[str]) -> str:
    word = match[0]
    return upper(word[0]) + word[1:]


def proper_case(text: str, separators: str | None = None) -> str:
    """Give each word a capital; words are parted as .NET's ToTitleCase does, or by the given characters."""
    text = lower(text)
    if separators is None:
        # Where only letters can go on a word, Python's own title case is the same, and quicker.
        if text.isascii() and _GOES_ON.search(text) is None:
            return text.title()
        return str(_WORD.sub(_capital, text))
    out: list[str] = []
    starts = True
    for letter in text:
        out.append(upper(letter) if starts else letter)
        starts = letter in separators
    return "".join(out)


def proper_case_connect(text: str) -> str:
    """Give each word that spaces part a capital."""
    return proper_case(text, " ")


def replace_characters(state: State, text: str, pattern: str) -> str:
    """Replace single characters by a dictionary `source:target,source:target`; an empty target removes."""
    table = _dictionary("".join(pattern.split()))
    size = sum(len(table.get(letter, letter)) for letter in text)
    if size > SMALL:
        state.charge(size)
    return text.translate(str.maketrans(dict[str, str | int | None](table)))


def _dictionary(pattern: str) -> dict[str, str]:
    table: dict[str, str] = {}
    entries = [entry for entry in pattern.split(",") if entry]
    position = 0
    while position < len(entries):
        source, colon, target = entries[position].partition(":")
        if not colon and position + 1 < len(entries) and ":" not in entries[position + 1]:
            # The page of the function also writes the last pair with a comma between source and target.
            position += 1
            target = entries[position]
        elif not colon:
            raise Fault("must be pairs such as ä:a,ö:o", "ReplacePattern", value=pattern)
        if len(source) != 1:
            raise Fault("must have one character before each colon", "ReplacePattern", value=pattern)
        table[source] = target
        position += 1
    return table


FUNCTIONS: Final = (
    Function(
        "NormalizeDiacritics", (Form(ALL, required(("source", TEXT)), normalize_diacritics, Style.STATEFUL),)
    ),
    Function(
        "PCase",
        (
            Form(
                SERVICE,
                (Parameter("source", TEXT), Parameter("wordSeparators", TEXT, optional=True)),
                proper_case,
            ),
            Form(CONNECT, required(("string", TEXT)), proper_case_connect),
            Form(CONNECT, required(("source", TEXT), ("wordSeparators", TEXT)), proper_case),
        ),
    ),
    Function(
        "ReplaceChars",
        (
            Form(
                CONNECT,
                required(("string", TEXT), ("ReplacePattern", TEXT)),
                replace_characters,
                Style.STATEFUL,
            ),
        ),
    ),
)
