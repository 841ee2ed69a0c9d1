"""The run as it grows: every new state is stored first and told afterwards."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from pipeline.configuration import Configuration
from pipeline.errors import PipelineError, StoreUnavailable
from pipeline.model import (
    ErrorReport,
    Evidence,
    Outcome,
    Plan,
    Request,
    Run,
    SourceIdentity,
    Stage,
    StageName,
    StageStatus,
    TargetIdentity,
    new_run,
)
from pipeline.services import Services
from pipeline.waiting import Patience, Waiting, telling_waits

TOLD_FROM_S: Final = 1.0
"""Shorter waits are over before anybody has read of them."""

NOT_REACHED: Final = "Not reached"
DEFECT: Final = "Something in Fourcheck itself went wrong"
NOT_STORED: Final = "The end of this run could not be stored; its details may be missing."

_log = logging.getLogger(__name__)


class Record:
    """Holds the current state of one run and passes each new one on."""

    def __init__(self, request: Request, services: Services) -> None:
        self.run = new_run(request, services.clock.now())
        self.follows = request.follows
        self._services = services
        self._stage_began = 0.0
        self._patience = Patience()
        self._waits = 0

    def change(
        self,
        *,
        object: SourceIdentity | None = None,  # noqa: A002  # the model's own word
        configuration: Configuration | None = None,
        target: TargetIdentity | None = None,
        plan: Plan | None = None,
    ) -> None:
        """Add what has become known to the run. It is passed on with the stage that it belongs to."""
        run = self.run
        self.run = replace(
            run,
            object=object or run.object,
            configuration=configuration.name if configuration else run.configuration,
            configuration_digest=configuration.digest if configuration else run.configuration_digest,
            target=target or run.target,
            plan=plan or run.plan,
        )

    def warn(self, text: str) -> None:
        """Add a warning to the run, once."""
        if text not in self.run.warnings:
            self.run = replace(self.run, warnings=(*self.run.warnings, text))

    def keep(self, name: StageName, evidence: Evidence) -> None:
        """Keep what a stage has seen so far, so that it is there even if the stage fails."""
        self.run = self.run.with_stage(replace(self.run.stage(name), evidence=evidence))

    @asynccontextmanager
    async def stage(self, name: StageName) -> AsyncIterator[None]:
        """Mark a stage as running; an error inside ends it as failed, with the time it took."""
        self._stage_began = self._services.clock.monotonic()
        self.run = self.run.with_stage(replace(self.run.stage(name), status=StageStatus.RUNNING))
        await self._services.events.changed(self.run)
        try:
            with telling_waits(self._waiting, self._patience):
                yield
        except Exception as error:
            if self.run.stage(name).status is StageStatus.RUNNING:
                summary = error.message if isinstance(error, PipelineError) else DEFECT
                self.close(name, StageStatus.FAILED, summary, self.run.stage(name).evidence)
            raise

    async def _waiting(self, wait: Waiting | None) -> None:
        """Show in the running stage that a system asked to wait, until the last of such waits is over."""
        self._waits += 1 if wait else -1
        running = next((s for s in self.run.stages if s.status is StageStatus.RUNNING), None)
        if running is None or (wait is None and self._waits):
            return
        if wait is not None and wait.seconds < TOLD_FROM_S:
            return
        summary = str(wait) if wait else ""
        if running.summary != summary:
            self.run = self.run.with_stage(replace(running, summary=summary))
            await self._services.events.changed(self.run)

    async def end_stage(
        self, name: StageName, status: StageStatus, summary: str, evidence: Evidence | None
    ) -> None:
        """End a stage, store its evidence, and tell."""
        self.close(name, status, summary, evidence)
        await self.pass_on()

    async def pass_on(self) -> None:
        """Store the run as it stands, then tell."""
        await self._services.store.save(self.run)
        await self._services.events.changed(self.run)

    async def end(self, outcome: Outcome, error: PipelineError | None = None) -> Run:
        """End the run; stages it did not reach say so. Told even where it could not be stored."""
        if self._services.earlier is not None:
            outcome, error = self._services.earlier.truth(outcome, error)
        for stage in self.run.stages:
            if stage.status is StageStatus.WAITING:
                self.run = self.run.with_stage(
                    replace(stage, status=StageStatus.SKIPPED, summary=NOT_REACHED)
                )
        self.run = replace(
            self.run,
            outcome=outcome,
            error=error_report(error) if error else None,
            ended_at=self._services.clock.now(),
        )
        try:
            await self._services.store.save(self.run)
        except StoreUnavailable:
            _log.exception("run %s ended and could not be stored", self.run.run_id)
            self.warn(NOT_STORED)
        await self._services.events.changed(self.run)
        return self.run

    def close(self, name: StageName, status: StageStatus, summary: str, evidence: Evidence | None) -> None:
        """End a stage; it is passed on with what comes next."""
        took = round((self._services.clock.monotonic() - self._stage_began) * 1000)
        self.run = self.run.with_stage(Stage(name, status, summary, evidence, took))


def error_report(error: PipelineError) -> ErrorReport:
    """Return an error as people and scripts see it."""
    return ErrorReport(
        code=error.code,
        message=error.message,
        remedy=error.remedy,
        retry_helps=error.retry_helps,
        unreachable=error.unreachable,
        ids=dict(error.ids),
    )
