"""The machine's own clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final


class SystemClock:
    """Tell the time by the operating system. Fulfils `pipeline.ports.Clock`."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC, with its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()


def boot_seconds() -> float:
    """Return seconds that go forward also while the machine sleeps: leases go on running out then."""
    return time.clock_gettime(_SINCE_BOOT)


_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
