"""Sign-in through msal's own code, against the login service of the sandbox tenant over a socket."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from pipeline import errors
from pipeline.adapters.graph import Cloud
from pipeline.adapters.tokens import LoginClient, TokenSettings, TokenSource, roles_of
from sandbox.tenant import TenantServer
from tests.contract.graph.parts import JumpingClock, Say, respond, serving

CANARY = "canary-secret-7f3a"
PASSWORD = "passphrase-of-the-key"
CLIENT = "99999999-8888-4777-8666-555555555555"


class Certificate:
    """A key and its self-signed certificate, made once."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fourcheck")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def public(self) -> str:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def pem(self, password: str | None = None) -> str:
        """Return certificate and key in one PEM text."""
        lock: KeySerializationEncryption = NoEncryption()
        if password:
            lock = BestAvailableEncryption(password.encode())
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        return self.public + key.decode()

    def pfx(self, password: str) -> bytes:
        """Return both as PFX."""
        lock = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, None, lock)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    """Give the certificate of the application."""
    return Certificate()


@pytest.fixture(scope="module")
def stranger() -> Certificate:
    """Give a certificate that nobody registered."""
    return Certificate()


@asynccontextmanager
async def tenant_with(seed: Mapping[str, Any]) -> AsyncIterator[TenantServer]:
    """Run a tenant whose application has these credentials."""
    async with TenantServer(seed={"client_id": CLIENT, "client_secret": CANARY, **seed}) as tenant:
        yield tenant


def settings_for(tenant: TenantServer, **more: Any) -> TokenSettings:
    """Return settings that sign in there, by the secret unless told otherwise."""
    given = tenant.settings()
    credential = {} if {"certificate", "federated_token_file"} & set(more) else {"client_secret": CANARY}
    return TokenSettings(
        given["FOURCHECK_ENTRA__TENANT_ID"],
        given["FOURCHECK_ENTRA__CLIENT_ID"],
        login_url=given["FOURCHECK_ENTRA__LOGIN_URL"],
        **{**credential, **more},
    )


@asynccontextmanager
async def signing_in(
    settings: TokenSettings, clock: JumpingClock | None = None
) -> AsyncIterator[TokenSource]:
    """Give a token source."""
    source = TokenSource(settings, clock or JumpingClock())
    try:
        yield source
    finally:
        await source.aclose()


def token_requests(tenant: TenantServer) -> int:
    """Count how often a token was asked for."""
    return sum(request["path"].endswith("/oauth2/v2.0/token") for request in tenant.requests)


async def eventually(happened: Callable[[], bool]) -> None:
    """Wait until something on the other side of a socket has happened, a minute at most."""
    for _ in range(1200):
        if happened():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_by_secret() -> None:
    """A secret gives a token that carries the application's permissions."""
    async with (
        tenant_with({"roles": ["User.Read.All"]}) as tenant,
        signing_in(settings_for(tenant)) as source,
    ):
        token = await source.token()
        assert source.roles(token) == {"User.Read.All"}
        assert token_requests(tenant) == 1


@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open key", "locked key"])
async def test_by_pem_certificate(certificate: Certificate, tmp_path: Path, password: str | None) -> None:
    """The library hands the signed assertion over as bytes; it must arrive as the text it is."""
    path = tmp_path / "app.pem"
    path.write_text(certificate.pem(password))
    async with tenant_with({"certificates": [certificate.public]}) as tenant:
        settings = settings_for(tenant, certificate=path, certificate_password=password)
        async with signing_in(settings) as source:
            assert await source.token()


async def test_by_pfx_certificate(certificate: Certificate, tmp_path: Path) -> None:
    """A PFX with its password does as well."""
    path = tmp_path / "app.pfx"
    path.write_bytes(certificate.pfx(PASSWORD))
    async with tenant_with({"certificates": [certificate.public]}) as tenant:
        settings = settings_for(tenant, certificate=path, certificate_password=PASSWORD)
        async with signing_in(settings) as source:
            assert await source.token()


def federated(subject: str, life: int = 600) -> str:
    """Return a token as a workload's platform projects it."""
    now = int(time.time())
    claims = {"iss": "https://issuer.test", "sub": subject, "nbf": now, "exp": now + life, "aud": "api://x"}
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


async def test_by_federated_token_file(tmp_path: Path) -> None:
    """The file is read anew for each sign-in: the platform renews it."""
    path = tmp_path / "token"
    path.write_text(federated("somebody else"))
    subject = "system:serviceaccount:fourcheck"
    async with (
        tenant_with({"federated_subjects": [subject]}) as tenant,
        signing_in(settings_for(tenant, federated_token_file=path)) as source,
    ):
        with pytest.raises(errors.SignInRefused):
            await source.token()
        path.write_text(federated(subject) + "\n")
        assert await source.token()


