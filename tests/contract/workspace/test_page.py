"""What the workspace serves to a browser: the page's files, a snapshot for one person, numbered changes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from yarl import URL

from sandbox.workspace import WorkspaceServer, contoso

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "sandbox" / "page"


async def fetch(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Fetch an address as it is written, without tidying its path."""
    async with http.get(URL(url, encoded=True), headers=headers) as response:
        return response.status, await response.text(), dict(response.headers)


async def test_page_and_its_files(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """The page refers only to files that are served beside it, each with its type."""
    status, html, headers = await fetch(http, f"{workspace.url}/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<script src" not in html
    for path in _PAGE.glob("*.*"):
        status, _, headers = await fetch(http, f"{workspace.url}/page/{path.name}")
        assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
    assert "//" not in html.replace("<!doctype html>", "")


def test_modules_are_named_in_the_head() -> None:
    """Every module is asked for at once, instead of one after the other as each names the next."""
    named = re.findall(r'rel="modulepreload" href="/page/([^"]+)"', (_PAGE / "index.html").read_text("utf-8"))
    assert sorted(["main.js", *named]) == sorted(path.name for path in _PAGE.glob("*.js"))


async def test_nothing_but_the_page(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """No path leads out of the folder, and pages of other origins or under other names get nothing."""
    for path in ("/page/..%2fserver.py", "/page/%2e%2e/workspace/server.py", "/page/none.js", "/page/"):
        assert (await fetch(http, workspace.url + path))[0] == 404, path
    assert (await fetch(http, f"{workspace.url}/", Host="contoso.example"))[0] == 403
    assert (await fetch(http, f"{workspace.url}/", Origin="http://contoso.example"))[0] == 403


async def test_policy_allows_nothing_from_elsewhere(
    workspace: WorkspaceServer, http: aiohttp.ClientSession
) -> None:
    """The browser is told to load, ask and frame nothing but this page, and to make no markup of text."""
    policy = (await fetch(http, f"{workspace.url}/"))[2]["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert rules["frame-ancestors"] == rules["trusted-types"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"


def test_page_makes_no_markup_of_text() -> None:
    """No module uses a way to turn text into markup, and none is longer than it can be read."""
    for path in _PAGE.glob("*.js"):
        source = path.read_text("utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
            assert way not in source, (path.name, way)
        assert len(source.splitlines()) <= 450, path.name


async def test_snapshot_is_one_persons_view(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """A snapshot holds what the person sees, the first of the seed unless one is named."""
    await workspace.say("U0MARIA", "C0PRIVATE", "not for Adam")
    _, text, _ = await fetch(http, f"{workspace.url}/_sandbox/snapshot?user=U0ADAM")
    adams = json.loads(text)
    assert (adams["user"], adams["messages"], adams["views"]) == ("U0ADAM", [], [])
    first = json.loads((await fetch(http, f"{workspace.url}/_sandbox/snapshot"))[1])
    assert (first["user"], [m["text"] for m in first["messages"]]) == ("U0MARIA", ["not for Adam"])
    assert first["limits"]["message_blocks"] == 50
    assert (await fetch(http, f"{workspace.url}/_sandbox/snapshot?user=U0NOBODY"))[0] == 400


async def test_changes_go_on_where_the_snapshot_ends(
    workspace: WorkspaceServer, http: aiohttp.ClientSession
) -> None:
    """A listener tells by the numbers which changes a snapshot holds; kinds not asked for are left out."""
    async with http.get(f"{workspace.url}/_sandbox/events?kinds=message") as stream:
        await stream.content.readline()
        await workspace.say("U0MARIA", "C0IDENTITY", "one")
        taken = workspace.snapshot()["sequence"]
        workspace.state.changes.say("links", {"count": 0})
        await workspace.say("U0MARIA", "C0IDENTITY", "two")
        numbers = [number async for number, _ in events(stream, 2)]
    assert numbers[0] <= taken < numbers[1] == taken + 2


async def events(stream: aiohttp.ClientResponse, count: int) -> AsyncIterator[tuple[int, str]]:
    """Read numbers and kinds of so many events."""
    number = 0
    async with asyncio.timeout(20):
        while count:
            name, _, value = (await stream.content.readline()).decode().strip().partition(": ")
            if name == "id":
                number = int(value)
            elif name == "event":
                count -= 1
                yield number, value


async def test_refused_call_is_announced(workspace: WorkspaceServer, call: Any) -> None:
    """A call that Slack would refuse leaves no message, so that it is announced by itself."""
    queue = workspace.state.changes.subscribe()
    await call("chat.postMessage", channel="C0IDENTITY", text="x", blocks=[{"type": "header"}])
    kinds = {change.kind: change.item for change in (queue.get_nowait() for _ in range(queue.qsize()))}
    assert kinds["refused"]["error"] == "invalid_blocks"
    assert kinds["refused"]["problems"][0]["verdict"] == "slack"


async def test_reset_takes_the_others_along(http: aiohttp.ClientSession) -> None:
    """A reset from outside puts back what the one who started the workspace says belongs to it."""
    resets: list[str] = []
    offered = {"label": "a user to create", "name": "Ada", "text": "CN=Ada"}
    async with WorkspaceServer(on_reset=lambda: resets.append("done"), suggestions=[offered]) as workspace:
        assert workspace.snapshot()["suggestions"] == [offered]
        workspace.reset()
        assert resets == []
        async with http.post(f"{workspace.url}/_sandbox/reset", data=b"{}") as response:
            assert (await response.json())["ok"] is True
        assert resets == ["done"]


@pytest.mark.parametrize("name", ["command", "description", "usage_hint"])
def test_command_is_the_manifests(name: str) -> None:
    """What the page offers as a command is what the manifest registers."""
    manifest = yaml.safe_load((_ROOT / "manifest.yml").read_text("utf-8"))
    registered = [command[name] for command in manifest["features"]["slash_commands"]]
    assert [getattr(command, name) for command in contoso().app.commands] == registered
