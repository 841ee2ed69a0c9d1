"""The last line: what does not fit is cut at a safe place, or refused as a defect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bot.views
from bot.views.blocks import actions, button, header, preformatted, section
from bot.views.controls import Control
from bot.views.limits import Message, ViewTooLarge, cut_mrkdwn, facts, fit_message, fit_modal


def modal(*blocks: object, **more: object) -> dict[str, object]:
    """Return a modal of these blocks."""
    title = {"type": "plain_text", "text": "Details"}
    return {"type": "modal", "title": title, "blocks": list(blocks), "private_metadata": "{}", **more}


def test_the_limits_are_those_that_slack_publishes() -> None:
    """The copied facts say what Slack's pages say (and our own margin for what Slack does not say)."""
    assert facts()["message"] == {"blocks": 50, "text": 3900, "serialized": 12_000}
    assert facts()["modal"]["blocks"] == 100
    assert facts()["modal"]["bytes"] == 250_000
    assert facts()["block"]["section_text"] == 3000
    assert facts()["button"]["value"] == 2000


def test_the_limits_travel_with_the_package() -> None:
    """The file of facts lies inside the package and is plain JSON."""
    path = Path(bot.views.__file__).parent / "facts" / "block_kit.json"
    assert json.loads(path.read_text("utf-8")) == facts()


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("short", 10, "short"),  # nothing to do
        ("aaaa&amp;bbbb", 9, "aaaa…"),  # an entity is not torn
        ("aa <@U0MARIA> bb", 12, "aa …"),  # nor a token
        ("*bold and long*", 10, "*bold a…*"),  # what is open is closed
        ("`code and long`", 10, "`code a…`"),  # likewise
    ],
)
def test_mrkdwn_is_cut_at_a_safe_place(text: str, limit: int, cut: str) -> None:
    """A cut never leaves half an entity, half a token or an open mark."""
    assert cut_mrkdwn(text, limit) == cut
    assert len(cut) <= limit


def test_too_long_texts_are_cut() -> None:
    """Headers, paragraphs and labels come out within their limits."""
    view = fit_modal(modal(header("x"), section("y" * 5000), actions(button("z" * 90, Control("a", "b")))))
    assert len(view["blocks"][1]["text"]["text"]) <= 3000
    assert len(view["blocks"][2]["elements"][0]["text"]["text"]) == 75


@pytest.mark.parametrize(
    "message",
    [
        Message("t", []),  # nothing to show
        Message("t", [section("x")] * 51),  # too many blocks
        Message("t", [section("x" * 2900)] * 5),  # too much in all
        Message("t", [preformatted("x")]),  # rich text would bar a later update without it
        Message("t", [actions(button("x", Control("a", "v" * 2001)))]),  # a value that cannot be cut
    ],
)
def test_a_message_that_cannot_fit_is_a_defect(message: Message) -> None:
    """What cannot be made to fit is refused before Slack refuses it."""
    with pytest.raises(ViewTooLarge):
        fit_message(message)


@pytest.mark.parametrize(
    "view",
    [
        modal(),  # nothing to show
        modal(*[section("x")] * 101),  # too many blocks
        modal(*[section("x" * 2900)] * 90),  # too many bytes
        modal(section("x"), private_metadata="x" * 3001),  # metadata that cannot be cut
        modal({"type": "table", "rows": []}),  # Slack takes no tables here
    ],
)
def test_a_modal_that_cannot_fit_is_a_defect(view: dict[str, object]) -> None:
    """What cannot be made to fit is refused before Slack refuses it."""
    with pytest.raises(ViewTooLarge):
        fit_modal(view)
