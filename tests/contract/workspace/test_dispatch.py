"""Commands and clicks over HTTP, byte for byte, and what the answers do.

Source: Slack, pages "Slash commands", "Verifying requests from Slack", "block_actions payload".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import BadRequestError, WorkspaceServer

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


def plain(text: str) -> Node:
    """Write plain text."""
    return {"type": "plain_text", "text": text}


def details(stage: str) -> Node:
    """Write a stage line with its button, as the product does."""
    button = {
        "type": "button",
        "action_id": f"details_{stage}",
        "text": plain("View details"),
        "value": stage,
    }
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"*{stage}* Passed."}, "accessory": button}


async def test_a_command_as_slack_sends_it(workspace: WorkspaceServer, app: Any) -> None:
    """The form has exactly Slack's fields, and the signature is the one that slack_sdk computes."""
    result = await workspace.command("U0MARIA", "C0IDENTITY", " CN=Ada “A” & Co, OU=x;ü=1+2%  ")
    assert result["ok"] is True
    form = app.form()
    assert form.pop("response_url").startswith(f"{workspace.url}/commands/T0CONTOSO/")
    assert form.pop("trigger_id")
    assert form.pop("token")
    assert form == {
        "team_id": "T0CONTOSO",
        "team_domain": "contoso",
        "channel_id": "C0IDENTITY",
        "channel_name": "identity",
        "user_id": "U0MARIA",
        "user_name": "maria",
        "command": "/provision",
        "text": "CN=Ada “A” & Co, OU=x;ü=1+2%",
        "api_app_id": "A0FOURCHECK",
        "is_enterprise_install": "false",
    }
    headers, body = app.requests[0]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    secret = workspace.settings()["FOURCHECK_SLACK__SIGNING_SECRET"]
    assert SignatureVerifier(secret).is_valid_request(body, headers)
    assert not SignatureVerifier("another").is_valid_request(body, headers)


@pytest.mark.parametrize(
    ("channel", "name"),
    [("C0PRIVATE", "privategroup"), ("D0MARIA", "directmessage"), ("C0GENERAL", "general")],
)
async def test_private_places_have_no_name(
    workspace: WorkspaceServer, app: Any, channel: str, name: str
) -> None:
    """Payloads name private channels and direct messages by their kind."""
    await workspace.command("U0MARIA", channel, "x")
    assert app.form()["channel_name"] == name


# answer, shown text, seen by (None: everyone)
REPLIES: dict[str, tuple[web.Response, list[tuple[str, str | None]]]] = {
    "nothing": (web.Response(), []),
    "text": (web.Response(text="Working on it"), [("Working on it", "U0MARIA")]),
    "json": (web.json_response({"text": "Refused"}), [("Refused", "U0MARIA")]),
    "in channel": (web.json_response({"text": "Hello", "response_type": "in_channel"}), [("Hello", None)]),
}


@pytest.mark.parametrize(("answer", "shown"), REPLIES.values(), ids=list(REPLIES.keys()))
async def test_a_reply_to_a_command_is_shown(
    workspace: WorkspaceServer, app: Any, answer: web.Response, shown: list[tuple[str, str | None]]
) -> None:
    """An acknowledgement with a body is a message: ephemeral unless it says in_channel."""

    async def reply() -> web.Response:
        return web.Response(body=answer.body, content_type=answer.content_type)

    app.answer = reply
    assert (await workspace.command("U0MARIA", "C0IDENTITY", "x"))["ok"] is True
    assert [(m["text"], m["to"]) for m in workspace.messages()] == shown


async def test_a_reply_is_validated(workspace: WorkspaceServer, app: Any) -> None:
    """A reply that Slack would refuse is not shown and its fault is named."""
    app.reply({"text": "x", "blocks": [{"type": "alert", "text": plain("x")}]})
    result = await workspace.command("U0MARIA", "C0IDENTITY", "x")
    assert (result["ok"], result["error"]) == (False, "invalid_blocks")
    assert workspace.messages() == []


