"""The story of a run: import the object, check its scope, find its match, plan, act.

`preview` ends with the plan and can write nothing: the tenant it talks to refuses every write outside of
`apply_plan`. `provision` is a preview followed by applying that very plan.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from pipeline.errors import (
    KindNotCreatable,
    MailEnabledGroup,
    OutcomeUnknown,
    PipelineError,
    PlanStale,
    PrivilegedTarget,
    Refusal,
    RunCancelled,
    SynchronizedTarget,
    SynchronizedTenant,
)
from pipeline.model import (
    ActionEvidence,
    ChangeKind,
    Mode,
    Outcome,
    Plan,
    PlanAction,
    Request,
    Run,
    StageName,
    StageStatus,
    TargetKind,
)
from pipeline.record import DEFECT, Record
from pipeline.recovery import Earlier
from pipeline.redaction import redact_identity, redact_match, redact_plan, redact_target
from pipeline.services import Services
from pipeline.stages.acting import apply_plan
from pipeline.stages.importing import Source, import_evidence, import_object, is_mail_enabled
from pipeline.stages.matching import Match, find_match
from pipeline.stages.planning import drift_plan, make_plan
from pipeline.stages.scoping import evaluate_scope
from pipeline.stages.sending import Action
from pipeline.wording import action_summary, count, not_written, plan_summary, what_moved

_DONE: Final = {
    PlanAction.CREATE: Outcome.CREATED,
    PlanAction.UPDATE: Outcome.UPDATED,
    PlanAction.RESTORE: Outcome.RESTORED,
    PlanAction.NONE: Outcome.UNCHANGED,
}

NOTES_SHOWN: Final = 3
"""How many notes on what was not written stand in the message itself; the details have them all."""

FRESH_S: Final = 5.0
"""How long a read of the target counts as fresh before a write."""

WRITES_OFF: Final = (
    "Writing is switched off for this installation (FOURCHECK_ENTRA__WRITES), so nothing was written."
)
CLOUD_ONLY: Final = {
    TargetKind.USER: (
        "Written directly through Microsoft Graph: the user is cloud-only and carries the directory's "
        "anchor; the synchronisation service does not own it."
    ),
    TargetKind.GROUP: (
        "Written directly through Microsoft Graph: the group is cloud-only and is recognised by its unique "
        "name; the synchronisation service does not own it."
    ),
}

_STOPPED_BY: Final = {OutcomeUnknown: Outcome.UNKNOWN, RunCancelled: Outcome.CANCELLED}
"""How a run ended that one of these stopped, whether or not it had written something before."""

_log = logging.getLogger(__name__)


class Skipped(Exception):
    """Nothing is to be done with this object: the run ends here, and says why."""


async def preview(request: Request, services: Services) -> Run:
    """Take the object through import, scope, match and plan. Writes nothing."""
    return await _run(replace(request, mode=Mode.PREVIEW), services)


async def provision(request: Request, services: Services) -> Run:
    """Preview, then apply that very plan. Where writing is switched off, it stays a preview and says so."""
    return await _run(replace(request, mode=Mode.PROVISION), services)


async def apply(request: Request, services: Services) -> Run:
    """Carry out the plan of the preview that the request follows, or refuse naming what has moved since."""
    if request.follows is None:
        raise ValueError("apply needs a request that follows a preview")
    return await provision(request, services)


async def _run(request: Request, services: Services) -> Run:
    record = Record(request, services)
    try:
        source = await _import(record, request, services)
        await _scope(record, source, override=request.override_scope)
        if request.mode is Mode.PROVISION:
            await services.store.hold(request.run_id, source.identity.guid)
        if services.earlier is not None:
            await services.earlier.settle_creation(services.tenant, services.journal)
        match = await _match(record, source, services)
        return await _act(record, source, match, services)
    except Skipped:
        return await record.end(Outcome.SKIPPED)
    except PipelineError as error:
        if services.earlier is not None:
            error = services.earlier.explain(error)
        return await record.end(_ended_by(error), error)
    except Exception:  # noqa: BLE001  # a defect ends the run, told and logged, never the process
        _log.exception("run %s met a defect", request.run_id)
        return await record.end(Outcome.FAILED, PipelineError(f"{DEFECT}."))


def _ended_by(error: PipelineError) -> Outcome:
    """Return how a run ended that this error stopped before anything was written."""
    return Outcome.REFUSED if isinstance(error, Refusal) else _STOPPED_BY.get(type(error), Outcome.FAILED)


async def _import(record: Record, request: Request, services: Services) -> Source:
    async with record.stage(StageName.IMPORT):
        source = await import_object(request, services)
        evidence = import_evidence(source)
        record.change(
            object=redact_identity(source.identity, source.configuration.privacy),
            configuration=source.configuration,
        )
        if services.configurations.trouble is not None:
            record.warn(services.configurations.trouble.note)
        summary = f"{len(evidence.attributes)} attributes from {evidence.controller}"
        await record.end_stage(StageName.IMPORT, StageStatus.PASSED, summary, evidence)
    return source


async def _scope(record: Record, source: Source, *, override: bool) -> None:
    async with record.stage(StageName.SCOPE):
        evidence = evaluate_scope(source)
        if not evidence.in_scope and override and evidence.overridable:
            record.warn(f"The scope was overridden on request: {evidence.why}.")
            summary = f"Overridden on request: {evidence.why}"
            await record.end_stage(StageName.SCOPE, StageStatus.WARNING, summary, evidence)
            return
        if not evidence.in_scope:
            record.close(StageName.SCOPE, StageStatus.SKIPPED, evidence.why, evidence)
            raise Skipped
        await record.end_stage(StageName.SCOPE, StageStatus.PASSED, evidence.why, evidence)


async def _match(record: Record, source: Source, services: Services) -> Match:
    rules = source.configuration.rules(source.identity.kind)
    if rules is None:
        async with record.stage(StageName.MATCH):
            await record.end_stage(StageName.MATCH, StageStatus.SKIPPED, "Contacts are not matched", None)
        async with record.stage(StageName.ACTION):
            raise KindNotCreatable("Microsoft Graph cannot create contacts.")
    async with record.stage(StageName.MATCH):
        match = await find_match(source, rules, services)
        evidence = redact_match(match.evidence, match.private)
        record.keep(StageName.MATCH, evidence)
        for note in match.notes:
            record.warn(note)
        if match.refusal is not None:
            raise match.refusal
        if match.target is not None:
            record.change(target=redact_target(match.target.identity, match.private))
        await record.end_stage(StageName.MATCH, StageStatus.PASSED, evidence.why, evidence)
    return match


async def _act(record: Record, source: Source, match: Match, services: Services) -> Run:
    async with record.stage(StageName.ACTION):
        _skip_cloud_managed(record, match)
        await _refuse_synchronized(record, source, match, services)
        _skip_mail_enabled(record, source, match)
        previewed = await services.store.load(record.follows) if record.follows else None
        salt = previewed.plan.salt if previewed and previewed.plan else ""
        plan = await make_plan(source, match, services, salt)
        shown = redact_plan(plan, match.private, source.configuration.privacy)
        record.change(plan=shown)
        if services.earlier is not None:
            await services.earlier.settle(plan, services.journal)
            if plan.action is PlanAction.NONE and services.earlier.writes:
                return await _end_acted(record, shown, Action(plan.target), services.earlier)
        _guard(plan, source, match)
        provisioning = record.run.mode is Mode.PROVISION
        if plan.action is PlanAction.NONE or not provisioning or not services.writes:
            if provisioning and plan.action is not PlanAction.NONE:
                record.warn(WRITES_OFF)
            return await _end_planned(record, shown)
        if services.earlier is None or not services.earlier.covers(plan):
            await _refuse_other_plan(record, services)
        await _refuse_stale(plan, source, match, services)
        await record.pass_on()  # the plan is on record before the first write
        action = await apply_plan(plan, shown, source, record.run.run_id, services)
        if action.target is not None:
            record.change(target=redact_target(action.target, match.private))
        return await _end_acted(record, shown, action, services.earlier)


async def _refuse_synchronized(record: Record, source: Source, match: Match, services: Services) -> None:
    """Refuse to write an object that the synchronisation owns, and list what differs."""
    if match.target is None or match.target.attributes.get("onPremisesSyncEnabled") is not True:
        return
    plan = await drift_plan(source, match, services, "the synchronisation service owns the object")
    record.change(plan=redact_plan(plan, match.private, source.configuration.privacy))
    drift = plan.count(ChangeKind.NOT_WRITTEN)
    verb = "differs" if drift == 1 else "differ"
    note = f"{count(drift, 'attribute')} {verb} from Active Directory; the synchronisation decides on them."
    if not drift:
        note = "Nothing differs from Active Directory."
    record.keep(StageName.ACTION, ActionEvidence(notes=(note,)))
    raise SynchronizedTarget


def _skip_mail_enabled(record: Record, source: Source, match: Match) -> None:
    """Skip groups that only Exchange or the synchronisation can write."""
    cloud = match.target is not None and match.target.attributes.get("mailEnabled") is True
    if match.rules.kind is TargetKind.GROUP and (cloud or is_mail_enabled(source.values)):
        summary = f"{MailEnabledGroup.__doc__}".partition(";")[0].rstrip(".")
        notes = (MailEnabledGroup.remedy,)
        record.close(StageName.ACTION, StageStatus.SKIPPED, summary, ActionEvidence(notes=notes))
        raise Skipped


def _skip_cloud_managed(record: Record, match: Match) -> None:
    """Skip an object whose source of authority is the cloud: Active Directory has no say in it any more."""
    if match.standing.cloud_managed is True:
        summary = f"The source of authority of this {match.rules.kind} is the cloud (isCloudManaged)"
        notes = ("Change it in Entra ID, or move the source of authority back to Active Directory.",)
        record.close(StageName.ACTION, StageStatus.SKIPPED, summary, ActionEvidence(notes=notes))
        raise Skipped


def _guard(plan: Plan, source: Source, match: Match) -> None:
    """Refuse what a safety catch is for, unless the configuration takes it off."""
    guards = source.configuration.guards
    synchronized = match.tenant_synchronized and not guards.allow_create_in_synced_tenant
    if plan.action is PlanAction.CREATE and synchronized:
        raise SynchronizedTenant
    roles = match.standing.roles
    if plan.action is not PlanAction.NONE and roles and not guards.allow_privileged_targets:
        raise PrivilegedTarget(f"The object in Entra ID holds directory roles: {', '.join(roles)}.")


async def _refuse_other_plan(record: Record, services: Services) -> None:
    """Refuse when the plan is not, to the letter, the one that was previewed."""
    if record.follows is None or record.run.plan is None:
        return
    previewed = await services.store.load(record.follows)
    if previewed is None or previewed.plan is None:
        raise PlanStale("The preview is no longer kept, so it cannot be compared.")
    if previewed.plan.digest != record.run.plan.digest:
        raise PlanStale(f"Since the preview, this moved: {', '.join(what_moved(previewed, record.run))}.")


async def _refuse_stale(plan: Plan, source: Source, match: Match, services: Services) -> None:
    """Look again where the match is no longer fresh, and refuse when it would lead to another plan."""
    if services.clock.monotonic() - match.read_at < FRESH_S:
        return
    again = await find_match(source, match.rules, services)
    if again.refusal is not None:
        raise again.refusal
    if (await make_plan(source, again, services, plan.salt)).digest != plan.digest:
        raise PlanStale("The object in Entra ID changed while the run was on its way.")


async def _end_planned(record: Record, plan: Plan) -> Run:
    blocked = not_written(plan)
    status = StageStatus.WARNING if blocked else StageStatus.PASSED
    outcome = {
        PlanAction.CREATE: Outcome.WOULD_CREATE,
        PlanAction.UPDATE: Outcome.WOULD_UPDATE,
        PlanAction.RESTORE: Outcome.WOULD_RESTORE,
        PlanAction.NONE: Outcome.UNCHANGED,
    }[plan.action]
    evidence = ActionEvidence(notes=blocked)
    for note in blocked[:NOTES_SHOWN]:
        record.warn(note)
    record.close(StageName.ACTION, status, plan_summary(plan), evidence)
    return await record.end(outcome)


async def _end_acted(record: Record, plan: Plan, action: Action, earlier: Earlier | None) -> Run:
    """Tell what came of the plan: all of it, a part of it, or what stopped it before anything was written."""
    before = earlier.writes if earlier is not None else ()
    evidence = ActionEvidence((*before, *action.writes), (*action.refused, *not_written(plan)))
    record.keep(StageName.ACTION, evidence)
    if action.error is not None and not action.written:
        raise action.error
    done = (earlier.outcome if earlier is not None else None) or _DONE[plan.action]
    if done is Outcome.CREATED:
        record.warn(CLOUD_ONLY[plan.kind])
    summary = action_summary(
        plan,
        members=action.members,
        linked=action.linked,
        refused=len(action.refused),
        removed=action.removed,
    )
    if before:
        now = f"now {summary[0].lower()}{summary[1:]}" if action.written else "nothing else was to be done"
        summary = f"{str(done).capitalize()} before the run was interrupted; {now}"
    for note in evidence.notes[:NOTES_SHOWN]:
        record.warn(note)
    if action.error is not None:
        outcome = _STOPPED_BY.get(type(action.error), Outcome.PARTIAL)
        summary = f"{str(done).capitalize()}, then stopped: {action.error.message}"
        record.close(StageName.ACTION, StageStatus.FAILED, summary, evidence)
        return await record.end(outcome, action.error)
    status = StageStatus.WARNING if evidence.notes else StageStatus.PASSED
    outcome = Outcome.PARTIAL if action.refused else done
    record.close(StageName.ACTION, status, summary, evidence)
    return await record.end(outcome)
