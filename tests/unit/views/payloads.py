"""Everything a run can be seen as, found by following the buttons; and what Slack takes, as literals."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.views import controls
from bot.views.controls import Reference
from bot.views.details import details
from bot.views.message import Hints, run_message
from pipeline.model import Run, StageName
from sandbox.workspace.blockkit import validate, verdict_by_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

Payload = dict[str, Any]
OWN_TOKEN = re.compile(
    r"<@U0MARIA>|<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
)
PAGES_FOLLOWED = 2


def messages(run: Run) -> Iterator[Payload]:
    """Yield the run's message in each kind of installation."""
    yield run_message(run, writes_on=True).payload()
    yield run_message(run, writes_on=False, hints=Hints(plaintext_directory=True)).payload()


def modals(run: Run) -> Iterator[Payload]:
    """Yield the details of every stage, a few pages of each, and every value that can be seen whole."""
    for stage in StageName:
        view = opened(run, stage)
        yield view
        yield from narrowed(run, view)
        for _ in range(PAGES_FOLLOWED):
            pages = [b for b in buttons(view) if b["action_id"] == controls.PAGE_NEXT]
            yield from wholes(run, view)
            if not pages:
                break
            view = follow(run, pages[0])
            yield view


def opened(run: Run, stage: StageName, page: int = 1, whole: str | None = None) -> Payload:
    """Return the details of a stage as View details opens them, on a page, or of one attribute whole."""
    return details(run, Reference(run.run_id, stage, page, whole))


def narrowed(run: Run, view: Payload) -> Iterator[Payload]:
    """Yield the rows filtered, searched, and as text."""
    yield from (
        follow(run, b) for b in buttons(view) if b["action_id"] in {controls.FILTER, controls.COPY_TEXT}
    )
    if "submit" in view:
        searched = Reference.decode(view["private_metadata"])
        for typed in (":", "<!channel> *x* `y` 😀"):
            yield details(run, searched.found(typed))


def wholes(run: Run, view: Payload) -> Iterator[Payload]:
    """Yield what the first few Show all buttons of a view open, with the pages behind."""
    for button in [b for b in buttons(view) if b["action_id"] == controls.SHOW_WHOLE][:2]:
        shown = follow(run, button)
        yield shown
        for further in [b for b in buttons(shown) if b["action_id"] == controls.PAGE_NEXT]:
            yield follow(run, further)


def follow(run: Run, button: Payload) -> Payload:
    """Open what a button in a modal leads to, the way a listener does."""
    reference = Reference.decode(button["value"])
    assert reference.run_id == run.run_id
    return details(run, reference)


def buttons(payload: Payload) -> list[Payload]:
    """Return every button of a payload."""
    found = [block["accessory"] for block in payload["blocks"] if "accessory" in block]
    return found + [e for block in payload["blocks"] if block["type"] == "actions" for e in block["elements"]]


def text_objects(node: object) -> Iterator[Payload]:
    """Yield every text object below a node."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text"):
            yield node
        for child in node.values():
            yield from text_objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from text_objects(child)


def mrkdwn_of(payload: Payload) -> list[str]:
    """Return every text of a payload in which Slack interprets anything."""
    texts = [t["text"] for t in text_objects(payload["blocks"]) if t["type"] == "mrkdwn"]
    return [*texts, payload["text"]] if "text" in payload and isinstance(payload["text"], str) else texts


def assert_message_fits(payload: Payload) -> None:
    """Check a message against Slack's limits, literally, and against the strict validator."""
    assert 1 <= len(payload["blocks"]) <= 50
    assert 1 <= len(payload["text"]) <= 3900
    assert len(json.dumps(payload)) <= 12_000
    _assert_blocks_fit(payload["blocks"])
    json.dumps(payload, ensure_ascii=False).encode()
    assert validate(payload, "message") == []
    assert verdict_by_policy(payload, "message") == []


def assert_modal_fits(payload: Payload) -> None:
    """Check a modal against Slack's limits, literally, and against the strict validator."""
    assert 1 <= len(payload["blocks"]) <= 100
    assert len(payload["title"]["text"]) <= 24
    assert len(payload["close"]["text"]) <= 24
    assert len(payload["private_metadata"]) <= 3000
    assert len(json.dumps(payload)) <= 250_000
    _assert_blocks_fit(payload["blocks"])
    json.dumps(payload, ensure_ascii=False).encode()
    assert validate(payload, "modal") == []
    assert verdict_by_policy(payload, "modal") == []


def _assert_blocks_fit(blocks: list[Payload]) -> None:
    for block in blocks:
        most = {"header": 150, "section": 3000}.get(block["type"])
        if most and "text" in block:
            assert 1 <= len(block["text"]["text"]) <= most
        for text in block.get("fields", []):
            assert 1 <= len(text["text"]) <= 2000
        if block["type"] == "context":
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= len(text["text"]) <= 3000 for text in block["elements"])
        if block["type"] == "actions":
            assert 1 <= len(block["elements"]) <= 25
    for button in buttons({"blocks": blocks}):
        assert 1 <= len(button["text"]["text"]) <= 75
        assert 1 <= len(button["value"]) <= 2000
        assert 1 <= len(button["action_id"]) <= 255
        assert len(button.get("accessibility_label", "")) <= 75


def assert_inert(payload: Payload) -> None:
    """Check that nothing in a payload is live but the bot's own tokens."""
    for text in mrkdwn_of(payload):
        rest = OWN_TOKEN.sub("", text)
        assert "<" not in rest, text
        assert ">" not in rest, text
        assert re.sub("&(?:amp|lt|gt);", "", rest).count("&") == 0, text
        assert "://" not in rest, text
        assert not re.search(r"^\s*&gt;", rest, re.MULTILINE), text
    for text_object in text_objects(payload["blocks"]):
        if text_object["type"] == "plain_text":
            assert text_object["emoji"] is False
        else:
            assert text_object["verbatim"] is True
    unseen = re.compile(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
    )
    for text in everything_shown(payload):
        assert not unseen.search(text), ascii(text)


def everything_shown(payload: Payload) -> list[str]:
    """Return every text that is drawn."""
    texts = [t["text"] for t in text_objects(payload["blocks"])]
    for block in payload["blocks"]:
        if block["type"] == "rich_text":
            texts += [part["text"] for element in block["elements"] for part in element["elements"]]
    return texts


def formatting(payload: Payload) -> list[str]:
    """Return what formats in each text: marks, emoji codes and line breaks, in order."""
    marks = re.compile(r"[*~`\n]|(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])|:(?!\d\d?:)[a-z0-9_+-]+:")
    return ["".join(marks.findall(OWN_TOKEN.sub("", text))) for text in mrkdwn_of(payload)]
