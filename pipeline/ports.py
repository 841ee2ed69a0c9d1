"""What the pipeline needs of the world. Adapters fulfil these; tests run the same checks against each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from pipeline.dn import DistinguishedName
from pipeline.identifiers import Identifier
from pipeline.ids import ActorId, EntraId, ObjectGuid, RunId
from pipeline.model import Request, Run, TargetIdentity, TargetKind

# -- what passes through the ports ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One object as a domain controller gave it.

    `attributes` maps names, spelled as the directory spells them, to raw values. `incomplete` names those of
    which only a first part was fetched; `totals` says how many values such an attribute has, where known.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]
    controller: str
    read_at: datetime
    incomplete: frozenset[str] = frozenset()
    totals: Mapping[str, int] = field(default_factory=dict)

    def get(self, name: str) -> tuple[bytes, ...]:
        """Return the raw values of an attribute, named in any case; empty when absent."""
        if name in self.attributes:
            return self.attributes[name]
        folded = name.casefold()
        return next((v for k, v in self.attributes.items() if k.casefold() == folded), ())


@dataclass(frozen=True, slots=True)
class MemberList:
    """The direct members of a group: those that could be read, and the DNs of those that could not."""

    entries: tuple[DirectoryEntry, ...]
    unresolved: tuple[str, ...]
    total: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Memberships:
    """What an object has to do with some groups that it is no direct member of.

    `nested` are those that it is in through other groups, `missing` those that the directory has not (or does
    not show). `primary` is its primary group, which lists no member and is listed by none.
    """

    nested: frozenset[DistinguishedName] = frozenset()
    missing: frozenset[DistinguishedName] = frozenset()
    primary: DistinguishedName | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to the tenant: which objects of this kind hold this value in this attribute."""

    kind: TargetKind
    attribute: str
    value: str
    deleted: bool = False
    """Ask among the soft-deleted objects instead of the live ones."""


