"""What clients asked: every search with the filter as it was understood, for tests and curious people."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.directory.requests import Filter, Search

_KEPT: Final = 10_000
_SCOPES: Final = ("base", "one", "subtree")
_SIGNS: Final = {"equal": "=", "greater": ">=", "less": "<=", "approx": "~="}
_MEANT: Final = frozenset(b"()*\\\0")


@dataclass(slots=True)
class Recorded:
    """One search: what was asked, how many entries went out, and how it ended (None: it did not)."""

    search: Search
    controls: tuple[str, ...]
    entries: int = 0
    code: int | None = None

    def describe(self) -> dict[str, Any]:
        """Show it as JSON-ready data."""
        return {
            "base": self.search.base.decode(errors="replace"),
            "scope": _SCOPES[self.search.scope],
            "filter": filter_text(self.search.filter),
            "attributes": list(self.search.attributes),
            "controls": list(self.controls),
            "entries": self.entries,
            "code": self.code,
        }


@dataclass(slots=True)
class Record:
    """Keep the latest searches, oldest first."""

    searches: deque[Recorded] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def clear(self) -> None:
        """Forget them."""
        self.searches.clear()

    def add(self, search: Search, controls: tuple[str, ...]) -> Recorded:
        """Note a search that arrived; what becomes of it is noted in what this returns."""
        recorded = Recorded(search, controls)
        self.searches.append(recorded)
        return recorded


def filter_text(node: Filter) -> str:
    """Write a filter as RFC 4515 does."""
    if node.kind in {"and", "or", "not"}:
        sign = {"and": "&", "or": "|", "not": "!"}[node.kind]
        return f"({sign}{''.join(map(filter_text, node.parts))})"
    if node.kind == "present":
        return f"({node.attribute}=*)"
    if node.kind == "substrings":
        first = "".join(_escaped(value) for kind, value in node.pieces if kind == "initial")
        last = "".join(_escaped(value) for kind, value in node.pieces if kind == "final")
        middle = [_escaped(value) for kind, value in node.pieces if kind == "any"]
        return f"({node.attribute}={'*'.join([first, *middle, last])})"
    if node.kind == "extensible":
        rule = f":{node.rule}" if node.rule else ""
        return f"({node.attribute}{rule}:={_escaped(node.value)})"
    return f"({node.attribute}{_SIGNS[node.kind]}{_escaped(node.value)})"


def _escaped(value: bytes) -> str:
    """Write octets: those with a meaning, and all where the value is no text, as hex pairs."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "".join(f"\\{octet:02x}" for octet in value)
    return "".join(f"\\{ord(c):02x}" if c < "\x80" and ord(c) in _MEANT else c for c in text)
