"""Logs: an error is told by its type and its way, never by its words."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.logs import set_up_logs

CANARY = "c4n4ry-of-a-person"


@contextmanager
def logs() -> Iterator[None]:
    """Set the logs up as the process does, and put pytest's back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    set_up_logs()
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level


def fail() -> None:
    """Fail with a value in the message, twice over."""
    known: dict[str, str] = {}
    try:
        known[CANARY].strip()
    except KeyError as error:
        raise ValueError(f"no mobile phone like {CANARY}") from error


def test_an_error_is_told_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Type, cause and place are there; neither message is."""
    with logs():
        try:
            fail()
        except ValueError:
            logging.getLogger("bot").exception("run 1 met a defect")
    line = capsys.readouterr().err

    assert "run 1 met a defect" in line
    assert "ValueError < KeyError" in line
    assert "test_logs.py" in line
    assert CANARY not in line
    assert line.count("\n") == 1


def test_an_error_that_nobody_fetched_is_told_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What asyncio says of a forgotten task holds the error's text: it is cut."""

    async def forget() -> None:
        async def work() -> None:
            fail()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert task.done()
        del task
        gc.collect()

    with logs():
        asyncio.run(forget())
    line = capsys.readouterr().err

    assert "never retrieved" in line
    assert CANARY not in line
