"""The fault switchboard: throttled, unavailable, slow, dropped and lagging answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

GRACE: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "Grace",
    "mailNickname": "grace",
    "userPrincipalName": "grace@contoso.test",
    "passwordProfile": {"password": "Long-enough-9"},
}


async def inject(caller: Caller, *faults: dict[str, Any]) -> httpx.Response:
    """Post fault rules."""
    return await caller.http.post("/_sandbox/faults", json=list(faults))


@pytest.mark.parametrize("wait", ["7", "2.128", "Sat, 14 Mar 2026 15:09:40 GMT"])
async def test_throttled_in_three_forms(caller: Caller, wait: str) -> None:
    """429 TooManyRequests with Retry-After as whole seconds, a fraction or a date; nothing is carried out."""
    then = {"status": 429, "headers": {"Retry-After": wait, "x-ms-throttle-scope": "Tenant/ReadWrite/a/b"}}
    await inject(caller, {"match": {"method": "POST", "path_regex": "^/v1.0/users$"}, "then": then})
    response = await caller.send("POST", "/users", json=GRACE)
    assert (response.status_code, response.headers["Retry-After"]) == (429, wait)
    assert response.headers["x-ms-throttle-scope"] == "Tenant/ReadWrite/a/b"
    assert response.json()["error"]["code"] == "TooManyRequests"
    assert (await caller.send("GET", "/users/grace@contoso.test")).status_code == 404
    assert (await caller.send("POST", "/users", json=GRACE)).status_code == 201


async def test_a_fault_strikes_as_often_as_it_says(caller: Caller) -> None:
    """times: three strikes and then the call passes; null is for ever, until the faults are cleared."""
    await inject(caller, {"match": {"path_regex": "/domains"}, "times": 3, "then": {"status": 503}})
    assert [(await caller.send("GET", "/domains")).status_code for _ in range(4)] == [503, 503, 503, 200]
    await inject(caller, {"match": {"path_regex": "/domains"}, "times": None, "then": {"status": 504}})
    assert [(await caller.send("GET", "/domains")).status_code for _ in range(5)] == [504] * 5
    assert (await caller.send("GET", "/organization")).status_code == 200
    await caller.http.request("DELETE", "/_sandbox/faults")
    assert (await caller.send("GET", "/domains")).status_code == 200


async def test_code_and_message_are_the_posters(caller: Caller) -> None:
    """A fault can speak in any words: an unknown code, a claims challenge."""
    challenge = 'Bearer error="insufficient_claims", claims="e30="'
    then = {"status": 401, "code": "Strange", "message": "words", "headers": {"WWW-Authenticate": challenge}}
    await inject(caller, {"then": then})
    response = await caller.send("GET", "/users")
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["message"]) == (401, "Strange", "words")
    assert response.headers["WWW-Authenticate"] == challenge


async def test_a_write_can_be_applied_and_its_answer_lost(caller: Caller) -> None:
    """apply_then_status: the caller is told 504, the user is there, and the ledger tells both."""
    await inject(caller, {"match": {"method": "POST"}, "then": {"apply_then_status": 504}})
    assert (await caller.send("POST", "/users", json=GRACE)).status_code == 504
    assert (await caller.send("GET", "/users/grace@contoso.test")).status_code == 200
    entry = caller.server.ledger[0]
    assert (entry["status"], entry["answered"], entry["applied"]) == (201, 504, True)


@pytest.mark.parametrize(("drop", "found"), [("before", 404), ("after", 200)])
async def test_a_connection_can_drop_before_or_after_the_write(caller: Caller, drop: str, found: int) -> None:
    """drop: no answer at all; only the state tells whether the write was carried out."""
    await inject(caller, {"match": {"method": "POST"}, "then": {"drop": drop}})
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.send("POST", "/users", json=GRACE)
    assert (await caller.send("GET", "/users/grace@contoso.test")).status_code == found
    requests = (await caller.http.get("/_sandbox/requests")).json()
    assert {"method": "POST", "path": "/v1.0/users", "status": None} in requests
    assert [entry["answered"] for entry in caller.server.ledger] == ([] if drop == "before" else [None])


async def test_a_slow_answer_comes_late(caller: Caller) -> None:
    """delay_s: longer than the caller's patience, and the write is carried out all the same."""
    await inject(caller, {"match": {"method": "POST"}, "then": {"delay_s": 0.2}})
    with pytest.raises(httpx.ReadTimeout):
        await caller.send("POST", "/users", json=GRACE, timeout=httpx.Timeout(10, read=0.05))
    async with asyncio.timeout(10):
        while (await caller.send("GET", "/users/grace@contoso.test")).status_code == 404:  # noqa: ASYNC110 (no event crosses HTTP)
            await asyncio.sleep(0.02)
    assert [entry["status"] for entry in caller.server.ledger] == [201]


