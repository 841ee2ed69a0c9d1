"""Store trouble is one clear sentence, nothing is recorded by halves, and it ends when the trouble ends."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection

from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Request, new_run
from pipeline.runs.store import Store, open_store
from tests.contract.runs.conftest import file_of

Ask = Callable[..., Request]
Look = Callable[..., list[tuple[Any, ...]]]

EVERY_USE: list[Any] = [
    pytest.param(lambda store, run: store.save(run), id="save"),
    pytest.param(lambda store, run: store.load(run.run_id), id="load"),
    pytest.param(lambda store, run: store.intend(run.run_id, "create", {}), id="intend"),
    pytest.param(lambda store, _run: store.settle(1, "done", {}), id="settle"),
    pytest.param(lambda store, run: store.journal(run.run_id), id="journal"),
    pytest.param(lambda store, _run: store.claim(), id="claim"),
    pytest.param(lambda store, run: store.renew({run.run_id: 1}), id="renew"),
    pytest.param(lambda store, run: store.put_back(run.run_id, 1), id="put_back"),
    pytest.param(lambda store, run: store.cancel(run.run_id, "T/U"), id="cancel"),
    pytest.param(lambda store, run: store.hold(run.run_id, "8b1a"), id="hold"),
    pytest.param(lambda store, run: store.keep(run.run_id), id="keep"),
    pytest.param(lambda store, run: store.go_on_keeping([run.run_id]), id="go_on_keeping"),
    pytest.param(lambda store, _run: store.waiting(), id="waiting"),
    pytest.param(lambda store, _run: store.release_orphans(), id="release_orphans"),
    pytest.param(lambda store, run: store.pending(run.run_id), id="pending"),
    pytest.param(lambda store, _run: store.unfinished(), id="unfinished"),
    pytest.param(lambda store, _run: store.end_deserted(), id="end_deserted"),
    pytest.param(lambda store, run: store.notice(run.run_id), id="notice"),
    pytest.param(lambda store, run: store.save_notice(run.run_id, {}), id="save_notice"),
    pytest.param(lambda store, _run: store.ended_with("open"), id="ended_with"),
    pytest.param(lambda store, run: store.purge(run.started_at), id="purge"),
    pytest.param(lambda store, _run: store.history(), id="history"),
    pytest.param(lambda store, _run: store.ping(), id="ping"),
]


def refused(url: str) -> StoreUnavailable:
    """Try to open a store that cannot be opened; return why."""
    with pytest.raises(StoreUnavailable) as trouble:
        open_store(url)
    assert trouble.value.remedy
    return trouble.value


@pytest.mark.parametrize("use", EVERY_USE)
async def test_every_use_of_a_damaged_store_is_told(store: Store, path: Path, ask: Ask, use: Any) -> None:
    """Whatever is asked of a damaged file, the answer is StoreUnavailable and never another error."""
    run = new_run(ask(), store._clock.now())
    await store.save(run)
    await store.intend(run.run_id, "create", {})
    for companion in (path, path.with_name(path.name + "-wal")):
        companion.write_bytes(os.urandom(companion.stat().st_size))
    file_of(store).writer.dispose()
    file_of(store).reader.dispose()
    with pytest.raises(StoreUnavailable, match=r"damaged|failed|reports errors|cannot be opened"):
        await use(store, run)


async def test_every_use_of_a_closed_store_is_told(store: Store, ask: Ask) -> None:
    """A call that comes after closing is refused in words; closing twice is nothing."""
    await store.close()
    await store.close()
    run = new_run(ask(), store._clock.now())
    uses = (use.values[0](store, run) for use in EVERY_USE)
    answers = await asyncio.gather(*uses, return_exceptions=True)
    told = [answer.message if isinstance(answer, StoreUnavailable) else answer for answer in answers]
    assert dict(zip([use.id for use in EVERY_USE], told, strict=True)) == {
        use.id: "The run store is closed." for use in EVERY_USE
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("sqlite://", "must name a file", id="memory"),
        pytest.param("sqlite:///:memory:", "must name a file", id="memory by name"),
        pytest.param("sqlite:////tmp/a?mode=ro", "must name a file", id="options"),
        pytest.param("sqlite://host/a", "must name a file", id="two slashes"),
        pytest.param("mysql://me:hunter2@db/runs", "not in mysql", id="another database"),
        pytest.param("hunter2", "cannot be read", id="no URL"),
        pytest.param("", "cannot be read", id="empty"),
    ],
)
def test_a_url_that_is_no_store(url: str, said: str) -> None:
    """A wrong URL is explained without being quoted, for it may hold a password."""
    trouble = refused(url)
    assert said in trouble.message
    assert "hunter2" not in "".join(traceback.format_exception(trouble))


def test_a_folder_in_the_place_of_the_file(url: str, path: Path) -> None:
    """A folder where the file should be is said at start, with its path for the operator."""
    path.mkdir(parents=True)
    trouble = refused(url)
    assert "cannot be opened" in trouble.message
    assert str(path) in trouble.message


@pytest.mark.parametrize("below", ["runs.sqlite", "deeper/runs.sqlite"])
def test_a_file_in_the_place_of_the_folder(tmp_path: Path, below: str) -> None:
    """A file where the folder should be is said at start."""
    (tmp_path / "data").write_text("not a folder")
    assert "is not a folder" in refused(f"sqlite:///{tmp_path}/data/{below}").message


@pytest.mark.parametrize("kept", [0, 100], ids=["all of it", "all but the header"])
def test_a_damaged_file_at_start(url: str, path: Path, kept: int) -> None:
    """A file that is damaged, or no database, is refused at start and left as it is."""
    asyncio.run(open_store(url).close())
    damaged = path.read_bytes()[:kept] + b"\xa5" * 40_000
    path.write_bytes(damaged)
    assert "damaged" in refused(url).message
    assert path.read_bytes() == damaged


def test_another_programs_database_is_left_alone(url: str, path: Path) -> None:
    """A database with somebody else's tables is refused and not touched."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
        connection.commit()
    assert "another program's tables" in refused(url).message
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoices",)]


