"""Regular expressions as .NET means them, run by the `regex` module within a time limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import regex

from pipeline.expressions.errors import Fault


class PatternError(ValueError):
    """A pattern or replacement that cannot be used, with the reason."""


@dataclass(frozen=True, slots=True)
class Template:
    """A replacement text: literal pieces and group names in turn."""

    pieces: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, text: str, pattern: Pattern) -> Template:
        """Read a .NET replacement text."""
        out: list[tuple[str, str]] = []
        position = 0
        for match in regex.finditer(r"\$(?:\{(\w+)\}|(\$)|(\d))", text):
            out.append(("text", text[position : match.start()]))
            if match[2]:
                out.append(("text", "$"))
            else:
                out.append(("group", match[1] or match[3]))
            position = match.end()
        out.append(("text", text[position:]))
        return cls(tuple(out))

    def expand(self, match: Any) -> str:
        """Fill in what a match found."""
        return "".join(
            value if kind == "text" else match[int(value) if value.isdigit() else value] or ""
            for kind, value in self.pieces
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A translated pattern."""

    compiled: Any
    groups: frozenset[str]

    def replace(self, text: str, template: Template, seconds: float, charge: Callable[[int], None]) -> str:
        """Replace every match."""
        try:
            result: str = self.compiled.sub(template.expand, text, timeout=seconds)
        except TimeoutError:
            raise Fault("the pattern takes too long") from None
        return result

    def replace_group(
        self, text: str, group: str, value: str, seconds: float, charge: Callable[[int], None]
    ) -> str:
        """Replace what one group matched."""

        def expand(match: Any) -> str:
            start, end = match.span(group)
            whole: str = match[0]
            base = match.start()
            return whole if start < 0 else whole[: start - base] + value + whole[end - base :]

        try:
            result: str = self.compiled.sub(expand, text, timeout=seconds)
        except TimeoutError:
            raise Fault("the pattern takes too long") from None
        return result

    def found_in(self, text: str, seconds: float) -> bool:
        """Tell whether the pattern occurs anywhere in the text."""
        try:
            return self.compiled.search(text, timeout=seconds) is not None
        except TimeoutError:
            raise Fault("the pattern takes too long") from None

    def extract(self, text: str, group: str, seconds: float) -> str | None:
        """Give what a group matched first."""
        try:
            match = self.compiled.search(text, timeout=seconds)
        except TimeoutError:
            raise Fault("the pattern takes too long") from None
        return match[group] if match else None


def translate(pattern: str) -> Pattern:
    """Compile a .NET pattern."""
    try:
        compiled = regex.compile(pattern)
    except regex.error as refusal:
        raise PatternError(str(refusal)) from None
    return Pattern(compiled, frozenset(compiled.groupindex))
