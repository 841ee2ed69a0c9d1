"""The last look before a write leaves for Entra ID: whether this process may still write for the run.

No queue closes the gap between that look and the sending, and Microsoft Graph takes no token that would. What
is left of it, some microseconds, whoever takes the run over accounts for (`pipeline.recovery`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class LeaseLost(BaseException):
    """This process may go on with the run no more: it neither writes, nor records, nor tells anything.

    No `Exception`: nobody on the way may take it for a failure of the run, which goes on elsewhere.
    """


_look: ContextVar[Callable[[], None] | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(look: Callable[[], None]) -> Iterator[None]:
    """Have `look` called before each write of this task and its child tasks. It raises to stop the write."""
    marker = _look.set(look)
    try:
        yield
    finally:
        _look.reset(marker)


def before_write() -> None:
    """Raise what stops the run, if anything does. To be called directly before each attempt to write."""
    look = _look.get()
    if look is not None:
        look()