async def test_a_lock_of_another_program(store: Store, path: Path, ask: Ask) -> None:
    """A program that holds the database's lock is waited for, then named; reading goes on meanwhile."""
    request = ask()
    await store.accept(request, delivery=None, notice=None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            await store.claim()
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.ping()
        assert await store.load(request.run_id) is not None
        other.execute("COMMIT")
    await store.ping()
    assert await store.claim()


@pytest.mark.usefixtures("sqlite_only")
async def test_a_full_database(store: Store, ask: Ask) -> None:
    """With no room left nothing is recorded by halves; with room again the store works again."""
    run = new_run(ask(), store._clock.now())
    await store.save(run)
    await store._write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1").scalar_one())
    with pytest.raises(StoreUnavailable, match="disk that holds the run store is full"):
        await store.save(replace(run, warnings=("x" * 200_000,)))
    assert await store.load(run.run_id) == run
    await store._write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar_one())
    longer = replace(run, warnings=("x" * 200_000,))
    await store.save(longer)
    assert await store.load(run.run_id) == longer


@pytest.mark.usefixtures("sqlite_only")
async def test_a_connection_that_turned_read_only(store: Store, ask: Ask) -> None:
    """SQLite's own word for read-only is told as such, by a write and by the health check."""
    with file_of(store).writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="is read-only"):
        await store.accept(ask(), delivery=None, notice=None)
    with pytest.raises(StoreUnavailable, match="is read-only"):
        await store.ping()


def take_away(path: Path, *, replace_it: bool) -> None:
    """Delete a file, and put an empty one in its place where asked."""
    path.unlink()
    if replace_it:
        path.touch()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_file_taken_away(store: Store, path: Path, ask: Ask, how: str) -> None:
    """No intent goes into a file that has lost its name: it would be lost, and the write would not."""
    run = new_run(ask(), store._clock.now())
    await store.save(run)
    take_away(path, replace_it=how == "replaced")
    with pytest.raises(StoreUnavailable, match="moved, deleted or replaced"):
        await store.intend(run.run_id, "create", {})
    with pytest.raises(StoreUnavailable, match="moved, deleted or replaced"):
        await store.ping()


