"""What an app's acknowledgement does: a reply to a command, or the next step of a modal."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.blockkit import Problem
from sandbox.workspace.errors import SlackError
from sandbox.workspace.messages import post, read_content
from sandbox.workspace.seed import Channel
from sandbox.workspace.state import State, View
from sandbox.workspace.view_methods import read_view

Node = dict[str, Any]

TROUBLE = "We had some trouble connecting. Try again?"


def apply_command_ack(state: State, user: str, channel: Channel, body: object) -> Node:
    """Show a reply to a command: ephemeral unless it says `in_channel`; an empty one shows nothing.

    Returns:
        `{"ok": True}`, or `{"ok": False, "error": …}` with `problems` where Slack would refuse the reply.

    """
    if body is None:
        return {"ok": True}
    payload = body if isinstance(body, dict) else {"text": str(body)}
    if not payload.get("text") and not payload.get("blocks"):
        return {"ok": True}
    try:
        content = read_content(payload, limit_size=False)
    except SlackError as refusal:
        return refusal.body()
    to = None if payload.get("response_type") == "in_channel" else user
    post(state, content, channel=channel.id, source="ack", to=to)
    return {"ok": True}


def apply_submission_ack(state: State, view: View, body: object) -> Node:
    """Carry on with a modal as its app says (Slack, page "Modals"): close, clear, errors, update or push.

    Returns:
        `{"ok": True}`; `{"ok": False, "error": "errors", "errors": {…}}` where the app found fault with
        what was typed; `{"ok": False, "error": "invalid_response", …}` for an answer that Slack would not
        understand.

    """
    action = body.get("response_action") if isinstance(body, dict) else None
    if body in (None, "", {}):
        state.close_from(view)
    elif action == "clear":
        state.close_views(view.user, count=None)
    elif action == "errors":
        return _show_errors(state, view, body)
    elif action in ("update", "push"):
        return _next_view(state, view, body, push=action == "push")
    else:
        return _not_understood(f"response_action {action!r} is not one of errors, update, push, clear")
    return {"ok": True}


def _show_errors(state: State, view: View, body: Any) -> Node:
    errors = body.get("errors")
    inputs = {block["block_id"] for block in view.payload["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        return _not_understood("errors must be an object of block_id and text")
    strange = sorted(set(errors) - inputs)
    if strange:
        return _not_understood(f"errors name blocks that are not inputs of this view: {', '.join(strange)}")
    state.show_errors(view, {name: str(text) for name, text in errors.items()})
    return {"ok": False, "error": "errors", "errors": view.errors}


def _next_view(state: State, view: View, body: Any, *, push: bool) -> Node:
    try:
        payload, policy = read_view(body.get("view"), "modal")
        if push:
            state.open_view(view.user, payload, push=True, problems=policy)
        else:
            state.replace_view(view, payload, problems=policy)
    except SlackError as refusal:
        return {**refusal.body(), "shown": TROUBLE}
    return {"ok": True}


def _not_understood(why: str) -> Node:
    problem = Problem("/response_action", "invalid-response", why)
    return {"ok": False, "error": "invalid_response", "problems": [problem.as_dict()], "shown": TROUBLE}
