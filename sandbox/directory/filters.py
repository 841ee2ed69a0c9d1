"""Search filters (RFC 4511, section 4.5.1.7) as functions from an entry to true, false or undefined.

As in Active Directory, an attribute the entry lacks compares false (so its negation is true), and an
attribute the schema lacks is undefined (so neither it nor its negation matches).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sandbox.directory.comparing import assertion_key, value_key
from sandbox.directory.dn import prepare
from sandbox.directory.schema import ANR, OIDS, Syntax
from sandbox.directory.tree import transitive

if TYPE_CHECKING:
    from sandbox.directory.requests import Filter
    from sandbox.directory.tree import Node, Tree

Truth = bool | None
Predicate = Callable[["Node"], Truth]

BIT_AND: Final = "1.2.840.113556.1.4.803"
BIT_OR: Final = "1.2.840.113556.1.4.804"
IN_CHAIN: Final = "1.2.840.113556.1.4.1941"


def compile_filter(tree: Tree, node: Filter) -> Predicate:
    """Turn a filter into a predicate."""
    if node.kind in {"and", "or"}:
        parts = [compile_filter(tree, part) for part in node.parts]
        return _all(parts) if node.kind == "and" else _any(parts)
    if node.kind == "not":
        return _negated(compile_filter(tree, node.parts[0]))
    if node.kind == "present":
        return _present(tree, node.attribute)
    if node.kind == "substrings":
        return _substrings(tree, node)
    if node.kind == "extensible":
        return _extensible(tree, node)
    return _comparison(tree, node.kind, node.attribute, node.value)


def _all(parts: list[Predicate]) -> Predicate:
    def check(node: Node) -> Truth:
        outcome: Truth = True
        for part in parts:
            one = part(node)
            if one is False:
                return False
            outcome = None if one is None else outcome
        return outcome

    return check


def _any(parts: list[Predicate]) -> Predicate:
    def check(node: Node) -> Truth:
        outcome: Truth = False
        for part in parts:
            one = part(node)
            if one:
                return True
            outcome = None if one is None else outcome
        return outcome

    return check


def _negated(part: Predicate) -> Predicate:
    def check(node: Node) -> Truth:
        one = part(node)
        return None if one is None else not one

    return check


def _undefined(_node: Node) -> Truth:
    return None


def _present(tree: Tree, attribute: str) -> Predicate:
    if attribute.lower() == "anr":
        return lambda _node: False  # no object has it
    if tree.schema.syntax(attribute) is None:
        return _undefined
    name = _key(attribute)
    return lambda node: name in node.values


def _comparison(tree: Tree, kind: str, attribute: str, raw: bytes) -> Predicate:
    if attribute.lower() == "anr":
        return _anr(tree, raw) if kind in {"equal", "approx"} else _undefined
    syntax = tree.schema.syntax(attribute)
    if syntax is None:
        return _undefined
    wanted = assertion_key(tree, attribute, syntax, raw)
    name = _key(attribute)

    def check(node: Node) -> Truth:
        for value in node.values.get(name, ()):
            key = value_key(syntax, value)
            if key is None or wanted is None:
                continue
            if kind in {"equal", "approx"}:
                matches = key == wanted
            elif type(key) is not type(wanted):
                matches = False
            elif kind == "greater":
                matches = key >= wanted  # type: ignore[operator]  # both have the same type here
            else:
                matches = key <= wanted  # type: ignore[operator]  # both have the same type here
            if matches:
                return True
        return False

    return check


def _substrings(tree: Tree, wanted: Filter) -> Predicate:
    if wanted.attribute.lower() == "anr":
        (kind, value), *more = wanted.pieces
        return _undefined if more or kind != "initial" else _anr(tree, value)
    syntax = tree.schema.syntax(wanted.attribute)
    if syntax is None:
        return _undefined
    if syntax is not Syntax.TEXT:
        return lambda _node: False  # only strings have parts in Active Directory
    parts = [(kind, value.decode(errors="replace")) for kind, value in wanted.pieces]
    name = _key(wanted.attribute)

    def check(node: Node) -> Truth:
        return any(_has_parts(value.decode(errors="replace"), parts) for value in node.values.get(name, ()))

    return check


def _has_parts(value: str, parts: list[tuple[str, str]]) -> bool:
    rest = _upper(value)
    for kind, part in parts:
        wanted = _upper(part)
        if not wanted:
            continue
        if kind == "initial":
            if not rest.startswith(wanted):
                return False
            rest = rest[len(wanted) :]
        elif kind == "any":
            _, found, rest = rest.partition(wanted)
            if not found:
                return False
        elif not rest.endswith(wanted):
            return False
    return True


def _key(attribute: str) -> str:
    """Return the key of an attribute in an entry; it may be asked for by object identifier."""
    return OIDS.get(attribute, attribute).lower()


def _upper(text: str) -> str:
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def _extensible(tree: Tree, wanted: Filter) -> Predicate:
    rule, attribute, raw = wanted.rule, wanted.attribute, wanted.value
    if not rule:
        return _comparison(tree, "equal", attribute, raw)
    syntax = tree.schema.syntax(attribute)
    if syntax is None:
        return _undefined
    if rule in {BIT_AND, BIT_OR}:
        return _bits(tree, rule, attribute, raw) if syntax is Syntax.INTEGER else _undefined
    if rule == IN_CHAIN:
        return _in_chain(tree, attribute, raw) if syntax is Syntax.NAME else _undefined
    return _undefined


def _bits(tree: Tree, rule: str, attribute: str, raw: bytes) -> Predicate:
    wanted = assertion_key(tree, attribute, Syntax.INTEGER, raw)
    if not isinstance(wanted, int):
        return _undefined
    mask = wanted

    def check(node: Node) -> Truth:
        values = node.get(attribute)
        if not values:
            return False
        number = int(values[0])
        return number & mask == mask if rule == BIT_AND else number & mask != 0

    return check


def _in_chain(tree: Tree, attribute: str, raw: bytes) -> Predicate:
    wanted = assertion_key(tree, attribute, Syntax.NAME, raw)
    known: dict[object, bool] = {}

    def check(node: Node) -> Truth:
        if node.name not in known:
            known[node.name] = any(reached.name == wanted for reached in transitive(tree, node, attribute))
        return known[node.name]

    return check


def _anr(tree: Tree, raw: bytes) -> Predicate:
    """Match as ambiguous name resolution does: a prefix of any name, `=text` exactly, or `first last`."""
    text = raw.decode(errors="replace")
    exact = text.startswith("=")
    wanted = prepare(text.removeprefix("="))
    first, _, last = wanted.partition(" ")
    last = last.strip()
    if not wanted:
        return lambda _node: False

    def one(node: Node, attribute: str, part: str) -> bool:
        syntax = tree.schema.syntax(attribute)
        if syntax is None or not part:
            return False
        for value in node.get(attribute):
            have = prepare(value.decode(errors="replace"))
            if have == part if exact else have.startswith(part):
                return True
        return False

    def check(node: Node) -> Truth:
        if any(one(node, attribute, wanted) for attribute in ANR):
            return True
        return (one(node, "givenName", first) and one(node, "sn", last)) or (
            one(node, "sn", first) and one(node, "givenName", last)
        )

    return check
