"""The few Block Kit blocks that are used, each by a function of its own."""

from __future__ import annotations

from typing import Any

from bot.views.controls import Control
from bot.views.limits import Block
from bot.views.text import NOTHING, shorten


def plain(value: str, limit: int, *, lines: bool = False) -> Block:
    """Return a text object in which nothing is interpreted; emoji codes stay codes."""
    text = shorten(value, limit, lines=lines)
    return {"type": "plain_text", "text": text if text.strip() else NOTHING, "emoji": False}


def mrkdwn(text: str) -> Block:
    """Return a formatted text object; `verbatim` keeps Slack from making links of anything by itself."""
    return {"type": "mrkdwn", "text": text if text.strip() else NOTHING, "verbatim": True}


def header(text: str) -> Block:
    """Return a heading, in plain text of at most 150 characters."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, accessory: Block | None = None) -> Block:
    """Return a paragraph of mrkdwn, with a button beside it if given."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if accessory is not None:
        block["accessory"] = accessory
    return block


def fields(*texts: Block, heading: str | None = None, accessory: Block | None = None) -> Block:
    """Return text objects in two columns, below a line of mrkdwn if given."""
    block: Block = {"type": "section", "fields": list(texts)}
    if heading is not None:
        block["text"] = mrkdwn(heading)
    if accessory is not None:
        block["accessory"] = accessory
    return block


def paragraph(text: str, limit: int = 3000) -> Block:
    """Return a paragraph of plain text that keeps its line breaks."""
    return {"type": "section", "text": plain(text, limit, lines=True)}


def context(*elements: Block) -> Block:
    """Return a line of small print."""
    return {"type": "context", "elements": list(elements)}


def preformatted(text: str) -> Block:
    """Return a text as it is, in fixed width, in which nothing is interpreted."""
    element: dict[str, Any] = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [element]}


def code_line(text: str) -> Block:
    """Return one line in fixed width that can be copied exactly, in which nothing is interpreted."""
    run: dict[str, Any] = {"type": "text", "text": text, "style": {"code": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [run]}]}


def button(label: str, control: Control, *, style: str | None = None, spoken: str | None = None) -> Block:
    """Return a button. `spoken` is what a screen reader says instead of the label."""
    block: Block = {
        "type": "button",
        "action_id": control.action_id,
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": control.value,
    }
    if style is not None:
        block["style"] = style
    if spoken is not None:
        block["accessibility_label"] = spoken
    return block


def confirmed(element: Block, title: str, question: str, *, yes: str, danger: bool = False) -> Block:
    """Return a button that asks first (Slack, page "Confirmation dialog object")."""
    dialog: Block = {
        "title": plain(title, 100),
        "text": plain(question, 300),
        "confirm": plain(yes, 30),
        "deny": plain("Cancel", 30),
    }
    if danger:
        dialog["style"] = "danger"
    return {**element, "confirm": dialog}


def search_input(label: str, action_id: str, typed: str, limit: int) -> Block:
    """Return a line to type what to search for; one block while there is something typed, another before.

    Slack keeps what is typed as long as the block is the same, so clearing takes another one.
    """
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": action_id,
        "max_length": limit,
        "placeholder": plain("Part of a name or a value", 150),
    }
    if typed:
        element["initial_value"] = typed
    return {
        "type": "input",
        "block_id": f"{action_id}_{'again' if typed else 'anew'}",
        "optional": True,
        "label": plain(label, 100),
        "element": element,
    }


def actions(*buttons: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons)}
