"""What is said of a run whose process ended in the middle of it. Rules only, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.errors import Interrupted, OutcomeUnknown, PipelineError
from pipeline.model import ErrorReport, Outcome, Run, Stage, StageStatus
from pipeline.ports import JournalEntry
from pipeline.record import NOT_REACHED, error_report


def outcome_of(journal: Sequence[JournalEntry]) -> Outcome:
    """Return `unknown` when a write may or may not have been carried out, else `interrupted`."""
    return Outcome.INTERRUPTED if all(entry.known for entry in journal) else Outcome.UNKNOWN


def interrupted(run: Run, journal: Sequence[JournalEntry], at: datetime, *, times: int = 1) -> Run:
    """Return the run as it ended: no stage left looking busy, and an error that says what was written.

    `times` is how many processes ended in it, after which it is not tried again.
    """
    outcome = outcome_of(journal)
    error = _unknown(journal) if outcome is Outcome.UNKNOWN else _interrupted(journal, times)
    first, second, third, fourth = (_stopped(stage) for stage in run.stages)
    stages = (first, second, third, fourth)
    return replace(run, outcome=outcome, error=error, ended_at=at, stages=stages)


def _stopped(stage: Stage) -> Stage:
    if stage.status is not StageStatus.RUNNING:
        return stage
    return replace(stage, status=StageStatus.FAILED, summary="Interrupted: Fourcheck was stopped here")


def _unknown(journal: Sequence[JournalEntry]) -> ErrorReport:
    steps = ", ".join(dict.fromkeys(entry.step for entry in journal if not entry.known))
    error = OutcomeUnknown(
        f"Fourcheck was stopped while a write was under way ({steps}), "
        "and whether it was carried out is not known."
    )
    return error_report(error)


def stopped(run: Run, outcome: Outcome, error: PipelineError, at: datetime) -> Run:
    """Return the run as it ended when it was stopped, in the stage that was under way or was to come next."""
    stages, met = [], False
    for stage in run.stages:
        if stage.status not in {StageStatus.RUNNING, StageStatus.WAITING}:
            stages.append(stage)
        elif not met:
            met = True
            stages.append(replace(stage, status=StageStatus.FAILED, summary=error.message))
        else:
            stages.append(replace(stage, status=StageStatus.SKIPPED, summary=NOT_REACHED))
    first, second, third, fourth = stages
    return replace(
        run, outcome=outcome, error=error_report(error), ended_at=at, stages=(first, second, third, fourth)
    )


def _interrupted(journal: Sequence[JournalEntry], times: int) -> ErrorReport:
    done = sum(entry.outcome == "done" for entry in journal)
    if done:
        written = f"{done} write{'s' if done > 1 else ''} had been carried out, the rest had not begun"
    else:
        written = "nothing was written"
    if times > 1:
        return error_report(
            Interrupted(f"Fourcheck ended {times} times during this run and set it aside; {written}.")
        )
    return error_report(Interrupted(f"Fourcheck was stopped during this run; {written}."))
