"""What a run is made of: stages, evidence, plan, outcome. Data only, frozen, without a rule in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from pipeline.ids import ActorId, Dn, EntraId, ObjectGuid, RunId, Sid
from pipeline.vocabulary import (
    ChangeKind,
    Mode,
    ObjectKind,
    Outcome,
    PlanAction,
    StageName,
    StageStatus,
    TargetKind,
)

__all__ = [
    "SCHEMA_VERSION",
    "ActionEvidence",
    "Candidate",
    "Change",
    "ChangeKind",
    "ClauseResult",
    "Condition",
    "ErrorReport",
    "Evidence",
    "FilterResult",
    "ImportEvidence",
    "ImportedAttribute",
    "JsonScalar",
    "KeyResult",
    "MatchEvidence",
    "MemberChange",
    "Mode",
    "ObjectKind",
    "Outcome",
    "Plan",
    "PlanAction",
    "Request",
    "Run",
    "ScopeEvidence",
    "SourceIdentity",
    "Stage",
    "StageName",
    "StageStatus",
    "TargetIdentity",
    "TargetKind",
    "TargetValue",
    "TraceStep",
    "Write",
]

SCHEMA_VERSION: Final = 1

JsonScalar: TypeAlias = str | int | float | bool | None
TargetValue: TypeAlias = JsonScalar | tuple[str, ...]
"""A value as Microsoft Graph takes it: a scalar, null, or a list of texts."""


@dataclass(frozen=True, slots=True)
class Request:
    """One command: who wants what done to which object, by which rules."""

    run_id: RunId
    mode: Mode
    identifier: str
    actor: ActorId
    configuration: str | None = None
    follows: RunId | None = None
    """The preview whose plan is to be applied: it must still be the plan, or the run is refused."""
    permitted: tuple[str, ...] | None = None
    """The configurations that the actor may use for this; None for whoever needs no permission."""
    override_scope: bool = False
    """Whether to go on with an object that is out of scope, which takes a right of its own."""


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """Who the object is by what the directory returned, never by what was typed."""

    dn: Dn
    guid: ObjectGuid
    sid: Sid | None
    kind: ObjectKind
    name: str


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """The cloud object a run is about. A group's `upn` is null."""

    id: EntraId
    upn: str | None
    name: str | None = None


# -- evidence: what a stage saw and decided --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportedAttribute:
    """One attribute as read: `values` in their textual form, `decoded` the same in words where that helps.

    A private attribute has no values here; `total` still says how many there are.
    """

    name: str
    syntax: str
    values: tuple[str, ...]
    decoded: tuple[str, ...] = ()
    total: int = 1
    private: bool = False


@dataclass(frozen=True, slots=True)
class ImportEvidence:
    """What was read, from whom and when."""

    controller: str
    read_at: datetime
    object_class: tuple[str, ...]
    when_changed: str | None
    usn_changed: str | None
    attributes: tuple[ImportedAttribute, ...]
    hidden: int = 0
    """How many attributes the configuration asks for that are never read."""
    notes: tuple[str, ...] = ()
    stage: Literal["import"] = "import"


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One condition of a scope filter: what was wanted, what was there, and whether that is enough."""

    attribute: str
    operator: str
    wanted: tuple[str, ...]
    actual: tuple[str, ...]
    passed: bool
    why: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class FilterResult:
    """One scope filter: true when all its clauses are."""

    name: str
    passed: bool
    clauses: tuple[ClauseResult, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A named yes-or-no of the scope stage that is not a filter: an organizational unit, a group, a guard."""

    name: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class ScopeEvidence:
    """The scope decision and everything it rests on."""

    in_scope: bool
    why: str
    organizational_units: tuple[Condition, ...] = ()
    groups: tuple[Condition, ...] = ()
    filters: tuple[FilterResult, ...] = ()
    guards: tuple[Condition, ...] = ()
    schedule: str = ""
    """What the synchronisation's own schedule would do with an object that is out of scope."""
    overridable: bool = False
    """Whether a right of its own can go on with the object nevertheless: never past a guard."""
    input_filters: tuple[FilterResult, ...] = ()
    """A set of its own that has to let the object in as well: what a schema calls input filters."""
    stage: Literal["scope"] = "scope"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cloud object that answered to a matching key."""

    id: EntraId
    kind: TargetKind
    name: str
    upn: str | None
    anchor: str | None
    synchronized: bool


@dataclass(frozen=True, slots=True)
class KeyResult:
    """One matching attribute: the value asked for and who answered."""

    attribute: str
    value: str | None
    candidates: tuple[Candidate, ...]
    decided: bool
    """Whether this key settled the match."""
    why: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class MatchEvidence:
    """The match decision: the one found, or none, or why it was refused."""

    why: str
    keys: tuple[KeyResult, ...]
    matched: Candidate | None
    stage: Literal["match"] = "match"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One part of a mapping's expression: its text, and what it gave where it was looked at.

    `depth` is 0 for the whole expression. `taken` is None for what is no branch of an IIF or Switch; of a
    branch it says whether it gave the value, or the error. A part that ended in an error was not evaluated,
    and its `value` is the bare word `failed`; a text's value stands in quotes.
    """

    depth: int
    text: str
    value: str
    evaluated: bool = True
    taken: bool | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One target attribute, before and after, with the mapping that made it.

    `inputs` are the source attributes that the mapping read, with their values as text.
    """

    attribute: str
    before: TargetValue
    after: TargetValue
    kind: ChangeKind
    reason: str = ""
    mapping: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    private: bool = False
    trace: tuple[TraceStep, ...] = ()
    """How the mapping came to its value; empty for a constant, and where the value is private."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member of a group: to be added or removed, already there, or not possible and why."""

    name: str
    dn: str
    id: EntraId | None
    kind: ChangeKind
    reason: str = ""
    removal: bool = False
    """Whether it is about taking the member out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The complete action before it is taken. `digest` is over everything that would be written."""

    action: PlanAction
    kind: TargetKind
    target: TargetIdentity | None
    changes: tuple[Change, ...]
    members: tuple[MemberChange, ...] = ()
    manager: EntraId | None = None
    """The id of the manager to link, where the change of `manager` is to be written."""
    digest: str = ""
    salt: str = ""
    """What the digest begins with, so that no value can be guessed from it. Stored, and never shown."""

    @property
    def removed(self) -> frozenset[EntraId]:
        """The members that a write takes out."""
        return frozenset(m.id for m in self.members if m.kind is ChangeKind.CLEARED and m.id is not None)

    @property
    def written(self) -> tuple[Change, ...]:
        """The changes that a write carries out."""
        return tuple(c for c in self.changes if c.kind in _WRITTEN)

    def count(self, kind: ChangeKind) -> int:
        """How many attributes have this kind of change."""
        return sum(1 for c in self.changes if c.kind is kind)


