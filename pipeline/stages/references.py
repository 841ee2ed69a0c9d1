"""References: the cloud objects behind a manager and behind a group's members, found by their own anchors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline import values
from pipeline.configuration import Members, ObjectRules
from pipeline.dn import looks_like_dn
from pipeline.errors import DirectoryForbidden, DirectoryReferral, ObjectKindUnknown, ObjectNotFound
from pipeline.identifiers import Identifier, IdentifierKind
from pipeline.ids import EntraId
from pipeline.mapping import MappedAttribute, evaluate_mapping
from pipeline.model import ObjectKind, TargetKind
from pipeline.ports import DirectoryEntry, Lookup, MemberList
from pipeline.services import Services
from pipeline.stages.importing import Source, kind_of, typed_values

ANCHOR: Final = "onPremisesImmutableId"
UNIQUE_NAME: Final = "uniqueName"
SID: Final = "onPremisesSecurityIdentifier"

MEMBER_LIMIT: Final = 5000
"""How many members of one group are looked at."""

_IDENTITY: Final = ("objectGUID", "objectSid", "objectClass", "mS-DS-ConsistencyGuid", "cn", "displayName")
_OUT_OF_REACH: Final = (ObjectNotFound, DirectoryReferral, DirectoryForbidden)


@dataclass(frozen=True, slots=True)
class Manager:
    """The manager that the mapping names: its DN and name, and the anchor that its cloud user would carry."""

    dn: str
    name: str
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group in the directory; `id` is its cloud object's, where it has one."""

    name: str
    dn: str
    kind: ObjectKind | None
    id: EntraId | None


@dataclass(frozen=True, slots=True)
class MemberReading:
    """A group's members as far as they could be read."""

    members: tuple[Member, ...] = ()
    unreadable: tuple[str, ...] = ()
    looked_at: int = 0
    total: int = 0
    primary: frozenset[EntraId] = frozenset()
    """Those who belong to it by their primary group, which no list tells; read for `exact` alone."""
    primary_unknown: str = ""
    """Why it is not known who else belongs to it in that way; empty when it is."""

    @property
    def complete(self) -> bool:
        """Whether every member was looked at."""
        return self.looked_at >= self.total


def unique_name(guid: str) -> str:
    """Return the unique name that a group made from the object of this GUID carries."""
    return f"ad-{guid}"


async def read_manager(source: Source, mapped: MappedAttribute | None, services: Services) -> Manager | None:
    """Read the manager that the mapping names; None when it names none.

    One that lies out of reach has no anchor. Raises a DirectoryError when the directory is not well.
    """
    dn = mapped.value if mapped is not None else None
    if not isinstance(dn, str) or not looks_like_dn(dn):
        return None
    wanted = _wanted(source)
    try:
        entry = await services.directory(source.configuration).resolve(
            Identifier(IdentifierKind.DN, dn), wanted
        )
    except _OUT_OF_REACH:
        return Manager(dn, dn, None)
    return Manager(dn, _name(entry), _anchor_of(entry, source, services))


async def read_members(source: Source, rules: ObjectRules, services: Services) -> MemberReading:
    """Read a group's direct members and find the cloud object of each."""
    if rules.members is Members.NONE or source.identity.kind is not ObjectKind.GROUP:
        return MemberReading()
    directory = services.directory(source.configuration)
    found = await directory.members(source.entry.dn, _wanted(source), MEMBER_LIMIT)
    ids, (primary, unknown) = await asyncio.gather(
        _member_ids(found, source, services), _primary_members(source, rules, services)
    )
    return MemberReading(
        members=tuple(Member(_name(e), e.dn, _kind(e), ids.get(e.dn)) for e in found.entries),
        unreadable=found.unresolved,
        looked_at=len(found.entries) + len(found.unresolved),
        total=found.total if not found.complete else len(found.entries) + len(found.unresolved),
        primary=primary,
        primary_unknown=unknown,
    )


