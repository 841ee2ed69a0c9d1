"""Ends a process at a point of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.tenant.faults import ConnectionDropped
from tests.chaos.city import City
from tests.chaos.points import Applied, Arrived, At, Late, Overtaken, Shown, Strike

LATE_S = 0.05
"""How long after its process's end, or after the next one has begun to look, a late write takes effect."""


Watcher = Callable[[int], Awaitable[None]]


@contextmanager
def armed(city: City, strike: Strike) -> Iterator[None]:
    """Let the city's latest process end there, as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        match strike:
            case At(milestone, turn):
                city.wish(milestone, turn)
            case Arrived(number) | Late(number) | Overtaken(number):
                city.tenant.before, city.tenant.after = _arriving(city, number, strike)
            case Applied(number):
                city.tenant.after = _applied(city, number)
            case Shown(what):
                _shown(city, what, patch)
        yield
    city.wish_no_more()


def _arriving(city: City, number: int, strike: Strike) -> tuple[Watcher, Watcher]:
    overtaken = asyncio.Event()

    async def before(arrived: int) -> None:
        if arrived != number:
            return
        victim = city.latest
        victim.kill()
        if isinstance(strike, Arrived):
            raise ConnectionDropped
        if isinstance(strike, Overtaken):
            await overtaken.wait()
            return
        if isinstance(strike, Late) and strike.is_missed:
            await city.until(lambda: city.latest is not victim and city.latest.passed("recovery.before") > 0)
        await asyncio.sleep(LATE_S)

    async def after(arrived: int) -> None:
        if arrived > number:
            overtaken.set()

    return before, after


def _applied(city: City, number: int) -> Watcher:
    victim: list[object] = []

    async def after(arrived: int) -> None:
        if arrived == number and not victim:
            victim.append(city.latest)
            city.latest.kill()

    return after


def _shown(city: City, what: str, patch: pytest.MonkeyPatch) -> None:
    """Kill the process when the workspace has taken a message or a change of it."""
    name = "add_message" if what == "post" else "edit_message"
    take = getattr(city.workspace.state, name)

    def taken(*given: Any, **named: Any) -> Any:
        result = take(*given, **named)
        city.latest.kill()
        return result

    patch.setattr(city.workspace.state, name, taken)
