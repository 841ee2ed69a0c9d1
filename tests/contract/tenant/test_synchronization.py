"""Synchronization: switches, principal, job, schema, and an object provisioned by the job on demand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import SeedError, TenantServer

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller, Clock, Connect

ROLES = [
    "User.Read.All",
    "Application.Read.All",
    "Synchronization.ReadWrite.All",
    "OnPremDirectorySynchronization.Read.All",
]
ANCHOR_OF_ADA = "q+8/AbCdEfGhIjKlMnOpQg=="
TEMPLATE = "1a4721b3-e57f-4451-ae87-ef078703ec94"


def source(name: str, anchor: str, **more: Any) -> dict[str, Any]:
    """Make what the agent finds under a distinguished name."""
    in_scope = more.pop("in_scope", True)
    upn = f"{name.lower()}@contoso.test"
    properties = {"userPrincipalName": upn, "displayName": name, "onPremisesImmutableId": anchor, **more}
    return {"dn": f"CN={name},DC=contoso,DC=test", "in_scope": in_scope, "properties": properties}


@pytest.fixture
def seed(seed: dict[str, Any]) -> dict[str, Any]:
    """Give the tenant a job and a few directory objects."""
    found = [
        source("Grace", "R3JhY2VHcmFjZUdyYWNlRw==", jobTitle="Admiral"),
        source("Ada", ANCHOR_OF_ADA, jobTitle="Analyst"),
        source("Pat", "UGF0UGF0UGF0UGF0UGF0UA=="),
        source("Temp", "VGVtcFRlbXBUZW1wVGVtcA==", in_scope=False),
        source("Long", "TG9uZ0xvbmdMb25nTG9uZw==", city="x" * 200),
        source("Twin", "VHdpblR3aW5Ud2luVHdpbg==", proxyAddresses=["SMTP:ada@contoso.test"]),
    ]
    switches = {"blockSoftMatchEnabled": True}
    return {
        **seed,
        "roles": ROLES,
        "cloud_sync": {"domain": "contoso.test", "source": found, "features": switches},
    }


@pytest.fixture
async def jobs(caller: Caller) -> str:
    """Give the path of the jobs, found as an engine would: by the template of the principal."""
    found = await caller.get("/servicePrincipals", _filter=f"applicationTemplateId eq '{TEMPLATE}'")
    (principal,) = found["value"]
    assert principal["displayName"] == "contoso.test"
    return f"/servicePrincipals/{principal['id']}/synchronization/jobs"


async def ask(caller: Caller, jobs: str, dn: str, **change: Any) -> Any:
    """Ask the job for one object by its name; give the answer."""
    (job,) = (await caller.get(jobs))["value"]
    schema = await caller.get(f"{jobs}/{job['id']}/schema")
    subject = {"objectId": dn, "objectTypeName": "user"}
    parameter = {"ruleId": schema["synchronizationRules"][0]["id"], "subjects": [subject], **change}
    return await caller.send(
        "POST", f"{jobs}/{job['id']}/provisionOnDemand", json={"parameters": [parameter]}
    )


async def outcome(caller: Caller, jobs: str, name: str) -> tuple[str, str, list[str]]:
    """Ask for one person; give result, action and the kinds of the steps."""
    answer = (await ask(caller, jobs, f"cn={name},dc=contoso,dc=test")).json()
    key, value = json.loads(answer["key"]), json.loads(answer["value"])
    return key["result"], value["action"], [step["type"] for step in value["provisioningSteps"]]


async def test_switches_of_the_tenant_can_be_read(caller: Caller) -> None:
    """GET onPremisesSynchronization: one element, all features, the seed's over the defaults."""
    (found,) = (await caller.get("/directory/onPremisesSynchronization"))["value"]
    assert len(found["features"]) == 20
    assert found["features"]["blockSoftMatchEnabled"] is True
    assert found["features"]["blockCloudObjectTakeoverThroughHardMatchEnabled"] is False


async def test_the_job_and_its_schema_can_be_read(caller: Caller, jobs: str) -> None:
    """Job: template, schedule and status; schema: one rule with mappings of users and groups."""
    (job,) = (await caller.get(jobs))["value"]
    assert job["id"].startswith("AD2AADProvisioning.11111111222243338444555555555555.")
    assert (job["templateId"], job["status"]["code"]) == ("AD2AADProvisioning", "Active")
    assert (await caller.get(f"{jobs}/{job['id']}"))["id"] == job["id"]
    schema = await caller.get(f"{jobs}/{job['id']}/schema")
    (rule,) = schema["synchronizationRules"]
    assert [mapping["targetObjectName"] for mapping in rule["objectMappings"]] == ["User", "Group"]
    assert {one["name"] for one in schema["directories"]} == {"Active Directory", "Microsoft Entra ID"}
    assert (await caller.send("GET", f"{jobs}/another/schema")).status_code == 404


