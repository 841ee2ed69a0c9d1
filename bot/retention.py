"""Keeping the store small: runs go when they have been kept for as long as the settings say."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from pipeline.errors import StoreUnavailable
from pipeline.ports import Clock
from pipeline.runs.store import Store

EVERY_S: Final = 24 * 60 * 60.0
"""How often old runs are looked for after the start, in seconds."""

_log = logging.getLogger(__name__)


async def keep_for(days: int, store: Store, clock: Clock, every_s: float = EVERY_S) -> None:
    """Delete what ended more than so many days ago, now and once a day, until cancelled."""
    while True:
        try:
            gone = await store.purge(clock.now() - timedelta(days=days))
        except StoreUnavailable as error:  # tomorrow is another day
            _log.warning("old runs could not be deleted: %s", error.message)
        else:
            _log.info("%d runs older than %d days were deleted", gone, days)
        await asyncio.sleep(every_s)
