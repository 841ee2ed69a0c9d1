"""The Web API methods on views (Slack, pages views.open, views.push, views.update, views.publish)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.workspace.blockkit import Problem, Surface, facts, validate, verdict_by_policy
from sandbox.workspace.errors import SlackError, invalid_arguments, refused_view
from sandbox.workspace.state import State, View

Node = dict[str, Any]


def open_view(state: State, args: Node) -> Node:
    """Open a modal for the person behind a trigger."""
    payload, policy = read_view(args.get("view"), "modal")
    trigger = state.exchange(_trigger_id(args))
    opened = state.open_view(trigger.user, payload, push=False, problems=policy)
    return {"view": state.view_object(opened)}


def push_view(state: State, args: Node) -> Node:
    """Put a modal on top of the one that a trigger came from."""
    payload, policy = read_view(args.get("view"), "modal")
    trigger = state.exchange(_trigger_id(args))
    if trigger.view is None or trigger.view not in state.views:
        raise SlackError("not_found")
    pushed = state.open_view(trigger.user, payload, push=True, problems=policy)
    return {"view": state.view_object(pushed)}


def update_view(state: State, args: Node) -> Node:
    """Replace an open view, found by its id or external id, if its hash is still the one given."""
    view_id, external_id = args.get("view_id"), args.get("external_id")
    if view_id and external_id:
        raise invalid_arguments("Cannot provide both `view_id` and `external_id`")
    if not view_id and not external_id:
        raise invalid_arguments("missing required field: view_id")
    view = _find(state, view_id, external_id)
    surface: Surface = "home" if view is not None and view.payload["type"] == "home" else "modal"
    payload, policy = read_view(args.get("view"), surface)
    if view is None:
        raise SlackError("not_found")
    if args.get("hash") and args["hash"] != view.hash:
        raise SlackError("hash_conflict")
    state.replace_view(view, payload, problems=policy)
    return {"view": state.view_object(view)}


def publish_view(state: State, args: Node) -> Node:
    """Replace a person's Home tab."""
    payload, policy = read_view(args.get("view"), "home")
    user = args.get("user_id")
    if user not in state.users:
        raise invalid_arguments("invalid `user_id`")
    shown = state.homes.get(user)
    if shown is not None and args.get("hash") and args["hash"] != shown.hash:
        raise SlackError("hash_conflict")
    published = state.publish_home(user, payload, problems=policy)
    return {"view": state.view_object(published)}


def read_view(view: object, surface: Surface) -> tuple[Node, list[Problem]]:
    """Check a view; give it back with the product's own verdict.

    Raises:
        SlackError: `invalid_arguments` with pointers, or `view_too_large`.

    """
    if view is None:
        raise invalid_arguments("missing required field: view")
    if not isinstance(view, dict):
        raise invalid_arguments("must provide an object [json-pointer:/view]")
    if (
        len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode())
        > facts()["view"]["max_view_bytes"]
    ):
        raise SlackError("view_too_large")
    problems = validate(view, surface)
    if problems:
        raise refused_view(problems)
    return view, verdict_by_policy(view, surface)


def _trigger_id(args: Node) -> object:
    if not args.get("trigger_id"):
        raise invalid_arguments("missing required field: trigger_id")
    return args["trigger_id"]


def _find(state: State, view_id: object, external_id: object) -> View | None:
    if isinstance(view_id, str) and view_id:
        return state.views.get(view_id)
    named = (view for view in state.views.values() if view.payload.get("external_id") == external_id)
    return next(named, None)
