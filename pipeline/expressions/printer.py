"""Turn a syntax tree back into text that parses to an equal tree."""

from __future__ import annotations

from typing import Final

from pipeline.expressions.functions import FUNCTIONS
from pipeline.expressions.nodes import (
    Attribute,
    Binary,
    Call,
    Chain,
    Negation,
    Node,
    Number,
    Parameter,
    Text,
    Variable,
    Word,
)

_LEVELS: Final = {
    "||": 1,
    "&&": 2,
    "=": 3,
    "<>": 3,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "&": 4,
    "+": 5,
    "-": 5,
    "*": 6,
}
#: The constants of the language by their case-folded names.
WORDS: Final = {
    "true": "True",
    "false": "False",
    "null": "NULL",
    "crlf": "CRLF",
    "ignorethisflow": "IgnoreThisFlow",
}
_UNARY: Final = 7
_PRIMARY: Final = 8


def print_node(node: Node) -> str:
    """Give the canonical text of a node: the documented names of functions, one space around operators."""
    if isinstance(node, Call):
        function = FUNCTIONS.get(node.folded)
        return f"{function.name if function else node.name}({_arguments(node.arguments)})"
    if isinstance(node, Binary):
        level = _LEVELS[node.operator]
        return f"{_operand(node.left, level)} {node.operator} {_operand(node.right, level + 1)}"
    if isinstance(node, Chain):
        level = _LEVELS[node.operator] + 1
        return f" {node.operator} ".join(_operand(operand, level) for operand in node.operands)
    if isinstance(node, Negation):
        return "-" + _operand(node.operand, _UNARY)
    return _leaf(node)


def _leaf(node: Text | Number | Word | Attribute | Parameter | Variable) -> str:
    match node:
        case Text():
            escaped = node.value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case Number():
            return f"&H{node.value:X}" if node.hexadecimal else _number(node.value)
        case Attribute():
            return f"[{node.name}]"
        case Parameter():
            return f"%{node.name}%"
        case Variable():
            return f"${node.name}"
        case Word():
            return WORDS.get(node.folded, node.name)


def _arguments(arguments: tuple[Node | None, ...]) -> str:
    return ", ".join("" if argument is None else print_node(argument) for argument in arguments)


def _operand(node: Node, least: int) -> str:
    text = print_node(node)
    return text if _level(node) >= least else f"({text})"


def _level(node: Node) -> int:
    if isinstance(node, Binary | Chain):
        return _LEVELS[node.operator]
    if isinstance(node, Negation) or (isinstance(node, Number) and node.value < 0):
        return _UNARY
    return _PRIMARY


def _number(value: float) -> str:
    # The grammar has no exponents, so a very large or small fraction is written out.
    if isinstance(value, int):
        return str(value)
    text = repr(value)
    if "e" not in text:
        return text
    # 1080 places hold every double exactly.
    plain = f"{value:.1080f}".rstrip("0")
    return plain + "0" if plain.endswith(".") else plain
