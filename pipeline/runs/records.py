"""What the store hands out besides runs. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.ids import RunId
from pipeline.ports import JournalEntry, Lease


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run that a command became; `new` is false when the delivery had been accepted before."""

    run_id: RunId
    new: bool
    lease: Lease | None = None
    """Where it was taken at once: the leave to execute it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run as the queue gave it, its request not yet read."""

    run_id: str
    epoch: int
    attempts: int
    request: Mapping[str, Any]
    cancelled_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunRow:
    """A stored run, its document not yet read."""

    run_id: RunId
    document: Mapping[str, Any]


__all__ = ["Accepted", "Claimed", "JournalEntry", "RunRow"]
