"""Further buttons, of single runs and of lists of them: their action ids and values."""

from __future__ import annotations

from typing import Final

from bot.views.controls import Control
from pipeline.ids import RunId

PREVIEW_ANYWAY: Final = "preview_anyway"
RUN_ALL_AGAIN: Final = "run_again_all"
PROVISION_ALL: Final = "provision_all"
OPEN_RUN: Final = "open_run"
CANCEL_RUN: Final = "cancel_run"
CANCEL_ALL: Final = "cancel_all"
HISTORY: Final = "history"
HISTORY_OLDER: Final = "history_older"
HISTORY_NEWER: Final = "history_newer"


def preview_anyway(run_id: RunId) -> Control:
    """Preview an object although it is out of scope."""
    return Control(PREVIEW_ANYWAY, run_id)


def run_all_again(first: RunId) -> Control:
    """Run again what was asked for together with this run."""
    return Control(RUN_ALL_AGAIN, first)


def provision_all(first: RunId) -> Control:
    """Carry out the plans of the previews that were asked for together with this one."""
    return Control(PROVISION_ALL, first)


def cancel_run(run_id: RunId) -> Control:
    """Stop a run before its next write."""
    return Control(CANCEL_RUN, run_id)


def cancel_all(first: RunId) -> Control:
    """Stop what has not ended of all that was asked for together with this run."""
    return Control(CANCEL_ALL, first)


def open_run(run_id: RunId) -> Control:
    """Open a run: its four stages."""
    return Control(OPEN_RUN, run_id)


def history_of(run_id: RunId) -> Control:
    """Open the runs of the object that a run is about."""
    return Control(HISTORY, run_id)
