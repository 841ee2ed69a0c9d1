"""Login: discovery, tokens and their refusals, by plain HTTP and by MSAL's own code path."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msal  # type: ignore[import-untyped]  # it ships no types
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.tenant import TenantServer

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller, Clock, Connect

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "99999999-8888-4777-8666-555555555555"
SECRET = "a-secret-of-the-sandbox"
SCOPE = "https://graph.microsoft.com/.default"
PUBLIC = "https://login.microsoftonline.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GOOD = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": SCOPE}


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a token without checking it."""
    part = token.split(".")[1]
    loaded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return loaded


async def ask(caller: Caller, form: dict[str, str], tenant: str = TENANT) -> httpx.Response:
    """Ask the token endpoint."""
    return await caller.http.post(f"/{tenant}/oauth2/v2.0/token", data=form)


async def test_discovery_names_the_public_login_host(anonymous: Caller) -> None:
    """OpenID discovery: every address lies on the public https host, for the tenant by id or by domain."""
    for name in (TENANT, "contoso.test"):
        response = await anonymous.http.get(f"/{name}/v2.0/.well-known/openid-configuration")
        body = response.json()
        assert response.status_code == 200
        assert body["issuer"] == f"{PUBLIC}/{TENANT}/v2.0"
        assert body["token_endpoint"] == f"{PUBLIC}/{TENANT}/oauth2/v2.0/token"
        assert body["authorization_endpoint"].startswith(f"{PUBLIC}/")
        assert body["jwks_uri"] == f"{PUBLIC}/{TENANT}/discovery/v2.0/keys"
    keys = (await anonymous.http.get(f"/{TENANT}/discovery/v2.0/keys")).json()["keys"]
    assert [(key["kty"], key["alg"]) for key in keys] == [("RSA", "RS256")]


async def test_instance_discovery_knows_the_public_hosts(anonymous: Caller) -> None:
    """Instance discovery points to the tenant's discovery on the public host."""
    asked = {"authorization_endpoint": f"{PUBLIC}/{TENANT}/oauth2/v2.0/authorize", "api-version": "1.1"}
    body = (await anonymous.http.get("/common/discovery/instance", params=asked)).json()
    assert body["tenant_discovery_endpoint"] == f"{PUBLIC}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert "login.microsoftonline.com" in body["metadata"][0]["aliases"]


async def test_an_unknown_tenant_is_told_by_its_number(anonymous: Caller) -> None:
    """AADSTS90002 for a tenant that does not exist, an unverified domain included."""
    for name in ("other.test", "unverified.test"):
        response = await anonymous.http.get(f"/{name}/v2.0/.well-known/openid-configuration")
        assert (response.status_code, response.json()["error"]) == (400, "invalid_tenant")
        assert response.json()["error_codes"] == [90002]
    response = await ask(anonymous, GOOD, tenant="other.test")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_token_carries_the_applications_roles(anonymous: Caller, clock: Clock) -> None:
    """Client credentials: a bearer token for Graph with the least roles, expiring after its lifetime."""
    response = await ask(anonymous, GOOD)
    body = response.json()
    assert (response.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 3599)
    claims = claims_of(body["access_token"])
    assert claims["roles"] == [
        "User.ReadWrite.All",
        "Group.ReadWrite.All",
        "GroupMember.Read.All",
        "Domain.Read.All",
        "Organization.Read.All",
    ]
    now = int(clock().timestamp())
    assert (claims["aud"], claims["tid"], claims["appid"]) == ("https://graph.microsoft.com", TENANT, CLIENT)
    assert (claims["idtyp"], claims["nbf"], claims["exp"]) == ("app", now, now + 3599)


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"scope": "https://graph.microsoft.com/User.Read.All"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://vault.azure.net/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": None}, 400, "invalid_request", 900144),
        ({"client_assertion": "x", "client_assertion_type": ASSERTION}, 400, "invalid_request", 50027),
    ],
)
async def test_refusals_of_the_token_endpoint(
    anonymous: Caller, change: dict[str, Any], status: int, error: str, number: int
) -> None:
    """Each refusal has its status, OAuth error and AADSTS number, and never repeats the secret."""
    form = {name: value for name, value in (GOOD | change).items() if value is not None}
    response = await ask(anonymous, form)
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    assert SECRET not in response.text


