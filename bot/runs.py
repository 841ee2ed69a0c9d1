"""The runs of this process: accepted once, executed by whoever has them on lease, told to whoever watches.

Each run that this process has on lease is a task. Beside them three tasks go on until the end: one takes up
runs that wait, one prolongs what is held, and one brings messages to their end whose process has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog

from bot.access import permitted, rights_for
from bot.progress import OPEN, Messages, Place
from bot.tasks import Tasks
from pipeline import Request, Services
from pipeline.clock import boot_seconds
from pipeline.errors import Interrupted, PipelineError, StoreUnavailable
from pipeline.execution import Execution, Limits
from pipeline.fence import LeaseLost
from pipeline.ids import ActorId, RunId
from pipeline.interruption import stopped
from pipeline.milestones import (
    ACCEPTED,
    CLAIMED,
    PUT_BACK,
    START_LISTENING,
    START_ORPHANS,
    SWEEP_AFTER,
    SWEEP_BEFORE,
    passed,
)
from pipeline.model import Outcome, new_run
from pipeline.ports import Lease
from pipeline.record import DEFECT
from pipeline.runs.store import Accepted, Store

AT_ONCE: Final = 100
"""How many runs are under way at most; more wait their turn."""

TAKEN_UP: Final = timedelta(minutes=15)
"""How old a request may be to be begun: later, who asked has helped themselves."""

POLL_S: Final = 2.0
"""How long to wait for news at most before looking for runs that wait, in seconds; less for short leases."""

FIRST_S: Final = 0.25
"""How long a run lets requests go first that are just being accepted, in seconds: Slack waits for them."""

AGAIN_S: Final = 0.5
"""How long to wait after the store has failed, in seconds."""

_log = logging.getLogger(__name__)


class Runs:
    """Accepts requests into the store, and executes what it has on lease."""

    def __init__(
        self,
        services: Services,
        store: Store,
        messages: Messages,
        tasks: Tasks,
        *,
        limits: Limits | None = None,
        at_once: int = AT_ONCE,
        on_audit_failure: Callable[[], None] | None = None,
    ) -> None:
        self._services = services
        self._store = store
        self._messages = messages
        self._tasks = tasks
        self._limits = limits or Limits()
        self._at_once = at_once
        self._on_audit_failure = on_audit_failure
        self._executions: dict[RunId, Execution] = {}
        self._under_way: dict[RunId, asyncio.Task[None]] = {}
        self._looking: list[asyncio.Task[None]] = []
        self._holding: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._noticed = asyncio.Event()
        self._draining = False
        self._accepting = 0
        self._accepted = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many runs this process executes."""
        return len(self._executions)

    # -- asked for ---------------------------------------------------------------------------------------

    async def accept(self, request: Request, place: Place, *, delivery: str | None) -> RunId:
        """Store a request, durably, then begin it. The same delivery again starts nothing."""
        asked_at = boot_seconds()
        (accepted,) = await self._accept([request], place, [place.document()], delivery)
        if accepted.lease is not None:
            self._begin(accepted.lease, asked_at, place)
        return accepted.run_id

    async def accept_all(
        self, requests: Sequence[Request], place: Place, *, delivery: str | None
    ) -> Accepted:
        """Store several requests that share one message, all or none, then begin them.

        The same delivery starts nothing. Returns what became of the first one, for which the others go.
        """
        place = replace(place, batch=tuple(request.run_id for request in requests))
        first = place.document()
        rest = first | {OPEN: False}  # the first one stands for all
        asked_at = boot_seconds()
        taken = await self._accept(requests, place, [first, *[rest] * (len(requests) - 1)], delivery)
        if taken[0].new:
            for request, accepted in zip(requests, taken, strict=True):
                self._messages.show(request.run_id, place)
                await self._messages.changed(new_run(request, self._services.clock.now()))
                if accepted.lease is not None:
                    self._begin(accepted.lease, asked_at, place)
        return taken[0]

    async def _accept(
        self,
        requests: Sequence[Request],
        place: Place,
        notices: Sequence[Mapping[str, object]],
        delivery: str | None,
    ) -> Sequence[Accepted]:
        room = 0 if self._draining else max(self._at_once - len(self._executions), 0)
        self._accepting += 1
        try:
            accepted = await self._store.accept_all(
                [self._with_rights(request, place) for request in requests],
                delivery=delivery,
                notices=notices,
                begin=min(room, len(requests)),
            )
        finally:
            self._accepting -= 1
            if not self._accepting:
                self._accepted.set()
        passed(ACCEPTED, run_id=accepted[0].run_id)
        self._woken.set()
        return accepted

    async def cancel(self, run_id: RunId, actor: ActorId) -> bool:
        """Stop a run, whoever executes it, before its next write. False where it has ended already."""
        if run_id in self._executions:
            self._executions[run_id].cancel(actor)
        known = await self._store.cancel(run_id, actor)
        self._woken.set()
        return known

    async def show_end_in(self, run_id: RunId, ts: str) -> None:
        """Let a message say how its runs ended, beside the one that is noted for them, if all have."""
        notice = await self._store.notice(run_id)
        if notice is None:
            return
        place = await self._place(Place.from_document(notice))
        found = [await self._store.load(one) for one in place.batch or (run_id,)]
        ended = [run for run in found if run is not None and run.ended_at is not None]
        if ended and len(ended) == len(found):
            await self._messages.update(replace(place, ts=ts), ended)

    # -- the process's life ------------------------------------------------------------------------------

    async def take_up(self) -> None:
        """At the start: make free what a former process left half-way, and begin to look for work."""
        await self._store.end_deserted(starting=True)
        await self._store.release_orphans()
        passed(START_ORPHANS)
        loop = asyncio.get_running_loop()

        def heard() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._notice)

        self._store.listen(heard)
        passed(START_LISTENING)
        self._holding = asyncio.create_task(_forever(self._hold_on), name="prolong leases")
        self._looking = [
            asyncio.create_task(_forever(self._take_turns), name="take up runs"),
            asyncio.create_task(_forever(self._sweep), name="bring messages to their end"),
        ]

    async def drain(self, grace_s: float) -> int:
        """Begin nothing more, wait for what is under way, put back the rest and return its number."""
        self._draining = True
        await _ended(*self._looking)
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()), timeout=grace_s)
        rest = list(self._under_way.values())
        await _ended(*rest)
        self._messages.let_go()
        if self._holding is not None:
            await _ended(self._holding)
        return len(rest)

    def _notice(self) -> None:
        self._woken.set()
        self._noticed.set()

    async def _take_turns(self) -> None:
        """Take up runs that wait, for as long as there is room."""
        self._woken.clear()
        room = self._at_once - len(self._executions)
        asked_at = boot_seconds()
        leases = await self._store.claim(room, besides=self._executions) if room > 0 else ()
        for lease in leases:
            passed(CLAIMED, run_id=lease.run_id, attempts=lease.attempts)
            self._begin(lease, asked_at, None)
        if len(leases) < room or room <= 0:
            pause = min(POLL_S, self._store.lease_s / 5)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):  # wait_for can swallow the request to stop
                    await self._woken.wait()

    async def _hold_on(self) -> None:
        """Prolong the leases, and learn which are lost and which runs are to be cancelled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._store.lease_s / 3):
                await self._noticed.wait()
            await asyncio.sleep(AGAIN_S / 5)  # notifications come in swarms
        self._noticed.clear()
        asked_at = boot_seconds()
        executions = dict(self._executions)
        epochs = {run_id: execution.lease.epoch for run_id, execution in executions.items()}
        held = await self._store.renew(epochs) if epochs else {}
        for run_id, execution in executions.items():
            if run_id not in held:
                execution.lose()
                continue
            execution.confirm(asked_at)
            actor = held[run_id]
            if actor is not None:
                execution.cancel(actor)
        shown = self._messages.shown
        for run_id in await self._store.go_on_keeping(shown) if shown else ():
            await self._let_go(run_id)

    async def _let_go(self, run_id: RunId) -> None:
        """Show no more of a run that another process shows.

        What this one sent last may have come after the other's final word, so that is to be said again.
        """
        self._messages.forget(run_id)
        notice = await self._store.notice(run_id)
        if notice is not None:
            place = replace(Place.from_document(notice), final=False)
            await self._store.save_notice(run_id, place.document())

    async def _sweep(self) -> None:
        """Bring messages of ended runs to their end, however long Slack was away; end what is deserted."""
        passed(SWEEP_BEFORE)
        for run_id in await self._store.ended_with(OPEN):
            try:
                await self._show_end(run_id)
            except StoreUnavailable as error:
                _log.warning("run %s is not shown: %s", run_id, error.message)
        await self._store.end_deserted()
        passed(SWEEP_AFTER)
        await asyncio.sleep(self._store.lease_s)  # until then somebody may be in charge who has ended

    async def _show_end(self, run_id: RunId) -> None:
        if run_id in self._messages.shown:
            return
        notice, run = await self._store.keep(run_id), await self._store.load(run_id)
        if notice is not None and run is not None:
            self._messages.show(run_id, await self._place(Place.from_document(notice)))
            await self._messages.changed(run)

    # -- one run -----------------------------------------------------------------------------------------

    def _begin(self, lease: Lease, asked_at: float, place: Place | None) -> None:
        """Execute a run on lease. `place` is given by who accepted it, and is in the store for all others."""
        execution = Execution(
            lease,
            self._store,
            self._services,
            confirmed_at=asked_at,
            limits=self._limits,
            place_of=lambda notice: Place.from_document(notice).channel,
            on_audit_failure=self._on_audit_failure,
        )
        former = self._under_way.get(lease.run_id)
        self._executions[lease.run_id] = execution
        if place is not None:
            self._messages.show(lease.run_id, place)
        work = self._execute(execution, place, former)
        self._under_way[lease.run_id] = self._tasks.start(work, f"run {lease.run_id}")

    async def _execute(
        self, execution: Execution, place: Place | None, former: asyncio.Task[None] | None
    ) -> None:
        """Carry a run out. Whatever happens, it ends and its message says how, or somebody else has it."""
        run_id = execution.lease.run_id
        with structlog.contextvars.bound_contextvars(run=run_id):
            try:
                if former is not None:  # it lost its lease, and has not noticed yet
                    await asyncio.wait([former])
                await self._let_requests_go_first()
                with contextlib.suppress(LeaseLost):
                    await self._carry_out(execution, place)
            except asyncio.CancelledError:
                await self._put_back(execution.lease)
                raise
            finally:
                if self._executions.get(run_id) is execution:
                    del self._executions[run_id], self._under_way[run_id]
                self._woken.set()

    async def _let_requests_go_first(self) -> None:
        """Wait, a moment at most, for the requests that are just being accepted."""
        if self._accepting:
            self._accepted.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await self._accepted.wait()

    async def _carry_out(self, execution: Execution, place: Place | None) -> None:
        request = execution.lease.request
        try:
            place = place or await self._place_in_store(request.run_id)
            if await self._is_too_old(execution.lease):
                error = Interrupted("Fourcheck was stopped before this run began; nothing was written.")
                await self._end(execution, Outcome.INTERRUPTED, error)
                return
            if await execution.carry_out(self._with_rights(request, place)) is None:
                await self._put_back(execution.lease)  # its own clock stopped it: that is no attempt
        except StoreUnavailable as error:  # it stays on lease until that is over, and is taken up again
            _log.warning("run %s is left for now: %s", request.run_id, error.message)
        except PipelineError as error:
            await self._end(execution, Outcome.FAILED, error)
        except Exception:  # noqa: BLE001  # a defect ends the run, told and logged, never the process
            _log.exception("run %s met a defect", request.run_id)
            await self._end(execution, Outcome.FAILED, PipelineError(f"{DEFECT}."))

    async def _end(self, execution: Execution, outcome: Outcome, error: PipelineError) -> None:
        now = self._services.clock.now()
        run = execution.latest or new_run(execution.lease.request, execution.lease.created_at)
        await execution.end(stopped(run, outcome, error, now))

    async def _is_too_old(self, lease: Lease) -> bool:
        """Whether a run was asked for so long ago that it is not begun; one that was is gone on with."""
        if lease.attempts > 1 or self._services.clock.now() - lease.created_at <= TAKEN_UP:
            return False
        return not await self._store.journal(lease.run_id)

    async def _put_back(self, lease: Lease) -> None:
        try:
            await self._store.put_back(lease.run_id, lease.epoch)
        except StoreUnavailable as error:  # its lease runs out
            _log.warning("run %s could not be put back: %s", lease.run_id, error.message)
        passed(PUT_BACK, run_id=lease.run_id)

    # -- where it is shown -------------------------------------------------------------------------------

    async def _place_in_store(self, run_id: RunId) -> Place:
        """Return where a run is shown that another process accepted, and show it, unless somebody does."""
        notice: Mapping[str, Any] | None = await self._store.notice(run_id)
        if notice is None:
            return Place("", "", show=False)
        place = await self._place(Place.from_document(notice))
        first = place.batch[0] if place.batch else run_id
        if run_id not in self._messages.shown and await self._store.keep(first) is not None:
            self._messages.show(run_id, place)
        return place

    async def _place(self, place: Place) -> Place:
        """Return where a run stands whose message others share: it is stored with the first of them.

        What they are like now is left to the message, which reads it. One that was never stored, or cannot be
        read, is not waited for.
        """
        if not place.batch:
            return place
        there = []
        for run_id in place.batch:
            with contextlib.suppress(StoreUnavailable):
                if await self._store.load(run_id) is not None:
                    there.append(run_id)
        first = await self._store.notice(place.batch[0])
        place = Place.from_document(first) if first is not None else place
        return replace(place, batch=tuple(there))

    def _with_rights(self, request: Request, place: Place) -> Request:
        """Return the request with the rights that the actor has now, which may be others than when asking."""
        rights = rights_for(request.mode, override_scope=request.override_scope)
        names = permitted(self._services.configurations, request.actor, place.channel, *rights)
        return replace(request, permitted=names)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    """Do the same again and again; where the store fails, after a pause."""
    while True:
        try:
            await work()
        except StoreUnavailable as error:
            _log.warning("the store is away: %s", error.message)
            await asyncio.sleep(AGAIN_S)
        except Exception:  # noqa: BLE001  # one failure must not end it
            _log.exception("a defect in what goes on beside the runs")
            await asyncio.sleep(AGAIN_S)
