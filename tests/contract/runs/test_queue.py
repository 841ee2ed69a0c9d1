"""The queue: whose turn a run is, on one machine or many; on both databases, where both can have it."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RunCancelled, RunTaken, StoreUnavailable
from pipeline.ids import ActorId, ObjectGuid, RunId
from pipeline.model import Outcome, Request, new_run
from pipeline.runs.migrations import SCRIPTS
from pipeline.runs.postgres import PostgresDatabase, bring_up_to_date
from pipeline.runs.store import Store, open_store
from tests.contract.runs.conftest import HandClock
from tests.fixtures.postgres import PostgresServer

Ask = Callable[..., Request]


@pytest.fixture
async def run_id(store: Store, ask: Ask) -> RunId:
    """Return a run that waits."""
    request = ask()
    await store.accept(request, delivery=None, notice={"open": True})
    return request.run_id


async def test_the_oldest_come_first_and_no_more_than_asked_for(
    store: Store, ask: Ask, clock: HandClock
) -> None:
    """Whoever came first is served first."""
    requests = []
    for _ in range(5):
        requests.append(ask())
        await store.accept(requests[-1], delivery=None)
        clock.pass_time(1)
    taken = [lease.run_id for lease in await store.claim(3)]
    assert taken == [request.run_id for request in requests[:3]]
    assert [lease.request for lease in await store.claim(3)] == requests[3:]
    assert await store.waiting() == (0, 5)


async def test_a_lease_that_runs_out_is_somebody_elses(store: Store, run_id: RunId, clock: HandClock) -> None:
    """While it is prolonged nobody takes the run over; afterwards the next epoch is given, and counted."""
    (first,) = await store.claim()
    clock.pass_time(store.lease_s - 1)
    assert await store.renew({run_id: first.epoch}) == {run_id: None}
    clock.pass_time(store.lease_s - 1)
    assert await store.claim() == ()
    clock.pass_time(2)
    (second,) = await store.claim()
    assert (second.run_id, second.epoch, second.attempts) == (run_id, first.epoch + 1, 2)
    assert await store.renew({run_id: first.epoch}) == {}


async def test_nobody_takes_a_run_from_itself(store: Store, run_id: RunId, clock: HandClock) -> None:
    """A process that is late to prolong a lease is still at work: it is neither an end nor an attempt."""
    (first,) = await store.claim()
    clock.pass_time(store.lease_s + 1)

    assert await store.claim(besides=[run_id]) == ()
    assert await store.renew({run_id: first.epoch}) == {run_id: None}


async def test_a_lease_begins_anew_with_an_intent(store: Store, run_id: RunId, clock: HandClock) -> None:
    """Who has just recorded that a write is sent has the whole of the lease to send it."""
    (first,) = await store.claim()
    clock.pass_time(store.lease_s - 1)
    await store.intend(run_id, "create user", {}, epoch=first.epoch)
    clock.pass_time(2)

    assert await store.claim() == ()


async def test_giving_back_what_is_lost_takes_it_from_nobody(
    store: Store, run_id: RunId, clock: HandClock
) -> None:
    """A run given back by who lost it stays with who has it now, and so does what is shown of it."""
    (first,) = await store.claim()
    clock.pass_time(store.lease_s + 1)
    (second,) = await store.claim()
    await store.save_notice(run_id, {"open": True})
    await store.keep(run_id)

    await store.put_back(run_id, first.epoch)

    assert await store.claim() == ()
    assert await store.renew({run_id: second.epoch}) == {run_id: None}


@pytest.fixture
async def another(url: str, store: Store, clock: HandClock) -> AsyncIterator[Store]:
    """Open the same store as another process has it."""
    del store
    opened = open_store(url, guest=True, clock=clock)
    yield opened
    await opened.close()


async def test_a_lease_is_its_owners(store: Store, another: Store, run_id: RunId) -> None:
    """Nobody else prolongs it, whatever number they know."""
    (lease,) = await store.claim()
    assert await another.renew({run_id: lease.epoch}) == {}
    assert await store.renew({run_id: lease.epoch}) == {run_id: None}


async def test_what_is_given_back_is_shown_by_who_takes_it(
    store: Store, another: Store, run_id: RunId
) -> None:
    """With the run goes what is shown of it: the next one need not wait for the lease on that."""
    (lease,) = await store.claim()
    assert await store.keep(run_id) is not None
    assert await another.keep(run_id) is None
    await store.put_back(run_id, lease.epoch)
    assert await another.keep(run_id) == {"open": True}


@pytest.mark.usefixtures("sqlite_only")
async def test_a_start_shows_at_once_what_a_former_process_showed(
    store: Store, another: Store, run_id: RunId
) -> None:
    """The only process there is waits for nobody's lease, neither on runs nor on what is shown."""
    await store.claim()
    await store.keep(run_id)
    assert await store.release_orphans() == [run_id]
    assert await another.keep(run_id) == {"open": True}


