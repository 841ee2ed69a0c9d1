"""Messages that come whatever happens: a defect of a view costs its form, not the word of how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from bot.views import Message, notices
from bot.views.batch import OUTCOMES
from pipeline.model import Run

_log = logging.getLogger(__name__)


def always(render: Callable[[Sequence[Run]], Message]) -> Callable[[Sequence[Run]], Message]:
    """Return a way to make messages that falls back to plain words with a support id, and logs why."""

    def made(runs: Sequence[Run]) -> Message:
        try:
            return render(runs)
        except Exception:  # noqa: BLE001  # whatever it is, the message must not stay at "Running"
            _log.exception("the message of run %s met a defect", runs[0].run_id)
            return notices.not_drawn([OUTCOMES[run.outcome][1] for run in runs], runs[0].run_id)

    return made
