"""The one message of a run: the outcome in words, four stages, what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.views import controls, run_controls, text, wording
from bot.views.blocks import actions, button, context, header, mrkdwn, plain, section
from bot.views.limits import Block, Message, ViewTooLarge, fit_message, message_fits
from pipeline.ids import RunId
from pipeline.model import (
    Change,
    ChangeKind,
    Mode,
    ObjectKind,
    Outcome,
    PlanAction,
    Run,
    ScopeEvidence,
    Stage,
    StageName,
    TargetKind,
)
from pipeline.provision import CLOUD_ONLY, WRITES_OFF

_WIDTHS: Final = (300, 160, 80, 40)
"""How long a value may be, tried in this order until the message fits."""

_FIRST: Final = ("userPrincipalName", "displayName", "mail")  # what people recognise a new object by
_PLANNED: Final = frozenset({Outcome.WOULD_CREATE, Outcome.WOULD_UPDATE, Outcome.WOULD_RESTORE})
_NOTABLE_MS: Final = 100
"""From how long on the footer says what a stage took, in milliseconds."""

_WAITING: Final = frozenset({Outcome.RUNNING, Outcome.AWAITING_APPROVAL})


@dataclass(frozen=True, slots=True)
class Hints:
    """What a message should say about the installation itself.

    `plaintext_directory`: the directory is read without encryption, which is for a lab only.
    """

    plaintext_directory: bool = False


NO_HINTS: Final = Hints()


def run_message(run: Run, *, writes_on: bool, hints: Hints = NO_HINTS) -> Message:
    """Show a run as it stands.

    Args:
        run: the run, finished or not.
        writes_on: whether this installation writes to the tenant at all.
        hints: what else the installation has to say of itself in every message.

    Returns:
        A message within every limit of Slack, whatever the run holds.

    """
    said = wording.headline(run)
    for width in _WIDTHS:
        blocks = [header(said), *_blocks(run, width, writes_on=writes_on, hints=hints)]
        message = Message(_spoken(run, said, width), blocks)
        if message_fits(message):
            return fit_message(message)
    raise ViewTooLarge("a run does not fit into a message at any width")


def _blocks(run: Run, width: int, *, writes_on: bool, hints: Hints) -> list[Block]:
    blocks = [_about(run), *(_stage(run, stage, width) for stage in run.stages)]
    blocks += _plan_preview(run, width)
    blocks += _what_now(run, width)
    blocks += _warnings(run, width, writes_on=writes_on, hints=hints)
    blocks.append(_footer(run))
    row = _buttons(run, writes_on=writes_on)
    return [*blocks, actions(*row)] if row else blocks


# -- the lines -------------------------------------------------------------------------------------------


def _about(run: Run) -> Block:
    parts = [text.mention(run.actor), str(run.mode)]
    if run.object is not None:
        parts.append(_KINDS[run.object.kind])
    if run.configuration is not None:
        digest = (run.configuration_digest or "").removeprefix("sha256:")[:7]
        name = text.phrase(run.configuration, 60)
        parts.append(f"configuration {name}{f' ({text.escape(digest)})' if digest else ''}")
    elements = [mrkdwn(" · ".join(parts))]
    path = wording.container_path(run)
    return context(*elements, plain(path, 120)) if path else context(*elements)


_KINDS: Final = {
    ObjectKind.USER: "user",
    ObjectKind.INET_ORG_PERSON: "user (inetOrgPerson)",
    ObjectKind.GROUP: "group",
    ObjectKind.CONTACT: "contact",
}


def _stage(run: Run, stage: Stage, width: int) -> Block:
    emoji, word = text.status(run, stage)
    summary = text.phrase(text.without(word, stage.summary.strip()), width)
    line = f"{emoji} *{str(stage.name).capitalize()}*  {word}{f'. {summary}' if summary else ''}"
    if not has_details(run, stage.name):
        return section(line)
    spoken = f"View details of {stage.name}"
    return section(line, button("View details", controls.view_details(run.run_id, stage.name), spoken=spoken))


def has_details(run: Run, name: StageName) -> bool:
    """Whether a stage has anything to show beyond its line."""
    stage = run.stage(name)
    return stage.evidence is not None or (name is StageName.ACTION and run.plan is not None)


def _plan_preview(run: Run, width: int) -> list[Block]:
    if run.outcome not in _PLANNED or run.plan is None or not run.plan.written:
        return []
    shown = sorted(run.plan.written, key=_interest)[: 4 if width > 100 else 2]
    creating = run.plan.action is PlanAction.CREATE
    lines = [_change(change, min(width, 60), creating=creating) for change in shown]
    rest = len(run.plan.written) - len(shown)
    return [section(" · ".join(lines) + (f" · and {text.count(rest)} more" if rest else ""))]


def _interest(change: Change) -> tuple[int, int]:
    known = _FIRST.index(change.attribute) if change.attribute in _FIRST else len(_FIRST)
    order = (ChangeKind.CHANGED, ChangeKind.CLEARED, ChangeKind.ADDED)
    return (order.index(change.kind), known)


def _change(change: Change, width: int, *, creating: bool) -> str:
    name = text.phrase(change.attribute, 60)
    if change.private:
        return f"{name} ({text.PRESENT_HIDDEN})"
    before, after = text.target_text(change.before), text.target_text(change.after)
    old, new = (_quoted(value, width) for value in (before, after))
    if creating:
        return f"{name} {new}"
    # An arrow between two right-to-left texts would be drawn the other way round; words would not.
    if text.right_to_left(before) and text.right_to_left(after):
        return f"{name} from {old} to {new}"
    return f"{name} {old} → {new}"


def _quoted(value: str, width: int) -> str:
    return value if value == text.EMPTY else f"“{text.phrase(value, width)}”"


# -- what people should know -----------------------------------------------------------------------------


def _what_now(run: Run, width: int) -> list[Block]:
    if run.outcome.succeeded or run.outcome is Outcome.RUNNING:
        return []
    lines = []
    lines += _who(run)
    if run.error is not None and not _said(run):
        lines.append(f"*What happened:* {text.sentence(run.error.message, 2 * width)}")
    remedy = text.sentence(wording.remedy(run), 2 * width)
    if remedy:
        lines.append(f"*What you can do:* {remedy}")
    lines.append(" ".join(filter(None, [wording.written(run), wording.retry(run)])))
    blocks = [section("\n".join(filter(None, lines)))] if any(lines) else []
    if run.error is not None:
        blocks.append(context(mrkdwn(text.support(run))))
    return blocks


def _who(run: Run) -> list[str]:
    """Name who stands behind the end of a run: who cancelled it, or who is at work on the object."""
    ids = run.error.ids if run.error is not None else {}
    if "cancelled-by" in ids:
        return [f"*Cancelled by* {text.mention(ids['cancelled-by'])}"]
    try:
        since = text.moment(datetime.fromisoformat(ids["since"]))
    except (KeyError, ValueError):
        return []
    place = re.fullmatch(r"[CDG][A-Z0-9]{2,20}", ids.get("holder-place", ""))
    where = f" in <#{place[0]}>" if place else ""
    run_id = text.escape(text.run_short(RunId(ids.get("holder-run", ""))))
    return [
        f"*Who:* {text.mention(ids.get('holder', ''))} is at work on it{where}, since {since} (run {run_id})"
    ]


def _said(run: Run) -> bool:
    """Whether a stage's line says already what the error says."""
    return run.error is not None and any(run.error.message == stage.summary for stage in run.stages)


