"""Sign-in to Microsoft Entra ID as an application, by msal.

msal is synchronous and does not share one request between many callers, so it lives in one worker thread
behind one lock. A token is fetched when the process starts and renewed before it ends, so that no run waits
for it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NoReturn, TypeGuard

import httpx
import msal  # type: ignore[import-untyped]  # it ships no types
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from msal.exceptions import MsalError  # type: ignore[import-untyped]  # it ships no types

from pipeline import errors, facts
from pipeline.adapters.graph.wire import Cloud, base_address, tls_context
from pipeline.ports import Clock

_log = logging.getLogger(__name__)

_MARGIN: Final = 300.0
"""Seconds before its end from which a token is not used any more."""
_RENEW_BEFORE: Final = 900.0
"""Seconds before its end at which a token is renewed in the background."""
_RENEW_RETRY: Final = 30.0
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,252}")
_AADSTS: Final = re.compile(r"AADSTS(\d+)")
_PEM_KEY: Final = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL)
_PEM_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_CERTIFICATE_REMEDY: Final = "Check FOURCHECK_ENTRA__CLIENT_CERTIFICATE and its password."


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Who signs in where, and by what: a secret, a certificate file or a file with a federated token.

    `certificate` is a PEM file with certificate and private key, or a PFX file. `login_url` (scheme://host,
    with a port where needed) takes everything that goes to the cloud's login host; plain http for loopback
    only. Raises ValueError unless there is exactly one credential and every part makes sense.
    """

    tenant_id: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    certificate_password: str | None = field(default=None, repr=False)
    federated_token_file: Path | None = None
    cloud: Cloud = Cloud.PUBLIC
    login_url: str | None = None
    ca_file: Path | None = None
    proxy_url: str | None = field(default=None, repr=False)
    timeout: float = 20.0

    def __post_init__(self) -> None:
        given = [c for c in (self.client_secret, self.certificate, self.federated_token_file) if c]
        if len(given) != 1:
            raise ValueError("exactly one of secret, certificate and federated token file is needed")
        if not _TENANT.fullmatch(self.tenant_id):
            raise ValueError("the tenant is given by its id or a domain name")
        if not self.client_id:
            raise ValueError("the client id is missing")
        if self.login_url is not None:
            base_address(self.login_url)


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use; the moments are those of the monotonic clock."""

    token: str = field(repr=False)
    good_until: float
    renew_at: float


class TokenSource:
    """Gives access tokens for Microsoft Graph. Raises SignInRefused and those of an unreachable system."""

    def __init__(self, settings: TokenSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="entra-sign-in")
        self._application: Any = None
        self._http: LoginClient | None = None
        self._held: _Held | None = None

    async def token(self, *, claims: str | None = None, rejected: str | None = None) -> str:
        """Return an access token, from memory where that serves.

        `claims`, the JSON text of a claims challenge, asks for a new one that meets it. `rejected` is a token
        that was not taken: another one than that is returned.
        """
        before = self._held
        if self._usable(before) and before.token != rejected and (claims is None or rejected is not None):
            return before.token
        async with self._lock:
            held = self._held
            if held is not before and self._usable(held):
                return held.token  # whoever held the lock before has renewed it
            return (await self._renew(claims)).token

    async def warm_up(self) -> None:
        """Fetch the first token, so that no run has to wait for it."""
        await self.token()

    async def keep_fresh(self) -> None:
        """Renew the token before it ends, until cancelled. A failure is logged and tried again."""
        while True:
            held = self._held
            await asyncio.sleep(max(1.0, held.renew_at - self._clock.monotonic()) if held else 0)
            try:
                async with self._lock:
                    if self._held is None or self._clock.monotonic() >= self._held.renew_at:
                        await self._renew(None)
            except errors.TenantError as error:
                _log.warning("The access token could not be renewed: %s", error.code)
                await asyncio.sleep(_RENEW_RETRY)

    def roles(self, token: str) -> frozenset[str]:
        """Return the application permissions that a token carries; see `roles_of`."""
        return roles_of(token)

    async def aclose(self) -> None:
        """Let go of the worker thread and the connections."""
        if self._http is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._http.close)
        self._worker.shutdown(wait=False)

    def _usable(self, held: _Held | None) -> TypeGuard[_Held]:
        return held is not None and self._clock.monotonic() < held.good_until

    async def _renew(self, claims: str | None) -> _Held:
        loop = asyncio.get_running_loop()
        in_context = copy_context().run  # for the log: which run it is
        result = await loop.run_in_executor(self._worker, in_context, self._acquire, claims)
        life = _seconds(result.get("expires_in"))
        now = self._clock.monotonic()
        self._held = _Held(
            token=str(result["access_token"]),
            good_until=now + max(life - _MARGIN, life / 2),
            renew_at=now + max(life - _RENEW_BEFORE, life / 3),
        )
        return self._held

    def _acquire(self, claims: str | None) -> Mapping[str, Any]:
        """Get a token that was never in use before. Runs in the worker thread."""
        try:
            application = self._application or self._build()
            # msal's own cache would give the old token; ours, above, already answers for as long as it
            # serves.
            application.remove_tokens_for_client()
            result = application.acquire_token_for_client(
                [self._settings.cloud.scope], claims_challenge=claims
            )
        except errors.PipelineError:
            raise
        except (httpx.HTTPError, OSError) as error:
            _raise_unreachable(error)
        except Exception as error:  # noqa: BLE001  # msal trips in many ways over an answer of another shape
            _raise_refused(_chained_text(error), error)
        if not isinstance(result, dict) or not isinstance(result.get("access_token"), str):
            _raise_refused(_described(result), None)
        return result

    def _build(self) -> Any:
        settings = self._settings
        if self._http is None:
            self._http = LoginClient(settings)
        self._application = msal.ConfidentialClientApplication(
            settings.client_id,
            authority=f"https://{settings.cloud.login_host}/{settings.tenant_id}",
            client_credential=credential(settings),
            http_client=self._http,
            instance_discovery=False,  # the host comes from our own list of clouds
        )
        return self._application


class LoginClient:
    """What msal sends its requests with.

    Two things that a plain client does not do: addresses of the cloud's login host are led to `login_url`
    when that is set, so that msal keeps its own checks of https authorities; and values of a form given as
    bytes, as msal gives signed assertions, are sent as the text they are.
    """

    def __init__(self, settings: TokenSettings) -> None:
        self._from = f"https://{settings.cloud.login_host}"
        self._to = base_address(settings.login_url) if settings.login_url else self._from
        self._client = httpx.Client(
            verify=_context(self._to, settings.ca_file),
            proxy=settings.proxy_url,
            timeout=settings.timeout,
            follow_redirects=False,
            trust_env=False,
        )

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        """Send a GET."""
        return self._client.get(self._address(url), params=params, headers=headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        """Send a form."""
        form = {k: v.decode() if isinstance(v, bytes) else v for k, v in (data or {}).items()}
        return self._client.post(self._address(url), params=params, data=form, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _address(self, url: str) -> str:
        if url == self._from or url.startswith(self._from + "/"):
            return self._to + url.removeprefix(self._from)
        return url


def roles_of(token: str) -> frozenset[str]:
    """Return the application permissions named in a token, unverified: it is our own. May be empty."""
    parts = token.split(".")
    if len(parts) != 3:
        return frozenset()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return frozenset()
    roles = payload.get("roles") if isinstance(payload, dict) else None
    return frozenset(r for r in roles if isinstance(r, str)) if isinstance(roles, list) else frozenset()


def credential(settings: TokenSettings) -> str | dict[str, object]:
    """Return the credential in msal's form, after looking at the file it is in. Raises SignInRefused."""
    if settings.client_secret:
        return settings.client_secret
    if settings.federated_token_file is not None:
        return {"client_assertion": _assertion(settings.federated_token_file)}
    path = settings.certificate
    if path is None:  # __post_init__ has seen to it that there is one
        raise errors.SignInRefused
    data = _read(path, "The certificate file cannot be read.", _CERTIFICATE_REMEDY)
    if b"-----BEGIN " in data:
        return _pem(data.decode("utf-8", "replace"), settings.certificate_password)
    return _pfx(path, data, settings.certificate_password)


