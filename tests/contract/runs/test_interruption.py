"""What nobody can go on with is ended truthfully; what a killed process had accepted is all there."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipeline.documents import to_document
from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, Stage, StageName, StageStatus, new_run
from pipeline.runs.store import GUEST_LEASE_S, Store, open_store
from pipeline.runs.tables import runs
from tests.contract.runs.conftest import HandClock

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]


async def deserted(store: Store, clock: HandClock) -> list[RunId]:
    """Let the lease of every command line run out, and end their runs."""
    clock.pass_time(GUEST_LEASE_S + 1)
    return await store.end_deserted()


async def started(store: Store, request: Request) -> None:
    """Save a command line's run in the middle of its second stage."""
    run = new_run(request, store._clock.now())
    run = run.with_stage(Stage(StageName.IMPORT, StageStatus.PASSED, "46 attributes"))
    await store.save(run.with_stage(Stage(StageName.SCOPE, StageStatus.RUNNING)))


async def test_a_run_in_the_middle_ends_as_interrupted(
    store: Store, ask: Ask, look: Look, clock: HandClock
) -> None:
    """It says that nothing was written, no stage is left looking busy, and running again is offered."""
    request = ask()
    await started(store, request)
    assert await deserted(store, clock) == [request.run_id]
    run = await store.load(request.run_id)
    assert run is not None
    assert run.error is not None
    assert (run.outcome, run.ended_at) == (Outcome.INTERRUPTED, store._clock.now())
    assert (run.error.code, run.error.retry_helps) == ("interrupted", True)
    assert "nothing was written" in run.error.message
    assert [stage.status.value for stage in run.stages] == ["passed", "failed", "waiting", "waiting"]
    assert look("SELECT state, outcome FROM runs") == [("ended", "interrupted")]


@pytest.mark.parametrize(
    ("outcomes", "outcome", "said"),
    [
        pytest.param(("done", None), Outcome.UNKNOWN, "(step 1)", id="the last answer was not recorded"),
        pytest.param((None,), Outcome.UNKNOWN, "(step 0)", id="the only one was not recorded"),
        pytest.param(("unknown",), Outcome.UNKNOWN, "(step 0)", id="lost, and reading back was interrupted"),
        pytest.param(("done",), Outcome.INTERRUPTED, "1 write had been carried out", id="one written"),
        pytest.param(("done", "done"), Outcome.INTERRUPTED, "2 writes had been", id="two written"),
        pytest.param(("refused",), Outcome.INTERRUPTED, "nothing was written", id="refused"),
    ],
)
async def test_the_journal_decides_what_is_said(
    store: Store,
    ask: Ask,
    clock: HandClock,
    *,
    outcomes: tuple[str | None, ...],
    outcome: Outcome,
    said: str,
) -> None:
    """A write without a known outcome makes the run unknown, never a run that may simply be repeated."""
    request = ask()
    await started(store, request)
    for number, settled in enumerate(outcomes):
        entry = await store.intend(request.run_id, f"step {number}", {})
        if settled is not None:
            await store.settle(entry, settled, {})
    await deserted(store, clock)
    run = await store.load(request.run_id)
    assert run is not None
    assert run.error is not None
    assert run.outcome is outcome
    assert said in run.error.message
    assert run.error.code == ("outcome_unknown" if outcome is Outcome.UNKNOWN else "interrupted")
    assert run.error.retry_helps is (outcome is Outcome.INTERRUPTED)


async def test_others_are_left_alone(store: Store, ask: Ask, clock: HandClock) -> None:
    """A queued run stays to be executed, an ended one stays as it ended; doing it twice changes nothing."""
    queued, over, middle = ask(), ask(), ask()
    await store.accept(queued, delivery=None, notice=None)
    done = replace(new_run(over, store._clock.now()), outcome=Outcome.CREATED, ended_at=store._clock.now())
    await store.save(done)
    await started(store, middle)
    assert await deserted(store, clock) == [middle.run_id]
    assert await deserted(store, clock) == []
    assert await store.unfinished() == [queued.run_id]
    assert await store.load(over.run_id) == done
    assert [lease.run_id for lease in await store.claim()] == [queued.run_id]


async def test_a_run_that_cannot_be_read_is_ended_all_the_same(
    store: Store, ask: Ask, look: Look, clock: HandClock
) -> None:
    """One document of a later version does not stop the others from being ended at start."""
    strange, plain = ask(), ask()
    await started(store, strange)
    await started(store, plain)
    document = to_document(new_run(strange, store._clock.now())) | {"mode": "dream"}
    change = update(runs).where(runs.c.run_id == strange.run_id).values(document=document)
    await store._write(lambda connection: connection.execute(change).rowcount)
    assert await deserted(store, clock) == [strange.run_id, plain.run_id]
    assert look("SELECT DISTINCT state, outcome FROM runs") == [("ended", "interrupted")]


@pytest.mark.usefixtures("sqlite_only")
async def test_a_guest_at_work_is_not_interrupted(url: str, store: Store, ask: Ask, clock: HandClock) -> None:
    """A command line's run beside the bot goes on; once its process is gone, the run is ended."""
    guest = open_store(url, guest=True, clock=clock)
    run = new_run(ask(), store._clock.now())
    await guest.save(run)
    entry = await guest.intend(run.run_id, "create", {})
    assert await store.end_deserted(starting=True) == []
    await guest.settle(entry, "done", {})
    await guest.close()
    assert await store.end_deserted(starting=True) == [run.run_id]


async def test_a_guest_takes_nothing_up(url: str, store: Store, ask: Ask) -> None:
    """Accepting, claiming and cleaning up belong to the one process that executes."""
    request = ask()
    await store.accept(request, delivery=None, notice=None)
    guest = open_store(url, guest=True)
    for refused in (
        guest.accept(ask(), delivery=None, notice=None),
        guest.claim(),
        guest.end_deserted(starting=True),
    ):
        with pytest.raises(StoreUnavailable, match="guest"):
            await refused
    assert [run.run_id for run in await guest.history()] == [request.run_id]
    await guest.close()


CHILD = """
import asyncio, os, signal, sys
from pipeline.ids import ActorId, RunId
from pipeline.model import Mode, Request
from pipeline.runs.store import open_store

async def main(url):
    store = open_store(url, lease_s=0.5)
    for name in ("middle", "sent", "queued"):
        request = Request(RunId(name), Mode.PROVISION, name, ActorId("T/U"))
        await store.accept(request, delivery=name, notice={"for": name}, begin=name != "queued")
    await store.intend(RunId("sent"), "create user", {}, epoch=1)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1]))
"""


async def test_after_a_killed_process_everything_is_there(url: str, ask: Ask) -> None:
    """SIGKILL right after the calls returned: the next process finds all of it, and may go on with all."""
    root = Path(__file__).parents[3]
    child = subprocess.run([sys.executable, "-c", CHILD, url], cwd=root, check=False, timeout=60)  # noqa: ASYNC221,S603 -- waits for a child of our own text
    assert child.returncode == -signal.SIGKILL
    store = open_store(url)
    if not await store.release_orphans():
        await asyncio.sleep(0.6)  # other processes wait for the end of the leases
    claimed = {lease.run_id: (lease.epoch, lease.attempts) for lease in await store.claim()}
    assert claimed == {"middle": (2, 2), "sent": (2, 2), "queued": (1, 1)}
    assert [entry.step for entry in await store.journal(RunId("sent"))] == ["create user"]
    assert await store.notice(RunId("queued")) == {"for": "queued"}
    assert not (await store.accept(ask(), delivery="sent", notice=None)).new
    await store.close()
