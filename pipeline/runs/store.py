"""The store of runs. Every method answers from the database or raises StoreUnavailable, nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, text
from ulid import ULID

from pipeline import interruption
from pipeline.clock import SystemClock
from pipeline.documents import DocumentError, from_document, request_from_document
from pipeline.errors import StoreUnavailable
from pipeline.ids import ActorId, ObjectGuid, RunId
from pipeline.model import Outcome, Request, Run
from pipeline.ports import Clock, Holder, Lease
from pipeline.runs import leases, rows
from pipeline.runs.database import Database, SqliteDatabase
from pipeline.runs.leases import Term
from pipeline.runs.records import Accepted, Claimed, JournalEntry
from pipeline.runs.sqlite import path_of
from pipeline.runs.tables import QUEUED, RUNNING
from pipeline.runs.troubles import sentence, translated

POSTGRES: Final = ("postgresql:", "postgresql+psycopg:", "postgres:")
"""How the URL of a PostgreSQL database begins."""

LEASE_S: Final = 10.0
"""For how long a process has a run before it has to say again that it lives, in seconds."""

GUEST_LEASE_S: Final = 900.0
"""The same for a command line, which says so with every state that it saves."""

_PURGED_AT_ONCE: Final = 200

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def open_store(
    url: str,
    *,
    guest: bool = False,
    clock: Clock | None = None,
    lock_wait: float = 5.0,
    lease_s: float = LEASE_S,
) -> Store:
    """Open the store that a URL names, making it as needed, or migrating it: never for a guest.

    Blocks for some milliseconds.

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
            return Store(PostgresDatabase(url, guest=guest), clock, guest=guest, lease_s=lease_s)
    path = path_of(url)
    with translated(path):
        database = SqliteDatabase(url, guest=guest, lock_wait=lock_wait)
        return Store(database, clock, guest=guest, lease_s=lease_s)