@pytest.mark.parametrize(
    ("name", "result", "action", "steps"),
    [
        pytest.param("Grace", "Success", "Create", ["Import", "Scoping", "Matching", "Export"], id="new"),
        pytest.param("Ada", "Success", "Update", ["Import", "Scoping", "Matching", "Export"], id="differs"),
        pytest.param("Temp", "Skipped", "Other", ["Import", "Scoping", "Export"], id="out of scope"),
        pytest.param("Pat", "Failure", "Create", ["Import", "Scoping", "Matching", "Export"], id="UPN taken"),
        pytest.param("Twin", "Failure", "Create", ["Import", "Scoping", "Matching", "Export"], id="address"),
        pytest.param("Long", "Failure", "Create", ["Import", "Scoping", "Matching", "Export"], id="too long"),
        pytest.param("Nobody", "Failure", "Other", ["Import"], id="not in the directory"),
    ],
)
async def test_the_job_does_what_it_reports(  # noqa: PLR0917 (a row of the table)
    caller: Caller, jobs: str, name: str, result: str, action: str, steps: list[str]
) -> None:
    """On demand: imports, scopes, matches and exports; the answer's texts hold each step."""
    assert await outcome(caller, jobs, name) == (result, action, steps)


async def test_an_object_provisioned_by_the_job_is_synchronized(caller: Caller, jobs: str) -> None:
    """The call writes: the user is there, marked as synchronized, and asking again finds nothing to do."""
    await outcome(caller, jobs, "Grace")
    select = "jobTitle,onPremisesSyncEnabled,onPremisesDistinguishedName"
    grace = await caller.get("/users/grace@contoso.test", _select=select)
    assert (grace["jobTitle"], grace["onPremisesSyncEnabled"]) == ("Admiral", True)
    assert grace["onPremisesDistinguishedName"] == "CN=Grace,DC=contoso,DC=test"
    assert await outcome(caller, jobs, "Grace") == (
        "Skipped",
        "Other",
        ["Import", "Scoping", "Matching", "Export"],
    )


async def test_the_sixth_call_in_ten_seconds_waits(caller: Caller, jobs: str, clock: Clock) -> None:
    """Five calls in ten seconds; the sixth is 429 with the rest of the ten seconds."""
    clock.move(1)
    for _ in range(5):
        assert (await ask(caller, jobs, "CN=Ada,DC=contoso,DC=test")).status_code == 200
    clock.move(4)
    refused = await ask(caller, jobs, "CN=Ada,DC=contoso,DC=test")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "6")
    clock.move(7)
    assert (await ask(caller, jobs, "CN=Ada,DC=contoso,DC=test")).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"ruleId": "another"},
        {"subjects": []},
        {"subjects": "CN=x"},
        {"subjects": [{"objectId": "CN=x", "objectTypeName": "device"}]},
        {"subjects": [{"objectTypeName": "user"}]},
    ],
)
async def test_a_request_that_does_not_fit_is_refused(caller: Caller, jobs: str, change: Any) -> None:
    """On demand takes one user by the job's own rule."""
    assert (await ask(caller, jobs, "CN=x", **change)).status_code == 400


async def test_no_agent_answers(connect: Connect, seed: Any) -> None:
    """Without an agent the call is answered 200, and the failure is in its texts."""
    seed["cloud_sync"] |= {"agent": False, "quarantine": "EncounteredQuarantineException"}
    async with TenantServer(seed=seed) as server:
        caller = await connect(server)
        await caller.sign_in()
        (principal,) = (await caller.get("/servicePrincipals"))["value"]
        jobs = f"/servicePrincipals/{principal['id']}/synchronization/jobs"
        assert (await caller.get(jobs))["value"][0]["status"]["code"] == "Quarantine"
        answer = (await ask(caller, jobs, "CN=Ada,DC=contoso,DC=test")).json()
        assert json.loads(answer["key"])["details"]["errorCode"] == "HybridIdentityServiceNoActiveAgents"


@pytest.mark.parametrize(
    "given",
    [
        {"domain": ""},
        {"domain": "x", "speed": 1},
        {"domain": "x", "features": {"fly": True}},
        {"domain": "x", "source": [{"dn": "CN=x"}]},
        {"domain": "x", "source": [source("Y", "YWFh", shoeSize="44")]},
        {"domain": "x", "source": [{"dn": "CN=x", "properties": {"userPrincipalName": "x@contoso.test"}}]},
    ],
)
def test_a_job_of_the_seed_is_checked(seed: Any, given: Any) -> None:
    """Slips in cloud_sync are named when the tenant is made."""
    with pytest.raises(SeedError):
        TenantServer(seed={**seed, "cloud_sync": given})
