"""Read the characters of a .NET regular expression: escapes, and classes in brackets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import regex

#: How deep groups, or classes in subtractions, may be nested.
MAX_DEPTH: Final = 50
_SAME_ESCAPES: Final = frozenset("abBAzGdDwWsStrnvf")
_REFUSED_ESCAPES: Final = {
    "h": r"\h is not of .NET; use [ \t]",
    "R": r"\R is not of .NET; use \r?\n",
    "X": r"\X is not of .NET",
    "K": r"\K is not of .NET; use a lookbehind",
    "L": r"\L is not of .NET",
}
_CATEGORY: Final = regex.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?")
_PROPERTY: Final = regex.compile(r"\\([pP])\{([^{}]*)\}")
_CODE: Final = regex.compile(r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_CONTROL: Final = regex.compile(r"\\c([@-_a-z])")
_OCTAL: Final = frozenset("01234567")


class PatternError(ValueError):
    """A pattern that .NET refuses or that cannot be carried over; `offset` is the place in it, from 0."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (character {offset + 1} of the pattern)")
        self.reason = reason
        self.offset = offset


@dataclass(slots=True)
class CharacterReader:
    """A pattern and the place that has been read so far."""

    pattern: str
    position: int = 0

    def refused(self, reason: str, offset: int | None = None) -> PatternError:
        """Give the error of a refusal, here or at a place."""
        return PatternError(reason, self.position if offset is None else offset)

    def single_escape(self) -> str:
        """Read an escape that stands for a character or a kind of them; move on, give its translation."""
        start = self.position
        following = self.pattern[start + 1]
        if found := _CODE.match(self.pattern, start):
            self.position = found.end()
            return str(found.group())
        if found := _CONTROL.match(self.pattern, start):
            self.position = found.end()
            return f"\\x{ord(found.group(1).upper()) - 64:02x}"
        if following in "pP":
            return self._property()
        if following == "0":
            end = start + 2
            while end < start + 4 and self.pattern[end : end + 1] in _OCTAL:
                end += 1
            self.position = end
            return f"\\x{int(self.pattern[start + 1 : end], 8):02x}"
        self.position += 2
        if following == "e":
            return r"\x1b"
        if following in _SAME_ESCAPES or not (following.isalnum() or following == "_"):
            return "\\" + following
        raise self.refused(_REFUSED_ESCAPES.get(following, f"\\{following} is not an escape of .NET"), start)

    def _property(self) -> str:
        found = _PROPERTY.match(self.pattern, self.position)
        if found is None:
            raise self.refused(r"\p must be followed by a category or block in braces")
        letter, name = found.group(1), found.group(2)
        translated = f"\\{letter}{{{name}}}"
        if name.startswith("Is"):
            # .NET's Is… are blocks; here the same word would name a script.
            translated = f"\\{letter}{{Block={name[2:].replace('-', '')}}}"
            try:
                regex.compile(translated)
            except regex.error:
                raise self.refused(f"there is no block {name}") from None
        elif not _CATEGORY.fullmatch(name):
            raise self.refused(f"{name or 'nothing'} is not a category of .NET")
        self.position = found.end()
        return translated

    # Character classes

    def character_class(self, depth: int = 1) -> str:
        """Read a class in brackets; a subtraction becomes a lookahead before the class without it."""
        start = self.position
        if depth > MAX_DEPTH:
            raise self.refused(f"character classes are nested deeper than {MAX_DEPTH}")
        self.position += 1
        out = ["["]
        if self.pattern[self.position : self.position + 1] == "^":
            out.append("^")
            self.position += 1
        first = True
        while True:
            if self.position >= len(self.pattern):
                raise self.refused("a character class is not closed", start)
            letter = self.pattern[self.position]
            if letter == "]" and not first:
                self.position += 1
                return "".join(out) + "]"
            if letter == "-" and self.pattern.startswith("-[", self.position) and not first:
                return self._subtraction("".join(out) + "]", start, depth)
            if letter == "[" and self.pattern.startswith("[:", self.position):
                raise self.refused(
                    r"classes such as [:alpha:] are not of .NET; write \[ for the bracket itself"
                )
            out.append(self._class_piece(letter, start))
            first = False

    def _class_piece(self, letter: str, start: int) -> str:
        if letter == "\\":
            following = self.pattern[self.position + 1 : self.position + 2]
            if not following:
                raise self.refused("a character class is not closed", start)
            if following in "123456789":
                raise self.refused("write a character by its code as \\xHH inside a class")
            if following in "AzZGB":
                raise self.refused(f"\\{following} has no meaning inside a class")
            return self.single_escape()
        self.position += 1
        # These are operators of sets in newer pattern dialects; inside a .NET class they are themselves.
        return "\\" + letter if letter in "[]&|~" else letter

    def _subtraction(self, base: str, start: int, depth: int) -> str:
        self.position += 1
        taken = self.character_class(depth + 1)
        if self.pattern[self.position : self.position + 1] != "]":
            raise self.refused("a subtraction must be the last part of a class", start)
        self.position += 1
        return f"(?:(?!{taken}){base})"
