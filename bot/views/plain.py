"""A Block Kit payload as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.views.limits import Block, Message, View

_EMOJI: Final = {
    ":white_check_mark:": "✅",
    ":fast_forward:": "⏭️",
    ":warning:": "⚠️",
    ":x:": "❌",
    ":hourglass_flowing_sand:": "⏳",
    ":white_circle:": "⚪",
}
_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_BOLD: Final = re.compile(r"\*([^*\n]+)\*")


def as_text(message: Message, people: Mapping[str, str] | None = None) -> str:
    """Render a message for a terminal: a line a block, buttons in brackets.

    Args:
        message: what `run_message` or a notice gives.
        people: names of Slack users by their id, where known.

    """
    return blocks_as_text(message.blocks, people)


def view_as_text(view: View, people: Mapping[str, str] | None = None) -> str:
    """Render a modal for a terminal, its title first."""
    return f"{view['title']['text']}\n{blocks_as_text(view['blocks'], people)}"


def blocks_as_text(blocks: list[Block], people: Mapping[str, str] | None = None) -> str:
    """Render blocks for a terminal."""
    return "\n".join(filter(None, (_block(block, people or {}) for block in blocks)))


def _block(block: Block, people: Mapping[str, str]) -> str:
    kind = block["type"]
    if kind == "divider":
        return "—" * 40
    if kind == "context":
        return " · ".join(_text(element, people) for element in block["elements"])
    if kind == "actions":
        return "  ".join(_button(element) for element in block["elements"])
    if kind == "input":
        return f"{block['label']['text']}: {block['element'].get('initial_value', '')}".rstrip()
    if kind == "rich_text":
        return "\n".join(_rich(element) for element in block["elements"])
    lines = [_text(block["text"], people)] if "text" in block else []
    lines += [
        "\n".join(f"    {line}" for line in _text(f, people).split("\n")) for f in block.get("fields", [])
    ]
    if "accessory" in block:
        lines[0] += f"  {_button(block['accessory'])}"
    return "\n".join(lines)


def _rich(element: Block) -> str:
    return "".join(part["text"] if "text" in part else _rich(part) for part in element["elements"])


def _button(button: Block) -> str:
    return f"[{button['text']['text']}]"


def _text(text: Block, people: Mapping[str, str]) -> str:
    return from_mrkdwn(text["text"], people) if text["type"] == "mrkdwn" else str(text["text"])


def from_mrkdwn(text: str, people: Mapping[str, str] | None = None) -> str:
    """Render mrkdwn as plain text: emoji as characters, dates by their fallback, mentions by name."""
    for code, emoji in _EMOJI.items():
        text = text.replace(code, emoji)
    text = _BOLD.sub(r"\1", text).replace("`", "")
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<@(\w+)>", lambda match: "@" + (people or {}).get(match[1], match[1]), text)
    return re.sub("&(?:amp|lt|gt);", lambda match: _ENTITIES[match[0]], text)
