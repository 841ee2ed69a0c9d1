"""A process that ends in the middle of a run: the next one finishes it, once, and the message is true."""

from __future__ import annotations

import signal

import pytest

from bot.views.plain import blocks_as_text
from tests.chaos.conftest import City

MOMENTS = [
    ("begun", 1, "before anything was read"),
    ("intent.after", 1, "the creation was announced and not sent"),
    ("write.after", 1, "the creation was answered and not recorded"),
    ("outcome.after", 1, "the creation was recorded, the rest had not begun"),
    ("end.before", 1, "everything was written and the end not recorded"),
]


@pytest.mark.parametrize(("moment", "turn", "reason"), MOMENTS, ids=[row[0] for row in MOMENTS])
async def test_a_killed_process_leaves_one_user(city: City, moment: str, turn: int, reason: str) -> None:
    """Killed there and started again: one user, one message, and it says that the user was created."""
    del reason
    async with city.bot(end_at=moment, end_on=turn) as first:
        await city.type(city.people["create"])
        assert await first.ended() == -9
    async with city.bot():
        (message,) = await city.until_ended()

    assert len(city.creations()) == 1
    assert len(city.posted()) == 1
    assert "was created" in blocks_as_text(message["blocks"])


FROZEN = [
    ("intent.after", "announced, and frozen before it was sent"),
    ("write.before", "frozen directly before it was sent"),
    ("write.after", "sent and answered, and frozen before that was recorded"),
]


@pytest.mark.parametrize(("moment", "reason"), FROZEN, ids=[row[1] for row in FROZEN])
async def test_a_frozen_process_writes_nothing_after_the_thaw(
    shared_city: City, moment: str, reason: str
) -> None:
    """Frozen for longer than its lease: another process finishes the run, and the thawed one keeps out."""
    del reason
    city = shared_city
    async with city.bot(end_at=moment, how="SIGSTOP") as frozen:
        await city.type(city.people["create"])
        async with city.bot():
            (message,) = await city.until_ended(within=40)
            assert len(city.creations()) == 1
            frozen.send(signal.SIGCONT)
            await city.type(city.people["unchanged"])
            await city.until_ended(2)
            await city.workspace.until(lambda: len(city.posted()) == 2, within=5)

    assert len(city.creations()) == 1
    assert "was created" in blocks_as_text(message["blocks"])
    assert all("run_again" in str(shown["blocks"]) for shown in city.posted())


async def test_the_other_replica_takes_over(shared_city: City) -> None:
    """Two processes, one of them killed in the middle of a write: the other one finishes, within seconds."""
    city = shared_city
    async with city.bot(end_at="write.after") as first:
        await city.type(city.people["create"])
        assert await first.ended() == -9
        async with city.bot():
            (message,) = await city.until_ended(within=20)

    assert len(city.creations()) == 1
    assert len(city.posted()) == 1
    assert "was created" in blocks_as_text(message["blocks"])


async def test_a_run_that_ends_three_processes_is_set_aside(city: City) -> None:
    """It is not tried for ever: it ends in words, offers another run, and the others go on (R20)."""
    await_ends = [city.bot(end_at="stage.stored") for _ in range(3)]
    for turn, starting in enumerate(await_ends):
        async with starting as process:
            if turn == 0:
                await city.type(city.people["create"])
            assert await process.ended() == -9
    async with city.bot():
        (message,) = await city.until_ended()
        assert "set it aside" in blocks_as_text(message["blocks"])
        await city.type(city.people["unchanged"])
        await city.until_ended(2)
    assert city.creations() == []
