"""A run in a modal: its message, for whoever comes from a list of runs."""

from __future__ import annotations

import json

from bot.views import controls
from bot.views.blocks import plain
from bot.views.limits import Message, View, fit_modal
from pipeline.model import Run


def run_view(run: Run, message: Message, channel: str) -> View:
    """Show a run's message as a modal, from which the details of its stages open.

    Args:
        run: the run.
        message: what `run_message` makes of it.
        channel: where the modal is opened; what its buttons start is shown there.

    """
    return fit_modal(
        {
            "type": "modal",
            "callback_id": controls.CALLBACK_ID,
            "title": plain("Run", 24),
            "close": plain("Close", 24),
            "private_metadata": json.dumps({"run": run.run_id, "channel": channel}),
            "blocks": message.blocks,
        }
    )
