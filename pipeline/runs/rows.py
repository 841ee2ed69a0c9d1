"""The statements: plain functions from an open transaction to a value, the same on every database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import Connection, Select, Table, delete, func, insert, or_, select, update

from pipeline.documents import request_to_document, to_document
from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, Run, new_run
from pipeline.runs.records import KNOWN, Accepted, JournalEntry, RunRow
from pipeline.runs.tables import ENDED, QUEUED, RUNNING, deliveries, journal, notices, runs

# -- accepting -------------------------------------------------------------------------------------------


def accept(
    connection: Connection,
    request: Request,
    *,
    delivery: str | None,
    notice: Mapping[str, object] | None,
    now: datetime,
) -> Accepted:
    """Insert the run of a request with its delivery key and its notice, or find the run of that delivery."""
    if delivery is not None:
        first = connection.execute(
            select(deliveries.c.run_id).where(deliveries.c.key == delivery)
        ).scalar_one_or_none()
        if first is not None:
            return Accepted(RunId(first), new=False)
    connection.execute(
        insert(runs).values(
            run_id=request.run_id,
            request=request_to_document(request),
            state=QUEUED,
            created_at=now,
            **_columns(new_run(request, now), now),
        )
    )
    if delivery is not None:
        connection.execute(insert(deliveries).values(key=delivery, run_id=request.run_id, received_at=now))
    if notice is not None:
        save_notice(connection, request.run_id, notice, now)
    return Accepted(request.run_id, new=True)


def claim(connection: Connection, run_id: RunId, now: datetime) -> bool:
    """Take a queued run to execute it. True for exactly one caller."""
    taken = connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.state == QUEUED)
        .values(state=RUNNING, updated_at=now)
    )
    return taken.rowcount == 1


def request_of(connection: Connection, run_id: RunId) -> Any | None:
    """Return the stored request of a run that has not ended."""
    return connection.execute(
        select(runs.c.request).where(runs.c.run_id == run_id, runs.c.state != ENDED)
    ).scalar_one_or_none()


def unfinished(connection: Connection) -> list[RunId]:
    """Return the runs that have not ended, oldest first."""
    found = connection.execute(
        select(runs.c.run_id).where(runs.c.state != ENDED).order_by(runs.c.created_at, runs.c.run_id)
    )
    return [RunId(run_id) for run_id in found.scalars()]


# -- runs ------------------------------------------------------------------------------------------------


def save(connection: Connection, run: Run, now: datetime) -> None:
    """Store a run as it stands.

    A run that has ended may be amended, but never runs again. A run that was not accepted first is one that
    somebody executes already.
    """
    found = select(runs.c.state).where(runs.c.run_id == run.run_id).with_for_update()
    state = connection.execute(found).scalar_one_or_none()
    ends = run.outcome is not Outcome.RUNNING
    if state is None:
        values = _columns(run, now) | {"state": ENDED if ends else RUNNING, "created_at": run.started_at}
        connection.execute(insert(runs).values(run_id=run.run_id, **values))
        return
    if state == ENDED and not ends:
        raise StoreUnavailable(f"Run {run.run_id} has ended and cannot go on.")
    values = _columns(run, now) | {"state": ENDED if ends else state}
    connection.execute(update(runs).where(runs.c.run_id == run.run_id).values(**values))


def document_of(connection: Connection, run_id: RunId) -> Any | None:
    """Return a run's document: one read by primary key."""
    return connection.execute(select(runs.c.document).where(runs.c.run_id == run_id)).scalar_one_or_none()


def history(connection: Connection, named: str | None, limit: int) -> Sequence[RunRow]:
    """Return the latest runs, newest first.

    With a name: the runs of every object that the name was ever resolved to, however each run was asked for,
    and the runs that were asked for by that name and found nothing.
    """
    query: Select[Any] = select(runs.c.run_id, runs.c.document)
    if named is not None:
        by_name = or_(runs.c.identifier == named, runs.c.object_dn == named)
        objects = select(runs.c.object_key).where(by_name, runs.c.object_key.is_not(None))
        query = query.where(or_(runs.c.object_key == named, by_name, runs.c.object_key.in_(objects)))
    newest = query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc()).limit(limit)
    return [RunRow(*row) for row in connection.execute(newest)]


