"""Match: which object in Entra ID, if any, belongs to the directory object. One round trip, no guess.

Users are recognised by their anchor, then by the configured attributes in order; the first hit decides.
Groups have no anchor in Graph: a synchronised one carries the SID, one made here a unique name.
Source: Microsoft Entra Connect, page "Install with an existing tenant" (hard and soft match);
Microsoft Graph, resource "group" (uniqueName).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.configuration import ObjectRules
from pipeline.errors import (
    MappingFailed,
    MatchAmbiguous,
    MatchByNameOnly,
    MatchTaken,
    PipelineError,
    SoftDeletedTwin,
)
from pipeline.expressions import Value
from pipeline.ids import EntraId
from pipeline.mapping import MappedAttribute, evaluate_mapping, map_attributes
from pipeline.model import Candidate, KeyResult, MatchEvidence, TargetKind
from pipeline.ports import DirectoryEntry, Domain, Lookup, TargetObject
from pipeline.redaction import redact_key
from pipeline.services import Services
from pipeline.stages.importing import Source, read_manager, typed_values

ANCHOR: Final = "onPremisesImmutableId"
UNIQUE_NAME: Final = "uniqueName"
SID: Final = "onPremisesSecurityIdentifier"
_ALWAYS: Final[Mapping[TargetKind, tuple[str, ...]]] = {
    TargetKind.USER: ("id", "displayName", "userPrincipalName", ANCHOR, "onPremisesSyncEnabled"),
    TargetKind.GROUP: ("id", "displayName", UNIQUE_NAME, SID, "onPremisesSyncEnabled", "mailEnabled"),
}


@dataclass(frozen=True, slots=True)
class Manager:
    """The manager that the directory names: its DN and name, and its cloud id where it has one."""

    dn: str
    name: str
    id: EntraId | None


@dataclass(frozen=True, slots=True)
class Match:
    """What the match stage found: the cloud object or none, and everything the plan is made from."""

    rules: ObjectRules
    evidence: MatchEvidence
    target: TargetObject | None
    mapped: Mapping[str, MappedAttribute]
    manager: Manager | None
    domains: tuple[Domain, ...]
    refusal: PipelineError | None
    notes: tuple[str, ...]
    read_at: float
    """When the tenant answered, on the monotonic clock."""


async def find_match(source: Source, rules: ObjectRules, services: Services) -> Match:
    """Evaluate the mappings, ask the tenant for every key at once, and decide. Raises TenantError."""
    context = services.context(source.configuration)
    mapped = map_attributes(rules, source.values, context)
    keys = _keys(source, rules, mapped)
    manager = await read_manager(source, services)
    manager_anchor = _anchor_of(manager, rules, services, source)
    lookups = [Lookup(rules.kind, key, value) for key, value in keys if value]
    extra = _extra_lookups(rules.kind, mapped, manager_anchor)
    select = tuple(dict.fromkeys((*_ALWAYS[rules.kind], *rules.targets)))
    began = services.clock.monotonic()
    answers, domains = await asyncio.gather(
        services.tenant.find([*lookups, *extra], select), services.tenant.domains()
    )
    by_lookup = {
        lookup: _exact(lookup, found) for lookup, found in zip([*lookups, *extra], answers, strict=True)
    }
    results, target = _decide(rules.kind, keys, by_lookup)
    evidence_keys = tuple(redact_key(r, rules, source.configuration.privacy) for r in results)
    refusal = _refusal(rules.kind, mapped, results, target, by_lookup)
    return Match(
        rules=rules,
        evidence=MatchEvidence(
            _why(rules.kind, results, target, refusal), evidence_keys, _candidate_or_none(target)
        ),
        target=target,
        mapped=mapped,
        manager=_manager(source, rules, manager, manager_anchor, by_lookup),
        domains=domains,
        refusal=refusal,
        notes=_notes(results, target),
        read_at=began,
    )


def _exact(lookup: Lookup, found: tuple[TargetObject, ...]) -> tuple[TargetObject, ...]:
    """Keep only exact hits on an anchor: Graph's filters ignore case, and base64 does not."""
    if lookup.attribute != ANCHOR:
        return found
    return tuple(target for target in found if target.attributes.get(ANCHOR) in {lookup.value, None})


def unique_name(source: Source) -> str:
    """Return the unique name that a group made from this object carries."""
    return f"ad-{source.identity.guid}"


def anchor_of(
    entry: DirectoryEntry, rules: ObjectRules | None, source: Source, services: Services
) -> str | None:
    """Return the anchor another directory object has in the cloud, by the same mapping as users have."""
    mapping = rules.mapping(ANCHOR) if rules else None
    if mapping is None:
        return None
    context = services.context(source.configuration)
    value = evaluate_mapping(mapping, TargetKind.USER, typed_values(entry), context).value
    return value if isinstance(value, str) else None


def _anchor_of(
    entry: DirectoryEntry | None, rules: ObjectRules, services: Services, source: Source
) -> str | None:
    return anchor_of(entry, rules, source, services) if entry is not None else None


def _keys(
    source: Source, rules: ObjectRules, mapped: Mapping[str, MappedAttribute]
) -> list[tuple[str, str | None]]:
    return [(key, _key_value(key, source, mapped)) for key in rules.match]


def _key_value(key: str, source: Source, mapped: Mapping[str, MappedAttribute]) -> str | None:
    if key == UNIQUE_NAME:
        return unique_name(source)
    if key == SID:
        return source.identity.sid
    attribute = mapped.get(key)
    if attribute is None:
        raise MappingFailed(f"{key} is a matching attribute, and no mapping makes it.")
    if attribute.error is not None:
        private = source.configuration.privacy.any_private(attribute.mapping.reads)
        raise MappingFailed(f"{key}: {'its mapping failed' if private else attribute.error}.")
    value: Value | tuple[str, ...] = attribute.value
    return value if isinstance(value, str) else None


