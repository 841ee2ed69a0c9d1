"""What an app hears of a modal, and what its answers do.

Source: Slack, pages "view_submission payload", "block_suggestion payload", "Modals".
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox.workspace import BadRequestError, WorkspaceServer

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]


def plain(text: str) -> Node:
    """Write plain text."""
    return {"type": "plain_text", "text": text}


def field(label: str, element: Node, **more: Any) -> Node:
    """Write an input block, named by its label."""
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": element, **more}


PICKER = {
    "type": "modal",
    "callback_id": "picker",
    "title": plain("Provision"),
    "submit": plain("Go"),
    "blocks": [
        field("Who", {"type": "external_select", "action_id": "who", "min_query_length": 2}),
        field(
            "How",
            {
                "type": "radio_buttons",
                "action_id": "how",
                "options": [
                    {"text": plain("Preview"), "value": "preview"},
                    {"text": plain("Provision"), "value": "provision"},
                ],
            },
        ),
        field(
            "Why", {"type": "plain_text_input", "action_id": "why", "initial_value": "asked"}, optional=True
        ),
    ],
}
ADA = {"text": plain("Ada Lovelace"), "value": "guid-1"}


async def open_modal(workspace: WorkspaceServer, call: Call, view: Node) -> Node:
    """Open a modal for Maria."""
    opened = await call("views.open", trigger_id=workspace.state.new_trigger("U0MARIA"), view=view)
    assert opened["ok"], opened
    shown: Node = opened["view"]
    return shown


async def fill_and_submit(workspace: WorkspaceServer, app: Any, answer: Any) -> Node:
    """Pick Ada, choose preview and submit; the app answers the submission as told."""
    app.reply({"options": [ADA]})
    await workspace.suggest("U0MARIA", "Who", "ada", view=workspace.views("U0MARIA")[-1]["id"])
    app.reply(answer)
    return await workspace.submit("U0MARIA", values={"Who": "Ada Lovelace", "How": "preview"})


async def test_a_click_in_a_modal(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """A click in a modal carries the view with what was chosen, and no channel."""
    radio = {
        "type": "radio_buttons",
        "action_id": "filter",
        "options": [{"text": plain("Changed"), "value": "c"}, {"text": plain("All"), "value": "a"}],
    }
    block = {"type": "actions", "block_id": "bar", "elements": [radio]}
    shown = await open_modal(workspace, call, {"type": "modal", "title": plain("Action"), "blocks": [block]})
    await workspace.click("U0MARIA", "All", view=shown["id"])
    payload = json.loads(app.form()["payload"])
    assert payload["container"] == {"type": "view", "view_id": shown["id"]}
    picked = {"text": {"type": "plain_text", "text": "All", "emoji": True}, "value": "a"}
    assert payload["actions"][0]["selected_option"] == picked
    state = {"bar": {"filter": {"type": "radio_buttons", "selected_option": picked}}}
    assert payload["view"]["state"]["values"] == state
    assert not {"channel", "message", "response_url"} & set(payload)


async def test_type_ahead(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """An external select asks the app from its minimum length on; the options can then be picked."""
    shown = await open_modal(workspace, call, PICKER)
    app.reply({"options": [ADA]})
    too_short = await workspace.suggest("U0MARIA", "Who", "a", view=shown["id"])
    assert (too_short["options"], app.requests) == ([], [])
    asked = await workspace.suggest("U0MARIA", "who", "ad", view=shown["id"])
    assert asked["options"] == [ADA]
    payload = json.loads(app.form()["payload"])
    named = {name: payload[name] for name in ("type", "action_id", "block_id", "value")}
    assert named == {"type": "block_suggestion", "action_id": "who", "block_id": "who", "value": "ad"}
    assert payload["view"]["id"] == shown["id"]


async def test_groups_of_options(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """Options may come in groups; what an earlier answer offered can still be picked after a later one."""
    await open_modal(workspace, call, PICKER)
    app.reply({"options": [ADA]})
    await workspace.suggest("U0MARIA", "Who", "ada")
    grace = {"text": plain("Grace Hopper"), "value": "guid-2"}
    groups = [{"label": plain("Users"), "options": [grace]}]
    app.reply({"option_groups": groups})
    answer = await workspace.suggest("U0MARIA", "Who", "grace")
    assert (answer["options"], answer["option_groups"]) == ([grace], groups)
    app.reply(None)
    assert (await workspace.submit("U0MARIA", values={"Who": "guid-1", "How": "preview"}))["ok"] is True
    picked = json.loads(app.form()["payload"])["view"]["state"]["values"]["who"]["who"]
    assert picked["selected_option"] == ADA


async def test_several_of_an_external_select(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """Several can be picked, from different answers and from what was there to begin with."""
    grace = {"text": plain("Grace Hopper"), "value": "guid-2"}
    several = {"type": "multi_external_select", "action_id": "who", "initial_options": [grace]}
    await open_modal(workspace, call, {**PICKER, "blocks": [field("Who", several)]})
    app.reply({"options": [ADA]})
    await workspace.suggest("U0MARIA", "Who", "ada")
    app.reply(None)
    assert (await workspace.submit("U0MARIA", values={"Who": ["guid-2", "guid-1"]}))["ok"] is True
    picked = json.loads(app.form()["payload"])["view"]["state"]["values"]["who"]["who"]
    assert picked["type"] == "multi_external_select"
    assert [option["value"] for option in picked["selected_options"]] == ["guid-2", "guid-1"]


async def test_too_short_an_entry_stays_with_the_client(
    workspace: WorkspaceServer, call: Call, app: Any
) -> None:
    """Slack's client does not submit a text that is shorter than its field says."""
    line = {"type": "plain_text_input", "action_id": "why", "min_length": 5}
    await open_modal(workspace, call, {**PICKER, "blocks": [field("Why", line)]})
    refused = await workspace.submit("U0MARIA", values={"Why": "no"})
    assert refused["errors"] == {"why": "This entry must have at least 5 characters."}
    assert app.requests == []
    assert (await workspace.submit("U0MARIA", values={"Why": "enough"}))["ok"] is True


