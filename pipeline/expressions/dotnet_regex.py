r"""Translate a .NET regular expression into one of the `regex` module that means the same, or refuse it.

The two dialects are near each other, but not equal: some constructs are errors in one, some silently mean
something else (class subtraction, `\Z`, possessive and fuzzy repeats). A scanner goes over the whole pattern,
lets pass what means the same, rewrites what can be rewritten and refuses the rest with its place. It also
bounds size, depth and repeats, because compiling a pattern has no time limit.

Source: Microsoft Learn, pages "Regular Expression Language - Quick Reference", "Character escapes", "Grouping
constructs", "Backreference constructs", "Character classes" and "Quantifiers" in .NET.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import regex

from pipeline.expressions.dotnet_characters import MAX_DEPTH, CharacterReader, PatternError

MAX_PATTERN: Final = 1000
#: The largest number of groups, lookarounds included; of all parts they take longest to compile.
MAX_GROUPS: Final = 100
#: The largest number of single matches that repeats with a count may unfold to.
MAX_REPEATS: Final = 5000

_BRACES: Final = regex.compile(r"\{([0-9]+)(,([0-9]*))?\}")
# How the `regex` module writes the numbers of errors that it may overlook: {e<=1}, {1i+2d<=3}, {i,1<=d<=2}.
_ALLOWANCE: Final = r"\s*(?:[0-9]+<=?)?[0-9]*[idse](?:\+[0-9]*[ids])*(?:<=?[0-9]+)?\s*"
_FUZZY: Final = regex.compile(rf"\{{{_ALLOWANCE}(?:,{_ALLOWANCE})*(?::[^{{}}]*)?\}}")
_OPTIONS: Final = regex.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])")
_GROUP_NAME: Final = regex.compile(r"\(\?(?:<([^>]*)>|'([^']*)')")
_NAME: Final = regex.compile(r"[^\W\d]\w*|[1-9][0-9]*")
_BACK_NAME: Final = regex.compile(r"\\k(?:<([^>]*)>|'([^']*)')")
_CONDITION: Final = regex.compile(r"\(\?\(([^()?][^()]*)\)")
_DIGITS: Final = regex.compile(r"\\([0-9]+)")


@dataclass(frozen=True, slots=True)
class Translated:
    """A compiled pattern and what a replacement text may refer to.

    `numbered` is false when named and unnamed groups occur together: .NET numbers the unnamed ones first, so
    a number would mean another group here.
    """

    compiled: Any
    names: frozenset[str]
    count: int
    numbered: bool


def translate(pattern: str) -> Translated:
    """Translate and compile a .NET pattern; raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"the pattern has {len(pattern)} characters, more than {MAX_PATTERN}", MAX_PATTERN)
    scanner = _Scanner(pattern)
    text = scanner.translate()
    try:
        compiled = regex.compile(text, regex.VERSION0)
    except regex.error as refusal:
        raise PatternError(f"the pattern cannot be compiled: {refusal}", 0) from None
    except (RecursionError, OverflowError):
        raise PatternError("the pattern is too complex", 0) from None
    names = frozenset(compiled.groupindex)
    return Translated(compiled, names, compiled.groups, numbered=not (names and scanner.unnamed))


@dataclass(slots=True)
class _Level:
    """A group that is open: the weight of what it holds so far, and whether white space is free in it."""

    weight: int = 0
    alternatives: int = 0
    free: bool = False