def _assertion(path: Path) -> Callable[[], str]:
    """Return what reads the token anew for each sign-in: whoever projects it renews it."""

    def read() -> str:
        remedy = "Check FOURCHECK_ENTRA__FEDERATED_TOKEN_FILE."
        text = (
            _read(path, "The federated token file cannot be read.", remedy).decode("utf-8", "replace").strip()
        )
        if not text:
            raise errors.SignInRefused("The federated token file is empty.", remedy=remedy)
        return text

    return read


def _pem(text: str, password: str | None) -> dict[str, object]:
    key, certificates = _PEM_KEY.search(text), _PEM_CERTIFICATE.findall(text)
    if key is None or not certificates:
        missing = "private key" if key is None else "certificate"
        raise errors.SignInRefused(f"The PEM file holds no {missing}.", remedy=_CERTIFICATE_REMEDY)
    found: dict[str, object] = {"private_key": key[0], "public_certificate": "\n".join(certificates)}
    locked = "ENCRYPTED" in key[0]
    if locked and not password:
        raise errors.SignInRefused("The private key needs a password.", remedy=_CERTIFICATE_REMEDY)
    try:
        load_pem_private_key(key[0].encode(), password.encode() if locked and password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "The private key cannot be opened with this password, or is not a key."
        raise errors.SignInRefused(message, remedy=_CERTIFICATE_REMEDY) from error
    return found | ({"passphrase": password} if locked else {})


def _pfx(path: Path, data: bytes, password: str | None) -> dict[str, object]:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password.encode() if password else None)
    except ValueError as error:
        message = "The certificate file is neither PEM nor a PFX that this password opens."
        raise errors.SignInRefused(message, remedy=_CERTIFICATE_REMEDY) from error
    if key is None or certificate is None:
        message = "The PFX file must hold the certificate and its private key."
        raise errors.SignInRefused(message, remedy=_CERTIFICATE_REMEDY)
    return {"private_key_pfx_path": str(path), "passphrase": password}