def _extra_lookups(
    kind: TargetKind, mapped: Mapping[str, MappedAttribute], manager_anchor: str | None
) -> list[Lookup]:
    lookups: list[Lookup] = []
    anchor = mapped[ANCHOR].value if ANCHOR in mapped else None
    if isinstance(anchor, str):
        lookups.append(Lookup(kind, ANCHOR, anchor, deleted=True))
    if manager_anchor:
        lookups.append(Lookup(TargetKind.USER, ANCHOR, manager_anchor))
    name = mapped["displayName"].value if "displayName" in mapped else None
    if kind is TargetKind.GROUP and isinstance(name, str):
        lookups.append(Lookup(kind, "displayName", name))
    return lookups


def _decide(
    kind: TargetKind,
    keys: Sequence[tuple[str, str | None]],
    answers: Mapping[Lookup, tuple[TargetObject, ...]],
) -> tuple[list[KeyResult], TargetObject | None]:
    results: list[KeyResult] = []
    target: TargetObject | None = None
    settled = False
    for attribute, value in keys:
        found = answers[Lookup(kind, attribute, value)] if value else ()
        decided = bool(found) and not settled
        results.append(
            KeyResult(
                attribute,
                value,
                tuple(map(_candidate, found)),
                decided,
                _key_why(value, found, settled=settled),
            )
        )
        if decided:
            settled = True
            target = found[0] if len(found) == 1 else None
    return results, target


def _key_why(value: str | None, found: Sequence[TargetObject], *, settled: bool) -> str:
    if value is None:
        return "the directory object has no value for it"
    if settled:
        return (
            f"{len(found)} found, but an earlier key had decided" if found else "an earlier key had decided"
        )
    return {0: "nobody has this value", 1: "exactly one has this value"}.get(
        len(found), f"{len(found)} have this value"
    )


def _refusal(
    kind: TargetKind,
    mapped: Mapping[str, MappedAttribute],
    results: Sequence[KeyResult],
    target: TargetObject | None,
    answers: Mapping[Lookup, tuple[TargetObject, ...]],
) -> PipelineError | None:
    decided = next((r for r in results if r.decided), None)
    if decided is not None and len(decided.candidates) > 1:
        names = ", ".join(f"{c.name} ({c.upn or c.id})" for c in decided.candidates)
        return MatchAmbiguous(f"{len(decided.candidates)} objects share its {decided.attribute}: {names}.")
    anchor = mapped[ANCHOR].value if ANCHOR in mapped else None
    if target is not None:
        held = target.attributes.get(ANCHOR)
        if anchor and held and held != anchor:
            return MatchTaken(
                f"{target.identity.name} matches by {decided.attribute if decided else 'key'}, "
                "but carries the anchor of another directory object."
            )
        return None
    if isinstance(anchor, str) and answers.get(Lookup(kind, ANCHOR, anchor, deleted=True)):
        return SoftDeletedTwin()
    name = mapped["displayName"].value if "displayName" in mapped else None
    if kind is TargetKind.GROUP and isinstance(name, str):
        namesakes = answers.get(Lookup(kind, "displayName", name), ())
        if namesakes:
            ids = ", ".join(f"{n.identity.name} ({n.id})" for n in namesakes)
            return MatchByNameOnly(f"Entra ID already has a group of this name: {ids}.")
    return None


def _manager(
    source: Source,
    rules: ObjectRules,
    entry: DirectoryEntry | None,
    anchor: str | None,
    answers: Mapping[Lookup, tuple[TargetObject, ...]],
) -> Manager | None:
    dn = source.values.get("manager")
    if rules.mapping("manager") is None or not isinstance(dn, str):
        return None
    found = answers[Lookup(TargetKind.USER, ANCHOR, anchor)] if anchor else ()
    name = typed_values(entry).get("displayname") if entry is not None else None
    return Manager(dn, str(name) if name else dn, found[0].id if len(found) == 1 else None)


def _candidate(target: TargetObject) -> Candidate:
    anchor = target.attributes.get(ANCHOR) or target.attributes.get(UNIQUE_NAME) or target.attributes.get(SID)
    identity = target.identity
    return Candidate(
        id=target.id,
        kind=target.kind,
        name=identity.name or identity.upn or str(target.id),
        upn=identity.upn,
        anchor=str(anchor) if anchor else None,
        synchronized=target.attributes.get("onPremisesSyncEnabled") is True,
    )


def _candidate_or_none(target: TargetObject | None) -> Candidate | None:
    return _candidate(target) if target is not None else None


def _why(
    kind: TargetKind, results: Sequence[KeyResult], target: TargetObject | None, refusal: PipelineError | None
) -> str:
    if refusal is not None:
        return refusal.message
    decided = next((r for r in results if r.decided), None)
    if target is not None and decided is not None:
        return f"Matched {target.identity.name} by {decided.attribute}"
    tried = sum(1 for r in results if r.value)
    who = "Nobody" if kind is TargetKind.USER else "No group"
    return f"{who} matches on {tried} {'key' if tried == 1 else 'keys'}, so a new {kind} is created"


def _notes(results: Sequence[KeyResult], target: TargetObject | None) -> tuple[str, ...]:
    if target is None:
        return ()
    return tuple(
        f"{result.attribute} is also held by {other.name} ({other.upn or other.id})"
        + (", so Entra ID will refuse it" if result.attribute == "userPrincipalName" else "")
        for result in results
        for other in result.candidates
        if other.id != target.id
    )
