"""What every answer carries, how paths are read, the sandbox's own calls, and what a seed may hold."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from sandbox.tenant import SeedError, TenantServer

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller, Clock, Connect

GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
NEW: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "Grace",
    "mailNickname": "grace",
    "userPrincipalName": "grace@contoso.test",
    "passwordProfile": {"password": "Long-enough-9"},
}


async def test_every_answer_carries_the_headers_that_support_asks_for(caller: Caller, ids: Any) -> None:
    """Good and bad answers carry request-id, client-request-id (echoed), diagnostics, Date and HSTS."""
    for path, status in ((f"/users/{ids['ada']}", 200), ("/users/nobody@contoso.test", 404)):
        response = await caller.send("GET", path, headers={"client-request-id": "my-own-id"})
        assert response.status_code == status
        assert GUID.fullmatch(response.headers["request-id"])
        assert response.headers["client-request-id"] == "my-own-id"
        assert "ServerInfo" in json.loads(response.headers["x-ms-ags-diagnostic"])
        assert response.headers["Date"] == "Sat, 14 Mar 2026 15:09:26 GMT"
        assert response.headers["Strict-Transport-Security"].startswith("max-age=")
        assert response.headers["Content-Type"].startswith("application/json")
    without = await caller.send("GET", "/users")
    assert without.headers["client-request-id"] == without.headers["request-id"]


async def test_an_error_body_names_date_and_ids(caller: Caller) -> None:
    """Error bodies: code, message and innerError with date, request-id and client-request-id."""
    response = await caller.send("GET", "/users/nobody@contoso.test", headers={"client-request-id": "mine"})
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "innerError"}
    assert body["error"]["innerError"] == {
        "date": "2026-03-14T15:09:26",
        "request-id": response.headers["request-id"],
        "client-request-id": "mine",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1.0/nonsense", 400, "Resource not found for the segment 'nonsense'."),
        ("GET", "/v1.0/users/x@y.z/nonsense", 400, "Resource not found for the segment 'nonsense'."),
        ("GET", "/v1.0/users/x@y.z/manager/nonsense", 400, "Resource not found for the segment 'nonsense'."),
        ("GET", "/v1.0", 400, "Resource not found for the segment ''."),
        ("GET", "/v2.0/users", 400, "Invalid version: v2.0"),
        ("PUT", "/v1.0/users", 405, "Specified HTTP method is not allowed for the request target."),
        ("DELETE", "/v1.0/domains", 405, "Specified HTTP method is not allowed for the request target."),
        ("GET", "/v1.0/$batch", 405, "Specified HTTP method is not allowed for the request target."),
    ],
)
async def test_paths_that_are_not_in_the_model(
    caller: Caller, method: str, path: str, status: int, message: str
) -> None:
    """A wrong segment is 400 by name, a wrong method 405, a wrong version 400."""
    response = await caller.http.request(method, path)
    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "application/json", "Empty Payload. JSON content expected."),
        (b"{", "application/json", "Unable to read JSON request payload."),
        (b"[]", "application/json", "Unable to read JSON request payload."),
        (b'{"a": NaN}', "application/json", "Unable to read JSON request payload."),
        (b"\xff\xfe", "application/json", "Unable to read JSON request payload."),
        (b"[" * 100_000, "application/json", "Unable to read JSON request payload."),
        (
            b"{}",
            "text/plain",
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        ),
    ],
)
async def test_bodies_that_cannot_be_read(caller: Caller, content: bytes, kind: str, message: str) -> None:
    """A write wants a JSON object and says that it is one."""
    response = await caller.send("POST", "/users", content=content, headers={"Content-Type": kind})
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(message)


async def test_users_are_addressed_in_every_odata_form(caller: Caller, ids: Any) -> None:
    """An id or UPN as a segment or as a quoted key, escaped as RFC 3986 and OData want it."""
    for path in (f"/users/{ids['obrien']}", "/users/o'brien@contoso.test", "/users('o''brien@contoso.test')"):
        assert (await caller.get(path))["id"] == ids["obrien"]
    assert (await caller.get(f"/users/{ids['obrien'].upper()}"))["id"] == ids["obrien"]
    assert (await caller.get(f"/directoryObjects/{ids['security']}"))[
        "@odata.type"
    ] == "#microsoft.graph.group"
    assert (await caller.send("GET", f"/users/{ids['security']}")).status_code == 404
    assert (await caller.send("GET", "/users(mail='ada@contoso.test')")).status_code == 400
    assert (await caller.send("GET", "/groups(displayName='Engineers')")).status_code == 400


async def test_organization_and_domains(caller: Caller) -> None:
    """GET /organization and /domains show what the seed says, verified domains and federation included."""
    (organization,) = (await caller.get("/organization"))["value"]
    assert (organization["displayName"], organization["onPremisesSyncEnabled"]) == ("Contoso", None)
    assert (await caller.get("/domains", _select="id"))["value"][0] == {"id": "contoso.test"}
    domains = {one["id"]: one for one in (await caller.get("/domains"))["value"]}
    assert domains["contoso.test"]["isDefault"] is True
    assert domains["contoso.onmicrosoft.test"]["isInitial"] is True
    assert domains["federated.test"]["authenticationType"] == "Federated"
    assert domains["unverified.test"]["isVerified"] is False
    assert [one["name"] for one in organization["verifiedDomains"]] == [
        "contoso.test",
        "contoso.onmicrosoft.test",
        "federated.test",
    ]


async def test_the_ledger_keeps_every_write_in_order_and_no_password(caller: Caller, ids: Any) -> None:
    """The ledger: method, path, body, status, time and client-request-id of each write, refused ones too."""
    await caller.send("POST", "/users", json=NEW, headers={"client-request-id": "first"})
    await caller.send("PATCH", f"/users/{ids['sam']}", json={"city": "x"})
    await caller.send("GET", "/users")
    await caller.send("DELETE", f"/users/{ids['ada']}")
    ledger = (await caller.http.get("/_sandbox/ledger")).json()
    assert [(one["method"], one["path"], one["status"]) for one in ledger] == [
        ("POST", "/v1.0/users", 201),
        ("PATCH", f"/v1.0/users/{ids['sam']}", 400),
        ("DELETE", f"/v1.0/users/{ids['ada']}", 204),
    ]
    assert [one["applied"] for one in ledger] == [True, False, True]
    assert ledger[0]["body"] == NEW | {"passwordProfile": {"password": "[redacted]"}}
    assert (ledger[0]["client-request-id"], ledger[0]["time"]) == ("first", "2026-03-14T15:09:26Z")
    assert ledger[2]["body"] is None
    assert ledger == caller.server.ledger


async def test_requests_are_kept_with_their_status(caller: Caller) -> None:
    """Every request to login and Graph is noted, the sandbox's own calls are not."""
    await caller.send("GET", "/users?$top=1")
    requests = (await caller.http.get("/_sandbox/requests")).json()
    assert requests[-1] == {"method": "GET", "path": "/v1.0/users?$top=1", "status": 200}
    assert requests[0]["path"].endswith("/oauth2/v2.0/token")
    assert not any("_sandbox" in one["path"] for one in requests)


