"""In small: two replicas, and commands under a hail of kills; `make soak` does the same in large."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.city import City, city_on
from tests.chaos.processes import Nursery, memory
from tests.chaos.soaks import Toll, empty_tenant, people, soak
from tests.fixtures.postgres import PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def fresh(nursery: Nursery, url: str, folder: Path) -> AsyncIterator[City]:
    """Give a city whose tenant is empty."""
    async with city_on(nursery, url, folder) as city:
        city.reset(empty_tenant())
        yield city


def assert_nothing_lost(toll: Toll) -> None:
    """Assert that every command came to one true end."""
    assert toll.final == toll.commands
    assert (toll.doubled, toll.unfinished) == ([], 0)
    assert sum(toll.outcomes.values()) == toll.commands
    assert toll.outcomes["created"] == toll.commands, toll.line("soak")


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """Return a folder in memory, where there is one."""
    made = Path(tempfile.mkdtemp(prefix="fourcheck-soak-", dir=memory()))
    yield made
    shutil.rmtree(made)


async def test_thirty_commands_under_random_kills(nursery: Nursery, new_folder: Path) -> None:
    """A bot on a file is killed again and again while people type: 30 final messages, nobody twice."""
    async with fresh(nursery, f"sqlite:///{new_folder}/runs.db", new_folder) as city:
        toll = await soak(city, people(30), replicas=1, kill_each_s=(0.4, 1.0), seed=1)
    assert_nothing_lost(toll)
    assert toll.kills >= 2


@pytest.mark.xdist_group("chaos on PostgreSQL")
async def test_one_of_two_replicas_is_killed(
    nursery: Nursery, new_folder: Path, postgres: PostgresServer, server_url: str
) -> None:
    """Two bots on PostgreSQL, one dies in the middle of 24 commands: the other finishes all."""
    del postgres
    async with fresh(nursery, server_url, new_folder) as city:
        toll = await soak(city, people(24), replicas=2, kill_each_s=None, seed=1)
    assert_nothing_lost(toll)
    assert toll.seconds < 60


async def test_the_only_one_is_killed(nursery: Nursery, new_folder: Path) -> None:
    """A bot on a file dies in the middle of 24 commands and is started again: it finishes all."""
    async with fresh(nursery, f"sqlite:///{new_folder}/runs.db", new_folder) as city:
        toll = await soak(city, people(24), replicas=1, kill_each_s=None, seed=1)
    assert_nothing_lost(toll)
    assert toll.seconds < 60
