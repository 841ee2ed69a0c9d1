"""Read a .NET regular expression into its parts, with each place's characters as a sample of them.

Characters are represented by a sample: those that the pattern names, and some of every sort. What matches the
empty text only (anchors, lookarounds, back references) is left out.

Source: Microsoft Learn, page "Regular Expression Language - Quick Reference".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SORTS: Final = frozenset("aZ5_ -.@,\n\té中")
_COUNT: Final = re.compile(r"\{(\d+)(,(\d*))?\}")
_GROUP: Final = re.compile(
    r"\?(?:<(?![=!])[^>]*>|'[^']*'|>|(?P<flags>[imnsx]*(?:-[imnsx]+)?)(?P<end>[:)])|(?P<look><?[=!]))"
)
_CODE: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_NOTHING: Final = frozenset("bBAzZG")
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "e": "\x1b", "a": "\a"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a pattern. `kind`: characters, sequence, alternatives or repeat (of the one part in it)."""

    kind: str
    characters: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()
    least: int = 1
    most: int | None = 1


def read_pattern(pattern: str) -> Part | None:
    """Return the parts of a pattern; None when it holds something that is not looked into."""
    try:
        reader = _Reader(pattern)
        part = reader.alternatives()
    except (ValueError, IndexError, RecursionError):
        return None
    return part if reader.at_end else None


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._sample = _SORTS | {c for c in pattern if c.isprintable()}
        self._folds = False

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def alternatives(self) -> Part:
        found = [self._sequence()]
        while self._take("|"):
            found.append(self._sequence())
        return found[0] if len(found) == 1 else Part("alternatives", parts=tuple(found))

    def _take(self, wanted: str) -> bool:
        if self._text.startswith(wanted, self._at):
            self._at += len(wanted)
            return True
        return False

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while not self.at_end and self._text[self._at] not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
            else:
                self._repeated(Part("sequence"))  # a repeated anchor is still one
        return Part("sequence", parts=tuple(parts))

    def _repeated(self, part: Part) -> Part:
        while not self.at_end:
            counted = _COUNT.match(self._text, self._at)
            if self._take("*"):
                part = Part("repeat", parts=(part,), least=0, most=None)
            elif self._take("+"):
                part = Part("repeat", parts=(part,), least=1, most=None)
            elif self._take("?"):
                part = Part("repeat", parts=(part,), least=0, most=1)
            elif counted:
                self._at = counted.end()
                least = int(counted[1])
                most = None if counted[2] == "," else int(counted[3]) if counted[2] else least
                part = Part("repeat", parts=(part,), least=least, most=most)
            else:
                break
            self._take("?")  # lazy repeats try the same ways in another order
        return part

    def _atom(self) -> Part | None:
        letter = self._text[self._at]
        self._at += 1
        match letter:
            case "(":
                return self._group()
            case "[":
                return Part("characters", self._class())
            case "\\":
                return self._escape()
            case ".":
                return Part("characters", self._sample - {"\n"})
            case "^" | "$":
                return None
            case _:
                return Part("characters", self._cased(letter))

    def _group(self) -> Part | None:
        opening = _GROUP.match(self._text, self._at)
        if opening is None and self._text.startswith("?", self._at):
            raise ValueError("a construct that is not looked into")
        if opening is not None:
            self._at = opening.end()
            self._folds = self._folds or "i" in (opening["flags"] or "").partition("-")[0]
            if opening["end"] == ")":
                return None
        inner = self.alternatives()
        if not self._take(")"):
            raise ValueError("a group is not closed")
        return None if opening is not None and opening["look"] is not None else inner

    def _escape(self) -> Part | None:
        letter = self._text[self._at]
        if letter in _NOTHING:
            self._at += 1
            return None
        if letter == "k" or letter in "123456789":
            raise ValueError("a back reference is not looked into")
        return Part("characters", self._escaped())

    def _escaped(self) -> frozenset[str]:
        """Read what stands behind a backslash, in a class or outside, as the characters it takes."""
        letter = self._text[self._at]
        code = _CODE.match(self._text, self._at)
        if code:
            self._at = code.end()
            return self._cased(chr(int(code[1] or code[2], 16)))
        self._at += 1
        if letter in "pP":
            self._at = self._text.index("}", self._at) + 1
            return self._sample  # some category: taken for all characters
        if letter.lower() in "wds":
            is_in = {"w": lambda c: c.isalnum() or c == "_", "d": str.isdigit, "s": str.isspace}[
                letter.lower()
            ]
            found = frozenset(filter(is_in, self._sample))
            return found if letter.islower() else self._sample - found
        if letter == "c":
            self._at += 1
            return frozenset("\x01")
        return self._cased(_PLAIN.get(letter, letter))

    def _cased(self, letter: str) -> frozenset[str]:
        both = frozenset({letter.lower(), letter.upper()}) if self._folds else frozenset(letter)
        self._sample |= both
        return both

    def _class(self) -> frozenset[str]:
        negated = self._take("^")
        found: set[str] = set()
        taken_off: frozenset[str] = frozenset()
        first = True
        while first or not self._take("]"):
            if not first and self._text.startswith("-[", self._at):
                self._at += 2
                taken_off = self._class()
                continue
            found |= self._range(self._member())
            first = False
        return (self._sample - found if negated else frozenset(found)) - taken_off

    def _member(self) -> frozenset[str]:
        if self._take("\\"):
            if self._take("b"):
                return frozenset("\b")
            return self._escaped()
        letter = self._text[self._at]
        self._at += 1
        return self._cased(letter)

    def _range(self, begin: frozenset[str]) -> frozenset[str]:
        ahead = self._text[self._at : self._at + 2]
        if len(ahead) < 2 or ahead[0] != "-" or ahead[1] in "][" or len(begin) > 2:
            return begin
        self._at += 1
        end = self._member()
        low, high = min(begin), max(end)
        between = frozenset(c for c in self._sample if low <= c <= high)
        if self._folds:
            between |= {c.swapcase() for c in between}
        return between | begin | end
