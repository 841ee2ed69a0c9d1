"""How each outcome reads: the headline, and what to do next. One table, one entry for every outcome.

The tone: the outcome first, in a sentence that can be read aloud; the object by its name; every end that is
not success says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.views import text
from pipeline.dn import DistinguishedName, parse
from pipeline.errors import RequestError
from pipeline.model import (
    ActionEvidence,
    ChangeKind,
    Mode,
    Outcome,
    Plan,
    PlanAction,
    Run,
    ScopeEvidence,
    StageName,
    StageStatus,
)

NOTHING_WRITTEN: Final = "nothing was written"
_TAIL: Final = " — " + NOTHING_WRITTEN
_THOUGH: Final = ", although this was a preview"  # never to be seen; were it so, it must be said

_BECAUSE: Final = {
    "match_ambiguous": "several objects in Entra ID match",
    "match_taken": "the matching object belongs to another directory object",
    "match_by_name_only": "only the name matches in Entra ID",
    "soft_deleted_twin": "it lies among the deleted objects in Entra ID",
    "privileged_target": "it holds directory roles in Entra ID",
    "synchronized_target": "the synchronisation owns this object",
    "synchronized_tenant": "the synchronisation creates the objects of this tenant",
    "not_permitted": "not allowed with the configuration that covers it",
    "kind_not_creatable": "Microsoft Graph cannot create objects of this kind",
    "mail_enabled_group": "Microsoft Graph cannot write mail-enabled groups",
    "value_not_allowed": "a value is not allowed in Entra ID",
    "plan_stale": "something changed since the plan was made",
    "identifier_empty": "nothing was typed to look for",
    "identifier_malformed": "that is no identifier",
    "identifier_unsafe": "the identifier holds invisible characters",
    "configuration_invalid": "the configuration is wrong",
    "configuration_unknown": "no configuration of that name",
    "configuration_outside": "no configuration covers it",
    "mapping_failed": "a mapping could not be evaluated",
    "object_not_found": "not found in Active Directory",
    "object_deleted": "deleted from Active Directory",
    "object_ambiguous": "more than one object answers to that",
    "object_kind_unknown": "objects of this class are not handled",
    "directory_unreachable": "no domain controller could be reached",
    "directory_timeout": "the domain controller did not answer in time",
    "directory_untrusted": "the domain controller's certificate is not trusted",
    "directory_bind_refused": "Active Directory refused the bot's account",
    "directory_forbidden": "the bot's account may not read it",
    "directory_busy": "the domain controller is busy",
    "directory_referral": "it lies in another domain",
    "directory_limit": "the domain controller stopped at a limit",
    "sign_in_refused": "Entra ID refused the bot's sign-in",
    "tenant_unreachable": "Entra ID could not be reached",
    "tenant_timeout": "Entra ID did not answer in time",
    "tenant_untrusted": "the certificate on the way to Entra ID is not trusted",
    "tenant_throttled": "Microsoft Graph asks to slow down",
    "tenant_forbidden": "the bot lacks a permission in Entra ID",
    "tenant_refused": "Microsoft Graph refused the request",
    "tenant_conflict": "another object in Entra ID holds a value that must be unique",
    "tenant_not_found": "the object is not in Entra ID",
    "store_unavailable": "the run could not be recorded",
}
"""What stands after the colon of a headline, by the error's stable code."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How an outcome reads: `{name}`, `{why}`, `{counts}` and `{attributes}` are filled in."""

    provision: str
    preview: str
    remedy: str = ""


