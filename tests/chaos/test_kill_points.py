"""R1: a process is killed at a named point of a run, and the next one brings it to its true end.

Nothing is lost, nothing is created, linked or added twice, and the one message says what happened.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator

import pytest

from bot.views.plain import blocks_as_text
from pipeline.model import Outcome
from tests.chaos.city import City
from tests.chaos.points import KINDS, POINTS, Point
from tests.chaos.striking import armed

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEDS = tuple(int(seed) for seed in os.environ.get("CHAOS_SEEDS", "1").split())
"""By what dice the tenant is slow: `make chaos` gives three."""

EVERYWHERE = bool(os.environ.get("CHAOS_EVERYWHERE"))
"""Whether every point is met on PostgreSQL as well, as `make chaos` wants it."""

NAMES = [point.name for point in POINTS]
SHARED = [point for point in POINTS if point.shared or EVERYWHERE]


async def die_and_finish(city: City, point: Point, seed: int) -> str:
    """Carry out a run that is ended at the point, and return its final message."""
    kind = KINDS[point.kind]
    process = await city.living()
    city.reset(kind.seed())
    city.tenant.slowness = random.Random(seed)  # noqa: S311  # dice of a test
    typing = None
    for strike in point.strikes:
        with armed(city, process, strike):
            if typing is None:
                text = "\n".join(city.people[case] for case in kind.cases)
                typing = asyncio.create_task(city.type(f"{kind.verb} {text}"))
            assert await process.ended() == -9
        process = city.start()
    await city.until_ended()
    assert typing is not None
    assert (await typing)["ok"]
    (message, *_) = reversed(city.ended())
    return blocks_as_text(message["blocks"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("point", POINTS, ids=NAMES)
async def test_on_a_file(file_city: City, point: Point, seed: int) -> None:
    """One bot on a file is killed and started again."""
    print(await die_and_finish(file_city, point, seed))
    print(file_city.effects())
    for run, journal in (await file_city.runs())[:len(KINDS[point.kind].cases)]:
        print(run.outcome, [(e.step, e.outcome, e.outcome_detail) for e in journal])
    print(len(file_city.posted()))
