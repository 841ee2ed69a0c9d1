"""A process that ends in the middle of a run: the next one finishes it, once, and the message is true."""

from __future__ import annotations

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
