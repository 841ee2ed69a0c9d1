"""Closures agree with a plain walk over the tree.

The walk is written here once more, in the plainest way and for a part of the language, so that no narrow
closure can mean something of its own.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.expressions import (
    Context,
    ExpressionError,
    Ignore,
    Scalar,
    Value,
    as_text,
    compile_expression,
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

_EASY_VALUES: Final = st.one_of(
    st.none(),
    st.text(string.ascii_letters + " 0123456789-", max_size=4),
    st.sampled_from(["TRUE", "false", "", "12", " 7 "]),
    st.integers(-99, 99),
    st.booleans(),
)


def _easy_leaves() -> st.SearchStrategy[Node]:
    return st.one_of(
        st.sampled_from("abcdx").map(lambda n: Attribute(n, n, NOWHERE)),
        st.sampled_from("abcdx").map(lambda n: Attribute(n, n, NOWHERE)),
        st.text("ab1 ", max_size=2).map(lambda t: Text(t, NOWHERE)),
        st.integers(0, 20).map(lambda n: Number(n, hexadecimal=False, span=NOWHERE)),
        st.sampled_from(["true", "false", "null"]).map(lambda n: Word(n, n, NOWHERE)),
    )


def _easy(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def call(name: str, *arguments: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.tuples(*arguments).map(lambda given: Call(name.casefold(), given, name, NOWHERE))

    count = st.integers(0, 5).map(lambda n: Number(n, hexadecimal=False, span=NOWHERE))
    one = ["Trim", "ToUpper", "StripSpaces", "IsPresent", "IsNullOrEmpty", "IsNull", "Not", "CBool"]
    return st.one_of(
        *(call(name, parts) for name in one),
        call("Left", parts, count),
        call("Append", parts, parts),
        call("Join", parts, parts, parts),
        call("Coalesce", parts, parts),
        call("IIF", parts, parts, parts),
        call("Switch", parts, parts, parts, parts),
        call("Switch", parts, parts, parts, parts, parts, parts),
        st.builds(
            lambda sign, left, right: Binary(sign, left, right, NOWHERE),
            st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
            parts,
            parts,
        ),
        st.builds(
            lambda sign, operands: Chain(sign, tuple(operands), NOWHERE),
            st.sampled_from(["&", "&&", "||"]),
            st.lists(parts, min_size=2, max_size=4),
        ),
    )


@given(
    st.recursive(_easy_leaves(), _easy, max_leaves=12),
    st.fixed_dictionaries(dict.fromkeys("abcd", _EASY_VALUES)),
)
@settings(max_examples=400, deadline=None, database=None)
def test_closures_agree_with_a_plain_walk(tree: Node, source: dict[str, Value]) -> None:
    """Whatever way a closure takes, it gives what walking the tree gives, or fails where that fails."""
    try:
        expected = _shown(walk(tree, source))
    except _Stop:
        expected = "error"
    expression = compile_expression(print_node(tree))
    try:
        outcome = _shown(expression.evaluate(source, Context()))
    except ExpressionError:
        outcome = "error"
    assert outcome == expected
    trace = expression.trace(source, Context())
    assert ("error" if trace.error else _shown(trace.value)) == expected
    if not trace.error:
        assert trace.root.value == trace.value
