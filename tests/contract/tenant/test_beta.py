"""The beta version: the same tenant, every property unasked, and the marks that it alone can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import TenantServer

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller, Connect

ADA = "aaaaaaaa-0000-4000-8000-000000000001"
SAM = "aaaaaaaa-0000-4000-8000-000000000002"
MARKS = {"onPremisesSamAccountName": "ada", "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1500"}


async def test_beta_is_the_same_tenant_and_shows_everything(caller: Caller, ids: Any) -> None:
    """What v1.0 wrote beta reads, with links of its own; a beta read names all properties unasked."""
    await caller.send("PATCH", f"/users/{ids['ada']}", json={"city": "London"})
    read = (await caller.http.get(f"/beta/users/{ids['ada']}")).json()
    assert (read["city"], read["onPremisesSyncEnabled"]) == ("London", None)
    assert "/beta/$metadata" in read["@odata.context"]
    assert "city" not in await caller.get(f"/users/{ids['ada']}")
    page = (await caller.http.get("/beta/users", params={"$top": "1"})).json()
    assert page["@odata.nextLink"].startswith(f"{caller.server.url}/beta/users?")
    steps = {"requests": [{"id": "1", "method": "GET", "url": f"/users/{ids['ada']}"}]}
    (step,) = (await caller.http.post("/beta/$batch", json=steps)).json()["responses"]
    assert step["body"]["city"] == "London"


@pytest.mark.parametrize(
    ("version", "who", "role", "status"),
    [
        pytest.param("beta", ADA, "Hybrid Identity Administrator", 204, id="documented"),
        pytest.param("beta", ADA, None, 403, id="without the directory role"),
        pytest.param("beta", SAM, "Hybrid Identity Administrator", 400, id="synchronized"),
        pytest.param("v1.0", ADA, "Hybrid Identity Administrator", 400, id="v1.0"),
    ],
)
async def test_marks_of_the_directory_are_set_in_beta_only(
    connect: Connect, seed: Any, version: str, *, who: str, role: str | None, status: int
) -> None:
    """Update user in beta stamps a cloud-only user with on-premises marks, for who holds the role."""
    async with TenantServer(seed={**seed, "application_roles": [role] if role else []}) as server:
        caller = await connect(server)
        await caller.sign_in()
        response = await caller.http.patch(f"/{version}/users/{who}", json=MARKS)
        assert response.status_code == status
        if status == 204:
            assert await caller.get(f"/users/{ADA}", _select=",".join(MARKS)) == MARKS | {
                "@odata.context": f"{server.url}/v1.0/$metadata#users({','.join(MARKS)})/$entity"
            }


async def test_many_objects_are_read_by_their_ids(caller: Caller, ids: Any) -> None:
    """POST getByIds: those that are there, typed, of the kinds asked for; a bad id is refused."""
    nobody = "dddddddd-0000-4000-8000-000000000001"
    asked = {"ids": [ids["ada"], ids["security"], nobody, ids["ada"]]}
    found = (await caller.send("POST", "/directoryObjects/getByIds", json=asked)).json()["value"]
    assert [(one["@odata.type"], one["id"]) for one in found] == [
        ("#microsoft.graph.user", ids["ada"]),
        ("#microsoft.graph.group", ids["security"]),
    ]
    groups = await caller.send("POST", "/directoryObjects/getByIds", json=asked | {"types": ["group"]})
    assert [one["id"] for one in groups.json()["value"]] == [ids["security"]]
    bodies: list[dict[str, Any]] = [{"ids": []}, {"ids": ["x"]}, {"ids": [nobody] * 1001}, {"ids": [1]}, {}]
    for bad in bodies:
        response = await caller.send("POST", "/directoryObjects/getByIds", json=bad)
        assert response.status_code == 400, bad
    assert caller.server.ledger == []
