"""$filter: tokens, a recursive-descent parser, and evaluation over one object.

The grammar is the part of OData 4.01 that directory objects take: eq ne ge le gt lt in, and or not, brackets,
startsWith endsWith, any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sandbox.tenant.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

Literal = str | bool | int | float | None


class Bare(str):
    """A literal written without quotes, a date or a GUID: no string in OData."""

    __slots__ = ()


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<date>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)
    | (?P<guid>[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})
    | (?P<number>-?\d+(?:\.\d+)?(?![\w-]))
    | (?P<word>\$?[A-Za-z_]\w*(?:/\$?[A-Za-z_]\w*)*)
    | (?P<mark>[(),:/])
    )""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"eq", "ne", "ge", "le", "gt", "lt"})
_FUNCTIONS = {"startswith": "startsWith", "endswith": "endsWith"}
_CONSTANTS: Mapping[str, Literal] = {"true": True, "false": False, "null": None}
_DEPTH_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Compare:
    """`path operator value`."""

    path: str
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class OneOf:
    """`path in (values)`."""

    path: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Affix:
    """`startsWith(path, value)` or `endsWith(path, value)`."""

    function: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`path/any(variable: condition)`; without a condition it asks for at least one element."""

    path: str
    variable: str
    condition: Node | None


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Logical:
    """`left and right` or `left or right`."""

    operator: str
    left: Node
    right: Node


Node = Compare | OneOf | Affix | AnyOf | Not | Logical


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse(text: str) -> Node:
    """Parse a $filter expression; refuse it with Graph's answer when it cannot be read."""
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise refuse("filter_syntax", reason=f"Syntax error at position {position} in '{text}'.")
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match.group(kind)))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._at != len(self._tokens):
            self._fail()
        return node

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise refuse("filter_syntax", reason="The expression is nested too deeply.")
        node = self._and()
        while self._word("or"):
            node = Logical("or", node, self._and())
        self._depth -= 1
        return node

    def _and(self) -> Node:
        node = self._unary()
        while self._word("and"):
            node = Logical("and", node, self._unary())
        return node

    def _unary(self) -> Node:
        if self._word("not"):
            self._depth += 1
            if self._depth > _DEPTH_LIMIT:
                raise refuse("filter_syntax", reason="The expression is nested too deeply.")
            operand = self._unary()
            self._depth -= 1
            return Not(operand)
        if self._mark("("):
            node = self._or()
            self._expect(")")
            return node
        return self._primary()

    def _primary(self) -> Node:
        path = self._path()
        function = _FUNCTIONS.get(path.casefold())
        if function is not None and self._mark("("):
            return self._affix(function)
        if path.endswith("/any") and self._mark("("):
            return self._any(path.removesuffix("/any"))
        operator = self._path()
        if operator == "in":
            return self._in(path)
        if operator not in _COMPARISONS:
            self._at -= 1
            self._fail()
        return Compare(path, operator, self._literal())

    def _affix(self, function: str) -> Node:
        path = self._path()
        self._expect(",")
        value = self._literal()
        self._expect(")")
        if not isinstance(value, str) or isinstance(value, Bare):
            raise refuse("filter_syntax", reason=f"{function} takes a string.")
        # `startsWith(x,'y') eq true` is an older spelling of the same.
        if self._word("eq") and self._literal() is not True:
            self._fail()
        return Affix(function, path, value)

    def _any(self, path: str) -> Node:
        if self._mark(")"):
            return AnyOf(path, "", None)
        variable = self._path()
        self._expect(":")
        condition = self._or()
        self._expect(")")
        return AnyOf(path, variable, condition)

    def _in(self, path: str) -> Node:
        self._expect("(")
        values = [self._literal()]
        while self._mark(","):
            values.append(self._literal())
        self._expect(")")
        return OneOf(path, tuple(values))

    def _path(self) -> str:
        token = self._next()
        if token.kind != "word":
            self._at -= 1
            self._fail()
        return token.text

    def _literal(self) -> Literal:
        token = self._next()
        if token.kind == "string":
            return token.text[1:-1].replace("''", "'")
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind in {"date", "guid"}:
            return Bare(token.text)
        if token.kind != "word" or token.text not in _CONSTANTS:
            self._at -= 1
            self._fail()
        return _CONSTANTS[token.text]

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            self._fail()
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, text):
            self._at += 1
            return True
        return False

    def _word(self, text: str) -> bool:
        return self._peek("word", text)

    def _mark(self, text: str) -> bool:
        return self._peek("mark", text)

    def _expect(self, mark: str) -> None:
        if not self._mark(mark):
            self._fail()

    def _fail(self) -> NoReturn:
        near = self._tokens[self._at].text if self._at < len(self._tokens) else "the end"
        raise refuse("filter_syntax", reason=f"Syntax error near {near}.")


def matches(node: Node, item: Any, variable: str = "") -> bool:
    """Say whether `item` (an object's properties, or an element of a list) meets the filter."""
    match node:
        case Logical("and", left, right):
            found = matches(left, item, variable) and matches(right, item, variable)
        case Logical(_, left, right):
            found = matches(left, item, variable) or matches(right, item, variable)
        case Not(operand):
            found = not matches(operand, item, variable)
        case Compare(path, operator, value):
            found = _compares(_value(item, path, variable), operator, value)
        case OneOf(path, values):
            present = _value(item, path, variable)
            found = any(_compares(present, "eq", value) for value in values)
        case Affix(function, path, value):
            found = _has_affix(_value(item, path, variable), function, value)
        case AnyOf(path, inner, condition):
            elements = _value(item, path, variable) or []
            found = any(condition is None or matches(condition, element, inner) for element in elements)
    return found


def _value(item: Any, path: str, variable: str) -> Any:
    parts = path.split("/")
    if variable and parts[0] == variable:
        parts = parts[1:]
    for part in parts:
        item = item.get(part) if hasattr(item, "get") else None
    return item


def _compares(found: Any, operator: str, value: Literal) -> bool:
    """Compare; strings without regard to case, as Graph's directory does."""
    if isinstance(found, str) and isinstance(value, str):
        found, value = found.casefold(), value.casefold()
    if operator == "eq":
        return bool(found == value) and isinstance(found, bool) == isinstance(value, bool)
    if operator == "ne":
        return bool(found != value)
    if not isinstance(found, str) or not isinstance(value, str):
        return False
    return {"ge": found >= value, "le": found <= value, "gt": found > value, "lt": found < value}[operator]


def _has_affix(found: Any, function: str, value: str) -> bool:
    if not isinstance(found, str):
        return False
    folded, wanted = found.casefold(), value.casefold()
    return folded.startswith(wanted) if function == "startsWith" else folded.endswith(wanted)