@pytest.mark.parametrize(
    ("seed", "change", "words"),
    [
        pytest.param({}, {"client_secret": "wrong"}, "secret is wrong", id="wrong secret"),
        pytest.param({"client_secret_expired": True}, {}, "expired", id="expired secret"),
        pytest.param({}, {"tenant_id": "nowhere.test"}, "no tenant", id="unknown tenant"),
        pytest.param(
            {}, {"client_id": "00000000-0000-4000-8000-00000000dead"}, "application is not known", id="app"
        ),
    ],
)
async def test_each_cause_of_a_refused_sign_in_has_its_sentence(
    seed: Mapping[str, Any], change: Mapping[str, Any], words: str
) -> None:
    """Secret, expiry, tenant and application are told apart, each with what to set."""
    async with tenant_with(seed) as tenant:
        settings = replace(settings_for(tenant), **change)
        async with signing_in(settings) as source:
            with pytest.raises(errors.SignInRefused, match=words) as caught:
                await source.token()
    assert caught.value.remedy != errors.SignInRefused.remedy
    assert caught.value.ids["sign-in-error"].startswith("AADSTS")


async def test_a_refused_sign_in_does_not_last(tmp_path: Path, certificate: Certificate) -> None:
    """A credential that is corrected works without a restart, also when it failed at the start."""
    path = tmp_path / "app.pem"
    path.write_text("nothing of use")
    async with (
        tenant_with({"certificates": [certificate.public]}) as tenant,
        signing_in(settings_for(tenant, certificate=path)) as source,
    ):
        with pytest.raises(errors.SignInRefused):
            await source.token()
        path.write_text(certificate.pem())
        assert await source.token()


async def test_an_unregistered_certificate(
    certificate: Certificate, stranger: Certificate, tmp_path: Path
) -> None:
    """The service does not know the certificate: said so, not called a wrong password."""
    path = tmp_path / "app.pem"
    path.write_text(stranger.pem())
    async with (
        tenant_with({"certificates": [certificate.public]}) as tenant,
        signing_in(settings_for(tenant, certificate=path)) as source,
    ):
        with pytest.raises(errors.SignInRefused, match="certificate"):
            await source.token()


@pytest.mark.parametrize(
    ("content", "password", "words"),
    [
        pytest.param("{public}", None, "no private key", id="a certificate alone"),
        pytest.param("{key}", None, "no certificate", id="a key alone"),
        pytest.param("{locked}", None, "needs a password", id="a locked key and no password"),
        pytest.param("{locked}", "wrong", "cannot be opened", id="a locked key and a wrong password"),
        pytest.param("rubbish", None, "neither PEM nor a PFX", id="neither"),
        pytest.param("", None, "neither PEM nor a PFX", id="an empty file"),
        pytest.param(None, None, "cannot be read", id="no file"),
    ],
)
async def test_a_certificate_file_that_is_of_no_use(
    certificate: Certificate, tmp_path: Path, content: str | None, password: str | None, words: str
) -> None:
    """What is wrong with the file is said before anything is sent."""
    path = tmp_path / "app.pem"
    if content is not None:
        both = certificate.pem()
        key = both.removeprefix(certificate.public)
        parts = {"public": certificate.public, "key": key, "locked": certificate.pem(PASSWORD)}
        path.write_text(content.format(**parts))
    async with tenant_with({}) as tenant:
        settings = settings_for(tenant, certificate=path, certificate_password=password)
        async with signing_in(settings) as source:
            with pytest.raises(errors.SignInRefused, match=words):
                await source.token()
        assert token_requests(tenant) == 0


async def test_a_pfx_and_a_wrong_password(certificate: Certificate, tmp_path: Path) -> None:
    """The password that opens the file is ours to check."""
    path = tmp_path / "app.pfx"
    path.write_bytes(certificate.pfx(PASSWORD))
    async with tenant_with({}) as tenant:
        settings = settings_for(tenant, certificate=path, certificate_password="wrong")
        async with signing_in(settings) as source:
            with pytest.raises(errors.SignInRefused, match="password"):
                await source.token()


