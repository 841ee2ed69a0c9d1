"""How long the value of an expression can be, as far as the expression itself says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.configuration.lint.attributes import longest_value
from pipeline.expressions.nodes import Attribute, Binary, Call, Chain, Node, Number, Text, Word

_SAME: Final = frozenset(
    {
        "trim", "ltrim", "rtrim", "tolower", "toupper", "lcase", "ucase", "pcase", "stripspaces", "item",
        "itemornull", "redact", "cstr", "removeduplicates", "ignoreflowifnullorempty",
    }
)  # fmt: skip
"""Functions whose value is no longer than that of their first argument."""
_SHORT: Final = frozenset({"true", "false", "null", "ignorethisflow"})


def longest(node: Node | None) -> int | None:  # noqa: PLR0911  # one line a kind of node
    """Return the largest number of characters that one value can have; None when nothing can be said."""
    match node:
        case None:
            return 0
        case Text():
            return len(node.value)
        case Number():
            return len(str(node.value))
        case Attribute():
            return longest_value(node.name)
        case Word():
            return 5 if node.folded in _SHORT else None
        case Chain():
            return _sum(node.operands) if node.operator == "&" else 5
        case Call():
            return _call(node)
        case Binary() if node.operator not in {"+", "-", "*"}:
            return 5
        case _:
            return None


def _call(call: Call) -> int | None:  # noqa: PLR0911  # one line a function
    arguments = call.arguments
    match call.folded, len(arguments):
        case name, count if name in _SAME and count:
            return longest(arguments[0])
        case "left" | "right", 2:
            return _cut(arguments[0], arguments[1])
        case "mid", 3:
            return _cut(arguments[0], arguments[2])
        case "iif", 3:
            return _most(arguments[1:])
        case "switch", count if count >= 4:
            return _most((arguments[1], *arguments[3::2]))
        case "coalesce", count if count:
            return _most(arguments)
        case "append", 2:
            return _sum(arguments)
        case "join", count if count > 1 and not any(isinstance(a, Word) for a in arguments):
            separators = longest(arguments[0])
            parts = _sum(arguments[1:])
            return None if separators is None or parts is None else parts + separators * (count - 2)
        case "error", _:
            return 0
        case _:
            return None


def _cut(source: Node | None, length: Node | None) -> int | None:
    whole = longest(source)
    if isinstance(length, Number) and length.value >= 0:
        return int(length.value) if whole is None else min(whole, int(length.value))
    return whole


def _most(nodes: Sequence[Node | None]) -> int | None:
    """Return the longest of the branches; one of which nothing is known is passed over."""
    found = [length for length in map(longest, nodes) if length is not None]
    return max(found, default=None)


def _sum(nodes: Sequence[Node | None]) -> int | None:
    found = [longest(node) for node in nodes]
    return None if any(length is None for length in found) else sum(length or 0 for length in found)
