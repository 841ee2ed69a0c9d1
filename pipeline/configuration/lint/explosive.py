"""Whether a regular expression can take a time that doubles with every further character.

A pattern explodes when, somewhere in a loop, the same text can be matched in two ways: each turn then doubles
the ways to try before the match is given up. The pattern is read into its positions (one for each place that
takes a character) with the ways from each to the next; it explodes when a position leads back to itself by
two different ways with the same text. Lookarounds and back references are passed over.

Source: Weideman, van der Merwe, Berglund and Watson, "Analyzing Matching Time Behavior of Backtracking
Regular Expression Matchers by Using Ambiguity of NFA" (exponential degree of ambiguity); Glushkov, "The
abstract theory of automata" (positions).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from pipeline.configuration.lint.pattern_syntax import Part, read_pattern

MOST_POSITIONS: Final = 120
"""Patterns with more positions are not looked at."""


@dataclass(slots=True)
class _Positions:
    """A pattern's positions: which characters each takes, and how often one follows another."""

    takes: list[frozenset[str]] = field(default_factory=list)
    follows: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, part: Part) -> tuple[frozenset[int], frozenset[int], bool]:
        """Take in a part; return its first and last positions, and whether it can be empty."""
        match part.kind:
            case "characters":
                self.takes.append(part.characters)
                position = frozenset({len(self.takes) - 1})
                return position, position, False
            case "alternatives":
                found = [self.add(p) for p in part.parts]
                first = frozenset[int]().union(*(f for f, _, _ in found))
                last = frozenset[int]().union(*(e for _, e, _ in found))
                return first, last, any(empty for _, _, empty in found)
            case "repeat":
                return self._repeat(part)
            case _:
                return self._sequence(part.parts)

    def _sequence(self, parts: tuple[Part, ...]) -> tuple[frozenset[int], frozenset[int], bool]:
        first, last, empty = frozenset[int](), frozenset[int](), True
        for part in parts:
            begins, ends, nothing = self.add(part)
            self._link(last, begins)
            first = first | begins if empty else first
            last = last | ends if nothing else ends
            empty = empty and nothing
        return first, last, empty

    def _repeat(self, part: Part) -> tuple[frozenset[int], frozenset[int], bool]:
        """Unfold a repeat: a counted one to three turns at most, which is enough to see two ways."""
        (body,) = part.parts
        endless = part.most is None or part.most >= _MANY
        if endless and part.least < 2:
            first, last, empty = self.add(body)
            self._link(last, first)
            return first, last, empty or part.least == 0
        parts = [body] * max(min(part.least, 2), 1)
        if endless:
            parts[-1] = Part("repeat", parts=(body,), least=1, most=None)
        elif part.most is not None and part.most > max(part.least, 1):
            parts.append(Part("repeat", parts=(body,), least=0, most=1))
        first, last, empty = self._sequence(tuple(parts))
        return first, last, empty or part.least == 0

    def _link(self, last: frozenset[int], first: frozenset[int]) -> None:
        self.follows.update((a, b) for a in last for b in first)


_MANY: Final = 25
"""A repeat that may turn this often is as good as an endless one."""


def is_explosive(pattern: str) -> bool:
    """Tell whether some text makes the pattern's time double with each further character."""
    part = read_pattern(pattern)
    if part is None:
        return False
    positions = _Positions()
    positions.add(part)
    if len(positions.takes) > MOST_POSITIONS:
        return False
    return _doubled(positions) or _ambiguous(positions)


def _doubled(positions: _Positions) -> bool:
    """Tell whether one position follows another in two ways, in a loop: `(a*)*`."""
    following = _following(positions)
    return any(count > 1 and _reaches(b, a, following) for (a, b), count in positions.follows.items())


def _ambiguous(positions: _Positions) -> bool:
    """Tell whether two different ways with the same text part at a position and meet there again."""
    following = _following(positions)
    takes = positions.takes
    for start in range(len(takes)):
        if not _reaches(start, start, following):
            continue
        apart = _pairs_from(start, following, takes)
        if any(_meets(pair, start, following, takes) for pair in apart):
            return True
    return False


Pair = tuple[int, int]


def _next_pairs(pair: Pair, following: dict[int, list[int]], takes: list[frozenset[str]]) -> list[Pair]:
    return [
        (a, b) for a in following.get(pair[0], ()) for b in following.get(pair[1], ()) if takes[a] & takes[b]
    ]


def _pairs_from(start: int, following: dict[int, list[int]], takes: list[frozenset[str]]) -> list[Pair]:
    return [(a, b) for a, b in _next_pairs((start, start), following, takes) if a < b]


def _meets(pair: Pair, goal: int, following: dict[int, list[int]], takes: list[frozenset[str]]) -> bool:
    seen, waiting = {pair}, [pair]
    while waiting:
        for found in _next_pairs(waiting.pop(), following, takes):
            if found == (goal, goal):
                return True
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    return False


def _following(positions: _Positions) -> dict[int, list[int]]:
    following: dict[int, list[int]] = {}
    for a, b in positions.follows:
        following.setdefault(a, []).append(b)
    return following


def _reaches(start: int, goal: int, following: dict[int, list[int]]) -> bool:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here == goal and seen:
            return True
        for found in following.get(here, ()):
            if found == goal:
                return True
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    return False