async def test_an_expired_secret_has_a_number_of_its_own(connect: Connect, seed: dict[str, Any]) -> None:
    """AADSTS7000222 for a secret that was right once."""
    async with TenantServer(seed=seed | {"client_secret_expired": True}) as server:
        response = await ask(await connect(server), GOOD)
        assert response.json()["error_codes"] == [7000222]


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "Access token is empty."),
        ("Basic eDp5", "Access token is empty."),
        ("Bearer", "Access token is empty."),
        ("Bearer nonsense", "CompactToken parsing failed with error code: 80049217"),
        ("Bearer e30.e30.e30", "Access token validation failure. Invalid signature."),
        ("Bearer é.é.é", "CompactToken parsing failed with error code: 80049217"),
    ],
)
async def test_graph_refuses_what_is_no_token(anonymous: Caller, authorization: str, message: str) -> None:
    """401 InvalidAuthenticationToken with WWW-Authenticate for a token that is missing or malformed."""
    headers = {b"Authorization": authorization.encode()}
    response = await anonymous.http.get("/v1.0/users", headers=headers)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["message"]) == (
        401,
        "InvalidAuthenticationToken",
        message,
    )
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_a_token_expires(caller: Caller, clock: Clock) -> None:
    """A token is good for its lifetime and then refused."""
    clock.move(3598)
    assert (await caller.send("GET", "/users")).status_code == 200
    clock.move(2)
    response = await caller.send("GET", "/users")
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Lifetime validation failed, the token is expired."


async def test_a_tampered_token_is_refused(caller: Caller) -> None:
    """More roles written into a token break its signature."""
    head, body, signature = caller.http.headers["Authorization"].split(".")
    claims = claims_of(f".{body}.") | {"roles": ["Directory.ReadWrite.All"]}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    response = await caller.http.get("/v1.0/users", headers={"Authorization": f"{head}.{forged}.{signature}"})
    assert response.status_code == 401


class RewritingClient:
    """MSAL's http_client: the public login host goes to the sandbox, and a bytes assertion becomes text."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.Client(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self.asked: list[str] = []

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """Send a GET to the sandbox."""
        return self._http.get(self._to_sandbox(url), params=params, headers=headers)

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any
    ) -> httpx.Response:
        """Send a POST to the sandbox."""
        texts = {name: one.decode() if isinstance(one, bytes) else one for name, one in (data or {}).items()}
        return self._http.post(self._to_sandbox(url), params=params, data=texts, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _to_sandbox(self, url: str) -> str:
        assert url.startswith(f"{PUBLIC}/"), url
        self.asked.append(url)
        return self._url + url.removeprefix(PUBLIC)


async def by_msal(url: str, credential: Any, tenant: str = TENANT) -> dict[str, Any]:
    """Fetch a token as an application does that uses MSAL."""

    def fetch() -> dict[str, Any]:
        client = RewritingClient(url)
        try:
            application = msal.ConfidentialClientApplication(
                CLIENT, client_credential=credential, authority=f"{PUBLIC}/{tenant}", http_client=client
            )
            first = application.acquire_token_for_client([SCOPE])
            asked = len(client.asked)
            if "access_token" in first:
                assert application.acquire_token_for_client([SCOPE])["access_token"] == first["access_token"]
                assert len(client.asked) == asked
            return dict(first)
        finally:
            client.close()

    return await asyncio.to_thread(fetch)


async def test_msal_gets_a_token_by_secret(anonymous: Caller) -> None:
    """MSAL, authority and code path as in production, gets a token that Graph takes, and caches it."""
    token = await by_msal(anonymous.server.url, SECRET)
    anonymous.http.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert (await anonymous.send("GET", "/organization")).status_code == 200


async def test_msal_tells_a_wrong_secret_and_a_wrong_tenant(anonymous: Caller) -> None:
    """MSAL reports AADSTS7000215 in its result, and an unknown tenant as a ValueError of its constructor."""
    refused = await by_msal(anonymous.server.url, "wrong")
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])
    with pytest.raises(ValueError, match="tenant name or GUID"):
        await by_msal(anonymous.server.url, SECRET, tenant="typo.test")


def certificate(name: str) -> tuple[str, str]:
    """Make a self-signed certificate; give private key and certificate as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


