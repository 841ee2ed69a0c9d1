"""A schema's scope: filters, input filters, containers and groups, as a configuration says them.

The service's own exclusions stand among a schema's input filters, written with operators that are false for
null, on attributes that hardly any object has: taken word for word they would exclude everybody. Fourcheck
has them built in (`pipeline.guards`), so they are passed over here and stay where they are on the way back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline import guards
from pipeline.configuration import document as doc
from pipeline.configuration.graph_schema.wire import Filter, FilterClause, FilterGroup, Rule
from pipeline.configuration.privacy import SECRETS
from pipeline.dn import parse as parse_dn
from pipeline.errors import RequestError
from pipeline.filters import FilterError, Operator, scope_clause

_DEFAULTS: Final = re.compile(r"Default\w*Exclusions", re.IGNORECASE)
"""The names of the groups that hold the service's own exclusions."""
_EXCLUDES: Final = frozenset(
    {
        Operator.IS_FALSE,
        Operator.NOT_EQUALS,
        Operator.NOT_REGEX_MATCH,
        Operator.NOT_IN,
        Operator.IS_NOT_NULL,
    }
)
_GUARDED: Final = frozenset(name.casefold() for name in (*guards.READS, "distinguishedName"))
_UNARY: Final = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.IS_TRUE, Operator.IS_FALSE})


class ScopeUnclear(ValueError):
    """A scope cannot be carried over, and leaving parts of it out would let more objects in."""


@dataclass(slots=True)
class ScopeReader:
    """Reads the scopes of one rule, and collects what to tell about them."""

    rule: Rule
    notes: list[str] = field(default_factory=list)

    def scope(self, given: Filter | None) -> doc.Scope:
        """Return the scope of one object mapping. Raises ScopeUnclear."""
        scope = given or Filter()
        if scope.category_filter_groups:
            self.notes.append("category filters are an experiment of the service and are passed over")
        return doc.Scope(
            organizational_units=self.containers(),
            groups=[doc.ScopeGroup(dn=name) for name in self.groups()],
            filters=self._any(scope.groups, "filter"),
            input_filters=self._any(scope.input_filter_groups, "input filter"),
        )

    def containers(self) -> list[str]:
        """Return the containers that the rule is for."""
        given = self.rule.container_filter
        return self._names(given.included_containers if given else [], "container")

    def groups(self) -> list[str]:
        """Return the groups whose members the rule is for."""
        given = self.rule.group_filter
        return self._names(given.included_groups if given else [], "group")

    def _names(self, names: Sequence[str], what: str) -> list[str]:
        found: list[str] = []
        for name in names:
            try:
                parse_dn(name)
                found.append(name)
            except RequestError:
                self.notes.append(f"the {what} “{name}” is no distinguished name and is passed over")
        if names and not found:
            raise ScopeUnclear(f"none of the {what}s it is narrowed to can be understood")
        return found

    def _any(self, groups: Sequence[FilterGroup], what: str) -> list[doc.Filter]:
        """Return a set of groups of which any one is enough; an empty list is no condition."""
        found: list[doc.Filter] = []
        for number, group in enumerate(groups, 1):
            clauses = [clause for clause in group.clauses if not is_exclusion(group, clause)]
            if not clauses:
                return []  # it holds for everybody, so the others decide nothing
            name = group.name or f"{what} {number}"
            try:
                found.append(doc.Filter(name=name, all=[_clause(clause) for clause in clauses]))
            except ValueError as error:
                self.notes.append(f"the {what} “{name}” is passed over: {error}")
        if groups and not found:
            raise ScopeUnclear(f"none of its {what}s can be understood")
        return found


def has_exclusions(name: str | None) -> bool:
    """Tell by its name whether a group of clauses holds the service's own exclusions."""
    return _DEFAULTS.match(name or "") is not None


def is_exclusion(group: FilterGroup, clause: FilterClause) -> bool:
    """Tell whether a clause is one of the service's own exclusions, which are built in here."""
    operator = _operator(clause.operator_name)
    return (
        has_exclusions(group.name)
        and clause.source_operand_name.casefold() in _GUARDED
        and operator in _EXCLUDES
    )


def _operator(name: str) -> str:
    return " ".join(name.replace("_", " ").upper().split())


def _clause(clause: FilterClause) -> doc.Clause:
    operator, attribute = _operator(clause.operator_name), clause.source_operand_name
    given = clause.target_operand.values if clause.target_operand else []
    wanted = [] if operator in _UNARY else given
    if attribute.casefold() in SECRETS:
        raise ValueError(f"“{attribute}” holds a secret and is never read")
    try:
        scope_clause(attribute, operator, wanted)
    except FilterError as error:
        raise ValueError(str(error)) from None
    return doc.Clause(attribute=attribute, operator=operator, value=wanted[0] if wanted else None)
