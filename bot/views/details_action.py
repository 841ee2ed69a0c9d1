"""Action: what the plan changes, attribute by attribute, and what became of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import context, fields, paragraph, plain, section
from bot.views.limits import Block
from bot.views.sheet import SHOW_ALL, WHY, Row, Sheet, Wanted, Whole, open_whole, private_names
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
    TraceStep,
    Write,
)

_VALUE: Final = 240
_WHY: Final = 200
_MEMBERS_A_ROW: Final = 8
_MEMBER: Final = 110
_SEARCHED_FROM: Final = 12
"""From how many rows on there is something to search."""
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
    evidence, hidden = _evidence(run), private_names(run)
    rows: list[Row] = []
    if run.plan is not None:
        for kind, group in _GROUPS.items():
            changes = [c for c in run.plan.changes if c.kind is kind]
            title, differs = f"{group} ({text.count(len(changes))})", kind is not ChangeKind.SAME
            rows += [
                Row(title, partial(_change, run, change, hidden), partial(_told, change, hidden), differs)
                for change in changes
            ]
        rows += _members(run.plan, done=run.outcome in _DONE)
    if evidence is not None:
        rows += [Row("Writes", partial(_write, w), partial(_write_told, w)) for w in evidence.writes]
        rows += [Row("Notes", partial(_note, note), partial(text.visible, note)) for note in evidence.notes]
    search = "Search attributes, values and members" if len(rows) > _SEARCHED_FROM else ""
    return Sheet(_intro(run), tuple(rows), "There is nothing to write.", search)


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return all about an attribute: before, after, reason, mapping, its inputs and how it was evaluated."""
    private = private_names(run)
    found = [c for c in run.plan.changes if c.attribute == attribute and not c.private] if run.plan else []
    wholes: list[Whole] = []
    for change in found:
        labels = _LABELS.get(change.kind, ("Before", "After"))
        sides = (text.target_lines(change.before), text.target_lines(change.after))
        wholes += [Whole(label, value) for label, value in zip(labels, sides, strict=False)]
        inputs = [(n, text.PRESENT_HIDDEN if n.casefold() in private else v) for n, v in change.inputs]
        wholes += [
            *([Whole("Reason", change.reason)] if change.reason else []),
            *([Whole("Mapping", change.mapping)] if change.mapping else []),
            *(Whole(f"Input {text.shorten(name, 100)}", text.edged(value)) for name, value in inputs),
        ]
        if change.trace and not private.intersection(name.casefold() for name, _ in change.inputs):
            wholes.append(Whole("How it was evaluated", trace_text(change.trace)))
    return wholes


def trace_text(steps: tuple[TraceStep, ...]) -> str:
    """Draw the steps of an evaluation, one a line below what each is a part of, branches marked."""
    return "\n".join(f"{'  ' * min(step.depth, 12)}{_step(step)}" for step in steps)


def _step(step: TraceStep) -> str:
    mark = {None: "", True: "✔ taken: ", False: "✘ not taken: "}[step.taken]
    whole = step.depth == 0 and step.evaluated  # its text stands above, under Mapping
    line = f"{mark}{'The whole' if whole else step.text}".replace("\n", " ")
    return f"{line}  →  {step.value}" if step.value else line


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
        if plan.count(kind)
    ]
    blocks = [section(f"*{verb}*  {' · '.join(counts)}".rstrip())]
    target = run.target or plan.target
    facts = []
    if target is not None:
        names = [text.shorten(n, 200) for n in (target.name, target.upn) if n]
        facts.append(f"Entra ID: {' · '.join([*names, f'id {text.shorten(target.id, 80)}'])}")
    if plan.digest:
        facts.append(f"plan {text.shorten(plan.digest.removeprefix('sha256:'), 12)}")
    return (*blocks, *([context(*(plain(fact, 600) for fact in facts))] if facts else []))


def _change(run: Run, change: Change, hidden: frozenset[str]) -> list[Block]:
    heading = f"{text.bold(change.attribute, 60)}  {change.kind}"
    if change.private:
        there = text.PRESENT_HIDDEN if change.before or change.after else text.EMPTY
        return [fields(plain(f"Value\n{there}", 60, lines=True), heading=heading)]
    if change.reason:
        heading += f"\n{text.sentence(change.reason, _WHY)}"
    before, after = text.target_text(change.before), text.target_text(change.after)
    why = _why(change, hidden)
    cut = any(text.is_cut(value, _VALUE) for value in (before, after, why)) or text.is_cut(
        change.reason, _WHY
    )
    label = WHY if change.trace else SHOW_ALL
    more = cut or bool(change.trace)
    accessory = open_whole(run, StageName.ACTION, change.attribute, label) if more else None
    labels = _LABELS.get(change.kind, ("Before", "After"))
    columns = [
        plain(f"{label}\n{text.shorten(value, _VALUE)}", 400, lines=True)
        for label, value in zip(labels, (before, after), strict=False)
    ]
    blocks = [fields(*columns, heading=heading, accessory=accessory)]
    return [*blocks, context(plain(why, _VALUE))] if why else blocks


def _told(change: Change, hidden: frozenset[str]) -> str:
    if change.private:
        there = text.PRESENT_HIDDEN if change.before or change.after else text.EMPTY
        return text.visible(f"{change.attribute} ({change.kind}): {there}")
    before, after = text.target_text(change.before), text.target_text(change.after)
    values = before if change.kind is ChangeKind.SAME else f"{before} -> {after}"
    reason = f" ({change.reason})" if change.reason else ""
    why = _why(change, hidden)
    told = [f"{change.attribute} ({change.kind}): {values}{reason}", *([f"    {why}"] if why else [])]
    return "\n".join(text.visible(line) for line in told)


def _why(change: Change, hidden: frozenset[str]) -> str:
    """Say which mapping made the value, and from what: Trim([title]) · [title] = " Reader"."""
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
        title, differs = f"{group} ({text.count(len(members))})", kind is not ChangeKind.SAME
        rows += [
            _member_row(title, members[start : start + _MEMBERS_A_ROW], differs=differs)
            for start in range(0, len(members), _MEMBERS_A_ROW)
        ]
    return rows


def _member_row(title: str, members: list[MemberChange], *, differs: bool) -> Row:
    def narrow(wanted: Wanted) -> Row | None:
        some = [member for member in members if wanted(_members_told([member]))]
        return _member_row(title, some, differs=differs) if some else None

    return Row(title, partial(_member_lines, members), partial(_members_told, members), differs, narrow)


def _member_lines(members: list[MemberChange]) -> list[Block]:
    lines = [f"• {text.shorten(_member(member), _MEMBER)}" for member in members]
    return [paragraph("\n".join(lines), 1000)]


def _members_told(members: list[MemberChange]) -> str:
    return "\n".join(text.visible(f"{_member(member)} [{member.dn}]") for member in members)


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


def _write_told(write: Write) -> str:
    request = f" (request-id {write.request_id})" if write.request_id else ""
    return text.visible(f"[{'done' if write.ok else 'not done'}] {write.step}: {write.detail}{request}")


def _note(note: str) -> list[Block]:
    return [section(f"• {text.sentence(note, 600)}")]
