"""One request and its answer over the wire: no retry, no meaning, only what came back or how it failed."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from pipeline import errors
from pipeline.adapters.graph.retry import Failure
from pipeline.adapters.graph.wire import base_address, tls_context

_VERSION: Final = "/v1.0"
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """Where Microsoft Graph is and how it is reached.

    `url` names no version; a trailing /v1.0 is accepted. `timeout` are the seconds one attempt may take in
    all, however slowly an answer drips in. Raises ValueError for an address that a token must not be sent to.
    """

    url: str
    ca_file: Path | None = None
    proxy_url: str | None = field(default=None, repr=False)  # it may hold a password
    connect_timeout: float = 10.0
    timeout: float = 30.0
    largest_answer: int = 16 * _MEBIBYTE

    def __post_init__(self) -> None:
        base_address(self.url)

    @property
    def base(self) -> str:
        """The address with its version, without a last slash."""
        return base_address(self.url).removesuffix(_VERSION) + _VERSION


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `readable` is false when its body is no JSON or was too large; `body` is None then."""

    status: int
    headers: Mapping[str, str]
    body: object
    readable: bool = True

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `error` says why; `failure` whether the request may have arrived."""

    failure: Failure
    error: errors.TenantError


class Exchange:
    """Sends single requests, over kept connections or a new one."""

    def __init__(self, settings: GraphSettings) -> None:
        self._settings = settings
        self._kept: httpx.AsyncClient | None = None
        self._single: httpx.AsyncClient | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        new_connection: bool = False,
    ) -> Reply | Lost:
        """Send one request and read its answer whole."""
        client = self._client(new_connection=new_connection)
        request = client.build_request(method, url, headers=dict(headers), content=content)
        try:
            async with asyncio.timeout(self._settings.timeout):
                response = await client.send(request, stream=True)
                try:
                    data = await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            return classify(error)
        readable, body = _decode(data)
        return Reply(response.status_code, _headers(response.headers), body, readable)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in (self._kept, self._single):
            if client is not None:
                await client.aclose()
        self._kept = self._single = None

    async def _read(self, response: httpx.Response) -> bytes | None:
        """Return the decoded body, or None when it is larger than is reasonable."""
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._settings.largest_answer:
                return None
        return bytes(data)

    def _client(self, *, new_connection: bool) -> httpx.AsyncClient:
        # Microsoft asks clients to leave the connection after a 503: the other end may be the trouble.
        if new_connection:
            self._single = self._single or self._build(keep=False)
            return self._single
        self._kept = self._kept or self._build(keep=True)
        return self._kept

    def _build(self, *, keep: bool) -> httpx.AsyncClient:
        context = self._context()

        def session() -> aiohttp.ClientSession:
            connector = (
                aiohttp.TCPConnector(limit=0, keepalive_timeout=75, ssl=context)
                if keep
                else aiohttp.TCPConnector(limit=0, force_close=True, ssl=context)
            )
            return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

        proxy = _proxy(self._settings.proxy_url) if self._settings.proxy_url else None
        transport = AiohttpTransport(verify=context, client=session, proxy=proxy)
        timeout = httpx.Timeout(self._settings.timeout, connect=self._settings.connect_timeout, pool=None)
        return httpx.AsyncClient(
            transport=transport, timeout=timeout, follow_redirects=False, trust_env=False
        )

    def _context(self) -> ssl.SSLContext:
        try:
            return tls_context(self._settings.base, self._settings.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise errors.TenantUntrusted(
                "The file of CA certificates cannot be used.",
                remedy="Point FOURCHECK_ENTRA__CA_FILE at a readable PEM file.",
            ) from error


def _proxy(url: str) -> httpx.Proxy:
    """Return the proxy with its password in a header: the other way is deprecated in aiohttp.

    aiohttp turns `Authorization` among the headers for the proxy into `Proxy-Authorization`.
    """
    address = httpx.URL(url)
    if not address.userinfo:
        return httpx.Proxy(address)
    basic = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
    plain = address.copy_with(username=None, password=None)
    return httpx.Proxy(plain, headers={"Authorization": f"Basic {basic}"})


def classify(error: BaseException) -> Lost:
    """Say what a failed exchange means, and whether the request may have arrived.

    httpx-aiohttp reports a connection lost in the middle as a failed connect, so aiohttp's own exception,
    kept as the cause, decides.
    """
    chain = list(_causes(error))
    if any(
        isinstance(e, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError) for e in chain
    ):
        return Lost(Failure.FINAL, errors.TenantUntrusted())
    timed_out = any(isinstance(e, TimeoutError) for e in chain)
    kind = errors.TenantTimeout if timed_out else errors.TenantUnreachable
    if any(isinstance(e, _NEVER_CONNECTED) for e in chain):
        return Lost(Failure.NOT_SENT, errors.TenantUnreachable())
    return Lost(Failure.NO_ANSWER, kind())


_UNTRUSTED: Final = (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError)
_NEVER_CONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _decode(data: bytes | None) -> tuple[bool, Any]:
    if data is None:
        return False, None
    if not data.strip():
        return True, None
    try:
        return True, json.loads(data)
    except (ValueError, RecursionError):
        return False, None


def _headers(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers with lower-case names; of several of one name, all, joined by commas."""
    return {name.lower(): value for name, value in headers.items()}