@dataclass(frozen=True, slots=True)
class TargetObject:
    """A cloud object as Graph gave it; `attributes` is the answer's JSON, the manager under `manager`."""

    id: EntraId
    kind: TargetKind
    attributes: Mapping[str, object]

    @property
    def identity(self) -> TargetIdentity:
        """Who it is, for people."""
        upn, name = self.attributes.get("userPrincipalName"), self.attributes.get("displayName")
        return TargetIdentity(self.id, str(upn) if upn else None, str(name) if name else None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a cloud object stands beside its attributes. None: it cannot be told, as without a permission."""

    roles: tuple[str, ...] | None = None
    """The directory roles that a user holds, directly or through groups."""
    cloud_managed: bool | None = None
    """Whether the source of authority has been moved from Active Directory to the cloud."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain name of the tenant."""

    name: str
    verified: bool
    federated: bool
    default: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a write was answered with: the ids that Microsoft's support asks for."""

    status: int
    request_id: str
    client_request_id: str
    at: datetime


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
    epoch: int = 0

    @property
    def known(self) -> bool:
        """Whether it is known what came of the write."""
        return self.outcome in KNOWN


KNOWN: Final = ("done", "refused", "absent")
"""What a journal entry is settled as when it is known what came of the write; `absent`: it has no effect."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Leave to execute a run, for a while. `epoch` is one more than that of whoever had it before."""

    run_id: RunId
    epoch: int
    attempts: int
    """How many processes have begun it, this one included, not counting those that gave it back."""
    request: Request
    created_at: datetime
    cancelled_by: ActorId | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that has an object to itself: whose it is, since when, and what the surface knows of it."""

    run_id: RunId
    actor: ActorId
    since: datetime
    notice: Mapping[str, Any] | None


# -- the ports --------------------------------------------------------------------------------------------


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

    async def primary_members(self, sid: str, attributes: Sequence[str], limit: int) -> MemberList:
        """Read those whose primary group has this SID: they belong to it, and it lists none of them."""
        ...

    async def search(self, text: str, *, limit: int) -> tuple[DirectoryEntry, ...]:
        """Find people, groups and contacts by the first letters of their names, addresses or accounts.

        At most `limit`, the likeliest first, within 2 seconds; none for an empty text or a single letter.
        """
        ...

    async def within(self, guid: str, groups: Sequence[DistinguishedName]) -> Memberships:
        """Tell which of these groups hold the object of that objectGUID at any depth, and its primary group.

        Raises ObjectNotFound when there is no such object (any more).
        """
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

    async def find_standing(
        self, lookups: Sequence[Lookup], select: Sequence[str], upn: str
    ) -> tuple[Sequence[tuple[TargetObject, ...]], Standing | None]:
        """Answer the lookups as `find` does, and where the user of that name stands, in one round trip.

        The standing is None where there is no such user, or that cannot be told.
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

    async def group_members(self, group: EntraId) -> Mapping[EntraId, str]:
        """Return the ids and names of all direct members of a group."""
        ...

    async def standing(self, kind: TargetKind, entra_id: EntraId) -> Standing:
        """Return where an object stands, in one round trip; what may not be read is None."""
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

    async def restore_user(self, user: EntraId, upn: str | None = None) -> Receipt:
        """Take a user out of the deleted objects, with another user principal name where one is given."""
        ...

    async def restore_group(self, group: EntraId) -> Receipt:
        """Take a group out of the deleted objects."""
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

    async def remove_member(self, group: EntraId, member: EntraId) -> Receipt:
        """Remove one member; one that is not there is removed already."""
        ...


class Journal(Protocol):
    """Intent before each write, outcome after it."""

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object]) -> int:
        """Record, durably, that a write is about to be sent. Return the entry's number.

        Raises StoreUnavailable, RunTaken when another process has the run by now, or RunCancelled.
        """
        ...

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of it: `done`, `refused`, `absent` or `unknown`."""
        ...


class RunStore(Protocol):
    """Where runs are kept."""

    async def save(self, run: Run) -> None:
        """Store the run as it now stands."""
        ...

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        ...

    async def hold(self, run_id: RunId, guid: ObjectGuid) -> Holder | None:
        """Give a run that object to itself until it ends, or return who has it."""
        ...


class RunQueue(Protocol):
    """Which runs are to be executed, and by whom. What a process has on lease, nobody else executes.

    Everything about a run on lease names its epoch, and raises RunTaken when another process has it by now.
    """

    lease_s: float
    """For how long a lease is given, in seconds."""

    async def claim(self, limit: int, *, besides: Collection[RunId] = ()) -> Sequence[Lease]:
        """Take the oldest runs that wait, and those whose lease has run out, but not these."""
        ...

    async def renew(self, epochs: Mapping[RunId, int]) -> Mapping[RunId, ActorId | None]:
        """Prolong these leases. Return those still held, with who has asked to cancel the run."""
        ...

    async def put_back(self, run_id: RunId, epoch: int) -> None:
        """Give a run back, for whoever wants it next."""
        ...

    async def save(self, run: Run, *, epoch: int) -> None:
        """Store a run as it stands."""
        ...

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        ...

    async def hold(self, run_id: RunId, guid: ObjectGuid, *, epoch: int) -> Holder | None:
        """Give a run that object to itself until it ends, or return who has it."""
        ...

    async def intend(self, run_id: RunId, step: str, detail: Mapping[str, object], *, epoch: int) -> int:
        """Record, durably, that a write is about to be sent. The lease begins anew with it."""
        ...

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of it: `done`, `refused`, `absent` or `unknown`."""
        ...

    async def journal(self, run_id: RunId) -> Sequence[JournalEntry]:
        """Return what was intended for a run, in that order."""
        ...


class Events(Protocol):
    """Where a run's progress is told."""

    async def changed(self, run: Run) -> None:
        """Take note of a new state. Returns at once: the pipeline waits for nobody."""
        ...
