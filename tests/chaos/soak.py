"""`make soak`: the large numbers, one line each. Exit status 1 where anything is lost or doubled."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.city import City, city_on
from tests.chaos.processes import Nursery, memory
from tests.chaos.soaks import Toll, empty_tenant, people, soak
from tests.fixtures.postgres import PostgresServer

PATIENCE_S = 900.0


@asynccontextmanager
async def city(nursery: Nursery, url: str | None) -> AsyncIterator[City]:
    """Give a city with an empty tenant, on this store or on a file."""
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        async with city_on(nursery, url or f"sqlite:///{folder}/runs.db", Path(folder)) as made:
            made.reset(empty_tenant())
            yield made


async def all_soaks(nursery: Nursery, urls: list[str]) -> bool:
    """Run every soak and print its line; return whether all was well."""
    well = True

    def tell(name: str, toll: Toll) -> None:
        nonlocal well
        print(toll.line(name), flush=True)  # noqa: T201  # it is what this is for
        well &= toll.final == toll.commands and not toll.doubled and not toll.unfinished

    async with city(nursery, None) as made:
        toll = await soak(
            made, people(500), replicas=1, kill_each_s=(0.6, 2.0), seed=1, patience_s=PATIENCE_S
        )
        tell("random kills, SQLite", toll)
    async with city(nursery, urls[0]) as made:
        toll = await soak(made, people(200), replicas=2, kill_each_s=None, seed=1, patience_s=PATIENCE_S)
        tell("two replicas, one killed, PostgreSQL", toll)
    async with city(nursery, None) as made:
        toll = await soak(made, people(200), replicas=1, kill_each_s=None, seed=1, patience_s=PATIENCE_S)
        tell("one process, killed and restarted, SQLite", toll)
    async with city(nursery, urls[1]) as made:
        made.workspace.tier_limits = True
        toll = await soak(made, people(200), replicas=2, kill_each_s=None, seed=1, patience_s=PATIENCE_S)
        tell("the same two replicas within Slack's limits", toll)
    return well


def main() -> int:
    """Start what is needed and run the soaks."""
    server = PostgresServer()
    nursery = Nursery()
    try:
        server.start()
        urls = [server.url(server.new_database(empty=False)) for _ in range(2)]
        return 0 if asyncio.run(all_soaks(nursery, urls)) else 1
    finally:
        nursery.close()
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
