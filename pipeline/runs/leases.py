"""The statements of the queue: whose turn a run is, for how long, and which object it has to itself.

A claim gives a run a new `epoch`, and every later statement about it names that epoch. A process that was
frozen, and whose run another one took over meanwhile, changes no row any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from pipeline.ids import RunId
from pipeline.runs.records import Claimed, RunRow
from pipeline.runs.tables import ENDED, QUEUED, RUNNING, notices, runs


@dataclass(frozen=True, slots=True)
class Term:
    """Who takes a lease, when, and for how long."""

    owner: str
    now: datetime
    ttl: timedelta

    @property
    def until(self) -> datetime:
        """When the lease is over unless it is renewed."""
        return self.now + self.ttl


def claim(connection: Connection, term: Term, limit: int, besides: Collection[RunId] = ()) -> list[Claimed]:
    """Take over the oldest accepted runs that nobody executes: queued ones, and those whose lease is over.

    Rows that another process is just taking are passed over, so that nobody waits for anybody. `besides` are
    runs that the owner is still at work on: it does not take them from itself, however late it is with them.
    """
    over = and_(runs.c.state == RUNNING, runs.c.lease_until < term.now, runs.c.run_id.not_in(list(besides)))
    ready = (
        select(runs.c.run_id)
        .where(or_(runs.c.state == QUEUED, over), runs.c.request.is_not(None))
        .order_by(runs.c.created_at, runs.c.run_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("ready")
    )
    taken = connection.execute(
        update(runs)
        .where(runs.c.run_id.in_(select(ready.c.run_id)))
        .values(
            state=RUNNING,
            owner=term.owner,
            epoch=runs.c.epoch + 1,
            attempts=runs.c.attempts + 1,
            lease_until=term.until,
            updated_at=term.now,
        )
        .returning(*_CLAIMED)
    )
    found = [Claimed(**row) for row in taken.mappings()]
    return sorted(found, key=lambda row: (row.created_at, row.run_id))


_CLAIMED = (
    runs.c.run_id,
    runs.c.epoch,
    runs.c.attempts,
    runs.c.request,
    runs.c.cancelled_by,
    runs.c.created_at,
)


def renew(connection: Connection, term: Term, epochs: Mapping[RunId, int]) -> dict[RunId, str | None]:
    """Prolong the leases on these runs. Return those that are still held, with who asked to stop them.

    What is shown of them is kept for as long, by the same owner.
    """
    held = connection.execute(
        update(runs)
        .where(runs.c.run_id.in_(list(epochs)), runs.c.owner == term.owner, runs.c.state == RUNNING)
        .values(lease_until=term.until)
        .returning(runs.c.run_id, runs.c.epoch, runs.c.cancelled_by)
    ).all()
    return {RunId(row.run_id): row.cancelled_by for row in held if epochs[RunId(row.run_id)] == row.epoch}


def put_back(connection: Connection, run_id: RunId, epoch: int, now: datetime) -> bool:
    """Give a run back to whoever wants it next; an attempt that was given back does not count."""
    given = connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.epoch == epoch, runs.c.state == RUNNING)
        .values(state=QUEUED, owner=None, lease_until=None, attempts=runs.c.attempts - 1, updated_at=now)
    )
    if given.rowcount != 1:  # somebody else has it, and shows it
        return False
    connection.execute(update(notices).where(notices.c.run_id == run_id).values(keeper=None))
    return True


def release(connection: Connection, now: datetime) -> list[RunId]:
    """Queue every accepted run again that is under way. For a start that knows nobody else is at work."""
    queued = connection.execute(
        update(runs)
        .where(runs.c.state == RUNNING, runs.c.request.is_not(None))
        .values(state=QUEUED, owner=None, lease_until=None, updated_at=now)
        .returning(runs.c.run_id)
    )
    connection.execute(update(notices).where(notices.c.keeper.is_not(None)).values(keeper=None))
    return sorted(RunId(run_id) for run_id in queued.scalars())


def cancel(connection: Connection, run_id: RunId, actor: str) -> str | None:
    """Ask that a run be stopped, once. Return its state, or None when there is no such run."""
    state = connection.execute(
        select(runs.c.state).where(runs.c.run_id == run_id).with_for_update()
    ).scalar_one_or_none()
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.state != ENDED, runs.c.cancelled_by.is_(None))
        .values(cancelled_by=actor)
    )
    return state


def hold(connection: Connection, run_id: RunId, epoch: int, guid: str) -> Any | None:
    """Give a run its object to itself until it ends; or return the row of the run that has it."""
    other = connection.execute(_HOLDER, {"guid": guid, "this_run": run_id}).one_or_none()
    if other is not None:
        return other
    connection.execute(_HOLD, {"held_object": guid, "this_run": run_id, "this_epoch": epoch})
    return None


# Made once: making a statement takes longer than carrying it out.
_HOLDER: Final = (
    select(runs.c.run_id, runs.c.actor, runs.c.created_at, notices.c.document)
    .join(notices, notices.c.run_id == runs.c.run_id, isouter=True)
    .where(
        runs.c.held_object == bindparam("guid", type_=runs.c.held_object.type),
        runs.c.state != ENDED,
        runs.c.run_id != bindparam("this_run"),
    )
)
_HOLD: Final = update(runs).where(
    runs.c.run_id == bindparam("this_run"), runs.c.epoch == bindparam("this_epoch")
)


def waiting(connection: Connection) -> tuple[int, int]:
    """Return how many accepted runs are queued, and how many are under way."""
    counted = connection.execute(
        select(runs.c.state, func.count())
        .where(runs.c.state.in_([QUEUED, RUNNING]), runs.c.request.is_not(None))
        .group_by(runs.c.state)
    )
    by_state = {str(row[0]): int(row[1]) for row in counted}
    return by_state.get(QUEUED, 0), by_state.get(RUNNING, 0)


def deserted(connection: Connection, now: datetime, *, everybody: bool) -> Sequence[RunRow]:
    """Return the runs that were never accepted and that nobody goes on with; `everybody`: all of them."""
    query = select(runs.c.run_id, runs.c.document).where(runs.c.state == RUNNING, runs.c.request.is_(None))
    if not everybody:
        query = query.where(or_(runs.c.lease_until.is_(None), runs.c.lease_until < now))
    ordered = query.order_by(runs.c.created_at, runs.c.run_id).with_for_update(skip_locked=True)
    return [RunRow(*row) for row in connection.execute(ordered)]


# -- what is shown of runs -------------------------------------------------------------------------------


def keep(connection: Connection, run_id: RunId, term: Term) -> Any | None:
    """Take charge of what is shown of a run, unless somebody else is; return its document then."""
    free = or_(notices.c.keeper.is_(None), notices.c.keeper == term.owner, notices.c.kept_until < term.now)
    return connection.execute(
        update(notices)
        .where(notices.c.run_id == run_id, free)
        .values(keeper=term.owner, kept_until=term.until)
        .returning(notices.c.document)
    ).scalar_one_or_none()


def go_on_keeping(connection: Connection, run_ids: Sequence[RunId], term: Term) -> frozenset[RunId]:
    """Stay in charge of what is shown of these runs. Return those of which somebody else is by now."""
    kept = connection.execute(
        update(notices)
        .where(
            notices.c.run_id.in_(list(run_ids)),
            or_(notices.c.keeper.is_(None), notices.c.keeper == term.owner),
        )
        .values(keeper=term.owner, kept_until=term.until)
        .returning(notices.c.run_id)
    )
    return frozenset(run_ids) - frozenset(kept.scalars())


def unkept(connection: Connection, flag: str, term: Term, limit: int) -> list[RunId]:
    """Return ended runs in whose notice this key is true and that nobody is in charge of, oldest first."""
    free = or_(notices.c.keeper.is_(None), notices.c.kept_until < term.now)
    found = connection.execute(
        select(runs.c.run_id)
        .join(notices, notices.c.run_id == runs.c.run_id)
        .where(runs.c.state == ENDED, free, notices.c.document[flag].as_boolean().is_(True))
        .order_by(runs.c.created_at, runs.c.run_id)
        .limit(limit)
    )
    return [RunId(run_id) for run_id in found.scalars()]
