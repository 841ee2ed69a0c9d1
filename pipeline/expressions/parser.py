"""Turn text into the syntax tree.

The grammar is LALR(1), built once a process with the transformer embedded, so that no intermediate tree
exists and a too deep expression is refused while it is read.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import re
from dataclasses import replace
from typing import Final, TypeAlias

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from pipeline.expressions.errors import ExpressionSyntaxError, Position
from pipeline.expressions.nodes import (
    Attribute,
    Binary,
    Call,
    Chain,
    Negation,
    Node,
    Number,
    Parameter,
    Span,
    Text,
    Variable,
    Word,
)

MAX_TEXT: Final = 8192
#: The largest number of names, texts, signs and commas; a Switch over all countries of the world has 1000.
MAX_PIECES: Final = 1500
MAX_DEPTH: Final = 60
# .NET's 64-bit integers, signed or not.
MAX_INTEGER: Final = 2**64 - 1
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|\[[^\[\]]*\]?|\w+|&&|\|\||[<>]=|<>|\S')
_ESCAPED: Final = re.compile(r'\\(["\\])')

_TERMINALS: Final = {
    "ADD": "an operator",
    "MINUS": "a minus",
    "MULTIPLY": "an operator",
    "COMPARE": "an operator",
    "AMPERSAND": "an operator",
    "__ANON_0": "an operator",
    "__ANON_1": "an operator",
    "VBAR": "an operator",
    "COMMA": "a comma",
    "OPEN": "an opening parenthesis",
    "CLOSE": "a closing parenthesis",
    "$END": "the end",
}
_VALUES: Final = frozenset({"STRING", "NUMBER", "HEX", "ATTRIBUTE", "PARAMETER", "VARIABLE", "IDENT"})
_HINTS: Final = {
    "“": 'a curly quote; texts stand in straight quotes (")',
    "”": 'a curly quote; texts stand in straight quotes (")',
    "„": 'a curly quote; texts stand in straight quotes (")',
    "'": 'a single quote; texts stand in double quotes (")',
    "‘": 'a curly quote; texts stand in double quotes (")',
    "’": 'a curly quote; texts stand in double quotes (")',
    ";": "a semicolon; arguments are separated by commas",
    '"': "a text that is not closed",
    "[": "an attribute that is not closed or has brackets in its name",
    "%": "a parameter that is not closed",
    "|": "a single bar; “or” is written ||",
    "/": "a slash; there is no division",
    "!": "an exclamation mark; “not” is written Not()",
}


def parse(text: str) -> Node:
    """Parse an expression of at most 8192 characters, 1500 pieces and 60 levels.

    Raises ExpressionSyntaxError with the place where reading stopped.
    """
    if len(text) > MAX_TEXT:
        message = f"the expression has {len(text)} characters, more than {MAX_TEXT}"
        raise ExpressionSyntaxError(message, position=Position(1, 1, 0))
    if not text.strip():
        raise ExpressionSyntaxError("the expression is empty", position=Position(1, 1, 0))
    if len(text) > MAX_PIECES and (pieces := len(_PIECE.findall(text))) > MAX_PIECES:
        message = f"the expression has {pieces} parts, more than {MAX_PIECES}"
        raise ExpressionSyntaxError(message, position=Position(1, 1, 0))
    try:
        # lark types a parse as a tree; with an embedded transformer it is what the transformer made.
        tree: Node = _parser().parse(text)  # type: ignore[assignment]  # see above
    except UnexpectedInput as failure:
        raise _syntax_error(text, failure) from None
    except VisitError as failure:
        raise failure.orig_exc from None
    return tree


def grammar() -> str:
    """Give the grammar's text; it ships inside the package."""
    return importlib.resources.files(__package__).joinpath("expression.lark").read_text(encoding="utf-8")


@functools.cache
def _parser() -> Lark:
    return Lark(grammar(), parser="lalr", maybe_placeholders=True, transformer=_ToNodes())


def _syntax_error(text: str, failure: UnexpectedInput) -> ExpressionSyntaxError:
    if isinstance(failure, UnexpectedToken) and failure.token.type == "$END":
        # lark reports the last token's start; a reader looks for what is missing at the end.
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
        wanted = _expected(failure.accepts or failure.expected)
        return ExpressionSyntaxError(
            f"the expression ends where {wanted} is expected", position=Position(line, column, len(text))
        )
    position = _place(text, failure.line, failure.column)
    if isinstance(failure, UnexpectedCharacters):
        found = _HINTS.get(failure.char) or f'"{failure.char}"'
        if failure.char.isdigit():
            found = "a number that runs into letters; texts stand in quotes"
        return ExpressionSyntaxError(f"cannot read {found}", position=position)
    if isinstance(failure, UnexpectedToken):
        wanted = _expected(failure.accepts or failure.expected)
        return ExpressionSyntaxError(f'found "{failure.token}" where {wanted} is expected', position=position)
    return ExpressionSyntaxError("cannot read the expression", position=position)