def _read(path: Path, message: str, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise errors.SignInRefused(message, remedy=remedy) from error


def _context(address: str, ca_file: Path | None) -> ssl.SSLContext:
    try:
        return tls_context(address, ca_file)
    except OSError as error:
        message = "The file of CA certificates cannot be used."
        remedy = "Point FOURCHECK_ENTRA__CA_FILE at a readable PEM file."
        raise errors.TenantUntrusted(message, remedy=remedy) from error


def _raise_unreachable(error: Exception) -> NoReturn:
    if any(isinstance(e, ssl.SSLCertVerificationError) for e in _causes(error)):
        raise errors.TenantUntrusted from error
    if isinstance(error, httpx.TimeoutException):
        raise errors.TenantTimeout("The sign-in service did not answer in time.") from error
    raise errors.TenantUnreachable("The sign-in service could not be reached.") from error


def _raise_refused(text: str, error: Exception | None) -> NoReturn:
    """Say in a sentence why the sign-in failed, by the AADSTS number in what the service wrote."""
    known = facts.sign_in_errors()
    numbers = _AADSTS.findall(text)
    ids = {"sign-in-error": f"AADSTS{numbers[0]}"} if numbers else {}
    row = next((known[number] for number in numbers if number in known), None)
    if row is not None and row.retry:
        raise errors.TenantUnreachable(row.says, remedy=row.remedy or None, ids=ids) from error
    if row is not None:
        raise errors.SignInRefused(row.says, remedy=row.remedy or None, ids=ids) from error
    if numbers:
        raise errors.SignInRefused(
            f"Entra ID refused the bot's sign-in with AADSTS{numbers[0]}.", ids=ids
        ) from error
    if "invalid_client" in text:
        raise errors.SignInRefused("The secret or certificate of the application was not taken.") from error
    if isinstance(error, MsalError) or str(HTTPStatus.TOO_MANY_REQUESTS.value) in text:
        raise errors.TenantUnreachable("The sign-in service is not available at the moment.") from error
    raise errors.SignInRefused("The sign-in service did not answer as expected.") from error


def _described(result: object) -> str:
    if not isinstance(result, Mapping):
        return ""
    return f"{result.get('error', '')} {result.get('error_description', '')}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _chained_text(error: BaseException) -> str:
    return " ".join(str(e) for e in _causes(error))


def _seconds(value: object) -> float:
    """Return a life time in seconds; an hour where the service gives none that makes sense."""
    try:
        seconds = float(str(value))
    except ValueError:
        return 3600.0
    return seconds if 0 < seconds < 10**7 else 3600.0
