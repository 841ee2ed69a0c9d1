"""The bot's limits beside the workspace's: two copies on purpose, and every difference has its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Node = dict[str, Any]
ROOT = Path(__file__).parents[3]
BOT: Node = json.loads((ROOT / "bot/views/facts/block_kit.json").read_text("utf-8"))
SLACK: Node = json.loads((ROOT / "sandbox/workspace/facts/block_kit.json").read_text("utf-8"))

MODAL = SLACK["view"]["modal"]["props"]
BLOCKS = {name: block["props"] for name, block in SLACK["blocks"].items()}
LINE = SLACK["elements"]["plain_text_input"]["props"]
BUTTON = SLACK["elements"]["button"]["props"]

# the bot's limit, the workspace's, why they differ (empty: they do not)
LIMITS: dict[str, tuple[Any, Any, str]] = {
    "message blocks": (BOT["message"]["blocks"], SLACK["surfaces"]["message"]["max_blocks"], ""),
    "message text": (
        BOT["message"]["text"],
        SLACK["message"]["text_max_update"],
        "a margin: what an update refuses must not depend on how Slack counts",
    ),
    "message size": (
        BOT["message"]["serialized"],
        SLACK["message"]["blocks_serialized_observed_limit"],
        "a margin: the limit is observed, not documented",
    ),
    "modal blocks": (BOT["modal"]["blocks"], MODAL["blocks"]["max_items"], ""),
    "modal title": (BOT["modal"]["title"], MODAL["title"]["max"], ""),
    "modal buttons": (BOT["modal"]["button"], MODAL["close"]["max"], ""),
    "private metadata": (BOT["modal"]["private_metadata"], MODAL["private_metadata"]["max"], ""),
    "callback id": (BOT["modal"]["callback_id"], MODAL["callback_id"]["max"], ""),
    "external id": (BOT["modal"]["external_id"], MODAL["external_id"]["max"], ""),
    "view bytes": (BOT["modal"]["bytes"], SLACK["view"]["max_view_bytes"], ""),
    "section text": (BOT["block"]["section_text"], BLOCKS["section"]["text"]["max"], ""),
    "section fields": (BOT["block"]["section_fields"], BLOCKS["section"]["fields"]["max_items"], ""),
    "field": (BOT["block"]["field"], BLOCKS["section"]["fields"]["items"]["max"], ""),
    "header": (BOT["block"]["header"], BLOCKS["header"]["text"]["max"], ""),
    "context elements": (BOT["block"]["context_elements"], BLOCKS["context"]["elements"]["max_items"], ""),
    "context text": (BOT["block"]["context_text"], BLOCKS["context"]["elements"]["items"]["text_max"], ""),
    "actions": (BOT["block"]["actions_elements"], BLOCKS["actions"]["elements"]["max_items"], ""),
    "input label": (BOT["block"]["input_label"], BLOCKS["input"]["label"]["max"], ""),
    "placeholder": (BOT["block"]["placeholder"], LINE["placeholder"]["max"], ""),
    "block id": (BOT["block"]["block_id"], BLOCKS["input"]["block_id"]["max"], ""),
    "button text": (BOT["button"]["text"], BUTTON["text"]["max"], ""),
    "button value": (BOT["button"]["value"], BUTTON["value"]["max"], ""),
    "action id": (BOT["button"]["action_id"], BUTTON["action_id"]["max"], ""),
    "accessibility label": (BOT["button"]["accessibility_label"], BUTTON["accessibility_label"]["max"], ""),
}


@pytest.mark.parametrize(("bots", "slacks", "why"), LIMITS.values(), ids=list(LIMITS.keys()))
def test_limits_agree_or_say_why(bots: int, slacks: int, why: str) -> None:
    """A limit of the bot is Slack's, or a smaller one for a stated reason."""
    assert (bots < slacks) if why else (bots == slacks)


def test_every_limit_of_the_bot_is_compared() -> None:
    """A limit that the bot gains is compared here too."""
    assert len(LIMITS) == sum(len(BOT[group]) for group in BOT if group != "allowed")


@pytest.mark.parametrize("surface", ["message", "modal"])
def test_the_bot_sends_what_is_allowed(surface: str) -> None:
    """The bot's block types are among the product's, and those among Slack's."""
    product = set(SLACK["product_allowlist"][surface])
    assert set(BOT["allowed"][surface]) <= product <= set(SLACK["allowed_blocks"][surface])