OUTCOMES: Final[dict[Outcome, Wording]] = {
    Outcome.RUNNING: Wording("{name}: provisioning…", "{name}: previewing…"),
    Outcome.CREATED: Wording("{name} was created in Entra ID", "{name} was created in Entra ID" + _THOUGH),
    Outcome.UPDATED: Wording(
        "{name} was updated in Entra ID: {counts}", "{name} was updated in Entra ID" + _THOUGH
    ),
    Outcome.UNCHANGED: Wording(
        "{name} is already up to date in Entra ID", "Preview: {name} is already up to date in Entra ID"
    ),
    Outcome.RESTORED: Wording("{name} was restored in Entra ID", "{name} was restored in Entra ID" + _THOUGH),
    Outcome.WOULD_CREATE: Wording(
        "{name} would be created with {attributes}" + _TAIL,
        "Preview: {name} would be created with {attributes}" + _TAIL,
    ),
    Outcome.WOULD_UPDATE: Wording(
        "{name} would be updated: {counts}" + _TAIL, "Preview: {counts} for {name}" + _TAIL
    ),
    Outcome.WOULD_RESTORE: Wording(
        "{name} would be restored" + _TAIL, "Preview: {name} would be restored" + _TAIL
    ),
    Outcome.SKIPPED: Wording(
        "{name} was not provisioned: out of scope",
        "Preview: {name} would not be provisioned: out of scope",
        "Correct what is named above in Active Directory, or ask someone who may override the scope.",
    ),
    Outcome.REFUSED: Wording(
        "{name} was not provisioned: {why}",
        "Preview: {name} would be refused: {why}",
        "Read the details of the stage that refused, correct the cause, and run again.",
    ),
    Outcome.FAILED: Wording(
        "{name} was not provisioned: {why}",
        "{name} could not be previewed: {why}",
        "Read the details of the stage that failed, then run again.",
    ),
    Outcome.PARTIAL: Wording(
        "{name} was provisioned only in part",
        "{name} was provisioned only in part" + _THOUGH,
        "View the details of the action to see what was written and what was not, then run again.",
    ),
    Outcome.UNKNOWN: Wording(
        "{name}: a write was sent, and whether it was carried out is not known",
        "{name}: a write was sent, and what came of it is not known" + _THOUGH,
        "Look at the object in Entra ID before running again.",
    ),
    Outcome.CANCELLED: Wording(
        "{name} was not provisioned: the run was cancelled",
        "The preview of {name} was cancelled",
        "Run again when it is wanted after all.",
    ),
    Outcome.INTERRUPTED: Wording(
        "The run for {name} was interrupted before its end",
        "The preview of {name} was interrupted before its end",
        "Look at the object in Entra ID, then run again; a repeated run writes only what is still missing.",
    ),
    Outcome.AWAITING_APPROVAL: Wording(
        "{name} waits for a second person's approval" + _TAIL,
        "The preview of {name} waits for a second person's approval" + _TAIL,
        "Ask someone who may approve to look at the plan.",
    ),
}


_CANCELLED_IN_PART: Final = "{name} was provisioned only in part: the run was cancelled"


def headline(run: Run, limit: int = 150) -> str:
    """Say the outcome in one plain sentence of at most `limit` characters, without a full stop."""
    wording = OUTCOMES[run.outcome]
    template = wording.preview if run.mode is Mode.PREVIEW else wording.provision
    if run.outcome is Outcome.CANCELLED and _writes_done(run):
        template = _CANCELLED_IN_PART
    facts = {"why": because(run), "counts": _counts(run.plan), "attributes": _attributes(run.plan)}
    bare = template.format(name="", **facts)
    ending = _warned(run) if run.outcome.succeeded and len(bare) < limit - 60 else ""
    room = max(limit - len(bare) - len(ending), 20)
    return text.shorten(template.format(name=text.shorten(object_name(run), room), **facts) + ending, limit)


def because(run: Run) -> str:
    """Say in a few words why a run was refused or failed."""
    if run.error is not None and run.error.code in _BECAUSE:
        return _BECAUSE[run.error.code]
    stage = next((s.name for s in run.stages if s.status is StageStatus.FAILED), None)
    word = "refused" if run.outcome is Outcome.REFUSED else "failed"
    return f"{word} at {stage}" if stage else word


def _warned(run: Run) -> str:
    warned = sum(1 for stage in run.stages if stage.status is StageStatus.WARNING)
    return f", with {'a warning' if warned == 1 else text.counted(warned, 'warning')}" if warned else ""


def _counts(plan: Plan | None) -> str:
    if plan is None:
        return "changes"
    cleared = plan.count(ChangeKind.CLEARED)
    added, removed = (
        sum(1 for member in plan.members if member.kind is kind)
        for kind in (ChangeKind.ADDED, ChangeKind.CLEARED)
    )
    parts = [
        (plan.count(ChangeKind.CHANGED), text.counted(plan.count(ChangeKind.CHANGED), "change")),
        (plan.count(ChangeKind.ADDED), text.counted(plan.count(ChangeKind.ADDED), "addition")),
        (cleared, f"{text.count(cleared)} cleared"),
        (added, text.counted(added, "new member")),
        (removed, text.counted(removed, "member removed", "members removed")),
    ]
    return ", ".join(said for number, said in parts if number) or "no changes"


def _attributes(plan: Plan | None) -> str:
    if plan is None:
        return "its attributes"
    members = sum(1 for member in plan.members if member.kind is ChangeKind.ADDED)
    written = text.counted(len(plan.written), "attribute")
    return f"{written} and {text.counted(members, 'member')}" if members else written


# -- who it is about -------------------------------------------------------------------------------------


