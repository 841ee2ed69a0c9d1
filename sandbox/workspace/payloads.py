"""What Slack sends to an app (Slack, pages "Slash commands" and "Interaction payloads")."""

from __future__ import annotations

from typing import Any, Final

from sandbox.workspace.blockrules import elements_of
from sandbox.workspace.messages import message_object
from sandbox.workspace.seed import Channel, User
from sandbox.workspace.state import Message, State, View

Node = dict[str, Any]

# For each element that keeps a value: the field of its value, and the field that it starts with.
VALUE_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
}
MANY: Final = ("selected_options", "selected_users", "selected_conversations", "selected_channels")
_SHOWN_NAMES: Final = {"private": "privategroup", "direct": "directmessage"}


def channel_name(channel: Channel) -> str:
    """Name a channel as payloads do: private ones and direct messages go without their name."""
    return _SHOWN_NAMES.get(channel.kind, channel.name)


def slash_command(
    state: State, user: User, channel: Channel, *, command: str, text: str, response_url: str
) -> Node:
    """Write the form fields of a slash command, with a fresh trigger."""
    seed = state.seed
    return {
        "token": seed.app.verification_token,
        "team_id": seed.team_id,
        "team_domain": seed.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": seed.app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": state.new_trigger(user.id),
    }


def _common(state: State, kind: str, user: User) -> Node:
    seed = state.seed
    return {
        "type": kind,
        "team": {"id": seed.team_id, "domain": seed.team_domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": seed.team_id},
        "api_app_id": seed.app.id,
        "token": seed.app.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _from_message(state: State, message: Message) -> Node:
    channel = state.channels[message.channel]
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.to is not None,
    }
    placed: Node = {"container": container, "channel": {"id": channel.id, "name": channel_name(channel)}}
    if message.to is None:
        placed["message"] = message_object(state, message)
    return placed


def _from_view(state: State, view: View) -> Node:
    return {"container": {"type": "view", "view_id": view.id}, "view": view_with_state(state, view)}


def view_with_state(state: State, view: View) -> Node:
    """Write a view with the value of every element that keeps one, null where nothing was given."""
    values: dict[str, dict[str, Node]] = {}
    for block in view.payload["blocks"]:
        for _, element in elements_of(block):
            if element["type"] in VALUE_FIELDS:
                known = view.values.get(block["block_id"], {}).get(element["action_id"])
                values.setdefault(block["block_id"], {})[element["action_id"]] = known or initial_value(
                    element
                )
    return {**state.view_object(view), "state": {"values": values}}


def initial_value(element: Node) -> Node:
    """Give the value of an element that nobody has touched."""
    name, initial = VALUE_FIELDS[element["type"]]
    return {"type": element["type"], name: element.get(initial, [] if name in MANY else None)}


def block_actions(
    state: State,
    user: User,
    source: Message | View,
    *,
    block: Node,
    element: Node,
    value: Node,
    response_url: str | None,
) -> Node:
    """Write the payload of a click or a choice in a message or a view; `value` is what was chosen."""
    action: Node = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        **{name: element[name] for name in ("text", "value", "style", "placeholder") if name in element},
        **value,
        "action_ts": state.next_ts(),
    }
    kept: Node = {}
    if element["type"] in VALUE_FIELDS:
        kept = {block["block_id"]: {element["action_id"]: value}}
    placed: Node
    if isinstance(source, View):
        placed = _from_view(state, source)
        trigger = state.new_trigger(user.id, source.id)
    else:
        placed = {**_from_message(state, source), "state": {"values": kept}, "response_url": response_url}
        trigger = state.new_trigger(user.id)
    return {**_common(state, "block_actions", user), **placed, "trigger_id": trigger, "actions": [action]}


def block_suggestion(
    state: State, user: User, source: Message | View, *, block: Node, element: Node, typed: str
) -> Node:
    """Write the payload that asks for the options of an external select."""
    placed = _from_view(state, source) if isinstance(source, View) else _from_message(state, source)
    return {
        **_common(state, "block_suggestion", user),
        **placed,
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "value": typed,
    }


def view_submission(state: State, user: User, view: View) -> Node:
    """Write the payload of a submitted modal."""
    return {
        **_common(state, "view_submission", user),
        "trigger_id": state.new_trigger(user.id, view.id),
        "view": view_with_state(state, view),
        "response_urls": [],
    }


def view_closed(state: State, user: User, view: View, *, is_cleared: bool) -> Node:
    """Write the payload of a modal that was closed without being submitted."""
    return {
        **_common(state, "view_closed", user),
        "view": view_with_state(state, view),
        "is_cleared": is_cleared,
    }
