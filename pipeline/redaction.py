"""What may be kept and shown of a plan, a match and a scope decision: private values leave no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pipeline.configuration import ObjectRules
from pipeline.configuration.privacy import Privacy
from pipeline.model import (
    Candidate,
    Change,
    FilterResult,
    MatchEvidence,
    Plan,
    SourceIdentity,
    TargetIdentity,
)

PRESENT: Final = "present, hidden"
_ANCHOR: Final = "onPremisesImmutableId"
_SID: Final = "onPremisesSecurityIdentifier"
_UNIQUE_NAME: Final = "uniqueName"


def redact_plan(plan: Plan, private: frozenset[str], privacy: Privacy) -> Plan:
    """Take out every value that is made from a private attribute, and the members where they are private."""
    target = redact_target(plan.target, private) if plan.target else None
    members = plan.members
    if privacy.any_private(["member"]):
        members = tuple(replace(m, name=PRESENT, dn=PRESENT, id=None, reason="") for m in members)
    changes = tuple(_redact_change(c, c.attribute in private, privacy) for c in plan.changes)
    return replace(plan, target=target, changes=changes, members=members)


def redact_match(evidence: MatchEvidence, private: frozenset[str]) -> MatchEvidence:
    """Take out the values of private keys, and anchors that are made from private attributes."""
    private_anchor = not private.isdisjoint({_ANCHOR, _SID, _UNIQUE_NAME})

    def candidate(found: Candidate) -> Candidate:
        return replace(found, anchor=PRESENT) if private_anchor and found.anchor else found

    keys = tuple(
        replace(
            key,
            value=PRESENT if key.value else None,
            candidates=tuple(map(candidate, key.candidates)),
            private=True,
        )
        if key.attribute in private
        else replace(key, candidates=tuple(map(candidate, key.candidates)))
        for key in evidence.keys
    )
    return replace(evidence, keys=keys, matched=candidate(evidence.matched) if evidence.matched else None)


def redact_identity(identity: SourceIdentity, privacy: Privacy) -> SourceIdentity:
    """Take out the SID where it is private. Name and GUID say which object it is, and stay."""
    return identity if privacy.may_show("objectSid") else replace(identity, sid=None)


def redact_target(identity: TargetIdentity, private: frozenset[str]) -> TargetIdentity:
    """Take out the names of a cloud object that are private; its id says which it is, and stays."""
    return replace(
        identity,
        upn=None if "userPrincipalName" in private else identity.upn,
        name=None if "displayName" in private else identity.name,
    )


def private_targets(rules: ObjectRules, privacy: Privacy) -> frozenset[str]:
    """Return the cloud attributes whose values are private: made from private ones, or by Redact."""
    reads = {_SID: frozenset({"objectSid"}), _UNIQUE_NAME: frozenset({"objectGUID"})}
    reads |= {mapping.target: mapping.reads for mapping in rules.mappings}
    redacted = {m.target for m in rules.mappings if m.expression is not None and m.expression.redacts}
    return frozenset(target for target, names in reads.items() if privacy.any_private(names)) | redacted


def _redact_change(change: Change, private: bool, privacy: Privacy) -> Change:  # noqa: FBT001  # internal
    if not private and all(privacy.may_show(name) for name, _ in change.inputs):
        return change
    inputs = tuple(
        (name, value if privacy.may_show(name) and not private else PRESENT if value else "")
        for name, value in change.inputs
    )
    if not private:
        return replace(change, inputs=inputs)
    return replace(
        change,
        before=PRESENT if change.before else change.before,
        after=PRESENT if change.after else change.after,
        reason="its value is private" if change.reason else "",
        inputs=inputs,
        private=True,
        trace=(),
    )


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
