"""The official client of Microsoft Graph drives the tenant: each understands what the other sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import TenantServer
from tests.contract.tenant.official_client import Sdk, installed, load, official_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.tenant.conftest import Caller, Connect

# The SDK warns of classes of its own while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ANCHOR = "q+8/AbCdEfGhIjKlMnOpQg=="


@pytest.fixture
async def sdk(caller: Caller, in_ci: bool) -> AsyncIterator[Sdk]:  # noqa: FBT001 (a fixture's value)
    """Give msgraph-sdk pointed at the tenant; without the package the tests are skipped, in CI they fail."""
    if not installed() and not in_ci:
        pytest.skip("msgraph-sdk is not installed: it is in the dependency group sdk")
    async with official_client(caller) as made:
        yield made


async def test_sdk_creates_reads_and_patches_a_user(sdk: Sdk) -> None:
    """Create, read with $select, patch and read again."""
    made = await sdk.client.users.post(sdk.person("grace", on_premises_immutable_id="abc+/w=="))
    assert made.user_principal_name == "grace@contoso.test"
    await sdk.client.users.by_user_id(made.id).patch(sdk.User(job_title="Admiral", business_phones=["1"]))
    read = await sdk.read_user(made.id, ["jobTitle", "businessPhones", "onPremisesImmutableId"])
    assert (read.job_title, read.business_phones, read.on_premises_immutable_id) == (
        "Admiral",
        ["1"],
        "abc+/w==",
    )


async def test_sdk_finds_by_anchor_and_counts(sdk: Sdk) -> None:
    """A filter with a plus sign in its value finds the user; an advanced query counts."""
    found = await sdk.list_users(filter=f"onPremisesImmutableId eq '{ANCHOR}'")
    assert [one.display_name for one in found.value] == ["Ada"]
    counted = await sdk.list_users(
        {"ConsistencyLevel": "eventual"}, filter="endsWith(mail,'contoso.test')", count=True, top=1
    )
    assert (counted.odata_count, len(counted.value)) == (2, 1)


async def test_sdk_follows_pages(sdk: Sdk) -> None:
    """The SDK's own page iterator walks over every page once."""
    iterator = load("msgraph_core.tasks.page_iterator:PageIterator")
    seen: list[str] = []

    def note(one: Any) -> bool:
        seen.append(one.display_name)
        return True

    first = await sdk.list_users(top=2)
    assert first.odata_next_link
    await iterator(first, sdk.client.request_adapter).iterate(note)
    assert seen == ["Ada", "Sam", "Pat", "Former", "O'Brien"]


async def test_sdk_raises_typed_errors(sdk: Sdk, ids: Any) -> None:
    """Error bodies are read as ODataError: status, code, message, details and the request id."""
    with pytest.raises(sdk.Error) as conflict:
        await sdk.client.users.post(sdk.person("ada"))
    assert conflict.value.response_status_code == 400
    assert conflict.value.error.code == "Request_BadRequest"
    assert [one.code for one in conflict.value.error.details] == ["ObjectConflict"]
    with pytest.raises(sdk.Error) as absent:
        await sdk.read_user("dddddddd-0000-4000-8000-000000000001", ["id"])
    assert absent.value.response_status_code == 404
    assert absent.value.error.inner_error.request_id
    with pytest.raises(sdk.Error) as synced:
        await sdk.client.users.by_user_id(ids["sam"]).patch(sdk.User(job_title="x"))
    assert "on-premises mastered" in synced.value.error.message


async def test_sdk_sets_and_clears_a_manager(sdk: Sdk, caller: Caller, ids: Any) -> None:
    """Manager by $ref: set, read as a user, removed."""
    reference = sdk.ReferenceUpdate(odata_id=f"{caller.server.url}/v1.0/users/{ids['ada']}")
    builder = sdk.client.users.by_user_id(ids["pat"]).manager
    await builder.ref.put(reference)
    manager = await builder.get()
    assert (type(manager).__name__, manager.display_name) == ("User", "Ada")
    await builder.ref.delete()
    with pytest.raises(sdk.Error):
        await builder.get()


async def test_sdk_works_with_groups_and_members(sdk: Sdk, caller: Caller, ids: Any) -> None:
    """Groups: create, upsert by uniqueName, add, list and remove members, typed by @odata.type."""
    made = await sdk.client.groups.post(
        sdk.Group(
            display_name="A", mail_nickname="a", mail_enabled=False, security_enabled=True, group_types=[]
        )
    )
    group = sdk.client.groups.by_group_id(made.id)
    for member in (ids["ada"], ids["security"]):
        await group.members.ref.post(
            sdk.ReferenceCreate(odata_id=f"{caller.server.url}/v1.0/directoryObjects/{member}")
        )
    members = (await group.members.get()).value
    assert [(type(one).__name__, one.id) for one in members] == [
        ("User", ids["ada"]),
        ("Group", ids["security"]),
    ]
    users = (await group.members.graph_user.get()).value
    assert [one.user_principal_name for one in users] == ["ada@contoso.test"]
    await group.members.by_directory_object_id(ids["ada"]).ref.delete()
    assert [one.id for one in (await group.members.get()).value] == [ids["security"]]
    await group.patch(sdk.Group(description="changed"))
    assert (await group.get()).description == "changed"


