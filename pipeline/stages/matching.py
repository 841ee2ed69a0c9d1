"""Match: which object in Entra ID, if any, belongs to the directory object. One round trip, no guess.

Users are recognised by their anchor, then by the configured attributes in order; the first hit decides.
Groups have no anchor in Graph: a synchronised one carries the SID, one made here a unique name.
Source: Microsoft Entra Connect, page "Install with an existing tenant" (hard and soft match);
Microsoft Graph, resource "group" (uniqueName).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from pipeline.ids import EntraId
from pipeline.mapping import MappedAttribute, map_attributes
from pipeline.model import Candidate, KeyResult, MatchEvidence, TargetKind
from pipeline.ports import Domain, Lookup, Standing, TargetObject
from pipeline.redaction import private_targets, redact_target
from pipeline.services import Services
from pipeline.stages.importing import Source
from pipeline.stages.references import (
    ANCHOR,
    SID,
    UNIQUE_NAME,
    Manager,
    MemberReading,
    read_manager,
    read_members,
    unique_name,
)

UPN: Final = "userPrincipalName"

_ALWAYS: Final[Mapping[TargetKind, tuple[str, ...]]] = {
    TargetKind.USER: ("id", "displayName", "userPrincipalName", ANCHOR, "onPremisesSyncEnabled"),
    TargetKind.GROUP: (
        *("id", "displayName", UNIQUE_NAME, SID, "onPremisesSyncEnabled", "mailEnabled"),
        "isAssignableToRole",
    ),
}
Answers = Mapping[Lookup, tuple[TargetObject, ...]]


@dataclass(frozen=True, slots=True)
class Match:
    """What the match stage found: the cloud object or none, and everything the plan is made from."""

    rules: ObjectRules
    evidence: MatchEvidence
    target: TargetObject | None
    mapped: Mapping[str, MappedAttribute]
    private: frozenset[str]
    """The cloud attributes whose values are private."""
    manager: Manager | None
    manager_id: EntraId | None
    members: MemberReading
    domains: tuple[Domain, ...]
    tenant_synchronized: bool
    refusal: PipelineError | None
    notes: tuple[str, ...]
    read_at: float
    """When the tenant was asked, on the monotonic clock."""
    deleted: bool = False
    """Whether the target lies among the deleted objects, to be restored."""
    standing: Standing = field(default_factory=Standing)


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the tenant is asked: the matching keys in order, and what shares their round trip."""

    kind: TargetKind
    matching: tuple[tuple[str, str | None], ...]
    anchor: str | None
    name: str | None
    unique_name: str
    manager: str | None
    mail: str | None
    upn: str | None

    @property
    def own(self) -> tuple[str, str | None]:
        """The attribute and value that no other object carries, by which a deleted twin is known."""
        return (ANCHOR, self.anchor) if self.kind is TargetKind.USER else (UNIQUE_NAME, self.unique_name)

    @property
    def holders(self) -> list[Lookup]:
        """Ask who has the mail address as a proxy address: Graph stores `mail` then, and says nothing."""
        address = f"smtp:{self.mail}"
        return [Lookup(kind, "proxyAddresses", address) for kind in TargetKind] if self.mail else []

    def lookups(self) -> list[Lookup]:
        """Return every question, each once."""
        asked = [Lookup(self.kind, key, value) for key, value in self.matching if value]
        if self.anchor:
            asked.append(Lookup(self.kind, ANCHOR, self.anchor, deleted=True))
        if self.manager:
            asked.append(Lookup(TargetKind.USER, ANCHOR, self.manager))
        asked += self.holders
        if self.kind is TargetKind.GROUP and self.name:
            asked.append(Lookup(self.kind, "displayName", self.name))
            # The unique name is an alternate key and no filter; among the deleted, the name leads to it.
            asked.append(Lookup(self.kind, "displayName", self.name, deleted=True))
        return list(dict.fromkeys(asked))