def _warnings(run: Run, width: int, *, writes_on: bool, hints: Hints) -> list[Block]:
    told = [warning for warning in run.warnings if warning not in CLOUD_ONLY.values()]
    warnings = [text.sentence(warning, width) for warning in told[:5]]
    if len(told) > 5:
        warnings.append(f"And {text.counted(len(told) - 5, 'further warning')}.")
    if not writes_on and WRITES_OFF not in run.warnings:
        warnings.append(
            "Writing is switched off here, so every run is a preview. "
            "An administrator switches it on with `FOURCHECK_ENTRA__WRITES=on`."
        )
    if hints.plaintext_directory:
        warnings.append("The directory is read without encryption. This is for a lab only.")
    lines = [f":warning: Warning: {warning}" for warning in warnings]
    # true of every object made this way: a note, or people stop reading warnings
    cloud_only = [warning for warning in run.warnings if warning in CLOUD_ONLY.values()]
    if cloud_only:
        lines.append(text.sentence(cloud_only[0], 300))
    elif run.executor == "graph" and run.outcome is Outcome.WOULD_CREATE and _is_user(run):
        lines.append(
            "Written directly through Microsoft Graph, it would be a cloud-only user that carries the "
            "directory's anchor; the synchronisation service would not own it."
        )
    return [context(mrkdwn("\n".join(lines)))] if lines else []


