"""The store of an earlier version is opened, brought up to this one, and everything in it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from pipeline.errors import StoreUnavailable
from pipeline.model import Mode, Outcome, Request, StageStatus
from pipeline.runs.migrations import HEAD, SCRIPTS, migrate
from pipeline.runs.store import open_store
from tests.contract.runs.earlier import FOLDER, fill, rows_of, scripts_until

REVISIONS = sorted(file.stem.removeprefix("revision-") for file in FOLDER.glob("revision-*.json"))


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    """Return each of the earlier revisions in turn."""
    return str(request.param)


@pytest.fixture
def old(database: str, revision: str, path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Make a store as the earlier version left it; return its URL."""
    if database == "sqlite":
        path.parent.mkdir()
        url = driver = f"sqlite:///{path}"
    else:
        url = str(request.getfixturevalue("empty_postgres_url"))
        driver = url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(driver)
    with engine.begin() as connection:
        migrate(connection, scripts_until(revision, tmp_path / "scripts"), revision)
        fill(connection, revision)
    engine.dispose()
    return url


async def test_there_is_a_store_of_every_earlier_revision() -> None:
    """Whoever adds a revision adds a store as the version before left it."""
    earlier = [script.stem[1:5] for script in (SCRIPTS / "versions").glob("r[0-9]*.py")]
    assert sorted({*earlier} - {HEAD}) == REVISIONS


async def test_a_guest_leaves_it_as_it_is(old: str, revision: str) -> None:
    """A command beside the bot says which version it is of, and changes nothing: the bot may be running."""
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            open_store(old, guest=True)
        assert f"its schema is {revision}" in caught.value.message
        assert "earlier version" in caught.value.message


async def test_everything_is_there(old: str, revision: str, look: Callable[..., list[tuple[str]]]) -> None:
    """Runs with their evidence, journal, deliveries and notices read as they were; the schema is today's."""
    kept = rows_of(revision)
    store = open_store(old)

    runs = {run.run_id: run for run in await store.history()}
    assert {name: run.outcome for name, run in runs.items()} == {
        row["run_id"]: Outcome(row["outcome"]) for row in kept["runs"]
    }
    (created,) = [run for run in runs.values() if run.outcome is Outcome.CREATED]
    assert [stage.status for stage in created.stages] == [StageStatus.PASSED] * 4
    assert all(stage.evidence is not None for stage in created.stages)
    assert created.plan is not None
    assert len(created.plan.written) > 20
    (previewed,) = [run for run in runs.values() if run.outcome is Outcome.WOULD_UPDATE]
    assert previewed.mode is Mode.PREVIEW
    journal = await store.journal(created.run_id)
    assert [(entry.step, entry.outcome) for entry in journal] == [
        ("create user", "done"),
        ("link manager", "done"),
    ]
    for row in kept["notices"]:
        assert await store.notice(row["run_id"]) == row["document"]
    assert look("SELECT version_num FROM alembic_version") == [(HEAD,)]
    await store.close()


async def test_what_was_under_way_is_taken_up(old: str, revision: str, ask: Callable[..., Request]) -> None:
    """What waited, and what somebody had begun, as such, goes on; a command delivered again is the same."""
    kept = rows_of(revision)
    epochs = {row["run_id"]: 2 if row["state"] == "running" else 1 for row in kept["runs"]}
    store = open_store(old)
    await store.release_orphans()
    leases = await store.claim()
    assert [lease.run_id for lease in leases] == [
        row["run_id"] for row in kept["runs"] if row["state"] != "ended"
    ]
    assert [lease.epoch for lease in leases] == [epochs[lease.run_id] for lease in leases]
    for row in kept["deliveries"]:
        again = await store.accept(ask(), delivery=row["key"], notice=None)
        assert (again.run_id, again.new) == (row["run_id"], False)
    await store.close()
