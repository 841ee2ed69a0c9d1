"""The one-line summaries of the action stage, in numbers first."""

from __future__ import annotations

from typing import Final

from pipeline.diff import BY_RULE
from pipeline.model import ChangeKind, Plan, PlanAction, Run

_LINKED: Final = frozenset({ChangeKind.ADDED, ChangeKind.CHANGED})
_LINK_WANTED: Final = _LINKED | {ChangeKind.NOT_WRITTEN}

_WOULD: Final = {
    PlanAction.CREATE: "Would create the {kind} with",
    PlanAction.UPDATE: "Would update",
    PlanAction.RESTORE: "Would restore, with",
    PlanAction.NONE: "Would leave",
}
_DONE: Final = {
    PlanAction.CREATE: "Created with",
    PlanAction.UPDATE: "Updated",
    PlanAction.RESTORE: "Restored with",
    PlanAction.NONE: "Left",
}

NAMED: Final = 10
"""How many members are named one by one."""


def plan_summary(plan: Plan) -> str:
    """Say what a plan would do."""
    if plan.action is PlanAction.NONE:
        same = plan.count(ChangeKind.SAME)
        if not not_written(plan):
            return f"Nothing to do: all {same} attributes are already as they should be"
        return f"Nothing that can be written: {count(same, 'attribute')} already as they should be"
    verb = _WOULD[plan.action].format(kind=plan.kind)
    members = sum(1 for m in plan.members if m.kind is ChangeKind.ADDED)
    if plan.action is PlanAction.RESTORE and not members and not plan.written:
        return f"{verb}; nothing was written"
    removed = sum(1 for m in plan.members if m.kind is ChangeKind.CLEARED)
    if plan.action is PlanAction.UPDATE and not plan.written and (members or removed):
        news = [f"add {count(members, 'member')}"] if members else []
        news += [f"remove {count(removed, 'member')}"] if removed else []
        return f"Would {' and '.join(news)}; nothing was written"
    out = f", and remove {count(removed, 'member')}" if removed else ""
    return f"{verb} {_what(len(plan.written), members)}{out}; nothing was written"


def action_summary(plan: Plan, *, members: int, linked: bool, refused: int, removed: int = 0) -> str:
    """Say what was done: `members` added, `removed`, whether the manager was `linked`, writes `refused`."""
    manager = next((c for c in plan.changes if c.attribute == "manager"), None)
    unlinked = manager is not None and manager.kind in _LINKED and not linked
    attributes = len(plan.written) - unlinked
    text = f"{_DONE[plan.action]} {_what(attributes, members)}"
    if plan.action is PlanAction.RESTORE and not members and not attributes:
        text = "Restored"
    if plan.action is PlanAction.UPDATE and not attributes:
        text = f"Added {count(members, 'member')}" if members else "Updated"
    if removed:
        text += f", {count(removed, 'member')} removed"
    if linked:
        text += ", manager linked"
    elif manager is not None and manager.kind in _LINK_WANTED:
        text += ", manager not linked"
    missing = sum(1 for m in plan.members if m.kind is ChangeKind.NOT_WRITTEN and not m.removal)
    if missing:
        text += f", {count(missing, 'member')} not possible"
    if refused:
        text += f"; {count(refused, 'write')} refused"
    return text


def not_written(plan: Plan) -> tuple[str, ...]:
    """Name what the rules want and cannot have: values Graph does not take, people who are not there."""
    notes = [
        f"The manager was not linked: {change.reason}."
        if change.attribute == "manager"
        else f"{change.attribute} was not written: {change.reason}."
        for change in plan.changes
        if change.kind is ChangeKind.NOT_WRITTEN and change.reason not in BY_RULE
    ]
    blocked = [m for m in plan.members if m.kind is ChangeKind.NOT_WRITTEN]
    notes += [f"{m.name}: not removed, {m.reason}." for m in blocked if m.removal]
    missing = [m for m in blocked if not m.removal]
    notes += [
        f"{m.name} was not added: {m.reason or 'see the group in the directory'}." for m in missing[:NAMED]
    ]
    if len(missing) > NAMED:
        notes.append(f"{len(missing) - NAMED:,} more members were not added.")
    return tuple(notes)


def count(number: int, noun: str) -> str:
    """Return "1 attribute", "1,024 attributes"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _what(number: int, members: int) -> str:
    attributes = count(number, "attribute")
    return f"{attributes} and {count(members, 'member')}" if members else attributes


def what_moved(before: Run, now: Run) -> list[str]:
    """Name what differs between two plans for one object; never empty."""
    moved: list[str] = []
    if before.configuration_digest != now.configuration_digest:
        moved.append("the configuration")
    if before.target != now.target:
        moved.append("the object in Entra ID that matches")
    old, new = (
        {(c.attribute, c.kind, c.before, c.after) for c in run.plan.changes} if run.plan else set()
        for run in (before, now)
    )
    moved += sorted({entry[0] for entry in old ^ new})
    old_members, new_members = (
        {(m.dn, m.kind) for m in run.plan.members} if run.plan else set() for run in (before, now)
    )
    if old_members != new_members:
        moved.append("the members")
    return moved or ["a value that is kept private"]
