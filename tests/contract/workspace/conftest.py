"""A workspace per test, the real Slack client libraries against it, and an app that only records."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import WorkspaceServer

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


@dataclass
class Clock:
    """A clock that a test can put forward."""

    ahead: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return time.time() + self.ahead


@dataclass
class Recorder:
    """An app that keeps what it is sent and answers as it is told."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], Awaitable[web.Response]] | web.Response | None = None

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Keep a request and answer it."""
        self.requests.append((dict(request.headers), await request.read()))
        if callable(self.answer):
            return await self.answer()
        return self.answer or web.Response()

    def form(self, index: int = -1) -> dict[str, str]:
        """Decode the form of a request, the last one unless told."""
        fields = parse_qs(self.requests[index][1].decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}

    def reply(self, body: Any) -> None:
        """Answer with this JSON from now on."""

        async def answer() -> web.Response:
            return web.json_response(body)

        self.answer = answer


@pytest.fixture
def clock() -> Clock:
    """Give the workspace's clock."""
    return Clock()


@pytest.fixture
def ack_deadline() -> float:
    """Give the seconds that an app has to acknowledge; tests that wait for its end make it short."""
    return 30.0


@pytest.fixture
async def workspace(clock: Clock, ack_deadline: float) -> AsyncIterator[WorkspaceServer]:
    """Run a workspace."""
    async with WorkspaceServer(clock=clock, ack_deadline=ack_deadline) as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Give an HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def client(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> AsyncWebClient:
    """Give Slack's own client with the bot's token."""
    settings = workspace.settings()
    return AsyncWebClient(
        token=settings["FOURCHECK_SLACK__BOT_TOKEN"],
        base_url=settings["FOURCHECK_SLACK__API_URL"] + "/",
        session=http,
    )


@pytest.fixture
def call(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> Call:
    """Call a Web API method with a JSON body and the bot's token; gives the answer's body."""

    async def run(method: str, **arguments: Any) -> Node:
        token = workspace.settings()["FOURCHECK_SLACK__BOT_TOKEN"]
        headers = {"Authorization": f"Bearer {token}"}
        async with http.post(f"{workspace.url}/api/{method}", json=arguments, headers=headers) as response:
            assert response.status == 200
            answer: Node = await response.json()
            return answer

    return run


@pytest.fixture
async def app(workspace: WorkspaceServer) -> AsyncIterator[Recorder]:
    """Run a recording app where the workspace posts commands and clicks."""
    recorder = Recorder()
    application = web.Application()
    application.router.add_post("/slack/events", recorder.receive)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    workspace.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield recorder
    await runner.cleanup()