def purge(connection: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest runs that ended before then, with all that hangs on them, and return their number."""
    ended = func.coalesce(runs.c.ended_at, runs.c.updated_at)
    oldest = (
        select(runs.c.run_id)
        .where(runs.c.state == ENDED, ended < before)
        .order_by(runs.c.created_at)
        .limit(limit)
    )
    return connection.execute(delete(runs).where(runs.c.run_id.in_(oldest))).rowcount


def running(connection: Connection, *, guests: bool) -> Sequence[RunRow]:
    """Return the runs under way; `guests` includes those that were never accepted."""
    query = select(runs.c.run_id, runs.c.document).where(runs.c.state == RUNNING)
    if not guests:
        query = query.where(runs.c.request.is_not(None))
    return [RunRow(*row) for row in connection.execute(query.order_by(runs.c.created_at, runs.c.run_id))]


def end_unreadable(connection: Connection, run_id: RunId, outcome: Outcome, now: datetime) -> None:
    """End a run whose document this version cannot read; the document stays as it is."""
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(state=ENDED, outcome=outcome.value, updated_at=now, ended_at=now)
    )


def _columns(run: Run, now: datetime) -> dict[str, Any]:
    return {
        "object_key": run.object.guid if run.object else None,
        "object_dn": run.object.dn if run.object else None,
        "identifier": run.identifier,
        "mode": run.mode.value,
        "actor": run.actor,
        "configuration": run.configuration,
        "outcome": run.outcome.value,
        "document": to_document(run),
        "updated_at": now,
        "ended_at": run.ended_at,
    }


# -- journal ---------------------------------------------------------------------------------------------


def intend(
    connection: Connection, run_id: RunId, step: str, detail: Mapping[str, object], now: datetime
) -> int:
    """Insert an entry for a write about to be sent and return its number.

    Refused unless the run is being executed: touching the run's row in the same transaction is what fences a
    process that no longer owns the run.
    """
    fenced = connection.execute(
        update(runs).where(runs.c.run_id == run_id, runs.c.state == RUNNING).values(updated_at=now)
    )
    if fenced.rowcount != 1:
        raise StoreUnavailable(f"Run {run_id} is not being executed, so it may not write.")
    entry = connection.execute(
        insert(journal)
        .values(run_id=run_id, step=step, detail=_jsonable(detail), intended_at=now)
        .returning(journal.c.entry)
    )
    return int(entry.scalar_one())


def settle(
    connection: Connection, entry: int, outcome: str, detail: Mapping[str, object], now: datetime
) -> None:
    """Record what came of a write. What is known is never overwritten; `unknown` may become known."""
    settled = connection.execute(
        update(journal)
        .where(
            journal.c.entry == entry,
            or_(journal.c.outcome.is_(None), journal.c.outcome.not_in(KNOWN)),
        )
        .values(outcome=outcome, outcome_detail=_jsonable(detail), settled_at=now)
    )
    if settled.rowcount != 1:
        raise StoreUnavailable(f"Journal entry {entry} is not open.")


def entries(connection: Connection, run_id: RunId) -> tuple[JournalEntry, ...]:
    """Return the journal of a run, in the order in which the writes were intended."""
    found = connection.execute(select(journal).where(journal.c.run_id == run_id).order_by(journal.c.entry))
    return tuple(JournalEntry(**row) for row in found.mappings())


# -- notices ---------------------------------------------------------------------------------------------


def save_notice(connection: Connection, run_id: RunId, document: Mapping[str, object], now: datetime) -> None:
    """Store what was told to people about a run, in place of what was stored before."""
    values = {"document": _jsonable(document), "updated_at": now}
    if not _update_one(connection, notices, run_id, values):
        connection.execute(insert(notices).values(run_id=run_id, **values))


def notice_of(connection: Connection, run_id: RunId) -> Any | None:
    """Return what was told to people about a run."""
    return connection.execute(
        select(notices.c.document).where(notices.c.run_id == run_id)
    ).scalar_one_or_none()


def ended_with(connection: Connection, flag: str) -> list[RunId]:
    """Return the ended runs in whose notice this key is true, oldest first."""
    found = connection.execute(
        select(runs.c.run_id)
        .join(notices, notices.c.run_id == runs.c.run_id)
        .where(runs.c.state == ENDED, notices.c.document[flag].as_boolean().is_(True))
        .order_by(runs.c.created_at, runs.c.run_id)
    )
    return [RunId(run_id) for run_id in found.scalars()]


def _update_one(connection: Connection, table: Table, run_id: RunId, values: Mapping[str, Any]) -> bool:
    changed = connection.execute(update(table).where(table.c.run_id == run_id).values(**values))
    return changed.rowcount == 1


def _jsonable(document: Mapping[str, object]) -> Any:
    return to_jsonable_python(dict(document), fallback=str)