async def test_reset_puts_everything_back_and_ids_repeat(caller: Caller) -> None:
    """Reset: objects, ledger, requests and faults as at the start, and the next ids the same."""
    first = (await caller.send("POST", "/users", json=NEW)).json()["id"]
    await caller.http.post("/_sandbox/faults", json={"then": {"status": 503}})
    assert (await caller.http.post("/_sandbox/reset")).json() == {"ok": True}
    assert (await caller.http.get("/_sandbox/ledger")).json() == []
    await caller.send("GET", "/users")
    assert (await caller.send("POST", "/users", json=NEW)).json()["id"] == first


async def test_a_tenant_of_ones_own_is_posted(caller: Caller, seed: dict[str, Any]) -> None:
    """Reset with a seed: its objects are there from now on; a slip in one is 400 and changes nothing."""
    grace = {"id": "cccccccc-0000-4000-8000-00000000000a", "userPrincipalName": "grace@contoso.test"}
    slips: list[Any] = [[], {"peolpe": []}, {"users": 5}, {"users": ["x"]}, {"domains": [{}]}]
    for slip in slips:
        refused = await caller.http.post("/_sandbox/reset", json=slip)
        assert (refused.status_code, bool(refused.json()["error"])) == (400, True), slip
    assert len((await caller.get("/users"))["value"]) == 5
    mine = {**seed, "users": [grace], "groups": [], "privileged": []}
    assert (await caller.http.post("/_sandbox/reset", json=mine)).status_code == 200
    await caller.http.post("/_sandbox/reset")
    found = await caller.get("/users", _select="userPrincipalName")
    assert [one["userPrincipalName"] for one in found["value"]] == ["grace@contoso.test"]


async def test_settings_point_the_bot_here(server: TenantServer) -> None:
    """The settings: tenant, client, secret, both addresses, and writing switched on."""
    assert server.settings() == {
        "FOURCHECK_ENTRA__TENANT_ID": "11111111-2222-4333-8444-555555555555",
        "FOURCHECK_ENTRA__CLIENT_ID": "99999999-8888-4777-8666-555555555555",
        "FOURCHECK_ENTRA__CLIENT_SECRET": "a-secret-of-the-sandbox",
        "FOURCHECK_ENTRA__GRAPH_URL": server.url,
        "FOURCHECK_ENTRA__LOGIN_URL": server.url,
        "FOURCHECK_ENTRA__WRITES": "on",
    }
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", server.url)


