"""Modals and their triggers. Source: Slack, pages "Modals", views.open, views.push, views.update."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import WorkspaceServer

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


def view(title: str = "Import", **more: Any) -> Node:
    """Write a small modal with a button."""
    button = {"type": "button", "action_id": "next", "text": {"type": "plain_text", "text": "Next"}}
    actions = {"type": "actions", "block_id": "pages", "elements": [button]}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "blocks": [actions],
        **more,
    }


def refused(answer: Node) -> str | None:
    """Give the error of an answer."""
    return answer.get("error")


def trigger(workspace: WorkspaceServer, user: str = "U0MARIA") -> str:
    """Make a trigger, standing for a command that a person typed."""
    return workspace.state.new_trigger(user)


async def trigger_from(workspace: WorkspaceServer, app: Any, user: str = "U0MARIA") -> str:
    """Press the button of a person's topmost modal and give the trigger that the app got."""
    await workspace.click(user, "Next", view=workspace.views(user)[-1]["id"])
    found: str = json.loads(app.form()["payload"])["trigger_id"]
    return found


async def test_opens_a_modal_for_the_person_of_the_trigger(
    client: AsyncWebClient, workspace: WorkspaceServer
) -> None:
    """The answer carries the whole view as Slack keeps it, and only that person has it open."""
    opened = await client.views_open(
        trigger_id=trigger(workspace), view=view(callback_id="import", private_metadata="run")
    )
    answered = opened["view"]
    assert answered["id"].startswith("V")
    expected = {
        "team_id": "T0CONTOSO",
        "type": "modal",
        "callback_id": "import",
        "private_metadata": "run",
        "root_view_id": answered["id"],
        "previous_view_id": None,
        "external_id": "",
        "state": {"values": {}},
        "app_id": "A0FOURCHECK",
        "bot_id": "B0FOURCHECK",
    }
    assert {name: answered[name] for name in expected} == expected
    assert [v["id"] for v in workspace.views("U0MARIA")] == [answered["id"]]
    assert workspace.views("U0ADAM") == []


async def test_a_trigger_works_once(call: Call, workspace: WorkspaceServer) -> None:
    """The second use of a trigger is refused as exchanged."""
    used = trigger(workspace)
    assert (await call("views.open", trigger_id=used, view=view()))["ok"] is True
    assert refused(await call("views.open", trigger_id=used, view=view())) == "exchanged_trigger_id"


@pytest.mark.parametrize(("seconds", "error"), [(1.5, None), (3.5, "expired_trigger_id")])
async def test_a_trigger_lives_three_seconds(
    call: Call, workspace: WorkspaceServer, clock: Any, seconds: float, error: str | None
) -> None:
    """After three seconds a trigger is expired, not before."""
    old = trigger(workspace)
    clock.ahead += seconds
    assert refused(await call("views.open", trigger_id=old, view=view())) == error


async def test_a_trigger_that_never_was(call: Call) -> None:
    """An invented trigger is invalid."""
    assert refused(await call("views.open", trigger_id="1.2.abc", view=view())) == "invalid_trigger_id"


async def test_an_invalid_view_leaves_the_trigger_alone(call: Call, workspace: WorkspaceServer) -> None:
    """A refused view points at its fault and the trigger can still be used."""
    given = trigger(workspace)
    answer = await call("views.open", trigger_id=given, view=view(title="x" * 25))
    assert answer == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {
            "messages": [
                "[ERROR] failed to match all allowed schemas [json-pointer:/view]",
                "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]",
            ]
        },
    }
    assert (await call("views.open", trigger_id=given, view=view()))["ok"] is True


# arguments of views.open, error, message
MISSING = [
    ({"view": None}, "missing required field: view"),
    ({"view": "text"}, "must provide an object [json-pointer:/view]"),
    ({"view": {}}, "missing required field: title [json-pointer:/view]"),
]


@pytest.mark.parametrize(("arguments", "message"), MISSING, ids=[message for _, message in MISSING])
async def test_says_what_is_missing(
    call: Call, workspace: WorkspaceServer, arguments: Node, message: str
) -> None:
    """What is not there is named."""
    if arguments["view"] == "text":
        arguments = {"view": '"text"'}
    answer = await call("views.open", trigger_id=trigger(workspace), **arguments)
    assert answer["error"] == "invalid_arguments"
    assert f"[ERROR] {message}" in answer["response_metadata"]["messages"]


