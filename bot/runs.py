"""The runs of this process: accepted once, executed once, told to whoever watches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.access import permitted
from bot.progress import OPEN, Messages, Place
from bot.tasks import Tasks
from pipeline import Request, Run, Services, preview, provision
from pipeline.configuration import Right
from pipeline.errors import Interrupted, PipelineError, StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Mode, Outcome, new_run
from pipeline.record import DEFECT, NOT_STORED, Record
from pipeline.runs.store import Accepted, Store

AT_ONCE: Final = 100
"""How many runs are under way at most; more wait their turn."""

TAKEN_UP: Final = timedelta(minutes=15)
"""How old a request may be to be carried out after a start: later, who asked has helped themselves."""

_log = logging.getLogger(__name__)


class Runs:
    """Accepts requests into the store and executes them as tasks."""

    def __init__(self, services: Services, store: Store, messages: Messages, tasks: Tasks) -> None:
        self._services = services
        self._store = store
        self._messages = messages
        self._tasks = tasks
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._unsaved: dict[RunId, Run] = {}

    async def accept(self, request: Request, place: Place, *, delivery: str | None) -> RunId:
        """Store a request, durably, then start it. The same delivery again starts nothing."""
        request = self._with_rights(request, place)
        accepted = await self._store.accept(request, delivery=delivery, notice=place.document())
        if accepted.new:
            self._start(request, place)
        if self._unsaved:  # the store works again
            self._tasks.start(self.save_ends(), "save the ends of earlier runs")
        return accepted.run_id

    async def accept_all(
        self, requests: Sequence[Request], place: Place, *, delivery: str | None
    ) -> Accepted:
        """Store several requests that share one message, then start them. The same delivery starts nothing.

        Returns what became of the first one, for which the others go.

        Where the store fails in the middle, what it took before is carried out, and StoreUnavailable raised.
        """
        place = replace(place, batch=tuple(request.run_id for request in requests))
        taken: list[Request] = []
        first: Accepted | None = None
        try:
            for request in requests:
                key = f"{delivery}#{len(taken)}" if delivery and taken else delivery
                notice = place.document() | ({OPEN: False} if taken else {})  # the first one stands for all
                accepted = await self._store.accept(
                    self._with_rights(request, place), delivery=key, notice=notice
                )
                first = first or accepted
                if not accepted.new:
                    break
                taken.append(request)
        finally:
            place = replace(place, batch=tuple(request.run_id for request in taken))
            for request in taken:
                self._start(request, place)
                await self._messages.changed(new_run(request, self._services.clock.now()))
        if first is None:
            raise ValueError("there is nothing to start")
        return first

    async def take_up(self) -> None:
        """At the start: end what a former process left half-way, and go on with what it had not begun.

        A run that cannot be read is passed over, with a line in the log: the others need not wait for it.
        """
        await self._store.interrupt_unfinished()
        for run_id in await self._store.ended_with(OPEN):
            try:
                await self._show_end(run_id)
            except StoreUnavailable as error:
                _log.warning("run %s is not shown: %s", run_id, error.message)
        for run_id in await self._store.unfinished():
            try:
                await self._go_on(run_id)
            except StoreUnavailable as error:
                _log.warning("run %s is not taken up: %s", run_id, error.message)

    async def _show_end(self, run_id: RunId) -> None:
        """Bring a message to the end that Slack has not taken yet."""
        notice, run = await self._store.notice(run_id), await self._store.load(run_id)
        if notice is not None and run is not None:
            self._messages.show(run_id, await self._place(Place.from_document(notice)))
            await self._messages.changed(run)

    async def _go_on(self, run_id: RunId) -> None:
        request = await self._store.pending(run_id)
        notice, run = await self._store.notice(run_id), await self._store.load(run_id)
        if request is None or notice is None or run is None:  # a command line's, which goes on by itself
            return
        place = await self._place(Place.from_document(notice))
        if self._services.clock.now() - run.started_at <= TAKEN_UP:
            self._start(request, place)
            return
        self._messages.show(run_id, place)
        error = Interrupted("Fourcheck was stopped before this run began; nothing was written.")
        await self._end(request, Outcome.INTERRUPTED, error)

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

    def _start(self, request: Request, place: Place) -> None:
        self._messages.show(request.run_id, place)
        self._tasks.start(self._execute(request, place), f"run {request.run_id}")

    async def _execute(self, request: Request, place: Place) -> None:
        """Carry a run out. Whatever happens, it ends, and its message says how."""
        async with self._slots:
            try:
                if not await self._store.claim(request.run_id):
                    self._messages.forget(request.run_id)
                    return
                carry_out = preview if request.mode is Mode.PREVIEW else provision
                await carry_out(self._with_rights(request, place), self._services)
            except PipelineError as error:
                await self._end(request, Outcome.FAILED, error)
            except Exception:  # noqa: BLE001  # a defect ends the run, told and logged, never the process
                _log.exception("run %s met a defect", request.run_id)
                await self._end(request, Outcome.FAILED, PipelineError(f"{DEFECT}."))

    async def _end(self, request: Request, outcome: Outcome, error: PipelineError) -> None:
        run = await Record(request, self._services).end(outcome, error)
        if NOT_STORED in run.warnings:
            self._unsaved[run.run_id] = run

    async def save_ends(self) -> None:
        """Store the ends that could not be stored before: what was told as failed must never begin later."""
        for run_id, run in list(self._unsaved.items()):
            try:
                await self._store.save(run)
            except StoreUnavailable as error:
                _log.warning("the end of run %s is still not stored: %s", run_id, error.message)
                return
            self._unsaved.pop(run_id, None)

    def _with_rights(self, request: Request, place: Place) -> Request:
        """Return the request with the rights that the actor has now, which may be others than when asking."""
        right = Right(str(request.mode))
        names = permitted(self._services.configurations, request.actor, place.channel, right)
        return replace(request, permitted=names)
