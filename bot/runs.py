"""The runs of this process: accepted once, executed once, told to whoever watches."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.progress import Messages, Place
from bot.tasks import Tasks
from pipeline import Request, Run, Services, preview, provision
from pipeline.ids import RunId
from pipeline.model import Mode
from pipeline.runs.store import Store

AT_ONCE: Final = 100
"""How many runs are under way at most; more wait their turn."""


class Runs:
    """Accepts requests into the store and executes them as tasks."""

    def __init__(self, services: Services, store: Store, messages: Messages, tasks: Tasks) -> None:
        self._services = services
        self._store = store
        self._messages = messages
        self._tasks = tasks
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def accept(
        self, request: Request, place: Place, *, delivery: str | None, show: bool = True
    ) -> RunId:
        """Store a request, durably, then start it. The same delivery again starts nothing.

        `show`: whether the run gets a message in the channel.
        """
        accepted = await self._store.accept(request, delivery=delivery, notice=place.document())
        if accepted.new:
            if show:
                self._messages.show(accepted.run_id, place)
            self._tasks.start(self._execute(accepted.run_id), f"run {accepted.run_id}")
        return accepted.run_id

    async def take_up(self) -> None:
        """At the start: end what a former process left half-way, and go on with what it had not begun."""
        for run_id in await self._store.interrupt_unfinished():
            run = await self._store.load(run_id)
            if run is not None:
                await self._show_again(run_id, run)
        for run_id in await self._store.unfinished():
            await self._show_again(run_id, None)
            self._tasks.start(self._execute(run_id), f"run {run_id}")

    async def _show_again(self, run_id: RunId, run: Run | None) -> None:
        notice = await self._store.notice(run_id)
        if notice is None:
            return
        self._messages.show(run_id, Place.from_document(notice))
        if run is not None:
            await self._messages.changed(run)

    async def _execute(self, run_id: RunId) -> None:
        async with self._slots:
            request = await self._store.pending(run_id)
            if request is None or not await self._store.claim(run_id):
                return
            carry_out = preview if request.mode is Mode.PREVIEW else provision
            await carry_out(request, self._services)