async def test_nobody_listens() -> None:
    """An unreachable sign-in service is not a refused sign-in."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        settings = TokenSettings("contoso.test", CLIENT, client_secret=CANARY, login_url=url)
        async with signing_in(settings) as source:
            with pytest.raises(errors.TenantUnreachable):
                await source.token()


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(Say(500), errors.TenantUnreachable, id="500"),
        pytest.param(Say(503, None, {"Retry-After": "1"}), errors.TenantUnreachable, id="503"),
        pytest.param(Say(200, b"<html>proxy</html>"), errors.SignInRefused, id="a page of a proxy"),
        pytest.param(Say(200, {"surprise": True}), errors.SignInRefused, id="discovery without endpoints"),
        pytest.param(Say(200, []), errors.SignInRefused, id="discovery that is a list"),
        pytest.param(Say(302, None, {"Location": "http://127.0.0.1:1/"}), errors.TenantError, id="redirect"),
        pytest.param(Say(404, {"error": "x"}), errors.SignInRefused, id="404"),
    ],
)
async def test_a_sign_in_service_that_makes_no_sense(
    clock: JumpingClock, act: Say, expected: type[errors.PipelineError]
) -> None:
    """Whatever comes back is an error of ours, never a defect."""
    async with serving(clock) as server:
        server.will(act)
        settings = TokenSettings("contoso.test", CLIENT, client_secret=CANARY, login_url=server.url)
        async with signing_in(settings, clock) as source:
            with pytest.raises(expected):
                await source.token()


def login(answer: Say) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return what a login service does whose token answer is given."""

    async def act(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("openid-configuration"):
            base = "https://login.microsoftonline.com/contoso.test"
            return web.json_response(
                {
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "issuer": f"{base}/v2.0",
                }
            )
        return respond(answer)

    return act


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Say(200, {"access_token": None, "token_type": "Bearer"}), id="null for a token"),
        pytest.param(Say(200, {}), id="an empty object"),
        pytest.param(Say(200, []), id="a list"),
        pytest.param(Say(200, b"nonsense"), id="no JSON"),
        pytest.param(Say(400, {"error": "invalid_request", "error_description": None}), id="no description"),
        pytest.param(Say(401, {"error": "invalid_client"}), id="invalid_client without a number"),
        pytest.param(Say(400, {"error": "x", "error_description": "AADSTS99999999: new"}), id="a new number"),
        pytest.param(Say(429, {"error": "x"}, {"Retry-After": "1"}), id="429"),
        pytest.param(Say(500, b""), id="500"),
    ],
)
async def test_a_token_answer_that_makes_no_sense(clock: JumpingClock, answer: Say) -> None:
    """No shape of the token answer is a defect; the number of an unknown refusal is kept."""
    async with serving(clock) as server:
        server.will(login(answer))
        settings = TokenSettings("contoso.test", CLIENT, client_secret=CANARY, login_url=server.url)
        async with signing_in(settings, clock) as source:
            with pytest.raises(errors.TenantError) as caught:
                await source.token()
    if isinstance(answer.body, dict) and "AADSTS99999999" in str(answer.body):
        assert "AADSTS99999999" in caught.value.message


async def test_sixteen_at_once_sign_in_once() -> None:
    """The library would send sixteen requests; one is enough, and none is sent for a token in hand."""
    async with tenant_with({}) as tenant, signing_in(settings_for(tenant)) as source:
        tokens = await asyncio.gather(*[source.token() for _ in range(16)])
        assert len(set(tokens)) == 1
        await source.warm_up()
        assert token_requests(tenant) == 1


async def test_a_token_is_not_used_to_its_last_moment(clock: JumpingClock) -> None:
    """Five minutes before its end it is replaced by one asked for anew."""
    async with (
        tenant_with({"token_lifetime_s": 3600}) as tenant,
        signing_in(settings_for(tenant), clock) as source,
    ):
        first = await source.token()
        clock.passed += 3200
        assert await source.token() == first
        clock.passed += 200
        await source.token()
        assert token_requests(tenant) == 2


async def test_a_rejected_token_is_not_given_again() -> None:
    """A token that Graph does not take is replaced, once for all who were rejected with it."""
    async with tenant_with({}) as tenant, signing_in(settings_for(tenant)) as source:
        first = await source.token()
        await asyncio.gather(*[source.token(rejected=first, claims='{"access_token":{}}') for _ in range(8)])
        assert token_requests(tenant) == 2


