"""A nursery for the whole session, and contoso on either store for each module of tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.city import City, city_on
from tests.chaos.processes import Nursery, memory
from tests.fixtures.postgres import PostgresServer


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Keep the process that forks the others."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder in memory, where there is one: a killed process leaves its writes to the kernel."""
    made = Path(tempfile.mkdtemp(prefix="fourcheck-chaos-", dir=memory()))
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def file_city(nursery: Nursery, folder: Path) -> AsyncIterator[City]:
    """Give contoso whose store is a file."""
    async with city_on(nursery, f"sqlite:///{folder}/runs.db", folder) as made:
        yield made


@pytest.fixture(scope="module")
def server_url(postgres: PostgresServer) -> Iterator[str]:
    """Return the address of a database with the store's tables, and nothing in them."""
    name = postgres.new_database(empty=False)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server_city(
    nursery: Nursery, folder: Path, server_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[City]:
    """Give contoso whose store is PostgreSQL; a module of tests may have settings of its own in `MORE`."""
    (folder / "shared").mkdir()
    more = getattr(request.module, "MORE", {})
    async with city_on(nursery, server_url, folder / "shared", **more) as made:
        yield made