def _is_user(run: Run) -> bool:
    return run.plan is None or run.plan.kind is TargetKind.USER


def _footer(run: Run) -> Block:
    parts = [text.moment(run.ended_at or run.started_at), f"run {text.escape(text.run_short(run.run_id))}"]
    if run.ended_at is not None:
        took = text.duration((run.ended_at - run.started_at).total_seconds() * 1000)
        parts.insert(0, f"{took}{_slowest(run)}")
    return context(mrkdwn(" · ".join(parts)))


def _slowest(run: Run) -> str:
    """Say where the time went, where there was any to speak of."""
    took = [
        f"{stage.name} {text.duration(stage.duration_ms)}"
        for stage in run.stages
        if stage.duration_ms is not None and stage.duration_ms >= _NOTABLE_MS
    ]
    return f" ({', '.join(took)})" if took else ""


def _buttons(run: Run, *, writes_on: bool) -> list[Block]:
    row = []
    if writes_on and run.mode is Mode.PREVIEW and wording.can_provision(run):
        row.append(button("Provision this", controls.provision_this(run.run_id), style="primary"))
    if run.outcome is Outcome.RUNNING:
        return [*row, button("Cancel", run_controls.cancel_run(run.run_id))]
    if run.outcome in _WAITING:
        return row
    unwanted = run.outcome.succeeded or run.outcome is Outcome.SKIPPED  # a preview would say no more
    if writes_on and run.mode is Mode.PROVISION and not unwanted:
        row.append(button("Preview", controls.preview_this(run.run_id)))
    scope = run.stage(StageName.SCOPE).evidence
    if run.outcome is Outcome.SKIPPED and isinstance(scope, ScopeEvidence) and scope.overridable:
        row.append(button("Preview anyway", run_controls.preview_anyway(run.run_id)))
    row.append(button("Run again", controls.run_again(run.run_id)))
    return [*row, button("History", run_controls.history_of(run.run_id))]


# -- for notifications and screen readers ----------------------------------------------------------------


def _spoken(run: Run, headline: str, width: int) -> str:
    """Say the whole outcome in words: a screen reader reads this and not the blocks."""
    parts = [text.ended(text.escape(headline))]
    for stage in run.stages:
        word = text.status(run, stage)[1]
        summary = text.sentence(text.without(word, stage.summary.strip()), min(width, 200))
        parts.append(f"{str(stage.name).capitalize()} {word.lower()}{f': {summary}' if summary else '.'}")
    if not run.outcome.succeeded and run.outcome is not Outcome.RUNNING:
        error = text.sentence(run.error.message, width) if run.error is not None and not _said(run) else ""
        who = [text.ended(line.replace("*", "")) for line in _who(run)]
        parts += [*who, error, text.sentence(wording.remedy(run), width), wording.written(run)]
        parts.append(f"Support id {text.phrase(run.run_id, 64)}." if run.error is not None else "")
    parts += [text.sentence(warning, min(width, 160)) for warning in run.warnings[:3]]
    return " ".join(filter(None, parts))