async def test_without_a_seed_there_is_one_domain_and_nobody(connect: Connect) -> None:
    """seed=None: a tenant that can be signed in to and is empty."""
    async with TenantServer() as server:
        caller = await connect(server)
        await caller.sign_in()
        assert (await caller.get("/users"))["value"] == []
        assert [one["id"] for one in (await caller.get("/domains"))["value"]] == ["contoso.test"]


def twice(users: list[dict[str, Any]], **change: Any) -> list[dict[str, Any]]:
    """Give two users, the second with a change."""
    return [users[0], users[4] | change]


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda _: {"peolpe": []}, "unknown keys in the seed: peolpe"),
        (lambda seed: {"users": [{**seed["users"][0], "jobTitel": "x"}]}, "unknown properties jobTitel"),
        (lambda _: {"users": [{"displayName": "x"}]}, "without a GUID"),
        (lambda seed: {"users": [seed["users"][4]] * 2}, "two objects have the id"),
        (
            lambda seed: {"users": twice(seed["users"], userPrincipalName="ADA@contoso.test")},
            "userPrincipalName is already",
        ),
        (
            lambda seed: {"users": twice(seed["users"], onPremisesImmutableId="q+8/AbCdEfGhIjKlMnOpQg==")},
            "onPremisesImmutableId is already",
        ),
        (lambda seed: {"users": [seed["users"][0]]}, "which is not in the seed"),
        (
            lambda seed: {"deletedItems": [{**seed["users"][4], "@odata.type": "#microsoft.graph.device"}]},
            "not device",
        ),
    ],
)
def test_seeds_that_do_not_fit_are_refused(seed: dict[str, Any], build: Any, reason: str) -> None:
    """A seed is checked: names, ids, unique values and links."""
    with pytest.raises(SeedError, match=reason):
        TenantServer(seed=build(seed))


async def test_two_users_may_share_a_mail(seed: dict[str, Any]) -> None:
    """A mail is not unique: a seed may hold it twice, as a tenant may."""
    users = [{**seed["users"][3], "mail": "shared@contoso.test"}, seed["users"][4]]
    TenantServer(seed={**seed, "users": users, "groups": [], "privileged": []})


HEADS = ["users", "groups", "domains", "directory/deletedItems", "organization"]
TAILS = ["", "/$ref", "/manager/$ref", "/members/$ref", "/members/x", "('')", "(uniqueName='')", "/%00", "('"]
OPTIONS = ["$filter", "$select", "$top", "$expand", "$skiptoken", "$orderby", "$search", "$count", "x"]
VALUES = [
    "",
    "'",
    "a eq 'x'",
    "displayName eq",
    "any(",
    "WzEsIngiXQ",
    "-1",
    "é\0",
    "manager",
    "not not",
    "id in ()",
]
BODIES: list[Any] = [
    None,
    {},
    [],
    7,
    {"displayName": {}},
    {"@odata.id": 5},
    {"members@odata.bind": [None]},
    {"passwordProfile": []},
    {"businessPhones": [None]},
    {"onPremisesExtensionAttributes": {"x": {}}},
    {"manager": []},
    {"userPrincipalName": "@"},
    {"isCloudManaged": "x"},
    {"groupTypes": [1]},
]


async def test_garbage_is_refused_and_never_an_internal_error(caller: Caller, ids: Any) -> None:
    """Two thousand requests made at random, twenty to a batch: nothing answers 5xx."""
    chance = random.Random(20260314)  # noqa: S311 (a test that repeats)
    heads = [*HEADS, f"users/{ids['ada']}", f"groups/{ids['security']}"]
    for _ in range(100):
        steps = []
        for number in range(20):
            query = f"{chance.choice(OPTIONS)}={quote(chance.choice(VALUES))}"
            step: dict[str, Any] = {
                "id": str(number),
                "method": chance.choice(["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]),
                "url": f"/{chance.choice(heads)}{chance.choice(TAILS)}?{query}",
                "headers": {"Content-Type": "application/json"}
                | chance.choice([{}, {"ConsistencyLevel": "eventual"}, {"Prefer": "create-if-missing"}]),
            }
            body = chance.choice(BODIES)
            steps.append(step if body is None else step | {"body": body})
        response = await caller.send("POST", "/$batch", json={"requests": steps})
        assert response.status_code == 200, response.text
        broken = [one for one in response.json()["responses"] if one["status"] >= 500]
        assert broken == []


async def test_time_moves_with_the_clock(caller: Caller, clock: Clock) -> None:
    """Timestamps are the tenant's clock's, in whole seconds and UTC."""
    clock.move(60)
    made = (await caller.send("POST", "/users", json=NEW)).json()["id"]
    read = await caller.get(f"/users/{made}", _select="createdDateTime")
    assert read["createdDateTime"] == "2026-03-14T15:10:26Z"
