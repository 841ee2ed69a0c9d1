"""Runs that are stopped: by a button, by a time limit, by another run on the same object, by SIGTERM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.model import Outcome, StageStatus
from sandbox.directory.faults import FaultKind
from tests.fixtures.scene import Scene, read, scene_with


def slow_creation(scene: Scene, seconds: float) -> None:
    """Let the tenant take its time with the creation of a user."""
    scene.world.tenant.inject(
        {"match": {"method": "POST", "path_regex": "/users$"}, "then": {"delay_s": seconds}}
    )


async def cancel(scene: Scene, user: str = "U0MARIA") -> None:
    """Press Cancel on the running message."""
    await scene.world.workspace.until(lambda: "cancel_run" in json.dumps(scene.posted()), within=20)
    await scene.world.workspace.click(user, "cancel_run", message=scene.posted()[-1]["ts"])


async def until_intended(scene: Scene) -> None:
    """Wait until a write is on its way."""
    store = scene.world.bot.systems.store
    while not await store.journal((await scene.last_run()).run_id):  # noqa: ASYNC110  # a store tells nobody
        await asyncio.sleep(0.02)


async def test_cancel_stops_a_run_that_only_reads_at_once(tmp_path: Path) -> None:
    """The directory hangs: Cancel ends the run, nothing is written, and the message names who did it."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.directory.faults.add(FaultKind.DELAY, seconds=20.0)
        await scene.type(scene.people["create"])
        await cancel(scene)
        await scene.world.workspace.until(lambda: bool(scene.ended()), within=20)
        run = await scene.last_run()

        assert run.outcome is Outcome.CANCELLED
        assert [stage.status for stage in run.stages] == [
            StageStatus.FAILED,
            StageStatus.SKIPPED,
            StageStatus.SKIPPED,
            StageStatus.SKIPPED,
        ]
        assert "Cancelled by @U0MARIA" in read(scene.ended()[-1])
        assert "Nothing was written" in read(scene.ended()[-1])
        assert scene.writes() == []
        assert scene.problems() == []


async def test_cancel_is_honoured_between_two_writes(tmp_path: Path) -> None:
    """The creation is on its way: it is finished and told, and the next write is not begun."""
    async with scene_with({}, tmp_path) as scene:
        slow_creation(scene, 1.5)
        await scene.type(scene.people["create"])
        await until_intended(scene)
        await cancel(scene)
        await scene.world.workspace.until(lambda: bool(scene.ended()), within=20)
        run = await scene.last_run()

        assert run.outcome is Outcome.CANCELLED
        assert [write["method"] for write in scene.writes()] == ["POST"]
        assert "Cancelled by @U0MARIA" in read(scene.ended()[-1])
        assert "Created, then stopped" in run.stages[3].summary
        assert "Ada Lovelace was provisioned only in part: the run was cancelled" in read(scene.ended()[-1])
        assert "Cancelled by <@U0MARIA>." in scene.ended()[-1]["text"]


async def test_only_who_may_start_a_run_may_cancel_it(tmp_path: Path) -> None:
    """A stranger's click changes nothing and is answered."""
    async with scene_with({}, tmp_path) as scene:
        slow_creation(scene, 1.0)
        await scene.type(scene.people["create"])
        await cancel(scene, "U0VERA")
        await scene.world.workspace.until(lambda: bool(scene.told("U0VERA")), within=20)
        await scene.world.workspace.until(lambda: bool(scene.ended()), within=20)

        assert (await scene.last_run()).outcome is Outcome.CREATED


async def test_cancel_after_the_end_says_so(scene: Scene) -> None:
    """The click came too late: who clicked reads it, and the run stays as it ended."""
    message = await scene.provision(scene.people["create"])
    run = await scene.last_run()

    assert not await scene.world.bot.runs.cancel(run.run_id, run.actor)
    assert "cancel_run" not in json.dumps(message["blocks"])
    assert (await scene.last_run()).outcome is Outcome.CREATED


def directory_hangs(scene: Scene) -> None:
    """Let every question to the directory take longer than any limit."""
    scene.world.directory.faults.add(FaultKind.DELAY, seconds=20.0)


def tenant_hangs(scene: Scene) -> None:
    """Let every question to the tenant take longer than any limit."""
    scene.world.tenant.inject({"match": {"path_regex": "."}, "then": {"delay_s": 20.0}})


LIMITS = [
    (directory_hangs, "RUNS__LIMIT_S", "The run took longer than 1 s", "the whole run, in import"),
    (directory_hangs, "RUNS__STAGE_LIMIT_S", "The import stage took longer than 1 s", "import"),
    (tenant_hangs, "RUNS__LIMIT_S", "The run took longer than 1 s", "the whole run, in match"),
    (tenant_hangs, "RUNS__STAGE_LIMIT_S", "The match stage took longer than 1 s", "match"),
]