@pytest.mark.parametrize("ack_deadline", [0.3])
async def test_too_late_is_an_operation_timeout(workspace: WorkspaceServer, app: Any) -> None:
    """Without an acknowledgement in time the person is told so by Slack, alone."""

    async def sleep() -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    app.answer = sleep
    result = await workspace.command("U0MARIA", "C0IDENTITY", "x")
    assert result == {"ok": False, "error": "operation_timeout"}
    [told] = workspace.messages()
    assert (told["user"], told["to"]) == ("USLACKBOT", "U0MARIA")
    assert told["text"] == '/provision failed with the error "operation_timeout"'
    assert workspace.dispatches()[0]["error"] == "operation_timeout"


def test_an_app_has_three_seconds() -> None:
    """The deadline is three seconds unless a test shortens it."""
    assert WorkspaceServer()._http._deadline == 3.0
    assert WorkspaceServer().socket_mode._deadline == 3.0


@pytest.mark.parametrize("status", [404, 500, 302])
async def test_an_error_status_is_a_failed_dispatch(
    workspace: WorkspaceServer, app: Any, status: int
) -> None:
    """Any status but 200 fails; a redirect is not followed."""

    async def fail() -> web.Response:
        return web.Response(status=status, headers={"Location": "/slack/events"})

    app.answer = fail
    result = await workspace.command("U0MARIA", "C0IDENTITY", "x")
    assert (result["error"], result["ack"]["status"]) == ("dispatch_failed", status)
    assert len(app.requests) == 1


@pytest.mark.parametrize("ack_deadline", [0.3])
async def test_nobody_listens(workspace: WorkspaceServer) -> None:
    """An app that is not there cannot be reached, over HTTP or a link."""
    workspace.request_url = "http://127.0.0.1:9/slack/events"
    assert (await workspace.command("U0MARIA", "C0IDENTITY", "x"))["error"] == "dispatch_failed"
    workspace.request_url = None
    assert (await workspace.command("U0MARIA", "C0IDENTITY", "x"))["error"] == "dispatch_failed"


async def test_a_click_in_a_message(workspace: WorkspaceServer, client: AsyncWebClient, app: Any) -> None:
    """The payload has Slack's parts, and its signature holds."""
    posted = await client.chat_postMessage(
        channel="C0IDENTITY", text="Done", blocks=[details("Import"), details("Scope")]
    )
    await workspace.click("U0ADAM", "View details", message=posted["ts"], beside="Scope")
    headers, body = app.requests[0]
    assert SignatureVerifier("contoso-sandbox-signing-secret").is_valid_request(body, headers)
    assert list(app.form()) == ["payload"]
    payload = json.loads(app.form()["payload"])
    [action] = payload["actions"]
    assert action.pop("action_ts")
    assert action == {
        "type": "button",
        "action_id": "details_Scope",
        "block_id": workspace.messages()[0]["blocks"][1]["block_id"],
        "text": {"type": "plain_text", "text": "View details", "emoji": True},
        "value": "Scope",
    }
    assert payload["type"] == "block_actions"
    assert payload["team"] == {"id": "T0CONTOSO", "domain": "contoso"}
    assert payload["user"] == {"id": "U0ADAM", "username": "adam", "name": "adam", "team_id": "T0CONTOSO"}
    assert payload["channel"] == {"id": "C0IDENTITY", "name": "identity"}
    assert payload["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0IDENTITY",
        "is_ephemeral": False,
    }
    assert payload["message"]["ts"] == posted["ts"]
    assert payload["message"]["blocks"] == workspace.messages()[0]["blocks"]
    assert payload["response_url"].startswith(f"{workspace.url}/actions/T0CONTOSO/")
    assert payload["api_app_id"] == "A0FOURCHECK"
    assert payload["trigger_id"]
    assert (payload["enterprise"], payload["is_enterprise_install"]) == (None, False)


async def test_a_click_in_an_ephemeral_message_carries_no_message(
    workspace: WorkspaceServer, client: AsyncWebClient, app: Any
) -> None:
    """Slack does not send ephemeral messages back; the container says what it was."""
    await client.chat_postEphemeral(
        channel="C0IDENTITY", user="U0MARIA", text="x", blocks=[details("Import")]
    )
    [shown] = workspace.messages()
    await workspace.click("U0MARIA", "View details", message=shown["ts"])
    payload = json.loads(app.form()["payload"])
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    with pytest.raises(BadRequestError, match="sees no message"):
        await workspace.click("U0ADAM", "View details", message=shown["ts"])


