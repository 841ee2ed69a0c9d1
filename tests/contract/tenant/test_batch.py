"""JSON batching: twenty steps, dependencies, a status and headers each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

JSON = {"Content-Type": "application/json"}


def step(step_id: str, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    """Make one request of a batch."""
    return {"id": step_id, "method": method, "url": url} | more


async def batch(caller: Caller, *steps: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Send a batch that must be 200 and give its responses by id."""
    response = await caller.send("POST", "/$batch", json={"requests": list(steps)})
    assert response.status_code == 200, response.text
    return {one["id"]: one for one in response.json()["responses"]}


async def test_each_step_has_its_own_status_headers_and_body(caller: Caller, ids: Any) -> None:
    """Batch: 200 as a whole; a step that is refused says so itself, a 204 has no body."""
    answers = await batch(
        caller,
        step("a", f"/users/{ids['ada']}?$select=id"),
        step("b", "users/nobody@contoso.test"),
        step("c", f"/users/{ids['ada']}", "PATCH", body={"jobTitle": "Reader"}, headers=JSON),
    )
    assert answers["a"]["status"] == 200
    assert answers["a"]["body"]["id"] == ids["ada"]
    assert answers["a"]["headers"]["Content-Type"].startswith("application/json")
    assert answers["b"]["status"] == 404
    assert answers["b"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert answers["c"]["status"] == 204
    assert "body" not in answers["c"]
    assert (await caller.get(f"/users/{ids['ada']}", _select="jobTitle"))["jobTitle"] == "Reader"


async def test_match_in_one_round_trip(caller: Caller, ids: Any) -> None:
    """Batch: filters with encoded plus signs, deleted items and a per-step ConsistencyLevel."""
    anchor = "onPremisesImmutableId%20eq%20'q%2B8%2FAbCdEfGhIjKlMnOpQg%3D%3D'"
    answers = await batch(
        caller,
        step("1", f"/users?$filter={anchor}&$select=id"),
        step("2", f"/directory/deletedItems/microsoft.graph.user?$filter={anchor}&$select=id"),
        step(
            "3",
            "/users?$filter=department ne 'x'&$count=true&$top=1",
            headers={"consistencylevel": "eventual"},
        ),
        step("4", "/users?$filter=department ne 'x'&$count=true&$top=1"),
    )
    assert answers["1"]["body"]["value"] == [{"id": ids["ada"]}]
    assert answers["2"]["body"]["value"] == []
    assert answers["3"]["body"]["@odata.count"] == 5
    assert answers["3"]["body"]["@odata.nextLink"].startswith(f"{caller.server.url}/v1.0/users?")
    assert answers["4"]["status"] == 400


async def test_a_step_waits_for_what_it_depends_on_and_fails_with_it(caller: Caller, ids: Any) -> None:
    """dependsOn: 424 for a step whose predecessor failed, and for those that depend on it in turn."""
    path = f"/users/{ids['ada']}"
    answers = await batch(
        caller,
        step("1", path, "PATCH", body={"jobTitle": "x" * 129}, headers=JSON),
        step("2", path, "PATCH", body={"city": "Paris"}, headers=JSON, dependsOn=["1"]),
        step("3", path, "PATCH", body={"city": "Rome"}, headers=JSON, dependsOn=["2"]),
        step("4", path),
    )
    assert [answers[one]["status"] for one in "1234"] == [400, 424, 424, 200]
    assert (await caller.get(path, _select="city"))["city"] is None


async def test_a_batch_holds_at_most_twenty_steps(caller: Caller) -> None:
    """Batch: twenty pass, twenty-one are refused as a whole."""
    steps = [step(str(number), "/organization") for number in range(21)]
    assert len(await batch(caller, *steps[:20])) == 20
    response = await caller.send("POST", "/$batch", json={"requests": steps})
    assert (response.status_code, response.json()["error"]["message"]) == (
        400,
        "Number of batch request steps exceeds the maximum value of 20.",
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "no requests"),
        ({"requests": []}, "none at all"),
        ({"requests": ["x"]}, "no object"),
        ({"requests": [step("1", "/users"), step("1", "/groups")]}, "an id twice"),
        ({"requests": [step("a", "/users"), step("A", "/groups")]}, "ids regardless of case"),
        ({"requests": [step("1", "/users", dependsOn=["2"]), step("2", "/users")]}, "depends on a later one"),
        ({"requests": [step("1", "/users", dependsOn="0")]}, "dependsOn is a list"),
        ({"requests": [{"id": "1", "url": "/users"}]}, "no method"),
        ({"requests": [{"id": 1, "method": "GET", "url": "/users"}]}, "an id is a text"),
        ({"requests": [step("1", "/users", "POST", body={})]}, "a body without its Content-Type"),
        ({"requests": [step("1", "/$batch", "POST", body={}, headers=JSON)]}, "a batch in a batch"),
    ],
)
async def test_malformed_batches_are_refused(caller: Caller, body: Any, reason: str) -> None:
    """Batch: a request that cannot be read is 400 and carries nothing out."""
    response = await caller.send("POST", "/$batch", json=body)
    assert response.status_code == 400, reason
    assert caller.server.ledger == []


async def test_writes_inside_a_batch_are_in_the_ledger_one_by_one(caller: Caller, ids: Any) -> None:
    """The ledger shows each step's write with its own outcome, and not the batch around it."""
    await batch(
        caller,
        step("1", f"/users/{ids['ada']}", "PATCH", body={"jobTitle": "Reader"}, headers=JSON),
        step("2", f"/users/{ids['sam']}", "PATCH", body={"jobTitle": "Reader"}, headers=JSON),
    )
    assert [(one["method"], one["path"], one["status"]) for one in caller.server.ledger] == [
        ("PATCH", f"/v1.0/users/{ids['ada']}", 204),
        ("PATCH", f"/v1.0/users/{ids['sam']}", 400),
    ]


async def test_one_step_can_be_throttled_alone(caller: Caller) -> None:
    """Throttling counts each step: 429 with Retry-After inside the step, the others pass."""
    caller.server.inject(
        {
            "match": {"path_regex": "^/v1.0/users"},
            "then": {"status": 429, "headers": {"Retry-After": "2.128"}},
        }
    )
    answers = await batch(caller, step("1", "/users"), step("2", "/groups"))
    assert (answers["1"]["status"], answers["2"]["status"]) == (429, 200)
    assert answers["1"]["headers"]["Retry-After"] == "2.128"
    assert answers["1"]["body"]["error"]["code"] == "TooManyRequests"