async def test_a_view_has_at_most_250_kilobytes(call: Call, workspace: WorkspaceServer) -> None:
    """A view of more than 250,000 bytes is too large, whatever else is right with it."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "é" * 1500}}
    big = {**view(), "blocks": [section] * 84}
    answer = await call("views.open", trigger_id=trigger(workspace), view=big)
    assert answer == {"ok": False, "error": "view_too_large"}


async def test_two_views_can_be_pushed_and_no_third(call: Call, workspace: WorkspaceServer, app: Any) -> None:
    """The stack is three deep; each pushed view knows the one below and the root."""
    root = (await call("views.open", trigger_id=trigger(workspace), view=view()))["view"]["id"]
    second = await call("views.push", trigger_id=await trigger_from(workspace, app), view=view())
    assert (second["view"]["previous_view_id"], second["view"]["root_view_id"]) == (root, root)
    third = await call("views.push", trigger_id=await trigger_from(workspace, app), view=view())
    assert third["view"]["previous_view_id"] == second["view"]["id"]
    fourth = await call("views.push", trigger_id=await trigger_from(workspace, app), view=view())
    assert fourth == {"ok": False, "error": "push_limit_reached"}
    assert len(workspace.views("U0MARIA")) == 3


async def test_pushing_needs_a_modal(call: Call, workspace: WorkspaceServer) -> None:
    """A trigger that did not come from an open modal has nothing to push onto."""
    answer = await call("views.push", trigger_id=trigger(workspace), view=view())
    assert answer == {"ok": False, "error": "not_found"}


async def test_update_with_the_hash_that_is_current(call: Call, workspace: WorkspaceServer) -> None:
    """The current hash passes and changes; an old one is a conflict; none at all passes."""
    opened = (await call("views.open", trigger_id=trigger(workspace), view=view()))["view"]
    where = {"view_id": opened["id"]}
    updated = await call("views.update", **where, view=view("Page 2"), hash=opened["hash"])
    assert updated["view"]["hash"] != opened["hash"]
    assert updated["view"]["title"]["text"] == "Page 2"
    conflict = await call("views.update", **where, view=view("Page 3"), hash=opened["hash"])
    assert conflict == {"ok": False, "error": "hash_conflict"}
    assert (await call("views.update", **where, view=view("Page 3")))["ok"] is True


async def test_update_by_external_id(call: Call, workspace: WorkspaceServer) -> None:
    """A view can be found by its external id, not by both ids, and an external id is used once."""
    opened = await call("views.open", trigger_id=trigger(workspace), view=view(external_id="run-1"))
    found = await call("views.update", external_id="run-1", view=view("Found", external_id="run-1"))
    assert found["view"]["id"] == opened["view"]["id"]
    both = await call("views.update", external_id="run-1", view_id=opened["view"]["id"], view=view())
    assert both["response_metadata"]["messages"] == [
        "[ERROR] Cannot provide both `view_id` and `external_id`"
    ]
    again = await call("views.open", trigger_id=trigger(workspace, "U0ADAM"), view=view(external_id="run-1"))
    assert again == {"ok": False, "error": "duplicate_external_id"}


async def test_a_closed_view_is_not_found(call: Call, workspace: WorkspaceServer) -> None:
    """After the person closed it a view cannot be updated."""
    opened = await call("views.open", trigger_id=trigger(workspace), view=view())
    await workspace.close("U0MARIA")
    answer = await call("views.update", view_id=opened["view"]["id"], view=view())
    assert answer == {"ok": False, "error": "not_found"}


async def test_home_tab(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """A Home tab is published and replaced; a modal is not a Home tab."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Runs"}}
    home = {"type": "home", "blocks": [section]}
    first = await client.views_publish(user_id="U0MARIA", view=home)
    await client.views_publish(user_id="U0MARIA", view=home, hash=first["view"]["hash"])
    with pytest.raises(SlackApiError) as conflict:
        await client.views_publish(user_id="U0MARIA", view=home, hash=first["view"]["hash"])
    assert conflict.value.response["error"] == "hash_conflict"
    with pytest.raises(SlackApiError) as wrong:
        await client.views_publish(user_id="U0MARIA", view=view())
    assert wrong.value.response["error"] == "invalid_arguments"
    shown = workspace.home("U0MARIA")
    assert shown is not None
    assert shown["blocks"][0]["text"]["text"] == "Runs"