def object_name(run: Run) -> str:
    """Name the object the way people do: by its name, else by the first part of what was typed."""
    if run.object is not None and run.object.name.strip():
        return run.object.name
    name = _distinguished(run)
    typed = run.object.dn if run.object is not None else run.identifier
    called = name.rdn_value if name is not None else typed
    # What was typed may end in a stray separator, which no sentence should go on after.
    return (called if run.object is not None else called.rstrip(" ,;")).strip() or "The object"


def container_path(run: Run) -> str:
    """Say where the object lies: its two nearest containers, outermost first; empty when it is not known."""
    name = _distinguished(run)
    return " › ".join(text.shorten(unit, 60) for unit in name.containers[-2:]) if name is not None else ""


def _distinguished(run: Run) -> DistinguishedName | None:
    typed = run.object.dn if run.object is not None else run.identifier
    try:
        return parse(typed)
    except RequestError:
        return None


# -- what to do next -------------------------------------------------------------------------------------


def remedy(run: Run) -> str:
    """Say what people can do about an end that is not success; empty when there is nothing to do."""
    if run.error is not None and run.error.remedy.strip():
        return run.error.remedy
    scope = run.stage(StageName.SCOPE).evidence
    if run.outcome is Outcome.SKIPPED and isinstance(scope, ScopeEvidence):
        return _scope_remedy(scope)
    return OUTCOMES[run.outcome].remedy


def _scope_remedy(scope: ScopeEvidence) -> str:
    stopped = next((guard for guard in scope.guards if not guard.passed), None)
    if stopped is not None:
        name = text.shorten(stopped.name, 80)
        return f"Leave it as it is if “{name}” is meant to protect it; otherwise ask an administrator."
    ways: list[str] = []
    if scope.organizational_units and not any(c.passed for c in scope.organizational_units):
        ways.append("move the object into an organizational unit that the configuration covers")
    if scope.groups and not any(c.passed for c in scope.groups):
        ways.append("add it to a group that the configuration covers")
    if scope.filters and not any(f.passed for f in scope.filters):
        nearest = min(scope.filters, key=lambda f: sum(not clause.passed for clause in f.clauses))
        names = list(dict.fromkeys(text.shorten(c.attribute, 60) for c in nearest.clauses if not c.passed))
        if names:
            more = [f"{text.count(len(names) - 3)} more"] if len(names) > 3 else []
            ways.append(f"correct {text.listing(names[:3] + more)} in Active Directory")
    if not ways:
        return OUTCOMES[Outcome.SKIPPED].remedy
    first = text.listing(ways)
    return f"{first[0].upper()}{first[1:]}, or ask someone who may override the scope."


def retry(run: Run) -> str:
    """Say whether running again helps; empty when the question does not arise."""
    if run.error is None or run.outcome is Outcome.UNKNOWN:  # there the remedy speaks of running again
        return ""
    if run.error.code in _RETRY:
        return _RETRY[run.error.code]
    if run.error.retry_helps:
        return "Running it again may help."
    return "Running it again helps only after that."


_AS_IT_IS: Final = "Running it again gives the same answer."
_RETRY: Final = {
    "cancelled": "",  # the remedy speaks of it
    "kind_not_creatable": _AS_IT_IS,
    "mail_enabled_group": _AS_IT_IS,
    "synchronized_target": _AS_IT_IS,
    "synchronized_tenant": _AS_IT_IS,
    "plan_stale": "Running it again would write the new plan without anybody having seen it.",
}
"""Whether running again helps, where neither yes nor "after that" is the whole truth."""


def written(run: Run) -> str:
    """Say what became of the tenant when a run did not succeed; empty where the headline says it."""
    done = _writes_done(run)
    if done:
        return f"{text.counted(done, 'write')} {'was' if done == 1 else 'were'} carried out."
    silent = {Outcome.PARTIAL, Outcome.UNKNOWN, Outcome.INTERRUPTED, Outcome.AWAITING_APPROVAL}
    if run.outcome.succeeded or run.outcome in silent or run.outcome is Outcome.RUNNING:
        return ""
    return "Nothing was written."


def _writes_done(run: Run) -> int:
    action = run.stage(StageName.ACTION).evidence
    return sum(1 for write in action.writes if write.ok) if isinstance(action, ActionEvidence) else 0


def can_provision(run: Run) -> bool:
    """Whether the run ended with a plan that is worth carrying out."""
    planned = {Outcome.WOULD_CREATE, Outcome.WOULD_UPDATE, Outcome.WOULD_RESTORE}
    return run.outcome in planned and run.plan is not None and run.plan.action is not PlanAction.NONE
