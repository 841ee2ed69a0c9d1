"""Views as the validator sees them, and what the product does not send. Source: Slack, page "Views"."""

from __future__ import annotations

from typing import Any

import pytest

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


def entry(element: Node | None = None, **more: Any) -> Node:
    """Write an input block."""
    element = element or {"type": "plain_text_input", "action_id": "typed"}
    return {"type": "input", "block_id": "in", "label": plain("Who"), "element": element, **more}


def cell(text: str = "x") -> Node:
    """Write a table cell."""
    return {"type": "raw_text", "text": text}


def table(rows: int = 2, columns: int = 2, **more: Any) -> Node:
    """Write a table."""
    return {"type": "table", "rows": [[cell() for _ in range(columns)] for _ in range(rows)], **more}


def modal(*blocks: Node, **more: Any) -> Node:
    """Write a modal."""
    return {"type": "modal", "title": plain("Import"), "blocks": list(blocks) or [section()], **more}


VALID_MODALS = {
    "plain": modal(),
    "with input": modal(entry(), submit=plain("Go")),
    "a hundred blocks": modal(*(section() for _ in range(100))),
    "title of 24": modal(title=plain("x" * 24), close=plain("x" * 24)),
    "metadata of 3000": modal(private_metadata="x" * 3000, callback_id="x" * 255),
    "alert": modal({"type": "alert", "text": mrkdwn("x" * 200), "level": "warning"}),
    "flags": modal(clear_on_close=True, notify_on_close=True, external_id="x"),
}


@pytest.mark.parametrize("view", VALID_MODALS.values(), ids=VALID_MODALS.keys())
def test_takes_valid_modal(view: Node) -> None:
    """Modals up to the limits are taken."""
    assert validate(view, "modal") == []


INVALID_MODALS: dict[str, tuple[Node, str, str]] = {
    "title of 25": (modal(title=plain("x" * 25)), "too-long", "/view/title/text"),
    "mrkdwn title": (modal(title=mrkdwn()), "text-type", "/view/title/type"),
    "no title": (
        {name: part for name, part in modal().items() if name != "title"},
        "missing-property",
        "/view",
    ),
    "no blocks": ({**modal(), "blocks": []}, "too-few", "/view/blocks"),
    "a hundred and one blocks": (modal(*(section() for _ in range(101))), "too-many", "/view/blocks"),
    "input without submit": (modal(entry()), "modal-submit", "/view"),
    "table in a modal": (modal(table()), "surface", "/view/blocks/0/type"),
    "data table in a modal": (
        modal({"type": "data_table", "caption": "c", "rows": [[cell()], [cell()]]}),
        "surface",
        "/view/blocks/0/type",
    ),
    "markdown in a modal": (modal({"type": "markdown", "text": "x"}), "surface", "/view/blocks/0/type"),
    "metadata of 3001": (modal(private_metadata="x" * 3001), "too-long", "/view/private_metadata"),
    "submit of 25": (modal(submit=plain("x" * 25)), "too-long", "/view/submit/text"),
    "unknown property": (modal(submit_disabled=True), "unknown-property", "/view"),
    "home where a modal belongs": ({**modal(), "type": "home"}, "not-one-of", "/view/type"),
    "two in focus": (
        modal(
            entry({"type": "plain_text_input", "action_id": "a", "focus_on_load": True}, block_id="1"),
            entry({"type": "plain_text_input", "action_id": "b", "focus_on_load": True}, block_id="2"),
            submit=plain("Go"),
        ),
        "modal-focus",
        "/view/blocks/1/element",
    ),
    "alert of 201": (
        modal({"type": "alert", "text": mrkdwn("x" * 201)}),
        "too-long",
        "/view/blocks/0/text/text",
    ),
}


@pytest.mark.parametrize(("view", "rule", "pointer"), INVALID_MODALS.values(), ids=INVALID_MODALS.keys())
def test_refuses_invalid_modal(view: Node, rule: str, pointer: str) -> None:
    """Each fault of a modal is named by its rule and place."""
    assert (rule, pointer) in [(p.rule, p.pointer) for p in validate(view, "modal")]


POLICIES: dict[str, tuple[Node, str]] = {
    "no text": ({"blocks": [section()]}, "message-text"),
    "text near the limit of an update": ({"text": "x" * 3901}, "text-length"),
    "a table": ({"text": "t", "blocks": [table()]}, "product-allowlist"),
    "no action_id": (
        {"text": "t", "blocks": [actions({"type": "button", "text": plain()})]},
        "action-id-present",
    ),
    "blocks of 12001": ({"text": "t", "blocks": [section(text=mrkdwn("x" * 2990))] * 4}, "message-size"),
    "a ping": ({"text": "t", "blocks": [section(text=mrkdwn("<!channel> hi"))]}, "mrkdwn-escape"),
    "a group ping in text": ({"text": "<!subteam^S0IDENTITY>"}, "mrkdwn-escape"),
    "a token": ({"text": "xoxb-1-2"}, "no-secrets"),
    "emoji without a word": (
        {"text": "t", "blocks": [section(text=mrkdwn("Import :white_check_mark:"))]},
        "status-not-colour-only",
    ),
    "same option value twice": (
        {
            "text": "t",
            "blocks": [
                actions({"type": "radio_buttons", "action_id": "r", "options": [option(), option("1", "B")]})
            ],
        },
        "options-dup",
    ),
}


@pytest.mark.parametrize(("payload", "rule"), POLICIES.values(), ids=POLICIES.keys())
def test_product_does_not_send(payload: Node, rule: str) -> None:
    """What Slack takes and the product does not send is told apart from a refusal."""
    assert validate(payload, "message") == []
    verdict = verdict_by_policy(payload, "message")
    assert [p.rule for p in verdict] == [rule]
    assert verdict[0].as_dict()["verdict"] == "policy"


def test_product_sends_its_message() -> None:
    """A message of the product's kind meets no objection."""
    status = section(
        text=mrkdwn(":white_check_mark: *Import*  Passed."), accessory=button("details", value="r")
    )
    payload = {"text": "Ada Lovelace was created", "blocks": [{"type": "header", "text": plain()}, status]}
    assert validate(payload, "message") + verdict_by_policy(payload, "message") == []
