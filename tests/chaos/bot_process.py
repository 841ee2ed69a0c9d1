"""A process of the real bot that ends itself at a named moment, as the kernel would end it.

Run as `python -m tests.chaos.bot_process`, with the bot's settings in the environment. Two more variables,
which the product does not know: `END_AT` is a milestone, `END_ON` the how many-eth time it is passed (1), and
`END_HOW` a signal's name (SIGKILL). It prints `ready` when it takes commands.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
from pathlib import Path

from bot.settings import load_settings
from bot.stopping import until_stopped
from bot.wiring import running_bot
from pipeline.milestones import NAME


class EndAt(logging.Handler):
    """Ends the process, or freezes it, when a milestone is passed for the n-th time."""

    def __init__(self, milestone: str, turn: int, how: signal.Signals) -> None:
        super().__init__(logging.DEBUG)
        self._milestone = milestone
        self._turn = turn
        self._how = how
        self._passed = itertools.count(1)

    def emit(self, record: logging.LogRecord) -> None:
        """End here and now."""
        if getattr(record, "milestone", None) == self._milestone and next(self._passed) == self._turn:
            os.kill(os.getpid(), self._how)


async def main() -> None:
    """Run the bot until it is stopped or ends itself."""
    milestones = logging.getLogger(NAME)
    milestones.propagate = False
    milestones.setLevel(logging.DEBUG)
    if milestone := os.environ.pop("END_AT", ""):
        how = signal.Signals[os.environ.pop("END_HOW", "SIGKILL")]
        milestones.addHandler(EndAt(milestone, int(os.environ.pop("END_ON", "1")), how))
    async with running_bot(load_settings(dotenv=Path("/nonexistent"))) as bot:
        print(f"ready {bot.port}", flush=True)  # noqa: T201  # it is how the parent knows
        await until_stopped()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