async def test_replicas_lag_behind_a_create(caller: Caller) -> None:
    """stale_reads: a fresh id is 404 for so many reads, inside a batch too, and then it is there."""
    await inject(caller, {"match": {"method": "POST"}, "then": {"stale_reads": 3}})
    made = (await caller.send("POST", "/users", json=GRACE)).json()["id"]
    assert (await caller.send("GET", f"/users/{made}")).status_code == 404
    asked = {"requests": [{"id": "1", "method": "GET", "url": f"/users/{made}"}]}
    assert (await caller.send("POST", "/$batch", json=asked)).json()["responses"][0]["status"] == 404
    assert await caller.names("/users", _filter="userPrincipalName eq 'grace@contoso.test'") == []
    assert (await caller.send("GET", f"/users/{made}")).status_code == 200


async def test_replicas_lag_behind_an_update_while_writes_see_the_truth(caller: Caller, ids: Any) -> None:
    """stale_reads: reads give the old value, a second write works on the new one."""
    path = f"/users/{ids['ada']}"
    await inject(caller, {"match": {"method": "PATCH"}, "then": {"stale_reads": 1}})
    assert (
        await caller.send("PATCH", path, json={"userPrincipalName": "countess@contoso.test"})
    ).status_code == 204
    taken = await caller.send("POST", "/users", json=GRACE | {"userPrincipalName": "countess@contoso.test"})
    assert taken.status_code == 400
    assert (await caller.get(path))["userPrincipalName"] == "ada@contoso.test"
    assert (await caller.get(path))["userPrincipalName"] == "countess@contoso.test"


async def test_the_login_can_fail_too(anonymous: Caller) -> None:
    """Faults match the token endpoint as well: status, Retry-After, dropped."""
    token = {"path_regex": "/oauth2/v2.0/token"}
    await inject(anonymous, {"match": token, "then": {"status": 503, "headers": {"Retry-After": "1"}}})
    path = "/contoso.test/oauth2/v2.0/token"
    response = await anonymous.http.post(path, data={})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    await inject(anonymous, {"match": token, "then": {"drop": "after"}})
    with pytest.raises(httpx.RemoteProtocolError):
        await anonymous.http.post(path, data={})
    await anonymous.sign_in()
    assert (await anonymous.send("GET", "/users")).status_code == 200


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"then": {}},
        {"then": {"explode": True}},
        {"then": {"status": "503"}},
        {"then": {"status": 503}, "times": 0},
        {"then": {"status": 503}, "match": {"path": "/users"}},
        {"then": {"status": 503}, "match": {"path_regex": "("}},
        {"then": {"drop": "sometime"}},
        {"then": {"status": 503}, "match": {"part": "half"}},
        {"then": {"status": 429, "retry_after": {"form": "moon"}}},
        {"then": {"delay_s": -1}},
        {"kind": "earthquake"},
        {"kind": ["slow"]},
        {"kind": "slow", "seconds": "2"},
        {"kind": "token-expired", "seconds": 2},
        {"kind": "slow", "then": {}},
        "503",
    ],
)
async def test_rules_that_do_not_fit_are_refused(caller: Caller, rule: Any) -> None:
    """A fault rule with a slip is 400 with a reason, and none of its list is taken."""
    response = await caller.http.post("/_sandbox/faults", json=[{"then": {"status": 503}}, rule])
    assert response.status_code == 400
    assert response.json()["error"]
    assert (await caller.http.get("/_sandbox/faults")).json()["active"] == []


async def test_rules_in_force_can_be_read(caller: Caller) -> None:
    """GET faults shows what is still to strike."""
    rule = {"match": {"path_regex": "/users", "method": "GET"}, "times": 2, "then": {"status": 503}}
    await inject(caller, rule)
    await caller.send("GET", "/users")
    shown = (await caller.http.get("/_sandbox/faults")).json()
    assert shown["active"] == [rule | {"times": 1, "kind": None, "label": None}]
    assert shown["struck"] == [{"kind": None, "label": None, "method": "GET", "path": "/v1.0/users"}]
