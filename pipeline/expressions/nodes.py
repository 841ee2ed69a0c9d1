"""The syntax tree: frozen nodes, equal when they mean the same, whatever their place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.expressions.errors import Position


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands: offsets `start` to `end` (exclusive), line and column of its start, from 1."""

    start: int
    end: int
    line: int
    column: int

    @property
    def position(self) -> Position:
        """The place where the node starts."""
        return Position(self.line, self.column, self.start)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, unescaped."""

    value: str
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `hexadecimal` keeps the way it was written."""

    value: int | float
    hexadecimal: bool
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word, case-folded: a constant such as True or NULL, or a word of an enumeration."""

    folded: str
    name: str = field(compare=False)
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A source attribute in brackets; names are compared without regard to case."""

    folded: str
    name: str = field(compare=False)
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the configuration between percent signs."""

    folded: str
    name: str = field(compare=False)
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that With, Select or Where binds."""

    folded: str
    name: str = field(compare=False)
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; None stands for a skipped one."""

    folded: str
    arguments: tuple[Node | None, ...]
    name: str = field(compare=False)
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Negation:
    """The unary minus."""

    operand: Node
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison or an arithmetic operation of two operands, left-associative."""

    operator: str
    left: Node
    right: Node
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Two or more operands joined by `&`, `&&` or `||`, kept flat so that a long chain is not a deep one."""

    operator: str
    operands: tuple[Node, ...]
    span: Span = field(compare=False)
    depth: int = field(default=1, compare=False)


Node: TypeAlias = Text | Number | Word | Attribute | Parameter | Variable | Call | Negation | Binary | Chain


def children(node: Node) -> tuple[Node, ...]:
    """Give a node's direct parts in the order of the text, skipped arguments left out."""
    if isinstance(node, Call):
        return tuple(argument for argument in node.arguments if argument is not None)
    if isinstance(node, Chain):
        return node.operands
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Negation):
        return (node.operand,)
    return ()
