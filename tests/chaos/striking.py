"""Ends a process at a point of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.tenant.faults import ConnectionDropped
from tests.chaos.city import City
from tests.chaos.points import Applied, Arrived, At, Late, Shown, Strike
from tests.chaos.processes import Process

LATE_S = 0.3
"""How long after its process's end a late write takes effect."""


@contextmanager
def armed(city: City, process: Process, strike: Strike) -> Iterator[None]:
    """Let the process end there, once, as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        match strike:
            case At(milestone, turn):
                city.wish(milestone, turn)
            case Arrived(number) | Late(number):
                city.tenant.before = _arriving(process, number, late=isinstance(strike, Late))
            case Applied(number):
                city.tenant.after = _applied(process, number)
            case Shown(what):
                _shown(city, process, what, patch)
        yield
    city.wish_no_more()
    if isinstance(strike, Applied):
        city.tenant.after = None


def _arriving(process: Process, number: int, *, late: bool) -> Any:
    async def before(arrived: int) -> None:
        if arrived != number:
            return
        process.kill()
        if not late:
            raise ConnectionDropped
        await asyncio.sleep(LATE_S)

    return before


def _applied(process: Process, number: int) -> Any:
    async def after(arrived: int) -> None:
        if arrived == number:
            process.kill()

    return after


def _shown(city: City, process: Process, what: str, patch: pytest.MonkeyPatch) -> None:
    """Kill the process when the workspace has taken a message or a change of it."""
    name = "add_message" if what == "post" else "edit_message"
    take = getattr(city.workspace.state, name)

    def taken(*given: Any, **named: Any) -> Any:
        result = take(*given, **named)
        process.kill()
        return result

    patch.setattr(city.workspace.state, name, taken)
