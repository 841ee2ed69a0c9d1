"""The digest of a configuration: over what it means, so that spelling and order leave it as it is.

Names that Active Directory and the expression language compare without regard to case are folded; what is
tried or joined in order keeps its order, what is not is sorted; defaults that are written out and defaults
that are left out are the same. What is only carried along (`kept`, `known_attributes`) means nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from pipeline.configuration.model import AttributeMapping, Configuration, ObjectRules
from pipeline.dn import DistinguishedName
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
from pipeline.expressions.printer import print_node
from pipeline.expressions.state import parameter_key
from pipeline.filters import ScopeFilter


def digest(configuration: Configuration) -> str:
    """Return sha256:… of the configuration's meaning; its own `digest` field is not looked at."""
    text = json.dumps(_meaning(configuration), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def canonical_expression(node: Node) -> str:
    """Print an expression so that equal meanings print alike: names folded, numbers decimal."""
    return print_node(_folded(node))


def _meaning(configuration: Configuration) -> Mapping[str, object]:
    return {
        "name": configuration.name.casefold(),
        "default": configuration.default,
        "directory": configuration.directory.casefold(),
        "base": _dn(configuration.base),
        "dialect": str(configuration.dialect),
        "parameters": {parameter_key(name): value for name, value in configuration.parameters.items()},
        "access": {
            str(right): [sorted(grant.people), sorted(grant.channels)]
            for right, grant in configuration.access.items()
        },
        "privacy": [sorted(configuration.privacy.hidden), sorted(configuration.privacy.private)],
        "objects": {str(kind): _rules(rules) for kind, rules in configuration.objects.items()},
        "guards": asdict(configuration.guards),
    }


def _rules(rules: ObjectRules) -> Mapping[str, object]:
    scope = rules.scope
    return {
        "kinds": sorted(rules.kinds),
        "organizational_units": _sorted(map(_dn, scope.organizational_units)),
        "groups": _sorted(map(_dn, scope.groups)),
        **({"nested_groups": _sorted(map(_dn, scope.nested_groups))} if scope.nested_groups else {}),
        "filters": _filters(scope.filters),
        "input_filters": _filters(scope.input_filters),
        "match": rules.match,
        "mappings": _sorted(map(_mapping, rules.mappings)),
        "members": str(rules.members),
    }


def _filters(filters: Iterable[ScopeFilter]) -> list[object]:
    return _sorted(
        [f.name, _sorted([c.attribute.casefold(), str(c.operator), list(c.wanted)] for c in f.clauses)]
        for f in filters
    )


def _mapping(mapping: AttributeMapping) -> list[object]:
    expression = mapping.expression
    return [
        mapping.target,
        canonical_expression(expression.node) if expression else None,
        mapping.constant,
        str(mapping.apply),
        mapping.default,
        str(mapping.null),
        mapping.only_fills,
    ]


def _dn(name: DistinguishedName) -> list[object]:
    return [sorted(rdn) for rdn in name.key]


def _sorted(items: Iterable[object]) -> list[object]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _folded(node: Node) -> Node:
    if isinstance(node, Attribute | Variable | Word):
        return replace(node, name=node.folded)
    if isinstance(node, Parameter):
        return replace(node, name=parameter_key(node.name))
    if isinstance(node, Number):
        return replace(node, hexadecimal=False)
    return node if isinstance(node, Text) else _with_folded_parts(node)


def _with_folded_parts(node: Call | Negation | Binary | Chain) -> Node:
    match node:
        case Call():
            arguments = tuple(None if a is None else _folded(a) for a in node.arguments)
            return replace(node, name=node.folded, arguments=arguments)
        case Negation():
            return replace(node, operand=_folded(node.operand))
        case Binary():
            return replace(node, left=_folded(node.left), right=_folded(node.right))
        case Chain():
            return replace(node, operands=tuple(map(_folded, node.operands)))
