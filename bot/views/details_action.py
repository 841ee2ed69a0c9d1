"""Action: what the plan changes, attribute by attribute, and what became of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import context, fields, paragraph, plain, section
from bot.views.limits import Block
from bot.views.sheet import Row, Sheet, Whole, private_names, show_all
from pipeline.model import (
    ActionEvidence,
    Change,
    ChangeKind,
    MemberChange,
    Outcome,
    Plan,
    PlanAction,
    Run,
    StageName,
    Write,
)

_VALUE: Final = 240
_WHY: Final = 200
_MEMBERS_A_ROW: Final = 8
_MEMBER: Final = 110
_GROUPS: Final = {
    ChangeKind.CHANGED: "Changed",
    ChangeKind.ADDED: "Added",
    ChangeKind.CLEARED: "Cleared",
    ChangeKind.NOT_WRITTEN: "Not written",
    ChangeKind.SAME: "Same on both sides",
}
_MEMBER_GROUPS: Final = {
    ChangeKind.ADDED: "Members to add",
    ChangeKind.CLEARED: "Members to remove",
    ChangeKind.CHANGED: "Members that change",
    ChangeKind.NOT_WRITTEN: "Members that are not possible",
    ChangeKind.SAME: "Members already there",
}
_MEMBERS_DONE: Final = {ChangeKind.ADDED: "Members added", ChangeKind.CLEARED: "Members removed"}
_VERBS: Final = {
    PlanAction.CREATE: ("Planned: create a {kind}", "Created a {kind}"),
    PlanAction.UPDATE: ("Planned: update the {kind}", "Updated the {kind}"),
    PlanAction.RESTORE: ("Planned: restore the {kind}", "Restored the {kind}"),
    PlanAction.NONE: ("Planned: nothing to write", "Nothing to write"),
}
_LABELS: Final = {ChangeKind.SAME: ("Value",), ChangeKind.NOT_WRITTEN: ("In Entra ID", "Wanted")}
_DONE: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.RESTORED})


def sheet(run: Run) -> Sheet:
    """Return the changes, changed ones first, then members, writes and notes."""
    evidence = _evidence(run)
    rows: list[Row] = []
    if run.plan is not None:
        for kind, group in _GROUPS.items():
            changes = [c for c in run.plan.changes if c.kind is kind]
            title = f"{group} ({text.count(len(changes))})"
            for change in changes:
                rows.append(Row(title, partial(_change, run, change, len(rows))))
        rows += _members(run.plan, done=run.outcome in _DONE)
    if evidence is not None:
        rows += [Row("Writes", partial(_write, write)) for write in evidence.writes]
        rows += [Row("Notes", partial(_note, note)) for note in evidence.notes]
    return Sheet(_intro(run), tuple(rows), "There is nothing to write.")


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return before, after, reason, mapping and inputs of an attribute whole."""
    private = private_names(run)
    found = [c for c in run.plan.changes if c.attribute == attribute and not c.private] if run.plan else []
    wholes: list[Whole] = []
    for change in found:
        wholes += [
            Whole("Before", text.target_lines(change.before)),
            Whole("After", text.target_lines(change.after)),
            *([Whole("Reason", change.reason)] if change.reason else []),
            *([Whole("Mapping", change.mapping)] if change.mapping else []),
        ]
        inputs = [(n, text.PRESENT_HIDDEN if n.casefold() in private else v) for n, v in change.inputs]
        wholes += [Whole(f"Input {text.shorten(name, 100)}", value) for name, value in inputs]
    return wholes


def _evidence(run: Run) -> ActionEvidence | None:
    evidence = run.stage(StageName.ACTION).evidence
    return evidence if isinstance(evidence, ActionEvidence) else None


