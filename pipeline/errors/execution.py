"""The run itself was stopped, or could not be recorded."""

from __future__ import annotations

from pipeline.errors.base import PipelineError


class OutcomeUnknown(PipelineError):
    """A write was sent, its answer was lost, and whether it was carried out cannot be told."""

    code = "outcome_unknown"
    remedy = "Look at the object in Entra ID before running again."


class Interrupted(PipelineError):
    """Fourcheck was stopped during this run."""

    code = "interrupted"
    remedy = "Run again: what is already right is left as it is."
    retry_helps = True


class WriteNotAllowed(PipelineError):
    """A write was attempted outside of applying a plan, and stopped."""

    code = "write_not_allowed"
    remedy = "This is a defect; nothing was written. Report it with the support id."


class StoreUnavailable(PipelineError):
    """The run could not be recorded, so nothing was done."""

    code = "store_unavailable"
    remedy = "Check the disk and FOURCHECK_STORE__URL, then run again."
    retry_helps = True
    unreachable = True


class RunTaken(StoreUnavailable):
    """Another process has taken this run over."""

    code = "run_taken"
    remedy = "Look at the run's message: the other process goes on with it."


class RunCancelled(PipelineError):
    """The run was cancelled."""

    code = "cancelled"
    remedy = "Run again when it is to be done after all."
    retry_helps = True


class TimeLimit(PipelineError):
    """The run took longer than it may."""

    code = "time_limit"
    remedy = "Run again; if it happens again, look at the system that the stage waited for."
    retry_helps = True
