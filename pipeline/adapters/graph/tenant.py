"""The tenant as the pipeline asks and writes it: users, groups, links and domain names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

from pipeline import errors
from pipeline.adapters.graph import batch
from pipeline.adapters.graph.exchange import Reply
from pipeline.adapters.graph.queries import (
    COLLECTIONS,
    IN_LIMIT,
    Query,
    anchors_query,
    chunks,
    lookup_query,
    selection,
    standing_queries,
    unique_name_query,
)
from pipeline.adapters.graph.retry import Effect
from pipeline.adapters.graph.transport import GraphTransport, ids_of, key_segment, segments
from pipeline.ids import EntraId
from pipeline.model import TargetKind
from pipeline.ports import Domain, Lookup, Receipt, Standing, TargetObject

MEMBERS_AT_ONCE: Final = 20
"""References that one request may add (page "Add members")."""

_READ: Final = {TargetKind.USER: "User.Read.All", TargetKind.GROUP: "GroupMember.Read.All"}
_WRITE_USERS: Final = "User.ReadWrite.All"
_RESTORE_USERS: Final = "User.DeleteRestore.All"
_WRITE_GROUPS: Final = "Group.ReadWrite.All"
_WRITE_MEMBERS: Final = "GroupMember.ReadWrite.All"
_READ_DOMAINS: Final = "Domain.Read.All"
_READ_ORGANIZATION: Final = "Organization.Read.All"

_KEPT: Final = 600.0
"""Seconds for which facts about the tenant as a whole are kept."""
_FRESH: Final = 120.0
"""Seconds for which an object made here may still be unknown to a replica."""
_PAGES: Final = 1000
_UNNAMED: Final = "one whose name the application may not read"


_Fact = TypeVar("_Fact")


class _Kept(Generic[_Fact]):
    """A fact about the tenant that is asked for once in a while, by one caller for all."""

    def __init__(self, transport: GraphTransport, read: Callable[[], Awaitable[_Fact]]) -> None:
        self._transport = transport
        self._read = read
        self._lock = asyncio.Lock()
        self._found: tuple[float, _Fact] | None = None

    async def get(self) -> _Fact:
        """Return the fact, read anew when it is older than ten minutes."""
        async with self._lock:
            if self._found is None or self._transport.elapsed(self._found[0]) >= _KEPT:
                self._found = (self._transport.monotonic(), await self._read())
            return self._found[1]


class GraphTenant:
    """One Entra tenant through Microsoft Graph v1.0; fulfils the port `Tenant`."""

    def __init__(self, transport: GraphTransport) -> None:
        self._transport = transport
        self._domains: _Kept[tuple[Domain, ...]] = _Kept(transport, self._read_domains)
        self._synchronized: _Kept[bool] = _Kept(transport, self._read_synchronized)
        self._made: dict[str, float] = {}

    # -- reading -----------------------------------------------------------------------------------------

    async def find(
        self, lookups: Sequence[Lookup], select: Sequence[str]
    ) -> Sequence[tuple[TargetObject, ...]]:
        """Answer all lookups in one round trip, in their order, each object with the selected attributes."""
        return (await self._find(lookups, select, ()))[0]

    async def find_standing(
        self, lookups: Sequence[Lookup], select: Sequence[str], upn: str
    ) -> tuple[Sequence[tuple[TargetObject, ...]], Standing | None]:
        """Answer the lookups as `find` does, and where the user of that name stands, in one round trip.

        The standing is None where there is no such user, or it was not told for another reason than that it
        may not be read. Graph takes a user principal name in the place of an id (page "Get a user").
        """
        found, standing = await self._find(lookups, select, standing_queries(TargetKind.USER, upn))
        told = all(reply.ok or reply.status == HTTPStatus.FORBIDDEN for reply in standing)
        return found, _standing(standing) if told else None

    async def _find(
        self, lookups: Sequence[Lookup], select: Sequence[str], beside: Sequence[Query]
    ) -> tuple[Sequence[tuple[TargetObject, ...]], Sequence[Reply]]:
        """Answer the lookups, and what is asked beside them."""
        queries = [lookup_query(lookup, select) for lookup in lookups]
        needs = [_READ[lookup.kind] for lookup in lookups] + [""] * len(beside)
        replies = await self._read([*queries, *beside], needs)
        found = await batch.together(
            [
                self._candidates(lookup.kind, query, reply)
                for lookup, query, reply in zip(lookups, queries, replies, strict=False)
            ]
        )
        return found, replies[len(queries) :]

    async def read(self, kind: TargetKind, entra_id: EntraId, select: Sequence[str]) -> TargetObject | None:
        """Read one object; None when it is not there. One made moments ago is waited for."""
        try:
            reply = await self._transport.request(
                "GET",
                segments(COLLECTIONS[kind], entra_id),
                params=selection(kind, select),
                needs=_READ[kind],
                fresh=self._is_fresh(entra_id),
            )
        except errors.TenantNotFound:
            return None
        return _object(kind, reply.body)

    async def anchors(self, anchors: Sequence[str]) -> Mapping[str, EntraId]:
        """Return the ids of the users that carry these anchors (onPremisesImmutableId)."""
        wanted = list(dict.fromkeys(anchors))
        queries = [anchors_query(chunk) for chunk in chunks(wanted, IN_LIMIT)]
        replies = await self._read(queries, [_READ[TargetKind.USER]] * len(queries))
        found: dict[str, EntraId] = {}
        for query, reply in zip(queries, replies, strict=True):
            for user in await self._candidates(TargetKind.USER, query, reply):
                anchor = user.attributes.get("onPremisesImmutableId")
                if isinstance(anchor, str):
                    found[anchor] = user.id
        return {anchor: found[anchor] for anchor in wanted if anchor in found}

    async def unique_names(self, names: Sequence[str]) -> Mapping[str, EntraId]:
        """Return the ids of the groups that carry these unique names."""
        wanted = list(dict.fromkeys(names))
        replies = await self._read(
            [unique_name_query(name) for name in wanted], [_READ[TargetKind.GROUP]] * len(wanted)
        )
        return {
            name: _object(TargetKind.GROUP, reply.body).id
            for name, reply in zip(wanted, replies, strict=True)
            if reply.ok
        }

    async def group_members(self, group: EntraId) -> Mapping[EntraId, str]:
        """Return the ids and names of all direct members of a group."""
        reply = await self._transport.request(
            "GET",
            segments("groups", group, "members"),
            params={"$select": "id,displayName", "$top": "999"},
            needs=_READ[TargetKind.GROUP],
            fresh=self._is_fresh(group),
        )
        found = await self._pages(reply, _READ[TargetKind.GROUP])
        return {_id(entry): _name(entry) for entry in found}

    async def standing(self, kind: TargetKind, entra_id: EntraId) -> Standing:
        """Return where an object stands, in one round trip; what may not be read is None."""
        queries = standing_queries(kind, entra_id)
        return _standing(await self._read(queries, [""] * len(queries)))

    async def domains(self) -> tuple[Domain, ...]:
        """Return the tenant's domain names; an answer serves for ten minutes."""
        return await self._domains.get()

    async def synchronized(self) -> bool:
        """Return whether directory synchronisation feeds this tenant; an answer serves for ten minutes."""
        return await self._synchronized.get()

    async def ping(self) -> None:
        """Ask Microsoft Graph for something small, now, with a valid token. Raises TenantError."""
        params = {"$select": "id"}
        await self._transport.request("GET", "/organization", params=params, needs=_READ_ORGANIZATION)

    # -- writing -----------------------------------------------------------------------------------------

    async def create_user(self, body: Mapping[str, object]) -> tuple[TargetObject, Receipt]:
        """Create a user. Raises OutcomeUnknown when the answer was lost; it is never sent twice."""
        reply = await self._transport.request("POST", "/users", json=dict(body), needs=_WRITE_USERS)
        return self._created(TargetKind.USER, reply), self._transport.receipt(reply)

    async def update_user(self, user: EntraId, body: Mapping[str, object]) -> Receipt:
        """Change a user's attributes. Raises OutcomeUnknown when the answer was lost."""
        return await self._write(
            "PATCH", segments("users", user), json=dict(body), needs=_WRITE_USERS, about=(user,)
        )

    async def set_manager(self, user: EntraId, manager: EntraId | None) -> Receipt:
        """Link a user to a manager, or take the link away; a link that is not there is taken away already."""
        path = segments("users", user, "manager", "$ref")
        if manager is not None:
            link = {"@odata.id": self._transport.base + segments("users", manager)}
            return await self._write("PUT", path, json=link, needs=_WRITE_USERS, about=(user, manager))
        try:
            return await self._write("DELETE", path, json=None, needs=_WRITE_USERS, about=(user,))
        except errors.TenantNotFound as error:
            return self._transport.receipt(Reply(HTTPStatus.NOT_FOUND, error.ids, None))

    async def restore_user(self, user: EntraId, upn: str | None = None) -> Receipt:
        """Take a user out of the deleted objects (page "Restore deleted directory object item").

        The user principal name it had comes back, or `upn` takes its place. Raises OutcomeUnknown when the
        answer was lost: sent again, it would not find the object among the deleted ones any more.
        """
        return await self._restore(user, {"newUserPrincipalName": upn} if upn else {}, _RESTORE_USERS)

    async def restore_group(self, group: EntraId) -> Receipt:
        """Take a group out of the deleted objects. Raises OutcomeUnknown when the answer was lost."""
        return await self._restore(group, {}, _WRITE_GROUPS)

    async def upsert_group(
        self, unique_name: str, body: Mapping[str, object]
    ) -> tuple[TargetObject | None, Receipt]:
        """Create the group of that unique name, or change it when it is there (page "Upsert group").

        201 with the object says created, 204 says changed. Raises OutcomeUnknown when the answer was lost: a
        second request would be harmless, yet would hide that the first one created it.
        """
        reply = await self._transport.request(
            "PATCH",
            key_segment("groups", "uniqueName", unique_name),
            json=dict(body),
            headers={"Prefer": "create-if-missing"},
            effect=Effect.ONCE,
            needs=_WRITE_GROUPS,
        )
        receipt = self._transport.receipt(reply)
        if reply.status != HTTPStatus.CREATED:
            return None, receipt
        return self._created(TargetKind.GROUP, reply), receipt

    async def update_group(self, group: EntraId, body: Mapping[str, object]) -> Receipt:
        """Change a group's attributes. Raises OutcomeUnknown when the answer was lost."""
        return await self._write(
            "PATCH", segments("groups", group), json=dict(body), needs=_WRITE_GROUPS, about=(group,)
        )

    async def add_members(self, group: EntraId, members: Sequence[EntraId]) -> Receipt:
        """Add at most 20 members in one request: all of them or none (page "Add members").

        A single one that is a member already counts as added. Raises TenantConflict when one of several is;
        OutcomeUnknown when the answer was lost: sent again, it would be refused for its own members.
        """
        if not 0 < len(members) <= MEMBERS_AT_ONCE:
            raise ValueError(f"1 to {MEMBERS_AT_ONCE} members at once")
        links = [self._transport.base + segments("directoryObjects", member) for member in members]
        reply = await self._transport.request(
            "PATCH",
            segments("groups", group),
            json={"members@odata.bind": links},
            effect=Effect.ONCE,
            needs=_WRITE_MEMBERS,
            fresh=self._is_fresh(group, *members),
            done=len(members) == 1,
        )
        return self._transport.receipt(reply)

    async def remove_member(self, group: EntraId, member: EntraId) -> Receipt:
        """Remove one member (page "Remove member"); one that is not there is removed already."""
        # Without the last part the address would name the member itself, and delete it.
        path = segments("groups", group, "members", member, "$ref")
        try:
            return await self._write("DELETE", path, json=None, needs=_WRITE_MEMBERS, about=(group,))
        except errors.TenantNotFound as error:
            return self._transport.receipt(Reply(HTTPStatus.NOT_FOUND, error.ids, None))

    # -- inside ------------------------------------------------------------------------------------------

    async def _read(self, queries: Sequence[Query], needs: Sequence[str]) -> list[Reply]:
        return await batch.read_all(self._transport, queries, needs)

    async def _write(
        self, method: str, path: str, *, json: object, needs: str, about: tuple[EntraId, ...]
    ) -> Receipt:
        # Once: whether a write whose answer was lost is to be sent again is decided after a look.
        reply = await self._transport.request(
            method, path, json=json, effect=Effect.ONCE, needs=needs, fresh=self._is_fresh(*about)
        )
        return self._transport.receipt(reply)

    async def _restore(self, entra_id: EntraId, body: Mapping[str, object], needs: str) -> Receipt:
        path = segments("directory", "deletedItems", entra_id, "restore")
        reply = await self._transport.request("POST", path, json=dict(body), needs=needs)
        self._remember(entra_id)
        return self._transport.receipt(reply)

    async def _candidates(self, kind: TargetKind, query: Query, reply: Reply) -> tuple[TargetObject, ...]:
        if query.single:
            return (_object(kind, reply.body),) if reply.ok else ()
        return tuple(_object(kind, entry) for entry in await self._pages(reply, _READ[kind]))

    async def _read_domains(self) -> tuple[Domain, ...]:
        reply = await self._transport.request("GET", "/domains", needs=_READ_DOMAINS)
        return tuple(_domain(entry) for entry in await self._pages(reply, _READ_DOMAINS))

    async def _read_synchronized(self) -> bool:
        params = {"$select": "id,onPremisesSyncEnabled"}
        reply = await self._transport.request("GET", "/organization", params=params, needs=_READ_ORGANIZATION)
        found = await self._pages(reply, _READ_ORGANIZATION)
        return any(isinstance(e, Mapping) and e.get("onPremisesSyncEnabled") is True for e in found)

    async def _pages(self, reply: Reply, needs: str) -> list[object]:
        """Return the entries of an answer and of all pages after it."""
        found: list[object] = []
        seen: set[object] = set()
        for _ in range(_PAGES):
            body = reply.body
            entries = body.get("value") if isinstance(body, Mapping) else None
            if not isinstance(entries, list) or not isinstance(body, Mapping):
                raise errors.TenantUnexpected(
                    "Microsoft Graph gave a list that is none.", ids=ids_of(reply.headers)
                )
            found += entries
            link = body.get("@odata.nextLink")
            if link is None:
                return found
            if not isinstance(link, str) or link in seen:
                break
            seen.add(link)
            reply = await self._transport.follow(link, needs=needs)
        raise errors.TenantUnexpected("Microsoft Graph gave a list that does not end.")

    def _created(self, kind: TargetKind, reply: Reply) -> TargetObject:
        try:
            made = _object(kind, reply.body)
        except errors.TenantUnexpected as error:
            raise errors.OutcomeUnknown(
                "Microsoft Graph says that it created the object and does not say which.",
                ids=ids_of(reply.headers),
            ) from error
        self._remember(made.id)
        return made

    def _remember(self, entra_id: EntraId) -> None:
        """Take note that an object has just come into being, so that it may be unknown here and there."""
        now = self._transport.monotonic()
        self._made = {i: t for i, t in self._made.items() if now - t < _FRESH} | {entra_id: now}

    def _is_fresh(self, *ids: EntraId) -> bool:
        """Whether one of these was made here moments ago, so that "not found" may mean "not yet visible"."""
        return any(i in self._made and self._transport.elapsed(self._made[i]) < _FRESH for i in ids)