@dataclass(slots=True)
class _Scanner(CharacterReader):
    out: list[str] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    unnamed: int = 0
    groups: int = 0
    names: set[str] = field(default_factory=set)
    references: list[tuple[int, int]] = field(default_factory=list)
    # The weight of the last thing that a repeat could apply to; None where there is none.
    last: int | None = None

    def translate(self) -> str:
        """Go over the pattern once; give the translated text."""
        while self.position < len(self.pattern):
            self._next()
        if len(self.levels) > 1:
            raise self.refused("a group is not closed", len(self.pattern))
        self._settle()
        for number, offset in self.references:
            if self.names and self.unnamed:
                raise self.refused(
                    "a number refers to a group where named and unnamed groups are mixed; name the group",
                    offset,
                )
            if number > self.unnamed + len(self.names):
                raise self.refused(f"there is no group {number}", offset)
        return "".join(self.out)

    def _next(self) -> None:
        letter = self.pattern[self.position]
        if letter == "\\":
            self._escape()
        elif letter == "[":
            self._atom(self.character_class())
        elif letter == "(":
            self._open()
        elif letter == ")":
            self._close()
        elif letter == "|":
            self._settle()
            level = self.levels[-1]
            level.alternatives += level.weight
            level.weight = 0
            self._copy(1)
        elif letter in "*+?{":
            self._repeat(letter)
        elif letter in "^$":
            self._settle()
            self._copy(1)
        elif self.levels[-1].free and (letter.isspace() or letter == "#"):
            end = self.pattern.find("\n", self.position) if letter == "#" else self.position
            self._copy(len(self.pattern) - self.position if end < 0 else end - self.position + 1)
        else:
            self._atom(letter)
            self.position += 1

    def _copy(self, count: int) -> None:
        self.out.append(self.pattern[self.position : self.position + count])
        self.position += count

    def _atom(self, text: str) -> None:
        self._settle()
        self.out.append(text)
        self.last = 1

    def _settle(self) -> None:
        """Add what stood before to its group; from here on nothing can repeat it."""
        if self.last is not None:
            self.levels[-1].weight += self.last
            if self.levels[-1].weight > MAX_REPEATS:
                raise self.refused(f"its repeats unfold to more than {MAX_REPEATS}", self.position)
        self.last = None

    # Repeats

    def _repeat(self, letter: str) -> None:
        counted = _BRACES.match(self.pattern, self.position)
        if letter == "{" and counted is None:
            if regex.match(r"\{,[0-9]+\}", self.pattern[self.position :]):
                raise self.refused("{,n} is literal text in .NET; write {0,n} or \\{")
            if _FUZZY.match(self.pattern, self.position) and self.last is not None:
                raise self.refused("approximate matching is not of .NET; write \\{ for the brace itself")
            self._atom("\\{")
            self.position += 1
            return
        if self.last is None:
            raise self.refused("a repeat follows nothing that can be repeated")
        start = self.position
        if counted is None:
            self._copy(1)
        else:
            self._count(counted.group(1), counted.group(3))
            self._copy(len(counted.group()))
        if self.pattern[self.position : self.position + 1] == "?":
            self._copy(1)
        following = self.pattern[self.position : self.position + 1]
        if following in {"*", "+", "?"} or _BRACES.match(self.pattern, self.position):
            raise self.refused("a repeat of a repeat is an error in .NET; use a group", start)
        self._settle()

    def _count(self, least: str, most: str | None) -> None:
        if len(least) > 9 or len(most or "") > 9:
            raise self.refused(f"its repeats unfold to more than {MAX_REPEATS}")
        if most and int(most) < int(least):
            raise self.refused("a repeat has its limits the wrong way round")
        count = int(most) if most else int(least)
        self.last = max(1, count) * (self.last or 1)

    # Groups

    def _open(self) -> None:
        self._settle()
        self._bound_groups()
        level = _Level(free=self.levels[-1].free)
        rest = self.pattern[self.position :]
        if not rest.startswith("(?"):
            self.unnamed += 1
            self._copy(1)
        elif rest.startswith("(?#"):
            end = rest.find(")")
            if end < 0:
                raise self.refused("a comment is not closed")
            self.position += end + 1
            return
        elif rest.startswith(("(?:", "(?=", "(?!", "(?>")):
            self._copy(3)
        elif rest.startswith(("(?<=", "(?<!")):
            self._copy(4)
        elif rest.startswith("(?("):
            self._condition()
        elif rest.startswith(("(?<", "(?'")):
            self._named()
        elif self._options(level):
            return
        self.levels.append(level)

    def _bound_groups(self) -> None:
        self.groups += 1
        if len(self.levels) > MAX_DEPTH:
            raise self.refused(f"groups are nested deeper than {MAX_DEPTH}")
        if self.groups > MAX_GROUPS:
            raise self.refused(f"it has more than {MAX_GROUPS} groups")

    def _close(self) -> None:
        self._settle()
        if len(self.levels) == 1:
            raise self.refused("a parenthesis closes nothing")
        level = self.levels.pop()
        self._copy(1)
        self.last = max(1, level.weight + level.alternatives)

    def _named(self) -> None:
        found = _GROUP_NAME.match(self.pattern, self.position)
        name = (found.group(1) or found.group(2) or "") if found else ""
        if "-" in name:
            raise self.refused("balancing groups cannot be carried over")
        if not found or not _NAME.fullmatch(name):
            raise self.refused("a group has no valid name")
        if name.isdigit():
            raise self.refused("groups with numbers as names cannot be carried over")
        self.names.add(name)
        self.out.append(f"(?<{name}>")
        self.position = found.end()

    def _condition(self) -> None:
        found = _CONDITION.match(self.pattern, self.position)
        if found is None:
            if self.pattern.startswith(("(?(?=", "(?(?!", "(?(?<"), self.position):
                # The test is a group of its own, opened by the scanner in its turn.
                self._copy(2)
                return
            raise self.refused("a condition must be the name of a group or a lookaround")
        name = found.group(1)
        if name.isdigit():
            self.references.append((int(name), self.position))
        elif name not in self.names:
            raise self.refused(f'a condition refers to "{name}", which is no group before it')
        self.out.append(found.group())
        self.position = found.end()

    def _options(self, level: _Level) -> bool:
        """Read options in a group; tell whether they stand alone, `(?i)`, and open nothing."""
        found = _OPTIONS.match(self.pattern, self.position)
        letters = (found.group(1) + (found.group(2) or "")) if found else ""
        if "n" in letters.lower() and set(letters.lower()) <= set("imnsx"):
            raise self.refused("the option n (explicit capture) cannot be carried over; name the groups")
        if found is None or not set(letters) <= set("imsx") or not found.group()[2:-1]:
            raise self.refused("this kind of group is not of .NET")
        on, off = "x" in found.group(1), "x" in (found.group(2) or "")
        alone = found.group(3) == ")"
        target = self.levels[-1] if alone else level
        target.free = (target.free or on) and not off
        self._copy(len(found.group()))
        return alone

    # Escapes

    def _escape(self) -> None:
        following = self.pattern[self.position + 1 : self.position + 2]
        if not following:
            raise self.refused("the pattern ends with a backslash")
        if following == "Z":
            self._settle()
            self.out.append(r"(?=\n?\z)")
            self.position += 2
        elif following in "AzGbB":
            self._settle()
            self._copy(2)
        elif following == "k":
            self._back_reference()
        elif following in "123456789":
            found = _DIGITS.match(self.pattern, self.position)
            digits = found.group(1) if found else following
            self.references.append((int(digits[:9]), self.position))
            self._atom(f"(?:\\{digits})")
            self.position += 1 + len(digits)
        elif following in "<'" and regex.match(r"\\(?:<\w+>|'\w+')", self.pattern[self.position :]):
            raise self.refused(r"the old form of a named reference cannot be carried over; use \k<name>")
        else:
            self._atom(self.single_escape())

    def _back_reference(self) -> None:
        found = _BACK_NAME.match(self.pattern, self.position)
        name = (found.group(1) or found.group(2) or "") if found else ""
        if not found or not name:
            raise self.refused(r"\k must be followed by a name in angle brackets")
        if name.isdigit():
            self.references.append((int(name[:9]), self.position))
            self._atom(f"(?:\\{name})")
        elif name in self.names:
            self._atom(f"(?P={name})")
        else:
            raise self.refused(f'a reference names "{name}", which is no group before it')
        self.position = found.end()
