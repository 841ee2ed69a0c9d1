"""Runs that were kept long enough go, with all that hangs on them; nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.retention import keep_for
from pipeline.errors import StoreUnavailable
from pipeline.model import Outcome, Request, new_run
from pipeline.runs import store as store_module
from pipeline.runs.store import Store, open_store
from tests.contract.runs.conftest import HandClock

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400.0


async def over(store: Store, request: Request, clock: HandClock, **notice: object) -> None:
    """Accept a run, write once for it, and end it now."""
    await store.accept(request, delivery=f"for {request.run_id}", notice=notice)
    (lease,) = await store.claim()
    await store.settle(await store.intend(request.run_id, "create", {}, epoch=lease.epoch), "done", {})
    run = new_run(request, clock.now())
    await store.save(replace(run, outcome=Outcome.CREATED, ended_at=clock.now()), epoch=lease.epoch)


async def test_what_ended_before_goes_with_all_that_hangs_on_it(
    store: Store, ask: Ask, clock: HandClock, look: Look
) -> None:
    """Run, journal, delivery and notice of the old one go; those of the newer one stay."""
    old, new = ask(), ask()
    await over(store, old, clock)
    clock.pass_time(2 * DAY)
    await over(store, new, clock)

    assert await store.purge(clock.now() - timedelta(days=1)) == 1
    for table in ("runs", "journal", "deliveries", "notices"):
        assert look(f"SELECT DISTINCT run_id FROM {table}") == [(new.run_id,)], table
    assert await store.load(old.run_id) is None
    assert await store.purge(clock.now() - timedelta(days=1)) == 0


async def test_what_has_not_ended_stays(store: Store, ask: Ask, clock: HandClock) -> None:
    """However old: a queued run is still to be done, a running one is still to be ended."""
    queued, running = ask(), ask()
    await store.accept(queued, delivery=None)
    await store.accept(running, delivery=None, begin=True)
    clock.pass_time(1000 * DAY)

    assert await store.purge(clock.now()) == 0
    assert await store.unfinished() == [queued.run_id, running.run_id]


async def test_many_go_in_several_steps(
    store: Store, ask: Ask, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one step's worth: all of them go."""
    monkeypatch.setattr(store_module, "_PURGED_AT_ONCE", 2)
    for _ in range(5):
        await over(store, ask(), clock)

    assert await store.purge(clock.now() + timedelta(seconds=1)) == 5
    assert await store.history() == []


async def test_a_guest_deletes_nothing(url: str, store: Store) -> None:
    """Cleaning up belongs to the host."""
    guest = open_store(url, guest=True)
    with pytest.raises(StoreUnavailable, match="guest"):
        await guest.purge(store._clock.now())
    await guest.close()


async def test_old_runs_go_at_the_start_and_later(store: Store, ask: Ask, clock: HandClock) -> None:
    """The retention looks at once, and again when its time has come."""
    first, second = ask(), ask()
    await over(store, first, clock)
    clock.pass_time(8 * DAY)
    await over(store, second, clock)
    keeping = asyncio.create_task(keep_for(7, store, clock, every_s=0.01))
    for _ in range(100):
        await asyncio.sleep(0.01)
        if await store.load(first.run_id) is None:
            break
    assert [run.run_id for run in await store.history()] == [second.run_id]
    clock.pass_time(8 * DAY)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if await store.load(second.run_id) is None:
            break
    keeping.cancel()

    assert await store.history() == []


async def test_ended_runs_are_found_by_a_flag_of_their_notice(
    store: Store, ask: Ask, clock: HandClock
) -> None:
    """Only ended ones whose notice says so: not those without the flag, nor those still to be done."""
    requests = [ask() for _ in range(4)]
    await over(store, requests[0], clock, open=True)
    await over(store, requests[1], clock, open=False)
    await over(store, requests[2], clock)
    await store.accept(requests[3], delivery=None, notice={"open": True})

    assert await store.ended_with("open") == [requests[0].run_id]
