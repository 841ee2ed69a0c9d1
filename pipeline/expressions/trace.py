"""How an expression came to its value: every node with its text, its value, and whether its branch was taken.

While it evaluates, a traced expression only notes values by node number; the tree is made when somebody
looks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pipeline.expressions.errors import ExpressionError
from pipeline.expressions.nodes import (
    Attribute,
    Call,
    Node,
    Number,
    Parameter,
    Text,
    Variable,
    Word,
    children,
)
from pipeline.expressions.shapes import Run
from pipeline.expressions.state import FAILED, UNSEEN, State, Turn
from pipeline.expressions.values import Ignore, Value

#: What stands for a value that Redact hides.
REDACTED: Final = "[Redact]"
_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None, "crlf": "\r\n"}


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of a node before anything is evaluated.

    `slot` is the place of its notes, None for a constant that leaves none; `body` names it as the body of a
    loop; `outcome` says that it is a branch of an IIF or Switch, `hidden` that Redact hides its value.
    """

    text: str
    start: int
    end: int
    kind: str
    slot: int | None
    constant: object
    body: int
    outcome: bool
    hidden: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """An expression compiled so that it notes what its nodes gave, by the place that each node has."""

    run: Run
    blank: list[object]
    root: Part


class TraceNode(NamedTuple):
    """One node: its text and place (offsets), what it is, its value and its parts.

    `evaluated` is false for what was passed over or failed, and then `value` says nothing; `failed` tells the
    two apart. `taken` is None for a node that is no branch of an IIF or Switch; of a branch it says whether
    it gave the value, or the error. `kind` is one of function, operator, attribute, parameter, variable,
    text, number, word. A loop's body appears once a turn.
    """

    text: str
    start: int
    end: int
    kind: str
    value: Value | Ignore
    evaluated: bool
    taken: bool | None
    children: tuple[TraceNode, ...]
    failed: bool = False


class Trace:
    """The outcome of one evaluation, and how it came about.

    Either `error` is None and `value` is what evaluate() gives, or `error` is what it raises.
    """

    error: ExpressionError | None = None
    _root: TraceNode | None = None

    def __init__(self, recording: Recording, state: State, value: Value | Ignore) -> None:
        self._recording = recording
        self._state = state
        self.value = value

    @classmethod
    def failed(cls, recording: Recording, state: State, error: ExpressionError) -> Trace:
        """Give the trace of an evaluation that ended in an error."""
        trace = cls(recording, state, None)
        trace.error = error
        return trace

    @property
    def root(self) -> TraceNode:
        """The tree of nodes; made when first asked for."""
        if self._root is None:
            whole = Turn(self._state.values, self._state.loops or {})
            self._root = _built(self._recording.root, whole, reached=True)
        return self._root


def _built(part: Part, turn: Turn, *, reached: bool) -> TraceNode:
    """Make the tree of a node from the values that were noted."""
    noted: Any = turn.values[part.slot] if part.slot is not None else part.constant if reached else UNSEEN
    failed = noted is FAILED
    seen = not failed and noted is not UNSEEN
    return TraceNode(
        part.text,
        part.start,
        part.end,
        part.kind,
        (REDACTED if part.hidden else noted) if seen else None,
        seen,
        (seen or failed) if part.outcome else None,
        _built_parts(part, turn, reached=seen or failed) if part.parts else (),
        failed,
    )


def _built_parts(part: Part, turn: Turn, *, reached: bool) -> tuple[TraceNode, ...]:
    """Make the trees of a node's parts; of a loop's body one for each turn that was kept."""
    shown: list[TraceNode] = []
    for each in part.parts:
        loop = turn.loops.get(each.body)
        shown += [_built(each, one, reached=reached) for one in (loop.turns if loop else (turn,))]
    return tuple(shown)


def described(node: Node, text: str, slots: Mapping[int, int], outcomes: Collection[int]) -> Part:
    """Describe a compiled tree, once; `slots` and `outcomes` are by the ids of its nodes."""
    hidden = hidden_nodes(node)

    def describe(one: Node) -> Part:
        return Part(
            text=text[one.span.start : one.span.end],
            start=one.span.start,
            end=one.span.end,
            kind=_kind(one),
            slot=slots.get(id(one)),
            constant=_literal(one),
            body=id(one),
            outcome=id(one) in outcomes,
            hidden=id(one) in hidden,
            parts=tuple(describe(part) for part in children(one)),
        )

    return describe(node)


def _literal(node: Node) -> object:
    if isinstance(node, Text | Number):
        return node.value
    if isinstance(node, Word):
        return _CONSTANTS.get(node.folded, node.name)
    return UNSEEN


_BINDERS: Final = frozenset({"with", "select", "where"})


def hidden_nodes(node: Node) -> frozenset[int]:
    """Return the ids of the nodes whose value Redact hides."""
    found: set[int] = set()
    _hidden(node, frozenset(), found)
    return frozenset(found)


def _hidden(node: Node, names: frozenset[str], found: set[int], *, inside: bool = False) -> bool:
    """Collect the nodes whose value Redact hides: what is in it, what is made of it, variables included."""
    inside = inside or (isinstance(node, Call) and node.folded == "redact")
    parts = children(node)
    if isinstance(node, Call) and node.folded in _BINDERS and isinstance(parts[0], Variable):
        hides = _hidden(parts[1], names, found, inside=inside)
        bound = names | {parts[0].folded} if hides else names - {parts[0].folded}
        hides = _hidden(parts[-1], bound, found, inside=inside) or hides
    else:
        hides = any([_hidden(part, names, found, inside=inside) for part in parts])  # noqa: C419  # all of them
    hides = hides or inside or (isinstance(node, Variable) and node.folded in names)
    if hides:
        found.add(id(node))
    return hides


_KINDS: Final[Mapping[type, str]] = {
    Call: "function",
    **{kind: kind.__name__.lower() for kind in (Attribute, Parameter, Variable, Text, Number, Word)},
}


def _kind(node: Node) -> str:
    return _KINDS.get(type(node), "operator")