async def test_msal_gets_a_token_by_certificate_and_only_by_the_registered_one(seed: dict[str, Any]) -> None:
    """A certificate assertion is checked for real: the registered key passes, another is AADSTS700027."""
    private, public = certificate("registered")
    other_private, other_public = certificate("other")
    async with TenantServer(seed=seed | {"certificates": [public]}) as server:
        token = await by_msal(server.url, {"private_key": private, "public_certificate": public})
        assert claims_of(token["access_token"])["appid"] == CLIENT
        refused = await by_msal(
            server.url, {"private_key": other_private, "public_certificate": other_public}
        )
        assert (refused["error"], refused["error_codes"]) == ("invalid_client", [700027])


def assertion(private: str, public: str, *, named: bool = True, **claims: Any) -> str:
    """Sign an assertion with RS256, its header naming the certificate."""

    def spell(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    thumbprint = x509.load_pem_x509_certificate(public.encode()).fingerprint(hashes.SHA256())
    header = {"alg": "RS256", "typ": "JWT"} | ({"x5t#S256": spell(thumbprint)} if named else {})
    signed = ".".join(spell(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{spell(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


async def test_assertions_have_a_time_an_audience_and_an_issuer(
    connect: Connect, seed: dict[str, Any], clock: Clock
) -> None:
    """Client assertions: expired, unnamed, for another audience, or of an unknown workload are refused."""
    pair = certificate("application")
    now = clock().timestamp()
    own = {"iss": CLIENT, "sub": CLIENT, "aud": f"{PUBLIC}/{TENANT}/oauth2/v2.0/token", "exp": now + 600}
    workload = {"iss": "https://cluster.test", "sub": "system:pod", "aud": "x", "exp": now + 600}
    form = {name: value for name, value in GOOD.items() if name != "client_secret"}
    rows: list[tuple[dict[str, Any], int | None]] = [
        (own, None),
        (own | {"named": False}, 700027),
        (own | {"exp": now - 1}, 700024),
        (own | {"nbf": now + 3600}, 700024),
        (own | {"aud": "https://elsewhere.test"}, 700023),
        (own | {"exp": "soon"}, 50027),
        (workload, None),
        (workload | {"sub": "system:other"}, 700212),
    ]
    known = {"certificates": [pair[1]], "federated_subjects": ["system:pod"]}
    async with TenantServer(seed=seed | known, clock=clock) as server:
        caller = await connect(server)
        for claims, number in rows:
            body = form | {"client_assertion_type": ASSERTION, "client_assertion": assertion(*pair, **claims)}
            answer = (await ask(caller, body)).json()
            assert answer.get("error_codes") == ([number] if number else None), claims


@pytest.mark.parametrize(
    ("known", "claims", "number"),
    [
        pytest.param({}, {"iss": CLIENT, "aud": f"{PUBLIC}/{TENANT}/v2.0"}, 700027, id="no certificate"),
        pytest.param({}, {"iss": "https://cluster.test", "sub": "system:pod"}, 700212, id="no workload"),
        pytest.param(
            {"federated_subjects": ["system:pod"], "federated_certificates": ["other"]},
            {"iss": "https://cluster.test", "sub": "system:pod"},
            700027,
            id="signed by another",
        ),
    ],
)
async def test_an_application_that_registered_nothing_takes_no_assertion(
    connect: Connect, seed: dict[str, Any], *, known: dict[str, Any], claims: dict[str, Any], number: int
) -> None:
    """An assertion is believed for a registered certificate or workload alone, and checked."""
    pair = certificate("stranger")
    if "federated_certificates" in known:
        known = known | {"federated_certificates": [certificate("other")[1]]}
    form = {name: value for name, value in GOOD.items() if name != "client_secret"}
    signed = assertion(*pair, **claims, exp=datetime.now(UTC).timestamp() + 600)
    async with TenantServer(seed=seed | known) as server:
        caller = await connect(server)
        answer = await ask(caller, form | {"client_assertion_type": ASSERTION, "client_assertion": signed})
        assert answer.json()["error_codes"] == [number]
