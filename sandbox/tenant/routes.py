"""The table of Graph calls and the way from a path to its handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.tenant import directory, groups, roles, users
from sandbox.tenant import synchronization as sync
from sandbox.tenant.errors import GraphRefusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.tenant.protocol import Call, Reply, Segment
    from sandbox.tenant.tenant import Tenant

    Handler = Callable[..., Reply]

JOBS = "/servicePrincipals/{principal}/synchronization/jobs"
# (method, template, permission set, handler). "none" leaves the check to the handler, which knows the object.
ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", "/organization", "organization.read", directory.read_organization),
    ("GET", "/domains", "domain.read", directory.list_domains),
    ("GET", "/domains/{domain}", "domain.read", directory.read_domain),
    ("GET", "/users", "user.read", users.list_users),
    ("POST", "/users", "user.write", users.create_user),
    ("GET", "/users/$count", "user.read", users.count_users),
    ("GET", "/users/{user}", "user.read", users.read_user),
    ("PATCH", "/users/{user}", "user.write", users.update_user),
    ("DELETE", "/users/{user}", "user.delete", users.delete_user),
    ("GET", "/users/{user}/manager", "user.read", users.read_manager),
    ("PUT", "/users/{user}/manager/$ref", "user.write", users.put_manager),
    ("DELETE", "/users/{user}/manager/$ref", "user.write", users.delete_manager),
    *[
        ("GET", f"/users/{{user}}/{relation}{cast}", "member.of", handler)
        for relation, handler in (
            ("memberOf", roles.list_user_member_of),
            ("transitiveMemberOf", roles.list_user_transitive_member_of),
        )
        for cast in ("", "/microsoft.graph.group", "/microsoft.graph.directoryRole")
    ],
    ("GET", "/users/{user}/ownedObjects", "user.read", roles.list_owned_objects),
    ("GET", "/users/{user}/ownedObjects/microsoft.graph.group", "user.read", roles.list_owned_objects),
    ("GET", "/users/{user}/onPremisesSyncBehavior", "user.sync_behavior", users.read_sync_behavior),
    ("PATCH", "/users/{user}/onPremisesSyncBehavior", "user.sync_behavior", users.update_sync_behavior),
    ("GET", "/groups", "group.read", groups.list_groups),
    ("POST", "/groups", "group.create", groups.create_group),
    ("GET", "/groups/$count", "group.read", groups.count_groups),
    ("GET", "/groups/{group}", "group.read", groups.read_group),
    ("PATCH", "/groups/{group}", "none", groups.update_group),
    ("DELETE", "/groups/{group}", "group.write", groups.delete_group),
    ("GET", "/groups/{group}/onPremisesSyncBehavior", "group.sync_behavior", groups.read_sync_behavior),
    ("PATCH", "/groups/{group}/onPremisesSyncBehavior", "group.sync_behavior", groups.update_sync_behavior),
    ("GET", "/groups/{group}/members", "group.read", groups.list_members),
    ("GET", "/groups/{group}/members/$count", "group.read", groups.count_members),
    ("GET", "/groups/{group}/members/$ref", "group.read", groups.list_member_references),
    ("POST", "/groups/{group}/members/$ref", "member.write", groups.add_member),
    ("GET", "/groups/{group}/members/microsoft.graph.user", "group.read", groups.list_user_members),
    ("GET", "/groups/{group}/members/microsoft.graph.group", "group.read", groups.list_group_members),
    ("DELETE", "/groups/{group}/members/{member}/$ref", "member.write", groups.remove_member),
    ("DELETE", "/groups/{group}/members/{member}", "none", groups.delete_member_object),
    *[
        ("GET", f"/groups/{{group}}/{relation}{cast}", "group.read", handler)
        for relation, handler in (
            ("memberOf", roles.list_group_member_of),
            ("transitiveMemberOf", roles.list_group_transitive_member_of),
        )
        for cast in ("", "/microsoft.graph.group", "/microsoft.graph.directoryRole")
    ],
    ("GET", "/groups/{group}/transitiveMembers", "group.read", roles.list_transitive_members),
    (
        "GET",
        "/groups/{group}/transitiveMembers/microsoft.graph.user",
        "group.read",
        roles.list_transitive_members,
    ),
    (
        "GET",
        "/groups/{group}/transitiveMembers/microsoft.graph.group",
        "group.read",
        roles.list_transitive_members,
    ),
    ("GET", "/directoryRoles", "role.read", roles.list_roles),
    ("GET", "/directoryRoles/{role}", "role.read", roles.read_role),
    ("GET", "/directoryRoles/{role}/members", "role.read", roles.list_role_members),
    ("GET", "/groups/{group}/owners", "group.read", groups.list_owners),
    ("GET", "/groups/{group}/owners/$ref", "group.read", groups.list_owner_references),
    ("POST", "/groups/{group}/owners/$ref", "group.write", groups.add_owner),
    ("DELETE", "/groups/{group}/owners/{owner}/$ref", "group.write", groups.remove_owner),
    ("GET", "/directoryObjects/{object}", "object.read", directory.read_object),
    ("POST", "/directoryObjects/getByIds", "object.read", directory.list_by_ids),
    (
        "GET",
        "/directory/onPremisesSynchronization",
        "synchronization.switches",
        sync.read_switches,
    ),
    ("GET", "/servicePrincipals", "principal.read", sync.list_principals),
    ("GET", "/servicePrincipals/{principal}", "principal.read", sync.read_principal),
    ("GET", f"{JOBS}", "synchronization.read", sync.list_jobs),
    ("GET", f"{JOBS}/{{job}}", "synchronization.read", sync.read_job),
    ("GET", f"{JOBS}/{{job}}/schema", "synchronization.read", sync.read_schema),
    (
        "POST",
        f"{JOBS}/{{job}}/provisionOnDemand",
        "synchronization.write",
        sync.provision_on_demand,
    ),
    ("GET", "/directory/deletedItems/microsoft.graph.user", "user.read", directory.list_deleted_users),
    ("GET", "/directory/deletedItems/microsoft.graph.group", "group.read", directory.list_deleted_groups),
    ("GET", "/directory/deletedItems/{object}", "user.read", directory.read_deleted),
    ("DELETE", "/directory/deletedItems/{object}", "none", directory.purge),
    ("POST", "/directory/deletedItems/{object}/restore", "none", directory.restore),
)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table, its template cut up."""

    parts: tuple[str, ...]
    permission: str
    handler: Handler

    def bind(self, segments: tuple[Segment, ...]) -> tuple[Segment, ...] | None:
        """Give the segments that stand for the template's names, None when the path is another."""
        if len(segments) != len(self.parts):
            return None
        bound = []
        for part, segment in zip(self.parts, segments, strict=True):
            if part.startswith("{"):
                if segment.text.startswith(("$", "microsoft.graph.")):
                    return None
                bound.append(segment)
            elif part != segment.text or segment.key is not None:
                return None
        return tuple(bound)


