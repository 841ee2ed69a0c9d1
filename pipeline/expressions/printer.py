"""Turn a syntax tree back into text that parses to an equal tree."""

from __future__ import annotations

from typing import Final

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
_UNARY: Final = 7
_PRIMARY: Final = 8


def print_node(node: Node) -> str:
    """Give the canonical text of a node: names as written, one space after commas and around operators."""
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
        case Call():
            return f"{node.name}({_arguments(node.arguments)})"
        case Negation():
            return "-" + _operand(node.operand, _UNARY)
        case Binary():
            level = _LEVELS[node.operator]
            left, right = _operand(node.left, level), _operand(node.right, level + 1)
            return f"{left} {node.operator} {right}"
        case Chain():
            level = _LEVELS[node.operator] + 1
            return f" {node.operator} ".join(_operand(operand, level) for operand in node.operands)
        case _:
            return node.name


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
