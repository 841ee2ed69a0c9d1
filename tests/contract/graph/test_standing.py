"""What is asked and written beside attributes: deleted objects, roles, the source of authority, removals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipeline import errors
from pipeline.ports import Lookup, Standing
from tests.contract.graph.test_tenant import (
    ADA,
    ALAN,
    GONE,
    GROUP,
    NOBODY,
    PAT,
    SAM,
    SEED,
    STAFF,
    SYNCED,
    USER,
    World,
    fault,
    world_of,
)

EVERYTHING = [
    *("User.ReadWrite.All", "Group.ReadWrite.All", "GroupMember.Read.All", "Domain.Read.All"),
    *("Organization.Read.All", "RoleManagement.Read.Directory"),
    *("User-OnPremisesSyncBehavior.ReadWrite.All", "Group-OnPremisesSyncBehavior.ReadWrite.All"),
]


async def restore_seed() -> dict[str, Any]:
    """Return the seed with a deleted group and a cloud-managed user, and with every permission."""
    users = [
        {**user, "onPremisesSyncBehavior": {"isCloudManaged": True}} if user["id"] == SAM else user
        for user in SEED["users"]
    ]
    group = {**SEED["groups"][0], "id": str(NOBODY), "uniqueName": "ad-9", "members": [ADA]}
    deleted = [*SEED["deletedItems"], {**group, "@odata.type": "#microsoft.graph.group"}]
    return {**SEED, "users": users, "deletedItems": deleted, "roles": EVERYTHING}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give the tenant to an application that may ask everything."""
    async for made in world_of(await restore_seed()):
        yield made


@pytest.fixture
async def modest() -> AsyncIterator[World]:
    """Give the tenant to an application that has the usual permissions only."""
    async for made in world_of({**(await restore_seed()), "roles": EVERYTHING[:5]}):
        yield made


async def test_a_deleted_user_comes_back(world: World) -> None:
    """The user is live again under the same id and, where wanted, another name; only once."""
    receipt = await world.tenant.restore_user(GONE, "came.back@contoso.test")
    assert receipt.request_id
    (found,) = await world.tenant.find([Lookup(USER, "userPrincipalName", "came.back@contoso.test")], [])
    assert [candidate.id for candidate in found] == [GONE]
    with pytest.raises(errors.TenantNotFound):
        await world.tenant.restore_user(GONE)


async def test_a_deleted_group_comes_back_with_its_members(world: World) -> None:
    """The restore brings the links back as well."""
    deleted = Lookup(GROUP, "displayName", "Staff", deleted=True)
    ((found,),) = await world.tenant.find([deleted], ["uniqueName"])
    assert found.attributes["uniqueName"] == "ad-9"
    await world.tenant.restore_group(found.id)
    assert set(await world.tenant.group_members(found.id)) == {ADA}
    assert await world.tenant.unique_names(["ad-9"]) == {"ad-9": found.id}


@pytest.mark.parametrize("then", [{"drop": "after"}, {"drop": "before"}, {"apply_then_status": 504}], ids=str)
async def test_a_restore_without_an_answer_is_not_sent_again(world: World, then: dict[str, Any]) -> None:
    """Sent twice it would say that nobody of that id is deleted."""
    world.server.inject(fault("POST", "restore", **then))
    with pytest.raises(errors.OutcomeUnknown):
        await world.tenant.restore_user(GONE)
    assert len(world.writes()) <= 1


async def test_a_restore_that_a_name_stands_against(world: World) -> None:
    """Somebody has the name by now: refused as a conflict, nothing restored."""
    with pytest.raises((errors.TenantConflict, errors.TenantRefused)):
        await world.tenant.restore_user(GONE, "ada@contoso.test")
    (found,) = await world.tenant.find(
        [Lookup(USER, "onPremisesImmutableId", "GONEgoneGONEgoneGONEgg==", deleted=True)], []
    )
    assert [candidate.id for candidate in found] == [GONE]


async def test_where_an_object_stands(world: World) -> None:
    """Roles by name, the source of authority, all in one request."""
    await world.tenant.standing(USER, ADA)  # signs in
    before = len(world.server.requests)
    assert await world.tenant.standing(USER, PAT) == Standing(("Global Administrator",), cloud_managed=False)
    assert len(world.server.requests) == before + 1
    assert await world.tenant.standing(USER, ADA) == Standing((), cloud_managed=False)
    assert await world.tenant.standing(USER, SAM) == Standing((), cloud_managed=True)
    assert await world.tenant.standing(GROUP, SYNCED) == Standing(None, cloud_managed=False)


async def test_where_an_object_stands_is_told_beside_the_look_ups(world: World, modest: World) -> None:
    """By the name, in the same request; nobody of that name, or a strange answer, says nothing of anybody."""
    lookups = [Lookup(USER, "userPrincipalName", name) for name in ("pat@contoso.test", "ada@contoso.test")]
    before = len(world.server.requests)
    found, standing = await world.tenant.find_standing(lookups, [], "pat@contoso.test")
    assert [one.id for hits in found for one in hits] == [PAT, ADA]
    assert standing == Standing(("Global Administrator",), cloud_managed=False)
    assert len([r for r in world.server.requests[before:] if "batch" in r["path"]]) == 1
    assert (await world.tenant.find_standing(lookups, [], "nobody@contoso.test"))[1] is None
    unsure = await modest.tenant.find_standing(lookups, [], "pat@contoso.test")
    assert unsure[1] == await modest.tenant.standing(USER, PAT)
    world.server.inject(fault("GET", "transitiveMemberOf", status=400))
    assert (await world.tenant.find_standing(lookups, [], "pat@contoso.test"))[1] is None


async def test_a_missing_permission_leaves_the_question_open(modest: World) -> None:
    """Nothing fails; that somebody holds a role is seen even where its name is not."""
    assert await modest.tenant.standing(USER, SAM) == Standing((), None)
    assert await modest.tenant.standing(GROUP, SYNCED) == Standing(None, None)
    roles = (await modest.tenant.standing(USER, PAT)).roles
    assert roles is not None
    assert len(roles) == 1


async def test_a_throttled_question_is_asked_again(world: World) -> None:
    """An optional question is not given up because Graph is busy for a moment."""
    world.server.inject(fault("GET", "transitiveMemberOf", status=429, headers={"Retry-After": "2"}))
    assert (await world.tenant.standing(USER, PAT)).roles == ("Global Administrator",)
    assert world.naps


async def test_a_member_is_removed_and_stays_a_user(world: World) -> None:
    """Only the link goes; a link that is not there is gone already."""
    await world.tenant.remove_member(STAFF, ADA)
    assert not await world.tenant.group_members(STAFF)
    assert await world.tenant.read(USER, ADA, []) is not None
    await world.tenant.remove_member(STAFF, ADA)
    await world.tenant.remove_member(STAFF, ALAN)
    assert {write[1].rpartition("/")[2] for write in world.writes()} == {"$ref"}


async def test_a_removal_without_an_answer_is_left_to_whoever_can_look(world: World) -> None:
    """Nothing is sent again in the dark."""
    world.server.inject(fault("DELETE", "members", drop="after"))
    with pytest.raises(errors.OutcomeUnknown):
        await world.tenant.remove_member(STAFF, ADA)
    assert not await world.tenant.group_members(STAFF)
