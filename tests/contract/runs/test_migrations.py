"""Every database gets to the tables of this version, in one transaction, or stays as it was."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from pipeline.errors import StoreUnavailable
from pipeline.model import Request
from pipeline.runs.migrations import HEAD, SCRIPTS
from pipeline.runs.sqlite import bring_up_to_date
from pipeline.runs.store import Store, open_store
from pipeline.runs.tables import METADATA

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]

FAILING = '''
"""Fails in the middle."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9000", "0002", None, None

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer))
    op.execute("DELETE FROM runs")
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("more", sa.Text))
    raise RuntimeError("the power is out")
'''


def content(path: Path) -> bytes:
    """Return the bytes of a file."""
    return path.read_bytes()


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """Return the migrations with one more that fails in its middle."""
    scripts = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "r9000_failing.py").write_text(FAILING)
    return scripts


async def test_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    """What the revisions made and what the statements expect is the same, columns, keys and indexes."""

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    assert await store._read(differences) == []


def test_the_known_head_is_the_newest_revision() -> None:
    """The constant by which alembic is left unloaded names the newest revision, and there is one only."""
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [HEAD]


async def test_opening_again_changes_nothing(url: str, path: Path) -> None:
    """An up-to-date database is opened without being written to."""
    await open_store(url).close()
    before = content(path)
    await open_store(url).close()
    assert content(path) == before


def test_a_failing_migration_leaves_nothing_behind(path: Path, failing: Path, look: Look) -> None:
    """From an empty database: no table, no revision, as if it had not been tried; then it works."""
    path.parent.mkdir()
    path.touch()
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        bring_up_to_date(path, failing, "9000")
    assert look("SELECT name FROM sqlite_master") == []
    bring_up_to_date(path)
    assert look("SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_a_failing_migration_loses_no_run(
    url: str, path: Path, failing: Path, look: Look, ask: Ask
) -> None:
    """From a database with runs: all of them, and the revision, as before."""
    store = open_store(url)
    await store.accept(ask(), delivery=None, notice=None)
    await store.close()
    schema = look("SELECT sql FROM sqlite_master ORDER BY name")
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        bring_up_to_date(path, failing, "9000")
    assert look("SELECT sql FROM sqlite_master ORDER BY name") == schema
    assert look("SELECT count(*) FROM runs") == [(1,)]
    assert look("SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_a_later_schema_is_refused(url: str, path: Path, look: Look) -> None:
    """A database of a later version is neither read by guess nor changed."""
    await open_store(url).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(
        StoreUnavailable, match=r"later version of Fourcheck \(its schema is 9999\)"
    ) as refused:
        open_store(url)
    assert "Start that version" in refused.value.remedy
    assert look("SELECT version_num FROM alembic_version") == [("9999",)]


async def test_six_starts_at_once_on_nothing(url: str, look: Look) -> None:
    """Whoever comes first migrates; the others wait and find it done."""
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(lambda _: open_store(url, guest=True), range(6)))
    for store in stores:
        await store.ping()
        await store.close()
    assert look("SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_a_start_waits_for_another_that_makes_the_file(url: str, path: Path) -> None:
    """While one process makes and migrates the file, the next does not touch it."""
    path.parent.mkdir()
    folder = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    opening = asyncio.create_task(asyncio.to_thread(open_store, url))
    await asyncio.sleep(0.2)
    assert not opening.done()
    assert not await asyncio.to_thread(path.exists)
    os.close(folder)
    await (await opening).close()


def test_the_tables_are_good_on_postgresql_too() -> None:
    """The same tables can be made on PostgreSQL: times with a zone, documents that keep the order of keys."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
    made = "\n".join(str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables)
    assert "entry SERIAL NOT NULL" in made
    assert "created_at TIMESTAMP WITH TIME ZONE NOT NULL" in made
    assert "document JSON NOT NULL" in made
    indexes = [index for table in METADATA.sorted_tables for index in table.indexes]
    assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes)
    assert all(len(str(index.name)) <= 63 for index in indexes)  # PostgreSQL cuts longer names
