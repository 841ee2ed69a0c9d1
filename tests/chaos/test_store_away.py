"""PostgreSQL goes away in the middle of a run and comes back: it ends right, and nothing false is said."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from bot.views.plain import blocks_as_text
from pipeline.model import Outcome
from tests.chaos.city import LEASE_S, City
from tests.fixtures.postgres import PostgresServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("chaos on PostgreSQL")]

AWAY_S = (2.0, 15.0, 36.0) if os.environ.get("CHAOS_EVERYWHERE") else (2.0,)
"""For how long, in seconds: `make chaos` waits for longer than a lease, a pool and a request do."""


@pytest.mark.parametrize("away_s", AWAY_S)
async def test_the_store_goes_away_between_a_write_and_its_outcome(
    server_city: City, postgres: PostgresServer, away_s: float
) -> None:
    """The creation is in effect and not recorded; what is asked for meanwhile is refused, not forgotten."""
    city = server_city
    await city.living()
    city.reset()
    gone = asyncio.Event()

    async def after(number: int) -> None:
        if number == 1:
            await asyncio.to_thread(postgres.stop)
            gone.set()

    city.tenant.after = after
    await city.type(city.people["create"])
    await asyncio.wait_for(gone.wait(), 15)
    refused = await city.type(city.people["update-three"])
    await asyncio.sleep(away_s)
    assert city.ended() == []
    assert city.effects() == ["POST users"]
    await asyncio.to_thread(postgres.start)
    (message,) = await city.until_ended(within=LEASE_S + 15)
    await city.until_settled()

    assert "run store" in json.dumps(refused["ack"]["body"])
    assert sorted(city.effects()) == ["POST users", "PUT users/manager/$ref"]
    said = blocks_as_text(message["blocks"])
    assert "Ada Lovelace was created in Entra ID" in said
    assert "stopped" not in said
    assert len(city.posted()) == 1
    ((run, journal),) = await city.runs(1)
    assert run.outcome is Outcome.CREATED
    assert [(entry.step, entry.outcome) for entry in journal] == [
        ("create user", "done"),
        ("link manager", "done"),
    ]
    assert (await city.type(city.people["update-three"]))["ok"]
    await city.until_ended(2)
