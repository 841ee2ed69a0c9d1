"""Scope: is this object meant? Organizational units, groups, filters and guards, each with its reason."""

from __future__ import annotations

from typing import Final

from pipeline.configuration import Scope
from pipeline.dn import DistinguishedName, parse
from pipeline.errors import MappingFailed
from pipeline.expressions import ExpressionError
from pipeline.filters import ScopeFilter, evaluate_filter
from pipeline.guards import check_guards
from pipeline.model import Condition, FilterResult, ObjectKind, ScopeEvidence
from pipeline.ports import Memberships
from pipeline.redaction import redact_filter
from pipeline.stages.importing import Source, direct_groups

_BY_NESTING: Final = "the object is a member by nesting only, and nested: true is not set for this group"
_PRIMARY: Final = "it is the object's primary group, and Active Directory lists no members by that"
_MISSING: Final = "the directory has no such group, or does not show it"

SCHEDULE: Final = (
    "On its schedule, cloud sync would leave it out as well, and would delete it from Entra ID had it been "
    "provisioned before, unless deletions out of scope are switched off."
)
"""Microsoft Entra Cloud Sync: what leaves the scope is soft-deleted (pages on scoping and on deletions)."""


def evaluate_scope(source: Source) -> ScopeEvidence:
    """Decide whether the object is in scope, with the evidence for every condition."""
    guards = check_guards(source.identity, source.values)
    rules = source.configuration.rules(source.identity.kind)
    if rules is None:
        return _without_rules(source, guards)
    units = _organizational_units(rules.scope, source)
    groups = _groups(rules.scope, source)
    filters = tuple(_filter_result(f, source) for f in rules.scope.filters)
    inputs = tuple(_filter_result(f, source) for f in rules.scope.input_filters)
    reason = (
        _stopping(guards)
        or _outside_base(source)
        or _outside_units(units, source)
        or _outside_groups(groups)
        or _outside_filters(filters)
        or _outside_filters(inputs, "The input filter ")
    )
    meant_otherwise = _outside_base(source) is None and all(guard.passed for guard in guards)
    return ScopeEvidence(
        in_scope=reason is None,
        overridable=reason is not None and meant_otherwise,
        schedule=SCHEDULE if reason is not None else "",
        why=reason or _inside((*filters, *inputs), groups, units),
        organizational_units=units,
        groups=groups,
        filters=filters,
        input_filters=inputs,
        guards=guards,
    )


def _filter_result(scope_filter: ScopeFilter, source: Source) -> FilterResult:
    """Test a filter, without the values of private attributes. Raises MappingFailed."""
    privacy = source.configuration.privacy
    try:
        return redact_filter(evaluate_filter(scope_filter, source.values), privacy)
    except ExpressionError as error:
        private = privacy.any_private(clause.attribute for clause in scope_filter.clauses)
        what = "it failed on a private value" if private else str(error)
        raise MappingFailed(f"The filter “{scope_filter.name}” could not be evaluated: {what}.") from error


def _without_rules(source: Source, guards: tuple[Condition, ...]) -> ScopeEvidence:
    """Decide on a kind without rules: contacts go on, to be told at the action why they cannot."""
    stopped = _stopping(guards)
    if source.identity.kind is ObjectKind.CONTACT:
        why = stopped or "In scope: no conditions are set for contacts"
        return ScopeEvidence(in_scope=stopped is None, why=why, guards=guards)
    why = stopped or f"The configuration has no rules for objects of kind {source.identity.kind}"
    return ScopeEvidence(in_scope=False, why=why, guards=guards)


def _organizational_units(scope: Scope, source: Source) -> tuple[Condition, ...]:
    return tuple(
        Condition(str(unit), inside, "the object lies below it" if inside else "the object lies elsewhere")
        for unit in scope.organizational_units
        for inside in (source.dn.is_under(unit),)
    )


def _groups(scope: Scope, source: Source) -> tuple[Condition, ...]:
    held = direct_groups(source.values) if scope.groups else frozenset()
    return tuple(
        Condition(str(group), *_membership(group, scope, source.memberships, direct=group in held))
        for group in scope.groups
    )


def _membership(
    group: DistinguishedName, scope: Scope, found: Memberships, *, direct: bool
) -> tuple[bool, str]:
    """Say whether a group lets the object in, and by which way it is a member or what is in the way."""
    nested = group in scope.nested_groups
    if direct:
        return True, "the object is a direct member"
    if group in found.nested:
        if nested:
            return True, "the object is a member by nesting, through another group"
        return False, _BY_NESTING
    if group == found.primary:
        return False, _PRIMARY
    if group in found.missing:
        return False, _MISSING
    return False, (
        "the object is no member, neither directly nor by nesting"
        if nested
        else "the object is no direct member"
    )


def _stopping(guards: tuple[Condition, ...]) -> str | None:
    return next((f"{guard.name}: {guard.why}" for guard in guards if not guard.passed), None)


def _outside_base(source: Source) -> str | None:
    base = source.configuration.base
    if source.dn.is_under(base):
        return None
    return f"It lies in {source.dn.parent}, outside {base}, which this configuration is for"


def _outside_units(units: tuple[Condition, ...], source: Source) -> str | None:
    if not units or any(unit.passed for unit in units):
        return None
    return f"It lies in {source.dn.parent}, outside the organizational units of this configuration"


def _outside_groups(groups: tuple[Condition, ...]) -> str | None:
    if not groups or any(group.passed for group in groups):
        return None
    said = "It is a member of none of the groups of this configuration"
    telling = next((group for group in groups if group.why in {_BY_NESTING, _PRIMARY, _MISSING}), None)
    return said if telling is None else f"{said}; of “{parse(telling.name).rdn_value}”, {telling.why}"


def _outside_filters(filters: tuple[FilterResult, ...], what: str = "") -> str | None:
    if not filters or any(f.passed for f in filters):
        return None
    nearest = max(filters, key=lambda f: sum(c.passed for c in f.clauses) / max(len(f.clauses), 1))
    clause = next(c for c in nearest.clauses if not c.passed)
    wanted = f"{clause.operator} {' '.join(clause.wanted)}".strip()
    return (
        f"{what}“{nearest.name}” wants {clause.attribute} {wanted}, "
        f"AD has {', '.join(clause.actual) or 'nothing'}"
    )


def _inside(
    filters: tuple[FilterResult, ...], groups: tuple[Condition, ...], units: tuple[Condition, ...]
) -> str:
    passed = next((f for f in filters if f.passed), None)
    if passed is not None:
        return f"In scope: {len(passed.clauses)} of {len(passed.clauses)} conditions of “{passed.name}”"
    group = next((g for g in groups if g.passed), None)
    if group is not None:
        return f"In scope: member of {group.name}"
    unit = next((u for u in units if u.passed), None)
    return f"In scope: below {unit.name}" if unit else "In scope: the configuration sets no conditions"
