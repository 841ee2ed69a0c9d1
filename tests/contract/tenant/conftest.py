"""A tenant on a socket for each test, and a caller that speaks plain HTTP to it."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.tenant import TenantServer
from tests.fixtures import parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Connect = Callable[[TenantServer], Awaitable["Caller"]]

ADA = "aaaaaaaa-0000-4000-8000-000000000001"
SAM = "aaaaaaaa-0000-4000-8000-000000000002"
PAT = "aaaaaaaa-0000-4000-8000-000000000003"
FOR = "aaaaaaaa-0000-4000-8000-000000000004"
OBR = "aaaaaaaa-0000-4000-8000-000000000005"
SECURITY = "bbbbbbbb-0000-4000-8000-000000000001"
SYNCED = "bbbbbbbb-0000-4000-8000-000000000002"
MAIL_SECURITY = "bbbbbbbb-0000-4000-8000-000000000003"
LIST = "bbbbbbbb-0000-4000-8000-000000000004"
UNIFIED = "bbbbbbbb-0000-4000-8000-000000000005"
DYNAMIC = "bbbbbbbb-0000-4000-8000-000000000006"
GONE = "cccccccc-0000-4000-8000-000000000001"


def user(object_id: str, name: str, **more: Any) -> dict[str, Any]:
    """Make a seed user."""
    upn = f"{name}@contoso.test"
    base = {"id": object_id, "userPrincipalName": upn, "displayName": name.title(), "accountEnabled": True}
    return base | {"mailNickname": name, "userType": "Member"} | more


def group(object_id: str, name: str, **more: Any) -> dict[str, Any]:
    """Make a seed group, a security group unless told otherwise."""
    base = {"id": object_id, "displayName": name.title(), "mailNickname": name, "groupTypes": []}
    return base | {"mailEnabled": False, "securityEnabled": True} | more


def some_users() -> list[dict[str, Any]]:
    """Make a cloud user, a synced one, a privileged one, a formerly synced one and one with a quote."""
    return [
        user(
            ADA,
            "ada",
            manager=SAM,
            mail="ada@contoso.test",
            proxyAddresses=["SMTP:ada@contoso.test"],
            onPremisesImmutableId="q+8/AbCdEfGhIjKlMnOpQg==",
            jobTitle="Countess",
            businessPhones=["+44 20 1"],
        ),
        user(
            SAM,
            "sam",
            onPremisesSyncEnabled=True,
            onPremisesImmutableId="SAMsamSAMsamSAMsamSAMg==",
            onPremisesSamAccountName="sam",
            onPremisesSecurityIdentifier="S-1-5-21-1-2-3-1001",
            department="Research",
        ),
        user(PAT, "pat", department="Security"),
        user(FOR, "former", onPremisesSyncEnabled=False),
        user(OBR, "o'brien", surname="O'Brien", mail="shared@contoso.test"),
    ]


def a_seed() -> dict[str, Any]:
    """Make a small tenant that has one of each kind that behaves in its own way."""
    return {
        "tenant_id": "11111111-2222-4333-8444-555555555555",
        "client_id": "99999999-8888-4777-8666-555555555555",
        "client_secret": "a-secret-of-the-sandbox",
        "organization": {"displayName": "Contoso"},
        "domains": [
            {"id": "contoso.test", "isVerified": True, "isDefault": True},
            {"id": "contoso.onmicrosoft.test", "isVerified": True, "isInitial": True},
            {"id": "federated.test", "isVerified": True, "authenticationType": "Federated"},
            {"id": "unverified.test", "isVerified": False},
        ],
        "users": some_users(),
        "groups": [
            group(SECURITY, "engineers", members=[ADA]),
            group(
                SYNCED,
                "synced",
                onPremisesSyncEnabled=True,
                onPremisesSecurityIdentifier="S-1-5-21-1-2-3-2001",
            ),
            group(MAIL_SECURITY, "mailsec", mailEnabled=True),
            group(LIST, "list", mailEnabled=True, securityEnabled=False),
            group(UNIFIED, "team", mailEnabled=True, groupTypes=["Unified"], owners=[ADA]),
            group(
                DYNAMIC, "dynamic", groupTypes=["DynamicMembership"], membershipRule='user.city -eq "London"'
            ),
        ],
        "deletedItems": [
            user(
                GONE,
                GONE.replace("-", "") + "grace",
                onPremisesImmutableId="GONEgoneGONEgoneGONEgg==",
                deletedDateTime="2026-01-01T00:00:00Z",
            )
            | {"@odata.type": "#microsoft.graph.user"}
        ],
        "privileged": [PAT],
    }


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the time."""
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class Caller:
    """Plain HTTP with a bearer token, and nothing clever."""

    def __init__(self, server: TenantServer, http: httpx.AsyncClient) -> None:
        self.server = server
        self.http = http

    async def sign_in(self) -> str:
        """Fetch a token with the client secret and use it from now on."""
        settings = self.server.settings()
        response = await self.http.post(
            f"/{settings['FOURCHECK_ENTRA__TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": settings["FOURCHECK_ENTRA__CLIENT_ID"],
                "client_secret": settings["FOURCHECK_ENTRA__CLIENT_SECRET"],
                "scope": "https://graph.microsoft.com/.default",
            },
        )
        token: str = response.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        return token

    async def send(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Send a request to /v1.0."""
        return await self.http.request(method, f"/v1.0{path}", **how)

    async def get(self, path: str, **params: str) -> Any:
        """Read JSON that must come with 200; `_` in a name stands for the dollar sign."""
        query = {name.replace("_", "$", 1): value for name, value in params.items()}
        response = await self.send("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def names(self, path: str, **params: str) -> list[str]:
        """Read the display names of a list."""
        return [one["displayName"] for one in (await self.get(path, **params))["value"]]


@pytest.fixture
def seed() -> dict[str, Any]:
    """Give the seed of the tenant; a test may replace it by parametrisation."""
    return a_seed()


@pytest.fixture
def clock() -> Clock:
    """Give the tenant's clock."""
    return Clock()


@pytest.fixture
async def server(seed: dict[str, Any], clock: Clock) -> AsyncIterator[TenantServer]:
    """Give a running tenant."""
    async with TenantServer(seed=seed, clock=clock) as running:
        yield running


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Give what makes a caller without a token of a running tenant."""
    async with AsyncExitStack() as stack:

        async def make(server: TenantServer) -> Caller:
            # Plain http: an empty TLS context spares each test the loading of the machine's certificates.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            http = httpx.AsyncClient(base_url=server.url, trust_env=False, verify=tls)
            return Caller(server, await stack.enter_async_context(http))

        yield make


@pytest.fixture
async def anonymous(server: TenantServer, connect: Connect) -> Caller:
    """Give a caller without a token."""
    return await connect(server)


@pytest.fixture
async def caller(anonymous: Caller) -> Caller:
    """Give a caller that is signed in."""
    await anonymous.sign_in()
    return anonymous


@pytest.fixture
def ids() -> dict[str, str]:
    """Give the ids of the seed's objects by their short names."""
    return {
        "ada": ADA,
        "sam": SAM,
        "pat": PAT,
        "former": FOR,
        "obrien": OBR,
        "security": SECURITY,
        "synced": SYNCED,
        "mail_security": MAIL_SECURITY,
        "list": LIST,
        "unified": UNIFIED,
        "dynamic": DYNAMIC,
        "gone": GONE,
    }


@pytest.fixture
def in_ci() -> bool:
    """Say whether a missing part fails instead of being skipped."""
    return parts.in_ci()
