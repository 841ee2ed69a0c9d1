"""Directory roles and membership upwards: whom a role shields, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import SeedError, TenantServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.tenant.conftest import Caller, Connect

ADA = "aaaaaaaa-0000-4000-8000-000000000001"
OBR = "aaaaaaaa-0000-4000-8000-000000000005"
PAT = "aaaaaaaa-0000-4000-8000-000000000003"
SECURITY = "bbbbbbbb-0000-4000-8000-000000000001"
OUTER = "bbbbbbbb-0000-4000-8000-000000000011"
ASSIGNABLE = "bbbbbbbb-0000-4000-8000-000000000012"
GLOBAL_TEMPLATE = "62e90394-69f5-4237-9190-012177145e10"
ROLES = ["User.ReadWrite.All", "GroupMember.Read.All", "RoleManagement.Read.Directory"]


def with_nested(seed: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Give the seed with a group around the engineers and a role-assignable group of O'Brien's."""
    kind = {"mailEnabled": False, "securityEnabled": True, "groupTypes": []}
    outer = {"id": OUTER, "displayName": "Outer", "mailNickname": "outer", "members": [SECURITY]} | kind
    assignable = {"id": ASSIGNABLE, "displayName": "Admins", "mailNickname": "admins", "owners": [OBR]} | kind
    assignable["isAssignableToRole"] = True
    return {**seed, "roles": ROLES, "groups": [*seed["groups"], outer, assignable], **more}


async def signed_in(connect: Connect, server: TenantServer) -> Caller:
    """Give a caller of this tenant with a token."""
    caller = await connect(server)
    await caller.sign_in()
    return caller


async def test_the_way_up_goes_through_nested_groups_and_ends_at_roles(connect: Connect, seed: Any) -> None:
    """Relation memberOf shows direct holders, transitiveMemberOf all of them, a cast only one kind."""
    roles = [{"displayName": "Helpdesk Administrator", "members": [OUTER]}]
    async with TenantServer(seed=with_nested(seed, directoryRoles=roles)) as server:
        caller = await signed_in(connect, server)
        assert await caller.names(f"/users/{ADA}/memberOf") == ["Engineers"]
        above = (await caller.get(f"/users/{ADA}/transitiveMemberOf"))["value"]
        assert [(one["@odata.type"], one["displayName"]) for one in above] == [
            ("#microsoft.graph.group", "Engineers"),
            ("#microsoft.graph.group", "Outer"),
            ("#microsoft.graph.directoryRole", "Helpdesk Administrator"),
        ]
        cast = f"/users/{ADA}/transitiveMemberOf/microsoft.graph.directoryRole"
        assert await caller.names(cast) == ["Helpdesk Administrator"]
        assert await caller.names(f"/groups/{OUTER}/transitiveMembers/microsoft.graph.user") == ["Ada"]
        assert await caller.names(f"/groups/{SECURITY}/transitiveMemberOf/graph.group") == ["Outer"]
        assert await caller.names(f"/users/{OBR}/ownedObjects") == ["Admins"]


async def test_roles_are_found_by_id_and_by_template(connect: Connect, seed: Any) -> None:
    """directoryRoles: the list, one by its template, and who holds it; 404 for a role nobody holds."""
    async with TenantServer(seed=with_nested(seed)) as server:
        caller = await signed_in(connect, server)
        (role,) = (await caller.get("/directoryRoles"))["value"]
        assert (role["displayName"], role["roleTemplateId"]) == ("Global Administrator", GLOBAL_TEMPLATE)
        by_template = f"/directoryRoles(roleTemplateId='{GLOBAL_TEMPLATE}')"
        assert (await caller.get(by_template))["id"] == role["id"]
        assert await caller.names(f"/directoryRoles/{role['id']}/members") == ["Pat"]
        assert (await caller.send("GET", f"/directoryRoles/{ADA}")).status_code == 404


async def test_a_role_is_veiled_from_who_may_not_read_roles(caller: Caller, ids: Any) -> None:
    """Without a permission on roles memberOf still tells that there is one, by kind and id."""
    (role,) = (await caller.get(f"/users/{ids['pat']}/memberOf"))["value"]
    assert role["@odata.type"] == "#microsoft.graph.directoryRole"
    assert role["displayName"] is None
    assert (await caller.send("GET", "/directoryRoles")).status_code == 403


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        pytest.param(PAT, {"mobilePhone": "1"}, 403, id="sensitive, of an administrator"),
        pytest.param(PAT, {"onPremisesImmutableId": "cGF0cGF0"}, 403, id="anchor, of an administrator"),
        pytest.param(PAT, {"jobTitle": "x"}, 204, id="harmless, of an administrator"),
        pytest.param(OBR, {"mobilePhone": "1"}, 403, id="sensitive, of an owner of a role-assignable group"),
        pytest.param(ADA, {"mobilePhone": "1"}, 204, id="sensitive, of anybody"),
    ],
)
async def test_administrators_are_shielded(
    connect: Connect, seed: Any, who: str, body: Any, status: int
) -> None:
    """A sensitive property of an administrator is 403 for an application without a directory role."""
    async with TenantServer(seed=with_nested(seed)) as server:
        caller = await signed_in(connect, server)
        assert (await caller.send("PATCH", f"/users/{who}", json=body)).status_code == status


@pytest.mark.parametrize(
    ("role", "status"), [("Privileged Authentication Administrator", 204), ("User Administrator", 403)]
)
async def test_a_role_of_the_application_opens_the_shield(
    connect: Connect, seed: Any, role: str, status: int
) -> None:
    """The application itself may hold the role that lets it change administrators; a lesser one does not."""
    async with TenantServer(seed=with_nested(seed, application_roles=[role])) as server:
        caller = await signed_in(connect, server)
        for way in (("PATCH", {"json": {"accountEnabled": False}}), ("DELETE", {})):
            assert (await caller.send(way[0], f"/users/{PAT}", **way[1])).status_code == status


def test_a_seed_names_known_roles_only(seed: Any) -> None:
    """A directory role that does not exist is a slip in the seed."""
    with pytest.raises(SeedError, match="directory role"):
        TenantServer(seed={**seed, "directoryRoles": [{"displayName": "Emperor"}]})
