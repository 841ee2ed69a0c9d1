"""What a configuration means, as plain data: for `configuration show`, and for whoever compares two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pipeline.configuration.digest import canonical_expression
from pipeline.configuration.model import AttributeMapping, Configuration, ObjectRules
from pipeline.filters import ScopeFilter


def describe(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as JSON data: its rules as understood, what it reads, and its digest."""
    return {
        "name": configuration.name,
        "digest": configuration.digest,
        "default": configuration.default,
        "directory": configuration.directory,
        "base": str(configuration.base),
        "dialect": str(configuration.dialect),
        "parameters": dict(configuration.parameters),
        "access": {
            str(right): {"people": sorted(grant.people), "channels": sorted(grant.channels)}
            for right, grant in configuration.access.items()
        },
        "privacy": {
            "hidden": sorted(configuration.privacy.hidden),
            "private": sorted(configuration.privacy.private),
        },
        "guards": asdict(configuration.guards),
        "objects": {str(kind): _rules(rules) for kind, rules in configuration.objects.items()},
        "reads": sorted(configuration.reads, key=str.casefold),
    }


def _rules(rules: ObjectRules) -> Mapping[str, Any]:
    scope = rules.scope
    return {
        "kinds": sorted(rules.kinds),
        "scope": {
            "organizational_units": [str(unit) for unit in scope.organizational_units],
            "groups": [str(group) for group in scope.groups],
            "nested_groups": [str(group) for group in scope.groups if group in scope.nested_groups],
            "filters": _filters(scope.filters),
            "input_filters": _filters(scope.input_filters),
        },
        "match": list(rules.match),
        "attributes": [_mapping(mapping) for mapping in rules.mappings],
        "members": str(rules.members),
    }


def _filters(filters: Iterable[ScopeFilter]) -> list[Mapping[str, Any]]:
    return [
        {
            "name": f.name,
            "all": [
                {
                    "attribute": clause.attribute,
                    "operator": str(clause.operator),
                    "value": clause.wanted[0] if clause.wanted else None,
                }
                for clause in f.clauses
            ],
        }
        for f in filters
    ]


def _mapping(mapping: AttributeMapping) -> Mapping[str, Any]:
    return {
        "target": mapping.target,
        "expression": str(mapping.expression) if mapping.expression is not None else None,
        "canonical": canonical_expression(mapping.expression.node) if mapping.expression else None,
        "constant": mapping.constant,
        "apply": str(mapping.apply),
        "default": mapping.default,
        "null": str(mapping.null),
        "reads": sorted(mapping.reads, key=str.casefold),
    }
