"""Waits that a system asks for: told while they last, and bounded for a run as a whole.

An adapter that has to wait tells whoever runs it, without knowing who that is: the listener is bound to the
task and its child tasks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeAlias

LONGEST: Final = 120.0
"""Seconds that one run waits in all, however many requests are put off: somebody looks at its message."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait that has begun: how long, and why, as the beginning of a sentence."""

    seconds: float
    why: str

    def __str__(self) -> str:
        """Return it as people read it."""
        return f"{self.why}, waiting {max(1, round(self.seconds))} s"


TellWait: TypeAlias = Callable[[Waiting | None], Awaitable[None]]
"""Takes note of a wait that begins, or of None when one has ended."""


@dataclass(slots=True)
class Patience:
    """How long a run has waited. Waits of requests that go on side by side count once."""

    longest: float = LONGEST
    spent: float = 0.0
    _until: float = 0.0

    @property
    def left(self) -> float:
        """Seconds that may still be waited."""
        return max(0.0, self.longest - self.spent)

    def spend(self, now: float, seconds: float) -> None:
        """Count a wait that begins now, by the monotonic clock."""
        end = now + seconds
        self.spent += max(0.0, end - max(now, self._until))
        self._until = max(self._until, end)


@dataclass(frozen=True, slots=True)
class _Listener:
    tell: TellWait
    patience: Patience


_listener: ContextVar[_Listener | None] = ContextVar("waits", default=None)


@contextmanager
def telling_waits(tell: TellWait, patience: Patience) -> Iterator[None]:
    """Tell of every wait of this task and of its child tasks, and bound them, until the block ends."""
    marker = _listener.set(_Listener(tell, patience))
    try:
        yield
    finally:
        _listener.reset(marker)


def patience_left() -> float | None:
    """Return the seconds that whoever runs this has left for waiting; None when nobody counts."""
    listener = _listener.get()
    return listener.patience.left if listener is not None else None


async def wait_told(waiting: Waiting, now: float, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Wait by `sleep`, telling before and after. `now` is the monotonic clock's."""
    listener = _listener.get()
    if listener is None:
        await sleep(waiting.seconds)
        return
    listener.patience.spend(now, waiting.seconds)
    await listener.tell(waiting)
    try:
        await sleep(waiting.seconds)
    finally:
        await listener.tell(None)
