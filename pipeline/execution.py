"""One run that this process executes: under a lease, within limits, and stopped where somebody asks for it.

The pipeline sees an `Execution` as its store, its journal and its events. Everything that is recorded carries
the lease's epoch; when another process has the run by now, or the lease is over, `LeaseLost` ends the work
without another word. While the store is away its statements are tried again for as long as the lease lasts.

A state of a run under way is stored, and told once it is, while the run goes on: states that come together
are stored once, and all of them before the first write. The end is stored before anything else happens.

A request to stop, and a time limit, are honoured at once as long as nothing has been written, and then before
the next write: never in the middle of one.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from pipeline.clock import boot_seconds
from pipeline.errors import ObjectBusy, PipelineError, RunCancelled, RunTaken, StoreUnavailable, TimeLimit
from pipeline.fence import LeaseLost, fenced
from pipeline.ids import ActorId, ObjectGuid, RunId
from pipeline.interruption import interrupted, stopped
from pipeline.milestones import (
    BEGUN,
    END_AFTER,
    END_BEFORE,
    INTENT_AFTER,
    INTENT_BEFORE,
    OUTCOME_AFTER,
    STAGE_BEGUN,
    STAGE_STORED,
    WRITE_AFTER,
    WRITE_BEFORE,
    passed,
)
from pipeline.model import Mode, Outcome, Request, Run, StageStatus, new_run
from pipeline.ports import Holder, Lease, RunQueue
from pipeline.provision import preview, provision
from pipeline.recovery import UNCERTAIN_S, Earlier
from pipeline.services import Services

MARGIN: Final = 0.1
"""In which part of a lease, at its end, nothing is written any more."""

_PAUSES_S: Final = (0.1, 0.2, 0.5, 1.0)
"""How long to wait before a statement is tried again; the last one for every further time."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a run and each of its stages may take, in seconds, and how often a run is begun at most."""

    run_s: float = 600.0
    stage_s: float = 300.0
    attempts: int = 3
    uncertain_s: float = UNCERTAIN_S
    """How long a request of a process that has gone may still take effect."""


