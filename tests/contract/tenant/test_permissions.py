"""Roles: each call is open to the permissions that Microsoft documents for it, and closed without."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import TenantServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.tenant.conftest import Connect

ADA = "aaaaaaaa-0000-4000-8000-000000000001"
SAM = "aaaaaaaa-0000-4000-8000-000000000002"
SECURITY = "bbbbbbbb-0000-4000-8000-000000000001"
GONE = "cccccccc-0000-4000-8000-000000000001"
USER: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "G",
    "mailNickname": "g",
    "userPrincipalName": "g@contoso.test",
    "passwordProfile": {"password": "Long-enough-9"},
}
GROUP = {"displayName": "G", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True}
REFERENCE = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{SAM}"}
PREFER = {"Prefer": "create-if-missing"}


@dataclass(frozen=True, slots=True)
class Way:
    """A call to be tried: method, path, what is sent."""

    method: str
    path: str
    how: Mapping[str, Any] = field(default_factory=dict)


async def answer(connect: Connect, seed: Mapping[str, Any], roles: list[str], way: Way) -> tuple[int, Any]:
    """Call once in a tenant that grants these roles; give status and body."""
    async with TenantServer(seed={**seed, "roles": roles}) as server:
        caller = await connect(server)
        await caller.sign_in()
        response = await caller.send(way.method, way.path, **way.how)
        return response.status_code, response.json() if response.content else None


@pytest.mark.parametrize(
    ("way", "opens", "not_enough"),
    [
        (Way("GET", "/organization"), "Organization.Read.All", "User.ReadWrite.All"),
        (Way("GET", "/domains"), "Domain.Read.All", "Organization.Read.All"),
        (Way("GET", "/users"), "User.Read.All", "Group.ReadWrite.All"),
        (Way("GET", f"/users/{ADA}/manager"), "User.Read.All", "Group.ReadWrite.All"),
        (Way("POST", "/users", {"json": USER}), "User.ReadWrite.All", "User.Read.All"),
        (Way("PATCH", f"/users/{ADA}", {"json": {"city": "x"}}), "User.ReadWrite.All", "User.Read.All"),
        (Way("DELETE", f"/users/{ADA}"), "User.DeleteRestore.All", "User.Read.All"),
        (
            Way("PUT", f"/users/{ADA}/manager/$ref", {"json": REFERENCE}),
            "User.ReadWrite.All",
            "User.Read.All",
        ),
        (Way("GET", "/groups"), "GroupMember.Read.All", "User.ReadWrite.All"),
        (Way("GET", f"/groups/{SECURITY}/members"), "GroupMember.Read.All", "User.ReadWrite.All"),
        (Way("POST", "/groups", {"json": GROUP}), "Group.Create", "GroupMember.ReadWrite.All"),
        (
            Way("PATCH", "/groups(uniqueName='x')", {"json": GROUP, "headers": PREFER}),
            "Group.Create",
            "Group.Read.All",
        ),
        (
            Way("PATCH", f"/groups/{SECURITY}", {"json": {"description": "x"}}),
            "Group.ReadWrite.All",
            "Group.Create",
        ),
        (
            Way("PATCH", f"/groups/{SECURITY}", {"json": {"members@odata.bind": [REFERENCE["@odata.id"]]}}),
            "GroupMember.ReadWrite.All",
            "Group.Create",
        ),
        (
            Way("POST", f"/groups/{SECURITY}/members/$ref", {"json": REFERENCE}),
            "GroupMember.ReadWrite.All",
            "GroupMember.Read.All",
        ),
        (
            Way("DELETE", f"/groups/{SECURITY}/members/{ADA}"),
            "User.DeleteRestore.All",
            "GroupMember.ReadWrite.All",
        ),
        (Way("GET", "/directory/deletedItems/microsoft.graph.user"), "User.Read.All", "GroupMember.Read.All"),
        (
            Way("POST", f"/directory/deletedItems/{GONE}/restore"),
            "User.DeleteRestore.All",
            "Group.ReadWrite.All",
        ),
        (
            Way("GET", f"/users/{SAM}/onPremisesSyncBehavior"),
            "User-OnPremisesSyncBehavior.ReadWrite.All",
            "User.ReadWrite.All",
        ),
    ],
)
async def test_a_call_wants_its_permission(
    connect: Connect, seed: Any, way: Way, opens: str, not_enough: str
) -> None:
    """The least permission opens the call; a neighbouring one is answered 403 Authorization_RequestDenied."""
    status, _ = await answer(connect, seed, [opens], way)
    assert status in {200, 201, 204}
    status, body = await answer(connect, seed, [not_enough], way)
    assert (status, body["error"]["code"]) == (403, "Authorization_RequestDenied")


async def test_a_password_reset_wants_a_permission_of_its_own(connect: Connect, seed: Any) -> None:
    """The password on update: User.ReadWrite.All is not enough."""
    way = Way("PATCH", f"/users/{ADA}", {"json": {"passwordProfile": {"password": "Another-long-9"}}})
    assert (await answer(connect, seed, ["User.ReadWrite.All"], way))[0] == 403
    both = ["User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"]
    assert (await answer(connect, seed, both, way))[0] == 204


async def test_source_of_authority_moves_to_the_cloud_and_opens_the_user(connect: Connect, seed: Any) -> None:
    """onPremisesSyncBehavior: isCloudManaged true makes a synced user writable in the cloud."""
    roles = ["User.ReadWrite.All", "User-OnPremisesSyncBehavior.ReadWrite.All"]
    behaviour = f"/users/{SAM}/onPremisesSyncBehavior"
    async with TenantServer(seed={**seed, "roles": roles}) as server:
        caller = await connect(server)
        await caller.sign_in()
        assert (await caller.get(behaviour))["isCloudManaged"] is False
        assert (await caller.send("PATCH", f"/users/{SAM}", json={"city": "Paris"})).status_code == 400
        assert (await caller.send("PATCH", behaviour, json={"isCloudManaged": True})).status_code == 204
        assert (await caller.get(behaviour))["isCloudManaged"] is True
        assert (await caller.send("PATCH", f"/users/{SAM}", json={"city": "Paris"})).status_code == 204
        cloud_only = f"/users/{ADA}/onPremisesSyncBehavior"
        assert (await caller.send("PATCH", cloud_only, json={"isCloudManaged": True})).status_code == 400


async def test_a_seed_can_say_that_the_cloud_masters_a_synced_user(connect: Connect, seed: Any) -> None:
    """A seed user with onPremisesSyncBehavior isCloudManaged is writable from the start."""
    users = [*seed["users"]]
    users[1] = users[1] | {"onPremisesSyncBehavior": {"isCloudManaged": True}}
    way = Way("PATCH", f"/users/{SAM}", {"json": {"city": "Paris"}})
    assert (await answer(connect, seed | {"users": users}, ["User.ReadWrite.All"], way))[0] == 204


async def test_members_are_veiled_from_who_may_not_read_users(connect: Connect, seed: Any) -> None:
    """List members: without a permission on users a member shows its kind and id only."""
    way = Way("GET", f"/groups/{SECURITY}/members?$select=id,displayName")
    _, body = await answer(connect, seed, ["GroupMember.Read.All"], way)
    assert body["value"] == [{"@odata.type": "#microsoft.graph.user", "id": ADA, "displayName": None}]
