"""Contoso in a browser: one sandbox and one Chromium for the session, and for each test a page loaded anew.

The windows stay open from test to test, as opening one costs more than most tests do. What a test leaves in
one goes with its document; what would outlast that (the pointer, routes, being offline) is put back.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, expect

from bot.demo import Contoso, contoso
from sandbox.workspace import WorkspaceServer
from tests.browser.answering import PATIENCE_S, App

Open = Callable[..., Awaitable[Page]]
LONG_S = 8.0
"""How long the directory waits at most with an answer while something is done in mid-run."""
_HERE = Path(__file__).parent
_DEFAULTS: dict[str, Any] = {
    "viewport": {"width": 1240, "height": 900},
    "locale": "en-GB",
    "timezone_id": "Europe/London",
    "reduced_motion": "reduce",
}


expect.set_options(timeout=PATIENCE_S * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in the session's event loop, in which the browser lives."""
    for item in items:
        if item.path.is_relative_to(_HERE) and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _running(chromium: Browser) -> AsyncIterator[Contoso]:  # noqa: ARG001  # no browser, no sandbox
    async with contoso(ack_deadline=PATIENCE_S) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(_running: Contoso) -> Contoso:
    """Give the sandbox with the bot on it, by Socket Mode, as it is at the beginning."""
    await _running.workspace.reset_everything()
    return _running


@pytest.fixture
def ack_deadline() -> float:
    """Give the seconds that the bare workspace waits for its app: few where a test waits for their end."""
    return PATIENCE_S


@pytest_asyncio.fixture(loop_scope="session")
async def bare(ack_deadline: float) -> AsyncIterator[WorkspaceServer]:
    """Give a workspace without an app behind it."""
    async with WorkspaceServer(ack_deadline=ack_deadline) as workspace:
        yield workspace


@dataclass
class Window:
    """A window of the browser, and what went wrong or elsewhere in it since it was last looked at."""

    page: Page
    origin: str = ""
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Listen to the page from now on."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)

    async def show(self, url: str) -> None:
        """Load the page."""
        self.origin = url.partition("#")[0]
        await self.page.goto(url, wait_until="commit")
        await self.page.locator("#conversation[aria-label]").wait_for()  # all that is known has been drawn

    async def clear(self) -> None:
        """Leave the page, and what would outlast it; raise `Error` for a window that is of no use."""
        await self.page.unroute_all(behavior="wait")
        await self.page.context.set_offline(offline=False)
        await self.page.goto("about:blank", wait_until="commit")
        await self.page.mouse.move(0, 0)
        self.faults.clear()

    def _said(self, message: ConsoleMessage) -> None:
        # A connection that a test cuts is told by the browser itself; what the page says is another matter.
        if message.type == "error" and "net::ERR_" not in message.text:
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self.origin):
            self.faults.append(f"asked for {request.url}")


class Windows:
    """The open windows, by their look; one that is taken is nobody else's until it is given back."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[str, list[Window]] = defaultdict(list)

    async def take(self, look: dict[str, Any]) -> Window:
        """Give a window of this look, with nothing in it."""
        free = self._free[json.dumps(look, sort_keys=True)]
        if free:
            return free.pop()
        context = await self._browser.new_context(**look)
        window = Window(await context.new_page())
        window.page.set_default_timeout(PATIENCE_S * 1000)
        window.watch()
        return window

    async def give_back(self, window: Window, look: dict[str, Any]) -> None:
        """Keep a window for the next test, unless this one has broken it."""
        try:
            await window.clear()
        except Error:
            await window.page.context.close()
        else:
            self._free[json.dumps(look, sort_keys=True)].append(window)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def windows(chromium: Browser) -> Windows:
    """Give the windows of the session; they go with the browser."""
    return Windows(chromium)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(windows: Windows) -> AsyncIterator[Open]:
    """Open addresses, each in a window of its own; nothing may go wrong or elsewhere meanwhile."""
    taken: list[tuple[Window, dict[str, Any]]] = []

    async def run(url: str, **options: Any) -> Page:
        look = {**_DEFAULTS, **options}
        window = await windows.take(look)
        taken.append((window, look))
        await window.show(url)
        return window.page

    yield run
    faults = [fault for window, _ in taken for fault in window.faults]
    for window, look in taken:
        await windows.give_back(window, look)
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(world: Contoso, visit: Open) -> Page:
    """Give contoso in a browser, as Maria, in #identity."""
    return await visit(f"{world.workspace.url}/")


@pytest_asyncio.fixture(loop_scope="session")
async def app(bare: WorkspaceServer) -> AsyncIterator[App]:
    """Run an app that answers as it is told behind a workspace."""
    made = App(bare)
    application = web.Application()
    application.router.add_post("/", made.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bare.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(app: App, visit: Open) -> Page:
    """Give the page of that workspace."""
    return await visit(app.workspace.url)
