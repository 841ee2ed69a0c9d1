"""What the validator refuses and takes. Source: Slack, pages "Block Kit", "Blocks", "Views"."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.workspace import validate, verdict_by_policy

Node = dict[str, Any]


def plain(text: str = "Words", **more: Any) -> Node:
    """Write plain text."""
    return {"type": "plain_text", "text": text, **more}


def mrkdwn(text: str = "*Words*", **more: Any) -> Node:
    """Write mrkdwn text."""
    return {"type": "mrkdwn", "text": text, **more}


def section(**more: Any) -> Node:
    """Write a section."""
    return {"type": "section", "text": mrkdwn(), **more}


def button(action_id: str = "go", **more: Any) -> Node:
    """Write a button."""
    return {"type": "button", "action_id": action_id, "text": plain("Go"), **more}


def actions(*elements: Node) -> Node:
    """Write an actions block."""
    return {"type": "actions", "elements": list(elements)}


def option(value: str = "1", text: str = "One") -> Node:
    """Write an option."""
    return {"text": plain(text), "value": value}


def rich(*elements: Node) -> Node:
    """Write a rich text block."""
    return {"type": "rich_text", "elements": list(elements)}


def run_of(text: str) -> Node:
    """Write a run of text."""
    return {"type": "text", "text": text}


def cell(text: str = "x") -> Node:
    """Write a table cell."""
    return {"type": "raw_text", "text": text}


def table(rows: int = 2, columns: int = 2, **more: Any) -> Node:
    """Write a table."""
    return {"type": "table", "rows": [[cell() for _ in range(columns)] for _ in range(rows)], **more}


VALID_BLOCKS = {
    "section": section(),
    "section at 3000": {"type": "section", "text": mrkdwn("x" * 3000)},
    "3000 astral characters count once each": {"type": "section", "text": mrkdwn("🙂" * 3000)},
    "section with fields only": {"type": "section", "fields": [mrkdwn("a" * 2000)] * 10},
    "section with accessory": section(accessory=button(value="v" * 2000, style="danger")),
    "header at 150": {"type": "header", "text": plain("x" * 150)},
    "context": {"type": "context", "elements": [mrkdwn(), plain()] * 5},
    "context image": {"type": "context", "elements": [{"type": "image", "image_url": "u", "alt_text": "a"}]},
    "divider": {"type": "divider"},
    "actions at 25": actions(*(button(f"a{n}") for n in range(25))),
    "button at 75": actions(button(text=plain("x" * 75), accessibility_label="x" * 75)),
    "confirm": actions(button(confirm={n: plain() for n in ("title", "text", "confirm", "deny")})),
    "static select at 100": actions(
        {"type": "static_select", "action_id": "s", "options": [option(str(n)) for n in range(100)]}
    ),
    "grouped select": actions(
        {
            "type": "static_select",
            "action_id": "s",
            "option_groups": [{"label": plain(), "options": [option()]}],
        }
    ),
    "external select": actions({"type": "external_select", "action_id": "s", "min_query_length": 2}),
    "overflow": section(accessory={"type": "overflow", "action_id": "o", "options": [option()] * 5}),
    "radio": actions({"type": "radio_buttons", "action_id": "r", "options": [option(), option("2")]}),
    "rich text": rich(
        {"type": "rich_text_section", "elements": [run_of("a"), {"type": "user", "user_id": "U0MARIA"}]},
        {"type": "rich_text_preformatted", "elements": [run_of("a")]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 8,
            "elements": [{"type": "rich_text_section", "elements": [run_of("a")]}],
        },
    ),
    "table at 100 by 20": table(100, 20),
    "table with a number": {
        "type": "table",
        "rows": [[cell()], [{"type": "raw_number", "value": 1, "text": "1"}]],
    },
    "data table": {"type": "data_table", "caption": "c", "rows": [[cell()], [cell()]], "page_size": 5},
    "markdown at 12000": {"type": "markdown", "text": "x" * 12000},
    "image": {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    "plan": {
        "type": "plan",
        "title": "t",
        "tasks": [{"type": "task_card", "task_id": "1", "title": "t", "status": "pending"}],
    },
}


@pytest.mark.parametrize("block", VALID_BLOCKS.values(), ids=VALID_BLOCKS.keys())
def test_takes_valid_block(block: Node) -> None:
    """What Slack takes is taken, up to the very limits."""
    assert validate({"blocks": [block]}, "message") == []


# name: block, rule, pointer, wording
INVALID_BLOCKS: dict[str, tuple[Node, str, str, str]] = {
    "section of 3001": (
        {"type": "section", "text": mrkdwn("x" * 3001)},
        "too-long",
        "/blocks/0/text/text",
        "must be less than 3001 characters",
    ),
    "empty text": (
        {"type": "section", "text": mrkdwn("")},
        "too-short",
        "/blocks/0/text/text",
        "must be more than 0 characters",
    ),
    "section of nothing": (
        {"type": "section"},
        "at-least-one-of",
        "/blocks/0",
        "must define at least one of: text, fields",
    ),
    "eleven fields": (
        {"type": "section", "fields": [mrkdwn()] * 11},
        "too-many",
        "/blocks/0/fields",
        "no more than 10 items allowed",
    ),
    "field of 2001": (
        {"type": "section", "fields": [mrkdwn("x" * 2001)]},
        "too-long",
        "/blocks/0/fields/0/text",
        "must be less than 2001 characters",
    ),
    "field that is a string": (
        {"type": "section", "fields": ["x"]},
        "wrong-type",
        "/blocks/0/fields/0",
        "must provide an object",
    ),
    "mrkdwn header": (
        {"type": "header", "text": mrkdwn()},
        "text-type",
        "/blocks/0/text/type",
        "unsupported type: mrkdwn",
    ),
    "header of 151": (
        {"type": "header", "text": plain("x" * 151)},
        "too-long",
        "/blocks/0/text/text",
        "must be less than 151 characters",
    ),
    "header level": (
        {"type": "header", "text": plain(), "level": 2},
        "unknown-property",
        "/blocks/0",
        "invalid additional property: level",
    ),
    "emoji flag on mrkdwn": (
        {"type": "section", "text": mrkdwn(emoji=True)},
        "unknown-property",
        "/blocks/0/text",
        "invalid additional property: emoji",
    ),
    "eleven in context": (
        {"type": "context", "elements": [mrkdwn()] * 11},
        "too-many",
        "/blocks/0/elements",
        "no more than 10 items allowed",
    ),
    "button in context": (
        {"type": "context", "elements": [button()]},
        "text-type",
        "/blocks/0/elements/0/type",
        "unsupported type: button",
    ),
    "twenty-six actions": (
        actions(*(button(f"a{n}") for n in range(26))),
        "too-many",
        "/blocks/0/elements",
        "no more than 25 items allowed",
    ),
    "no actions": (actions(), "too-few", "/blocks/0/elements", "no fewer than 1 items allowed"),
    "button of 76": (
        actions(button(text=plain("x" * 76))),
        "too-long",
        "/blocks/0/elements/0/text/text",
        "must be less than 76 characters",
    ),
    "value of 2001": (
        actions(button(value="x" * 2001)),
        "too-long",
        "/blocks/0/elements/0/value",
        "must be less than 2001 characters",
    ),
    "button style": (
        actions(button(style="warning")),
        "not-one-of",
        "/blocks/0/elements/0/style",
        "must be one of: primary, danger",
    ),
    "mrkdwn button": (
        actions(button(text=mrkdwn())),
        "text-type",
        "/blocks/0/elements/0/text/type",
        "unsupported type: mrkdwn",
    ),
    "unknown button property": (
        actions(button(disabled=True)),
        "unknown-property",
        "/blocks/0/elements/0",
        "invalid additional property: disabled",
    ),
    "action_id of 256": (
        actions(button("x" * 256)),
        "too-long",
        "/blocks/0/elements/0/action_id",
        "must be less than 256 characters",
    ),
    "same action_id twice": (
        actions(button(), button()),
        "action-id-unique",
        "/blocks/0/elements/1/action_id",
        "action_id must be unique: go",
    ),
    "confirm without deny": (
        actions(button(confirm={n: plain() for n in ("title", "text", "confirm")})),
        "missing-property",
        "/blocks/0/elements/0/confirm",
        "missing required field: deny",
    ),
    "unknown block": ({"type": "sections"}, "unknown-type", "/blocks/0/type", "unsupported type: sections"),
    "block without type": (
        {"text": plain()},
        "missing-property",
        "/blocks/0",
        "missing required field: type",
    ),
    "input element in actions": (
        actions({"type": "plain_text_input", "action_id": "p"}),
        "type-not-here",
        "/blocks/0/elements/0/type",
        "unsupported type: plain_text_input",
    ),
    "select of 101": (
        actions({"type": "static_select", "action_id": "s", "options": [option(str(n)) for n in range(101)]}),
        "too-many",
        "/blocks/0/elements/0/options",
        "no more than 100 items allowed",
    ),
    "select without options": (
        actions({"type": "static_select", "action_id": "s"}),
        "exactly-one-of",
        "/blocks/0/elements/0",
        "must define exactly one of: options, option_groups",
    ),
    "option value of 151": (
        actions({"type": "radio_buttons", "action_id": "r", "options": [option("x" * 151)]}),
        "too-long",
        "/blocks/0/elements/0/options/0/value",
        "must be less than 151 characters",
    ),
    "initial option that is none": (
        actions(
            {
                "type": "radio_buttons",
                "action_id": "r",
                "options": [option()],
                "initial_option": option("2"),
            }
        ),
        "initial-option",
        "/blocks/0/elements/0/initial_option",
        "initial_option must be one of the options",
    ),
    "six in overflow": (
        section(accessory={"type": "overflow", "action_id": "o", "options": [option()] * 6}),
        "too-many",
        "/blocks/0/accessory/options",
        "no more than 5 items allowed",
    ),
    "alert in a message": (
        {"type": "alert", "text": plain()},
        "surface",
        "/blocks/0/type",
        "unsupported type: alert",
    ),
    "table of 101 rows": (table(101), "too-many", "/blocks/0/rows", "no more than 100 items allowed"),
    "row of 21 cells": (table(1, 21), "too-many", "/blocks/0/rows/0", "no more than 20 items allowed"),
    "empty cell": (
        {"type": "table", "rows": [[cell("")]]},
        "too-short",
        "/blocks/0/rows/0/0/text",
        "must be more than 0 characters",
    ),
    "ragged table": (
        {"type": "table", "rows": [[cell()], [cell(), cell()]]},
        "table-rectangular",
        "/blocks/0/rows",
        "all rows must have the same number of cells",
    ),
    "data table without caption": (
        {"type": "data_table", "rows": [[cell()], [cell()]]},
        "missing-property",
        "/blocks/0",
        "missing required field: caption",
    ),
    "markdown of 12001": (
        {"type": "markdown", "text": "x" * 12001},
        "too-long",
        "/blocks/0/text",
        "must be less than 12001 characters",
    ),
    "indent of 9": (
        rich(
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": 9,
                "elements": [{"type": "rich_text_section", "elements": [run_of("a")]}],
            }
        ),
        "number-range",
        "/blocks/0/elements/0/indent",
        "must be between 0 and 8",
    ),
    "user in preformatted text": (
        rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U0MARIA"}]}),
        "type-not-here",
        "/blocks/0/elements/0/elements/0/type",
        "unsupported type: user",
    ),
    "true as a number": (
        rich(
            {
                "type": "rich_text_quote",
                "border": True,
                "elements": [run_of("a")],
            }
        ),
        "wrong-type",
        "/blocks/0/elements/0/border",
        "must provide an integer",
    ),
    "image without alt text": (
        {"type": "image", "image_url": "https://example.com/a.png"},
        "missing-property",
        "/blocks/0",
        "missing required field: alt_text",
    ),
    "block_id of 256": (
        section(block_id="x" * 256),
        "too-long",
        "/blocks/0/block_id",
        "must be less than 256 characters",
    ),
    "pending task outside a plan": (
        {"type": "task_card", "task_id": "1", "title": "t", "status": "pending"},
        "task-pending",
        "/blocks/0",
        "a task outside a plan cannot be pending",
    ),
}


@pytest.mark.parametrize(
    ("block", "rule", "pointer", "wording"), INVALID_BLOCKS.values(), ids=INVALID_BLOCKS.keys()
)
def test_refuses_invalid_block(block: Node, rule: str, pointer: str, wording: str) -> None:
    """Each fault is named by its rule, at its place, in Slack's words."""
    found = [(p.rule, p.pointer, p.message) for p in validate({"blocks": [block]}, "message")]
    assert (rule, pointer, wording) in found


