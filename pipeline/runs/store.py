"""The store of runs. Every method answers from the database or raises StoreUnavailable, nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, text

from pipeline.clock import SystemClock
from pipeline.documents import DocumentError, from_document, request_from_document
from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, Run
from pipeline.ports import Clock
from pipeline.runs import interruption, rows
from pipeline.runs.database import Database, SqliteDatabase
from pipeline.runs.records import Accepted, JournalEntry
from pipeline.runs.sqlite import path_of
from pipeline.runs.troubles import sentence, translated

POSTGRES: Final = ("postgresql:", "postgresql+psycopg:", "postgres:")
"""How the URL of a PostgreSQL database begins."""

_PURGED_AT_ONCE: Final = 200

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def open_store(url: str, *, guest: bool = False, clock: Clock | None = None, lock_wait: float = 5.0) -> Store:
    """Open the store that a URL names, making or migrating it as needed. Blocks for some milliseconds.

    There is one host to a SQLite file: the process that accepts runs and executes them; a second one is
    refused. A `guest` is a command beside it that saves runs of its own and reads history, and may neither
    accept, claim nor clean up. `lock_wait` is how long, in seconds, a statement waits for another program's
    lock.

    A PostgreSQL database has any number of hosts. Times are the server's then, unless a clock is given.

    Raises StoreUnavailable: bad URL, folder or file not usable, damaged, of a later version, or in use.
    """
    if url.startswith(POSTGRES):
        from pipeline.runs.postgres import PostgresDatabase  # noqa: PLC0415 -- seldom needed

        with translated():
            return Store(PostgresDatabase(url), clock, guest=guest)
    path = path_of(url)
    with translated(path):
        return Store(SqliteDatabase(url, guest=guest, lock_wait=lock_wait), clock, guest=guest)


class Store:
    """Runs, their journal, deliveries and notices. Fulfils the ports RunStore and Journal.

    Statements are plain functions that run in a thread: one for all writes, in the order of the calls, and
    one for reads. A write that was begun is carried out even when its caller is cancelled meanwhile.
    """

    def __init__(self, database: Database, clock: Clock | None, *, guest: bool) -> None:
        self._database: Final = database
        self._own_clock: Final = clock
        self._clock: Final = clock or SystemClock()
        self._guest: Final = guest
        self._closed = False

    # -- the port RunStore -------------------------------------------------------------------------------

    async def save(self, run: Run) -> None:
        """Store the run as it now stands. A run that has ended does not run again.

        Progress does not wait for the disk: after a power cut the journal decides what is said of the run.
        """
        await self._write(
            lambda connection: rows.save(connection, run, self._now(connection)),
            durable=run.outcome is not Outcome.RUNNING,
            about=run.run_id,
        )

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        return await self._read(lambda c: _optional(from_document, rows.document_of(c, run_id)))

    # -- the port Journal --------------------------------------------------------------------------------

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object]) -> int:
        """Record, durably, that a write is about to be sent. Return the entry's number.

        Refused unless the run is claimed, or saved as running, and has not ended.
        """
        return await self._write(lambda c: rows.intend(c, run_id, step, detail, self._now(c)))

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of it: `done`, `refused` or `unknown`; only `unknown` may be settled again."""
        await self._write(lambda c: rows.settle(c, entry, outcome, detail, self._now(c)))

    async def journal(self, run_id: RunId) -> tuple[JournalEntry, ...]:
        """Return the journal of a run, in the order in which the writes were intended."""
        return await self._read(lambda connection: rows.entries(connection, run_id))

    # -- commands: accepted once, executed once ----------------------------------------------------------

    async def accept(
        self, request: Request, *, delivery: str | None, notice: Mapping[str, object] | None = None
    ) -> Accepted:
        """Store a command in one transaction; when this returns it survives a crash and can be acknowledged.

        `delivery` is the key by which a repeated delivery is recognised: it gives the first run's id, with
        `new` false. `notice` is what the surface has to remember about where to answer.
        """
        self._require_host()
        return await self._write(
            lambda c: rows.accept(c, request, delivery=delivery, notice=notice, now=self._now(c))
        )

    async def claim(self, run_id: RunId) -> bool:
        """Take a queued run to execute it: True once, False for everyone after.

        Does not wait for the disk: the first intent does, and before it there is nothing to lose.
        """
        self._require_host()
        return await self._write(
            lambda connection: rows.claim(connection, run_id, self._now(connection)), durable=False
        )

    async def pending(self, run_id: RunId) -> Request | None:
        """Return the request of an accepted run that has not ended; None of any other."""
        return await self._read(lambda c: _optional(request_from_document, rows.request_of(c, run_id)))

    async def unfinished(self) -> list[RunId]:
        """Return the runs that have not ended, oldest first."""
        return await self._read(rows.unfinished)

    async def interrupt_unfinished(self) -> list[RunId]:
        """End the runs that a former process left in the middle; queued ones stay queued. For the start.

        They end as `interrupted`, or as `unknown` where a write was sent and its answer is not recorded.
        Returns the ids of the ended, oldest first.
        """
        self._require_host()

        def end(connection: Connection) -> list[RunId]:
            with self._database.without_guests() as alone:
                return self._interrupt(connection, guests=alone)

        return await self._write(end)

    def _interrupt(self, connection: Connection, *, guests: bool) -> list[RunId]:
        now = self._now(connection)
        ended = []
        for row in rows.running(connection, guests=guests):
            run_id = RunId(row.run_id)
            journal = rows.entries(connection, run_id)
            try:
                run = from_document(row.document)
            except DocumentError as error:
                _log.warning("%s (%s)", sentence(error), run_id)
                rows.end_unreadable(connection, run_id, interruption.outcome_of(journal), now)
            else:
                rows.save(connection, interruption.interrupted(run, journal, now), now)
            ended.append(run_id)
        return ended

    # -- what the surface remembers ----------------------------------------------------------------------

    async def notice(self, run_id: RunId) -> Mapping[str, Any] | None:
        """Return what the surface stored about a run, or None."""
        return await self._read(lambda connection: rows.notice_of(connection, run_id))

    async def save_notice(self, run_id: RunId, document: Mapping[str, object]) -> None:
        """Store what the surface wants to remember about a run, in place of what it stored before."""
        await self._write(lambda c: rows.save_notice(c, run_id, document, self._now(c)), about=run_id)

    async def ended_with(self, flag: str) -> list[RunId]:
        """Return the ended runs in whose notice the surface has set this flag (a key), oldest first."""
        return await self._read(lambda connection: rows.ended_with(connection, flag))

    async def history(self, named: str | None = None, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first: all, or of one object by GUID, DN or a name it was asked by.

        A run that this version cannot read is left out, with a line in the log.
        """
        found = await self._read(lambda connection: rows.history(connection, named, limit))
        readable = []
        for row in found:
            try:
                readable.append(from_document(row.document))
            except DocumentError as error:
                _log.warning("%s (%s)", sentence(error), row.run_id)
        return readable

    # -- the store itself --------------------------------------------------------------------------------

    async def purge(self, before: datetime) -> int:
        """Delete the runs that ended before then, with their journal, deliveries and notices.

        Some at a time, so that no other write waits long. Returns how many went.
        """
        self._require_host()
        gone = 0
        while (went := await self._write(lambda c: rows.purge(c, before, _PURGED_AT_ONCE))) > 0:
            gone += went
        return gone

    async def ping(self) -> None:
        """Return when the store can be read and written."""
        await self._write(self._database.probe)
        await self._read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def close(self) -> None:
        """Finish the writes that were begun, then close the file and let go of it. May be called again."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._database.close)

    def _now(self, connection: Connection) -> datetime:
        """Return the time that all processes of this store agree on."""
        if self._own_clock is not None:
            return self._own_clock.now()
        return self._database.now(connection) or self._clock.now()

    async def _write(
        self, statements: Callable[[Connection], _T], *, durable: bool = True, about: RunId | None = None
    ) -> _T:
        """Carry out statements in one transaction, after those about the same run asked for before.

        A durable one is on the disk when this returns, and so are all before it. Once begun it is carried out
        even when the caller is cancelled.
        """
        self._require_open()
        answer = asyncio.wrap_future(self._database.write(statements, durable=durable, about=about))
        answer.add_done_callback(_noticed)
        return await asyncio.shield(answer)

    async def _read(self, statements: Callable[[Connection], _T]) -> _T:
        self._require_open()
        return await asyncio.wrap_future(self._database.read(statements))

    def _require_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("The run store is closed.")

    def _require_host(self) -> None:
        if self._guest:
            raise StoreUnavailable("A guest of the run store neither accepts nor takes up runs.")


def _noticed(future: asyncio.Future[Any]) -> None:
    """Take note of an error whose caller was cancelled; it stands in the log already."""
    if not future.cancelled():
        future.exception()


def _optional(read: Callable[[Any], _T], document: Any | None) -> _T | None:
    return None if document is None else read(document)


__all__ = ["Accepted", "JournalEntry", "Store", "open_store"]
