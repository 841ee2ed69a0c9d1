"""Text for people: the one door that every value passes on its way into a payload.

Slack, page "Formatting message text": `&`, `<` and `>` are the control characters of mrkdwn and are escaped
as entities; there is no escape for `*`, `_`, `~` and backticks, so look-alikes stand in for them in prose.
Values that have to be exact go into plain_text or rich_text objects, where nothing is interpreted.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Final

from pipeline.model import Outcome, Run, Stage, StageStatus, TargetValue

EMPTY: Final = "(empty)"
NOTHING: Final = "–"  # stands where a text is empty: Slack refuses empty text objects
PRESENT_HIDDEN: Final = "present, hidden"
_ELLIPSIS: Final = "…"
_WORDY_CUT: Final = 60  # below this a cut is marked by an ellipsis alone: the sentence would eat the value

_LINE_BREAKS: Final = "\n\r\v\f\x85\u2028\u2029"
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_INVISIBLE: Final = re.compile(f"[{''.join(_INVISIBLE_LETTERS)}]")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # they shape emoji and many scripts, so they stay between such characters
_PLAIN_LINES: Final = re.compile(r"[ -~\n\t]*\Z")
_LOOK_ALIKE: Final = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"}
_FORMATTING: Final = re.compile(r"[*~`]|(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])")
_QUOTE: Final = re.compile(r"\A(\s*)>")  # at the start of a line it would make a block quote, even as &gt;
_EMOJI_CODE: Final = re.compile(r":(?=[A-Za-z0-9_+'\-]+:)(?!\d\d?:)")  # 10:00:00 is a time
_MARKS: Final = re.compile(r"[*_~`>:&<]")  # without any of these there is nothing to make inert
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SECRET: Final = re.compile(
    r"xox[abpres]-[\w-]*|xapp-[\w-]*|eyJ[\w-]{10,1500}\.[\w.-]*"
    r"|-----BEGIN[A-Z ]*-*[^-]*(?:-----END[A-Z ]*-----)?"
)
_HINT: Final = re.compile(r"xox[abpres]-|xapp-|eyJ|-----BEGIN")


# -- values ----------------------------------------------------------------------------------------------


def visible(value: str, *, lines: bool = False) -> str:
    """Return the value with every character that cannot be seen, or that reorders text, shown as a mark.

    With `lines`, line breaks and tabs stay; otherwise they are marked too, so that a value is one line.
    """
    if _all_seen(value) or (lines and _PLAIN_LINES.match(value)):
        return value
    return "".join(_mark(value, index, lines=lines) for index in range(len(value)))


def _mark(value: str, index: int, *, lines: bool) -> str:
    char = value[index]
    if " " <= char <= "~":
        return char
    if char in _LINE_BREAKS:
        kept = "\n" if lines else "↵"
        return "" if value[index : index + 2] == "\r\n" else kept
    if char == "\t":
        return char if lines else "⇥"
    if char in _JOINERS and _joins(value, index):
        return char
    return _glyph(char)


@lru_cache(maxsize=4096)
def _glyph(char: str) -> str:
    unseen = char in _INVISIBLE_LETTERS or unicodedata.category(char) in _UNSEEN
    return f"⟨U+{ord(char):04X}⟩" if unseen else char


def _all_seen(value: str) -> bool:
    """Whether every character can be seen, told without looking at each: false also where it is not sure."""
    return value.isprintable() and not _INVISIBLE.search(value)


def _joins(value: str, index: int) -> bool:
    around = value[index - 1 : index], value[index + 1 : index + 2]
    return index > 0 and all(side > "\u02ff" and unicodedata.category(side)[0] in "LMS" for side in around)


def shorten(value: str, limit: int, *, lines: bool = False) -> str:
    """Return the value, visible and at most `limit` characters long, saying how much was left out.

    A character outside ASCII takes six or twelve characters in a serialized payload; the result takes at most
    four times `limit` there, so that a size can be promised before anything is serialized.
    """
    value = without_secrets(value)
    whole, used = _take(value, limit, lines=lines)
    if used == len(value):
        return whole
    if limit < _WORDY_CUT:
        return _take(value, limit - 1, lines=lines)[0] + _ELLIPSIS
    kept, used = _take(value, limit - 30, lines=lines)
    return f"{kept}{_ELLIPSIS} {count(len(value) - used)} more characters"


def is_cut(value: str, limit: int, *, lines: bool = False) -> bool:
    """Whether `shorten` leaves anything of the value out."""
    value = without_secrets(value)
    return _take(value, limit, lines=lines)[1] < len(value)


def _take(value: str, limit: int, *, lines: bool) -> tuple[str, int]:
    """Take as much of the value as fits; return it and how many of its characters it stands for."""
    whole = value[:limit]
    if _all_seen(whole) and (whole.isascii() or len(json.dumps(whole)) - 2 <= 4 * limit):
        length = len(whole)
        while length < len(value) and length > 0 and _continues(value, length):
            length -= 1
        return value[:length], length
    pieces: list[str] = []
    length = cost = index = 0
    while index < len(value):
        piece = _mark(value, index, lines=lines)
        length += len(piece)
        cost += _piece_cost(piece)
        if length > limit or cost > 4 * limit:
            break
        pieces.append(piece)
        index += 1
    if index < len(value):
        while index > 0 and pieces and _continues(value, index):
            pieces.pop()
            index -= 1
    return "".join(pieces), index


def _continues(value: str, index: int) -> bool:
    """Whether cutting before this character would tear a letter from its accent, or an emoji apart."""
    char = value[index]
    return (
        unicodedata.category(char).startswith("M")
        or char == "\u200d"
        or value[index - 1] == "\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def json_cost(text: str) -> int:
    """How many characters a text takes in JSON when everything outside ASCII is escaped."""
    return sum(_char_cost(char) for char in text)


@lru_cache(maxsize=4096)
def _piece_cost(piece: str) -> int:
    return json_cost(piece)


def _char_cost(char: str) -> int:
    if " " <= char <= "~":
        return 2 if char in '"\\' else 1
    return 2 if char in "\n\t" else 6 if char <= "\uffff" else 12


def without_secrets(value: str) -> str:
    """Return the value with what looks like a token or a private key taken out."""
    return _SECRET.sub("[looks like a secret: not shown]", value) if _HINT.search(value) else value


def target_text(value: TargetValue) -> str:
    """Write a value of the cloud object the way it is read aloud."""
    if value is None or value in ("", ()):
        return EMPTY
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return edged(str(value))


def target_lines(value: TargetValue) -> str:
    """Write a value of the cloud object whole, a list one item a line."""
    return "\n".join(value) if isinstance(value, tuple) and value else target_text(value)


def joined(values: tuple[str, ...]) -> str:
    """Write several values in one line."""
    return ", ".join(edged(value) for value in values) if values else EMPTY


def edged(value: str) -> str:
    """Put a value in quotes when its edges could not be seen otherwise."""
    return f'"{value}"' if value != value.strip() or not value else value


def right_to_left(value: str) -> bool:
    """Whether the text holds letters that are written from right to left."""
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in value[:500])


# -- mrkdwn ----------------------------------------------------------------------------------------------


def escape(value: str) -> str:
    """Make a value inert inside mrkdwn, in one line: no mention, link, emoji or formatting comes of it."""
    text = visible(without_secrets(value))
    if not _MARKS.search(text):
        return text
    text = _EMOJI_CODE.sub("∶", text.replace("://", "∶//"))
    text = _FORMATTING.sub(lambda match: _LOOK_ALIKE[match[0][0]] * len(match[0]), text)
    text = _QUOTE.sub(r"\1＞", text)
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], text)


def phrase(value: str, limit: int) -> str:
    """Shorten a value and make it inert inside mrkdwn."""
    return escape(shorten(value, limit))


def bold(value: str, limit: int) -> str:
    """Shorten a name and set it in bold; the marks only work with something solid between them."""
    return f"*{phrase(value.strip(), limit).strip() or NOTHING}*"


def sentence(value: str, limit: int) -> str:
    """Shorten a text for mrkdwn and end it as a sentence."""
    return ended(phrase(value.strip(), limit))


def ended(value: str) -> str:
    """End a text as a sentence."""
    return value if not value or value[-1] in ".…?:" else f"{value}."


def without(prefix: str, value: str) -> str:
    """Drop a word from the beginning of a text that is shown right after that word."""
    if value.casefold().startswith(prefix.casefold()):
        return value[len(prefix) :].lstrip(" .:,–—-")
    return value


def mention(actor: str) -> str:
    """Write who asked: a Slack user as a mention, anybody else by the name the run carries."""
    match = re.fullmatch(r"[A-Z0-9]{2,20}/([UW][A-Z0-9]{2,20})", actor)
    return f"<@{match[1]}>" if match else phrase(actor.partition(":")[2] or actor, 60)


def support(run: Run) -> str:
    """Write the ids that lead to the log and to Microsoft's support."""
    ids = [(n, v) for n, v in run.error.ids.items() if n.casefold().endswith("id")] if run.error else []
    named = [f"{phrase(name, 40)} {phrase(value, 80)}" for name, value in ids[:4]]
    return " · ".join([f"Support id {phrase(run.run_id, 64)}", *named])


