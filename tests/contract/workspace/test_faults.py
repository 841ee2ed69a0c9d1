"""Trouble on demand, as the real clients meet it. Source: Slack, page "Rate limits"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import WorkspaceServer

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


async def test_faults_come_as_often_as_asked(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """A fault hits its method so many times and no other, then Slack answers again."""
    workspace.add_faults([{"method": "auth.test", "times": 1, "then": {"error": "token_revoked"}}])
    await client.chat_postMessage(channel="C0IDENTITY", text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.auth_test()
    assert refused.value.response.data == {"ok": False, "error": "token_revoked"}
    await client.auth_test()


async def test_a_response_url_needs_no_token(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """What a revoked token stops is the Web API: the way that a command brought along stays open."""
    workspace.add_faults([{"method": "*", "times": 3, "then": {"error": "token_revoked"}}])
    address = workspace.state.new_response_url("commands", "U0MARIA", "C0IDENTITY")
    async with http.post(workspace.url + address, json={"text": "still here"}) as response:
        assert response.status == 200
    assert [message["text"] for message in workspace.messages()] == ["still here"]
    assert [fault["times"] for fault in workspace.pending_faults()] == [3]


async def test_the_client_obeys_retry_after(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """A 429 carries Retry-After in the form that Slack's own client waits for."""
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    then = {"status": 429, "headers": {"Retry-After": "0"}}
    workspace.add_faults([{"method": "chat.postMessage", "then": then}])
    await client.chat_postMessage(channel="C0IDENTITY", text="x")
    assert [c["status"] for c in workspace.calls()] == [429, 200]
    assert workspace.calls()[0]["response"] == {"ok": False, "error": "ratelimited"}
    assert workspace.calls()[0]["payload"]["text"] == "x"


async def test_a_lost_answer_may_have_had_its_effect(
    client: AsyncWebClient, workspace: WorkspaceServer
) -> None:
    """A dropped connection leaves it open whether the message is there; a fault can decide either."""
    client.retry_handlers.clear()
    workspace.add_faults(
        [
            {"method": "chat.postMessage", "then": {"drop": True}},
            {"method": "chat.postMessage", "then": {"drop": True, "after_effect": True}},
        ]
    )
    for expected in (0, 1):
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel="C0IDENTITY", text="x")
        assert len(workspace.messages()) == expected


async def test_a_slow_answer_is_the_right_answer(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """A delay alone changes nothing else."""
    workspace.add_faults([{"method": "*", "then": {"delay_s": 0.05}}])
    assert (await client.auth_test())["ok"] is True


async def test_rate_limits_by_tier_are_a_switch(call: Call, workspace: WorkspaceServer, clock: Any) -> None:
    """Off: anything passes. On: 50 updates a minute, a burst of five posts, then 429 with a wait."""
    posted = await call("chat.postMessage", channel="C0IDENTITY", text="x")
    where = {"channel": "C0IDENTITY", "ts": posted["ts"]}
    for _ in range(55):
        await call("chat.update", **where, text="y")
    workspace.tier_limits = True
    for _ in range(50):
        await call("chat.update", **where, text="y")
    with pytest.raises(AssertionError):  # the fixture insists on HTTP 200
        await call("chat.update", **where, text="y")
    limited = workspace.calls()[-1]
    assert (limited["status"], limited["response"]["error"]) == (429, "ratelimited")
    clock.ahead += 60
    assert (await call("chat.update", **where, text="z"))["ok"] is True
    for _ in range(5):
        await call("chat.postMessage", channel="C0IDENTITY", text="x")
    await call("chat.postMessage", channel="C0GENERAL", text="another channel has its own pace")
    with pytest.raises(AssertionError):
        await call("chat.postMessage", channel="C0IDENTITY", text="x")