async def test_who_lost_a_run_changes_nothing_any_more(store: Store, run_id: RunId, clock: HandClock) -> None:
    """Neither intent, nor progress, nor end, nor giving back: each is refused, and nothing is stored."""
    (first,) = await store.claim()
    clock.pass_time(store.lease_s + 1)
    (second,) = await store.claim()
    run = new_run(first.request, clock.now())
    over = replace(run, outcome=Outcome.CREATED, ended_at=clock.now())
    for late in (
        store.intend(run_id, "create user", {}, epoch=first.epoch),
        store.save(replace(run, warnings=("late",)), epoch=first.epoch),
        store.save(over, epoch=first.epoch),
    ):
        with pytest.raises(RunTaken):
            await late
    await store.put_back(run_id, first.epoch)
    assert await store.journal(run_id) == ()
    stored = await store.load(run_id)
    assert stored is not None
    assert stored.warnings == ()
    assert await store.renew({run_id: second.epoch}) == {run_id: None}
    await store.save(over, epoch=second.epoch)
    assert await store.waiting() == (0, 0)


async def test_what_is_given_back_is_not_counted(store: Store, run_id: RunId) -> None:
    """A process that stops in good order is no attempt that failed."""
    for turn in range(1, 6):
        (lease,) = await store.claim()
        assert (lease.epoch, lease.attempts) == (turn, 1)
        await store.put_back(run_id, lease.epoch)


async def test_one_intent_though_the_answer_was_lost(store: Store, run_id: RunId) -> None:
    """The same intent again is the same entry, and the same outcome again is no harm."""
    (lease,) = await store.claim()
    entries = [await store.intend(run_id, "create user", {"a": [1]}, epoch=lease.epoch) for _ in range(3)]
    assert len(set(entries)) == 1
    for _ in range(2):
        await store.settle(entries[0], "done", {"status": 201})
    assert [entry.outcome for entry in await store.journal(run_id)] == ["done"]


async def test_a_request_to_cancel_comes_before_the_next_write(store: Store, run_id: RunId) -> None:
    """Whoever executes it learns of it with the next prolonging, and no intent is recorded any more."""
    (lease,) = await store.claim()
    assert await store.cancel(run_id, ActorId("T0/U0ADAM"))
    assert await store.cancel(run_id, ActorId("T0/U0OTHER"))  # who came first is named
    assert await store.renew({run_id: lease.epoch}) == {run_id: "T0/U0ADAM"}
    with pytest.raises(RunCancelled) as told:
        await store.intend(run_id, "create user", {}, epoch=lease.epoch)
    assert told.value.ids == {"cancelled-by": "T0/U0ADAM"}
    assert await store.journal(run_id) == ()
    assert not await store.cancel(RunId("nobody"), ActorId("T0/U0ADAM"))


async def test_one_run_at_a_time_has_an_object(store: Store, ask: Ask, clock: HandClock) -> None:
    """Of twenty at once one gets it, the others learn whose it is, since when and where; its end frees it."""
    guid = ObjectGuid("8b1a6c1e-0000-4000-8000-000000000001")
    requests = [ask() for _ in range(20)]
    leases = []
    for request in requests:
        accepted = await store.accept(request, delivery=None, notice={"channel": "C1"}, begin=True)
        assert accepted.lease is not None
        leases.append(accepted.lease)
    answers = await asyncio.gather(*(store.hold(one.run_id, guid, epoch=one.epoch) for one in leases))
    (winner,) = [lease for lease, holder in zip(leases, answers, strict=True) if holder is None]
    holders = [holder for holder in answers if holder is not None]
    assert len(holders) == 19
    assert {holder.run_id for holder in holders} == {winner.run_id}
    assert (holders[0].actor, holders[0].since) == ("T0/U0", clock.now())
    assert holders[0].notice == {"channel": "C1"}
    other = next(lease for lease in leases if lease != winner)
    over = replace(new_run(winner.request, clock.now()), outcome=Outcome.CREATED, ended_at=clock.now())
    await store.save(over, epoch=winner.epoch)
    assert await store.hold(other.run_id, guid, epoch=other.epoch) is None


