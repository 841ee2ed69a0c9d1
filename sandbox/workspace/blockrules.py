"""Rules of Block Kit that look at more than one value: Slack's own, and this product's on top of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

Node = dict[str, Any]
Finding = tuple[str, str, str]
"""A pointer below the payload, the rule's name, the sentence."""

_STATUS_EMOJI: Final = re.compile(
    r":(?:white_check_mark|fast_forward|x|hourglass_flowing_sand|white_circle|warning):(?!\s*[*_]*\w)"
)


def elements_of(block: Node) -> Iterator[tuple[str, Node]]:
    """Yield the elements of a block with their pointers inside it, in reading order."""
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield f"/{name}", block[name]
    if block.get("type") in ("actions", "context_actions"):
        for index, element in enumerate(_list(block.get("elements"))):
            if isinstance(element, dict):
                yield f"/elements/{index}", element


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _blocks(payload: Node) -> list[tuple[str, Node]]:
    return [(f"/blocks/{i}", b) for i, b in enumerate(payload["blocks"]) if isinstance(b, dict)]


def _unique_block_ids(payload: Node, _surface: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, block in _blocks(payload):
        name = block.get("block_id")
        if isinstance(name, str) and name in seen:
            yield f"{at}/block_id", "block-id-unique", f"block_id must be unique: {name}"
        seen.add(str(name))


def _unique_action_ids(payload: Node, _surface: str) -> Iterator[Finding]:
    for at, block in _blocks(payload):
        seen: set[str] = set()
        for below, element in elements_of(block):
            name = element.get("action_id")
            if isinstance(name, str) and name in seen:
                yield f"{at}{below}/action_id", "action-id-unique", f"action_id must be unique: {name}"
            seen.add(str(name))


def _at_most(payload: Node, _surface: str) -> Iterator[Finding]:
    for kind, most, rule in (("table", 1, "one-table"), ("data_visualization", 2, "two-charts")):
        places = [at for at, block in _blocks(payload) if block.get("type") == kind]
        for at in places[most:]:
            yield at, rule, f"no more than {most} {kind} allowed"


def _tables(payload: Node, _surface: str) -> Iterator[Finding]:
    for at, block in _blocks(payload):
        rows = block.get("rows")
        if block.get("type") not in ("table", "data_table") or not isinstance(rows, list):
            continue
        lists = [row for row in rows if isinstance(row, list)]
        widths = {len(row) for row in lists}
        if len(widths) > 1:
            yield f"{at}/rows", "table-rectangular", "all rows must have the same number of cells"
        settings = block.get("column_settings")
        if isinstance(settings, list) and lists and len(settings) > len(lists[0]):
            yield f"{at}/column_settings", "table-column-settings", "more column settings than columns"
        if block["type"] == "data_table" and lists:
            for index, cell in enumerate(lists[0]):
                if isinstance(cell, dict) and cell.get("type") == "rich_text":
                    yield (
                        f"{at}/rows/0/{index}",
                        "data-table-header-plain",
                        "header cells cannot be rich_text",
                    )


def _text_length(node: object) -> int:
    if isinstance(node, list):
        return sum(map(_text_length, node))
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + sum(_text_length(child) for child in node.values())


def _summed_text(payload: Node, _surface: str) -> Iterator[Finding]:
    for kind, most in (("markdown", 12_000), ("data_table", 20_000)):
        total = sum(_text_length(block) for _, block in _blocks(payload) if block.get("type") == kind)
        if total > most:
            yield (
                "/blocks",
                f"{kind.replace('_', '-')}-chars",
                f"must be less than {most + 1} characters in all",
            )


def _modal_submit(payload: Node, surface: str) -> Iterator[Finding]:
    if (
        surface == "modal"
        and "submit" not in payload
        and any(b.get("type") == "input" for _, b in _blocks(payload))
    ):
        yield "", "modal-submit", "a view with input blocks must define submit"


def _one_focus(payload: Node, surface: str) -> Iterator[Finding]:
    focused = [
        f"{at}{below}"
        for at, block in _blocks(payload)
        for below, element in elements_of(block)
        if element.get("focus_on_load") is True
    ]
    if surface != "message":
        yield from ((at, "modal-focus", "only one element can set focus_on_load") for at in focused[1:])


def _containers(payload: Node, _surface: str) -> Iterator[Finding]:
    for at, block in _blocks(payload):
        if block.get("type") == "container":
            if block.get("is_collapsible") is True and "has_header_divider" in block:
                yield at, "container-border", "has_header_divider cannot be used with is_collapsible"
            if "default_collapsed" in block and block.get("is_collapsible") is not True:
                yield at, "container-collapsed", "default_collapsed needs is_collapsible"
        if block.get("type") == "task_card" and block.get("status") == "pending":
            yield at, "task-pending", "a task outside a plan cannot be pending"


def _initial_options(payload: Node, _surface: str) -> Iterator[Finding]:
    for at, block in _blocks(payload):
        for below, element in elements_of(block):
            initial, options = element.get("initial_option"), element.get("options")
            if initial is not None and isinstance(options, list) and initial not in options:
                yield (
                    f"{at}{below}/initial_option",
                    "initial-option",
                    "initial_option must be one of the options",
                )


PAYLOAD_RULES: Final[tuple[Callable[[Node, str], Iterator[Finding]], ...]] = (
    _unique_block_ids,
    _unique_action_ids,
    _at_most,
    _tables,
    _summed_text,
    _modal_submit,
    _one_focus,
    _containers,
    _initial_options,
)


def _all_blocks(payload: Node) -> list[tuple[str, Node]]:
    blocks = payload.get("blocks")
    return _blocks({"blocks": blocks}) if isinstance(blocks, list) else []


def _allowed_by_product(payload: Node, surface: str, facts: Node) -> Iterator[Finding]:
    for at, block in _all_blocks(payload):
        kind = block.get("type")
        if kind not in facts["product_allowlist"][surface]:
            yield (
                f"{at}/type",
                "product-allowlist",
                f"{kind} is not a block that this product sends in a {surface}",
            )


def _has_text(payload: Node, surface: str, facts: Node) -> Iterator[Finding]:
    text = payload.get("text")
    if surface != "message":
        return
    if not isinstance(text, str) or not text.strip():
        yield (
            "/text",
            "message-text",
            "every message says its outcome in text, for notifications and screen readers",
        )
    elif len(text) > facts["message"]["text_max_policy"]:
        yield (
            "/text",
            "text-length",
            f"text is {len(text)} characters, more than an update takes with a margin",
        )


def _message_size(payload: Node, surface: str, facts: Node) -> Iterator[Finding]:
    most = facts["message"]["blocks_serialized_max_policy"]
    length = len(json.dumps(payload.get("blocks") or [], ensure_ascii=False, separators=(",", ":")))
    if surface == "message" and length > most:
        yield "/blocks", "message-size", f"blocks are {length} characters, more than {most}"


def _action_ids(payload: Node, _surface: str, facts: Node) -> Iterator[Finding]:
    for at, block in _all_blocks(payload):
        for below, element in elements_of(block):
            if element.get("type") in facts["interactive"] and not element.get("action_id"):
                yield f"{at}{below}", "action-id-present", "an interactive element names its action_id"
            values = [str(o.get("value")) for o in _list(element.get("options")) if isinstance(o, dict)]
            if len(values) != len(set(values)):
                yield f"{at}{below}/options", "options-dup", "two options have the same value"


def strings_of(node: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a payload with its pointer."""
    if isinstance(node, str):
        yield at, node
    elif isinstance(node, dict):
        for name, child in node.items():
            yield from strings_of(child, f"{at}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from strings_of(child, f"{at}/{index}")


def _no_secrets(payload: Node, _surface: str, facts: Node) -> Iterator[Finding]:
    rule = next(r for r in facts["cross_rules"] if r["id"] == "no-secrets")
    patterns = [re.compile(pattern) for pattern in rule["params"]["patterns"]]
    for at, text in strings_of(payload):
        if any(pattern.search(text) for pattern in patterns):
            yield at, "no-secrets", "looks like a secret"


def _mrkdwn_of(node: object, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn" and isinstance(node.get("text"), str):
            yield f"{at}/text", node["text"]
        for name, child in node.items():
            yield from _mrkdwn_of(child, f"{at}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _mrkdwn_of(child, f"{at}/{index}")


def _pings_nobody(payload: Node, surface: str, _facts: Node) -> Iterator[Finding]:
    texts = list(_mrkdwn_of(payload.get("blocks")))
    if surface == "message" and isinstance(payload.get("text"), str):
        texts.append(("", payload["text"]))
    for at, text in texts:
        if re.search(r"<!(?:channel|here|everyone)|<!subteam\^", text):
            yield (
                (f"/blocks{at}" if at else "/text"),
                "mrkdwn-escape",
                "would notify a whole channel or group",
            )


def _status_in_words(payload: Node, surface: str, _facts: Node) -> Iterator[Finding]:
    if surface == "message":
        for at, text in _mrkdwn_of(payload.get("blocks")):
            if _STATUS_EMOJI.search(text):
                yield f"/blocks{at}", "status-not-colour-only", "a status emoji is followed by its word"


POLICY_RULES: Final[tuple[Callable[[Node, str, Node], Iterator[Finding]], ...]] = (
    _allowed_by_product,
    _has_text,
    _message_size,
    _action_ids,
    _no_secrets,
    _pings_nobody,
    _status_in_words,
)
