"""schemathesis asks all that the OpenAPI description of the tenant's calls allows, and what it forbids.

Whatever is sent, no answer is a 5xx, and each has a status, a type and a body that the description knows.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from sandbox.tenant import TenantServer, routes
from sandbox.tenant.protocol import parse_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTION: dict[str, Any] = json.loads((Path(__file__).parent / "openapi.json").read_text(encoding="utf-8"))
METHODS = frozenset({"get", "post", "patch", "put", "delete"})
OPERATIONS = [
    (method, path) for path, item in DESCRIPTION["paths"].items() for method in item if method in METHODS
]
ROLES = [
    "Directory.ReadWrite.All",
    "User-OnPremisesSyncBehavior.ReadWrite.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "OnPremDirectorySynchronization.Read.All",
    "Application.ReadWrite.OwnedBy",
]


# What people and attackers write into query options; the alphabet of a fuzzer seldom spells OData.
AWKWARD = (
    *("", "0", "-1", "1", "999", "1000", "abc", "null", "true", "9" * 5000, "1e9", "\u0661"),
    *("id", "*", "displayName,,id", "manager($select=", "manager($select=id)", "displayName desc", "()"),
    *(
        "displayName eq 'a'",
        "surname eq 'O''Brien'",
        "surname eq 'O'Brien'",
        "id eq null",
        "accountEnabled eq 1",
    ),
    *(
        "proxyAddresses/any(p:p eq 'smtp:a')",
        "proxyAddresses/any()",
        "businessPhones eq 'x'",
        "not (id eq 'a')",
    ),
    *("startsWith(displayName,'A')", "endsWith(mail,'t')", "startsWith(id)", "id in ('a','b')", "id in ()"),
    *("(" * 200 + "id eq 'a'" + ")" * 200, " or ".join(["id eq 'a'"] * 40), "createdDateTime ge 2020-13-45"),
    *("eyJhIjogMX0", "WzFd", "WzEwLCAieCJd", "\x00", "' or 1 eq 1", "onPremisesExtensionAttributes/x eq 'a'"),
)


@contextmanager
def running(server: TenantServer) -> Iterator[TenantServer]:
    """Run a tenant in a thread of its own: schemathesis asks and waits."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(20)
        yield server
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(20)
        loop.close()


@pytest.fixture(scope="module")
def tenant() -> Iterator[tuple[TenantServer, dict[str, str]]]:
    """Give a running tenant with a synchronization job, and the header of a token that opens everything."""
    from tests.contract.tenant.conftest import a_seed  # noqa: PLC0415 (once it is set up)

    properties = {"userPrincipalName": "grace@contoso.test", "onPremisesImmutableId": "R3JhY2U="}
    source = [{"dn": "CN=Grace,DC=contoso,DC=test", "properties": properties}]
    more = {"roles": ROLES, "cloud_sync": {"domain": "contoso.test", "source": source}}
    with running(TenantServer(seed={**a_seed(), **more})) as server:
        given_settings = server.settings()
        form = {
            "grant_type": "client_credentials",
            "client_id": given_settings["FOURCHECK_ENTRA__CLIENT_ID"],
            "client_secret": given_settings["FOURCHECK_ENTRA__CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        address = f"{server.url}/{given_settings['FOURCHECK_ENTRA__TENANT_ID']}/oauth2/v2.0/token"
        with urlopen(Request(address, body, method="POST")) as answer:  # noqa: S310 (the loopback address above)
            token = json.load(answer)["access_token"]
        yield server, {"Authorization": f"Bearer {token}"}


def known_values(server: TenantServer) -> dict[str, list[str]]:
    """Give ids that are there for the parameters of a path: made-up ones seldom get past 404."""
    state, sync = server._tenant.store.state, server._tenant.cloud_sync
    objects = [*state.live, *state.deleted]
    return {
        "user-id": [one.id for one in state.of_kind("user")],
        "group-id": [one.id for one in state.of_kind("group")],
        "directoryObject-id": objects,
        "servicePrincipal-id": [sync.principal_id],
        "synchronizationJob-id": [sync.job_id],
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(one) for one in OPERATIONS])
def test_no_call_breaks_the_tenant(
    tenant: tuple[TenantServer, dict[str, str]], method: str, path: str
) -> None:
    """What fits the description and what does not: never a 5xx, always a described answer."""
    server, header = tenant
    server.reset()
    operation = schemathesis.openapi.from_dict(DESCRIPTION)[path][method.upper()]
    declared = [one.name for one in operation.query]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @settings(
        max_examples=16 if declared else 10,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        for name, values in known_values(server).items():
            if name in (case.path_parameters or {}) and values and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        for name in declared:
            if not data.draw(st.integers(0, 2)):
                case.query = {**(case.query or {}), name: data.draw(st.sampled_from(AWKWARD))}
        response = case.call(base_url=f"{server.url}/v1.0", headers=header)
        wanted = [
            not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ]
        case.validate_response(response, checks=wanted)

    ask()


def test_the_tenant_answers_every_described_call() -> None:
    """No described call ends at a path that is not there, which would pass as a refusal."""
    answered = routes.table()
    for method, path in OPERATIONS:
        if path == "/$batch":
            continue  # the service itself answers it
        segments = parse_segments(re.sub(r"\{[^}]+\}", "x", path))
        assert any(one.bind(segments) is not None for one in answered[method.upper()]), (method, path)