async def test_an_object_is_kept_for_a_run_whose_process_ended(
    store: Store, run_id: RunId, ask: Ask, clock: HandClock
) -> None:
    """Half-way through its writes: nobody else comes in between before it has been taken over."""
    guid = ObjectGuid("8b1a6c1e-0000-4000-8000-000000000002")
    (lease,) = await store.claim()
    assert await store.hold(run_id, guid, epoch=lease.epoch) is None
    clock.pass_time(store.lease_s + 1)
    late = (await store.accept(ask(), delivery=None, begin=True)).lease
    assert late is not None
    holder = await store.hold(late.run_id, guid, epoch=late.epoch)
    assert holder is not None
    assert holder.run_id == run_id


async def test_one_process_shows_a_run(store: Store, run_id: RunId, clock: HandClock) -> None:
    """Who is in charge of a message stays so while it says so; afterwards somebody else may be."""
    assert await store.keep(run_id) == {"open": True}
    (lease,) = await store.claim()
    over = replace(new_run(lease.request, clock.now()), outcome=Outcome.CREATED, ended_at=clock.now())
    await store.save(over, epoch=lease.epoch)
    assert await store.ended_with("open") == []
    assert await store.go_on_keeping([run_id]) == frozenset()
    clock.pass_time(store.lease_s + 1)
    assert await store.ended_with("open") == [run_id]


async def test_who_is_late_with_what_it_shows_learns_of_it(
    store: Store, another: Store, run_id: RunId, clock: HandClock
) -> None:
    """Somebody else shows the run by now: the one before is told, and takes nothing back."""
    assert await store.keep(run_id) is not None
    clock.pass_time(store.lease_s + 1)
    assert await another.keep(run_id) is not None
    assert await store.go_on_keeping([run_id]) == {run_id}
    assert await another.go_on_keeping([run_id]) == frozenset()


# -- several processes -----------------------------------------------------------------------------------


@pytest.fixture
async def three(postgres_url: str) -> AsyncIterator[list[Store]]:
    """Give three stores on one database, as three processes have them."""
    stores = [open_store(postgres_url, lease_s=2.0) for _ in range(3)]
    yield stores
    for store in stores:
        await store.close()


async def test_each_run_is_taken_by_one_of_three(three: list[Store], ask: Ask) -> None:
    """Two hundred runs, three takers at once: each run is taken exactly once."""
    for _ in range(200):
        await three[0].accept(ask(), delivery=None)

    async def take(store: Store) -> list[RunId]:
        taken: list[RunId] = []
        while leases := await store.claim(7):
            taken += [lease.run_id for lease in leases]
        return taken

    taken = [run_id for runs in await asyncio.gather(*map(take, three)) for run_id in runs]
    assert len(taken) == len(set(taken)) == 200


async def test_the_same_delivery_at_three_is_one_run(three: list[Store], ask: Ask) -> None:
    """However a delivery is spread over processes, it is one run."""
    answers = await asyncio.gather(
        *(store.accept(ask(), delivery="same", notice={}) for store in three for _ in range(5))
    )
    assert len({answer.run_id for answer in answers}) == 1
    assert sum(answer.new for answer in answers) == 1


