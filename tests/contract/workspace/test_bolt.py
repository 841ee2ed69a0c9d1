"""An unmodified Bolt app against the workspace, the same listeners over signed HTTP and over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import WorkspaceServer

Node = dict[str, Any]


def plain(text: str) -> Node:
    """Write plain text."""
    return {"type": "plain_text", "text": text}


def message_blocks(status: str) -> list[Node]:
    """Write the app's message."""
    button = {"type": "button", "action_id": "details", "text": plain("View details"), "value": "run-1"}
    text = {"type": "mrkdwn", "text": f"*Import* {status}"}
    return [{"type": "section", "block_id": "import", "text": text, "accessory": button}]


PICKER = {
    "type": "modal",
    "callback_id": "picker",
    "title": plain("Provision"),
    "submit": plain("Go"),
    "blocks": [
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Who"),
            "element": {"type": "external_select", "action_id": "who"},
        }
    ],
}


def listen(app: AsyncApp) -> None:
    """Register listeners that use every kind of payload."""

    @app.command("/provision")
    async def provision(ack: Any, body: Node, client: AsyncWebClient, respond: Any) -> None:
        if body["text"] == "nobody":
            await ack("Nobody of that name")
            return
        await ack()
        blocks = message_blocks("Running")
        posted = await client.chat_postMessage(channel=body["channel_id"], text="Running", blocks=blocks)
        await client.chat_update(
            channel=body["channel_id"], ts=posted["ts"], text="Passed", blocks=message_blocks("Passed")
        )
        await respond("Done", response_type="ephemeral")

    @app.action("details")
    async def details(ack: Any, body: Node, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=PICKER)

    @app.options("who")
    async def who(ack: Any, payload: Node) -> None:
        await ack(options=[{"text": plain(f"Ada {payload['value']}"), "value": "guid-1"}])

    @app.view("picker")
    async def picker(ack: Any, view: Node) -> None:
        picked = view["state"]["values"]["who"]["who"]["selected_option"]["value"]
        await ack(response_action="errors", errors={"who": f"{picked} is out of scope"})


@pytest.fixture(params=["http", "socket"])
async def bolt(
    request: pytest.FixtureRequest, workspace: WorkspaceServer, client: AsyncWebClient
) -> AsyncIterator[None]:
    """Run the app over one transport."""
    settings = workspace.settings()
    app = AsyncApp(client=client, signing_secret=settings["FOURCHECK_SLACK__SIGNING_SECRET"])
    listen(app)
    if request.param == "socket":
        handler = AsyncSocketModeHandler(app, settings["FOURCHECK_SLACK__APP_TOKEN"], web_client=client)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        yield
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        return
    runner = web.AppRunner(app.web_app("/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    workspace.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield
    await runner.cleanup()


@pytest.mark.usefixtures("bolt")
async def test_the_whole_conversation(workspace: WorkspaceServer) -> None:
    """Command, post, update, respond; click, modal; type-ahead; submission with errors."""
    result = await workspace.command("U0MARIA", "C0IDENTITY", "CN=Ada")
    assert result["ok"] is True
    assert 0 < result["ack"]["ms"] < 3000
    await workspace.until(lambda: len(workspace.messages()) == 2)
    message, reply = workspace.messages()
    assert (message["text"], message["edits"], message["blocks"][0]["text"]["text"]) == (
        "Passed",
        1,
        "*Import* Passed",
    )
    assert (reply["text"], reply["to"]) == ("Done", "U0MARIA")

    assert (await workspace.click("U0MARIA", "View details", message=message["ts"]))["ok"] is True
    await workspace.until(lambda: bool(workspace.views("U0MARIA")))
    [view] = workspace.views("U0MARIA")

    suggested = await workspace.suggest("U0MARIA", "Who", "lov", view=view["id"])
    assert [option["text"]["text"] for option in suggested["options"]] == ["Ada lov"]

    submitted = await workspace.submit("U0MARIA", values={"Who": "Ada lov"})
    assert (submitted["error"], submitted["errors"]) == ("errors", {"who": "guid-1 is out of scope"})

    spoken = [c for c in workspace.calls() if c["method"] not in ("auth.test", "apps.connections.open")]
    assert [c["method"] for c in spoken] == ["chat.postMessage", "chat.update", "response_url", "views.open"]
    assert all(c["problems"] == [] for c in spoken)
    sent = [d["type"] for d in workspace.dispatches()]
    assert sent == ["slash_commands", "block_actions", "block_suggestion", "view_submission"]


@pytest.mark.usefixtures("bolt")
async def test_an_answer_in_the_acknowledgement(workspace: WorkspaceServer) -> None:
    """`ack("…")` is shown to the person alone over both transports."""
    assert (await workspace.command("U0MARIA", "C0GENERAL", "nobody"))["ok"] is True
    assert [(m["text"], m["to"]) for m in workspace.messages()] == [("Nobody of that name", "U0MARIA")]


@pytest.mark.parametrize("ack_deadline", [1.0])
@pytest.mark.usefixtures("bolt")
async def test_a_command_that_nobody_handles(workspace: WorkspaceServer) -> None:
    """Bolt answers 404 over HTTP and nothing at all over a link: the person sees a failure either way."""
    result = await workspace.command("U0MARIA", "C0IDENTITY", "x", "/unknown")
    assert result["ok"] is False
    assert result["error"] == ("dispatch_failed" if workspace.request_url else "operation_timeout")
    [told] = workspace.messages()
    assert told["text"] == f'/unknown failed with the error "{result["error"]}"'