async def test_sdk_upserts_a_group_by_its_unique_name(sdk: Sdk) -> None:
    """Upsert by the alternate key: one group, whatever number of times it is sent."""
    configuration = sdk.configured({"Prefer": "create-if-missing"})
    body = sdk.Group(display_name="U", mail_nickname="u", mail_enabled=False, security_enabled=True)
    builder = sdk.client.groups_with_unique_name("ad-1")
    made = await builder.patch(body, request_configuration=configuration)
    assert made.unique_name == "ad-1"
    assert await builder.patch(body, request_configuration=configuration) is None
    assert (await builder.get()).id == made.id


async def test_sdk_deletes_and_restores(sdk: Sdk, ids: Any) -> None:
    """Delete, list the deleted users, restore."""
    await sdk.client.users.by_user_id(ids["obrien"]).delete()
    deleted = (await sdk.client.directory.deleted_items.graph_user.get()).value
    assert {one.id for one in deleted} == {ids["gone"], ids["obrien"]}
    restored = await sdk.client.directory.deleted_items.by_directory_object_id(ids["obrien"]).restore.post(
        None
    )
    assert restored.user_principal_name == "o'brien@contoso.test"


async def test_sdk_sends_a_batch(sdk: Sdk, ids: Any) -> None:
    """The SDK's batch builder: every step's status comes back under its id."""
    requests = "msgraph_core.requests"
    builder = load(f"{requests}.batch_request_builder:BatchRequestBuilder")
    content = load(f"{requests}.batch_request_content:BatchRequestContent")
    item = load(f"{requests}.batch_request_item:BatchRequestItem")
    asked = [
        sdk.client.users.by_user_id(ids["ada"]).to_get_request_information(),
        sdk.client.users.by_user_id("nobody@contoso.test").to_get_request_information(),
    ]
    items = [item(request_information=one) for one in asked]
    answer = await builder(sdk.client.request_adapter).post(content({one.id: one for one in items}))
    statuses = [answer.get_response_by_id(one.id).status for one in items]
    assert statuses == [200, 404]


async def test_sdk_reads_the_tenant(sdk: Sdk) -> None:
    """Organization and domains are read as their own types."""
    (organization,) = (await sdk.client.organization.get()).value
    assert organization.display_name == "Contoso"
    domains = (await sdk.client.domains.get()).value
    assert [one.id for one in domains if one.is_verified] == [
        "contoso.test",
        "contoso.onmicrosoft.test",
        "federated.test",
    ]


async def test_sdk_asks_for_roles_and_synchronization(sdk: Sdk, ids: Any) -> None:
    """The way up and objects by their ids are read as the types that they are."""
    above = await sdk.client.users.by_user_id(ids["pat"]).transitive_member_of.get()
    assert [type(one).__name__ for one in above.value] == ["DirectoryRole"]
    cast = await sdk.client.users.by_user_id(ids["ada"]).transitive_member_of.graph_group.get()
    assert [one.display_name for one in cast.value] == ["Engineers"]
    wanted = (
        "msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body:GetByIdsPostRequestBody"
    )
    found = await sdk.client.directory_objects.get_by_ids.post(load(wanted)(ids=[ids["ada"], ids["list"]]))
    assert [type(one).__name__ for one in found.value] == ["User", "Group"]


async def test_sdk_drives_the_synchronization_job(connect: Connect, seed: Any) -> None:
    """The job is found, its schema read, and one object provisioned on demand, all in the SDK's own types."""
    if not installed():
        pytest.skip("msgraph-sdk is not installed: it is in the dependency group sdk")
    grace = {"userPrincipalName": "grace@contoso.test", "onPremisesImmutableId": "R3JhY2U="}
    source = [{"dn": "CN=Grace,DC=contoso,DC=test", "properties": grace}]
    roles = [
        "Application.Read.All",
        "Synchronization.ReadWrite.All",
        "OnPremDirectorySynchronization.Read.All",
    ]
    more = {"roles": roles, "cloud_sync": {"domain": "contoso.test", "source": source}}
    async with TenantServer(seed={**seed, **more}) as server:
        caller = await connect(server)
        await caller.sign_in()
        async with official_client(caller) as sdk:
            (switches,) = (await sdk.client.directory.on_premises_synchronization.get()).value
            assert switches.features.block_soft_match_enabled is False
            (principal,) = (await sdk.client.service_principals.get()).value
            found = sdk.client.service_principals.by_service_principal_id(principal.id)
            jobs = found.synchronization.jobs
            (job,) = (await jobs.get()).value
            assert (job.template_id, job.status.code.name) == ("AD2AADProvisioning", "Active")
            builder = jobs.by_synchronization_job_id(job.id)
            (rule,) = (await builder.schema.get()).synchronization_rules
            assert len(rule.object_mappings[0].attribute_mappings) == 26
            answer = await builder.provision_on_demand.post(on_demand_body(rule.id, source[0]["dn"]))
            assert json.loads(answer.key)["result"] == "Success"
            assert json.loads(answer.value)["action"] == "Create"


def on_demand_body(rule_id: str, dn: Any) -> Any:
    """Make the body of provisionOnDemand from the SDK's models."""
    models = "msgraph.generated.models"
    parameters = load(
        f"{models}.synchronization_job_application_parameters:SynchronizationJobApplicationParameters"
    )
    subject = load(f"{models}.synchronization_job_subject:SynchronizationJobSubject")
    where = "msgraph.generated.service_principals.item.synchronization.jobs.item.provision_on_demand"
    body = load(f"{where}.provision_on_demand_post_request_body:ProvisionOnDemandPostRequestBody")
    one = subject(object_id=dn, object_type_name="user")
    return body(parameters=[parameters(rule_id=rule_id, subjects=[one])])
