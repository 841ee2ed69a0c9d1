"""What the store hands out besides runs. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.ids import RunId

KNOWN: Final = ("done", "refused")
"""What a journal entry is settled as when it is known what came of the write."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run that a command became; `new` is false when the delivery had been accepted before."""

    run_id: RunId
    new: bool


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One write to Entra ID: what was about to be sent, and what came of it, null while nobody knows."""

    entry: int
    run_id: RunId
    step: str
    detail: Mapping[str, Any]
    intended_at: datetime
    outcome: str | None
    outcome_detail: Mapping[str, Any] | None
    settled_at: datetime | None

    @property
    def known(self) -> bool:
        """Whether it is known what came of the write."""
        return self.outcome in KNOWN


@dataclass(frozen=True, slots=True)
class RunRow:
    """A stored run, its document not yet read."""

    run_id: RunId
    document: Mapping[str, Any]
