"""The Microsoft login service for one tenant: discovery, keys, and tokens for an application's credentials.

Microsoft identity platform, page "OAuth 2.0 client credentials flow". Discovery names the public login host,
as MSAL takes no other than https; a client that wants this one rewrites the host.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.tenant import tokens
from sandbox.tenant.errors import LoginRefusal, refuse_login
from sandbox.tenant.faults import ConnectionDropped
from sandbox.tenant.protocol import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.faults import Switchboard
    from sandbox.tenant.tenant import Tenant

PUBLIC_LOGIN = "https://login.microsoftonline.com"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRAPH_APPLICATION = "00000003-0000-0000-c000-000000000000"
_CONFIGURATION = "v2.0/.well-known/openid-configuration"
_KEYS = "discovery/v2.0/keys"
_TOKEN = "oauth2/v2.0/token"
_INSTANCE = "discovery/instance"
_PATHS = frozenset({("GET", _CONFIGURATION), ("GET", _KEYS), ("POST", _TOKEN), ("GET", _INSTANCE)})


class Login:
    """Answers what a client asks of the login host; `own_url` is this server's own address."""

    def __init__(self, tenant: Tenant, issuer: tokens.TokenIssuer, faults: Switchboard, own_url: str) -> None:
        self._tenant = tenant
        self._issuer = issuer
        self._faults = faults
        self._own_url = own_url

    def knows(self, method: str, path: str) -> bool:
        """Say whether a path belongs to the login service."""
        return (method, _after_tenant(path)) in _PATHS

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        """Answer a path that `knows` knows, faults included; raise ConnectionDropped."""
        fault = self._faults.strike(method, path)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
            if fault.drop is not None:
                raise ConnectionDropped
            status = fault.status or fault.apply_then_status
            if status is not None:
                refusal = {
                    "error": fault.code or "temporarily_unavailable",
                    "error_description": fault.message,
                }
                return Reply(status, refusal, fault.answer_headers(self._tenant.store.now()))
        try:
            return self._carry_out(path, query, body)
        except LoginRefusal as refusal:
            # Discovery calls a missing tenant by an error name of its own.
            error = "invalid_tenant" if refusal.number == 90002 and method == "GET" else refusal.error
            return self._refused(refusal, error)

    def _carry_out(self, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        rest = _after_tenant(path)
        if rest == _INSTANCE:
            return self._instance_discovery(query)
        self._check_tenant(path.strip("/").partition("/")[0])
        if rest == _CONFIGURATION:
            return Reply(200, self._configuration())
        if rest == _KEYS:
            return Reply(200, self._issuer.key_set())
        return self._token(body)

    def _check_tenant(self, name: str) -> None:
        verified = {domain.id.casefold() for domain in self._tenant.domains.values() if domain.verified}
        if name.casefold() not in verified | {self._tenant.identity.tenant_id.casefold()}:
            raise refuse_login("unknown_tenant", tenant=name)

    def _configuration(self) -> dict[str, Any]:
        tenant_id = self._tenant.identity.tenant_id
        base = f"{PUBLIC_LOGIN}/{tenant_id}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }

    def _instance_discovery(self, query: Mapping[str, str]) -> Reply:
        hosts = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
        name = query.get("authorization_endpoint", "").partition("//")[2].split("/")
        tenant = name[1] if len(name) > 1 else self._tenant.identity.tenant_id
        body = {
            "tenant_discovery_endpoint": f"{PUBLIC_LOGIN}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [
                {"preferred_network": hosts[0], "preferred_cache": hosts[1], "aliases": hosts},
            ],
        }
        return Reply(200, body)

    def _token(self, body: bytes) -> Reply:
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        for required in ("grant_type", "client_id", "scope"):
            if not form.get(required):
                raise refuse_login("missing_parameter", parameter=required)
        if form["grant_type"] != "client_credentials":
            raise refuse_login("grant_type", grant=form["grant_type"])
        identity = self._tenant.identity
        if form["client_id"].lower() != identity.client_id.lower():
            raise refuse_login("unknown_application", client=form["client_id"], tenant=identity.tenant_id)
        audience = self._audience(form["scope"])
        self._check_credential(form)
        roles = self._faults.token_roles(identity.roles, issued_at=f"/{identity.tenant_id}/{_TOKEN}")
        token = {
            "token_type": "Bearer",
            "expires_in": identity.token_lifetime_s,
            "ext_expires_in": identity.token_lifetime_s,
            "access_token": self._issuer.issue(self._tenant, audience, roles),
        }
        return Reply(200, token, {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def _audience(self, scope: str) -> str:
        asked = [one for one in scope.split() if one not in {"openid", "profile", "offline_access"}]
        if len(asked) != 1 or not asked[0].endswith("/.default"):
            raise refuse_login("bad_scope", scope=scope)
        resource = asked[0].removesuffix("/.default").rstrip("/")
        if resource not in {tokens.GRAPH_AUDIENCE, GRAPH_APPLICATION, self._own_url}:
            raise refuse_login("unknown_resource", resource=resource)
        return tokens.GRAPH_AUDIENCE

    def _check_credential(self, form: Mapping[str, str]) -> None:
        identity = self._tenant.identity
        if "client_assertion" in form:
            self._check_assertion(form)
            return
        secret = form.get("client_secret")
        if secret is None:
            raise refuse_login("no_credential")
        if not hmac.compare_digest(secret.encode(), identity.client_secret.encode()):
            raise refuse_login("bad_secret", client=identity.client_id)
        if identity.secret_expired:
            raise refuse_login("expired_secret", client=identity.client_id)

    def _check_assertion(self, form: Mapping[str, str]) -> None:
        """Check a signed assertion: a certificate's when the application issued it, else a federated one."""
        identity = self._tenant.identity
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise refuse_login("bad_assertion")
        try:
            token = tokens.take_apart(form["client_assertion"])
        except tokens.MalformedToken:
            raise refuse_login("bad_assertion") from None
        now = self._tenant.store.now().timestamp()
        expiry, start = token.claims.get("exp"), token.claims.get("nbf", 0)
        if not isinstance(expiry, int | float) or not isinstance(start, int | float):
            raise refuse_login("bad_assertion")
        if expiry <= now or start > now + 300:
            raise refuse_login("expired_assertion")
        if token.claims.get("iss") != identity.client_id:
            if token.claims.get("sub") not in identity.federated_subjects:
                raise refuse_login("assertion_issuer")
            keys = [tokens.certificate_key(pem) for pem in identity.federated_certificates]
            if keys and not tokens.verified(token, keys):
                raise refuse_login("bad_assertion_signature")
            return
        if token.claims.get("aud") not in {
            self._configuration()["token_endpoint"],
            self._configuration()["issuer"],
        }:
            raise refuse_login("assertion_audience")
        if not tokens.signed_by_certificate(token, identity.certificates):
            raise refuse_login("bad_assertion_signature")

    def _refused(self, refusal: LoginRefusal, error: str) -> Reply:
        store = self._tenant.store
        stamp = store.now().strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = store.new_request_id(), store.new_request_id()
        lines = (
            f"AADSTS{refusal.number}: {refusal.message} Trace ID: {trace}",
            f"Correlation ID: {correlation}",
            f"Timestamp: {stamp}",
        )
        body = {
            "error": error,
            "error_description": " ".join(lines),
            "error_codes": [refusal.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{PUBLIC_LOGIN}/error?code={refusal.number}",
        }
        return Reply(refusal.status, body)


def _after_tenant(path: str) -> str:
    return path.strip("/").partition("/")[2]