async def find_match(source: Source, rules: ObjectRules, services: Services) -> Match:
    """Evaluate the mappings, ask the tenant for every key at once, and decide. Raises TenantError."""
    domains = await services.tenant.domains()
    mapped, fallen_back = with_fallback_domain(
        map_attributes(rules, source.values, services.context(source.configuration)),
        domains,
        source.configuration.guards.fallback_domain,
    )
    manager = await read_manager(source, mapped.get("manager"), services)
    keys = _keys(source, rules, mapped, manager)
    began = services.clock.monotonic()
    (answers, likely), members, synchronized = await asyncio.gather(
        _ask(keys, rules, services),
        read_members(source, rules, services),
        services.tenant.synchronized(),
    )
    private = private_targets(rules, source.configuration.privacy)
    results, target = _decide(keys, answers, private)
    twins = _twins(keys, answers)
    restore = source.configuration.guards.restore
    refusal = _refusal(keys, results, target, answers, private)
    refusal = refusal or _twin_refusal(keys, [_candidate(t, private) for t in twins], target, restore=restore)
    deleted = refusal is None and target is None and bool(twins)
    if deleted:
        target = _revived(twins[0])
        results = _led_to(results, keys.own, _candidate(target, private))
    matched = _candidate(target, private) if target is not None else None
    standing = await _standing(target, keys, likely, deleted=deleted, services=services)
    manager_hits = answers.get(Lookup(TargetKind.USER, ANCHOR, keys.manager or ""), ())
    return Match(
        rules=rules,
        evidence=MatchEvidence(
            _why(rules.kind, results, matched, refusal, deleted=deleted), results, matched
        ),
        target=target,
        mapped=mapped,
        private=private,
        manager=manager,
        manager_id=manager_hits[0].id if len(manager_hits) == 1 else None,
        members=members,
        domains=domains,
        tenant_synchronized=synchronized,
        refusal=refusal,
        notes=(
            *fallen_back,
            *_notes(results, target),
            *(
                _mail_notes(keys, target, answers, private) if refusal is None else ()
            ),  # else nothing is stored
        ),
        read_at=began,
        deleted=deleted,
        standing=standing,
    )


async def _standing(
    target: TargetObject | None, keys: _Keys, likely: Standing | None, *, deleted: bool, services: Services
) -> Standing:
    """Return where the one found stands. Graph tells it of live users and groups only.

    `likely` was asked by the name that the user is to have; it counts where the one found has that name.
    """
    if target is None or deleted:
        return Standing()
    named = target.kind is TargetKind.USER and keys.upn is not None and _same_name(target, keys.upn)
    standing = likely if named else None
    standing = standing or await services.tenant.standing(target.kind, target.id)
    if target.attributes.get("isAssignableToRole") is True:
        return replace(standing, roles=("any role: the group can be assigned to them",))
    return standing


def _same_name(target: TargetObject, upn: str) -> bool:
    return str(target.attributes.get(UPN)).casefold() == upn.casefold()


def is_exact(lookup: Lookup, target: TargetObject) -> bool:
    """Tell whether a hit really holds the value: Graph's filters ignore case, and base64 does not."""
    return lookup.attribute != ANCHOR or target.attributes.get(ANCHOR) in {lookup.value, None}


async def _ask(keys: _Keys, rules: ObjectRules, services: Services) -> tuple[Answers, Standing | None]:
    """Ask for every key, and where the user stands who has the name already: mostly it is the match."""
    lookups = keys.lookups()
    select = tuple(dict.fromkeys((*_ALWAYS[rules.kind], *rules.targets)))
    standing: Standing | None = None
    if keys.kind is TargetKind.USER and keys.upn:
        answers, standing = await services.tenant.find_standing(lookups, select, keys.upn)
    else:
        answers = await services.tenant.find(lookups, select)
    return {
        lookup: tuple(target for target in found if is_exact(lookup, target))
        for lookup, found in zip(lookups, answers, strict=True)
    }, standing


