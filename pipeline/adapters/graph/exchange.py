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
_HEADERS: Final = {"User-Agent": "fourcheck", "Accept-Encoding": "gzip, deflate"}


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
    """Sends single requests, over kept connections or a new one.

    It uses httpx's transport below httpx's client: no redirects, no cookies, and no log line with the
    address, which holds people's names.
    """

    def __init__(self, settings: GraphSettings) -> None:
        self._settings = settings
        self._opening = asyncio.Lock()
        self._kept: AiohttpTransport | None = None
        self._single: AiohttpTransport | None = None
        timeout = httpx.Timeout(settings.timeout, connect=settings.connect_timeout, pool=None)
        self._timeout = timeout.as_dict()

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
        request = httpx.Request(
            method,
            url,
            headers={**_HEADERS, **headers},
            content=content,
            extensions={"timeout": self._timeout},
        )
        try:
            async with asyncio.timeout(self._settings.timeout):
                transport = await self._transport(new_connection=new_connection)
                response = await transport.handle_async_request(request)
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
        for transport in (self._kept, self._single):
            if transport is not None:
                await transport.aclose()
        self._kept = self._single = None

    async def _read(self, response: httpx.Response) -> bytes | None:
        """Return the decoded body, or None when it is larger than is reasonable."""
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._settings.largest_answer:
                return None
        return bytes(data)

    async def _transport(self, *, new_connection: bool) -> AiohttpTransport:
        # Microsoft asks clients to leave the connection after a 503: the other end may be the trouble.
        if new_connection and self._single is not None:
            return self._single
        if not new_connection and self._kept is not None:
            return self._kept
        async with self._opening:
            if self._kept is None:
                context = await asyncio.to_thread(self._context)  # reading the CAs takes a tenth of a second
                self._kept = self._open(context, keep=True)
                self._single = self._open(context, keep=False)
        return await self._transport(new_connection=new_connection)

    def _open(self, context: ssl.SSLContext, *, keep: bool) -> AiohttpTransport:
        def session() -> aiohttp.ClientSession:
            connector = (
                aiohttp.TCPConnector(limit=0, keepalive_timeout=75, ssl=context)
                if keep
                else aiohttp.TCPConnector(limit=0, force_close=True, ssl=context)
            )
            opened = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            # aiohttp sends a PUT or DELETE again by itself when a kept connection dies under it, and has no
            # public switch for that. Whether a write is sent again is decided here, after a look.
            opened._retry_connection = False  # noqa: SLF001
            return opened

        proxy = _proxy(self._settings.proxy_url) if self._settings.proxy_url else None
        return AiohttpTransport(verify=context, client=session, proxy=proxy)

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