async def test_claims_reach_the_sign_in_service(clock: JumpingClock) -> None:
    """The claims of a challenge are part of the next token request."""
    forms: list[str] = []

    async with serving(clock) as server:
        answer = login(Say(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}))

        async def act(request: web.Request) -> web.StreamResponse:
            forms.append(dict(await request.post()).get("claims", ""))  # type: ignore[arg-type]  # no files
            return await answer(request)

        server.will(act)
        settings = TokenSettings("contoso.test", CLIENT, client_secret=CANARY, login_url=server.url)
        async with signing_in(settings, clock) as source:
            first = await source.token()
            claims = '{"access_token": {"nbf": {"value": "1"}}}'
            await source.token(claims=claims, rejected=first)
    assert json.loads(forms[-1]) == json.loads(claims)
    assert forms[:-1] == [""] * (len(forms) - 1)


async def test_renewal_happens_before_it_is_needed(clock: JumpingClock) -> None:
    """The background renews a token that is near its end; callers get it from memory."""
    async with (
        tenant_with({"token_lifetime_s": 3600}) as tenant,
        signing_in(settings_for(tenant), clock) as source,
    ):
        await source.warm_up()
        clock.passed += 2750
        renewing = asyncio.create_task(source.keep_fresh())
        await eventually(lambda: token_requests(tenant) == 2)
        clock.passed += 800
        await source.token()
        renewing.cancel()
        assert token_requests(tenant) == 2


async def test_a_failed_renewal_is_logged_and_not_fatal(
    clock: JumpingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """While the old token lasts nobody notices; the log says what is wrong."""
    async with tenant_with({}) as tenant:
        settings = settings_for(tenant)
    async with signing_in(settings, clock) as source:
        with caplog.at_level(logging.WARNING):
            renewing = asyncio.create_task(source.keep_fresh())
            await eventually(lambda: bool(caplog.records))
        assert not renewing.done()
        renewing.cancel()
    assert "tenant_unreachable" in caplog.text


async def test_the_secret_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    """Not in the log at its loudest, not in what settings look like, not in an error."""
    wrong = "wrong-canary-91be"
    async with tenant_with({}) as tenant:
        settings = replace(settings_for(tenant), client_secret=wrong)
        with caplog.at_level(logging.DEBUG):
            async with signing_in(settings) as source:
                with pytest.raises(errors.SignInRefused) as caught:
                    await source.token()
            async with signing_in(settings_for(tenant)) as source:
                token = await source.token()
    shown = caplog.text + repr(settings) + str(settings) + repr(caught.value) + repr(vars(caught.value))
    for secret in (wrong, CANARY, token):
        assert secret not in shown


@pytest.mark.parametrize(
    ("cloud", "host"), [(cloud, cloud.login_host) for cloud in Cloud], ids=[str(cloud) for cloud in Cloud]
)
async def test_only_the_clouds_own_login_host_is_led_elsewhere(
    clock: JumpingClock, cloud: Cloud, host: str
) -> None:
    """A sandbox stands in for one host; an address that only looks like it is not led there."""
    async with serving(clock) as server:
        server.will(Say(200, {"here": True}))
        settings = TokenSettings("t", CLIENT, client_secret=CANARY, cloud=cloud, login_url=server.url)
        client = LoginClient(settings)
        try:
            answer = await asyncio.to_thread(client.get, f"https://{host}/t/v2.0/x", {"a": "b c"})
            assert answer.json() == {"here": True}
            assert server.seen[0].raw_path.startswith("/t/v2.0/x?a=b")
            assert client._address(f"https://{host}.example.test/t") == f"https://{host}.example.test/t"
            assert client._address(f"http://{host}/t") == f"http://{host}/t"
        finally:
            client.close()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="no credential"),
        pytest.param({"client_secret": "x", "certificate": Path("y")}, id="two"),
        pytest.param({"client_secret": "x", "tenant_id": "a/b"}, id="a tenant that climbs"),
        pytest.param({"client_secret": "x", "tenant_id": ""}, id="no tenant"),
        pytest.param({"client_secret": "x", "client_id": ""}, id="no client"),
        pytest.param({"client_secret": "x", "login_url": "http://login.example.test"}, id="plain http"),
    ],
)
def test_settings_that_make_no_sense(more: Mapping[str, Any]) -> None:
    """Exactly one credential, a tenant, a client, and addresses that a secret may be sent to."""
    with pytest.raises(ValueError, match=r"needed|tenant|client|plain http"):
        TokenSettings(**{"tenant_id": "contoso.test", "client_id": CLIENT, **more})


@pytest.mark.parametrize("token", ["", "a.b", "a.!!.c", "a.bm8.c", "a.W10.c", "a.eyJyb2xlcyI6IngifQ.c"])
def test_a_token_that_cannot_be_read_has_no_roles(token: str) -> None:
    """Graph's tokens are opaque by contract: not being able to look inside is no error."""
    assert roles_of(token) == frozenset()
