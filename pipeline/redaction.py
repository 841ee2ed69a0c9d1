"""What may be kept and shown of a plan, a match and a scope decision: private values leave no trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pipeline.configuration import ObjectRules
from pipeline.configuration.privacy import Privacy
from pipeline.model import Change, FilterResult, KeyResult, Plan

PRESENT: Final = "present, hidden"


def redact_plan(plan: Plan, rules: ObjectRules, privacy: Privacy) -> Plan:
    """Take the values out of every change that is made from a private attribute."""
    return replace(plan, changes=tuple(_redact_change(c, _sources(rules), privacy) for c in plan.changes))


def _sources(rules: ObjectRules) -> Mapping[str, frozenset[str]]:
    return {mapping.target: mapping.reads for mapping in rules.mappings}


def _redact_change(change: Change, sources: Mapping[str, frozenset[str]], privacy: Privacy) -> Change:
    inputs = tuple(
        (name, value if privacy.may_show(name) else PRESENT if value else "") for name, value in change.inputs
    )
    if not privacy.any_private(sources.get(change.attribute, frozenset())):
        return replace(change, inputs=inputs)
    return replace(
        change,
        before=PRESENT if change.before else change.before,
        after=PRESENT if change.after else change.after,
        inputs=inputs,
        private=True,
    )


def redact_key(key: KeyResult, rules: ObjectRules, privacy: Privacy) -> KeyResult:
    """Take a matching key's value out when it is made from a private attribute."""
    if not privacy.any_private(_sources(rules).get(key.attribute, frozenset())):
        return key
    return replace(key, value=PRESENT if key.value else None, private=True)


def redact_filter(result: FilterResult, privacy: Privacy) -> FilterResult:
    """Take actual values of private attributes out of the clauses; whether they passed stays."""
    return replace(
        result,
        clauses=tuple(
            clause
            if privacy.may_show(clause.attribute)
            else replace(clause, actual=(PRESENT,) if clause.actual else (), why="", private=True)
            for clause in result.clauses
        ),
    )
