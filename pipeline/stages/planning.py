"""Plan: the complete action before it is taken, each attribute with its before and after."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pipeline.configuration import Apply, Members
from pipeline.diff import compare
from pipeline.errors import MappingFailed, ValueNotAllowed
from pipeline.facts import required_on_create, writability
from pipeline.ids import EntraId
from pipeline.mapping import MappedAttribute
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
from pipeline.stages.references import ANCHOR, MemberReading

RANDOM_PASSWORD: Final = "random, known to nobody, to be changed at the first sign-in"  # noqa: S105  # a description
_LINKS: Final = frozenset({"manager", "members"})
_SALT_BYTES: Final = 32
_KEPT_NAMED: Final = 10


async def make_plan(source: Source, match: Match, services: Services, salt: str = "") -> Plan:
    """Work out every change and member; write nothing. Plans to be compared by digest have the same `salt`.

    Raises MappingFailed, ValueNotAllowed or a TenantError.
    """
    _refuse_failed_mappings(source, match)
    kind, creating = match.rules.kind, match.target is None
    changes = [compare(m, match.target, kind) for t, m in match.mapped.items() if t not in _LINKS]
    manager_id: EntraId | None = None
    if "manager" in match.mapped:
        change, manager_id = _manager_change(match)
        changes.append(change)
    federated = creating and kind is TargetKind.USER and _is_federated(match)
    if creating and kind is TargetKind.USER and not federated:
        changes.append(Change("passwordProfile", None, RANDOM_PASSWORD, ChangeKind.ADDED))
    changes = [_keep_uncleared(kind, change) for change in changes]
    _refuse_bad_values(kind, changes, match, federated=federated)
    members = await _members(source, match, services)
    plan = Plan(
        action=_action(match, changes, members),
        kind=kind,
        target=match.target.identity if match.target else None,
        changes=tuple(changes),
        members=members,
        manager=manager_id,
        salt=salt or secrets.token_hex(_SALT_BYTES),
    )
    return replace(plan, digest=plan_digest(plan, source, match))


async def drift_plan(source: Source, match: Match, services: Services, reason: str) -> Plan:
    """Return a plan that writes nothing and lists what differs, each with the same reason."""
    compared = [
        _unknown(mapped, match, source)
        if mapped.error is not None
        else compare(mapped, match.target, match.rules.kind)
        for target, mapped in match.mapped.items()
        if target not in _LINKS
    ]
    if "manager" in match.mapped and match.mapped["manager"].error is None:
        compared.append(_manager_change(match)[0])
    plan = Plan(
        action=PlanAction.NONE,
        kind=match.rules.kind,
        target=match.target.identity if match.target else None,
        changes=tuple(
            replace(c, kind=ChangeKind.NOT_WRITTEN, reason=c.reason or reason)
            if c.kind is not ChangeKind.SAME
            else c
            for c in compared
        ),
        members=tuple(
            replace(m, kind=ChangeKind.NOT_WRITTEN, reason=m.reason or reason)
            if m.kind is not ChangeKind.SAME
            else m
            for m in await _members(source, match, services)
        ),
        salt=secrets.token_hex(_SALT_BYTES),
    )
    return replace(plan, digest=plan_digest(plan, source, match))


def _unknown(mapped: MappedAttribute, match: Match, source: Source) -> Change:
    """Return the change of an attribute whose mapping failed: what is there is known, what is wanted not."""
    change = compare(replace(mapped, ignored=True), match.target, match.rules.kind)
    return replace(change, kind=ChangeKind.NOT_WRITTEN, reason=_why_failed(mapped, source))


def plan_digest(plan: Plan, source: Source, match: Match) -> str:
    """Digest everything that would be written, made from which object and to which, after the plan's salt.

    The salt is as long as a key and never shown, so that nobody can try values against the digest. Of a
    mapping that gives another value each time, such as a random string, the digest holds that and no value:
    it could never be the same again.
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
        "removed": sorted(map(str, plan.removed)),
    }
    text = plan.salt + json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _action(match: Match, changes: Sequence[Change], members: Sequence[MemberChange]) -> PlanAction:
    if match.target is None:
        return PlanAction.CREATE
    if match.deleted:
        return PlanAction.RESTORE
    written = {ChangeKind.ADDED, ChangeKind.CHANGED, ChangeKind.CLEARED}
    anything = any(c.kind in written for c in changes) or any(m.kind in written for m in members)
    return PlanAction.UPDATE if anything else PlanAction.NONE


def _refuse_failed_mappings(source: Source, match: Match) -> None:
    failed = [f"{m.target}: {_why_failed(m, source)}" for m in match.mapped.values() if m.error is not None]
    if failed:
        raise MappingFailed("; ".join(failed) + ".")


