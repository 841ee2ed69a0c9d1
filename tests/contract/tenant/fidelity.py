"""Named checks of the tenant's fidelity, each made by the official client of Microsoft Graph.

A check is a function of a `World`; its name is what a failure is called. They are kept apart from the tests
so that they can be run against a tenant that was broken on purpose as well.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import TenantServer
from tests.contract.tenant.official_client import Sdk, official_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from tests.contract.tenant.conftest import Caller, Clock, Connect

    Check = Callable[["World"], Awaitable[None]]

NOBODY = "dddddddd-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class World:
    """One tenant on a socket, and the official client signed in to it."""

    server: TenantServer
    caller: Caller
    clock: Clock
    ids: Mapping[str, str]
    sdk: Sdk

    async def refused(self, asked: Awaitable[Any], status: int, words: str = "") -> Any:
        """Wait for a refusal with a status and words in its message; give the error."""
        with pytest.raises(self.sdk.Error) as caught:
            await asked
        assert caught.value.response_status_code == status
        assert words in (caught.value.error.message or "")
        return caught.value.error

    def start_over(self) -> None:
        """Put tenant and clock back to their start; the token stays good."""
        self.server.reset()
        self.clock.now = type(self.clock)().now

    def user(self, name: str) -> Any:
        """Give the SDK's builder of a user of the seed."""
        return self.sdk.client.users.by_user_id(self.ids[name])

    def group(self, name: str) -> Any:
        """Give the SDK's builder of a group of the seed."""
        return self.sdk.client.groups.by_group_id(self.ids[name])

    def reference(self, object_id: str) -> str:
        """Spell the address of an object."""
        return f"{self.server.url}/v1.0/directoryObjects/{object_id}"


@asynccontextmanager
async def world(connect: Connect, seed: Mapping[str, Any], clock: Clock, ids: Any) -> AsyncIterator[World]:
    """Start a fresh tenant and point the official client at it."""
    async with AsyncExitStack() as stack:
        fresh = type(clock)()
        server = await stack.enter_async_context(TenantServer(seed=seed, clock=fresh))
        caller = await connect(server)
        await caller.sign_in()
        sdk = await stack.enter_async_context(official_client(caller))
        yield World(server, caller, fresh, ids, sdk)


async def a_taken_upn_is_refused(world: World) -> None:
    """Refuse a user principal name that another has."""
    await world.refused(world.sdk.client.users.post(world.sdk.person("ada")), 400, "already exists")


async def a_taken_anchor_names_its_holder(world: World) -> None:
    """Refuse a taken anchor with two details, the second naming the other object."""
    read = await world.sdk.read_user(world.ids["ada"], ["onPremisesImmutableId"])
    twin = world.sdk.person("twin", on_premises_immutable_id=read.on_premises_immutable_id)
    error = await world.refused(world.sdk.client.users.post(twin), 400)
    assert [one.code for one in error.details] == ["ObjectConflict", "ConflictingObjects"]
    assert error.details[1].target == f"User_{world.ids['ada']}"


async def a_domain_must_be_verified(world: World) -> None:
    """Refuse a user principal name outside the verified domains."""
    stranger = world.sdk.person("new")
    stranger.user_principal_name = "new@unverified.test"
    await world.refused(world.sdk.client.users.post(stranger), 400, "verified domain")


async def a_read_only_property_is_refused(world: World) -> None:
    """Refuse to set a mark of synchronization."""
    patch = world.user("ada").patch(world.sdk.User(on_premises_sync_enabled=True))
    await world.refused(patch, 400, "read-only")


async def a_long_value_is_refused(world: World) -> None:
    """Refuse an employeeId of seventeen characters."""
    await world.refused(world.user("ada").patch(world.sdk.User(employee_id="1" * 17)), 400, "employeeId")


async def a_list_is_never_null(world: World) -> None:
    """Refuse null for a collection."""
    null = world.sdk.User(additional_data={"businessPhones": None})
    await world.refused(world.user("ada").patch(null), 400, "null value")


async def a_synchronized_user_is_not_written(world: World) -> None:
    """Refuse to change what the directory masters."""
    await world.refused(world.user("sam").patch(world.sdk.User(job_title="x")), 400, "on-premises mastered")


async def an_administrator_is_shielded(world: World) -> None:
    """Refuse a sensitive property of an administrator."""
    await world.refused(world.user("pat").patch(world.sdk.User(mobile_phone="1")), 403)


