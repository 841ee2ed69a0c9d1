"""Contoso in a browser: one sandbox and one Chromium for the session, for each test a fresh page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from bot.demo import Contoso, contoso
from sandbox.workspace import WorkspaceServer
from tests.browser.answering import App

Open = Callable[..., Awaitable[Page]]
_HERE = Path(__file__).parent
_DEFAULTS: dict[str, Any] = {
    "viewport": {"width": 1240, "height": 900},
    "locale": "en-GB",
    "timezone_id": "Europe/London",
    "reduced_motion": "reduce",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in the session's event loop, in which the browser lives."""
    for item in items:
        if item.path.is_relative_to(_HERE) and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _running(chromium: Browser) -> AsyncIterator[Contoso]:  # noqa: ARG001  # no browser, no sandbox
    async with contoso() as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(_running: Contoso) -> Contoso:
    """Give the sandbox with the bot on it, by Socket Mode, as it is at the beginning."""
    await _running.workspace.reset_everything()
    return _running


@pytest.fixture
def ack_deadline() -> float:
    """Give the seconds that the bare workspace waits for its app: few, for tests that wait for their end."""
    return 0.3


@pytest_asyncio.fixture(loop_scope="session")
async def bare(ack_deadline: float) -> AsyncIterator[WorkspaceServer]:
    """Give a workspace without an app behind it."""
    async with WorkspaceServer(ack_deadline=ack_deadline) as workspace:
        yield workspace


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser) -> AsyncIterator[Open]:
    """Open addresses, each in a browser context of its own; nothing may go wrong or elsewhere meanwhile."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    async def run(url: str, **options: Any) -> Page:
        context = await chromium.new_context(**{**_DEFAULTS, **options})
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(8000)
        _watch(page, url.partition("#")[0], faults)
        await page.goto(url)
        await page.get_by_role("textbox", name="Message").wait_for()
        return page

    yield run
    for context in contexts:
        await context.close()
    assert faults == []


def _watch(page: Page, origin: str, faults: list[str]) -> None:
    def said(message: ConsoleMessage) -> None:
        # A connection that a test cuts is told by the browser itself; what the page says is another matter.
        if message.type == "error" and "net::ERR_" not in message.text:
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(origin):
            faults.append(f"asked for {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", asked)


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
