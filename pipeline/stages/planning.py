"""Plan: the complete action before it is taken, each attribute with its before and after."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipeline import values
from pipeline.configuration import Members
from pipeline.diff import compare, held_back
from pipeline.errors import MappingFailed, ObjectKindUnknown, ValueNotAllowed
from pipeline.facts import writability
from pipeline.ids import EntraId
from pipeline.model import Change, ChangeKind, MemberChange, ObjectKind, Plan, PlanAction, TargetKind
from pipeline.ports import DirectoryEntry, Lookup
from pipeline.services import Services
from pipeline.stages.importing import ANCHORS, Source, kind_of, typed_values
from pipeline.stages.matching import SID, Manager, Match, anchor_of

MEMBER_LIMIT: Final = 5000
"""How many members of one group are looked at."""

RANDOM_PASSWORD: Final = "random, known to nobody, to be changed at the first sign-in"  # noqa: S105  # a description


async def make_plan(source: Source, match: Match, services: Services) -> Plan:
    """Work out every change and member; write nothing.

    Raises MappingFailed, ValueNotAllowed or a TenantError.
    """
    _refuse_failed_mappings(source, match)
    rules = match.rules
    creating = match.target is None
    changes = [
        compare(mapped, match.target, rules.kind)
        for target, mapped in match.mapped.items()
        if target not in {"manager", "members"}
    ]
    manager_id: EntraId | None = None
    if rules.mapping("manager") is not None:
        change, manager_id = _manager_change(match)
        changes.append(change)
    if creating and rules.kind is TargetKind.USER:
        changes.append(Change("passwordProfile", None, RANDOM_PASSWORD, ChangeKind.ADDED))
    _refuse_bad_values(rules.kind, changes, match)
    members = await _plan_members(source, match, services)
    plan = Plan(
        action=PlanAction.CREATE if creating else _action(changes, members),
        kind=rules.kind,
        target=match.target.identity if match.target else None,
        changes=tuple(changes),
        members=members,
        manager=manager_id,
    )
    return replace(plan, digest=plan_digest(plan))


def drift_plan(match: Match, reason: str) -> Plan:
    """Return a plan that writes nothing and lists what differs, each with the same reason."""
    changes = tuple(
        change
        if change.kind is ChangeKind.SAME
        else replace(change, kind=ChangeKind.NOT_WRITTEN, reason=reason)
        for target, mapped in match.mapped.items()
        if mapped.error is None and target not in {"manager", "members"}
        for change in (compare(mapped, match.target, match.rules.kind),)
    )
    target = match.target.identity if match.target else None
    plan = Plan(PlanAction.NONE, match.rules.kind, target, changes)
    return replace(plan, digest=plan_digest(plan))


def plan_digest(plan: Plan) -> str:
    """Digest everything that would be written, and to which object."""
    content = {
        "action": plan.action,
        "target": plan.target.id if plan.target else None,
        "changes": sorted([c.attribute, c.kind, c.before, c.after] for c in plan.written),
        "manager": plan.manager,
        "members": sorted(str(m.id) for m in plan.members if m.kind is ChangeKind.ADDED),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _action(changes: Sequence[Change], members: Sequence[MemberChange]) -> PlanAction:
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


def _refuse_bad_values(kind: TargetKind, changes: Sequence[Change], match: Match) -> None:
    problems = [problem for change in changes for problem in _value_problems(kind, change, match)]
    if problems:
        raise ValueNotAllowed("; ".join(problems) + ".")


def _value_problems(kind: TargetKind, change: Change, match: Match) -> list[str]:
    if change.kind not in {ChangeKind.ADDED, ChangeKind.CHANGED} or change.attribute in {
        "manager",
        "passwordProfile",
    }:
        return []
    limit = writability(kind, change.attribute).max_length
    texts = change.after if isinstance(change.after, tuple) else (str(change.after),)
    problems = [
        f"{change.attribute} is {len(text):,} characters long, and Entra ID takes {limit:,}"
        for text in texts
        if limit is not None and len(text) > limit
    ]
    if change.attribute == "userPrincipalName":
        problems += _upn_problems(str(change.after), match)
    return problems


def _upn_problems(upn: str, match: Match) -> list[str]:
    verified = sorted(d.name for d in match.domains if d.verified)
    domain = upn.rpartition("@")[2]
    if not verified or domain.casefold() in {name.casefold() for name in verified}:
        return []
    return [
        f"userPrincipalName ends in “{domain}”, and the tenant's verified domains are {', '.join(verified)}"
    ]


def _manager_change(match: Match) -> tuple[Change, EntraId | None]:
    mapping = match.rules.mapping("manager")
    text = mapping.text if mapping else ""
    current = match.target.attributes.get("manager") if match.target else None
    current_id = str(current.get("id")) if isinstance(current, dict) else None
    before = str(current.get("displayName") or current_id) if isinstance(current, dict) else None
    wanted: Manager | None = match.manager
    inputs = (("manager", wanted.dn if wanted else ""),)
    name = wanted.name if wanted is not None else None
    held = held_back(mapping, name, creating=match.target is None) if mapping is not None else ""
    if held:  # by the mapping's own wish, so it is no warning
        return Change("manager", before, before, ChangeKind.SAME, held, text, inputs), None
    if wanted is None:
        kind = ChangeKind.CLEARED if current_id else ChangeKind.SAME
        return Change("manager", before, None, kind, mapping=text, inputs=inputs), None
    if wanted.id is None:
        reason = (
            f"the manager, {wanted.name}, is not in Entra ID; provision the manager first, then run again"
        )
        return Change("manager", before, before, ChangeKind.NOT_WRITTEN, reason, text, inputs), None
    kind = (
        ChangeKind.SAME if current_id == wanted.id else ChangeKind.CHANGED if current_id else ChangeKind.ADDED
    )
    return Change("manager", before, wanted.name, kind, mapping=text, inputs=inputs), wanted.id


async def _plan_members(source: Source, match: Match, services: Services) -> tuple[MemberChange, ...]:
    if match.rules.members is Members.NONE or source.identity.kind is not ObjectKind.GROUP:
        return ()
    user_rules = source.configuration.objects.get(TargetKind.USER)
    anchor_mapping = user_rules.mapping("onPremisesImmutableId") if user_rules else None
    wanted = sorted({*ANCHORS, *(anchor_mapping.reads if anchor_mapping else ())})
    found = await services.directory(source.configuration).members(source.entry.dn, wanted, MEMBER_LIMIT)
    anchors = {entry.dn: anchor_of(entry, user_rules, source, services) for entry in found.entries}
    ids, present = await asyncio.gather(
        _member_ids(found.entries, anchors, services), _present_members(match, services)
    )
    changes = [_member_change(entry, ids.get(entry.dn), present) for entry in found.entries]
    changes += [
        MemberChange(dn, dn, None, ChangeKind.NOT_WRITTEN, "it could not be read from this directory")
        for dn in found.unresolved
    ]
    if not found.complete:
        reason = f"only {len(found.entries):,} of {found.total:,} members were looked at"
        changes.append(MemberChange("the other members", "", None, ChangeKind.NOT_WRITTEN, reason))
    return tuple(changes)


async def _present_members(match: Match, services: Services) -> frozenset[EntraId]:
    if match.target is None:
        return frozenset()
    return await services.tenant.group_members(match.target.id)


async def _member_ids(
    entries: Sequence[DirectoryEntry], anchors: dict[str, str | None], services: Services
) -> dict[str, EntraId]:
    people = {e.dn: anchor for e in entries if _kind(e) is not ObjectKind.GROUP and (anchor := anchors[e.dn])}
    groups = {e.dn: f"ad-{guid}" for e in entries if _kind(e) is ObjectKind.GROUP and (guid := _guid(e))}
    by_anchor, by_name = await asyncio.gather(
        services.tenant.anchors(list(people.values())), services.tenant.unique_names(list(groups.values()))
    )
    found = {dn: by_anchor[anchor] for dn, anchor in people.items() if anchor in by_anchor}
    found |= {dn: by_name[name] for dn, name in groups.items() if name in by_name}
    synchronized = {e.dn: sid for e in entries if e.dn in groups and e.dn not in found and (sid := _sid(e))}
    lookups = [Lookup(TargetKind.GROUP, SID, sid) for sid in synchronized.values()]
    if lookups:
        answers = await services.tenant.find(lookups, ("id", "displayName"))
        found |= {dn: hit[0].id for dn, hit in zip(synchronized, answers, strict=True) if len(hit) == 1}
    return found


def _member_change(
    entry: DirectoryEntry, entra_id: EntraId | None, present: frozenset[EntraId]
) -> MemberChange:
    name = str(typed_values(entry).get("displayname") or typed_values(entry).get("cn") or entry.dn)
    if entra_id is None:
        kind = _kind(entry)
        reason = (
            "contacts cannot be members of groups that Graph writes"
            if kind is ObjectKind.CONTACT
            else "objects of its class are not in Entra ID"
            if kind is None
            else "it is not in Entra ID; provision it first, then run again"
        )
        return MemberChange(name, entry.dn, None, ChangeKind.NOT_WRITTEN, reason)
    kind_of_change = ChangeKind.SAME if entra_id in present else ChangeKind.ADDED
    return MemberChange(name, entry.dn, entra_id, kind_of_change)


def _kind(entry: DirectoryEntry) -> ObjectKind | None:
    try:
        return kind_of(values.texts("objectClass", entry.get("objectClass")))
    except ObjectKindUnknown:
        return None


def _guid(entry: DirectoryEntry) -> str | None:
    return next(iter(values.texts("objectGUID", entry.get("objectGUID"))), None)


def _sid(entry: DirectoryEntry) -> str | None:
    return next(iter(values.texts("objectSid", entry.get("objectSid"))), None)