async def pages_are_linked(world: World) -> None:
    """Give two of five users, and the way to the rest."""
    first = await world.sdk.list_users(top=2)
    assert len(first.value) == 2
    rest = await world.sdk.client.users.with_url(first.odata_next_link).get()
    assert len(rest.value) == 2


async def a_filter_reads_a_doubled_quote(world: World) -> None:
    """Find O'Brien and nobody else."""
    found = await world.sdk.list_users(filter="surname eq 'O''Brien'")
    assert [one.id for one in found.value] == [world.ids["obrien"]]


async def an_advanced_filter_wants_its_header(world: World) -> None:
    """Refuse the operator endsWith without ConsistencyLevel."""
    await world.refused(world.sdk.list_users(filter="endsWith(mail,'contoso.test')"), 400, "endsWith")


async def properties_come_when_selected(world: World) -> None:
    """Give eleven properties without $select, and with it those that it names."""
    unasked = await world.user("sam").get()
    asked = await world.sdk.read_user(world.ids["sam"], ["department"])
    assert (unasked.department, unasked.display_name) == (None, "Sam")
    assert (asked.department, asked.display_name) == ("Research", None)


async def a_member_is_added_once(world: World) -> None:
    """Refuse to add a member again."""
    body = world.sdk.ReferenceCreate(odata_id=world.reference(world.ids["ada"]))
    await world.refused(world.group("security").members.ref.post(body), 400, "already exist")


async def a_change_binds_twenty_members(world: World) -> None:
    """Refuse more than twenty references in one change."""
    links = [world.reference(world.ids["obrien"])] * 21
    patch = world.group("security").patch(world.sdk.Group(additional_data={"members@odata.bind": links}))
    await world.refused(patch, 400, "maximum of 20")


async def a_step_waits_for_what_it_depends_on(world: World) -> None:
    """Find a step 424 whose forerunner failed; by hand, as msgraph-core 1.5 spells dependsOn otherwise."""
    read = {"id": "2", "method": "GET", "url": f"/users/{world.ids['ada']}", "dependsOn": ["1"]}
    steps = [{"id": "1", "method": "GET", "url": f"/users/{NOBODY}"}, read]
    answer = await world.caller.send("POST", "/$batch", json={"requests": steps})
    assert [one["status"] for one in answer.json()["responses"]] == [404, 424]


async def a_deleted_user_waits_and_returns(world: World) -> None:
    """Keep a deleted user, and give its name back on restore."""
    await world.user("ada").delete()
    deleted = world.sdk.client.directory.deleted_items
    assert world.ids["ada"] in {one.id for one in (await deleted.graph_user.get()).value}
    restored = await deleted.by_directory_object_id(world.ids["ada"]).restore.post(None)
    assert restored.user_principal_name == "ada@contoso.test"


async def a_manager_that_is_not_there_is_not_found(world: World) -> None:
    """Find no manager of a user without one."""
    await world.refused(world.user("pat").manager.get(), 404)


async def a_token_opens_what_its_roles_say(world: World) -> None:
    """Refuse what the token has no right to: directory roles."""
    await world.refused(world.sdk.client.directory_roles.get(), 403)


async def a_token_runs_out(world: World) -> None:
    """Refuse a token after its lifetime."""
    world.clock.move(3600)
    await world.refused(world.user("ada").get(), 401, "expired")


async def a_taken_address_leaves_mail_alone_unsaid(world: World) -> None:
    """Store a mail that another holds as an address, make it none, and say nothing."""
    await world.user("obrien").patch(world.sdk.User(mail="ada@contoso.test"))
    read = await world.sdk.read_user(world.ids["obrien"], ["mail", "proxyAddresses"])
    assert (read.mail, read.proxy_addresses) == ("ada@contoso.test", [])


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        a_taken_upn_is_refused,
        a_taken_anchor_names_its_holder,
        a_domain_must_be_verified,
        a_read_only_property_is_refused,
        a_long_value_is_refused,
        a_list_is_never_null,
        a_synchronized_user_is_not_written,
        an_administrator_is_shielded,
        pages_are_linked,
        a_filter_reads_a_doubled_quote,
        an_advanced_filter_wants_its_header,
        properties_come_when_selected,
        a_member_is_added_once,
        a_change_binds_twenty_members,
        a_step_waits_for_what_it_depends_on,
        a_deleted_user_waits_and_returns,
        a_manager_that_is_not_there_is_not_found,
        a_token_opens_what_its_roles_say,
        a_token_runs_out,
        a_taken_address_leaves_mail_alone_unsaid,
    )
}
