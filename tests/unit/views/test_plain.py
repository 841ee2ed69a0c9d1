"""The same payloads on a terminal."""

from __future__ import annotations

import pytest

from bot.views.blocks import actions, button, context, fields, mrkdwn, plain, preformatted, section
from bot.views.controls import Control
from bot.views.limits import Message
from bot.views.plain import as_text, from_mrkdwn


@pytest.mark.parametrize(
    ("mrkdwn_text", "shown"),
    [
        (":white_check_mark: *Import*  Passed", "✅ Import  Passed"),  # emoji as characters, no marks
        ("&lt;!channel&gt; &amp;lt;", "<!channel> &lt;"),  # entities once, not twice
        ("<@U0MARIA> <@U0ADAM>", "@maria @U0ADAM"),  # people by name where it is known
        ("<!date^1^{time}|14:02 UTC>", "14:02 UTC"),  # dates by their fallback
    ],
)
def test_mrkdwn_reads_as_in_slack(mrkdwn_text: str, shown: str) -> None:
    """A terminal shows what Slack would show."""
    assert from_mrkdwn(mrkdwn_text, {"U0MARIA": "maria"}) == shown


def test_plain_text_is_left_alone() -> None:
    """What is literal in Slack is literal here."""
    assert as_text(Message("", [context(plain("*a* &lt; <@U0MARIA> :x:", 99))])) == "*a* &lt; <@U0MARIA> :x:"


def test_every_block_has_its_line() -> None:
    """Buttons stand in brackets, columns are indented, context is joined by dots."""
    press = button("Press", Control("a", "v"))
    blocks = [
        section("one", press),
        fields(plain("Before\nx", 99, lines=True), heading="two", accessory=press),
        fields(plain("three", 99), accessory=press),
        context(mrkdwn("a"), plain("b", 9)),
        actions(press, press),
        {"type": "divider"},
        preformatted("four\nfive"),
    ]
    assert as_text(Message("", blocks)).split("\n") == [
        "one  [Press]",
        "two  [Press]",
        "    Before",
        "    x",
        "    three  [Press]",
        "a · b",
        "[Press]  [Press]",
        "—" * 40,
        "four",
        "five",
    ]
