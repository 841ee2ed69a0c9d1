"""The statements: plain functions from an open transaction to a value, the same on every database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_jsonable_python
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, or_, select, update

from pipeline.documents import request_to_document, to_json
from pipeline.errors import RunCancelled, RunTaken, StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Request, Run, new_run
from pipeline.ports import KNOWN, Lease
from pipeline.runs.leases import Term
from pipeline.runs.records import Accepted, JournalEntry, RunRow
from pipeline.runs.tables import ENDED, QUEUED, RUNNING, JsonText, deliveries, journal, notices, runs

# The statements of every run are made once: making one takes longer than carrying it out.
_THIS_RUN: Final = runs.c.run_id == bindparam("this_run")
_DELIVERED: Final = select(deliveries.c.run_id).where(deliveries.c.key == bindparam("delivery"))
_NEW_RUN: Final = insert(runs)
_NEW_DELIVERY: Final = insert(deliveries)
_NEW_NOTICE: Final = insert(notices)
_SAVE: Final = update(runs).where(_THIS_RUN)
_SAVE_HELD: Final = _SAVE.where(runs.c.state == RUNNING, runs.c.epoch == bindparam("this_epoch"))
_STATE: Final = select(runs.c.state, runs.c.epoch).where(_THIS_RUN).with_for_update()
_TOUCH: Final = _SAVE_HELD.returning(runs.c.cancelled_by)
_BEGUN: Final = select(journal.c.entry, journal.c.detail).where(
    journal.c.run_id == bindparam("this_run"),
    journal.c.epoch == bindparam("this_epoch"),
    journal.c.step == bindparam("this_step"),
    journal.c.outcome.is_(None),
)
_INTEND: Final = insert(journal).returning(journal.c.entry)
_SETTLE: Final = update(journal).where(
    journal.c.entry == bindparam("this_entry"),
    or_(journal.c.outcome.is_(None), journal.c.outcome.not_in(KNOWN)),
)
_SAVE_NOTICE: Final = update(notices).where(notices.c.run_id == bindparam("this_run"))

# -- accepting -------------------------------------------------------------------------------------------


def accept(
    connection: Connection,
    request: Request,
    *,
    delivery: str | None,
    notice: Mapping[str, object] | None,
    now: datetime,
    begins: Term | None = None,
) -> Accepted:
    """Insert the run of a request with its delivery key and its notice, or find the run of that delivery.

    `begins`: it is executed at once, under this lease.
    """
    if delivery is not None:
        first = connection.execute(_DELIVERED, {"delivery": delivery}).scalar_one_or_none()
        if first is not None:
            return Accepted(RunId(first), new=False)
    values = {
        "run_id": request.run_id,
        "request": request_to_document(request),
        "created_at": now,
        **_columns(new_run(request, now), now),
        **_turn(begins),
    }
    connection.execute(_NEW_RUN, values)
    if delivery is not None:
        received = {"key": delivery, "run_id": request.run_id, "received_at": now}
        connection.execute(_NEW_DELIVERY, received)
    if notice is not None:
        keeper = {"keeper": begins.owner, "kept_until": begins.until} if begins else {}
        values = {"run_id": request.run_id, "document": _jsonable(notice), "updated_at": now, **keeper}
        connection.execute(_NEW_NOTICE, values)
    return Accepted(request.run_id, True, Lease(request.run_id, 1, 1, request, now) if begins else None)


def _turn(begins: Term | None) -> dict[str, Any]:
    if begins is None:
        return {"state": QUEUED}
    lease = {"owner": begins.owner, "lease_until": begins.until}
    return {"state": RUNNING, "epoch": 1, "attempts": 1, **lease}


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


def save(
    connection: Connection, run: Run, now: datetime, *, epoch: int = 0, term: Term | None = None
) -> None:
    """Store a run as it stands.

    A run that has ended may be amended, but never runs again. Raises RunTaken unless the epoch is the run's.
    A run that was not accepted first is one that somebody executes already: `term` is their lease.
    """
    ends = run.outcome is not Outcome.RUNNING
    which = {"this_run": run.run_id}
    columns = _columns(run, now)
    if epoch:  # as a rule the epoch is the run's, and one statement does it
        over = {"state": ENDED, "owner": None, "lease_until": None} if ends else {}
        held = connection.execute(_SAVE_HELD, {**which, "this_epoch": epoch, **columns, **over})
        if held.rowcount == 1:
            return
    row = connection.execute(_STATE, which).one_or_none()
    lease = {"owner": term.owner, "lease_until": term.until} if term is not None and not ends else {}
    if row is None:
        state = ENDED if ends else RUNNING
        connection.execute(
            _NEW_RUN,
            {"run_id": run.run_id, **columns, "state": state, "created_at": run.started_at, **lease},
        )
        return
    if row.epoch != epoch:
        raise RunTaken
    if row.state == ENDED and not ends:
        raise StoreUnavailable(f"Run {run.run_id} has ended and cannot go on.")
    values = columns | {"state": ENDED if ends else row.state}
    if ends:
        values |= {"owner": None, "lease_until": None}
    elif row.state == RUNNING:
        values |= lease
    connection.execute(_SAVE, which | values)


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
        "document": JsonText(to_json(run)),
        "updated_at": now,
        "ended_at": run.ended_at,
    }


# -- journal ---------------------------------------------------------------------------------------------


def intend(
    connection: Connection,
    run_id: RunId,
    step: str,
    detail: Mapping[str, object],
    term: Term,
    *,
    epoch: int = 0,
) -> int:
    """Insert an entry for a write about to be sent and return its number, or that of the same one, open yet.

    Refused unless the run is being executed under this epoch: touching the run's row in the same transaction
    is what fences a process that no longer owns the run, and what lets a request to cancel come in between.
    The lease begins anew with it, so that a process that is late with that has time for the write.
    """
    which = {"this_run": run_id, "this_epoch": epoch}
    fenced = connection.execute(
        _TOUCH, {**which, "updated_at": term.now, "lease_until": term.until}
    ).one_or_none()
    if fenced is None:
        raise RunTaken(f"Run {run_id} is not being executed, so it may not write.")
    if fenced.cancelled_by is not None:
        raise RunCancelled(ids={"cancelled-by": fenced.cancelled_by})
    entry = {"run_id": run_id, "step": step, "detail": _jsonable(detail), "epoch": epoch}
    # The answer to the same call may have been lost.
    for row in connection.execute(_BEGUN, {**which, "this_step": step}):
        if row.detail == entry["detail"]:
            return int(row.entry)
    return int(connection.execute(_INTEND, {"intended_at": term.now, **entry}).scalar_one())


def settle(
    connection: Connection, entry: int, outcome: str, detail: Mapping[str, object], now: datetime
) -> None:
    """Record what came of a write. What is known is never overwritten; `unknown` may become known."""
    known = {"outcome": outcome, "outcome_detail": _jsonable(detail), "settled_at": now}
    settled = connection.execute(_SETTLE, {"this_entry": entry, **known})
    if settled.rowcount != 1:
        recorded = select(journal.c.outcome).where(journal.c.entry == entry)
        if connection.execute(recorded).scalar_one_or_none() != outcome:  # the same again is no harm
            raise StoreUnavailable(f"Journal entry {entry} is not open.")


def entries(connection: Connection, run_id: RunId) -> tuple[JournalEntry, ...]:
    """Return the journal of a run, in the order in which the writes were intended."""
    found = connection.execute(select(journal).where(journal.c.run_id == run_id).order_by(journal.c.entry))
    return tuple(JournalEntry(**row) for row in found.mappings())


# -- notices ---------------------------------------------------------------------------------------------


def save_notice(connection: Connection, run_id: RunId, document: Mapping[str, object], now: datetime) -> None:
    """Store what was told to people about a run, in place of what was stored before."""
    values = {"document": _jsonable(document), "updated_at": now}
    if connection.execute(_SAVE_NOTICE, {"this_run": run_id, **values}).rowcount != 1:
        connection.execute(_NEW_NOTICE, {"run_id": run_id, **values})


def notice_of(connection: Connection, run_id: RunId) -> Any | None:
    """Return what was told to people about a run."""
    return connection.execute(
        select(notices.c.document).where(notices.c.run_id == run_id)
    ).scalar_one_or_none()


def _jsonable(document: Mapping[str, object]) -> Any:
    return to_jsonable_python(dict(document), fallback=str)