def _keys(
    source: Source, rules: ObjectRules, mapped: Mapping[str, MappedAttribute], manager: Manager | None
) -> _Keys:
    return _Keys(
        kind=rules.kind,
        matching=tuple((key, _key_value(key, source, mapped)) for key in rules.match),
        anchor=_text(mapped, ANCHOR),
        name=_text(mapped, "displayName"),
        unique_name=unique_name(source.identity.guid),
        manager=manager.anchor if manager else None,
        mail=_text(mapped, "mail") if rules.kind is TargetKind.USER else None,
        upn=_askable(_text(mapped, UPN)),
    )


def _askable(upn: str | None) -> str | None:
    """Return the name where it can stand in an address in the place of an id: one with `$` first cannot."""
    return upn if upn and "@" in upn and not upn.startswith("$") else None


def with_fallback_domain(
    mapped: Mapping[str, MappedAttribute], domains: Sequence[Domain], fallback: str | None
) -> tuple[Mapping[str, MappedAttribute], tuple[str, ...]]:
    """Give a user principal name of a domain that is not verified the fallback domain; say so."""
    verified = {domain.name.casefold() for domain in domains if domain.verified}
    upn = _text(mapped, UPN)
    if fallback is None or upn is None or fallback.casefold() not in verified:
        return mapped, ()
    alias, _, domain = upn.rpartition("@")
    if not alias or domain.casefold() in verified:
        return mapped, ()
    note = f"userPrincipalName ends in {fallback}: “{domain}” is not a verified domain of the tenant"
    return {**mapped, UPN: replace(mapped[UPN], value=f"{alias}@{fallback}")}, (note,)


def _text(mapped: Mapping[str, MappedAttribute], target: str) -> str | None:
    value = mapped[target].value if target in mapped else None
    return value if isinstance(value, str) else None


def _key_value(key: str, source: Source, mapped: Mapping[str, MappedAttribute]) -> str | None:
    if key == UNIQUE_NAME:
        return unique_name(source.identity.guid)
    if key == SID:
        return source.identity.sid
    attribute = mapped.get(key)
    if attribute is None:
        raise MappingFailed(f"{key} is a matching attribute, and no mapping makes it.")
    if attribute.error is not None:
        private = source.configuration.privacy.any_private(attribute.mapping.reads)
        raise MappingFailed(f"{key}: {'its mapping failed' if private else attribute.error}.")
    return _text(mapped, key)


def _decide(
    keys: _Keys, answers: Answers, private: frozenset[str]
) -> tuple[tuple[KeyResult, ...], TargetObject | None]:
    results: list[KeyResult] = []
    target: TargetObject | None = None
    settled = False
    for attribute, value in keys.matching:
        found = answers[Lookup(keys.kind, attribute, value)] if value else ()
        decided = bool(found) and not settled
        why = _key_why(value, found, settled=settled)
        candidates = tuple(_candidate(one, private) for one in found)
        results.append(KeyResult(attribute, value, candidates, decided, why))
        if decided:
            settled = True
            target = found[0] if len(found) == 1 else None
    return tuple(results), target


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
    keys: _Keys,
    results: Sequence[KeyResult],
    target: TargetObject | None,
    answers: Answers,
    private: frozenset[str],
) -> PipelineError | None:
    decided = next((r for r in results if r.decided), None)
    if decided is not None and len(decided.candidates) > 1:
        names = ", ".join(f"{c.name} ({c.upn or c.id})" for c in decided.candidates)
        return MatchAmbiguous(f"{len(decided.candidates)} objects share its {decided.attribute}: {names}.")
    if target is not None:
        held = target.attributes.get(ANCHOR)
        if keys.anchor and held and held != keys.anchor:
            by = decided.attribute if decided else "a key"
            name = _candidate(target, private).name
            return MatchTaken(f"{name} matches by {by}, but carries the anchor of another directory object.")
        return None
    if keys.kind is TargetKind.GROUP and keys.name and not _twins(keys, answers):
        namesakes = answers.get(Lookup(keys.kind, "displayName", keys.name), ())
        if namesakes:
            ids = ", ".join(f"{_candidate(n, private).name} ({n.id})" for n in namesakes)
            return MatchByNameOnly(f"Entra ID already has a group of this name: {ids}.")
    return None


