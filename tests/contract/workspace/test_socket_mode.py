"""Socket Mode links, raw and with slack_sdk's client. Source: Slack, page "Using Socket Mode"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import BadRequestError, WorkspaceServer

Node = dict[str, Any]
Connect = Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]


@pytest.fixture
def connect(workspace: WorkspaceServer, client: AsyncWebClient, http: aiohttp.ClientSession) -> Connect:
    """Open a link as an app does and read its hello."""

    async def run() -> aiohttp.ClientWebSocketResponse:
        token = workspace.settings()["FOURCHECK_SLACK__APP_TOKEN"]
        opened = await client.apps_connections_open(app_token=token)
        link = await http.ws_connect(opened["url"])
        assert (await link.receive_json(timeout=5))["type"] == "hello"
        return link

    return run


async def read(link: aiohttp.ClientWebSocketResponse) -> Node:
    """Read the next message of a link."""
    message: Node = await link.receive_json(timeout=5)
    return message


async def test_a_link_opens_once(
    workspace: WorkspaceServer, client: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    """The address is a WebSocket on loopback, greets with the app's id, and cannot be used again."""
    opened = await client.apps_connections_open(app_token="xapp-1-A0FOURCHECK-sandbox")
    assert opened["url"].startswith(workspace.url.replace("http", "ws") + "/link/?ticket=")
    link = await http.ws_connect(opened["url"])
    hello = await read(link)
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": "A0FOURCHECK"}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(opened["url"])
    await link.close()


async def test_an_envelope_and_its_acknowledgement(workspace: WorkspaceServer, connect: Connect) -> None:
    """A command comes as an envelope; the payload of its acknowledgement is the reply."""
    link = await connect()
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "CN=Ada"))
    envelope = await read(link)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert (envelope["payload"]["text"], envelope["payload"]["user_id"]) == ("CN=Ada", "U0MARIA")
    await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "Working"}})
    result = await command
    assert (result["ok"], result["ack"]["body"]) == (True, {"text": "Working"})
    assert [m["text"] for m in workspace.messages()] == ["Working"]
    await link.close()


async def test_a_click_takes_no_payload_back(
    workspace: WorkspaceServer, client: AsyncWebClient, connect: Connect
) -> None:
    """An interaction says that it accepts no payload, and one that is sent changes nothing."""
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    posted = await client.chat_postMessage(
        channel="C0IDENTITY", text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    link = await connect()
    click = asyncio.create_task(workspace.click("U0MARIA", "Go", message=posted["ts"]))
    envelope = await read(link)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
    await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "ignored"}})
    result = await click
    assert (result["ok"], result["ack"]["body"]) == (True, None)
    assert len(workspace.messages()) == 1
    await link.close()


_ASKING = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Pick"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "who",
            "label": {"type": "plain_text", "text": "Who"},
            "element": {"type": "external_select", "action_id": "who", "min_query_length": 1},
        }
    ],
}
_ADA = {"text": {"type": "plain_text", "text": "Ada"}, "value": "1"}


async def test_options_come_back_in_the_acknowledgement(workspace: WorkspaceServer, connect: Connect) -> None:
    """A question for options accepts a payload, which is what the person sees."""
    workspace.state.open_view("U0MARIA", _ASKING, push=False)
    link = await connect()
    asking = asyncio.create_task(workspace.suggest("U0MARIA", "who", "ad"))
    envelope = await read(link)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", True)
    assert (envelope["payload"]["type"], envelope["payload"]["value"]) == ("block_suggestion", "ad")
    await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {"options": [_ADA]}})
    assert (await asking)["options"] == [_ADA]
    await link.close()


@pytest.mark.parametrize("ack_deadline", [0.3])
async def test_options_that_come_too_late(workspace: WorkspaceServer, connect: Connect) -> None:
    """A question for options that is not answered in time fails, and nothing can be picked."""
    workspace.state.open_view("U0MARIA", _ASKING, push=False)
    link = await connect()
    assert await workspace.suggest("U0MARIA", "who", "ad") == {"ok": False, "error": "operation_timeout"}
    with pytest.raises(BadRequestError, match="There is no option '1'"):
        await workspace.submit("U0MARIA", values={"who": "1"})
    await link.close()


@pytest.mark.parametrize("ack_deadline", [0.3])
async def test_no_acknowledgement_is_an_operation_timeout(
    workspace: WorkspaceServer, connect: Connect
) -> None:
    """An envelope that nobody acknowledges ends in a timeout; noise and foreign acks do not count."""
    link = await connect()
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    await read(link)
    for noise in ('{"envelope_id": "another"}', '{"envelope_id": []}', "not json", "[]"):
        await link.send_str(noise)
    assert (await command)["error"] == "operation_timeout"
    await link.close()


async def test_links_take_turns(workspace: WorkspaceServer, connect: Connect) -> None:
    """With several links each payload goes over one of them, and all get some."""
    links = [await connect(), await connect()]
    seen: list[int] = []

    async def serve(number: int) -> None:
        async for message in links[number]:
            envelope = message.json()
            seen.append(number)
            await links[number].send_json({"envelope_id": envelope["envelope_id"]})

    servers = [asyncio.create_task(serve(number)) for number in (0, 1)]
    for _ in range(4):
        assert (await workspace.command("U0MARIA", "C0IDENTITY", "x"))["ok"] is True
    assert sorted(seen) == [0, 0, 1, 1]
    for server in servers:
        server.cancel()
    for link in links:
        await link.close()


