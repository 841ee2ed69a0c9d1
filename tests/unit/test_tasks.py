"""Work after an acknowledgement: held, waited for, cancelled when its time is up."""

from __future__ import annotations

import asyncio

import pytest

from bot.tasks import Tasks


async def test_work_is_waited_for() -> None:
    """What is under way at the end is done before the end."""
    tasks = Tasks()
    done = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append(1)

    tasks.start(work(), "work")

    assert await tasks.drain(5) == 0
    assert done == [1]


async def test_work_that_starts_more_is_waited_for_as_well() -> None:
    """A run's message may be started while the process already stops."""
    tasks = Tasks()
    done = []

    async def second() -> None:
        await asyncio.sleep(0.01)
        done.append(2)

    async def first() -> None:
        await asyncio.sleep(0.01)
        tasks.start(second(), "second")

    tasks.start(first(), "first")

    assert await tasks.drain(5) == 0
    assert done == [2]


async def test_what_does_not_end_is_cancelled() -> None:
    """The grace is a limit: what still runs then is cancelled and counted."""
    tasks = Tasks()
    tasks.start(asyncio.Event().wait(), "for ever")

    assert await tasks.drain(0.05) == 1


async def test_an_error_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for the work, so its error must not be silence."""

    async def work() -> None:
        raise ValueError

    tasks = Tasks()
    tasks.start(work(), "answer a click")
    await tasks.drain(1)

    assert "answer a click ended with an error" in caplog.text
