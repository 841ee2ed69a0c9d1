"""The run as it grows: every new state is stored first and told afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pipeline.errors import PipelineError
from pipeline.model import (
    ErrorReport,
    Evidence,
    Outcome,
    Run,
    Stage,
    StageName,
    StageStatus,
)
from pipeline.services import Services

NOT_REACHED = "Not reached"


class Record:
    """Holds the current state of one run and passes each new one on."""

    def __init__(self, run: Run, services: Services) -> None:
        self.run = run
        self._services = services
        self._stage_began = 0.0

    async def update(self, **changes: object) -> None:
        """Change fields of the run, without telling anyone yet."""
        self.run = replace(self.run, **changes)  # type: ignore[arg-type]  # names are the model's own

    def warn(self, text: str) -> None:
        """Add a warning to the run, once."""
        if text not in self.run.warnings:
            self.run = replace(self.run, warnings=(*self.run.warnings, text))

    @asynccontextmanager
    async def stage(self, name: StageName) -> AsyncIterator[None]:
        """Mark a stage as running; an error inside ends it as failed, with the time it took."""
        self._stage_began = self._services.clock.monotonic()
        self.run = self.run.with_stage(replace(self.run.stage(name), status=StageStatus.RUNNING))
        await self._services.events.changed(self.run)
        try:
            yield
        except PipelineError as error:
            await self.end_stage(name, StageStatus.FAILED, error.message, self.run.stage(name).evidence)
            raise

    async def end_stage(
        self, name: StageName, status: StageStatus, summary: str, evidence: Evidence | None
    ) -> None:
        """End a stage, store its evidence, and tell."""
        took = round((self._services.clock.monotonic() - self._stage_began) * 1000)
        self.run = self.run.with_stage(Stage(name, status, summary, evidence, took))
        await self._pass_on()

    async def note_evidence(self, name: StageName, evidence: Evidence) -> None:
        """Keep what a stage has seen so far, so that it is there even if the stage fails."""
        self.run = self.run.with_stage(replace(self.run.stage(name), evidence=evidence))

    async def end(self, outcome: Outcome, error: PipelineError | None = None) -> Run:
        """End the run; stages it did not reach say so."""
        run = self.run
        for stage in run.stages:
            if stage.status in {StageStatus.WAITING, StageStatus.RUNNING}:
                run = run.with_stage(replace(stage, status=StageStatus.SKIPPED, summary=NOT_REACHED))
        self.run = replace(
            run,
            outcome=outcome,
            error=error_report(error) if error else None,
            ended_at=self._services.clock.now(),
        )
        await self._pass_on()
        return self.run

    async def _pass_on(self) -> None:
        await self._services.store.save(self.run)
        await self._services.events.changed(self.run)


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
