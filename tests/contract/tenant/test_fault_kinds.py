"""The named faults of the switchboard: what each does to the next call, and how they are switched."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.tenant import FaultError

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

GRACE: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "Grace",
    "mailNickname": "grace",
    "userPrincipalName": "grace@contoso.test",
    "passwordProfile": {"password": "Long-enough-9"},
}
PAGE = "/_sandbox/faults"


async def switch_on(caller: Caller, kind: str, **more: Any) -> None:
    """Switch a named fault on."""
    response = await caller.http.post(PAGE, json={"kind": kind, **more})
    assert response.status_code == 200, response.text


async def created(caller: Caller) -> bool:
    """Say whether Grace is there, whatever a create was answered."""
    return (await caller.send("GET", "/users/grace@contoso.test")).status_code == 200


async def test_the_switchboard_lists_its_kinds_for_people(caller: Caller) -> None:
    """GET faults: every kind has a name, a label and a description; nothing is on."""
    shown = (await caller.http.get(PAGE)).json()
    assert (shown["active"], shown["struck"]) == ([], [])
    labels = [kind["label"] for kind in shown["kinds"]]
    assert len(labels) == len(set(labels)) == 17
    assert all(re.fullmatch(r"[a-z-]+", kind["kind"]) and kind["description"] for kind in shown["kinds"])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("throttled-seconds", "3"),
        ("throttled-fraction", "2.128"),
        ("throttled-date", "Sat, 14 Mar 2026 15:09:29 GMT"),
        ("throttled-silent", None),
    ],
)
async def test_throttling_has_four_forms(caller: Caller, kind: str, expected: str | None) -> None:
    """429 once, with Retry-After as a number, a fraction, a date, or not at all."""
    await switch_on(caller, kind)
    response = await caller.send("GET", "/users")
    assert (response.status_code, response.headers.get("Retry-After")) == (429, expected)
    assert (await caller.send("GET", "/users")).status_code == 200


async def test_the_wait_and_the_number_of_strikes_are_the_callers(caller: Caller) -> None:
    """A kind takes seconds, times and a match of its own."""
    await switch_on(
        caller, "throttled-seconds", seconds=0.4, times=2, match={"method": "GET", "path_regex": "/domains"}
    )
    assert (await caller.send("GET", "/users")).status_code == 200
    answers = [await caller.send("GET", "/domains") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"


async def test_one_step_of_a_batch_is_throttled_alone(caller: Caller, ids: Any) -> None:
    """Inside the batch: 200 for the whole, 429 and Retry-After in one step, the rest answered."""
    await switch_on(caller, "throttled-step")
    asked = [{"id": str(n), "method": "GET", "url": f"/users/{ids['ada']}"} for n in (1, 2)]
    batch = await caller.send("POST", "/$batch", json={"requests": asked})
    steps = batch.json()["responses"]
    assert (batch.status_code, [step["status"] for step in steps]) == (200, [429, 200])
    assert steps[0]["headers"]["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("kind", "status", "applied"),
    [
        ("unavailable-before", 503, False),
        ("unavailable-after", 503, True),
        ("timed-out-before", 504, False),
        ("timed-out-after", 504, True),
    ],
)
async def test_a_write_fails_before_or_after_it_is_applied(
    caller: Caller, kind: str, *, status: int, applied: bool
) -> None:
    """The same answer twice over: once nothing was written, once all of it was. Reads and batches pass."""
    await switch_on(caller, kind)
    asked = {"requests": [{"id": "1", "method": "GET", "url": "/users"}]}
    assert (await caller.send("POST", "/$batch", json=asked)).status_code == 200
    assert (await caller.send("POST", "/users", json=GRACE)).status_code == status
    assert await created(caller) is applied


@pytest.mark.parametrize(("kind", "applied"), [("dropped-before", False), ("dropped-after", True)])
async def test_a_connection_ends_before_or_after_the_write(
    caller: Caller, kind: str, *, applied: bool
) -> None:
    """No answer at all; the state alone tells."""
    await switch_on(caller, kind)
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.send("POST", "/users", json=GRACE)
    assert await created(caller) is applied


async def test_slow_lasts_until_it_is_switched_off(caller: Caller) -> None:
    """Every call takes the time, and none does once the kind is off."""
    await switch_on(caller, "slow", seconds=0.1)
    started = time.monotonic()
    await asyncio.gather(caller.send("GET", "/users"), caller.send("GET", "/domains"))
    assert time.monotonic() - started >= 0.1
    assert (await caller.http.get(PAGE)).json()["active"][0]["times"] is None
    await caller.http.delete(PAGE, params={"kind": "slow"})
    assert (await caller.http.get(PAGE)).json()["active"] == []


async def test_reads_lag_behind_a_write(caller: Caller) -> None:
    """Three reads still see the tenant as it was."""
    await switch_on(caller, "replica-lag")
    assert (await caller.send("POST", "/users", json=GRACE)).status_code == 201
    assert [await created(caller) for _ in range(4)] == [False, False, False, True]


async def test_a_token_runs_out_and_is_called_back(caller: Caller) -> None:
    """401 once without and once with a claims challenge that can be read; the next call passes."""
    await switch_on(caller, "token-expired")
    expired = await caller.send("GET", "/users")
    assert (expired.status_code, expired.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    await switch_on(caller, "claims-challenge")
    called_back = await caller.send("GET", "/users")
    header = called_back.headers["WWW-Authenticate"]
    claims = re.search(r'claims="([^"]+)"', header)
    assert called_back.status_code == 401
    assert claims is not None
    assert "access_token" in json.loads(base64.b64decode(claims[1]))
    assert (await caller.send("GET", "/users")).status_code == 200


async def test_the_permission_to_write_is_taken_away_and_given_back(caller: Caller) -> None:
    """The old token has run out, a new one reads and is refused 403 to write, until the fault is off."""
    await switch_on(caller, "role-missing")
    assert (await caller.send("GET", "/users")).status_code == 401
    await caller.sign_in()
    assert (await caller.send("GET", "/users")).status_code == 200
    refused = await caller.send("POST", "/users", json=GRACE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    (struck,) = (await caller.http.get(PAGE)).json()["struck"]
    assert struck["label"] == "Permission to write taken away"
    await caller.http.post(PAGE)
    await caller.sign_in()
    assert (await caller.send("POST", "/users", json=GRACE)).status_code == 201


async def test_sign_in_is_unavailable(anonymous: Caller) -> None:
    """The token endpoint answers 503 in the words of the login service."""
    await switch_on(anonymous, "sign-in-unavailable")
    response = await anonymous.http.post("/contoso.test/oauth2/v2.0/token", data={})
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")


@pytest.mark.parametrize("nothing", [b"", b"{}", b"[]"])
async def test_posting_nothing_switches_all_off(caller: Caller, nothing: bytes) -> None:
    """An empty body, object or list clears; what was on is told at each POST."""
    answer = (await caller.http.post(PAGE, json=[{"kind": "slow"}, {"then": {"status": 503}}])).json()
    assert [one["kind"] for one in answer["active"]] == ["slow", None]
    assert (await caller.http.post(PAGE, content=nothing)).json() == {"ok": True, "active": []}


async def test_strikes_are_remembered_by_their_label(caller: Caller) -> None:
    """What has struck is shown, so that a person sees that the fault has hit."""
    await switch_on(caller, "token-expired")
    await caller.send("GET", "/users")
    (struck,) = (await caller.http.get(PAGE)).json()["struck"]
    assert struck == {
        "kind": "token-expired",
        "label": "Access token run out",
        "method": "GET",
        "path": "/v1.0/users",
    }


async def test_one_process_switches_without_http(server: Any) -> None:
    """TenantServer: inject, faults and clear_faults do what the HTTP calls do."""
    server.inject({"kind": "slow"})
    assert [one["label"] for one in server.faults()["active"]] == ["Slow answers"]
    server.clear_faults("slow")
    assert server.faults()["active"] == []
    with pytest.raises(FaultError):
        server.clear_faults("earthquake")