async def test_an_error_carries_no_evidence(store: Store, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error with all its causes nor the log shows what was to be stored."""
    request = ask("hunter2")
    await store.accept(request, delivery=None, notice=None)
    with pytest.raises(StoreUnavailable) as trouble:
        await store.accept(request, delivery="hunter2", notice={"a": "hunter2"})
    assert "contradicts" in trouble.value.message
    assert "hunter2" not in "".join(traceback.format_exception(trouble.value.__cause__, chain=True))
    assert "hunter2" not in caplog.text
    assert "SQLITE_CONSTRAINT" in caplog.text or "UniqueViolation" in caplog.text


async def test_a_line_from_a_thread_says_which_run_it_is_about(store: Store, ask: Ask) -> None:
    """What the store logs in its threads carries the run of whoever asked, alone or beside others."""
    said: list[tuple[str, object]] = []

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            del record
            bound = structlog.contextvars.get_contextvars()
            said.append((threading.current_thread().name, bound.get("run")))

    async def fail(run_id: RunId) -> None:
        def of_no_table(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT * FROM nowhere")

        with structlog.contextvars.bound_contextvars(run=run_id):
            outcomes = (store._write(of_no_table), store._read(of_no_table))
            await asyncio.gather(*outcomes, return_exceptions=True)

    names = [ask().run_id for _ in range(3)]
    logger, heard = logging.getLogger("pipeline.runs.troubles"), Heard()
    logger.addHandler(heard)
    try:
        await asyncio.gather(*map(fail, names))
    finally:
        logger.removeHandler(heard)
    assert {"writer" in thread for thread, _ in said} == {True, False}
    assert sorted(str(run) for _, run in said) == sorted(2 * names)


async def test_nobody_else_can_read_the_files(url: str, path: Path, ask: Ask) -> None:
    """Folder, file and its companions are the owner's alone, whatever the umask."""
    before = os.umask(0)
    try:
        store = open_store(url)
        await store.accept(ask(), delivery=None, notice=None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    names = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(names) >= {"runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "runs.sqlite.lock"}
    assert set(names.values()) == {0o600}
    await store.close()


# -- a disk of its own -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte; skipped where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603 -- fixed words
        pytest.skip("a disk of one megabyte (mounting is not allowed here)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603,S607 -- fixed words


async def test_a_full_disk(small_disk: Path, ask: Ask) -> None:
    """A disk that fills up: told as such, the run as it was before, and all well once there is room."""
    store = open_store(f"sqlite:///{small_disk}/runs.sqlite")
    run = new_run(ask(), store._clock.now())
    await store.save(run)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * shutil.disk_usage(small_disk).free)
    longer = replace(run, warnings=("x" * 1_100_000,))
    with pytest.raises(StoreUnavailable, match=r"is full|reports errors"):
        await store.save(longer)
    with pytest.raises(StoreUnavailable, match=r"is full|reports errors"):
        await store.ping()
    assert await store.load(run.run_id) == run
    filler.unlink()
    await store.ping()
    again = replace(run, warnings=("there is room",))
    await store.save(again)
    assert await store.load(run.run_id) == again
    await store.close()


async def test_a_read_only_disk(small_disk: Path) -> None:
    """A disk mounted read-only is told at start."""
    url = f"sqlite:///{small_disk}/runs.sqlite"
    await open_store(url).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: ASYNC221,S603,S607 -- fixed words
    assert "is read-only" in refused(url).message


async def test_trouble_does_not_stop_the_next_call(store: Store, ask: Ask) -> None:
    """After a failed statement the same connection serves the next one, also when many fail at once."""
    request = ask()
    await store.accept(request, delivery=None, notice=None)
    again = (store.accept(request, delivery=str(n), notice=None) for n in range(20))
    answers = await asyncio.gather(*again, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert await store.claim()
