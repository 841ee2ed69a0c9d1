"""Runs as literals: one for every outcome, the way the pipeline leaves them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.ids import ActorId, Dn, EntraId, ObjectGuid, RunId
from pipeline.model import (
    ActionEvidence,
    Candidate,
    Change,
    ChangeKind,
    ClauseResult,
    Condition,
    ErrorReport,
    Evidence,
    FilterResult,
    ImportedAttribute,
    ImportEvidence,
    KeyResult,
    MatchEvidence,
    MemberChange,
    Mode,
    ObjectKind,
    Outcome,
    Plan,
    PlanAction,
    Run,
    ScopeEvidence,
    SourceIdentity,
    Stage,
    StageName,
    StageStatus,
    TargetIdentity,
    TargetKind,
    Write,
)

STARTED = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
RUN_ID = RunId("01JDABCDEFGHJKMNPQRSTVWXK3")
ACTOR = ActorId("T0CONTOSO/U0MARIA")
PEOPLE = {"U0MARIA": "maria"}
ADA = SourceIdentity(
    Dn("CN=Ada Lovelace,OU=Engineering,OU=London,OU=Corp,DC=contoso,DC=test"),
    ObjectGuid("6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
    None,
    ObjectKind.USER,
    "Ada Lovelace",
)
CONTROLLER = "dc1.contoso.test"

PASSED, SKIPPED, FAILED = StageStatus.PASSED, StageStatus.SKIPPED, StageStatus.FAILED


def imported(*attributes: ImportedAttribute) -> ImportEvidence:
    """Return what an import saw."""
    some = attributes or (ImportedAttribute("displayName", "text", ("Ada Lovelace",)),)
    return ImportEvidence(
        CONTROLLER, STARTED, ("top", "person", "user"), "2026-11-20T10:00:00Z", "81234", some
    )


def scoped(*, employee: str = "Employee") -> ScopeEvidence:
    """Return a scope decision on the filter Full-time staff."""
    inside = employee == "Employee"
    clauses = (
        ClauseResult("employeeType", "EQUALS", ("Employee",), (employee,), passed=inside),
        ClauseResult("mail", "IS NOT NULL", (), ("ada@contoso.test",), passed=True),
    )
    why = (
        "In scope: 2 of 2 conditions of “Full-time staff”"
        if inside
        else f"“Full-time staff” wants employeeType EQUALS Employee, AD has {employee}"
    )
    unit = Condition("OU=Corp,DC=contoso,DC=test", passed=True, why="the object lies below it")
    return ScopeEvidence(inside, why, (unit,), (), (FilterResult("Full-time staff", inside, clauses),))


NOBODY = MatchEvidence(
    "Nobody matches on 3 keys, so a new user is created",
    (
        KeyResult(
            "onPremisesImmutableId",
            "b5YZb4aLEdC0LQDPT8lk/w==",
            (),
            decided=False,
            why="nobody has this value",
        ),
    ),
    None,
)
CANDIDATE = Candidate(
    EntraId("11111111-2222-3333-4444-555555555555"),
    TargetKind.USER,
    "Alan Turing",
    "alan@contoso.test",
    None,
    False,
)
CHANGES = (
    Change(
        "jobTitle",
        "Fellow",
        "Reader",
        ChangeKind.CHANGED,
        mapping="Trim([title])",
        inputs=(("title", " Reader"),),
    ),
    Change("city", "London", "Cambridge", ChangeKind.CHANGED),
    Change("mobilePhone", "+44 1", "+44 2", ChangeKind.CHANGED),
    Change("department", None, "Computing", ChangeKind.ADDED),
    Change("displayName", "Ada Lovelace", "Ada Lovelace", ChangeKind.SAME),
)
UPDATE = Plan(
    PlanAction.UPDATE,
    TargetKind.USER,
    TargetIdentity(CANDIDATE.id, CANDIDATE.upn),
    CHANGES,
    digest="sha256:ab",
)
CREATE = Plan(
    PlanAction.CREATE,
    TargetKind.USER,
    None,
    (
        Change("displayName", None, "Ada Lovelace", ChangeKind.ADDED),
        Change("userPrincipalName", None, "ada@contoso.test", ChangeKind.ADDED),
    ),
)
GROUP = Plan(
    PlanAction.CREATE,
    TargetKind.GROUP,
    None,
    (Change("displayName", None, "Researchers", ChangeKind.ADDED),),
    (
        MemberChange("Ada Lovelace", "CN=Ada", EntraId("1"), ChangeKind.ADDED),
        MemberChange("Alan Turing", "CN=Alan", EntraId("2"), ChangeKind.SAME),
        MemberChange("Grace Hopper", "CN=Grace", None, ChangeKind.NOT_WRITTEN, "not in Entra ID"),
    ),
)


def stage(name: StageName, status: StageStatus, summary: str = "", evidence: Evidence | None = None) -> Stage:
    """Return one stage."""
    return Stage(name, status, summary, evidence, 12 if status is not StageStatus.WAITING else None)


IMPORT = stage(StageName.IMPORT, PASSED, f"46 attributes from {CONTROLLER}", imported())
SCOPE = stage(StageName.SCOPE, PASSED, scoped().why, scoped())
MATCH = stage(StageName.MATCH, PASSED, NOBODY.why, NOBODY)
NOT_REACHED = {name: stage(name, SKIPPED, "Not reached") for name in StageName}


def action(summary: str, status: StageStatus = PASSED, *writes: Write, notes: tuple[str, ...] = ()) -> Stage:
    """Return the action stage."""
    return stage(StageName.ACTION, status, summary, ActionEvidence(writes, notes))


def run(outcome: Outcome, *stages: Stage, mode: Mode = Mode.PROVISION, **more: object) -> Run:
    """Return a run of Ada Lovelace; stages that are not given wait."""
    given = {s.name: s for s in stages}
    filled = tuple(given.get(name, Stage(name)) for name in StageName)
    base = Run(
        RUN_ID,
        mode,
        ACTOR,
        ADA.dn,
        outcome,
        (filled[0], filled[1], filled[2], filled[3]),
        STARTED,
        configuration="contoso",
        configuration_digest="sha256:7f3a91c55",
        object=ADA,
        ended_at=None if outcome is Outcome.RUNNING else STARTED + timedelta(milliseconds=400),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # names are the model's own


def error(code: str, message: str, remedy: str, *, retry_helps: bool = False) -> ErrorReport:
    """Return an error as a run carries it."""
    return ErrorReport(code, message, remedy, retry_helps, ids={"request-id": "abc-123"})


DONE = Write("create user", ok=True, detail="answered 201", request_id="abc-123")
_AMBIGUOUS = error(
    "match_ambiguous",
    "2 objects share its mail: Ada (ada@x), Ada (ada@y).",
    "Make the matching value unique in Entra ID, or set the anchor on the right one.",
)
_CONFLICT = error(
    "tenant_conflict",
    "Another object with the same value for property userPrincipalName already exists.",
    "Find the other object and decide which of the two is right; then run again.",
)
_LOST = error(
    "outcome_unknown",
    "The answer to the creation was lost, and the object cannot be seen in Entra ID yet.",
    "Look at the object in Entra ID before running again.",
)
_STOPPED = ErrorReport(
    "interrupted",
    "Fourcheck was stopped during this run; nothing was written.",
    "Run again: what is already right is left as it is.",
    retry_helps=True,
)

OUTCOMES: dict[Outcome, Run] = {
    Outcome.RUNNING: run(Outcome.RUNNING, IMPORT, stage(StageName.SCOPE, StageStatus.RUNNING)),
    Outcome.CREATED: run(
        Outcome.CREATED,
        IMPORT,
        SCOPE,
        MATCH,
        action("Created with 23 attributes, manager linked", PASSED, DONE),
        plan=CREATE,
    ),
    Outcome.UPDATED: run(
        Outcome.UPDATED, IMPORT, SCOPE, MATCH, action("Updated 4 attributes", PASSED, DONE), plan=UPDATE
    ),
    Outcome.UNCHANGED: run(
        Outcome.UNCHANGED,
        IMPORT,
        SCOPE,
        MATCH,
        action("Nothing to do: all 26 attributes are already as they should be"),
        plan=replace(UPDATE, action=PlanAction.NONE, changes=CHANGES[4:]),
    ),
    Outcome.RESTORED: run(
        Outcome.RESTORED,
        IMPORT,
        SCOPE,
        MATCH,
        action("Restored, 4 attributes updated", PASSED, DONE),
        plan=replace(UPDATE, action=PlanAction.RESTORE),
    ),
    Outcome.WOULD_CREATE: run(
        Outcome.WOULD_CREATE,
        IMPORT,
        SCOPE,
        MATCH,
        action("Would create 2 attributes; nothing was written"),
        mode=Mode.PREVIEW,
        plan=CREATE,
    ),
    Outcome.WOULD_UPDATE: run(
        Outcome.WOULD_UPDATE,
        IMPORT,
        SCOPE,
        MATCH,
        action("Would update 4 attributes; nothing was written"),
        mode=Mode.PREVIEW,
        plan=UPDATE,
    ),
    Outcome.WOULD_RESTORE: run(
        Outcome.WOULD_RESTORE,
        IMPORT,
        SCOPE,
        MATCH,
        action("Would restore; nothing was written"),
        mode=Mode.PREVIEW,
        plan=replace(UPDATE, action=PlanAction.RESTORE),
    ),
    Outcome.SKIPPED: run(
        Outcome.SKIPPED,
        IMPORT,
        stage(StageName.SCOPE, SKIPPED, scoped(employee="Contractor").why, scoped(employee="Contractor")),
        NOT_REACHED[StageName.MATCH],
        NOT_REACHED[StageName.ACTION],
    ),
    Outcome.REFUSED: run(
        Outcome.REFUSED,
        IMPORT,
        SCOPE,
        stage(StageName.MATCH, FAILED, _AMBIGUOUS.message, NOBODY),
        NOT_REACHED[StageName.ACTION],
        error=_AMBIGUOUS,
    ),
    Outcome.FAILED: run(
        Outcome.FAILED, IMPORT, SCOPE, MATCH, action(_CONFLICT.message, FAILED), plan=UPDATE, error=_CONFLICT
    ),
    Outcome.PARTIAL: run(
        Outcome.PARTIAL,
        IMPORT,
        SCOPE,
        MATCH,
        action(
            "Created with 1 attribute and 1 member; 1 write refused",
            StageStatus.WARNING,
            DONE,
            notes=("add member Grace Hopper: refused",),
        ),
        plan=GROUP,
    ),
    Outcome.UNKNOWN: run(
        Outcome.UNKNOWN, IMPORT, SCOPE, MATCH, action(_LOST.message, FAILED), plan=CREATE, error=_LOST
    ),
    Outcome.CANCELLED: run(Outcome.CANCELLED, IMPORT, NOT_REACHED[StageName.SCOPE]),
    Outcome.INTERRUPTED: run(
        Outcome.INTERRUPTED,
        IMPORT,
        SCOPE,
        stage(StageName.MATCH, FAILED, "Interrupted: Fourcheck was stopped here"),
        error=_STOPPED,
    ),
    Outcome.AWAITING_APPROVAL: run(
        Outcome.AWAITING_APPROVAL,
        IMPORT,
        SCOPE,
        MATCH,
        action("Would create 2 attributes; nothing was written"),
        plan=CREATE,
    ),
}
