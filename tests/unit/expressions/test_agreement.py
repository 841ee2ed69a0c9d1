"""Closures agree with a plain walk over the tree.

The walk is written here once more, in the plainest way and for a part of the language, so that no narrow
closure can mean something of its own.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.expressions import (
    Context,
    Dialect,
    Expression,
    ExpressionError,
    Ignore,
    Scalar,
    Value,
    as_text,
)
from pipeline.expressions.nodes import Attribute, Binary, Call, Chain, Node, Number, Span, Text, Word
from pipeline.expressions.printer import print_node

NOWHERE: Final = Span(0, 0, 1, 1)


def _shown(value: Value | Ignore) -> str:
    return f"{type(value).__name__} {value!r}"


class _Stop(Exception):  # a way out, not a failure
    """The walk cannot go on."""


def _single(value: Value) -> Scalar | None:
    if isinstance(value, list):
        raise _Stop
    return value


def _truth(value: Value) -> bool:
    single = _single(value)
    if single is None or single == "":
        return False
    if isinstance(single, bool | int | float):
        return bool(single)
    folded = str(single).strip().casefold()
    if folded in {"true", "false"}:
        return folded == "true"
    number = _number(single)
    if number is None:
        raise _Stop
    return number != 0


def _number(value: Scalar | None) -> float | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    text = str(value).strip()
    return int(text) if re.fullmatch("[+-]?[0-9]{1,15}", text) else None


def _compared(sign: str, left: Scalar | None, right: Scalar | None) -> bool:
    if left is None or right is None:
        both = left in {None, ""} and right in {None, ""}
        return both if sign in {"=", "<=", ">="} else not both if sign == "<>" else False
    first: object = as_text(left)
    second: object = as_text(right)
    if isinstance(left, bool) or isinstance(right, bool):
        first, second = str(first).strip().casefold(), str(second).strip().casefold()
    elif (isinstance(left, int | float) or isinstance(right, int | float)) and (
        _number(left) is not None and _number(right) is not None
    ):
        first, second = _number(left), _number(right)
    order = {"=": first == second, "<>": first != second}
    if sign in order:
        return order[sign]
    less: bool = first < second  # type: ignore[operator]  # both texts or both numbers
    return {"<": less, "<=": less or first == second, ">": not less and first != second, ">=": not less}[sign]


def _joined(values: list[Scalar | None]) -> Value:
    texts = [as_text(value) for value in values if value is not None]
    return "".join(texts) if texts else None


def walk(node: Node, source: Mapping[str, Value]) -> Value:
    """Evaluate a tree in the plainest way, for a part of the language and single values."""
    if isinstance(node, Text | Number):
        return node.value
    if isinstance(node, Word):
        return {"true": True, "false": False, "null": None}[node.folded]
    if isinstance(node, Attribute):
        return source.get(node.folded)
    if isinstance(node, Binary):
        left, right = _single(walk(node.left, source)), _single(walk(node.right, source))
        return _compared(node.operator, left, right)
    if isinstance(node, Chain):
        return _walk_chain(node, source)
    assert isinstance(node, Call)
    return _walk_call(node, source)


def _walk_chain(node: Chain, source: Mapping[str, Value]) -> Value:
    if node.operator == "&":
        return _joined([_single(walk(operand, source)) for operand in node.operands])
    for operand in node.operands:
        if _truth(walk(operand, source)) is (node.operator == "||"):
            return node.operator == "||"
    return node.operator == "&&"


def _walk_call(node: Call, source: Mapping[str, Value]) -> Value:
    parts = [part for part in node.arguments if part is not None]
    if node.folded == "iif":
        return walk(parts[1 if _truth(walk(parts[0], source)) else 2], source)
    if node.folded == "switch":
        wanted = _single(walk(parts[0], source))
        for key, outcome in zip(parts[2::2], parts[3::2], strict=True):
            if _key(_single(walk(key, source))) == _key(wanted):
                return walk(outcome, source)
        return walk(parts[1], source)
    if node.folded == "coalesce":
        return next((value for part in parts if (value := walk(part, source)) is not None), None)
    return _PLAIN[node.folded]([_single(walk(part, source)) for part in parts])


def _key(value: Scalar | None) -> str:
    return "" if value is None else as_text(value)


def _of_text(values: list[Scalar | None], null: Value, result: str) -> Value:
    return null if values[0] is None else result


_PLAIN: Final[dict[str, Callable[[list[Scalar | None]], Value]]] = {
    "trim": lambda values: _of_text(values, None, _key(values[0]).strip()),
    "toupper": lambda values: _of_text(values, None, _key(values[0]).upper()),
    "stripspaces": lambda values: _of_text(values, None, _key(values[0]).replace(" ", "")),
    "left": lambda values: _of_text(values, "", _key(values[0])[: int(_key(values[1]))]),
    "append": _joined,
    "join": lambda values: _key(values[0]).join(text for text in map(_key, values[1:]) if text),
    "ispresent": lambda values: values[0] not in {None, ""},
    "isnullorempty": lambda values: values[0] in {None, ""},
    "isnull": lambda values: values[0] is None,
    "not": lambda values: _key(values[0]).strip().casefold() != "true",
    "cbool": lambda values: _truth(values[0]),
}

# Hypothesis would take minutes for so many trees, and shrinking is worth little where trees are this small.

_SEED: Final = 3
_TREES: Final = 10_000
_ONE: Final = ("Trim", "ToUpper", "StripSpaces", "IsPresent", "IsNullOrEmpty", "IsNull", "Not", "CBool")
_SEVERAL: Final = (("Append", 2), ("Join", 3), ("Coalesce", 2), ("IIF", 3), ("Switch", 4), ("Switch", 6))
_LETTERS: Final = string.ascii_letters + " 0123456789-"


class _Chance(random.Random):
    """Make trees and values."""

    def value(self) -> Scalar | None:
        """Make the value of an attribute."""
        kind = self.randrange(5)
        if kind == 0:
            return None
        if kind == 1:
            return "".join(self.choices(_LETTERS, k=self.randrange(5)))
        if kind == 2:
            return self.choice(["True", "false", "", "12", " 7 "])
        return self.randint(-99, 99) if kind == 3 else self.random() < 0.5

    def tree(self, size: int) -> Node:
        """Make a tree of about as many leaves."""
        if size <= 1:
            return self._leaf()
        kind = self.randrange(20)
        if kind < 5:
            return self._call(self.choice(_ONE), [self.tree(size - 1)])
        if kind < 7:
            return self._call("Left", [self.tree(size - 1), self._number(5)])
        if kind < 13:
            name, count = self.choice(_SEVERAL)
            return self._call(name, self._parts(size, count))
        if kind < 16:
            left, right = self._parts(size, 2)
            return Binary(self.choice(["=", "<>", "<", "<=", ">", ">="]), left, right, NOWHERE)
        operands = tuple(self._parts(size, self.randint(2, 4)))
        return Chain(self.choice(["&", "&&", "||"]), operands, NOWHERE)

    def _parts(self, size: int, count: int) -> list[Node]:
        return [self.tree(self.randint(1, max(1, 2 * size // count))) for _ in range(count)]

    def _leaf(self) -> Node:
        kind = self.randrange(5)
        if kind < 2:
            name = self.choice("abcdx")
            return Attribute(name, name, NOWHERE)
        if kind == 2:
            return Text("".join(self.choices("ab1 ", k=self.randrange(3))), NOWHERE)
        if kind == 3:
            return self._number(20)
        word = self.choice(["true", "false", "null"])
        return Word(word, word, NOWHERE)

    def _number(self, most: int) -> Node:
        return Number(self.randint(0, most), hexadecimal=False, span=NOWHERE)

    def _call(self, name: str, arguments: list[Node]) -> Node:
        return Call(name.casefold(), tuple(arguments), name, NOWHERE)


def _outcomes(text: str, tree: Node, source: Mapping[str, Value]) -> tuple[str, str]:
    """Give what evaluating gives, and what tracing gives; that text and tree are one is shown elsewhere."""
    expression = Expression(text, tree, Dialect.CLOUD_SYNC)
    try:
        plain = _shown(expression.evaluate(source, Context()))
    except ExpressionError:
        plain = "error"
    trace = expression.trace(source, Context())
    assert trace.error or trace.root.value == trace.value
    return plain, "error" if trace.error else _shown(trace.value)


def test_closures_agree_with_a_plain_walk() -> None:
    """Whatever way a closure takes, it gives what walking the tree gives, or fails where that fails."""
    chance = _Chance(_SEED)
    seen: Counter[str] = Counter()
    while seen.total() < _TREES:
        tree = chance.tree(chance.randint(2, 8))
        source: dict[str, Value] = {name: chance.value() for name in "abcd"}
        try:
            expected = _shown(walk(tree, source))
        except _Stop:
            expected = "error"
        text = print_node(tree)
        assert _outcomes(text, tree, source) == (expected, expected), f"{text} of {source}"
        seen[expected.split()[0]] += 1
    # The trees are worth something only if they come out differently.
    assert all(seen[kind] > _TREES // 50 for kind in ("str", "bool", "NoneType", "int", "error")), seen
