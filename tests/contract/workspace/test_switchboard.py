"""The switchboard: faults of this workspace and of other stand-ins, switched on and off by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.workspace import WorkspaceServer
from sandbox.workspace.switchboard import DIRECTORY, SLACK, RemoteBoard

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


async def board(
    http: aiohttp.ClientSession, url: str, verb: str = "GET", body: Any = None
) -> tuple[int, Node]:
    """Ask a workspace's switchboard."""
    async with http.request(verb, f"{url}/_sandbox/switchboard", json=body) as response:
        return response.status, await response.json()


async def test_slack_is_throttled_on_demand(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, call: Call
) -> None:
    """What is switched on strikes, says how often it still will, and ends when everything is switched off."""
    _, told = await board(http, workspace.url)
    assert [one["choice"] for one in told["boards"][0]["choices"]] == [choice.name for choice in SLACK]
    status, told = await board(http, workspace.url, "POST", {"board": "slack", "choice": "revoked"})
    assert (status, told["ok"]) == (200, True)
    assert (await call("auth.test"))["error"] == "token_revoked"
    _, told = await board(http, workspace.url)
    assert told["boards"][0]["active"] == [{"choice": "revoked", "label": "Token revoked", "times": 2}]
    _, told = await board(http, workspace.url, "DELETE")
    assert told["boards"][0]["active"] == []
    assert (await call("auth.test"))["ok"] is True


async def test_every_choice_orders_what_it_says(workspace: WorkspaceServer) -> None:
    """Each choice of Slack's is taken, under its name, and spoils or delays something."""
    for choice in SLACK:
        await workspace.switchboard.switch_on("slack", choice.name)
    assert [fault["method"] for fault in workspace.pending_faults()] == [
        *("chat.update", "chat.update", "*", "views.open", "chat.postMessage", "*")
    ]
    for fault in workspace.pending_faults():
        then = fault["then"]
        assert then["error"] or then["delay_s"] or then["status"] != 200, fault
    told = (await workspace.switchboard.describe())["boards"][0]["active"]
    assert [one["choice"] for one in told] == [choice.name for choice in SLACK]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            {"board": "slack", "choice": "moon"}, "There is no 'moon'; there are throttled", id="choice"
        ),
        pytest.param(
            {"board": "moon", "choice": "busy"}, "There is no board 'moon'; there are slack.", id="board"
        ),
        pytest.param({"board": "slack"}, "missing: choice", id="incomplete"),
    ],
)
async def test_what_there_is_not(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, body: Node, said: str
) -> None:
    """A name that is not there is answered with those that are."""
    status, told = await board(http, workspace.url, "POST", body)
    assert status == 400
    assert said in told["message"]


class Other:
    """Another stand-in's `/_sandbox/faults`, that tells its kinds itself or only what is on."""

    def __init__(self, *, tells_kinds: bool) -> None:
        self.active: list[Node] = []
        self.tells_kinds = tells_kinds

    async def handle(self, request: web.Request) -> web.Response:
        """Order, clear or tell."""
        if request.method == "POST":
            for one in await request.json():
                if one["kind"] == "moon":
                    return web.json_response({"error": "kind is one of busy"}, status=400)
                self.active.append({"times": 1, **one})
        elif request.method == "DELETE":
            self.active.clear()
        kinds = [{"kind": "busy", "label": "Busy!", "description": "It is.", "times": 1, "seconds": None}]
        told = {"kinds": kinds, "active": self.active, "struck": []}
        return web.json_response(told if self.tells_kinds else self.active)


@pytest.mark.parametrize("tells_kinds", [True, False], ids=["kinds", "own-choices"])
async def test_other_systems(http: aiohttp.ClientSession, *, tells_kinds: bool) -> None:
    """Another stand-in is asked over its own address, with its own kinds or with those known of it."""
    other = Other(tells_kinds=tells_kinds)
    application = web.Application()
    application.router.add_route("*", "/_sandbox/faults", other.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/_sandbox"
    there = RemoteBoard("Other", address, None if tells_kinds else DIRECTORY)
    async with WorkspaceServer(boards={"other": there}) as workspace:
        _, told = await board(http, workspace.url, "POST", {"board": "other", "choice": "busy"})
        shown = told["boards"][1]
        assert (shown["title"], shown["reachable"]) == ("Other", True)
        label = "Busy!" if tells_kinds else "Busy"
        assert shown["active"] == [{"choice": "busy", "label": label, "times": 1}]
        assert other.active == [{"times": 1, "kind": "busy"}]
        assert (await board(http, workspace.url, "POST", {"board": "other", "choice": "moon"}))[0] == 400
        await board(http, workspace.url, "DELETE")
        assert other.active == []
        await runner.cleanup()
        _, told = await board(http, workspace.url)
        assert told["boards"][1]["reachable"] is False
        status, told = await board(http, workspace.url, "POST", {"board": "other", "choice": "busy"})
        assert (status, told["message"]) == (400, "Other does not answer.")
