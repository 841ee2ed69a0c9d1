"""What Slack takes, and the two checks that every payload passes before it leaves.

The views are built so that they fit; these functions are the last line: they cut a text that is too long at a
safe place and refuse, as a defect, what cannot be made to fit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

Block: TypeAlias = dict[str, Any]
View: TypeAlias = dict[str, Any]

_TOKEN: Final = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|.", re.DOTALL)


class ViewTooLarge(Exception):
    """A view cannot be made to fit what Slack takes: a defect of the view."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: `text` says everything in words, `blocks` show it."""

    text: str
    blocks: list[Block]

    def payload(self) -> dict[str, Any]:
        """Return the arguments of chat.postMessage and chat.update that the message fills."""
        return {"text": self.text, "blocks": self.blocks}


@cache
def facts() -> dict[str, Any]:
    """Read the limits, once (Slack, pages "Block Kit" and "Views")."""
    loaded: dict[str, Any] = json.loads((files("bot.views") / "facts" / "block_kit.json").read_text("utf-8"))
    return loaded


def serialized(payload: object) -> int:
    """Count the characters of a payload as JSON with everything outside ASCII escaped: its largest form."""
    return len(json.dumps(payload))


def message_fits(message: Message) -> bool:
    """Whether a message is within the size that Slack takes for all its blocks together."""
    return serialized(message.payload()) <= int(facts()["message"]["serialized"])


def fit_message(message: Message) -> Message:
    """Return the message with every text within its limit.

    Raises ViewTooLarge when there are too many blocks, or too much in them all together.
    """
    most = facts()["message"]
    fitted = Message(
        text=cut_mrkdwn(message.text, most["text"]), blocks=[_fit_block(block) for block in message.blocks]
    )
    _refuse_foreign(fitted.blocks, "message")
    if not 0 < len(fitted.blocks) <= most["blocks"]:
        raise ViewTooLarge(f"a message of {len(fitted.blocks)} blocks")
    if not message_fits(fitted):
        raise ViewTooLarge(f"a message of {serialized(fitted.payload())} characters")
    return fitted


def fit_modal(view: View) -> View:
    """Return the modal with every text within its limit.

    Raises ViewTooLarge when there are too many blocks, too many bytes, or metadata that cannot be cut.
    """
    most = facts()["modal"]
    fitted = {**view, "blocks": [_fit_block(block) for block in view["blocks"]]}
    fitted["title"] = _fit_text(view["title"], most["title"])
    for name in ("submit", "close"):
        if name in view:
            fitted[name] = _fit_text(view[name], most["button"])
    _refuse_foreign(fitted["blocks"], "modal")
    if "submit" not in fitted and any(block["type"] == "input" for block in fitted["blocks"]):
        raise ViewTooLarge("a modal with something to type and nothing to send it by")
    if not 0 < len(fitted["blocks"]) <= most["blocks"]:
        raise ViewTooLarge(f"a modal of {len(fitted['blocks'])} blocks")
    for name in ("private_metadata", "callback_id", "external_id"):
        if len(view.get(name, "")) > most[name]:
            raise ViewTooLarge(f"{name} of {len(view[name])} characters")
    if serialized(fitted) > most["bytes"]:
        raise ViewTooLarge(f"a modal of {serialized(fitted)} bytes")
    return fitted


def _refuse_foreign(blocks: list[Block], surface: str) -> None:
    for block in blocks:
        if block["type"] not in facts()["allowed"][surface]:
            raise ViewTooLarge(f"{block['type']} does not go into a {surface}")


def _fit_block(block: Block) -> Block:
    most = facts()["block"]
    fitted = dict(block)
    if block["type"] == "header":
        fitted["text"] = _fit_text(block["text"], most["header"])
    if block["type"] == "section":
        if "text" in block:
            fitted["text"] = _fit_text(block["text"], most["section_text"])
        if "fields" in block:
            fitted["fields"] = [
                _fit_text(f, most["field"]) for f in block["fields"][: most["section_fields"]]
            ]
        if "accessory" in block:
            fitted["accessory"] = _fit_button(block["accessory"])
    if block["type"] == "context":
        elements = block["elements"][: most["context_elements"]]
        fitted["elements"] = [_fit_text(element, most["context_text"]) for element in elements]
    if block["type"] == "input":
        fitted["label"] = _fit_text(block["label"], most["input_label"])
        if "placeholder" in block["element"]:
            placeholder = _fit_text(block["element"]["placeholder"], most["placeholder"])
            fitted["element"] = {**block["element"], "placeholder": placeholder}
    if block["type"] == "actions":
        fitted["elements"] = [_fit_button(button) for button in block["elements"][: most["actions_elements"]]]
    return fitted


def _fit_button(button: Block) -> Block:
    most = facts()["button"]
    for name in ("value", "action_id"):
        if len(button[name]) > most[name]:
            raise ViewTooLarge(f"a button's {name} of {len(button[name])} characters")
    fitted = {**button, "text": _fit_text(button["text"], most["text"])}
    if "accessibility_label" in button:
        fitted["accessibility_label"] = _cut_plain(button["accessibility_label"], most["accessibility_label"])
    return fitted


def _fit_text(text: Block, limit: int) -> Block:
    cut = cut_mrkdwn if text["type"] == "mrkdwn" else _cut_plain
    return {**text, "text": cut(text["text"], limit)}


def _cut_plain(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_mrkdwn(text: str, limit: int) -> str:
    """Cut mrkdwn to a length without tearing an entity or a token apart, and close what was open."""
    if len(text) <= limit:
        return text
    kept = ""
    for match in _TOKEN.finditer(text):
        if len(kept) + len(match[0]) > limit - 3:
            break
        kept += match[0]
    kept += "…"
    for mark in ("`", "*"):
        if kept.count(mark) % 2:
            kept += mark
    return kept