async def _primary_members(
    source: Source, rules: ObjectRules, services: Services
) -> tuple[frozenset[EntraId], str]:
    """Find the cloud users of those whose primary group it is, and say why they are not all known."""
    if rules.members is not Members.EXACT:
        return frozenset(), ""
    if source.identity.sid is None:
        return frozenset(), "its SID is not known, and so not whose primary group it is"
    directory = services.directory(source.configuration)
    found = await directory.primary_members(source.identity.sid, _wanted(source), MEMBER_LIMIT)
    ids = await _member_ids(found, source, services)
    unknown = len(found.entries) - len(ids)
    if not found.complete:
        return frozenset(ids.values()), f"it is the primary group of more than {MEMBER_LIMIT:,}"
    if unknown:
        who = f"{unknown:,} of those whose primary group it is"
        return frozenset(ids.values()), f"{who} could not be found in Entra ID"
    return frozenset(ids.values()), ""


async def _member_ids(found: MemberList, source: Source, services: Services) -> dict[str, EntraId]:
    """Ask the tenant for all members at once: people by anchor, groups by unique name or SID."""
    groups = [entry for entry in found.entries if _kind(entry) is ObjectKind.GROUP]
    people = {
        entry.dn: anchor
        for entry in found.entries
        if entry not in groups and (anchor := _anchor_of(entry, source, services))
    }
    names = {entry.dn: unique_name(guid) for entry in groups if (guid := _first(entry, "objectGUID"))}
    sids = {entry.dn: sid for entry in groups if (sid := _first(entry, "objectSid"))}
    by_anchor, by_name, by_sid = await asyncio.gather(
        services.tenant.anchors(list(people.values())),
        services.tenant.unique_names(list(names.values())),
        _by_sid(sids.values(), services),
    )
    ids = {dn: by_sid[sid] for dn, sid in sids.items() if sid in by_sid}
    ids |= {dn: by_name[name] for dn, name in names.items() if name in by_name}
    return ids | {dn: by_anchor[anchor] for dn, anchor in people.items() if anchor in by_anchor}


async def _by_sid(sids: Iterable[str], services: Services) -> Mapping[str, EntraId]:
    lookups = [Lookup(TargetKind.GROUP, SID, sid) for sid in sids]
    if not lookups:
        return {}
    answers = await services.tenant.find(lookups, ("id", "displayName"))
    return {lookup.value: hit[0].id for lookup, hit in zip(lookups, answers, strict=True) if len(hit) == 1}


def _wanted(source: Source) -> Sequence[str]:
    """Return what is read of managers and members: who they are, and what their anchor is made of."""
    user_rules = source.configuration.objects.get(TargetKind.USER)
    mapping = user_rules.mapping(ANCHOR) if user_rules else None
    names = {*_IDENTITY, *(mapping.reads if mapping else ())}
    return sorted(name for name in names if source.configuration.privacy.may_read(name))


def _anchor_of(entry: DirectoryEntry, source: Source, services: Services) -> str | None:
    """Return the anchor that an object has in the cloud, by the mapping that users have."""
    user_rules = source.configuration.objects.get(TargetKind.USER)
    mapping = user_rules.mapping(ANCHOR) if user_rules else None
    if mapping is None:
        return None
    context = services.context(source.configuration)
    value = evaluate_mapping(mapping, TargetKind.USER, typed_values(entry), context).value
    return value if isinstance(value, str) else None


def _name(entry: DirectoryEntry) -> str:
    return _first(entry, "displayName") or _first(entry, "cn") or entry.dn


def _first(entry: DirectoryEntry, attribute: str) -> str | None:
    return next(iter(values.texts(attribute, entry.get(attribute))), None)


def _kind(entry: DirectoryEntry) -> ObjectKind | None:
    try:
        return kind_of(values.texts("objectClass", entry.get("objectClass")))
    except ObjectKindUnknown:
        return None
