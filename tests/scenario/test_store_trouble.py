"""A store that fails under a running bot: nothing is written to Entra ID, people are told, health is red."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from pipeline.runs.database import SqliteDatabase
from pipeline.runs.sqlite import SqliteFile
from tests.fixtures.scene import Scene, scene_with

Undo = Callable[[], None]


def database_of(scene: Scene) -> SqliteDatabase:
    """Return the database of the bot's store."""
    database = scene.world.bot.systems.store._database
    assert isinstance(database, SqliteDatabase)
    return database


def file_of(scene: Scene) -> SqliteFile:
    """Return its open file."""
    return database_of(scene).file


def reconnect(scene: Scene) -> None:
    """Let the bot open the file anew: each connection is closed by the thread that uses it."""
    database = database_of(scene)
    database._writer._thread.submit(database.file.writer.dispose).result()
    database._reader.submit(database.file.reader.dispose).result()


def pragma(scene: Scene, text: str) -> None:
    """Set something on the connection that writes."""
    with file_of(scene).writer.connect() as connection:
        connection.exec_driver_sql(text)


def full(scene: Scene) -> Undo:
    """Leave no room for another page."""
    pragma(scene, "PRAGMA max_page_count = 1")
    return lambda: pragma(scene, "PRAGMA max_page_count = 1000000")


def read_only(scene: Scene) -> Undo:
    """Let nothing be written."""
    pragma(scene, "PRAGMA query_only = ON")
    return lambda: reconnect(scene)  # the next connection is a new one


def locked(scene: Scene) -> Undo:
    """Let another program hold the lock."""
    pragma(scene, "PRAGMA busy_timeout = 200")
    other = sqlite3.connect(file_of(scene).path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def undo() -> None:
        other.execute("ROLLBACK")
        other.close()

    return undo


def corrupt(scene: Scene) -> Undo:
    """Overwrite the file with noise; there is no way back."""
    path = file_of(scene).path
    for file in (path, path.with_name(path.name + "-wal")):
        file.write_bytes(os.urandom(max(file.stat().st_size, 4096)))
    reconnect(scene)
    return lambda: None


TROUBLES = [
    (full, "full", "the disk is full"),
    (read_only, "read-only", "the file is read-only"),
    (locked, "locked by another program", "another program holds it"),
    (corrupt, "damaged", "the file is damaged"),
]


async def readiness(scene: Scene) -> tuple[int, str]:
    """Ask whether the bot is ready; return the status and what the store says."""
    address = f"http://127.0.0.1:{scene.world.bot.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, (await answer.json())["checks"]["store"]


@pytest.mark.parametrize(("trouble", "said", "reason"), TROUBLES[1:], ids=[row[2] for row in TROUBLES[1:]])
async def test_nothing_is_accepted_that_cannot_be_kept(
    tmp_path: Path, trouble: Callable[[Scene], Undo], said: str, reason: str
) -> None:
    """The command is answered with what is wrong, nothing is done, and health names the store."""
    del reason
    async with scene_with({}, tmp_path) as scene:
        undo = trouble(scene)
        answer = await scene.type(scene.people["create"])

        assert said in json.dumps(answer["ack"]["body"])
        assert scene.writes() == []
        assert scene.posted() == []
        assert await readiness(scene) == (503, "store_unavailable")
        undo()


@pytest.mark.parametrize(("trouble", "said", "reason"), TROUBLES[:3], ids=[row[2] for row in TROUBLES[:3]])
async def test_a_run_under_way_writes_nothing_before_it_can_be_kept(
    tmp_path: Path, trouble: Callable[[Scene], Undo], said: str, reason: str
) -> None:
    """It fails in the middle of a run: the message says why it waits; when it works again the run goes on."""
    del reason
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject({"match": {"path_regex": "batch"}, "times": 1, "then": {"delay_s": 1.0}})
        await scene.type(scene.people["create"])
        await scene.world.workspace.until(lambda: bool(scene.posted()), within=20)
        undo = trouble(scene)
        await scene.world.workspace.until(lambda: said in json.dumps(scene.posted()), within=20)
        assert scene.writes() == []
        undo()
        await scene.world.workspace.until(lambda: bool(scene.ended()), within=30)

        assert [write["path"] for write in scene.writes()].count("/v1.0/users") == 1
        assert len(scene.posted()) == 1
