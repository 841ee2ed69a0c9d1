"""What the pipeline needs of the world. Adapters fulfil these; tests run the same checks against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pipeline.identifiers import Identifier
from pipeline.ids import EntraId, RunId
from pipeline.model import (
    DirectoryEntry,
    Domain,
    Lookup,
    MemberList,
    Receipt,
    Run,
    TargetKind,
    TargetObject,
)


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        ...


class Directory(Protocol):
    """One Active Directory domain, read only. Raises `DirectoryError`s."""

    async def resolve(self, identifier: Identifier, attributes: Sequence[str]) -> DirectoryEntry:
        """Read the one object that the identifier names, with these attributes.

        Raises ObjectNotFound, or ObjectAmbiguous listing those that answer.
        """
        ...

    async def members(self, dn: str, attributes: Sequence[str], limit: int) -> MemberList:
        """Read a group's direct members, each with these attributes, up to `limit` of them."""
        ...


class Tenant(Protocol):
    """One Entra tenant through Microsoft Graph. Raises `TenantError`s."""

    async def find(
        self, lookups: Sequence[Lookup], select: Sequence[str]
    ) -> Sequence[tuple[TargetObject, ...]]:
        """Answer all lookups in one round trip, in their order, each object with the selected attributes.

        `manager` in `select` gives the manager's id and name under `manager`.
        """
        ...

    async def read(self, kind: TargetKind, entra_id: EntraId, select: Sequence[str]) -> TargetObject | None:
        """Read one object; None when it is not there."""
        ...

    async def anchors(self, anchors: Sequence[str]) -> Mapping[str, EntraId]:
        """Return the ids of the users that carry these anchors (onPremisesImmutableId)."""
        ...

    async def unique_names(self, names: Sequence[str]) -> Mapping[str, EntraId]:
        """Return the ids of the groups that carry these unique names."""
        ...

    async def group_members(self, group: EntraId) -> frozenset[EntraId]:
        """Return the ids of all direct members of a group."""
        ...

    async def domains(self) -> tuple[Domain, ...]:
        """Return the tenant's domain names."""
        ...

    async def synchronized(self) -> bool:
        """Return whether directory synchronisation feeds this tenant."""
        ...

    async def create_user(self, body: Mapping[str, object]) -> tuple[TargetObject, Receipt]:
        """Create a user."""
        ...

    async def update_user(self, user: EntraId, body: Mapping[str, object]) -> Receipt:
        """Change a user's attributes."""
        ...

    async def set_manager(self, user: EntraId, manager: EntraId | None) -> Receipt:
        """Link a user to a manager, or take the link away."""
        ...

    async def upsert_group(
        self, unique_name: str, body: Mapping[str, object]
    ) -> tuple[TargetObject | None, Receipt]:
        """Create the group of that unique name, or change it when it is there.

        The object is given when it was created; Graph answers a change with nothing.
        """
        ...

    async def update_group(self, group: EntraId, body: Mapping[str, object]) -> Receipt:
        """Change a group's attributes."""
        ...

    async def add_members(self, group: EntraId, members: Sequence[EntraId]) -> Receipt:
        """Add at most 20 members in one request: all of them or none."""
        ...


class Journal(Protocol):
    """Intent before each write, outcome after it."""

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object]) -> int:
        """Record, durably, that a write is about to be sent. Return the entry's number."""
        ...

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of it: `done`, `refused` or `unknown`."""
        ...


class RunStore(Protocol):
    """Where runs are kept."""

    async def save(self, run: Run) -> None:
        """Store the run as it now stands."""
        ...

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        ...


class Events(Protocol):
    """Where a run's progress is told."""

    async def changed(self, run: Run) -> None:
        """Take note of a new state. Returns at once: the pipeline waits for nobody."""
        ...