class Store:
    """Runs, their journal, deliveries and notices. Fulfils the ports RunStore and Journal.

    Statements are plain functions that run in a thread: one for all writes, in the order of the calls, and
    one for reads. A write that was begun is carried out even when its caller is cancelled meanwhile.
    """

    def __init__(self, database: Database, clock: Clock | None, *, guest: bool, lease_s: float) -> None:
        self.lease_s = lease_s
        self._owner: Final = f"{socket.gethostname()} {os.getpid()} {ULID()}"
        self._database: Final = database
        self._own_clock: Final = clock
        self._clock: Final = clock or SystemClock()
        self._guest: Final = guest
        self._closed = False

    # -- the port RunStore -------------------------------------------------------------------------------

    async def save(self, run: Run, *, epoch: int = 0) -> None:
        """Store the run as it now stands. A run that has ended does not run again.

        Progress does not wait for the disk: after a power cut the journal decides what is said of the run.
        """

        def statements(connection: Connection) -> None:
            term = self._term(connection, GUEST_LEASE_S) if epoch == 0 else None
            rows.save(connection, run, self._now(connection), epoch=epoch, term=term)
            if run.outcome is not Outcome.RUNNING:
                self._database.notify(connection)

        await self._write(statements, durable=run.outcome is not Outcome.RUNNING, about=run.run_id)

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        return await self._read(lambda c: _optional(from_document, rows.document_of(c, run_id)))

    async def hold(self, run_id: RunId, guid: ObjectGuid, *, epoch: int = 0) -> Holder | None:
        """Give a run that object to itself until it ends, or return who has it."""
        row = await self._write(lambda c: leases.hold(c, run_id, epoch, guid), durable=False, about=run_id)
        if row is None:
            return None
        return Holder(RunId(row.run_id), ActorId(row.actor), row.created_at, row.document)

    # -- the port Journal --------------------------------------------------------------------------------

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object], *, epoch: int = 0) -> int:
        """Record, durably, that a write is about to be sent. Return the entry's number.

        Refused unless the run is executed under this epoch (0: it was saved as running, and never accepted).
        The lease begins anew with it.
        """
        return await self._write(
            lambda c: rows.intend(c, run_id, step, detail, self._term(c), epoch=epoch), about=run_id
        )

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of it: `done`, `refused`, `absent`, `unknown`; only the last is settled again."""
        await self._write(lambda c: rows.settle(c, entry, outcome, detail, self._now(c)))

    async def journal(self, run_id: RunId) -> tuple[JournalEntry, ...]:
        """Return the journal of a run, in the order in which the writes were intended."""
        return await self._read(lambda connection: rows.entries(connection, run_id))

    # -- commands: accepted once, executed once ----------------------------------------------------------

    async def accept(
        self,
        request: Request,
        *,
        delivery: str | None,
        notice: Mapping[str, object] | None = None,
        begin: bool = False,
    ) -> Accepted:
        """Store a command in one transaction; when this returns it survives a crash and can be acknowledged.

        `delivery` is the key by which a repeated delivery is recognised: it gives the first run's id, with
        `new` false. `notice` is what the surface has to remember about where to answer. `begin`: take it on
        lease at once, and be in charge of its notice, rather than leave it to whoever claims it.
        """
        (accepted,) = await self.accept_all([request], delivery=delivery, notices=[notice], begin=int(begin))
        return accepted

    async def accept_all(
        self,
        requests: Sequence[Request],
        *,
        delivery: str | None,
        notices: Sequence[Mapping[str, object] | None],
        begin: int = 0,
    ) -> tuple[Accepted, ...]:
        """Store the commands of one delivery in one transaction: all of them or none; as `accept` does.

        A repeated delivery gives the first run's id alone. `begin`: how many, from the first on, to lease.
        """
        self._require_host()

        def statements(connection: Connection) -> tuple[Accepted, ...]:
            term = self._term(connection)
            found: list[Accepted] = []
            for request, notice in zip(requests, notices, strict=True):
                accepted = rows.accept(
                    connection,
                    request,
                    delivery=None if found else delivery,
                    notice=notice,
                    now=term.now,
                    begins=term if len(found) < begin else None,
                )
                found.append(accepted)
                if not accepted.new:
                    return tuple(found)
            if begin < len(found):
                self._database.notify(connection)
            return tuple(found)

        return await self._write(statements, about=requests[0].run_id)

    async def pending(self, run_id: RunId) -> Request | None:
        """Return the request of an accepted run that has not ended; None of any other."""
        return await self._read(lambda c: _optional(request_from_document, rows.request_of(c, run_id)))

    async def unfinished(self) -> list[RunId]:
        """Return the runs that have not ended, oldest first."""
        return await self._read(rows.unfinished)

    # -- the port RunQueue -------------------------------------------------------------------------------

    async def claim(self, limit: int = 100, *, besides: Collection[RunId] = ()) -> tuple[Lease, ...]:
        """Take the oldest runs that wait, and those whose process has let its lease run out.

        Not those `besides`, which this process is still at work on: it may be late, and has not ended.

        Does not wait for the disk: the first intent does, and before it there is nothing to lose. A run
        whose request this version cannot read is ended.
        """
        self._require_host()

        def statements(connection: Connection) -> tuple[Lease, ...]:
            term = self._term(connection)
            return tuple(
                lease
                for row in leases.claim(connection, term, limit, besides)
                if (lease := self._readable(connection, row, term.now)) is not None
            )

        return await self._write(statements, durable=False)

    def _readable(self, connection: Connection, row: Claimed, now: datetime) -> Lease | None:
        try:
            return _lease(row)
        except DocumentError as error:
            _log.warning("%s (%s)", sentence(error), row.run_id)
            outcome = interruption.outcome_of(rows.entries(connection, RunId(row.run_id)))
            rows.end_unreadable(connection, RunId(row.run_id), outcome, now)
            return None

    async def renew(self, epochs: Mapping[RunId, int]) -> Mapping[RunId, ActorId | None]:
        """Prolong these leases. Return those still held, with who has asked to cancel the run."""
        held = await self._write(lambda c: leases.renew(c, self._term(c), epochs), durable=False)
        return {run_id: ActorId(actor) if actor else None for run_id, actor in held.items()}

    async def put_back(self, run_id: RunId, epoch: int) -> None:
        """Give a run back, for whoever wants it next."""

        def statements(connection: Connection) -> None:
            if leases.put_back(connection, run_id, epoch, self._now(connection)):
                self._database.notify(connection)

        await self._write(statements, about=run_id)

    async def cancel(self, run_id: RunId, actor: ActorId) -> bool:
        """Ask whoever executes a run to stop it. False where it has ended, or never was."""

        def statements(connection: Connection) -> bool:
            state = leases.cancel(connection, run_id, actor)
            self._database.notify(connection)
            return state in {QUEUED, RUNNING}

        return await self._write(statements, about=run_id)

    async def waiting(self) -> tuple[int, int]:
        """Return how many accepted runs are queued, and how many are under way."""
        return await self._read(leases.waiting)

    def listen(self, woken: Callable[[], None]) -> None:
        """Call this, from any thread, whenever another process has changed something."""
        self._database.listen(woken)

    async def release_orphans(self) -> list[RunId]:
        """At the start of the only process: queue again what a former one left under way. Returns their ids.

        Where there may be other processes nothing is done: leases run out by themselves.
        """
        self._require_host()
        self._require_open()
        if self._database.shared:
            return []
        return await self._write(lambda c: leases.release(c, self._now(c)))

    async def end_deserted(self, *, starting: bool = False) -> list[RunId]:
        """End the runs that were never accepted and whose command line is gone; nobody can go on with them.

        They end as `interrupted`, or as `unknown` where a write was sent and its answer is not recorded.
        Returns the ids of the ended, oldest first.
        """
        self._require_host()

        def end(connection: Connection) -> list[RunId]:
            with self._database.without_guests() as alone:
                return self._interrupt(connection, everybody=alone and starting)

        return await self._write(end)

    def _interrupt(self, connection: Connection, *, everybody: bool) -> list[RunId]:
        now = self._now(connection)
        ended = []
        for row in leases.deserted(connection, now, everybody=everybody):
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

    def _term(self, connection: Connection, ttl_s: float | None = None) -> Term:
        return Term(self._owner, self._now(connection), timedelta(seconds=ttl_s or self.lease_s))

    # -- what the surface remembers ----------------------------------------------------------------------

    async def notice(self, run_id: RunId) -> Mapping[str, Any] | None:
        """Return what the surface stored about a run, or None."""
        return await self._read(lambda connection: rows.notice_of(connection, run_id))

    async def save_notice(self, run_id: RunId, document: Mapping[str, object]) -> None:
        """Store what the surface wants to remember about a run, in place of what it stored before."""
        await self._write(lambda c: rows.save_notice(c, run_id, document, self._now(c)), about=run_id)

    async def keep(self, run_id: RunId) -> Mapping[str, Any] | None:
        """Take charge of what is shown of a run and return it; None where another process is in charge."""
        return await self._write(lambda c: leases.keep(c, run_id, self._term(c)), durable=False, about=run_id)

    async def go_on_keeping(self, run_ids: Sequence[RunId]) -> frozenset[RunId]:
        """Stay in charge of what is shown of these. Return those of which another process is by now."""
        return await self._write(lambda c: leases.go_on_keeping(c, run_ids, self._term(c)), durable=False)

    async def ended_with(self, flag: str, limit: int = 100) -> list[RunId]:
        """Return ended runs in whose notice this flag (a key) is set and that nobody is in charge of."""
        return await self._write(lambda c: leases.unkept(c, flag, self._term(c), limit), durable=False)

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


def _lease(row: Claimed) -> Lease:
    return Lease(
        RunId(row.run_id),
        row.epoch,
        row.attempts,
        request_from_document(row.request),
        row.created_at,
        ActorId(row.cancelled_by) if row.cancelled_by else None,
    )


def _optional(read: Callable[[Any], _T], document: Any | None) -> _T | None:
    return None if document is None else read(document)


__all__ = ["Accepted", "JournalEntry", "Store", "open_store"]
