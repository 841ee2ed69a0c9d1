"""The form that finds an object by its name: what opens without an identifier, and what its fields offer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.views.blocks import context, mrkdwn, plain
from bot.views.limits import Block, View, fit_modal

CALLBACK_ID: Final = "picker"
OBJECT: Final = "picker_object"
CONFIGURATION: Final = "picker_configuration"
MODE: Final = "picker_mode"
"""Block and action ids of the three fields."""

BY_PLACE: Final = "*"
"""The choice of the configuration that covers the place where the object lies."""

LETTERS: Final = 2
"""How much has to be typed before the directory is asked."""

OPTIONS: Final = 100
"""How many options Slack takes in all."""

_MOST: Final = 98  # configurations to choose from, beside the one by place
_MODES: Final = {
    "preview": ("Preview", "Shows what would be done. Writes nothing."),
    "provision": ("Provision", "Writes what is missing to Entra ID."),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What the form remembers: where the command was given, and the way back there."""

    channel: str
    response_url: str | None = None

    def encode(self) -> str:
        """Write it as the view's private_metadata."""
        return json.dumps({"channel": self.channel, "response_url": self.response_url})

    @staticmethod
    def decode(text: str) -> Kept:
        """Read it back. Raises ValueError for anything else."""
        body = json.loads(text)
        if not isinstance(body, dict) or not isinstance(body.get("channel"), str):
            raise ValueError("not what the form remembers")  # noqa: TRY004  # one kind of error for all
        url = body.get("response_url")
        return Kept(body["channel"], url if isinstance(url, str) else None)


@dataclass(frozen=True, slots=True)
class Choice:
    """An object that can be chosen: its objectGUID, its name, and what tells it from others of that name."""

    guid: str
    name: str
    about: str
    group: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was filled in; `configuration` is null for the one that covers the object."""

    guid: str
    configuration: str | None
    mode: str


def picker(
    kept: Kept,
    *,
    modes: Sequence[str],
    configurations: Sequence[str],
    initial_mode: str,
    initial_configuration: str | None = None,
    note: str = "",
) -> View:
    """Return the form.

    Args:
        kept: what it has to remember.
        modes: what the person may do, of `preview` and `provision`; at least one.
        configurations: those that the person may use; one alone is not asked for.
        initial_mode: what is chosen at first, where it is one of the modes.
        initial_configuration: likewise.
        note: what else to know, such as that nothing is written here.

    """
    blocks = [_object()]
    if len(configurations) > 1:
        blocks.append(_configuration(configurations, initial_configuration))
    blocks.append(_mode(modes, initial_mode))
    if note:
        blocks.append(context(mrkdwn(note)))
    return fit_modal(
        {
            "type": "modal",
            "callback_id": CALLBACK_ID,
            "title": plain("Find an object", 24),
            "submit": plain("Start", 24),
            "close": plain("Cancel", 24),
            "private_metadata": kept.encode(),
            "blocks": blocks,
        }
    )


def _input(name: str, label: str, element: Block, hint: str = "") -> Block:
    block = {
        "type": "input",
        "block_id": name,
        "label": plain(label, 100),
        "element": {**element, "action_id": name},
    }
    return {**block, "hint": plain(hint, 300)} if hint else block


def _object() -> Block:
    element = {
        "type": "external_select",
        "placeholder": plain("Type the beginning of a name or an address", 150),
        "min_query_length": LETTERS,
        "focus_on_load": True,
    }
    return _input(OBJECT, "User or group", element, "As Active Directory knows it.")


def _configuration(names: Sequence[str], initial: str | None) -> Block:
    options = [option(BY_PLACE, "The one for the place where the object lies")]
    options += [option(name, name) for name in names[:_MOST]]
    first = next((one for one in options if one["value"] == initial), options[0])
    placeholder = plain("Choose a configuration", 150)
    element = {
        "type": "static_select",
        "options": options,
        "initial_option": first,
        "placeholder": placeholder,
    }
    return _input(CONFIGURATION, "Configuration", element)


def _mode(modes: Sequence[str], initial: str) -> Block:
    options = [option(mode, *_MODES[mode]) for mode in modes]
    first = next((one for one in options if one["value"] == initial), options[0])
    return _input(MODE, "What to do", {"type": "radio_buttons", "options": options, "initial_option": first})


def option(value: str, text: str, description: str = "") -> Block:
    """Return something to choose; what is longer than Slack takes is cut."""
    made: Block = {"text": plain(text, 75), "value": value}
    return {**made, "description": plain(description, 75)} if description.strip() else made


def suggestions(choices: Sequence[Choice]) -> dict[str, Any]:
    """Return the answer to what was typed: users and groups under headings, each object once."""
    known = {choice.guid: choice for choice in choices[:OPTIONS]}
    groups = []
    for label, wanted in (("Users", False), ("Groups", True)):
        options = [option(c.guid, c.name, c.about) for c in known.values() if c.group is wanted]
        if options:
            groups.append({"label": plain(label, 75), "options": options})
    return {"option_groups": groups} if groups else {"options": []}


def chosen(view: Mapping[str, Any]) -> Chosen:
    """Read what was filled in; a field that is not there, or empty, is the empty text."""
    configuration = selected(view, CONFIGURATION)
    return Chosen(
        selected(view, OBJECT),
        configuration if configuration not in ("", BY_PLACE) else None,
        selected(view, MODE),
    )


def selected(view: Mapping[str, Any], name: str) -> str:
    """Return the value of the option that is chosen in a field."""
    values = (view.get("state") or {}).get("values") or {}
    field = (values.get(name) or {}).get(name) or {}
    return str((field.get("selected_option") or {}).get("value") or "")
