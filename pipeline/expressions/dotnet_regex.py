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

MAX_PATTERN: Final = 1000
MAX_DEPTH: Final = 50
#: The largest number of single matches that repeats with a count may unfold to.
MAX_REPEATS: Final = 10_000

_SAME_ESCAPES: Final = frozenset("abBAzGdDwWsStrnvf")
_REFUSED_ESCAPES: Final = {
    "h": r"\h is not of .NET; use [ \t]",
    "R": r"\R is not of .NET; use \r?\n",
    "X": r"\X is not of .NET",
    "K": r"\K is not of .NET; use a lookbehind",
    "L": r"\L is not of .NET",
}
_CATEGORIES: Final = frozenset(
    [
        "L",
        "Lu",
        "Ll",
        "Lt",
        "Lm",
        "Lo",
        "M",
        "Mn",
        "Mc",
        "Me",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Ps",
        "Pe",
        "Pi",
        "Pf",
        "Po",
        "S",
        "Sm",
        "Sc",
        "Sk",
        "So",
        "Z",
        "Zs",
        "Zl",
        "Zp",
        "C",
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
    ]
)
_BRACES: Final = regex.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_FUZZY: Final = regex.compile(r"\{[^{}]*[ides]\s*<?=?[^{}]*\}|\{[eisd](?:<=?[0-9]+|,[^{}]*)?\}")
_OPTIONS: Final = regex.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])")
_GROUP_NAME: Final = regex.compile(r"\(\?(?:<([^>]*)>|'([^']*)')")
_NAME: Final = regex.compile(r"[^\W\d]\w*|[1-9][0-9]*")
_BACK_NAME: Final = regex.compile(r"\\k(?:<([^>]*)>|'([^']*)')")
_CONDITION: Final = regex.compile(r"\(\?\(([^()?][^()]*)\)")
_PROPERTY: Final = regex.compile(r"\\([pP])\{([^{}]*)\}")
_CODE: Final = regex.compile(r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_CONTROL: Final = regex.compile(r"\\c([@-_a-z])")
_OCTAL: Final = frozenset("01234567")
_DIGITS: Final = regex.compile(r"\\([0-9]+)")


class PatternError(ValueError):
    """A pattern that .NET refuses or that cannot be carried over; `offset` is the place in it, from 0."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (character {offset + 1} of the pattern)")
        self.reason = reason
        self.offset = offset


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
class _Scanner:
    pattern: str
    position: int = 0
    out: list[str] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    unnamed: int = 0
    names: set[str] = field(default_factory=set)
    references: list[tuple[int, int]] = field(default_factory=list)
    # The weight of the last thing that a repeat could apply to; None where there is none.
    last: int | None = None

    def translate(self) -> str:
        """Go over the pattern once; give the translated text."""
        while self.position < len(self.pattern):
            self._next()
        if len(self.levels) > 1:
            raise self._refused("a group is not closed", len(self.pattern))
        self._settle()
        for number, offset in self.references:
            if self.names and self.unnamed:
                raise self._refused(
                    "a number refers to a group where named and unnamed groups are mixed; name the group",
                    offset,
                )
            if number > self.unnamed + len(self.names):
                raise self._refused(f"there is no group {number}", offset)
        return "".join(self.out)

    def _next(self) -> None:
        letter = self.pattern[self.position]
        if letter == "\\":
            self._escape()
        elif letter == "[":
            self._atom(self._character_class())
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
                raise self._refused(f"its repeats unfold to more than {MAX_REPEATS}", self.position)
        self.last = None

    def _refused(self, reason: str, offset: int | None = None) -> PatternError:
        return PatternError(reason, self.position if offset is None else offset)

    # Repeats

    def _repeat(self, letter: str) -> None:
        counted = _BRACES.match(self.pattern, self.position)
        if letter == "{" and counted is None:
            if regex.match(r"\{,[0-9]+\}", self.pattern[self.position :]):
                raise self._refused("{,n} is literal text in .NET; write {0,n} or \\{")
            if _FUZZY.match(self.pattern, self.position) and self.last is not None:
                raise self._refused("approximate matching is not of .NET; write \\{ for the brace itself")
            self._atom("\\{")
            self.position += 1
            return
        if self.last is None:
            raise self._refused("a repeat follows nothing that can be repeated")
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
            raise self._refused("a repeat of a repeat is an error in .NET; use a group", start)
        self._settle()

    def _count(self, least: str, most: str | None) -> None:
        if len(least) > 9 or len(most or "") > 9:
            raise self._refused(f"its repeats unfold to more than {MAX_REPEATS}")
        if most and int(most) < int(least):
            raise self._refused("a repeat has its limits the wrong way round")
        count = int(most) if most else int(least)
        self.last = max(1, count) * (self.last or 1)

    # Groups

    def _open(self) -> None:
        self._settle()
        if len(self.levels) > MAX_DEPTH:
            raise self._refused(f"groups are nested deeper than {MAX_DEPTH}")
        level = _Level(free=self.levels[-1].free)
        rest = self.pattern[self.position :]
        if not rest.startswith("(?"):
            self.unnamed += 1
            self._copy(1)
        elif rest.startswith("(?#"):
            end = rest.find(")")
            if end < 0:
                raise self._refused("a comment is not closed")
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

    def _close(self) -> None:
        self._settle()
        if len(self.levels) == 1:
            raise self._refused("a parenthesis closes nothing")
        level = self.levels.pop()
        self._copy(1)
        self.last = max(1, level.weight + level.alternatives)

    def _named(self) -> None:
        found = _GROUP_NAME.match(self.pattern, self.position)
        name = (found.group(1) or found.group(2) or "") if found else ""
        if "-" in name:
            raise self._refused("balancing groups cannot be carried over")
        if not found or not _NAME.fullmatch(name):
            raise self._refused("a group has no valid name")
        if name.isdigit():
            raise self._refused("groups with numbers as names cannot be carried over")
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
            raise self._refused("a condition must be the name of a group or a lookaround")
        name = found.group(1)
        if name.isdigit():
            self.references.append((int(name), self.position))
        elif name not in self.names:
            raise self._refused(f'a condition refers to "{name}", which is no group before it')
        self.out.append(found.group())
        self.position = found.end()

    def _options(self, level: _Level) -> bool:
        """Read options in a group; tell whether they stand alone, `(?i)`, and open nothing."""
        found = _OPTIONS.match(self.pattern, self.position)
        letters = (found.group(1) + (found.group(2) or "")) if found else ""
        if "n" in letters.lower() and set(letters.lower()) <= set("imnsx"):
            raise self._refused("the option n (explicit capture) cannot be carried over; name the groups")
        if found is None or not set(letters) <= set("imsx") or not found.group()[2:-1]:
            raise self._refused("this kind of group is not of .NET")
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
            raise self._refused("the pattern ends with a backslash")
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
            raise self._refused(r"the old form of a named reference cannot be carried over; use \k<name>")
        else:
            self._atom(self._single_escape())

    def _back_reference(self) -> None:
        found = _BACK_NAME.match(self.pattern, self.position)
        name = (found.group(1) or found.group(2) or "") if found else ""
        if not found or not name:
            raise self._refused(r"\k must be followed by a name in angle brackets")
        if name.isdigit():
            self.references.append((int(name[:9]), self.position))
            self._atom(f"(?:\\{name})")
        elif name in self.names:
            self._atom(f"(?P={name})")
        else:
            raise self._refused(f'a reference names "{name}", which is no group before it')
        self.position = found.end()

    def _single_escape(self) -> str:
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
        raise self._refused(_REFUSED_ESCAPES.get(following, f"\\{following} is not an escape of .NET"), start)

    def _property(self) -> str:
        found = _PROPERTY.match(self.pattern, self.position)
        if found is None:
            raise self._refused(r"\p must be followed by a category or block in braces")
        letter, name = found.group(1), found.group(2)
        translated = f"\\{letter}{{{name}}}"
        if name.startswith("Is"):
            # .NET's Is… are blocks; here the same word would name a script.
            translated = f"\\{letter}{{Block={name[2:].replace('-', '')}}}"
            try:
                regex.compile(translated)
            except regex.error:
                raise self._refused(f"there is no block {name}") from None
        elif name not in _CATEGORIES:
            raise self._refused(f"{name or 'nothing'} is not a category of .NET")
        self.position = found.end()
        return translated

    # Character classes

    def _character_class(self, depth: int = 1) -> str:
        """Read a class in brackets; a subtraction becomes a lookahead before the class without it."""
        start = self.position
        if depth > MAX_DEPTH:
            raise self._refused(f"character classes are nested deeper than {MAX_DEPTH}")
        self.position += 1
        out = ["["]
        if self.pattern[self.position : self.position + 1] == "^":
            out.append("^")
            self.position += 1
        first = True
        while True:
            if self.position >= len(self.pattern):
                raise self._refused("a character class is not closed", start)
            letter = self.pattern[self.position]
            if letter == "]" and not first:
                self.position += 1
                return "".join(out) + "]"
            if letter == "-" and self.pattern.startswith("-[", self.position) and not first:
                return self._subtraction("".join(out) + "]", start, depth)
            if letter == "[" and self.pattern.startswith("[:", self.position):
                raise self._refused(
                    r"classes such as [:alpha:] are not of .NET; write \[ for the bracket itself"
                )
            out.append(self._class_piece(letter, start))
            first = False

    def _class_piece(self, letter: str, start: int) -> str:
        if letter == "\\":
            following = self.pattern[self.position + 1 : self.position + 2]
            if not following:
                raise self._refused("a character class is not closed", start)
            if following in "123456789":
                raise self._refused("write a character by its code as \\xHH inside a class")
            if following in "AzZGB":
                raise self._refused(f"\\{following} has no meaning inside a class")
            return self._single_escape()
        self.position += 1
        # These are operators of sets in newer pattern dialects; inside a .NET class they are themselves.
        return "\\" + letter if letter in "[]&|~" else letter

    def _subtraction(self, base: str, start: int, depth: int) -> str:
        self.position += 1
        taken = self._character_class(depth + 1)
        if self.pattern[self.position : self.position + 1] != "]":
            raise self._refused("a subtraction must be the last part of a class", start)
        self.position += 1
        return f"(?:(?!{taken}){base})"