_WRITTEN: Final = frozenset({ChangeKind.ADDED, ChangeKind.CHANGED, ChangeKind.CLEARED})


@dataclass(frozen=True, slots=True)
class Write:
    """One write that was sent: what it did and how it was answered."""

    step: str
    ok: bool
    detail: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ActionEvidence:
    """What was planned is in the run's plan; this is what came of it."""

    writes: tuple[Write, ...] = ()
    notes: tuple[str, ...] = ()
    stage: Literal["action"] = "action"


Evidence: TypeAlias = ImportEvidence | ScopeEvidence | MatchEvidence | ActionEvidence


# -- the run ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the four checks."""

    name: StageName
    status: StageStatus = StageStatus.WAITING
    summary: str = ""
    evidence: Evidence | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error as people and scripts see it."""

    code: str
    message: str
    remedy: str
    retry_helps: bool
    unreachable: bool = False
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of one object through the four stages, by one actor, with one configuration."""

    run_id: RunId
    mode: Mode
    actor: ActorId
    identifier: str
    outcome: Outcome
    stages: tuple[Stage, Stage, Stage, Stage]
    started_at: datetime
    executor: str = "graph"
    configuration: str | None = None
    configuration_digest: str | None = None
    object: SourceIdentity | None = None
    target: TargetIdentity | None = None
    plan: Plan | None = None
    warnings: tuple[str, ...] = ()
    error: ErrorReport | None = None
    ended_at: datetime | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def scope_overridden(self) -> bool:
        """Whether the object is out of scope and the run went on nevertheless."""
        scope = self.stage(StageName.SCOPE)
        seen = scope.evidence
        return scope.status is StageStatus.WARNING and isinstance(seen, ScopeEvidence) and not seen.in_scope

    def stage(self, name: StageName) -> Stage:
        """Return the stage of that name."""
        return self.stages[_ORDER.index(name)]

    def with_stage(self, stage: Stage) -> Run:
        """Return the run with one stage replaced."""
        stages = list(self.stages)
        stages[_ORDER.index(stage.name)] = stage
        return replace(self, stages=(stages[0], stages[1], stages[2], stages[3]))


_ORDER: Final[Sequence[StageName]] = tuple(StageName)


def new_run(request: Request, started_at: datetime) -> Run:
    """Return the run of a request before anything has happened."""
    waiting = tuple(Stage(name) for name in StageName)
    return Run(
        run_id=request.run_id,
        mode=request.mode,
        actor=request.actor,
        identifier=request.identifier,
        outcome=Outcome.RUNNING,
        stages=(waiting[0], waiting[1], waiting[2], waiting[3]),
        started_at=started_at,
        configuration=request.configuration,
    )