def _why_failed(mapped: MappedAttribute, source: Source) -> str:
    private = source.configuration.privacy.any_private(mapped.mapping.reads)
    return "failed on a private value" if private else str(mapped.error)


def _keep_uncleared(kind: TargetKind, change: Change) -> Change:
    """Leave alone what Graph does not let anyone empty, and say so."""
    if change.kind is not ChangeKind.CLEARED or change.attribute in _LINKS:
        return change
    if writability(kind, change.attribute).clearable:
        return change
    reason = "the directory has no value any more, and Microsoft Graph does not let it be emptied"
    return replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason)


def _is_federated(match: Match) -> bool:
    """Whether the user will sign in at the identity provider of its domain."""
    mapped = match.mapped.get("userPrincipalName")
    domain = str(mapped.value).rpartition("@")[2].casefold() if mapped else ""
    return any(d.federated and d.name.casefold() == domain for d in match.domains)


def _refuse_bad_values(kind: TargetKind, changes: Sequence[Change], match: Match, *, federated: bool) -> None:
    problems = [problem for change in changes for problem in _value_problems(kind, change, match)]
    if match.target is None:
        given = {change.attribute for change in changes if change.after not in (None, "", ())}
        problems += [
            f"{name} has no value, and Entra ID needs one to create a {kind}"
            for name in _required(kind, federated=federated)
            if name not in given
        ]
    if problems:
        raise ValueNotAllowed("; ".join(problems) + ".")


def _required(kind: TargetKind, *, federated: bool) -> Iterator[str]:
    """Name what a creation cannot do without: of a federated user the anchor in the place of a password."""
    for name in required_on_create(kind):
        yield ANCHOR if federated and name == "passwordProfile" else name


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


async def _members(source: Source, match: Match, services: Services) -> tuple[MemberChange, ...]:
    """Compare the members on both sides; those of a deleted group are known when it is restored."""
    exact = match.rules.members is Members.EXACT
    if match.target is None or match.deleted or not (match.members.members or exact):
        return _member_changes(match, frozenset())
    present = await services.tenant.group_members(match.target.id)
    changes = _member_changes(match, frozenset(present))
    if not exact:
        return changes
    return changes + _removals(match.members, present, source.configuration.guards.member_removals)


def _removals(reading: MemberReading, present: Mapping[EntraId, str], limit: int) -> tuple[MemberChange, ...]:
    """Return the members to take out: only by a list that is whole and known, and only so many of them."""
    wanted = {member.id for member in reading.members}
    beyond = [(entra_id, name) for entra_id, name in present.items() if entra_id not in wanted]
    extra = [one for one in beyond if one[0] not in reading.primary]
    kept = _kept([name for entra_id, name in beyond if entra_id in reading.primary])
    if not extra:
        return kept
    unsure = _why_unsure(reading)
    if unsure is None and len(extra) > limit:
        unsure = f"that is more than the {limit:,} that one run may take out (member_removals under guards)"
    if unsure is not None:
        who = (
            f"{len(extra):,} in Entra ID who {'is' if len(extra) == 1 else 'are'} no member in the directory"
        )
        return (*kept, MemberChange(who, "", None, ChangeKind.NOT_WRITTEN, unsure, removal=True))
    return kept + tuple(
        MemberChange(name, "", entra_id, ChangeKind.CLEARED, removal=True)
        for entra_id, name in sorted(extra, key=lambda one: (one[1].casefold(), one[0]))
    )


def _kept(names: Sequence[str]) -> tuple[MemberChange, ...]:
    """Say who stays although the directory does not list them: it never does by the primary group."""
    reason = "it is the primary group there, and Active Directory lists no member by that"
    told = sorted(names, key=str.casefold)
    if len(told) > _KEPT_NAMED:
        told = [f"{len(told):,} members in Entra ID"]
    return tuple(MemberChange(name, "", None, ChangeKind.NOT_WRITTEN, reason, removal=True) for name in told)


def _why_unsure(reading: MemberReading) -> str | None:
    """Say why a list of members is no ground for removing anybody; None when it is one."""
    if not reading.complete:
        return "not every member in the directory was looked at"
    unresolved = len(reading.unreadable) + sum(1 for member in reading.members if member.id is None)
    if unresolved:
        return f"{unresolved:,} of the members in the directory could not be found in Entra ID"
    if reading.primary_unknown:
        return reading.primary_unknown
    if not reading.members:
        return "the directory shows no member at all, as it also does where members may not be read"
    return None


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
