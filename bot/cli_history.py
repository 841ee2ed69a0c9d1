"""`fourcheck history`: what happened, beside a running bot, from its store alone."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from bot.exit_status import DONE
from bot.settings import load_settings
from bot.views import wording
from bot.views.batch import OUTCOMES
from pipeline import Run
from pipeline.documents import report

_MOST = 1000


def add_history_command(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser("history", help="what happened, newest first; beside a running bot")
    command.add_argument("identifier", nargs="?", default="", metavar="IDENTIFIER")
    command.add_argument("--limit", type=_limit, default=20, help="how many runs at most (20)")
    command.add_argument(
        "--json", action="store_true", help="print the runs as a JSON array and nothing else"
    )
    command.set_defaults(handler=_history)


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_MOST}")
    return int(text)


async def _history(options: argparse.Namespace) -> int:
    from pipeline.runs.history import page, question  # noqa: PLC0415  # most commands need no database
    from pipeline.runs.store import open_store  # noqa: PLC0415  # likewise

    store = open_store(load_settings().store.url.get_secret_value(), guest=True)
    try:
        found = await page(store, question(options.identifier), limit=options.limit)
    finally:
        await store.close()
    if options.json:
        reports = [report(run) for run in found.runs]
        sys.stdout.write(f"{json.dumps(reports, ensure_ascii=False, indent=2)}\n")
        return DONE
    for run in found.runs:
        sys.stdout.write(f"{line(run)}\n")
    if not found.runs:
        sys.stdout.write("There is no such run.\n" if options.identifier else "There is no run yet.\n")
    if found.more:
        sys.stdout.write(f"There are older ones: --limit {min(2 * options.limit, _MOST)}\n")
    return DONE


def line(run: Run) -> str:
    """Return a run in one line: when, how it ended in words, by whom, in what mode, by which rules."""
    parts = [
        f"{run.started_at:%Y-%m-%d %H:%M}Z",
        f"{OUTCOMES[run.outcome][1]:<18}",
        wording.headline(run, 100),
        str(run.actor),
        str(run.mode),
        run.configuration or "",
        run.run_id,
    ]
    return "  ".join(filter(None, parts))