# how to name the second of two equal buttons
NAMES: dict[str, Node] = {
    "by position": {"action": 1},
    "by position in text": {"action": "1"},
    "by block and element": {"action": "1.0"},
    "by action_id": {"action": "details_Scope"},
    "by value": {"action": "View details", "value": "Scope"},
    "by what stands beside it": {"action": "View details", "beside": "scope"},
}


@pytest.mark.parametrize("named", NAMES.values(), ids=list(NAMES.keys()))
async def test_ways_to_name_a_button(
    workspace: WorkspaceServer, client: AsyncWebClient, app: Any, named: Node
) -> None:
    """A button is found by any name that means it alone."""
    posted = await client.chat_postMessage(
        channel="C0IDENTITY", text="x", blocks=[details("Import"), details("Scope")]
    )
    await workspace.click("U0MARIA", named.pop("action"), message=posted["ts"], **named)
    assert json.loads(app.form()["payload"])["actions"][0]["value"] == "Scope"


async def test_a_name_that_means_two_buttons_is_refused(
    workspace: WorkspaceServer, client: AsyncWebClient, app: Any
) -> None:
    """Nothing is pressed at random; the sentence lists what is there."""
    posted = await client.chat_postMessage(
        channel="C0IDENTITY", text="x", blocks=[details("Import"), details("Scope")]
    )
    for action, sentence in (("View details", "2 elements are called"), ("Delete", "Nothing is called")):
        with pytest.raises(BadRequestError, match=f"{sentence}.*details_Scope"):
            await workspace.click("U0MARIA", action, message=posted["ts"])
    assert app.requests == []


async def test_a_button_that_asks_first(workspace: WorkspaceServer, client: AsyncWebClient, app: Any) -> None:
    """Saying no to a confirmation sends nothing."""
    button = details("Import")
    button["accessory"]["confirm"] = {name: plain("x") for name in ("title", "text", "confirm", "deny")}
    posted = await client.chat_postMessage(channel="C0IDENTITY", text="x", blocks=[button])
    refused = await workspace.click("U0MARIA", "View details", message=posted["ts"], confirm=False)
    assert (refused, app.requests) == ({"ok": True, "dispatched": False}, [])
    await workspace.click("U0MARIA", "View details", message=posted["ts"])
    assert len(app.requests) == 1


# channel, user, sentence
IMPOSSIBLE = [
    ("C0PRIVATE", "U0ADAM", "Adam Novak is not in C0PRIVATE."),
    ("C0ARCHIVE", "U0MARIA", "C0ARCHIVE is archived: nobody can write there."),
    ("C0NOWHERE", "U0MARIA", "There is no channel 'C0NOWHERE'"),
    ("C0IDENTITY", "U0NOBODY", "There is no user 'U0NOBODY'"),
]


@pytest.mark.parametrize(("channel", "user", "sentence"), IMPOSSIBLE, ids=[s for _, _, s in IMPOSSIBLE])
async def test_what_a_person_cannot_do(
    workspace: WorkspaceServer, app: Any, channel: str, user: str, sentence: str
) -> None:
    """A command needs a person who is in the channel, and a channel that is alive."""
    with pytest.raises(BadRequestError) as refused:
        await workspace.command(user, channel, "x")
    assert str(refused.value).startswith(sentence)
    assert app.requests == []


async def test_the_bot_is_invited_and_removed(workspace: WorkspaceServer, call: Call) -> None:
    """A channel can change under the bot: membership, archive."""
    await workspace.change_channel("C0PRIVATE", bot=True)
    assert (await call("chat.postMessage", channel="C0PRIVATE", text="x"))["ok"] is True
    await workspace.change_channel("C0PRIVATE", bot=False)
    assert (await call("chat.postMessage", channel="C0PRIVATE", text="x"))["error"] == "channel_not_found"
    await workspace.change_channel("C0IDENTITY", archived=True)
    assert (await call("chat.postMessage", channel="C0IDENTITY", text="x"))["error"] == "is_archived"
