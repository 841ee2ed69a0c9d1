"""The `/_sandbox` calls over HTTP, as tests and tools use them from outside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sandbox.workspace import WorkspaceServer

Node = dict[str, Any]
Ask = Callable[..., Awaitable[tuple[int, Any]]]

BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Import"},
    "submit": {"type": "plain_text", "text": "Done"},
    "blocks": [{"type": "divider"}],
}


@pytest.fixture
def ask(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> Ask:
    """Call `/_sandbox/…`: a GET without a body, else a POST."""

    async def run(path: str, body: Any = None) -> tuple[int, Any]:
        verb = "GET" if body is None else "POST"
        async with http.request(verb, f"{workspace.url}/_sandbox/{path}", json=body) as response:
            return response.status, await response.json()

    return run


async def test_a_conversation_from_outside(workspace: WorkspaceServer, ask: Ask, app: Any) -> None:
    """Command, messages, click, views, submit, close, calls: all over HTTP."""
    status, answer = await ask("command", {"user": "U0MARIA", "channel": "C0IDENTITY", "text": "x"})
    assert (status, answer["ok"], answer["ack"]["status"]) == (200, True, 200)
    assert answer["ack"]["ms"] > 0

    async with aiohttp.ClientSession(headers={"Authorization": "Bearer xoxb-contoso-sandbox-bot"}) as bot:
        blocks = [{"type": "actions", "elements": [BUTTON]}]
        post = {"channel": "C0IDENTITY", "text": "Hello", "blocks": blocks}
        async with bot.post(f"{workspace.url}/api/chat.postMessage", json=post) as response:
            assert (await response.json())["ok"] is True
        _, answer = await ask("messages?channel=C0IDENTITY")
        [message] = answer
        assert (message["text"], message["edits"], message["problems"]) == ("Hello", 0, [])
        assert (message["ephemeral"], message["to"]) == (False, None)

        click = {"user": "U0MARIA", "message": message["ts"], "action": "Go"}
        assert (await ask("click", click))[1]["ok"] is True
        payload = json.loads(app.form()["payload"])
        opening = {"trigger_id": payload["trigger_id"], "view": MODAL}
        async with bot.post(f"{workspace.url}/api/views.open", json=opening) as response:
            assert (await response.json())["ok"] is True

    _, answer = await ask("views?user=U0MARIA")
    assert [view["title"]["text"] for view in answer] == ["Import"]
    _, answer = await ask("submit", {"user": "U0MARIA", "view": answer[0]["id"]})
    assert answer["ok"] is True
    assert (await ask("views"))[1] == []
    _, answer = await ask("calls")
    assert [entry["method"] for entry in answer] == ["chat.postMessage", "views.open"]
    assert set(answer[0]) >= {"method", "payload", "response", "problems"}
    _, answer = await ask("dispatches")
    kinds = [entry["type"] for entry in answer]
    assert kinds == ["slash_commands", "block_actions", "view_submission"]


@pytest.mark.parametrize("ack_deadline", [0.3])
async def test_a_timeout_from_outside(ask: Ask) -> None:
    """A command that fails has its error and HTTP 200: it is what the person sees, not a bad request."""
    status, answer = await ask("command", {"user": "U0MARIA", "channel": "C0IDENTITY", "text": "x"})
    assert (status, answer) == (200, {"ok": False, "error": "dispatch_failed"})


# path, body, part of the sentence
WRONG: list[tuple[str, Any, str]] = [
    ("command", [], "The body is a JSON object."),
    ("command", {"user": "U0MARIA"}, "missing: channel, text"),
    ("command", {"user": "U0MARIA", "channel": "C0IDENTITY", "text": "x", "loud": 1}, "unknown: loud"),
    ("command", {"user": "U0X", "channel": "C0IDENTITY", "text": "x"}, "There is no user 'U0X'"),
    ("command", {"user": "U0MARIA", "channel": "C0IDENTITY", "text": 5}, "`text` cannot be 5."),
    ("click", {"user": "U0MARIA", "action": "Go"}, "Name either a `message` by its ts or a `view`"),
    ("click", {"user": "U0MARIA", "action": "Go", "message": "1"}, "sees no message '1'"),
    ("submit", {"user": "U0MARIA"}, "Maria Jimenez has no view"),
    ("close", {"user": "U0MARIA"}, "Maria Jimenez has no view"),
    ("delete", {"message": "1"}, "There is no message '1'"),
    ("faults", {"x": 1}, "The body is a list of faults"),
    ("faults", [{"times": 1}], "A fault is an object with"),
    ("faults", [{"method": "*", "then": {"explode": True}}], "A fault has"),
    ("faults", [{"method": "*", "times": "many"}], "`times` and `status` are whole numbers."),
    ("links", {"action": "cut"}, "`action` is one of disconnect,"),
    ("channel", {"channel": "C0NOWHERE", "bot": True}, "There is no channel 'C0NOWHERE'"),
    ("home", None, "Say whose Home tab"),
    ("views?user=U0X", None, "There is no user 'U0X'"),
    ("messages?channel=C0NOWHERE", None, "There is no channel"),
]


@pytest.mark.parametrize(("path", "body", "sentence"), WRONG)
async def test_a_wrong_body_is_answered_with_a_sentence(
    ask: Ask, path: str, body: Any, sentence: str
) -> None:
    """What cannot be done is a 400 that says what there is."""
    status, answer = await ask(path, body)
    assert (status, answer["ok"], answer["error"]) == (400, False, "bad_request")
    assert sentence in answer["message"]


async def test_a_body_that_is_no_json(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """A body that is not JSON is a 400."""
    async with http.post(f"{workspace.url}/_sandbox/command", data=b"{") as response:
        assert (response.status, (await response.json())["message"]) == (400, "The body is not JSON.")


# headers of a page that is not the sandbox's own
FOREIGN = [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_other_pages_cannot_reach_in(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """A page of another origin, or under a rebound name, gets nothing."""
    async with http.get(f"{workspace.url}/_sandbox/state", headers=headers) as response:
        assert response.status == 403
    own = {"Origin": workspace.url}
    async with http.get(f"{workspace.url}/_sandbox/state", headers=own) as response:
        assert response.status == 200


async def test_who_and_what_is_there(ask: Ask) -> None:
    """The seed: Contoso's people, the app, the kinds of channels."""
    _, state = await ask("state")
    assert state["team"] == {"id": "T0CONTOSO", "name": "Contoso", "domain": "contoso"}
    assert state["app"]["scopes"] == ["commands", "chat:write", "chat:write.public"]
    assert {u["id"]: u["real_name"] for u in state["users"]} == {
        "U0MARIA": "Maria Jimenez",
        "U0ADAM": "Adam Novak",
        "U0HENRY": "Henry Okafor",
        "U0VERA": "Vera Lindqvist",
        "U0STELLA": "Stella Moreau",
        "U0NOOR": "Noor Haddad",
        "U0BOT": "Fourcheck",
    }
    assert [u["id"] for u in state["users"] if u["is_guest"]] == ["U0NOOR"]
    kinds = {c["id"]: (c["kind"], c["bot_is_member"], c["is_archived"]) for c in state["channels"]}
    assert kinds["C0IDENTITY"] == ("public", True, False)
    assert kinds["C0GENERAL"] == ("public", False, False)
    assert kinds["C0PRIVATE"] == ("private", False, False)
    assert kinds["C0ARCHIVE"] == ("public", True, True)
    assert kinds["D0MARIA"] == ("direct", True, False)


