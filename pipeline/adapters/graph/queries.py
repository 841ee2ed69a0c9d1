"""How questions to Microsoft Graph are put: paths, filters, selections. Pure.

Sources: Microsoft Graph pages "Use the $filter query parameter", "Advanced query capabilities on Microsoft
Entra ID objects", "Upsert group", "List deletedItems (directory objects)".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline import facts
from pipeline.adapters.graph.transport import key_segment, literal, query_text, segments
from pipeline.model import TargetKind
from pipeline.ports import Lookup

COLLECTIONS: Final = {TargetKind.USER: "users", TargetKind.GROUP: "groups"}
IN_LIMIT: Final = 15
"""Values in one `in` filter: beyond this Graph refuses the expression as too complex."""

_IDENTITY: Final = {
    TargetKind.USER: ("id", "displayName", "userPrincipalName"),
    TargetKind.GROUP: ("id", "displayName"),
}
_NAVIGATION: Final = frozenset({"manager", "members", "owners", "memberOf"})
_MANAGER: Final = "manager($select=id,displayName,userPrincipalName)"
# Filters on these go to an index of its own, which wants to be asked for.
_ADVANCED: Final = {"ConsistencyLevel": "eventual"}


@dataclass(frozen=True, slots=True)
class Query:
    """One GET below the base address. `single`: the answer is one object and 404 means there is none."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    single: bool = False
    optional: bool = False
    """A refusal is an answer too: what is asked may be beyond the permissions, or not offered here."""

    @property
    def url(self) -> str:
        """The address relative to the base, as a batch takes it."""
        return self.path + query_text(self.params)


def lookup_query(lookup: Lookup, select: Sequence[str]) -> Query:
    """Ask which objects hold a value."""
    params = selection(lookup.kind, select, expand=not lookup.deleted)
    collection = COLLECTIONS[lookup.kind]
    if lookup.attribute == "id" and not lookup.deleted:
        return Query(segments(collection, lookup.value), params, single=True)
    if lookup.attribute == "uniqueName" and lookup.kind is TargetKind.GROUP and not lookup.deleted:
        return Query(key_segment(collection, "uniqueName", lookup.value), params, single=True)
    path = f"/directory/deletedItems/microsoft.graph.{lookup.kind}" if lookup.deleted else f"/{collection}"
    params = {"$filter": condition(lookup), **params}
    if lookup.attribute.startswith("onPremisesExtensionAttributes."):
        return Query(path, {**params, "$count": "true"}, _ADVANCED)
    return Query(path, params)


def condition(lookup: Lookup) -> str:
    """Return the filter for a look-up: equality, or for a list that any of its values is equal."""
    name = lookup.attribute.replace(".", "/")
    if facts.writability(lookup.kind, lookup.attribute).collection:
        return f"{name}/any(v:v eq {literal(lookup.value)})"
    return f"{name} eq {literal(lookup.value)}"


def selection(kind: TargetKind, select: Iterable[str], *, expand: bool = True) -> dict[str, str]:
    """Return `$select`, and `$expand` where the manager is wanted.

    The identity is always selected; a member of a complex attribute selects the whole of it. Links cannot be
    selected. What this kind of object does not have is left out: Graph would refuse the whole question.
    """
    wanted = [name for name in select if facts.writability(kind, name).known]
    names = dict.fromkeys((*_IDENTITY[kind], *(name.partition(".")[0] for name in wanted)))
    params = {"$select": ",".join(name for name in names if name not in _NAVIGATION)}
    if expand and kind is TargetKind.USER and "manager" in wanted:
        params["$expand"] = _MANAGER
    return params


def anchors_query(anchors: Sequence[str]) -> Query:
    """Ask which users carry any of these anchors, `IN_LIMIT` of them at most."""
    values = ",".join(literal(anchor) for anchor in anchors)
    params = {
        "$filter": f"onPremisesImmutableId in ({values})",
        "$select": "id,onPremisesImmutableId",
        "$top": "999",
    }
    return Query("/users", params)


def unique_name_query(name: str) -> Query:
    """Ask which group has a unique name."""
    return Query(key_segment("groups", "uniqueName", name), {"$select": "id,uniqueName"}, single=True)


def standing_queries(kind: TargetKind, entra_id: str) -> tuple[Query, ...]:
    """Ask who masters an object and, of a user, which directory roles it holds.

    Sources: Microsoft Graph pages "List a user's memberships" (transitiveMemberOf, cast to directoryRole) and
    "Get onPremisesSyncBehavior".
    """
    here = segments(COLLECTIONS[kind], entra_id)
    behavior = Query(f"{here}/onPremisesSyncBehavior", {"$select": "isCloudManaged"}, optional=True)
    if kind is TargetKind.GROUP:
        return (behavior,)
    roles = f"{here}/transitiveMemberOf/microsoft.graph.directoryRole"
    return behavior, Query(roles, {"$select": "id,displayName"}, optional=True)


def chunks(values: Sequence[str], size: int) -> list[Sequence[str]]:
    """Cut a sequence into pieces of at most `size`."""
    return [values[start : start + size] for start in range(0, len(values), size)]
