"""Runs are stored as they stand and read back as they were."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from pipeline.documents import to_document
from pipeline.errors import StoreUnavailable
from pipeline.ids import Dn, ObjectGuid, RunId
from pipeline.model import (
    ClauseResult,
    FilterResult,
    ObjectKind,
    Outcome,
    Request,
    Run,
    ScopeEvidence,
    SourceIdentity,
    Stage,
    StageName,
    StageStatus,
    new_run,
)
from pipeline.ports import Clock, Journal, RunStore
from pipeline.runs.store import Store
from pipeline.runs.tables import runs


def found(run: Run, guid: str, dn: str = "CN=Ada,DC=contoso,DC=test") -> Run:
    """Return the run after its object was read."""
    source = SourceIdentity(Dn(dn), ObjectGuid(guid), None, ObjectKind.USER, "Ada")
    return replace(run, object=source)


def ended(run: Run, outcome: Outcome, clock: Clock) -> Run:
    """Return the run after its end."""
    return replace(run, outcome=outcome, ended_at=clock.now())


async def test_the_store_fulfils_its_ports(store: Store) -> None:
    """The pipeline can be given the store for both of its ports."""
    runs: RunStore = store
    journal: Journal = store
    assert isinstance(runs, Store)
    assert isinstance(journal, Store)


async def test_a_run_is_read_back_as_it_was(store: Store, ask: Callable[..., Request], clock: Clock) -> None:
    """Evidence, plan and outcome come back whole, for the details are opened from here alone."""
    clause = ClauseResult("employeeType", "EQUALS", ("Employee",), ("Contractor",), passed=False)
    evidence = ScopeEvidence(False, "no", filters=(FilterResult("Full-time staff", False, (clause,)),))
    run = found(new_run(ask(), clock.now()), "8b1a").with_stage(
        Stage(StageName.SCOPE, StageStatus.SKIPPED, "out", evidence, 3)
    )
    await store.save(run)
    assert await store.load(run.run_id) == run


async def test_the_latest_state_wins(store: Store, ask: Callable[..., Request], clock: Clock) -> None:
    """Of many saves in a row, asked for without waiting, the last is what stands."""
    run = new_run(ask(), clock.now())
    steps = [replace(run, warnings=(str(number),)) for number in range(50)]
    await asyncio.gather(*(store.save(step) for step in steps))
    assert await store.load(run.run_id) == steps[-1]


async def test_there_is_no_such_run(store: Store) -> None:
    """An id that is not there (any more) gives None, not an error."""
    assert await store.load(RunId("01JD0000000000000000000000")) is None


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("CN=\0,DC=x", id="U+0000, which some databases refuse"),
        pytest.param("CN=\ud800,DC=x", id="a lone surrogate, as a command line hands it in"),
        pytest.param("CN=Zoë 👩‍💻 مرحبا,DC=x", id="beyond ASCII"),
        pytest.param("'; DROP TABLE runs; --", id="SQL"),
        pytest.param("x" * 200_000, id="very long"),
    ],
)
async def test_whatever_was_typed_is_kept(store: Store, ask: Callable[..., Request], identifier: str) -> None:
    """The run is stored whatever was typed, and can be found by it."""
    request = ask(identifier)
    await store.accept(request, delivery=identifier, notice={"text": identifier})
    run = await store.load(request.run_id)
    assert run is not None
    assert run.identifier == identifier
    assert await store.pending(request.run_id) == request
    assert await store.notice(request.run_id) == {"text": identifier}
    assert await store.history(identifier) == [run]


async def test_an_ended_run_does_not_run_again(
    store: Store, ask: Callable[..., Request], clock: Clock
) -> None:
    """Its end may be amended, but nothing brings an ended run back to running."""
    run = new_run(ask(), clock.now())
    over = ended(run, Outcome.CREATED, clock)
    await store.save(over)
    with pytest.raises(StoreUnavailable, match="has ended"):
        await store.save(run)
    amended = replace(over, warnings=("told late",))
    await store.save(amended)
    assert await store.load(run.run_id) == amended


async def test_a_time_without_a_zone_is_refused(
    store: Store, ask: Callable[..., Request], clock: Clock
) -> None:
    """A time that could mean several instants is not stored."""
    with pytest.raises(StoreUnavailable):
        await store.save(new_run(ask(), clock.now().replace(tzinfo=None)))


async def test_history_is_of_the_object_by_every_name(
    store: Store, ask: Callable[..., Request], clock: Any
) -> None:
    """A name finds all runs of the object behind it, in any case, newest first, and no other's."""
    saved = []
    for identifier, guid, dn in (
        ("ada@contoso.test", "8B1A", "CN=Ada Müller,DC=x"),
        ("CN=Ada Müller,DC=x", "8B1A", "CN=Ada Müller,DC=x"),
        ("grace@contoso.test", "9c2b", "CN=Grace,DC=x"),
        ("ada@contoso.test", None, None),
    ):
        run = new_run(ask(identifier), clock.now())
        saved.append(found(run, guid, dn) if guid and dn else run)
        await store.save(saved[-1])
        clock.pass_time()
    first, second, grace, not_found = saved
    assert await store.history() == [not_found, grace, second, first]
    assert await store.history("8b1a") == [second, first]
    assert await store.history("cn=ada MÜLLER,dc=x") == [second, first]
    assert await store.history("ADA@contoso.test") == [not_found, second, first]
    assert await store.history("nobody") == []
    assert await store.history(limit=2) == [not_found, grace]


async def test_a_run_of_a_later_version_is_named(
    store: Store, ask: Callable[..., Request], clock: Clock
) -> None:
    """A document that this version does not understand is refused in words; history goes on without it."""
    good, strange = new_run(ask(), clock.now()), new_run(ask(), clock.now())
    await store.save(good)
    await store.save(strange)
    document = to_document(strange) | {"outcome": "vanished"}
    change = update(runs).where(runs.c.run_id == strange.run_id).values(document=document)
    await store._write(lambda connection: connection.execute(change).rowcount)
    with pytest.raises(StoreUnavailable, match="outcome is 'vanished', which this version"):
        await store.load(strange.run_id)
    assert await store.history() == [good]


async def test_reading_does_not_wait_for_writing(
    store: Store, ask: Callable[..., Request], clock: Clock
) -> None:
    """Details open while a write holds the database's lock and others queue behind it."""
    run = new_run(ask(), clock.now())
    await store.save(run)
    held, let_go = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE runs SET actor = 'x'")
        held.set()
        let_go.wait(10)

    writing = asyncio.create_task(store._write(slow))
    burst = [asyncio.create_task(store.save(replace(run, warnings=(str(n),)))) for n in range(20)]
    await asyncio.to_thread(held.wait, 10)
    began = time.monotonic()
    assert await store.load(run.run_id) == run
    assert time.monotonic() - began < 1
    assert not writing.done()
    let_go.set()
    await asyncio.gather(writing, *burst)
    latest = await store.load(run.run_id)
    assert latest is not None
    assert latest.warnings == ("19",)