class Execution:
    """A run on lease. Fulfils RunStore, Journal and Events for the pipeline.

    `confirmed_at` is when the lease was asked for, by `boot_seconds`; without it the lease has no end, as for
    a command line. `place_of` says where a run is shown, by what the surface has stored about it.
    """

    def __init__(
        self,
        lease: Lease,
        queue: RunQueue,
        services: Services,
        *,
        confirmed_at: float = math.inf,
        limits: Limits = Limits(),
        place_of: Callable[[Mapping[str, object]], str] | None = None,
        on_audit_failure: Callable[[], None] | None = None,
    ) -> None:
        self.lease = lease
        self.latest: Run | None = None
        self._queue = queue
        self._services = services
        self._limits = limits
        self._place_of = place_of
        self._on_audit_failure = on_audit_failure
        self._deadline = 0.0
        self.confirm(confirmed_at)
        self._lost = False
        self._stop: PipelineError | None = None
        self._task: asyncio.Task[object] | None = None
        self._has_intended = False
        self._earlier: Earlier | None = None
        self._stage: tuple[str, asyncio.TimerHandle] | None = None
        self._unstored: Run | None = None
        self._untold: Run | None = None
        self._storing = asyncio.Lock()
        self._passing_on: asyncio.Task[None] | None = None

    # -- from outside ------------------------------------------------------------------------------------

    async def carry_out(self, request: Request) -> Run | None:
        """Execute the run. Returns it as it ended, or None where another process goes on with it."""
        self._task = asyncio.current_task()
        limit = TimeLimit(f"The run took longer than {self._limits.run_s:.0f} s.")
        timer = asyncio.get_running_loop().call_later(self._limits.run_s, self.stop, limit)
        try:
            with fenced(self._look):
                return await self._carry_out(request)
        except LeaseLost:
            _log.warning("run %s is left to another process", self.lease.run_id)
            return None
        finally:
            self._task = None
            timer.cancel()
            if self._passing_on is not None:
                self._passing_on.cancel()
            if self._stage is not None:
                self._stage[1].cancel()

    def confirm(self, asked_at: float) -> None:
        """Take note that the lease was given or prolonged; `asked_at` is when that was asked for."""
        self._deadline = asked_at + self._queue.lease_s * (1 - MARGIN)

    def lose(self) -> None:
        """Take note that another process has the run."""
        self._lost = True
        if self._task is not None:
            self._task.cancel()

    def stop(self, error: PipelineError) -> None:
        """Stop the run with this error, now or before its next write. What was asked for first counts."""
        if self._stop is not None:
            return
        self._stop = error
        if not self._has_intended and self._task is not None:
            self._task.cancel()

    def cancel(self, actor: ActorId) -> None:
        """Stop the run because somebody asks for it."""
        self.stop(cancelled(actor))

    # -- the run -----------------------------------------------------------------------------------------

    async def _carry_out(self, request: Request) -> Run:
        passed(BEGUN, run_id=self.lease.run_id, attempts=self.lease.attempts)
        try:
            if self.lease.attempts > self._limits.attempts:
                return await self._set_aside(request)
            if self.lease.cancelled_by is not None:
                self._stop = cancelled(self.lease.cancelled_by)
                return await self._end_stopped(request, self._stop)
            self._earlier = await self._read_earlier()
            services = replace(self._services, store=self, journal=self, events=self, earlier=self._earlier)
            carry_out = preview if request.mode is Mode.PREVIEW else provision
            return await carry_out(request, services)
        except asyncio.CancelledError:
            if self._lost:
                self._uncancel()
                raise LeaseLost from None
            if self._stop is None:
                raise
            self._uncancel()
            return await self._end_stopped(request, self._stop)

    async def _read_earlier(self) -> Earlier | None:
        """Return what somebody who had the run before had begun to write, if anything."""
        if self.lease.epoch <= 1:
            return None
        entries = tuple(await self._stored(lambda: self._queue.journal(self.lease.run_id)))
        if not entries:
            return None
        stored = await self._read_before()
        return Earlier(entries, stored.plan if stored is not None else None, self._limits.uncertain_s)

    async def _read_before(self) -> Run | None:
        """Return the run as it was left, or None where it cannot be read, such as by a later version."""
        try:
            return await self._queue.load(self.lease.run_id)
        except StoreUnavailable as error:
            _log.warning("run %s cannot be read as it was left: %s", self.lease.run_id, error.message)
            return None

    def _uncancel(self) -> None:
        if self._task is not None:
            self._task.uncancel()

    async def _end_stopped(self, request: Request, error: PipelineError) -> Run:
        """End the run as it stood when it was stopped; only somebody before may have written anything."""
        now = self._services.clock.now()
        outcome = Outcome.CANCELLED if isinstance(error, RunCancelled) else Outcome.FAILED
        reason: PipelineError | None = error
        if self._earlier is not None:
            outcome, reason = self._earlier.truth(outcome, error)
        return await self.end(stopped(self.latest or new_run(request, now), outcome, reason or error, now))

    async def _set_aside(self, request: Request) -> Run:
        """End a run that has ended several processes: the others need not follow."""
        _log.error("run %s is set aside: %d processes ended in it", self.lease.run_id, self._limits.attempts)
        stored = await self._read_before()
        now = self._services.clock.now()
        journal = await self._stored(lambda: self._queue.journal(self.lease.run_id))
        run = stored or new_run(request, now)
        return await self.end(interrupted(run, journal, now, times=self._limits.attempts))

    async def end(self, run: Run) -> Run:
        """Record and tell how the run ended."""
        await self.save(run)
        await self.changed(run)
        return run

    # -- RunStore ----------------------------------------------------------------------------------------

    async def save(self, run: Run) -> None:
        """Store the run as it stands, under the lease: its end now, what comes before with the next write.

        A run that was not accepted first has nothing in the store yet, and is stored at once.
        """
        ends = run.outcome is not Outcome.RUNNING
        self.latest = self._unstored = run
        passed(END_BEFORE if ends else STAGE_STORED, run_id=run.run_id)
        if ends or self.lease.epoch == 0:
            await self._store_newest()
        if ends:
            passed(END_AFTER, run_id=run.run_id)

    async def _store_newest(self) -> None:
        """Return when the newest state is stored."""
        async with self._storing:
            run, self._unstored = self._unstored, None
            if run is not None:
                await self._stored(lambda: self._queue.save(run, epoch=self.lease.epoch))

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        return await self._queue.load(run_id)

    async def hold(self, run_id: RunId, guid: ObjectGuid) -> Holder | None:
        """Give the run that object to itself until it ends; raise ObjectBusy when another run has it."""
        holder = await self._stored(lambda: self._queue.hold(run_id, guid, epoch=self.lease.epoch))
        if holder is not None:
            ids = {"holder-run": holder.run_id, "holder": holder.actor, "since": holder.since.isoformat()}
            if holder.notice is not None and self._place_of is not None:
                ids["holder-place"] = self._place_of(holder.notice)
            raise ObjectBusy(
                f"Another run has been at work on this object since {holder.since:%H:%M:%S} UTC.", ids=ids
            )
        return None

    # -- Journal -----------------------------------------------------------------------------------------

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object]) -> int:
        """Record that a write is about to be sent, and its plan before, unless the run is to stop."""
        await self._store_newest()
        if self._stop is not None:
            raise self._stop
        self._has_intended = True
        passed(INTENT_BEFORE, run_id=run_id, step=step)
        asked_at = boot_seconds()
        try:
            entry = await self._stored(
                lambda: self._queue.intend(run_id, step, detail, epoch=self.lease.epoch), audit=True
            )
        except RunCancelled as error:
            raise cancelled(ActorId(error.ids.get("cancelled-by", ""))) from None
        if not math.isinf(self._deadline):
            self.confirm(asked_at)
        passed(INTENT_AFTER, run_id=run_id, step=step)
        return entry

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of a write."""
        passed(WRITE_AFTER, run_id=self.lease.run_id, outcome=outcome)
        await self._stored(lambda: self._queue.settle(entry, outcome, detail), audit=True)
        passed(OUTCOME_AFTER, run_id=self.lease.run_id, outcome=outcome)

    # -- Events ------------------------------------------------------------------------------------------

    async def changed(self, run: Run) -> None:
        """Pass a new state on, and watch how long each stage takes."""
        self.latest = run
        running = next((s.name for s in run.stages if s.status is StageStatus.RUNNING), None)
        if running is not None and (self._stage is None or self._stage[0] != running):
            if self._stage is not None:
                self._stage[1].cancel()
            limit = TimeLimit(f"The {running} stage took longer than {self._limits.stage_s:.0f} s.")
            loop = asyncio.get_running_loop()
            self._stage = running, loop.call_later(self._limits.stage_s, self.stop, limit)
            passed(STAGE_BEGUN, run_id=run.run_id, stage=str(running))
        self._untold = run
        if run.outcome is not Outcome.RUNNING or self.lease.epoch == 0:
            await self._pass_on()
        elif self._passing_on is None or self._passing_on.done():
            self._passing_on = asyncio.create_task(self._pass_on())

    async def _pass_on(self) -> None:
        """Tell the newest state once it is stored, until there is none that was not told."""
        while self._untold is not None:
            try:
                await self._store_newest()
            except LeaseLost:
                self.lose()
                return
            run, self._untold = self._untold, None
            if run is not None:
                await self._services.events.changed(run)

    # -- the lease ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Raise what stops the run, directly before a write is sent."""
        passed(WRITE_BEFORE, run_id=self.lease.run_id)
        if self._lost or boot_seconds() >= self._deadline:
            raise LeaseLost
        if self._stop is not None:
            raise self._stop

    async def _stored(self, statement: Callable[[], Awaitable[_T]], *, audit: bool = False) -> _T:
        """Carry out a statement; while the store is away, again and again until the lease is over."""
        for turn in range(1_000_000):
            try:
                return await statement()
            except RunTaken:
                raise LeaseLost from None
            except StoreUnavailable as error:
                if audit and self._on_audit_failure is not None:
                    self._on_audit_failure()
                if math.isinf(self._deadline):  # nobody else could go on with it
                    raise
                pause = _PAUSES_S[min(turn, len(_PAUSES_S) - 1)]
                if boot_seconds() + pause >= self._deadline:
                    raise LeaseLost from error
                if turn == 0:
                    await self._tell_waiting(error)
                await asyncio.sleep(pause)
        raise LeaseLost

    async def _tell_waiting(self, error: StoreUnavailable) -> None:
        _log.warning("run %s waits for the store: %s", self.lease.run_id, error.message)
        if self.latest is not None and self.latest.ended_at is None:
            note = waiting_for_store(error)
            await self._services.events.changed(replace(self.latest, warnings=(*self.latest.warnings, note)))


def waiting_for_store(error: StoreUnavailable) -> str:
    """Say that a run cannot go on for now."""
    return f"{error.message} The run goes on when it works again; nothing is written before."


def cancelled(actor: ActorId) -> RunCancelled:
    """Return the error of a run that somebody stopped."""
    return RunCancelled(ids={"cancelled-by": actor})