async def test_two_hundred_runs_on_ten_objects(three: list[Store], ask: Ask) -> None:
    """Never two at once on one object, and every other one is told at once: all within three seconds."""
    objects = [ObjectGuid(f"8b1a6c1e-0000-4000-8000-00000000000{n}") for n in range(10)]
    for _ in range(200):
        await three[0].accept(ask(), delivery=None)
    busy: set[ObjectGuid] = set()
    done = told = 0

    async def work(store: Store) -> None:
        nonlocal done, told
        while leases := await store.claim(8):
            for lease in leases:
                guid = objects[int(lease.run_id[-2:], 36) % 10]
                holder = await store.hold(lease.run_id, guid, epoch=lease.epoch)
                if holder is None:
                    assert guid not in busy
                    busy.add(guid)
                    await asyncio.sleep(0.01)
                    busy.discard(guid)
                done, told = done + (holder is None), told + (holder is not None)
                now = lease.created_at
                over = replace(new_run(lease.request, now), outcome=Outcome.UNCHANGED, ended_at=now)
                await store.save(over, epoch=lease.epoch)

    began = time.monotonic()
    await asyncio.gather(*(work(store) for store in three for _ in range(3)))
    assert done + told == 200
    assert done >= 10
    assert time.monotonic() - began < 15  # three on an idle machine


async def test_the_others_are_woken(three: list[Store], ask: Ask) -> None:
    """A run that waits, one that ends, one given back and one to be cancelled: each wakes every process."""
    heard = threading.Semaphore(0)
    three[1].listen(heard.release)

    async def woken() -> bool:
        return await asyncio.to_thread(heard.acquire, timeout=5.0)

    assert await woken()  # it is listening
    request = ask()
    await three[0].accept(request, delivery=None)
    assert await woken()
    (lease,) = await three[0].claim()
    await three[0].put_back(lease.run_id, lease.epoch)
    assert await woken()
    (lease,) = await three[0].claim()
    await three[0].cancel(lease.run_id, ActorId("T0/U0"))
    assert await woken()
    over = replace(new_run(request, lease.created_at), outcome=Outcome.CREATED, ended_at=lease.created_at)
    await three[0].save(over, epoch=lease.epoch)
    assert await woken()


async def test_the_clock_is_the_databases(postgres_url: str, ask: Ask) -> None:
    """A process whose clock is wrong takes nobody's run and keeps none for ever."""
    store = open_store(postgres_url, lease_s=5.0)
    wrong = HandClock()
    wrong.pass_time(365 * 86_400)
    store._clock = wrong  # type: ignore[misc]  # only the fallback; the database's own counts
    await store.accept(ask(), delivery=None, begin=True)
    assert await store.claim() == ()
    await store.close()


async def test_the_database_goes_away_and_comes_back(
    postgres: PostgresServer, postgres_url: str, ask: Ask
) -> None:
    """Told while it is away; afterwards the same store works, and the listener listens again."""
    store = open_store(postgres_url, lease_s=2.0)
    heard = threading.Semaphore(0)
    store.listen(heard.release)
    assert await asyncio.to_thread(heard.acquire, timeout=5.0)
    await asyncio.to_thread(postgres.stop)
    with pytest.raises(StoreUnavailable, match=r"cannot be reached|stopping or starting"):
        await store.ping()
    await asyncio.sleep(1.0)
    await asyncio.to_thread(postgres.start)
    began = time.monotonic()
    await store.accept(ask(), delivery=None)
    assert await asyncio.to_thread(heard.acquire, timeout=10.0)
    assert len(await store.claim()) == 1
    assert time.monotonic() - began < 10
    await store.close()


async def test_six_starts_at_once_on_an_empty_database(empty_postgres_url: str) -> None:
    """Whoever comes first migrates; the others wait and find it done."""
    stores = await asyncio.gather(*(asyncio.to_thread(open_store, empty_postgres_url) for _ in range(6)))
    for store in stores:
        await store.ping()
        await store.close()


FAILING = '''
"""Fails in the middle."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9000", "0002", None, None

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer))
    op.execute("DELETE FROM runs")
    raise RuntimeError("the power is out")
'''


async def test_a_failing_migration_leaves_the_database_as_it_was(
    postgres_url: str, tmp_path: Path, ask: Ask
) -> None:
    """No table, no lost run, no new revision; and the store opens as before."""
    store = open_store(postgres_url)
    await store.accept(ask(), delivery=None)
    scripts = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "r9000_failing.py").write_text(FAILING)
    database = store._database
    assert isinstance(database, PostgresDatabase)
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        bring_up_to_date(database.engine, scripts, "9000")
    await store.close()
    store = open_store(postgres_url)
    assert len(await store.claim()) == 1
    await store.close()