WHOLE_MESSAGES: dict[str, tuple[list[Node], str, str]] = {
    "fifty-one blocks": ([section()] * 51, "too-many", "/blocks"),
    "two tables": ([table(), table()], "one-table", "/blocks/1"),
    "a block_id twice": (
        [section(block_id="a"), section(block_id="a")],
        "block-id-unique",
        "/blocks/1/block_id",
    ),
    "markdown of 12001 in two": ([{"type": "markdown", "text": "x" * 6001}] * 2, "markdown-chars", "/blocks"),
    "three charts": (
        [{"type": "data_visualization", "title": "t", "chart": {}}] * 3,
        "two-charts",
        "/blocks/2",
    ),
}


@pytest.mark.parametrize(
    ("blocks", "rule", "pointer"), WHOLE_MESSAGES.values(), ids=list(WHOLE_MESSAGES.keys())
)
def test_refuses_message_as_a_whole(blocks: list[Node], rule: str, pointer: str) -> None:
    """Limits over a whole message are kept."""
    assert (rule, pointer) in [(p.rule, p.pointer) for p in validate({"blocks": blocks}, "message")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "element", "accessory", "options", "rows", "blocks"]
            ),
            inner | st.sampled_from(["section", "actions", "table", "input", "rich_text", "plain_text"]),
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(blocks=st.lists(JSON, max_size=3))
def test_any_json_gets_a_verdict(blocks: list[Any]) -> None:
    """No payload, however wrong, makes the validator fail instead of judging."""
    before = copy.deepcopy(blocks)
    validate({"blocks": blocks}, "message")
    validate({"type": "modal", "title": plain(), "blocks": blocks}, "modal")
    verdict_by_policy({"text": "t", "blocks": blocks}, "message")
    assert blocks == before