def table() -> Mapping[str, tuple[Route, ...]]:
    """Cut the table up by method."""
    by_method: dict[str, list[Route]] = {}
    for method, template, permission, handler in ROUTES:
        parts = tuple(template.strip("/").split("/"))
        by_method.setdefault(method, []).append(Route(parts, permission, handler))
    return {method: tuple(routes) for method, routes in by_method.items()}


def answer(tenant: Tenant, routes: Mapping[str, tuple[Route, ...]], call: Call) -> Reply:
    """Carry a call out: find its row, check the token's roles, run the handler."""
    route, bound = _find(routes, call)
    tenant.require(call, route.permission)
    return route.handler(tenant, call, *bound)


def _find(routes: Mapping[str, tuple[Route, ...]], call: Call) -> tuple[Route, tuple[Segment, ...]]:
    for route in routes.get(call.method, ()):
        bound = route.bind(call.segments)
        if bound is not None:
            return route, bound
    for others in routes.values():
        if any(route.bind(call.segments) is not None for route in others):
            raise refuse("method_not_allowed")
    raise _unknown_segment(routes, call.segments)


def _unknown_segment(routes: Mapping[str, tuple[Route, ...]], segments: tuple[Segment, ...]) -> GraphRefusal:
    """Name the first segment that no template goes on with."""
    templates = [route.parts for some in routes.values() for route in some]
    for position in range(len(segments)):
        head = segments[: position + 1]
        shorter = [parts[: position + 1] for parts in templates if len(parts) > position]
        if not any(Route(parts, "none", users.list_users).bind(head) is not None for parts in shorter):
            return refuse("unknown_segment", segment=segments[position].text)
    return refuse("unknown_segment", segment=segments[-1].text if segments else "")
