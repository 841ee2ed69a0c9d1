"""Modals as such, on a workspace with an app that only answers as it is told: stack, focus, fields."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, expect

from sandbox.workspace import WorkspaceServer
from tests.browser.conftest import Open

Node = dict[str, Any]


@dataclass
class App:
    """An app that keeps what it is sent and acknowledges with `answer`."""

    workspace: WorkspaceServer
    answer: Node | None = None
    received: list[Node] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a payload and acknowledge it."""
        form = await request.post()
        self.received.append(json.loads(str(form["payload"])))
        return web.json_response(self.answer) if self.answer else web.Response()

    def open(self, title: str, *blocks: Node, push: bool = False, **more: Any) -> None:
        """Open a modal for Maria, as the app would."""
        view = {"type": "modal", "title": plain(title), "blocks": list(blocks), **more}
        self.workspace.state.open_view("U0MARIA", view, push=push)


def plain(text: str) -> Node:
    """Return a text object."""
    return {"type": "plain_text", "text": text}


def section(text: str) -> Node:
    """Return a paragraph."""
    return {"type": "section", "text": plain(text)}


def field_block(label: str, **more: Any) -> Node:
    """Return an input block with a line to type in."""
    element = {"type": "plain_text_input", "action_id": "typed"}
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": element, **more}


@pytest_asyncio.fixture(loop_scope="session")
async def app(bare: WorkspaceServer) -> AsyncIterator[App]:
    """Run the app behind a workspace."""
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


async def test_stack(desk: Page, app: App) -> None:
    """A pushed modal stands on the one below; Escape closes the uppermost, and the app hears of it."""
    app.open("First", section("below"), notify_on_close=True)
    first = desk.get_by_role("dialog", name="First")
    await expect(first).to_be_visible()
    app.open("Second", section("above"), push=True, notify_on_close=True, close=plain("Back"))
    second = desk.get_by_role("dialog", name="Second")
    await expect(second).to_contain_text("above")
    await desk.keyboard.press("Escape")
    await expect(second).to_have_count(0)
    await expect(first).to_be_visible()
    await first.get_by_role("button", name="Close", exact=True).click()
    await expect(first).to_have_count(0)
    await app.workspace.until(lambda: len(app.received) == 2)
    closed = [payload["view"]["title"]["text"] for payload in app.received]
    assert closed == ["Second", "First"]
    await expect(desk.get_by_role("textbox", name="Message")).to_be_focused()


async def test_focus_stays_inside(desk: Page, app: App) -> None:
    """Tab goes round inside a modal, in both directions, and never behind it."""
    app.open("Trap", field_block("Reason"), submit=plain("Send it"))
    dialog = desk.get_by_role("dialog", name="Trap")
    await expect(dialog.get_by_role("textbox", name="Reason")).to_be_visible()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(8):
            await desk.keyboard.press(key)
            inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            assert await desk.evaluate(inside)


async def test_fields(desk: Page, app: App) -> None:
    """What is typed is submitted; what is wrong with it stands at its field, and the typed text stays."""
    app.open("Fields", field_block("Reason"), field_block("Note", optional=True), submit=plain("Send it"))
    dialog = desk.get_by_role("dialog", name="Fields")
    send = dialog.get_by_role("button", name="Send it")
    await dialog.get_by_role("textbox", name="Note (optional)").fill("kept")
    await send.click()
    await expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
    reason = dialog.get_by_role("textbox", name="Reason")
    await expect(reason).to_be_focused()
    await expect(reason).to_have_accessible_description("Please complete this required field.")
    await expect(dialog.get_by_role("textbox", name="Note (optional)")).to_have_value("kept")
    app.answer = {"response_action": "errors", "errors": {"reason": "Too short."}}
    await reason.fill("x")
    await send.click()
    await expect(dialog.get_by_role("alert")).to_have_text("Too short.")
    app.answer = None
    await reason.fill("long enough")
    await send.click()
    await expect(dialog).to_have_count(0)
    values = app.received[-1]["view"]["state"]["values"]
    assert {name: value["typed"]["value"] for name, value in values.items()} == {
        "reason": "long enough",
        "note": "kept",
    }


async def test_turning_in_place(desk: Page, app: App) -> None:
    """Another content of the same modal replaces the old one: one dialog, from its top, focus kept."""
    button = {"type": "button", "action_id": "turn", "text": plain("Turn")}
    row = {"type": "actions", "elements": [button]}
    app.open("Pages", *[section(f"first {line}") for line in range(60)], row)
    dialog = desk.get_by_role("dialog", name="Pages")
    turn = dialog.get_by_role("button", name="Turn")
    await turn.click()
    await app.workspace.until(lambda: len(app.received) == 1)
    (view,) = app.workspace.state.stack("U0MARIA")
    blocks = [*[section(f"second {line}") for line in range(60)], row]
    app.workspace.state.replace_view(view, {**view.payload, "blocks": blocks})
    await expect(dialog.get_by_text("second 0", exact=True)).to_be_in_viewport()
    await expect(dialog.get_by_text("first 0", exact=True)).to_have_count(0)
    await expect(dialog).to_have_count(1)
    await expect(turn).to_be_focused()


async def test_open_modal_outlives_a_reload(desk: Page, app: App) -> None:
    """What is open belongs to the person, not to the window: it is there again after a reload, once."""
    app.open("Kept", section("still here"))
    await expect(desk.get_by_role("dialog", name="Kept")).to_be_visible()
    await desk.reload()
    await expect(desk.get_by_role("dialog", name="Kept")).to_have_count(1)
    app.workspace.reset()
    await expect(desk.get_by_role("dialog")).to_have_count(0)