def _place(text: str, line: int, column: int) -> Position:
    before = sum(len(earlier) + 1 for earlier in text.split("\n")[: line - 1])
    return Position(line, column, before + column - 1)


def _expected(terminals: set[str]) -> str:
    words: list[str] = []
    if terminals & _VALUES:
        words.append("a value")
        terminals = terminals - _VALUES - {"OPEN", "MINUS"}
    for terminal in sorted(terminals):
        word = _TERMINALS.get(terminal, "an operator")
        if word not in words:
            words.append(word)
    return " or ".join(words)


class _ToNodes(Transformer[Token, Node]):
    """Build nodes while lark reads; every method gets what its rule matched."""

    def text(self, items: list[Token]) -> Node:
        token = items[0]
        # Only the quote and the backslash are escaped; a backslash before anything else is itself.
        return Text(_ESCAPED.sub(r"\1", token[1:-1]), _span(token))

    def number(self, items: list[Token]) -> Node:
        token = items[0]
        value: int | float
        if "." in token:
            value = float(token)
            if not math.isfinite(value):
                raise _refused("the number is too large", token)
        elif len(token) > 20 or int(token) > MAX_INTEGER:
            raise _refused("the number is too large", token)
        else:
            value = int(token)
        return Number(value, hexadecimal=False, span=_span(token))

    def hexadecimal(self, items: list[Token]) -> Node:
        token = items[0]
        value = int(token.removeprefix("&")[1:], base=16)
        if value > MAX_INTEGER:
            raise _refused("the number is too large", token)
        return Number(value, hexadecimal=True, span=_span(token))

    def attribute(self, items: list[Token]) -> Node:
        token = items[0]
        name = token[1:-1].strip()
        if not name:
            raise _refused("the attribute has no name", token)
        return Attribute(name.casefold(), name, _span(token))

    def parameter(self, items: list[Token]) -> Node:
        token = items[0]
        name = token[1:-1]
        return Parameter(name.casefold(), name, _span(token))

    def variable(self, items: list[Token]) -> Node:
        token = items[0]
        name = token[1:]
        return Variable(name.casefold(), name, _span(token))

    def word(self, items: list[Token]) -> Node:
        token = items[0]
        return Word(token.casefold(), str(token), _span(token))

    def arguments(self, items: list[Node | None]) -> tuple[Node | None, ...]:
        return () if items == [None] else tuple(items)

    def call(self, items: tuple[Token, Token, tuple[Node | None, ...], Token]) -> Node:
        name, _, arguments, close = items
        span = _between(_span(name), _span(close))
        depth = _deeper(span, *(argument for argument in arguments if argument is not None))
        return Call(name.casefold(), arguments, str(name), span, depth)

    def group(self, items: tuple[Token, Node, Token]) -> Node:
        opening, inner, close = items
        # The parentheses belong to the node's text, so that a trace shows them; nesting them is depth, too.
        span = _between(_span(opening), _span(close))
        return replace(inner, span=span, depth=_deeper(span, inner))

    def negation(self, items: tuple[Token, Node]) -> Node:
        minus, operand = items
        span = _between(_span(minus), operand.span)
        if isinstance(operand, Number) and not operand.hexadecimal and operand.value > 0:
            return Number(-operand.value, hexadecimal=False, span=span)
        return Negation(operand, span, _deeper(span, operand))

    def or_(self, items: list[Node]) -> Node:
        return _chain("||", items)

    def and_(self, items: list[Node]) -> Node:
        return _chain("&&", items)

    def concat(self, items: list[Node]) -> Node:
        return _chain("&", items)

    def comparison(self, items: tuple[Node, Token, Node]) -> Node:
        return _binary(items)

    def sum(self, items: tuple[Node, Token, Node]) -> Node:
        return _binary(items)

    def product(self, items: tuple[Node, Token, Node]) -> Node:
        return _binary(items)


_Items: TypeAlias = tuple[Node, Token, Node]


def _binary(items: _Items) -> Node:
    left, operator, right = items
    span = _between(left.span, right.span)
    return Binary(str(operator), left, right, span, _deeper(span, left, right))


def _chain(operator: str, items: list[Node]) -> Node:
    span = _between(items[0].span, items[-1].span)
    return Chain(operator, tuple(items), span, _deeper(span, *items))


def _span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0, token.line or 1, token.column or 1)


def _between(first: Span, last: Span) -> Span:
    return Span(first.start, last.end, first.line, first.column)


def _deeper(span: Span, *parts: Node) -> int:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > MAX_DEPTH:
        message = f"the expression is nested deeper than {MAX_DEPTH} levels"
        raise ExpressionSyntaxError(message, position=span.position)
    return depth


def _refused(message: str, token: Token) -> ExpressionSyntaxError:
    return ExpressionSyntaxError(message, position=_span(token).position)