async def test_faults_and_limits_from_outside(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, ask: Ask, call: Any
) -> None:
    """A list adds faults; an object can switch the rate limits too."""
    fault = {"method": "auth.test", "times": 2, "then": {"error": "account_inactive"}}
    assert (await ask("faults", [fault]))[1] == {"ok": True}
    for expected in ("account_inactive", "account_inactive", None):
        assert (await call("auth.test")).get("error") == expected
    await ask("faults", [{**fault, "times": 3}])
    assert [(f["method"], f["times"]) for f in (await ask("faults"))[1]] == [("auth.test", 3)]
    await ask("faults", {"tier_limits": True})
    assert workspace.tier_limits is True
    async with http.delete(f"{workspace.url}/_sandbox/faults") as response:
        assert response.status == 200
    assert (workspace.tier_limits, (await ask("faults"))[1]) == (False, [])


async def test_reset(workspace: WorkspaceServer, ask: Ask, call: Any) -> None:
    """A reset takes everything back to the seed."""
    await call("chat.postMessage", channel="C0IDENTITY", text="x")
    await ask("channel", {"channel": "C0IDENTITY", "archived": True})
    await ask("faults", [{"method": "*", "then": {"error": "fatal_error"}}])
    assert (await ask("reset", {}))[1] == {"ok": True}
    assert (workspace.messages(), workspace.calls(), workspace.dispatches()) == ([], [], [])
    assert (await call("chat.postMessage", channel="C0IDENTITY", text="x"))["ok"] is True


async def test_changes_as_they_happen(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, call: Any
) -> None:
    """Server-Sent Events name each change and carry the thing that changed."""
    async with http.get(f"{workspace.url}/_sandbox/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readline() == b": open\n"
        await call("chat.postMessage", channel="C0IDENTITY", text="x")
        seen: list[tuple[str, Node]] = []
        async with asyncio.timeout(20):
            while len(seen) < 2:
                line = (await stream.content.readline()).decode()
                if line.startswith("event: "):
                    data = json.loads((await stream.content.readline()).decode().removeprefix("data: "))
                    seen.append((line.strip(), data))
    assert [name for name, _ in seen] == ["event: message", "event: call"]
    assert (seen[0][1]["text"], seen[1][1]["method"]) == ("x", "chat.postMessage")


async def test_where_the_app_is_can_be_said_later(workspace: WorkspaceServer, ask: Ask, app: Any) -> None:
    """The request URL can be set from outside, or taken away for Socket Mode."""
    url = workspace.request_url
    await ask("settings", {"request_url": None})
    assert workspace.request_url is None
    await ask("settings", {"request_url": url})
    assert (await ask("command", {"user": "U0ADAM", "channel": "C0IDENTITY", "text": "x"}))[1]["ok"] is True
    assert app.form()["user_id"] == "U0ADAM"


async def test_listens_on_loopback_only(workspace: WorkspaceServer) -> None:
    """Nothing but this machine can reach the workspace."""
    assert workspace._runner is not None
    assert [address[0] for address in workspace._runner.addresses] == ["127.0.0.1"]
