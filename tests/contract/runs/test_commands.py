"""A command is accepted once, executed once, and never lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event

from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, new_run
from pipeline.runs.store import Store, open_store
from tests.contract.runs.conftest import file_of

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]


async def test_an_accepted_command_is_on_disk(store: Store, ask: Ask, look: Look) -> None:
    """When accept returns, another program reads the run, its delivery and its notice from the file."""
    request = ask()
    assert (await store.accept(request, delivery="trigger-1", notice={"channel": "C1"})).new
    assert look("SELECT run_id, state, outcome FROM runs") == [(request.run_id, "queued", "running")]
    assert look("SELECT key, run_id FROM deliveries") == [("trigger-1", request.run_id)]
    assert look("SELECT run_id, document FROM notices") == [(request.run_id, '{"channel":"C1"}')]
    assert await store.load(request.run_id) == new_run(request, store._clock.now())
    assert await store.pending(request.run_id) == request


async def test_a_delivery_twenty_times_at_once_is_one_run(store: Store, ask: Ask, look: Look) -> None:
    """However often, and however simultaneously, the same delivery arrives, it is one run."""
    answers = await asyncio.gather(*(store.accept(ask(), delivery="same", notice={}) for _ in range(20)))
    assert len({answer.run_id for answer in answers}) == 1
    assert sum(answer.new for answer in answers) == 1
    assert look("SELECT count(*) FROM runs") == [(1,)]
    assert look("SELECT count(*) FROM notices") == [(1,)]


async def test_different_deliveries_are_different_runs(store: Store, ask: Ask) -> None:
    """Twenty commands at once, or commands without a key, are all taken, in their order."""
    requests = [ask() for _ in range(20)]
    answers = await asyncio.gather(
        *(store.accept(r, delivery=f"d{n}" if n % 2 else None, notice=None) for n, r in enumerate(requests))
    )
    assert all(answer.new for answer in answers)
    assert await store.unfinished() == [request.run_id for request in requests]


async def test_a_delivery_is_remembered_over_a_restart(url: str, ask: Ask) -> None:
    """The same delivery after a restart is still the first run."""
    first, second = open_store(url), None
    accepted = await first.accept(ask(), delivery="d", notice=None)
    await first.close()
    second = open_store(url)
    again = await second.accept(ask(), delivery="d", notice=None)
    await second.close()
    assert again == replace(accepted, new=False)


async def test_nothing_is_accepted_by_halves(store: Store, ask: Ask, look: Look) -> None:
    """When one part of accepting fails, no part of it stays."""
    request = ask()
    await store.accept(request, delivery="first", notice=None)
    with pytest.raises(StoreUnavailable):
        await store.accept(request, delivery="second", notice={"a": 1})  # the run's id is taken
    assert look("SELECT key FROM deliveries") == [("first",)]
    assert look("SELECT count(*) FROM notices") == [(0,)]


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("spoilt", [False, True], ids=["all good", "one of them refused"])
async def test_a_burst_shares_commits(store: Store, ask: Ask, *, spoilt: bool) -> None:
    """Commands that wait together are one trip to the disk; one that fails fails alone."""
    requests = [ask() for _ in range(40)]
    await store.accept(requests[0], delivery=None, notice=None)
    commits: list[object] = []
    event.listen(file_of(store).writer, "commit", commits.append)
    held, let_go = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        held.set()
        let_go.wait(10)

    busy = asyncio.create_task(store._write(slow))
    await asyncio.to_thread(held.wait, 10)
    burst = requests if spoilt else requests[1:]
    tasks = [asyncio.create_task(store.accept(r, delivery=None, notice=None)) for r in burst]
    await asyncio.sleep(0.05)
    let_go.set()
    answers = await asyncio.gather(busy, *tasks, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(answer) for answer in refused] == ([StoreUnavailable] if spoilt else [])
    assert len(await store.unfinished()) == 40
    assert len(commits) == (1 + 39 if spoilt else 1 + 1)


async def test_a_run_is_claimed_once(store: Store, ask: Ask) -> None:
    """Of any number of takers exactly one gets the run."""
    request = ask()
    await store.accept(request, delivery=None, notice=None)
    taken = await asyncio.gather(*(store.claim() for _ in range(20)))
    assert sum(len(leases) for leases in taken) == 1


async def test_progress_does_not_claim(store: Store, ask: Ask) -> None:
    """Saving a queued run, as for its first message, leaves it to be claimed."""
    request = ask()
    await store.accept(request, delivery=None, notice=None)
    await store.save(new_run(request, store._clock.now()))
    assert await store.claim()


async def test_an_ended_run_is_neither_pending_nor_unfinished(store: Store, ask: Ask) -> None:
    """Executing a run that has ended is impossible: there is nothing to claim and no request to read."""
    request = ask()
    await store.accept(request, delivery="d", notice=None)
    run = replace(new_run(request, store._clock.now()), outcome=Outcome.REFUSED, ended_at=store._clock.now())
    await store.save(run)
    assert await store.pending(request.run_id) is None
    assert await store.unfinished() == []
    assert not await store.claim()
    assert not (await store.accept(ask(), delivery="d", notice=None)).new
    assert await store.load(request.run_id) == run


async def test_a_notice_is_replaced(store: Store, ask: Ask) -> None:
    """What was told where is kept as it was last stored, nested and in its own words."""
    request = ask()
    await store.accept(request, delivery=None, notice={"channel": "C1"})
    document = {"channel": "C1", "messages": [{"ts": "1.2", "done": True, "none": None}]}
    await store.save_notice(request.run_id, document)
    assert await store.notice(request.run_id) == document
    assert await store.notice(RunId("nobody")) is None


async def test_a_notice_needs_its_run(store: Store) -> None:
    """Nothing is remembered about a run that is not there."""
    with pytest.raises(StoreUnavailable, match="contradicts"):
        await store.save_notice(RunId("nobody"), {})
