"""Response URLs. Source: Slack, page "Handling user interaction"; slack_sdk's own webhook client posts."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.workspace import WorkspaceServer

BUTTON = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Run again"}}
ACTIONS = {"type": "actions", "elements": [BUTTON]}


@pytest.fixture
async def of_command(workspace: WorkspaceServer, app: Any, http: aiohttp.ClientSession) -> AsyncWebhookClient:
    """Give a client on the response URL of a command that Maria typed in #people-team."""
    await workspace.command("U0MARIA", "C0PRIVATE", "x")
    return AsyncWebhookClient(app.form()["response_url"], session=http)


@pytest.fixture
async def of_click(
    workspace: WorkspaceServer, client: AsyncWebClient, app: Any, http: aiohttp.ClientSession
) -> AsyncWebhookClient:
    """Give a client on the response URL of a button that Maria pressed in #identity."""
    posted = await client.chat_postMessage(channel="C0IDENTITY", text="Done", blocks=[ACTIONS])
    await workspace.click("U0MARIA", "Run again", message=posted["ts"])
    return AsyncWebhookClient(json.loads(app.form()["payload"])["response_url"], session=http)


async def test_ephemeral_unless_it_says_in_channel(
    workspace: WorkspaceServer, of_command: AsyncWebhookClient
) -> None:
    """A post goes to the person alone, or to everyone, even in a channel without the bot."""
    first = await of_command.send(text="for you")
    await of_command.send(text="for all", response_type="in_channel")
    assert (first.status_code, first.body) == (200, "ok")
    assert [(m["text"], m["to"]) for m in workspace.messages("C0PRIVATE")] == [
        ("for you", "U0MARIA"),
        ("for all", None),
    ]


async def test_five_posts(workspace: WorkspaceServer, of_command: AsyncWebhookClient) -> None:
    """The sixth post is refused."""
    for number in range(5):
        assert (await of_command.send(text=str(number))).status_code == 200
    sixth = await of_command.send(text="5")
    assert (sixth.status_code, json.loads(sixth.body)) == (404, {"ok": False, "error": "used_url"})
    assert len(workspace.messages()) == 5


@pytest.mark.parametrize(("seconds", "status"), [(29 * 60, 200), (30 * 60 + 1, 404)])
async def test_half_an_hour(of_command: AsyncWebhookClient, clock: Any, seconds: int, status: int) -> None:
    """A URL is good for thirty minutes."""
    clock.ahead += seconds
    answer = await of_command.send(text="late")
    assert answer.status_code == status
    assert status == 200 or json.loads(answer.body) == {"ok": False, "error": "expired_url"}


async def test_the_url_of_a_command_replaces_nothing(
    workspace: WorkspaceServer, of_command: AsyncWebhookClient
) -> None:
    """`replace_original` on a command's own URL posts another message."""
    await of_command.send(text="first")
    await of_command.send(text="second", replace_original=True)
    assert [m["text"] for m in workspace.messages()] == ["first", "second"]


async def test_the_url_of_a_click_replaces_its_message(
    workspace: WorkspaceServer, of_click: AsyncWebhookClient
) -> None:
    """`replace_original` on a click's URL edits the message with the button; without it one is added."""
    await of_click.send(text="another")
    await of_click.send(text="replaced", replace_original=True)
    assert [(m["text"], m["edits"], m["ephemeral"]) for m in workspace.messages()] == [
        ("replaced", 1, False),
        ("another", 0, True),
    ]


async def test_the_url_of_a_click_deletes_its_message(
    workspace: WorkspaceServer, of_click: AsyncWebhookClient
) -> None:
    """`delete_original` takes the message with the button away."""
    await of_click.send(delete_original=True)
    assert workspace.messages() == []


async def test_refuses_blocks_that_slack_refuses(
    workspace: WorkspaceServer, of_command: AsyncWebhookClient
) -> None:
    """A post is validated like any other message, counts no use and is recorded with its problems."""
    answer = await of_command.send(text="x", blocks=[{"type": "alert"}])
    assert answer.status_code == 400
    assert json.loads(answer.body)["error"] == "invalid_blocks"
    recorded = workspace.calls()[-1]
    assert recorded["method"] == "response_url"
    assert "surface" in [p["rule"] for p in recorded["problems"]]
    for _ in range(5):
        assert (await of_command.send(text="x")).status_code == 200


async def test_takes_more_blocks_than_a_chat_method(of_command: AsyncWebhookClient) -> None:
    """The cumulative size that chat.postMessage refuses passes through a response URL."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2999}}
    assert (await of_command.send(text="x", blocks=[section] * 5)).status_code == 200


async def test_a_url_that_never_was(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """An invented URL is no service."""
    made_up = AsyncWebhookClient(f"{workspace.url}/commands/T0CONTOSO/1/x", session=http)
    answer = await made_up.send(text="x")
    assert (answer.status_code, answer.body) == (404, "no_service")
