"""What happened: runs in a list, newest first, with a way into each. As a message or as a modal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bot.views import run_controls, text, wording
from bot.views.batch import OUTCOMES
from bot.views.blocks import actions, button, context, header, mrkdwn, plain, section
from bot.views.controls import Control
from bot.views.limits import Block, Message, View, ViewTooLarge, fit_message, fit_modal, message_fits
from pipeline.model import Run

ROWS_A_PAGE: Final = 8
_WIDTHS: Final = (150, 100, 60)
_VALUE_MAX: Final = 1500


@dataclass(frozen=True, slots=True)
class Where:
    """A page of the history: of which object, by GUID or as it was typed (empty: of all), and from where.

    `configuration` narrows it to the runs of one.
    """

    of: str = ""
    start: int = 0
    configuration: str | None = None

    def encode(self) -> str:
        """Write it as a button's value."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def decode(value: str) -> Where:
        """Read a button's value. Raises ValueError for anything else."""
        try:
            body = json.loads(value)
        except RecursionError:
            raise ValueError("nested without end") from None
        if not isinstance(body, dict):
            raise ValueError("no page of a history")  # noqa: TRY004  # one kind of error for all
        of, start, configuration = body.get("of"), body.get("start"), body.get("configuration")
        if not isinstance(of, str) or type(start) is not int or not 0 <= start <= 1_000_000:
            raise ValueError("no page of a history")
        return Where(of, start, configuration if isinstance(configuration, str) else None)


def history_message(runs: Sequence[Run], where: Where, *, more: bool) -> Message:
    """Show a page of runs to one person.

    Args:
        runs: the runs of the page, newest first, at most `ROWS_A_PAGE`.
        where: which page it is.
        more: whether there are older ones.

    """
    for width in _WIDTHS:
        title = _title(runs, where)
        lines = [
            f"{text.moment(run.started_at)}: {text.ended(text.escape(_said(run, min(width, 100))))}"
            for run in runs
        ]
        spoken = " ".join([text.ended(text.escape(title)), *(lines or [_nothing(where)])])
        message = Message(spoken, _blocks(runs, where, width, more=more))
        if message_fits(message):
            return fit_message(message)
    raise ViewTooLarge("a history does not fit into a message at any width")


def history_view(runs: Sequence[Run], where: Where, channel: str, *, more: bool) -> View:
    """Show a page of runs as a modal. `channel` is where it was opened."""
    return fit_modal(
        {
            "type": "modal",
            "callback_id": "history",
            "title": plain("History", 24),
            "close": plain("Close", 24),
            "private_metadata": json.dumps({"channel": channel}),
            "blocks": _blocks(runs, where, _WIDTHS[0], more=more),
        }
    )


def _blocks(runs: Sequence[Run], where: Where, width: int, *, more: bool) -> list[Block]:
    blocks = [header(_title(runs, where)), *(_row(run, width) for run in runs)]
    if not runs:
        blocks.append(section(_nothing(where)))
    pager = _pager(runs, where, more=more)
    if pager:
        place = f"Runs {text.count(where.start + 1)} to {text.count(where.start + len(runs))}, newest first"
        blocks += [context(mrkdwn(place)), actions(*pager)]
    return blocks


def _title(runs: Sequence[Run], where: Where) -> str:
    if not where.of:
        return "The latest runs"
    return f"History of {text.shorten(wording.object_name(runs[0]) if runs else where.of, 130)}"


def _nothing(where: Where) -> str:
    if where.start:
        return "There are no older runs."
    what = " of this object" if where.of else ""
    return f"There is no run{what} here that you may look at. Runs are kept for a limited time."


def _row(run: Run, width: int) -> Block:
    emoji, word, _ = OUTCOMES[run.outcome]
    about = [text.moment(run.started_at), text.mention(run.actor), str(run.mode)]
    if run.configuration is not None:
        about.append(f"configuration {text.phrase(run.configuration, 60)}")
    line = f"{emoji} *{word}*  {text.escape(_said(run, width))}\n{' · '.join(about)}"
    spoken = f"Open the run on {text.shorten(wording.object_name(run), 50)}"
    return section(line, button("Open", run_controls.open_run(run.run_id), spoken=spoken))


def _said(run: Run, width: int) -> str:
    return wording.headline(run, width)


def _pager(runs: Sequence[Run], where: Where, *, more: bool) -> list[Block]:
    def to(start: int) -> str:
        return Where(where.of, start, where.configuration).encode()

    if len(to(where.start)) > _VALUE_MAX:  # an absurdly long name, of which the first page is enough
        return []
    row = []
    if where.start:
        back = max(where.start - ROWS_A_PAGE, 0)
        row.append(button("Newer", Control(run_controls.HISTORY_NEWER, to(back))))
    if more and runs:
        row.append(button("Older", Control(run_controls.HISTORY_OLDER, to(where.start + ROWS_A_PAGE))))
    return row