def _object(kind: TargetKind, entry: object) -> TargetObject:
    attributes: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
    return TargetObject(_id(entry), kind, {k: v for k, v in attributes.items() if not k.startswith("@")})


def _standing(replies: Sequence[Reply]) -> Standing:
    """Read the answers to `standing_queries`."""
    behavior = replies[0].body if replies[0].ok else None
    managed = behavior.get("isCloudManaged") if isinstance(behavior, Mapping) else None
    roles = _names(replies[1].body) if len(replies) > 1 and replies[1].ok else None
    return Standing(roles, managed if isinstance(managed, bool) else None)


def _name(entry: object) -> str:
    """Return an object's name, or its id where the name may not be read or there is none."""
    name = entry.get("displayName") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) and name else _id(entry)


def _names(body: object) -> tuple[str, ...]:
    """Return the names in a list of objects; one whose name may not be read is there all the same."""
    entries = body.get("value") if isinstance(body, Mapping) else None
    found = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    return tuple(name if isinstance(name := one.get("displayName"), str) else _UNNAMED for one in found)


def _id(entry: object) -> EntraId:
    found = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(found, str) or not found:
        raise errors.TenantUnexpected("Microsoft Graph gave an object without an id.")
    return EntraId(found)


def _domain(entry: object) -> Domain:
    facts: Mapping[str, object] = entry if isinstance(entry, Mapping) else {}
    return Domain(
        name=_id(entry),
        verified=facts.get("isVerified") is True,
        federated=str(facts.get("authenticationType")).casefold() == "federated",
        default=facts.get("isDefault") is True,
    )
