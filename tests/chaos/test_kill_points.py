"""A process is killed at a named point of a run, and the next one brings it to its true end.

Nothing is lost, nothing is created, linked or added twice, and the one message says what happened.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence

import pytest

from bot.views.plain import blocks_as_text
from pipeline import milestones
from pipeline.model import Run
from pipeline.ports import JournalEntry
from tests.chaos.city import City, is_final
from tests.chaos.points import KINDS, POINTS, At, Point
from tests.chaos.processes import Process
from tests.chaos.striking import armed

in_session = pytest.mark.asyncio(loop_scope="session")

SEEDS = tuple(int(seed) for seed in os.environ.get("CHAOS_SEEDS", "1").split())
"""By what dice the tenant is slow: `make chaos` gives three."""

EVERYWHERE = bool(os.environ.get("CHAOS_EVERYWHERE"))
"""Whether every point is met, and on PostgreSQL as well, as `make chaos` wants it."""

MORE = {"RUNS__LEASE_S": "1"}
"""On PostgreSQL: each point waits for the lease of the one that was killed, and nobody else is there."""

OFTEN = [point for point in POINTS if EVERYWHERE or not point.seldom]
SHARED = [point for point in POINTS if EVERYWHERE or point.shared]


async def finished(city: City, point: Point, seed: int) -> None:
    """Carry out a command whose processes are ended at the point, and see what came of it."""
    kind = KINDS[point.kind]
    first = await city.living()
    city.reset(kind.seed())
    ((before,),) = city.sql("SELECT count(*) FROM runs")
    city.tenant.slowness = random.Random(seed)  # noqa: S311  # dice of a test
    text = "\n".join(city.people[case] for case in kind.cases)
    typing: asyncio.Task[dict[str, object]] | None = None
    for strike in point.strikes:
        with armed(city, strike):
            if typing is None:
                typing = asyncio.create_task(city.type(f"{kind.verb} {text}"))
            else:
                city.start()
            assert await city.latest.ended() == -signal.SIGKILL
    city.start()
    assert typing is not None
    assert (await typing)["ok"]
    await city.until_ended()
    await city.until_settled()
    killed = city.processes[city.processes.index(first) : -1]
    assert len(city.posted()) == 1 + len(city.unnoted())
    assert len(city.unnoted()) <= sum(died_posting(process) for process in killed)
    see(city, point, await city.runs(len(kind.cases)))
    assert city.sql("SELECT count(*) FROM runs") == [(before + len(kind.cases),)]


def died_posting(process: Process) -> bool:
    """Whether a process was killed when it had begun to post a message, and had not noted where it is."""
    return process.passed("post.before") > process.passed("post.stored")


def see(city: City, point: Point, runs: Sequence[tuple[Run, Sequence[JournalEntry]]]) -> None:
    """Assert that everything was done once and said as it is."""
    kind = KINDS[point.kind]
    effects = kind.effects if point.effects is None else point.effects
    assert sorted(run.outcome for run, _ in runs) == sorted(kind.outcomes)
    assert sorted(city.effects()) == sorted(effects)
    assert [entry.step for _, journal in runs for entry in journal if not entry.known] == []
    (message,) = city.ended()
    said = blocks_as_text(message["blocks"])
    assert kind.headline in said
    assert point.says in said
    assert is_final(message)
    assert [problem for call in city.workspace.calls() for problem in call["problems"]] == []


@in_session
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("point", OFTEN, ids=[point.name for point in OFTEN])
async def test_on_a_file(file_city: City, point: Point, seed: int) -> None:
    """One bot on a file is killed and started again."""
    await finished(file_city, point, seed)


@in_session
@pytest.mark.xdist_group("chaos on PostgreSQL")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("point", SHARED, ids=[point.name for point in SHARED])
async def test_on_a_server(server_city: City, point: Point, seed: int) -> None:
    """A bot on PostgreSQL is killed, and another takes over when its lease is over."""
    await finished(server_city, point, seed)


def test_there_are_forty_points_and_ten_on_the_server() -> None:
    """Each point is another one; every test run meets forty of them, and ten on PostgreSQL."""
    assert len({point.name for point in POINTS}) == len(POINTS) >= 90
    assert len([point for point in POINTS if not point.seldom]) >= 40
    assert len([point for point in POINTS if point.shared]) == 10


MILESTONES = {
    value
    for name, value in vars(milestones).items()
    if name.isupper() and isinstance(value, str) and name != "NAME"
}

ELSEWHERE = {"put_back", "sweep.after"}
"""Passed by a process that is told to stop (see `test_replicas`), and when there is nothing left to do."""


def test_a_process_is_killed_at_every_milestone() -> None:
    """No moment that the product names is left out: each is a point, or met elsewhere."""
    met = {strike.milestone for point in POINTS for strike in point.strikes if isinstance(strike, At)}
    assert met | ELSEWHERE == MILESTONES
    assert not met & ELSEWHERE