async def test_a_field_that_reports_itself(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """An input with `dispatch_action` tells the app at once what was typed; one without keeps it."""
    line = {"type": "plain_text_input", "action_id": "find"}
    fields = [
        field("Find", line, dispatch_action=True, optional=True),
        field("Why", {**line, "action_id": "why"}),
    ]
    await open_modal(workspace, call, {**PICKER, "blocks": fields})
    view = workspace.views("U0MARIA")[0]["id"]
    assert (await workspace.click("U0MARIA", "why", view=view, value="later"))["dispatched"] is False
    await workspace.click("U0MARIA", "find", view=view, value="mail")
    payload = json.loads(app.form()["payload"])
    assert (payload["actions"][0]["action_id"], payload["actions"][0]["value"]) == ("find", "mail")
    assert payload["view"]["state"]["values"]["why"]["why"]["value"] == "later"


# answer to a block_suggestion, rule
OPTIONS: dict[str, tuple[Any, str]] = {
    "a hundred and one": ({"options": [ADA] * 101}, "too-many"),
    "a value of 151": ({"options": [{"text": plain("x"), "value": "x" * 151}]}, "too-long"),
    "text that is mrkdwn": (
        {"options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "1"}]},
        "text-type",
    ),
    "no options": ({}, "exactly-one-of"),
    "a list": ([ADA], "wrong-type"),
}


@pytest.mark.parametrize(("answer", "rule"), OPTIONS.values(), ids=list(OPTIONS.keys()))
async def test_options_are_validated(
    workspace: WorkspaceServer, call: Call, app: Any, answer: Any, rule: str
) -> None:
    """Options that Slack would not show are refused."""
    shown = await open_modal(workspace, call, PICKER)
    app.reply(answer)
    refused = await workspace.suggest("U0MARIA", "Who", "ada", view=shown["id"])
    assert (refused["ok"], refused["error"]) == (False, "invalid_options")
    assert rule in [p["rule"] for p in refused["problems"]]


async def test_a_submission(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """The payload has the value of every field; an empty answer closes the view."""
    shown = await open_modal(workspace, call, {**PICKER, "private_metadata": "run-1"})
    assert (await fill_and_submit(workspace, app, None))["ok"] is True
    payload = json.loads(app.form()["payload"])
    assert (payload["type"], payload["response_urls"]) == ("view_submission", [])
    assert payload["trigger_id"]
    view = payload["view"]
    assert (view["id"], view["callback_id"], view["private_metadata"]) == (shown["id"], "picker", "run-1")
    preview = {"text": {"type": "plain_text", "text": "Preview", "emoji": True}, "value": "preview"}
    assert view["state"]["values"] == {
        "who": {"who": {"type": "external_select", "selected_option": ADA}},
        "how": {"how": {"type": "radio_buttons", "selected_option": preview}},
        "why": {"why": {"type": "plain_text_input", "value": "asked"}},
    }


async def test_an_empty_answer_closes_the_view(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """The submitted view closes and the one below shows again."""
    first = await open_modal(workspace, call, {**PICKER, "external_id": "below"})
    pushed = {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": [{"type": "divider"}]}
    trigger = workspace.state.new_trigger("U0MARIA", first["id"])
    await call("views.push", trigger_id=trigger, view=pushed)
    assert (await workspace.submit("U0MARIA"))["ok"] is True
    assert [v["id"] for v in workspace.views("U0MARIA")] == [first["id"]]
    assert len(app.requests) == 1


async def test_required_fields_stay_with_the_client(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """Slack's client does not submit while a required field is empty."""
    await open_modal(workspace, call, PICKER)
    refused = await workspace.submit("U0MARIA")
    assert (refused["error"], sorted(refused["errors"])) == ("required", ["how", "who"])
    assert app.requests == []


async def test_answers_of_a_submission(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """Errors keep the view, update replaces it, push puts one on it, clear closes all."""
    await open_modal(workspace, call, PICKER)
    errors = {"who": "Ada is out of scope"}
    refused = await fill_and_submit(workspace, app, {"response_action": "errors", "errors": errors})
    assert (refused["error"], refused["errors"]) == ("errors", errors)
    assert workspace.views("U0MARIA")[0]["errors"] == errors

    push = {"response_action": "push", "view": {**PICKER, "title": plain("Pushed")}}
    assert (await fill_and_submit(workspace, app, push))["ok"] is True
    assert [v["title"]["text"] for v in workspace.views("U0MARIA")] == ["Provision", "Pushed"]

    update = {"response_action": "update", "view": {**PICKER, "title": plain("Updated")}}
    assert (await fill_and_submit(workspace, app, update))["ok"] is True
    assert [v["title"]["text"] for v in workspace.views("U0MARIA")] == ["Provision", "Updated"]

    assert (await fill_and_submit(workspace, app, {"response_action": "clear"}))["ok"] is True
    assert workspace.views("U0MARIA") == []


# answer, error
MISUNDERSTOOD: dict[str, tuple[Any, str]] = {
    "an unknown action": ({"response_action": "close"}, "invalid_response"),
    "errors without any": ({"response_action": "errors", "errors": {}}, "invalid_response"),
    "errors of no block": ({"response_action": "errors", "errors": {"x": "y"}}, "invalid_response"),
    "a text": ("done", "invalid_response"),
    "an invalid view": (
        {"response_action": "update", "view": {"type": "modal", "title": plain("x" * 25), "blocks": []}},
        "invalid_arguments",
    ),
}


@pytest.mark.parametrize(("answer", "error"), MISUNDERSTOOD.values(), ids=list(MISUNDERSTOOD.keys()))
async def test_answers_that_slack_does_not_understand(
    workspace: WorkspaceServer, call: Call, app: Any, answer: Any, error: str
) -> None:
    """The view stays, and the person sees that it did not work."""
    await open_modal(workspace, call, PICKER)
    result = await fill_and_submit(workspace, app, answer)
    assert (result["ok"], result["error"]) == (False, error)
    assert result["shown"] == "We had some trouble connecting. Try again?"
    assert len(workspace.views("U0MARIA")) == 1


async def test_closing(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """An app hears of a closed view if it asked to; `clear_on_close` closes the whole stack."""
    quiet = await open_modal(workspace, call, PICKER)
    loud = {**PICKER, "notify_on_close": True, "clear_on_close": True}
    trigger = workspace.state.new_trigger("U0MARIA", quiet["id"])
    pushed = await call("views.push", trigger_id=trigger, view=loud)
    closed = await workspace.close("U0MARIA")
    assert closed == {"ok": True, "closed": [pushed["view"]["id"], quiet["id"]]}
    assert len(app.requests) == 1
    payload = json.loads(app.form()["payload"])
    assert (payload["type"], payload["is_cleared"]) == ("view_closed", True)
    assert payload["view"]["id"] == pushed["view"]["id"]
    assert workspace.views("U0MARIA") == []


async def test_only_the_topmost_view_can_be_used(workspace: WorkspaceServer, call: Call, app: Any) -> None:
    """A view that is covered, or another person's, is out of reach."""
    below = await open_modal(workspace, call, PICKER)
    trigger = workspace.state.new_trigger("U0MARIA", below["id"])
    await call("views.push", trigger_id=trigger, view={**PICKER, "title": plain("Top")})
    for user in ("U0MARIA", "U0ADAM"):
        with pytest.raises(BadRequestError, match="has no view"):
            await workspace.click(user, "Preview", view=below["id"])
    assert app.requests == []
