"""The one door that every value passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views import text
from pipeline.model import StageStatus


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),  # reverses what follows
        ("a\u200bb", "a⟨U+200B⟩b"),  # cannot be seen
        ("\x1b[31m", "⟨U+001B⟩[31m"),  # a terminal's escape
        ("a\nb", "a↵b"),  # a line of its own could forge one of ours
        ("a\r\nb", "a↵b"),  # one break, not two
        ("a\tb", "a⇥b"),  # a tab is seen as one
        ("\ud800", "⟨U+D800⟩"),  # no valid Unicode
        ("\u3164", "⟨U+3164⟩"),  # a letter that draws nothing
        ("\u00ad", "⟨U+00AD⟩"),  # a hyphen that is not there
        ("👩‍👧", "👩‍👧"),  # a joiner inside an emoji belongs to it
        ("نامه‌ای", "نامه‌ای"),  # and one inside a Persian word
        ("a\u200db", "a⟨U+200D⟩b"),  # but not between Latin letters
        ("Zoë Ångström 山田　太郎", "Zoë Ångström 山田　太郎"),  # letters are letters
    ],
)
def test_what_cannot_be_seen_is_marked(value: str, shown: str) -> None:
    """A character that is invisible or reorders text is shown as a mark, and no other is touched."""
    assert text.visible(value) == shown


def test_line_breaks_stay_where_lines_are_wanted() -> None:
    """A whole value keeps its lines, in one form of line break."""
    assert text.visible("a\r\nb\u2028c\td", lines=True) == "a\nb\nc\td"


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),  # Slack's own three
        ("&lt;", "&amp;lt;"),  # what is escaped already is text like any other
        ("*a* ~b~ `c`", "∗a∗ ∼b∼ ˋcˋ"),  # no escape exists, so look-alikes
        ("_a_ svc_backup_01", "ˍaˍ svc_backup_01"),  # inside a word an underscore formats nothing
        ("FOURCHECK_STORE__URL", "FOURCHECK_STORE__URL"),  # a setting's name can be copied
        (":x: Failed", "∶x: Failed"),  # a value cannot forge a status
        ("12:30:45 :100:", "12:30:45 ∶100:"),  # a time is no emoji, this is one
        ("https://a.test", "https∶//a.test"),  # no link by itself
        ("> quote", "＞ quote"),  # even the entity would quote at the start of a line
    ],
)
def test_escaped_text_is_inert(value: str, escaped: str) -> None:
    """Nothing that Slack would interpret survives in prose."""
    assert text.escape(value) == escaped


def test_tokens_and_keys_are_never_shown() -> None:
    """A directory value that looks like a secret is not repeated to a channel."""
    shown = text.escape("it is xoxb-123-abc, really")
    assert shown == "it is [looks like a secret: not shown], really"


def test_a_cut_value_says_how_much_is_missing() -> None:
    """A reader knows that there is more, and how much."""
    cut = text.shorten("x" * 41_000, 300)
    assert cut == "x" * 270 + "… 40,730 more characters"


@given(st.text(st.characters(codec=None, exclude_categories=())), st.integers(min_value=5, max_value=400))
def test_a_cut_value_keeps_its_promise(value: str, limit: int) -> None:
    """A cut value is within its length, within four times that in JSON, and inert when escaped."""
    cut = text.shorten(value, limit)
    assert len(cut) <= limit
    assert text.json_cost(cut) <= 4 * limit + 30
    assert (cut == text.visible(value)) == (not text.is_cut(value, limit))
    assert "<" not in text.escape(value)


def test_an_accent_stays_with_its_letter() -> None:
    """A cut never tears a letter from its accent or a family of emoji apart."""
    assert text.shorten("a" * 9 + "e\u0301" + "b" * 9, 11) == "a" * 9 + "…"
    assert text.shorten("abc👩‍👧‍👦def", 6) == "abc…"


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("T0CONTOSO/U0MARIA", "<@U0MARIA>"),  # a person in Slack
        ("cli:maria", "maria"),  # the command line
        ("T0/U0<!channel>", "T0/U0&lt;!channel&gt;"),  # anything else is only text
        ("cli:<@U0ADAM>", "&lt;@U0ADAM&gt;"),  # even after the colon
    ],
)
def test_only_a_slack_user_is_mentioned(actor: str, shown: str) -> None:
    """A mention is made of a well-formed team and user id and of nothing else."""
    assert text.mention(actor) == shown


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0 ms"), (42, "42 ms"), (400, "0.4 s"), (59_900, "59.9 s"), (125_000, "2 min 5 s"), (-5, "0 ms")],
)
def test_durations_read_well(milliseconds: float, words: str) -> None:
    """A duration is given in the unit that people would choose."""
    assert text.duration(milliseconds) == words


def test_moments_are_shown_in_the_readers_own_time() -> None:
    """A time is a date token with a fallback for those who cannot draw it."""
    moment = text.moment(datetime(2026, 11, 23, 14, 2, tzinfo=UTC))
    assert moment == "<!date^1795442520^{date_short_pretty} {time}|2026-11-23 14:02 UTC>"


def test_every_status_has_an_emoji_and_a_word() -> None:
    """No status is said by colour or shape alone."""
    assert set(text.STATUS) == set(StageStatus)
    assert all(emoji.startswith(":") and word.strip() for emoji, word in text.STATUS.values())
