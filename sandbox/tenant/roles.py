"""Directory roles: what they are, whom they shield, and which roles and groups an object is in.

Microsoft Graph, resource page "users", section "Who can perform sensitive actions": a Privileged
Authentication Administrator or a Global Administrator alone changes what an administrator signs in with, and
that binds applications too. Members and owners of role-assignable groups are shielded in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tenant import queries, references
from sandbox.tenant.errors import refuse
from sandbox.tenant.store import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.tenant.protocol import Call, Reply, Segment
    from sandbox.tenant.store import State
    from sandbox.tenant.tenant import Tenant

GLOBAL_ADMINISTRATOR = "Global Administrator"
# Built-in roles by name; a template has one id in all tenants (Microsoft Entra, page "Built-in roles").
TEMPLATES = {
    GLOBAL_ADMINISTRATOR: "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
}
MAY_CHANGE_ADMINISTRATORS = frozenset({GLOBAL_ADMINISTRATOR, "Privileged Authentication Administrator"})
READ_PERMISSIONS = {
    "user": "user.read",
    "group": "group.read",
    "directoryRole": "role.read",
    "servicePrincipal": "principal.read",
}
HOLDER_KINDS = ("group", "directoryRole")


def is_privileged(state: State, entry: Entry) -> bool:
    """Say whether a user holds a role, or belongs to or owns a role-assignable group."""
    if entry.kind != "user":
        return False
    holders = list(_above(state, entry.id))
    if any(one.kind == "directoryRole" or one.get("isAssignableToRole") is True for one in holders):
        return True
    return any(
        entry.id in group.owners
        for group in state.of_kind("group")
        if group.get("isAssignableToRole") is True
    )


def check_shield(tenant: Tenant, state: State, entry: Entry) -> None:
    """Refuse a sensitive action on a privileged user, unless the application holds a role that may."""
    if is_privileged(state, entry) and not tenant.identity.directory_roles & MAY_CHANGE_ADMINISTRATORS:
        raise refuse("forbidden")


def _holders(state: State, object_id: str) -> Iterator[Entry]:
    return (one for one in state.live.values() if object_id in one.members)


def _above(state: State, object_id: str) -> Iterator[Entry]:
    """Go up through groups and roles, each once, nearest first."""
    seen = {object_id}
    level = [object_id]
    while level:
        found = [one for below in level for one in _holders(state, below)]
        level = []
        for one in found:
            if one.id not in seen:
                seen.add(one.id)
                level.append(one.id)
                yield one


def _below(state: State, group: Entry) -> Iterator[Entry]:
    """Go down through nested groups, each member once, nearest first."""
    seen = {group.id}
    level = [group]
    while level:
        found = [state.live[one] for above in level for one in above.members if one in state.live]
        level = []
        for one in found:
            if one.id not in seen:
                seen.add(one.id)
                level.append(one)
                yield one


def list_user_member_of(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id}/memberOf, also with a cast after it: what holds the user directly."""
    state = tenant.store.view()
    entry = references.find_user(state, user)
    return _answer(tenant, call, _holders(state, entry.id))


def list_user_transitive_member_of(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id}/transitiveMemberOf: through nested groups as well."""
    state = tenant.store.view()
    entry = references.find_user(state, user)
    return _answer(tenant, call, _above(state, entry.id))


def list_group_member_of(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/memberOf."""
    state = tenant.store.view()
    entry = references.find_group(state, group)
    return _answer(tenant, call, _holders(state, entry.id))


def list_group_transitive_member_of(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/transitiveMemberOf."""
    state = tenant.store.view()
    entry = references.find_group(state, group)
    return _answer(tenant, call, _above(state, entry.id))


def list_transitive_members(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/transitiveMembers."""
    state = tenant.store.view()
    entry = references.find_group(state, group)
    found = [seen(tenant, call, one) for one in _below(state, entry)]
    return queries.answer_list(
        call, state, _of_cast(call, found), _cast(call, ("user", "group")), "directoryObjects"
    )


def list_owned_objects(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id}/ownedObjects: the groups that name the user as an owner."""
    state = tenant.store.view()
    entry = references.find_user(state, user)
    return _answer(tenant, call, (one for one in state.of_kind("group") if entry.id in one.owners))


def _answer(tenant: Tenant, call: Call, found: Iterator[Entry]) -> Reply:
    shown = [seen(tenant, call, one) for one in found]
    state = tenant.store.view()
    return queries.answer_list(
        call, state, _of_cast(call, shown), _cast(call, HOLDER_KINDS), "directoryObjects"
    )


def _cast(call: Call, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Give the kinds of a list: those of the relation, or the one that a cast at the path's end names."""
    last = call.segments[-1].text
    return (last.rpartition(".")[2],) if last.startswith("microsoft.graph.") else kinds


def _of_cast(call: Call, entries: list[Entry]) -> list[Entry]:
    wanted = _cast(call, ("user", *HOLDER_KINDS))
    return [one for one in entries if one.kind in wanted]


def seen(tenant: Tenant, call: Call, entry: Entry) -> Entry:
    """Show a caller no more than the id of what it may not read.

    Microsoft Graph, page "Use the Microsoft Graph API", section on inaccessible member objects.
    """
    if tenant.allows(call, READ_PERMISSIONS[entry.kind]):
        return entry
    return Entry(id=entry.id, kind=entry.kind, properties={"id": entry.id})


def list_roles(tenant: Tenant, call: Call) -> Reply:
    """GET /directoryRoles: the roles that are in use."""
    state = tenant.store.view()
    return queries.answer_list(
        call, state, state.of_kind("directoryRole"), ("directoryRole",), "directoryRoles"
    )


def read_role(tenant: Tenant, call: Call, role: Segment) -> Reply:
    """GET /directoryRoles/{id}, or (roleTemplateId='…')."""
    state = tenant.store.view()
    return queries.answer_one(call, state, _find_role(state, role), "directoryRoles")


def list_role_members(tenant: Tenant, call: Call, role: Segment) -> Reply:
    """GET /directoryRoles/{id}/members."""
    state = tenant.store.view()
    members = [state.live[one] for one in _find_role(state, role).members if one in state.live]
    shown = [seen(tenant, call, one) for one in members]
    return queries.answer_list(call, state, shown, ("user", "group"), "directoryObjects")


def _find_role(state: State, role: Segment) -> Entry:
    wanted = role.text.lower()
    for one in state.of_kind("directoryRole"):
        if wanted == (one.get("roleTemplateId") if role.key == "roleTemplateId" else one.id):
            return one
    raise refuse("not_found", id=role.text)
