"""Block Kit as Slack accepts it, interpreted from the facts in `facts/block_kit.json`.

`validate` tells what Slack would refuse; `verdict_by_policy` tells what this product does not send although
Slack would take it. Source of the facts: Slack, pages "Block Kit", "Views" and "Web API methods".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.workspace import blockrules

Surface = Literal["message", "modal", "home"]
Node = dict[str, Any]

_PRIMITIVES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "bool": ((bool,), "must provide a boolean"),
    "int": ((int,), "must provide an integer"),
    "number": ((int, float), "must provide a number"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a payload: a JSON pointer to it, the rule's name, the wording.

    `policy` is set where Slack would take it and this product does not send it.
    """

    pointer: str
    rule: str
    message: str
    policy: bool = False

    def as_slack(self) -> str:
        """Write the problem as it stands in `response_metadata.messages`."""
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"

    def as_dict(self) -> dict[str, str]:
        """Give the problem as JSON; `verdict` is `slack` or `policy`."""
        verdict = "policy" if self.policy else "slack"
        return {"pointer": self.pointer, "rule": self.rule, "message": self.message, "verdict": verdict}


@cache
def facts() -> Node:
    """Read the facts once."""
    loaded: Node = json.loads((Path(__file__).parent / "facts" / "block_kit.json").read_text("utf-8"))
    return loaded


@cache
def _inline_table() -> Node:
    table: Node = {}
    for kind, definition in facts()["rich_text_inline"].items():
        named = {"type": {"kind": "enum", "values": [kind]}, **definition["props"]}
        table[kind] = {**definition, "props": named}
    return table


def validate(payload: Node, surface: Surface) -> list[Problem]:
    """Tell everything in a payload that Slack would refuse.

    Args:
        payload: for `message` an object with `blocks` (absent or empty is fine), else a whole view.
        surface: where it is to be shown.

    Returns:
        The problems in reading order, none for a valid payload. Pointers start at the payload for a message
        (`/blocks/0`) and at the argument for a view (`/view/blocks/0`).

    """
    walk = _Walk(surface=surface, root="" if surface == "message" else "/view")
    if surface == "message":
        blocks, most = payload.get("blocks") or [], facts()["surfaces"]["message"]["max_blocks"]
        walk.check(
            {"kind": "array", "items": {"kind": "block", "types": ["*"]}, "max_items": most},
            blocks,
            "/blocks",
        )
    else:
        walk.properties(facts()["view"][surface], payload, "/view")
    if isinstance(payload.get("blocks"), list):
        for rule in blockrules.PAYLOAD_RULES:
            walk.problems += [Problem(walk.root + at, name, why) for at, name, why in rule(payload, surface)]
    return walk.problems


def verdict_by_policy(payload: Node, surface: Surface) -> list[Problem]:
    """Tell what in a payload this product does not send, although Slack would take it."""
    root = "" if surface == "message" else "/view"
    found = [entry for rule in blockrules.POLICY_RULES for entry in rule(payload, surface, facts())]
    return [Problem(root + at, name, why, policy=True) for at, name, why in found]


def validate_options(answer: object) -> list[Problem]:
    """Tell what is wrong with an answer to a `block_suggestion`: `options` or `option_groups`, up to 100."""
    walk = _Walk(surface="modal", root="")
    if not isinstance(answer, dict):
        return [Problem("", "wrong-type", "must provide an object")]
    options = {"kind": "array", "items": {"kind": "object", "ref": "option_plain"}, "max_items": 100}
    groups = {"kind": "array", "items": {"kind": "object", "ref": "option_group"}, "max_items": 100}
    definition = {
        "required": [],
        "props": {"options": options, "option_groups": groups},
        "exactly_one_of": ["options", "option_groups"],
    }
    walk.properties(definition, answer, "")
    return walk.problems


