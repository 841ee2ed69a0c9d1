"""What a target is made of: Graph's tree of sources, and the text of an expression for the same.

The tree is the truth: the expression that Graph prints beside it leaves out what has no text of its own, such
as the parameter %DomainFQDN%. So it is printed anew where a part of the tree has no text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.configuration.graph_schema.wire import Json, Source
from pipeline.expressions import ExpressionError
from pipeline.expressions.functions import FUNCTIONS
from pipeline.expressions.nodes import Attribute, Binary, Call, Node, Number, Parameter, Text
from pipeline.expressions.parser import parse
from pipeline.expressions.printer import print_node

_PARAMETER: Final = re.compile(r"%[\w.]+%")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "append": ("source", "suffix"),
    "bitand": ("left", "right"),
    "error": ("message",),
    "formatdatetime": ("source", "inputFormat", "outputFormat"),
    "ispresent": ("source",),
    "item": ("source", "index"),
    "join": ("separator", "source"),
    "left": ("source", "length"),
    "mid": ("source", "start", "length"),
    "not": ("source",),
    "removeduplicates": ("source",),
    "split": ("source", "delimiter"),
    "trim": ("source",),
    "tolower": ("source",),
    "toupper": ("source",),
}
"""The service's keys of a function's arguments; the last one repeats."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a mapping is made of, as a configuration says it."""

    key: Literal["source", "expression", "constant"]
    text: str


def read_source(source: Source) -> Origin:
    """Return what a source stands for. Raises ValueError where that cannot be told."""
    match source.type.casefold():
        case "attribute":
            return Origin("source", source.name or (source.expression or "").strip("[]"))
        case "constant" if source.expression is None and _PARAMETER.fullmatch(source.name or ""):
            return Origin("expression", source.name or "")
        case "constant":
            return Origin("constant", _constant(source))
        case "function":
            return Origin("expression", _text(source) if _is_lossy(source) else source.expression or "")
        case _:
            raise ValueError(f"a source of type “{source.type}” is not known here")


def _constant(source: Source) -> str:
    text = source.expression
    if text is None:
        return source.name or ""
    try:
        node = parse(text)
    except ExpressionError:
        return text
    return node.value if isinstance(node, Text) else text


def _is_lossy(source: Source) -> bool:
    """Whether the printed expression lacks a part of the tree."""
    return not source.expression or any(_has_no_text(p.value) for p in source.parameters)


def _has_no_text(source: Source) -> bool:
    return source.expression is None or any(_has_no_text(p.value) for p in source.parameters)


def _text(source: Source) -> str:
    """Print a source from its tree."""
    match source.type.casefold():
        case "attribute":
            return f"[{source.name}]"
        case "constant" if source.expression is not None:
            return source.expression
        case "constant" if _PARAMETER.fullmatch(source.name or ""):
            return source.name or ""
        case "constant":
            return _quoted(source.name or "")
    by_key = {p.key: p.value for p in source.parameters}
    if (source.name or "").casefold() == "iif" and {"one", "four", "five"} <= set(by_key):
        condition = _text(by_key["one"])
        if "two" in by_key and "three" in by_key:
            condition = f"{condition} {by_key['two'].name} {_text(by_key['three'])}"
        return f"IIF({condition}, {_text(by_key['four'])}, {_text(by_key['five'])})"
    if (source.name or "").casefold() == "replace":
        raise ValueError("Replace is given by keys only, without its text")
    return f"{source.name}({', '.join(_text(p.value) for p in source.parameters)})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# -- the way back ----------------------------------------------------------------------------------------


def write_attribute(name: str) -> Json:
    """Return the source that is one attribute."""
    return {"expression": f"[{name}]", "name": name, "type": "Attribute", "parameters": []}


def write_constant(text: str) -> Json:
    """Return the source that is a constant."""
    return {"expression": _quoted(text), "name": text, "type": "Constant", "parameters": []}


def write_expression(text: str) -> tuple[Json, bool]:
    """Return the source that is an expression, and whether its tree is complete.

    Where it is not, Graph itself has to be asked for the tree (POST …/schema/parseExpression).
    """
    node = parse(text)
    tree = _tree(node)
    if tree is not None:
        return tree, True
    name = node.name if isinstance(node, Call) else ""
    return {"expression": text, "name": name, "type": "Function", "parameters": []}, False


def _tree(node: Node | None) -> Json | None:
    match node:
        case Attribute():
            return write_attribute(node.name)
        case Text():
            return write_constant(node.value)
        case Number() if not node.hexadecimal:
            return write_constant(str(node.value))
        case Parameter():
            return {"expression": None, "name": f"%{node.name}%", "type": "Constant", "parameters": []}
        case Call():
            return _function(node)
        case _:
            return None


def _function(call: Call) -> Json | None:
    parts = _condition_parts(call) if call.folded == "iif" else _plain_parts(call)
    trees = [(key, _tree(part)) for key, part in parts or ()]
    if not trees or any(tree is None for _, tree in trees):
        return None
    function = FUNCTIONS.get(call.folded)
    return {
        "expression": print_node(call),
        "name": function.name if function else call.name,
        "type": "Function",
        "parameters": [{"key": key, "value": tree} for key, tree in trees],
    }


def _condition_parts(call: Call) -> Sequence[tuple[str, Node | None]] | None:
    if len(call.arguments) != 3:
        return None
    condition, yes, no = call.arguments
    ends = (("four", yes), ("five", no))
    if not isinstance(condition, Binary):
        return (("one", condition), *ends)
    span = condition.span
    return (
        ("one", condition.left),
        ("two", Text(condition.operator, span)),
        ("three", condition.right),
        *ends,
    )


def _plain_parts(call: Call) -> Sequence[tuple[str, Node | None]] | None:
    keys = _KEYS.get(call.folded)
    if keys is None or (len(call.arguments) > len(keys) and call.folded != "join"):
        return None
    return [(keys[min(n, len(keys) - 1)], argument) for n, argument in enumerate(call.arguments)]
