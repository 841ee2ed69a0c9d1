"""The machine's own clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Tell the time by the operating system. Fulfils `pipeline.ports.Clock`."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC, with its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()
