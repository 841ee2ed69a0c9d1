"""Plan: the complete action before it is taken, each attribute with its before and after."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pipeline.configuration import Apply
from pipeline.diff import compare
from pipeline.errors import MappingFailed, ValueNotAllowed
from pipeline.facts import required_on_create, writability
from pipeline.ids import EntraId
from pipeline.model import (
    Change,
    ChangeKind,
    MemberChange,
    ObjectKind,
    Plan,
    PlanAction,
    TargetKind,
)
from pipeline.services import Services
from pipeline.stages.importing import Source
from pipeline.stages.matching import Match

RANDOM_PASSWORD: Final = "random, known to nobody, to be changed at the first sign-in"  # noqa: S105  # a description
_LINKS: Final = frozenset({"manager", "members"})


async def make_plan(source: Source, match: Match, services: Services) -> Plan:
    """Work out every change and member; write nothing.

    Raises MappingFailed, ValueNotAllowed or a TenantError.
    """
    _refuse_failed_mappings(source, match)
    kind, creating = match.rules.kind, match.target is None
    changes = [compare(m, match.target, kind) for t, m in match.mapped.items() if t not in _LINKS]
    manager_id: EntraId | None = None
    if "manager" in match.mapped:
        change, manager_id = _manager_change(match)
        changes.append(change)
    if creating and kind is TargetKind.USER:
        changes.append(Change("passwordProfile", None, RANDOM_PASSWORD, ChangeKind.ADDED))
    changes = [_keep_uncleared(kind, change) for change in changes]
    _refuse_bad_values(kind, changes, match)
    present = frozenset[EntraId]()
    if match.target is not None and match.members.members and not match.deleted:
        present = await services.tenant.group_members(match.target.id)
    members = _member_changes(match, present)
    plan = Plan(
        action=_action(match, changes, members),
        kind=kind,
        target=match.target.identity if match.target else None,
        changes=tuple(changes),
        members=members,
        manager=manager_id,
    )
    return replace(plan, digest=plan_digest(plan, source, match))


def drift_plan(source: Source, match: Match, reason: str) -> Plan:
    """Return a plan that writes nothing and lists what differs, each with the same reason."""
    changes = tuple(
        change
        if change.kind is ChangeKind.SAME
        else replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason)
        for target, mapped in match.mapped.items()
        if mapped.error is None and target not in _LINKS
        for change in (compare(mapped, match.target, match.rules.kind),)
    )
    target = match.target.identity if match.target else None
    plan = Plan(PlanAction.NONE, match.rules.kind, target, changes)
    return replace(plan, digest=plan_digest(plan, source, match))


def plan_digest(plan: Plan, source: Source, match: Match) -> str:
    """Digest everything that would be written, made from which object and to which.

    Of a mapping that gives another value each time, such as a random string, the digest holds that and no
    value: it could never be the same again.
    """
    wavering = {
        target
        for target, mapped in match.mapped.items()
        if mapped.mapping.expression is not None and not mapped.mapping.expression.deterministic
    }
    content = {
        "source": [source.identity.guid, source.identity.kind],
        "action": plan.action,
        "target": plan.target.id if plan.target else None,
        "changes": sorted(
            [c.attribute, c.kind, c.before, "another each time" if c.attribute in wavering else c.after]
            for c in plan.written
        ),
        "manager": plan.manager,
        "members": sorted(str(m.id) for m in plan.members if m.kind is ChangeKind.ADDED),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _action(match: Match, changes: Sequence[Change], members: Sequence[MemberChange]) -> PlanAction:
    if match.target is None:
        return PlanAction.CREATE
    if match.deleted:
        return PlanAction.RESTORE
    written = {ChangeKind.ADDED, ChangeKind.CHANGED, ChangeKind.CLEARED}
    anything = any(c.kind in written for c in changes) or any(m.kind is ChangeKind.ADDED for m in members)
    return PlanAction.UPDATE if anything else PlanAction.NONE


def _refuse_failed_mappings(source: Source, match: Match) -> None:
    privacy = source.configuration.privacy
    failed = [
        f"{m.target}: {'failed on a private value' if privacy.any_private(m.mapping.reads) else m.error}"
        for m in match.mapped.values()
        if m.error is not None
    ]
    if failed:
        raise MappingFailed("; ".join(failed) + ".")


def _keep_uncleared(kind: TargetKind, change: Change) -> Change:
    """Leave alone what Graph does not let anyone empty, and say so."""
    if change.kind is not ChangeKind.CLEARED or change.attribute in _LINKS:
        return change
    if writability(kind, change.attribute).clearable:
        return change
    reason = "the directory has no value any more, and Microsoft Graph does not let it be emptied"
    return replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason)


def _refuse_bad_values(kind: TargetKind, changes: Sequence[Change], match: Match) -> None:
    problems = [problem for change in changes for problem in _value_problems(kind, change, match)]
    if match.target is None:
        given = {change.attribute for change in changes if change.after not in (None, "", ())}
        problems += [
            f"{name} has no value, and Entra ID needs one to create a {kind}"
            for name in required_on_create(kind)
            if name not in given
        ]
    if problems:
        raise ValueNotAllowed("; ".join(problems) + ".")


def _value_problems(kind: TargetKind, change: Change, match: Match) -> Iterator[str]:
    if change.kind not in {ChangeKind.ADDED, ChangeKind.CHANGED} or change.attribute in {
        "manager",
        "passwordProfile",
    }:
        return
    fact = writability(kind, change.attribute)
    texts = change.after if isinstance(change.after, tuple) else (str(change.after),)
    for text in texts:
        if fact.max_length is not None and len(text) > fact.max_length:
            limit = f"{fact.max_length:,}"
            yield f"{change.attribute} is {len(text):,} characters long, and Entra ID takes {limit}"
        elif fact.allowed is not None and not re.fullmatch(fact.allowed, text):
            yield f"{change.attribute} has characters that Entra ID does not take there"
    if fact.max_items is not None and len(texts) > fact.max_items:
        yield f"{change.attribute} has {len(texts)} values, and Entra ID takes {fact.max_items}"
    if change.attribute == "userPrincipalName":
        yield from _domain_problems(str(change.after), match)


def _domain_problems(upn: str, match: Match) -> Iterator[str]:
    verified = sorted(d.name for d in match.domains if d.verified)
    domain = upn.rpartition("@")[2]
    if verified and domain.casefold() not in {name.casefold() for name in verified}:
        names = ", ".join(verified)
        yield f"userPrincipalName ends in “{domain}”, and the tenant's verified domains are {names}"


def _manager_change(match: Match) -> tuple[Change, EntraId | None]:
    mapped, wanted = match.mapped["manager"], match.manager
    current = match.target.attributes.get("manager") if match.target else None
    current_id = str(current.get("id")) if isinstance(current, dict) else None
    before = str(current.get("displayName") or current_id) if isinstance(current, dict) else None
    change = Change(
        "manager",
        before,
        before,
        ChangeKind.SAME,
        mapping=mapped.mapping.text,
        inputs=mapped.inputs,
        trace=mapped.trace,
    )
    if mapped.ignored or (mapped.mapping.apply is Apply.ON_CREATE and match.target is not None):
        return change, None
    if wanted is None and mapped.value:
        reason = "its mapping gives no distinguished name"
        return replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason), None
    if wanted is None:
        return (replace(change, after=None, kind=ChangeKind.CLEARED) if current_id else change), None
    if match.manager_id is None:
        reason = (
            f"the manager, {wanted.name}, is not in Entra ID; provision the manager first, then run again"
        )
        return replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason), None
    if current_id == match.manager_id:
        return replace(change, after=wanted.name), match.manager_id
    kind = ChangeKind.CHANGED if current_id else ChangeKind.ADDED
    return replace(change, after=wanted.name, kind=kind), match.manager_id


def _member_changes(match: Match, present: frozenset[EntraId]) -> tuple[MemberChange, ...]:
    reading = match.members
    changes: list[MemberChange] = []
    for member in reading.members:
        if member.id is None:
            reason = _why_not(member.kind)
            changes.append(MemberChange(member.name, member.dn, None, ChangeKind.NOT_WRITTEN, reason))
        else:
            kind = ChangeKind.SAME if member.id in present else ChangeKind.ADDED
            changes.append(MemberChange(member.name, member.dn, member.id, kind))
    changes += [
        MemberChange(dn, dn, None, ChangeKind.NOT_WRITTEN, "it could not be read from this directory")
        for dn in reading.unreadable
    ]
    if not reading.complete:
        reason = f"only {reading.looked_at:,} of {reading.total:,} members were looked at"
        changes.append(MemberChange("The other members", "", None, ChangeKind.NOT_WRITTEN, reason))
    return tuple(changes)


def _why_not(kind: ObjectKind | None) -> str:
    if kind is ObjectKind.CONTACT:
        return "contacts cannot be members of groups that Graph writes"
    if kind is None:
        return "objects of its class are not in Entra ID"
    return "it is not in Entra ID; provision it first, then run again"