def _twins(keys: _Keys, answers: Answers) -> tuple[TargetObject, ...]:
    """Return the deleted objects that are this very one: creating it again would make a second."""
    attribute, value = keys.own
    if keys.kind is TargetKind.USER:
        return answers.get(Lookup(keys.kind, ANCHOR, value, deleted=True), ()) if value else ()
    found = answers.get(Lookup(keys.kind, "displayName", keys.name, deleted=True), ()) if keys.name else ()
    return tuple(target for target in found if target.attributes.get(attribute) == value)


def _twin_refusal(
    keys: _Keys, twins: Sequence[Candidate], target: TargetObject | None, *, restore: bool
) -> PipelineError | None:
    """Refuse where a deleted twin leaves no single way on."""
    attribute, value = keys.own
    if not twins or (target is not None and target.attributes.get(attribute) == value):
        return None
    if target is not None:
        return SoftDeletedTwin(
            f"A live object matches, but a deleted one, {twins[0].name}, carries its {attribute}.",
            remedy="Restore the deleted one, or delete it for good; then run again.",
        )
    if len(twins) > 1:
        ids = ", ".join(f"{twin.name} ({twin.id})" for twin in twins)
        return SoftDeletedTwin(
            f"{len(twins)} deleted objects in Entra ID carry its {attribute}: {ids}.",
            remedy="Restore the right one in Entra ID, then run again.",
        )
    return None if restore else SoftDeletedTwin()


def _revived(twin: TargetObject) -> TargetObject:
    """Return a deleted object as it will be restored: without the id before its user principal name."""
    upn = twin.attributes.get("userPrincipalName")
    if not isinstance(upn, str):
        return twin
    former = upn.removeprefix(twin.id.replace("-", ""))
    return replace(twin, attributes={**twin.attributes, "userPrincipalName": former})


def _led_to(
    results: tuple[KeyResult, ...], own: tuple[str, str | None], twin: Candidate
) -> tuple[KeyResult, ...]:
    """Say among the keys that one of the deleted objects carries the object's own."""
    attribute, value = own
    why = "nobody has this value, but one of the deleted objects has"
    led = KeyResult(attribute, value, (twin,), True, why)
    if any(result.attribute == attribute for result in results):
        return tuple(led if result.attribute == attribute else result for result in results)
    return (*results, led)


def _candidate(target: TargetObject, private: frozenset[str]) -> Candidate:
    """Return who it is, without what is private."""
    held = (target.attributes.get(name) for name in (ANCHOR, UNIQUE_NAME, SID))
    anchor = next((value for value in held if value), None)
    identity = redact_target(target.identity, private)
    return Candidate(
        id=target.id,
        kind=target.kind,
        name=identity.name or identity.upn or str(target.id),
        upn=identity.upn,
        anchor=str(anchor) if anchor else None,
        synchronized=target.attributes.get("onPremisesSyncEnabled") is True,
    )


def _why(
    kind: TargetKind,
    results: Sequence[KeyResult],
    matched: Candidate | None,
    refusal: PipelineError | None,
    *,
    deleted: bool,
) -> str:
    if refusal is not None:
        return refusal.message
    decided = next((r for r in results if r.decided), None)
    if matched is not None and decided is not None and deleted:
        return f"Found {matched.name} among the deleted objects by {decided.attribute}"
    if matched is not None and decided is not None:
        return f"Matched {matched.name} by {decided.attribute}"
    tried = sum(1 for r in results if r.value)
    who = "Nobody" if kind is TargetKind.USER else "No group"
    return f"{who} matches on {tried} {'key' if tried == 1 else 'keys'}, so a new {kind} is created"


def _mail_notes(
    keys: _Keys, target: TargetObject | None, answers: Answers, private: frozenset[str]
) -> tuple[str, ...]:
    """Say where the address that is to be written is somebody else's proxy address already."""
    if target is not None and target.attributes.get("mail") == keys.mail:
        return ()
    others = [found for lookup in keys.holders for found in answers.get(lookup, ())]
    return tuple(
        f"mail is stored, and does not become a proxy address: {_candidate(other, private).name} has it"
        for other in others
        if target is None or other.id != target.id
    )


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