@dataclass(slots=True)
class _Walk:
    """One pass over a payload, collecting problems."""

    surface: Surface
    root: str
    problems: list[Problem] = field(default_factory=list)

    def fail(self, at: str, rule: str, message: str) -> None:
        self.problems.append(Problem(at, rule, message))

    def check(self, node: Node, value: object, at: str) -> None:
        """Check one value against one node of the facts."""
        kind = node["kind"]
        if kind == "any" or (kind == "object_or_null" and value is None):
            return
        if kind in _PRIMITIVES:
            self._primitive(node, value, at)
            return
        checks: dict[str, Callable[[Node, Any, str], None]] = {
            "string": self._string,
            "enum": self._enum,
            "array": self._array,
            "text": self._text,
            "text_or_image": self._text_or_image,
            "block": self._block,
            "element": self._element,
            "cell": self._cell,
            "rich_text_inline": self._inline,
            "object": self._composition,
            "object_or_null": self._composition,
        }
        checks[kind](node, value, at)

    def properties(self, definition: Node, value: object, at: str) -> None:
        """Check the properties of an object: none unknown, none missing, each as it should be."""
        if not isinstance(value, dict):
            self.fail(at, "wrong-type", "must provide an object")
            return
        known = definition["props"]
        for name in definition["required"]:
            if value.get(name) is None:
                self.fail(at, "missing-property", f"missing required field: {name}")
        for name, child in value.items():
            if name not in known:
                self.fail(at, "unknown-property", f"invalid additional property: {name}")
            elif name in known and child is not None:
                self.check(known[name], child, f"{at}/{name}")
        exactly, at_least = definition.get("exactly_one_of"), definition.get("at_least_one_of")
        if exactly and sum(value.get(name) is not None for name in exactly) != 1:
            self.fail(at, "exactly-one-of", f"must define exactly one of: {', '.join(exactly)}")
        if at_least and not any(value.get(name) is not None for name in at_least):
            self.fail(at, "at-least-one-of", f"must define at least one of: {', '.join(at_least)}")

    def _primitive(self, node: Node, value: object, at: str) -> None:
        types, sentence = _PRIMITIVES[node["kind"]]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            self.fail(at, "wrong-type", sentence)
        elif isinstance(value, int | float) and not node.get("min", value) <= value <= node.get("max", value):
            self.fail(at, "number-range", f"must be between {node.get('min')} and {node.get('max')}")

    def _string(self, node: Node, value: object, at: str) -> None:
        if not isinstance(value, str):
            self.fail(at, "wrong-type", "must provide a string")
        elif len(value) > node.get("max", len(value)):
            self.fail(at, "too-long", f"must be less than {node['max'] + 1} characters")
        elif len(value) < node.get("min", 0):
            self.fail(at, "too-short", f"must be more than {node['min'] - 1} characters")
        elif "pattern" in node and not re.search(node["pattern"], value):
            self.fail(at, "pattern", "must match the expected format")

    def _enum(self, node: Node, value: object, at: str) -> None:
        if value not in node["values"]:
            self.fail(at, "not-one-of", f"must be one of: {', '.join(node['values'])}")

    def _array(self, node: Node, value: object, at: str) -> None:
        if not isinstance(value, list):
            self.fail(at, "wrong-type", "must provide an array")
            return
        if len(value) > node.get("max_items", len(value)):
            self.fail(at, "too-many", f"no more than {node['max_items']} items allowed")
        if len(value) < node.get("min_items", 0):
            self.fail(at, "too-few", f"no fewer than {node['min_items']} items allowed")
        for index, item in enumerate(value):
            self.check(node["items"], item, f"{at}/{index}")

    def _text(self, node: Node, value: object, at: str) -> None:
        if not isinstance(value, dict):
            self.fail(at, "wrong-type", "must provide an object")
            return
        kind = value.get("type")
        if kind not in node["types"]:
            self.fail(f"{at}/type", "text-type", f"unsupported type: {kind}")
            return
        name = "text_plain" if kind == "plain_text" else "text_mrkdwn"
        definition = facts()["composition"][name]
        limits = {"kind": "string", "min": node.get("min", 1), "max": node.get("max", 3000)}
        self.properties({**definition, "props": {**definition["props"], "text": limits}}, value, at)

    def _text_or_image(self, node: Node, value: object, at: str) -> None:
        if isinstance(value, dict) and value.get("type") == "image":
            self.properties(facts()["elements"]["image"], value, at)
        else:
            self._text({"types": ["plain_text", "mrkdwn"], "max": node["text_max"]}, value, at)

    def _typed(self, table: Node, allowed: list[str], value: object, at: str) -> None:
        if not isinstance(value, dict):
            self.fail(at, "wrong-type", "must provide an object")
            return
        kind = value.get("type")
        if not isinstance(kind, str):
            self.fail(at, "missing-property", "missing required field: type")
        elif kind not in table:
            self.fail(f"{at}/type", "unknown-type", f"unsupported type: {kind}")
        elif kind not in allowed and allowed != ["*"]:
            self.fail(f"{at}/type", "type-not-here", f"unsupported type: {kind}")
        else:
            self.properties(table[kind], value, at)

    def _block(self, node: Node, value: object, at: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        table = facts()["blocks"]
        if (
            node["types"] == ["*"]
            and isinstance(kind, str)
            and kind in table
            and kind not in facts()["allowed_blocks"][self.surface]
        ):
            self.fail(f"{at}/type", "surface", f"unsupported type: {kind}")
            return
        self._typed(table, node["types"], value, at)

    def _element(self, node: Node, value: object, at: str) -> None:
        self._typed(facts()["elements"], node["types"], value, at)

    def _cell(self, node: Node, value: object, at: str) -> None:
        rich = {"rich_text": facts()["blocks"]["rich_text"]}
        self._typed({**facts()["elements"], **rich}, node["types"], value, at)

    def _inline(self, node: Node, value: object, at: str) -> None:
        self._typed(_inline_table(), node["types"], value, at)

    def _composition(self, node: Node, value: object, at: str) -> None:
        self.properties(facts()["composition"][node["ref"]], value, at)


def serialized_length(blocks: object) -> int:
    """Count the characters of the blocks as compact JSON, the way the cumulative size was observed."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