@pytest.mark.parametrize("how", ["abort", "close"])
async def test_what_a_lost_link_did_not_acknowledge_comes_again(
    workspace: WorkspaceServer, connect: Connect, how: str
) -> None:
    """An envelope whose link ends is delivered over the next one, with the same id."""
    old = await connect()
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    first = await read(old)
    await workspace.links(how)
    ended = await old.receive(timeout=5)
    assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    new = await connect()
    again = await read(new)
    assert again == first
    await new.send_json({"envelope_id": again["envelope_id"]})
    assert (await command)["ok"] is True
    await new.close()


async def test_a_frozen_link_swallows_and_the_next_one_delivers(
    workspace: WorkspaceServer, connect: Connect
) -> None:
    """Nothing gets through a frozen link; what hung on it comes over the next one."""
    frozen = await connect()
    await workspace.links("freeze")
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    with pytest.raises(TimeoutError):
        await frozen.receive_json(timeout=0.1)
    new = await connect()
    envelope = await read(new)
    await new.send_json({"envelope_id": envelope["envelope_id"]})
    assert (await command)["ok"] is True
    await new.close()
    await frozen.close()


async def test_a_refresh_is_announced_before_the_link_ends(
    workspace: WorkspaceServer, connect: Connect
) -> None:
    """`disconnect` comes first; a new link is preferred at once; the old one closes after a moment."""
    old = await connect()
    await workspace.links("disconnect", "refresh_requested")
    announced = await read(old)
    assert (announced["type"], announced["reason"]) == ("disconnect", "refresh_requested")
    new = await connect()
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    envelope = await read(new)
    await new.send_json({"envelope_id": envelope["envelope_id"]})
    assert (await command)["ok"] is True
    assert (await old.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    await new.close()


async def test_an_old_link_still_delivers_while_there_is_no_other(
    workspace: WorkspaceServer, connect: Connect
) -> None:
    """Between the announcement and the new link a command goes over the old one."""
    old = await connect()
    await workspace.links("disconnect", "warning")
    assert (await read(old))["reason"] == "warning"
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    envelope = await read(old)
    await old.send_json({"envelope_id": envelope["envelope_id"]})
    assert (await command)["ok"] is True
    await old.close()


async def test_an_envelope_can_come_twice(workspace: WorkspaceServer, connect: Connect) -> None:
    """The last envelope can be sent once more, the same to the letter."""
    link = await connect()
    command = asyncio.create_task(workspace.command("U0MARIA", "C0IDENTITY", "x"))
    first = await read(link)
    await link.send_json({"envelope_id": first["envelope_id"]})
    await command
    await workspace.links("repeat")
    assert await read(link) == first
    await link.close()


async def test_links_can_be_refused(workspace: WorkspaceServer, connect: Connect) -> None:
    """While links are refused none opens; afterwards they do."""
    await workspace.links("refuse")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await connect()
    await workspace.links("accept")
    link = await connect()
    await link.close()


async def test_ten_links_and_no_more(workspace: WorkspaceServer, connect: Connect) -> None:
    """Slack, page "Using Socket Mode": an app has up to ten links; an eleventh is told so."""
    links = [await connect() for _ in range(10)]
    with pytest.raises(AssertionError):  # the fixture expects a hello
        await connect()
    assert workspace.describe()["links"] == 10
    for link in links:
        await link.close()


async def test_pings_are_answered(connect: Connect) -> None:
    """A ping comes back as a pong with the same content."""
    link = await connect()
    link._autoping = False
    await link.ping(b"sdk-ping-pong:1")
    pong = await link.receive(timeout=5)
    assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")
    await link.close()


@pytest.fixture
async def sdk(workspace: WorkspaceServer, client: AsyncWebClient) -> AsyncIterator[SocketModeClient]:
    """Run slack_sdk's client, acknowledging everything."""

    async def acknowledge(link: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await link.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    made = SocketModeClient(
        app_token=workspace.settings()["FOURCHECK_SLACK__APP_TOKEN"], web_client=client, ping_interval=0.3
    )
    made.socket_mode_request_listeners.append(acknowledge)
    await made.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped
    yield made
    await made.close()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("how", ["disconnect", "close", "abort"])
async def test_slacks_own_client_comes_back(workspace: WorkspaceServer, how: str) -> None:
    """After a refresh, a close or a cut slack_sdk's client has a new link, and commands arrive."""
    assert (await workspace.command("U0MARIA", "C0IDENTITY", "x"))["ok"] is True
    opened = len(workspace.calls())
    await workspace.links(how)
    await workspace.until(lambda: len(workspace.calls()) > opened and workspace.describe()["links"] > 0, 10)
    await workspace.until(lambda: workspace.socket_mode.count == 1, 10)
    result = await workspace.command("U0MARIA", "C0IDENTITY", "x")
    assert result["ok"] is True
