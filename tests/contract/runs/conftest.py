"""A real store, on a file and on PostgreSQL, a clock that tests set, and commands to put into it.

Every test that takes `url` or `store` runs on both databases, unless it takes `path` too, being about the
file, or uses `sqlite_only`, or its module says `DATABASES = ("sqlite",)`.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from psycopg.types.string import TextLoader

from pipeline.ids import ActorId, new_run_id
from pipeline.model import Mode, Request
from pipeline.runs.database import SqliteDatabase
from pipeline.runs.sqlite import SqliteFile
from pipeline.runs.store import Store, open_store

Ask: TypeAlias = Callable[..., Request]
Look: TypeAlias = Callable[..., list[tuple[Any, ...]]]


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    time: datetime = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
    seconds: float = field(default=0.0)

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.time

    def monotonic(self) -> float:
        """Return the seconds that were passed."""
        return self.seconds

    def pass_time(self, seconds: float = 1.0) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that stands still at 2026-11-23 14:02 UTC."""
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store's file will be; neither it nor its folder is there yet."""
    return tmp_path / "data" / "runs.sqlite"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on every database that it is about."""
    if "database" not in metafunc.fixturenames:
        return
    own = set(inspect.signature(metafunc.function).parameters)
    own |= {name for mark in metafunc.definition.iter_markers("usefixtures") for name in mark.args}
    both = getattr(metafunc.module, "DATABASES", ("sqlite", "postgres"))
    metafunc.parametrize("database", ["sqlite"] if own & {"path", "sqlite_only"} else both)


@pytest.fixture
def sqlite_only() -> None:
    """Say of a test that it is about SQLite alone."""


@pytest.fixture
def url(database: str, path: Path, request: pytest.FixtureRequest) -> str:
    """Return the store's URL."""
    return f"sqlite:///{path}" if database == "sqlite" else str(request.getfixturevalue("postgres_url"))


@cache
def _empty_file() -> bytes:
    """Return a store's file as it is at first, made once: migrations have tests of their own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "runs.sqlite"
        asyncio.run(open_store(f"sqlite:///{file}").close())
        return file.read_bytes()


@pytest.fixture
def made(database: str, path: Path) -> None:
    """Put an empty store where a file is to be."""
    if database == "sqlite":
        path.parent.mkdir(mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(_empty_file())


@pytest.fixture
async def store(url: str, clock: HandClock, made: None) -> AsyncIterator[Store]:
    """Open a store and close it again."""
    del made
    opened = open_store(url, clock=clock, lock_wait=0.3)
    yield opened
    await opened.close()


@pytest.fixture
def ask() -> Ask:
    """Return a maker of commands."""

    def make(identifier: str = "CN=Ada Lovelace,DC=contoso,DC=test", mode: Mode = Mode.PROVISION) -> Request:
        return Request(new_run_id(), mode, identifier, ActorId("T0/U0"), "contoso")

    return make


def file_of(store: Store) -> SqliteFile:
    """Return the open file of a store that is one."""
    assert isinstance(store._database, SqliteDatabase)
    return store._database.file


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file past the store, as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def look(url: str, path: Path) -> Look:
    """Return a way to ask the database itself, by SQL, through a connection that is not the store's."""

    def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        if url.startswith("sqlite"):
            with raw(path) as connection:
                return connection.execute(sql, parameters).fetchall()
        with psycopg.connect(url) as server:
            server.adapters.register_loader("json", TextLoader)  # as it stands, not decoded
            answer = server.execute(sql.replace("?", "%s"), parameters)
            return answer.fetchall() if answer.description else []

    return rows
