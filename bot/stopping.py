"""How a process is told to stop."""

from __future__ import annotations

import asyncio
import signal


async def until_stopped() -> None:
    """Return when the process is told to stop, by SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
