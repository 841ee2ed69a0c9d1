"""Intent before each write, outcome after it, both on disk when the call returns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, new_run
from pipeline.runs.store import Store, open_store
from tests.contract.runs.conftest import file_of

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
async def run_id(store: Store, ask: Ask) -> RunId:
    """Return a run that is being executed."""
    run = new_run(ask(), store._clock.now())
    await store.save(run)
    return run.run_id


async def test_an_intent_is_on_disk_before_the_write(
    store: Store, run_id: RunId, look: Look, clock: Any
) -> None:
    """When intend returns, another program reads the intent from the file, and no outcome yet."""
    entry = await store.intend(run_id, "create user", {"upn": "ada@contoso.test"})
    sql = "SELECT entry, run_id, step, detail, outcome, outcome_detail, settled_at FROM journal"
    assert look(sql) == [(entry, run_id, "create user", '{"upn":"ada@contoso.test"}', None, None, None)]
    clock.pass_time(2)
    await store.settle(entry, "done", {"request-id": "r"})
    assert look("SELECT outcome, outcome_detail, settled_at > intended_at FROM journal") == [
        ("done", '{"request-id":"r"}', 1)
    ]


def last_commit(store: Store, pragma: str) -> object:
    """Return how the writing connection was set when it committed last."""
    connection = file_of(store).writer.raw_connection()
    try:
        cursor = connection.cursor()
        return cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.usefixtures("sqlite_only")
async def test_what_must_survive_a_power_cut_waits_for_the_disk(store: Store, run_id: RunId) -> None:
    """Accepting, intent, outcome and the end of a run are synced; the progress between them need not be."""
    run = await store.load(run_id)
    assert run is not None
    full, normal = 2, 1
    again = replace(run, run_id=RunId("second"))
    over = replace(run, outcome=Outcome.CREATED, ended_at=run.started_at)
    request = Request(RunId("third"), run.mode, "x", run.actor)
    synced = []
    for step in (
        store.save(again),
        store.accept(request, delivery="d", notice=None),
        store.save(run),
        store.intend(run_id, "create", {}),
        store.save(run),
        store.settle(1, "done", {}),
        store.save(run),
        store.save(over),
    ):
        await step
        synced.append(last_commit(store, "synchronous"))
    assert synced == [normal, full, normal, full, normal, full, normal, full]


@pytest.mark.usefixtures("sqlite_only")
async def test_one_durable_write_makes_the_whole_commit_durable(store: Store, run_id: RunId) -> None:
    """An intent that shares its commit with mere progress is synced all the same."""
    run, let_go = await store.load(run_id), threading.Event()
    assert run is not None

    def slow(_connection: Connection) -> None:
        let_go.wait(10)

    calls = (
        store._write(slow, durable=False),
        store.save(run),
        store.intend(run_id, "x", {}),
        store.save(run),
    )
    tasks = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0.05)
    let_go.set()
    await asyncio.gather(*tasks)
    assert last_commit(store, "synchronous") == 2


@pytest.mark.usefixtures("sqlite_only")
async def test_the_writing_connection_is_set_up(store: Store) -> None:
    """Readers are not held up by the writer, and nothing refers to a run that is not there."""
    await store.ping()
    assert last_commit(store, "journal_mode") == "wal"
    assert last_commit(store, "foreign_keys") == 1


async def test_the_reading_connection_cannot_write(store: Store) -> None:
    """What opens details has no means to change anything."""
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store._read(lambda connection: connection.exec_driver_sql("DELETE FROM runs"))


async def test_entries_keep_their_order(store: Store, run_id: RunId) -> None:
    """The journal reads in the order in which the writes were intended, whatever order they ended in."""
    numbers = [await store.intend(run_id, f"step {n}", {"n": n}) for n in range(5)]
    for number in reversed(numbers):
        await store.settle(number, "done", {})
    journal = await store.journal(run_id)
    assert [entry.step for entry in journal] == [f"step {n}" for n in range(5)]
    assert [entry.entry for entry in journal] == sorted(numbers)
    assert all(entry.known for entry in journal)


async def test_what_is_known_is_not_overwritten(store: Store, run_id: RunId) -> None:
    """An unknown outcome may become known; a known one stays."""
    entry = await store.intend(run_id, "create", {})
    await store.settle(entry, "unknown", {"why": "connection lost"})
    await store.settle(entry, "done", {"why": "found on reading back"})
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.settle(entry, "refused", {})
    (only,) = await store.journal(run_id)
    assert (only.outcome, only.outcome_detail) == ("done", {"why": "found on reading back"})


@pytest.mark.parametrize("state", ["not stored", "queued", "ended"])
async def test_only_a_run_under_way_may_intend(store: Store, ask: Ask, clock: Any, state: str) -> None:
    """No write is announced for a run that nobody executes: not yet, no more, or not at all."""
    request = ask()
    if state != "not stored":
        await store.accept(request, delivery=None, notice=None)
    if state == "ended":
        over = replace(new_run(request, clock.now()), outcome=Outcome.CANCELLED, ended_at=clock.now())
        await store.save(over)
    with pytest.raises(StoreUnavailable, match="is not being executed"):
        await store.intend(request.run_id, "create", {})
    assert await store.journal(request.run_id) == ()


async def test_a_run_saved_without_being_accepted_may_intend(store: Store, ask: Ask, clock: Any) -> None:
    """A command line's run is executed by whoever saves it."""
    run = new_run(ask(), clock.now())
    await store.save(run)
    assert await store.intend(run.run_id, "create", {}) > 0


@pytest.mark.usefixtures("sqlite_only")
async def test_an_outcome_is_recorded_though_the_caller_is_cancelled(store: Store, run_id: RunId) -> None:
    """A time limit that strikes while the outcome waits for its turn does not lose the outcome."""
    entry = await store.intend(run_id, "create", {})
    let_go = threading.Event()

    def slow(_connection: Connection) -> None:
        let_go.wait(10)

    busy = asyncio.create_task(store._write(slow))
    settling = asyncio.create_task(store.settle(entry, "done", {}))
    await asyncio.sleep(0.05)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    let_go.set()
    await busy
    await store.ping()  # queued behind the outcome
    assert [e.outcome for e in await store.journal(run_id)] == ["done"]


async def test_closing_waits_for_what_was_begun(url: str, ask: Ask) -> None:
    """Writes that were asked for before closing are on disk after it."""
    store, let_go = open_store(url), threading.Event()
    requests = [ask() for _ in range(5)]

    def slow(_connection: Connection) -> None:
        let_go.wait(10)

    busy = asyncio.create_task(store._write(slow))
    behind = [asyncio.create_task(store.accept(r, delivery=None, notice=None)) for r in requests]
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    let_go.set()
    await asyncio.gather(busy, closing, *behind)
    store = open_store(url)
    assert sorted(await store.unfinished()) == sorted(request.run_id for request in requests)
    await store.close()


async def test_details_may_hold_any_value(store: Store, run_id: RunId, clock: Any) -> None:
    """A detail that is not plain JSON is stored as text rather than failing the write that it explains."""
    entry = await store.intend(run_id, "x", {"at": clock.now(), "ids": ("a", "b"), "odd": {1, 2}.union})
    assert entry > 0
    (only,) = await store.journal(run_id)
    assert only.detail["ids"] == ["a", "b"]
    assert only.detail["at"] == "2026-11-23T14:02:00Z"
