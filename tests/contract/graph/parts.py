"""What the tests of the Graph adapter share: a clock that jumps, fixed tokens, a server that does as told."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from pipeline.adapters.graph import GraphSettings, GraphTransport

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class JumpingClock:
    """A clock on which sleeping takes no time and is remembered."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.naps: list[float] = []

    def now(self) -> datetime:
        """Return the time of the tests."""
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Return the seconds slept so far."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Move the time on."""
        self.naps.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


@dataclass
class FixedTokens:
    """Tokens by number; remembers what was asked for."""

    granted: frozenset[str] = frozenset()
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    number: int = 1

    async def token(self, *, claims: str | None = None, rejected: str | None = None) -> str:
        """Return the token; the next one when one was rejected."""
        if rejected is not None:
            self.asked.append((claims, rejected))
            self.number += 1
        return f"token-{self.number}"

    def roles(self, token: str) -> frozenset[str]:
        """Return the same permissions for every token."""
        assert token.startswith("token-")
        return self.granted


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it. `connection` tells connections apart."""

    method: str
    raw_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    connection: int
    at: float


@dataclass(frozen=True)
class Say:
    """An answer to give."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Act = Say | Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scripted:
    """A server that gives the answers of a script in their order, the last one again and again."""

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self._connections: dict[int, Any] = {}
        self.script: list[Act] = []
        self.seen: list[Seen] = []
        self.url = ""

    @property
    def base(self) -> str:
        """The address with its version."""
        return self.url + "/v1.0"

    def will(self, *acts: Act) -> None:
        """Set the script."""
        self.script = list(acts)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take note of a request and answer it."""
        raw = await request.read()
        # The transports are kept, so that two connections cannot share an id one after the other.
        self._connections[id(request.transport)] = request.transport
        self.seen.append(
            Seen(
                request.method,
                request.raw_path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                _json(raw),
                id(request.transport),
                self._clock.monotonic(),
            )
        )
        act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return respond(act) if isinstance(act, Say) else await act(request)


def _json(raw: bytes) -> Any:
    """Return the JSON of a request, or None when it has none."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def respond(say: Say) -> web.Response:
    """Return the answer as aiohttp wants it."""
    if isinstance(say.body, bytes):
        return web.Response(status=say.status, body=say.body, headers=say.headers)
    if say.body is None:
        return web.Response(status=say.status, headers=say.headers)
    return web.json_response(say.body, status=say.status, headers=say.headers)


async def drop(request: web.Request) -> web.StreamResponse:
    """Cut the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    """Never answer."""
    del request
    await asyncio.sleep(30)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """Answer a byte at a time and never end."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(600):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Announce more than is sent, then cut the connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"value": [')
    assert request.transport is not None
    request.transport.abort()
    return response


@asynccontextmanager
async def serving(clock: JumpingClock, context: ssl.SSLContext | None = None) -> AsyncIterator[Scripted]:
    """Run a scripted server on a free port of this machine."""
    scripted = Scripted(clock)
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", r"/{path:[\s\S]*}", scripted.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    scheme = "https" if context else "http"
    scripted.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield scripted
    finally:
        await runner.cleanup()


@asynccontextmanager
async def transport_to(
    url: str, clock: JumpingClock, tokens: FixedTokens | None = None, **settings: Any
) -> AsyncIterator[GraphTransport]:
    """Give a transport to a server, without jitter, whose waits move the clock."""
    transport = GraphTransport(
        GraphSettings(url, **settings),
        tokens or FixedTokens(),
        clock,
        sleep=clock.sleep,
        jitter=lambda: 0.0,
    )
    try:
        yield transport
    finally:
        await transport.aclose()