def _intro(run: Run) -> tuple[Block, ...]:
    if run.plan is None:
        return ()
    plan = run.plan
    verb = _VERBS[plan.action][run.outcome in _DONE].format(kind=plan.kind)
    counts = [
        f"{text.count(plan.count(kind))} {word}"
        for kind, word in (
            (ChangeKind.CHANGED, "changed"),
            (ChangeKind.ADDED, "added"),
            (ChangeKind.CLEARED, "cleared"),
            (ChangeKind.NOT_WRITTEN, "not written"),
            (ChangeKind.SAME, "same"),
        )
    ]
    blocks = [section(f"*{verb}*  {' · '.join(counts)}")]
    target = run.target or plan.target
    facts = []
    if target is not None:
        names = [text.shorten(n, 200) for n in (target.name, target.upn) if n]
        facts.append(f"Entra ID: {' · '.join([*names, f'id {text.shorten(target.id, 80)}'])}")
    if plan.digest:
        facts.append(f"plan {text.shorten(plan.digest.removeprefix('sha256:'), 12)}")
    return (*blocks, *([context(*(plain(fact, 600) for fact in facts))] if facts else []))


def _change(run: Run, change: Change, index: int) -> list[Block]:
    heading = f"{text.bold(change.attribute, 60)}  {change.kind}"
    if change.private:
        there = text.PRESENT_HIDDEN if change.before or change.after else text.EMPTY
        return [fields(plain(f"Value\n{there}", 60, lines=True), heading=heading)]
    if change.reason:
        heading += f"\n{text.sentence(change.reason, _WHY)}"
    before, after = text.target_text(change.before), text.target_text(change.after)
    why = _why(run, change)
    cut = any(text.is_cut(value, _VALUE) for value in (before, after, why)) or text.is_cut(
        change.reason, _WHY
    )
    accessory = show_all(run, StageName.ACTION, change.attribute, index) if cut else None
    labels = _LABELS.get(change.kind, ("Before", "After"))
    columns = [
        plain(f"{label}\n{text.shorten(value, _VALUE)}", 400, lines=True)
        for label, value in zip(labels, (before, after), strict=False)
    ]
    blocks = [fields(*columns, heading=heading, accessory=accessory)]
    return [*blocks, context(plain(why, _VALUE))] if why else blocks


def _why(run: Run, change: Change) -> str:
    """Say which mapping made the value, and from what: Trim([title]) · [title] = " Reader"."""
    hidden = private_names(run)
    inputs = [
        f"[{name}] = {text.PRESENT_HIDDEN if name.casefold() in hidden else chr(34) + value + chr(34)}"
        for name, value in change.inputs
    ]
    parts = ([change.mapping] if change.mapping else []) + inputs
    return f"why: {' · '.join(parts)}" if parts else ""


def _members(plan: Plan, *, done: bool) -> list[Row]:
    rows: list[Row] = []
    for kind, planned in _MEMBER_GROUPS.items():
        group = _MEMBERS_DONE.get(kind, planned) if done else planned
        members = [member for member in plan.members if member.kind is kind]
        title = f"{group} ({text.count(len(members))})"
        rows += [
            Row(title, partial(_member_lines, members[start : start + _MEMBERS_A_ROW]))
            for start in range(0, len(members), _MEMBERS_A_ROW)
        ]
    return rows


def _member_lines(members: list[MemberChange]) -> list[Block]:
    lines = [f"• {text.shorten(_member(member), _MEMBER)}" for member in members]
    return [paragraph("\n".join(lines), 1000)]


def _member(member: MemberChange) -> str:
    name = member.name.strip() or member.dn
    return f"{name} — {member.reason}" if member.reason else name


def _write(write: Write) -> list[Block]:
    mark = ":white_check_mark: Done" if write.ok else ":x: Not done"
    line = f"{mark}  {text.bold(write.step, 120)}"
    if write.detail:
        line += f"\n{text.sentence(write.detail, 300)}"
    blocks = [section(line)]
    if write.request_id:
        blocks.append(context(plain(f"request-id {write.request_id}", 120)))
    return blocks


def _note(note: str) -> list[Block]:
    return [section(f"• {text.sentence(note, 600)}")]