@pytest.mark.parametrize(("hangs", "name", "said", "reason"), LIMITS, ids=[row[3] for row in LIMITS])
async def test_a_run_that_hangs_ends_at_its_limit(
    tmp_path: Path, hangs: Callable[[Scene], None], name: str, said: str, reason: str
) -> None:
    """A hanging system holds nobody up for ever: the run fails in words, with nothing written."""
    del reason
    async with scene_with({f"FOURCHECK_{name}": "1"}, tmp_path) as scene:
        hangs(scene)
        message = await scene.provision(scene.people["create"])
        run = await scene.last_run()

        assert run.outcome is Outcome.FAILED
        assert run.error is not None
        assert run.error.code == "time_limit"
        assert said in read(message)
        assert scene.writes() == []


async def test_twenty_at_once_on_one_object(tmp_path: Path) -> None:
    """One of them writes; the others are told at once who is at work on it and where."""
    async with scene_with({}, tmp_path) as scene:
        slow_creation(scene, 3.0)
        await asyncio.gather(*(scene.type(scene.people["create"]) for _ in range(20)))
        await scene.world.workspace.until(lambda: len(scene.ended()) == 20, within=30)
        runs = await scene.world.bot.systems.store.history(limit=30)

        outcomes = [run.outcome for run in runs]
        assert outcomes.count(Outcome.CREATED) == 1
        assert outcomes.count(Outcome.REFUSED) == 19
        busy = [read(m) for m in scene.ended() if "is at work on it" in read(m)]
        assert len(busy) == 19
        assert all("@U0MARIA is at work on it in" in text and "C0IDENTITY" in text for text in busy), busy[0]
        assert [write["path"] for write in scene.writes()].count("/v1.0/users") == 1
        assert scene.problems() == []


async def test_stopping_lets_a_run_under_way_finish(tmp_path: Path) -> None:
    """Told to stop in the middle of a write: the run ends within the grace, its message is final."""
    async with scene_with({}, tmp_path) as scene:
        slow_creation(scene, 0.5)
        await scene.type(scene.people["create"])
        await until_intended(scene)
    assert "was created" in read(scene.ended()[-1])


async def test_what_does_not_end_within_the_grace_is_put_back(tmp_path: Path) -> None:
    """It hangs: it is put back, unbegun in the books, and the next start carries it out."""
    async with scene_with({"FOURCHECK_RUNS__GRACE_S": "0.3"}, tmp_path) as scene:
        scene.world.directory.faults.add(FaultKind.DELAY, seconds=20.0)
        await scene.type(scene.people["create"])
        await asyncio.sleep(0.3)
        stopping = asyncio.get_running_loop().time()
        left = await scene.world.bot.runs.drain(0.3)
        assert left == 1
        assert asyncio.get_running_loop().time() - stopping < 10
        assert await scene.world.bot.systems.store.waiting() == (1, 0)


async def test_cancel_all_stops_what_was_asked_for_together(tmp_path: Path) -> None:
    """One button for all of them; who may not start them may not stop them; the end names who did it."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.directory.faults.add(FaultKind.DELAY, times=None, seconds=20.0)
        workspace = scene.world.workspace
        await scene.type("\n".join(scene.people[case] for case in ("create", "unchanged", "update-three")))
        await workspace.until(lambda: "cancel_all" in json.dumps(scene.posted()), within=20)
        await workspace.click("U0VERA", "cancel_all", message=scene.posted()[-1]["ts"])
        await workspace.until(lambda: bool(scene.told("U0VERA")), within=20)
        assert all(run.ended_at is None for run in await scene.world.bot.systems.store.history(limit=5))

        await workspace.click("U0MARIA", "cancel_all", message=scene.posted()[-1]["ts"])
        await workspace.until(lambda: bool(scene.ended()), within=20)
        runs = await scene.world.bot.systems.store.history(limit=5)

        assert [run.outcome for run in runs] == [Outcome.CANCELLED] * 3
        assert "3 cancelled" in scene.ended()[-1]["text"]
        assert scene.writes() == []
        assert scene.problems() == []


async def test_one_of_several_is_cancelled_in_its_own_view(tmp_path: Path) -> None:
    """Details of a line opens its run, where it can be cancelled: the view says what comes of it."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.directory.faults.add(FaultKind.DELAY, times=None, seconds=20.0)
        workspace = scene.world.workspace
        await scene.type("\n".join(scene.people[case] for case in ("create", "unchanged")))
        await workspace.until(lambda: "cancel_all" in json.dumps(scene.posted()), within=20)
        posted = scene.posted()[-1]["ts"]
        await workspace.click("U0MARIA", "Details", message=posted, beside="Ada Lovelace")
        await workspace.until(lambda: bool(workspace.views("U0MARIA")), within=20)
        (view,) = workspace.views("U0MARIA")
        await workspace.click("U0MARIA", "cancel_run", view=view["id"])
        await workspace.until(lambda: "being stopped" in read(workspace.views("U0MARIA")[-1]), within=20)
        await workspace.until(lambda: "*Cancelled*  Ada Lovelace" in json.dumps(scene.posted()), within=20)

        assert {r.outcome for r in await scene.world.bot.systems.store.history(limit=5)} > {Outcome.CANCELLED}
        await scene.world.bot.runs.drain(0.1)
