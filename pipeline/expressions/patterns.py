"""Patterns at work: finding and replacing within a time limit, and .NET's replacement texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pipeline.expressions.dotnet_characters import PatternError
from pipeline.expressions.dotnet_regex import Translated, translate
from pipeline.expressions.errors import ExpressionSyntaxError, Fault, Position
from pipeline.expressions.state import MAX_TEXT, TIME_LIMIT

_SUBSTITUTION: Final = re.compile(r"\$(?:\{(\w+)\}|([0-9]+)|([$&`'+_]))")


@dataclass(frozen=True, slots=True)
class Template:
    """A .NET replacement text, taken apart: literal texts, groups by name or number, and the special ones.

    Source: Microsoft Learn, page "Substitutions in Regular Expressions".
    """

    pieces: tuple[tuple[str, str | int], ...]

    @classmethod
    def read(cls, text: str, pattern: Translated) -> Template:
        """Take a replacement text apart; what names no group of the pattern is text, as in .NET."""
        pieces: list[tuple[str, str | int]] = []
        position = 0
        for found in _SUBSTITUTION.finditer(text):
            pieces.append(("text", text[position : found.start()]))
            pieces.append(_piece(found, pattern))
            position = found.end()
        pieces.append(("text", text[position:]))
        return cls(tuple(piece for piece in pieces if piece[1] != ""))

    def expand(self, match: Any) -> str:
        """Give the replacement of one match."""
        return "".join(_expanded(kind, value, match) for kind, value in self.pieces)


def _piece(found: re.Match[str], pattern: Translated) -> tuple[str, str | int]:
    name, digits, special = found.groups()
    if special:
        return ("text", "$") if special == "$" else ("special", special)
    if name and not name.isdigit():
        return ("group", name) if name in pattern.names else ("text", found[0])
    number = int((name or digits)[:9])
    if number > pattern.count:
        return "text", found[0]
    if number and not pattern.numbered:
        raise Fault("refers to a group by number where named and unnamed groups are mixed; name the group")
    return "group", number


def _expanded(kind: str, value: str | int, match: Any) -> str:
    if kind == "text":
        return str(value)
    found = match[value] if kind == "group" else _SPECIAL[str(value)](match)
    return str(found or "")


_SPECIAL: Final[dict[str, Callable[[Any], str | None]]] = {
    "&": lambda match: match[0],
    "_": lambda match: match.string,
    "`": lambda match: match.string[: match.start()],
    "'": lambda match: match.string[match.end() :],
    # The last group of the pattern, whether it took part or not.
    "+": lambda match: match[match.re.groups],
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled .NET pattern; every use has a time limit in seconds and raises Fault beyond it."""

    translated: Translated

    def replace(self, text: str, template: Template, seconds: float) -> str:
        """Replace every match."""
        return self._replaced(text, template.expand, seconds)

    def replace_group(self, text: str, group: str, value: str, seconds: float) -> str:
        """Replace, in every match, the part that one group matched."""

        def expand(match: Any) -> str:
            start, end = match.span(group)
            whole, base = str(match[0]), match.start()
            # A group can lie outside its match (in a lookaround) or not take part; then nothing is replaced.
            if start < base or end > match.end():
                return whole
            return whole[: start - base] + value + whole[end - base :]

        return self._replaced(text, expand, seconds)

    def _replaced(self, text: str, expand: Callable[[Any], str], seconds: float) -> str:
        size = len(text)

        def measured(match: Any) -> str:
            nonlocal size
            piece = expand(match)
            size += len(piece)
            if size > MAX_TEXT:
                raise Fault(f"makes a text longer than {MAX_TEXT}")
            return piece

        try:
            return str(self.translated.compiled.sub(measured, text, timeout=seconds))
        except TimeoutError:
            raise _too_long() from None

    def extract(self, text: str, group: str, seconds: float) -> str | None:
        """Give what a group matched first, or None."""
        match = self._search(text, seconds)
        return match[group] if match else None

    def found_in(self, text: str, seconds: float) -> bool:
        """Tell whether the pattern occurs anywhere in the text."""
        return self._search(text, seconds) is not None

    def _search(self, text: str, seconds: float) -> Any:
        try:
            return self.translated.compiled.search(text, timeout=seconds)
        except TimeoutError:
            raise _too_long() from None


def _too_long() -> Fault:
    return Fault(f"takes longer than {TIME_LIMIT * 1000:.0f} ms", "regexPattern")


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern outside an expression, such as a scope filter's; made by compile_pattern."""

    text: str
    pattern: Pattern

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern occurs in a text; raises ExpressionError when it takes too long."""
        try:
            return self.pattern.found_in(text, TIME_LIMIT)
        except Fault as fault:
            raise fault.at(Position(1, 1, 0)) from None


def compile_pattern(text: str) -> TextPattern:
    """Read a .NET pattern; raises ExpressionSyntaxError with the column in the pattern."""
    try:
        return TextPattern(text, Pattern(translate(text)))
    except PatternError as refusal:
        position = Position(1, refusal.offset + 1, refusal.offset)
        raise ExpressionSyntaxError(refusal.reason, position=position) from None