def moment(when: datetime) -> str:
    """Write a point in time so that each reader sees it in their own time zone (Slack, date formatting)."""
    return f"<!date^{int(when.timestamp())}^{{date_short_pretty}} {{time}}|{when:%Y-%m-%d %H:%M} UTC>"


# -- words -----------------------------------------------------------------------------------------------


def count(number: int) -> str:
    """Write a number with thousands separators."""
    return f"{number:,}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number with its noun: 1 change, 2 changes."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def duration(milliseconds: float) -> str:
    """Write a duration: 40 ms, 0.4 s, 2 min 5 s."""
    seconds = max(milliseconds, 0) / 1000
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{count(minutes)} min {rest} s"


def run_short(run_id: str) -> str:
    """Write a run id short enough to read aloud: its first four and last two characters."""
    return run_id if len(run_id) <= 8 else f"{run_id[:4]}{_ELLIPSIS}{run_id[-2:]}"


def listing(items: list[str], conjunction: str = "and") -> str:
    """Join words as in a sentence: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


STATUS: Final[dict[StageStatus, tuple[str, str]]] = {
    StageStatus.WAITING: (":white_circle:", "Waiting"),
    StageStatus.RUNNING: (":hourglass_flowing_sand:", "Running"),
    StageStatus.PASSED: (":white_check_mark:", "Passed"),
    StageStatus.SKIPPED: (":fast_forward:", "Skipped"),
    StageStatus.WARNING: (":warning:", "Warning"),
    StageStatus.FAILED: (":x:", "Failed"),
}
"""Each status by emoji and by word: never by colour or shape alone."""

NOT_REACHED: Final = (":white_circle:", "Not reached")
STOPPED: Final = (":warning:", "Stopped")
REFUSED: Final = (":x:", "Refused")
UNKNOWN: Final = (":warning:", "Unknown")
_FAILED: Final = {Outcome.REFUSED: REFUSED, Outcome.UNKNOWN: UNKNOWN, Outcome.INTERRUPTED: STOPPED}


def status(run: Run, stage: Stage) -> tuple[str, str]:
    """Return the emoji and the word for a stage, in the light of how the run ended."""
    if stage.status is StageStatus.WAITING and run.outcome is not Outcome.RUNNING:
        return NOT_REACHED
    if stage.status is StageStatus.RUNNING and run.outcome is not Outcome.RUNNING:
        return STOPPED
    if stage.status is StageStatus.SKIPPED and stage.evidence is None and not _reached(run, stage):
        return NOT_REACHED
    if stage.status is StageStatus.FAILED:
        return _FAILED.get(run.outcome, STATUS[stage.status])
    return STATUS[stage.status]


def _reached(run: Run, stage: Stage) -> bool:
    ends = {StageStatus.SKIPPED, StageStatus.FAILED}
    earlier = run.stages[: [s.name for s in run.stages].index(stage.name)]
    said = stage.summary.casefold().startswith(NOT_REACHED[1].casefold())
    return not said and not any(s.status in ends for s in earlier)
