"""The one-line summaries of the action stage, in numbers first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.model import ChangeKind, Plan, PlanAction, Run

NAMED: Final = 10
"""How many members are named one by one."""


def plan_summary(plan: Plan) -> str:
    """Say what a plan would do."""
    if plan.action is PlanAction.NONE:
        same = plan.count(ChangeKind.SAME)
        return f"Nothing to do: all {same} attributes are already as they should be"
    verb = "Would create" if plan.action is PlanAction.CREATE else "Would update"
    return f"{verb} {_what(plan)}; nothing was written"


def action_summary(plan: Plan, refused: Sequence[str]) -> str:
    """Say what was done."""
    done = "Created with" if plan.action is PlanAction.CREATE else "Updated"
    text = f"{done} {_what(plan)}"
    manager = next((c for c in plan.changes if c.attribute == "manager"), None)
    if manager is not None and manager.kind is ChangeKind.NOT_WRITTEN:
        text += ", manager not linked"
    elif manager is not None and plan.manager and manager.kind in {ChangeKind.ADDED, ChangeKind.CHANGED}:
        text += ", manager linked"
    missing = sum(1 for m in plan.members if m.kind is ChangeKind.NOT_WRITTEN)
    if missing:
        text += f", {count(missing, 'member')} not possible"
    if refused:
        text += f"; {count(len(refused), 'write')} refused"
    return text


def not_written(plan: Plan) -> tuple[str, ...]:
    """Name what the rules want and cannot have: a manager who is not there, members likewise."""
    notes = [
        f"The manager was not linked: {change.reason}."
        for change in plan.changes
        if change.attribute == "manager" and change.kind is ChangeKind.NOT_WRITTEN
    ]
    missing = [m for m in plan.members if m.kind is ChangeKind.NOT_WRITTEN]
    notes += [
        f"{m.name} was not added: {m.reason or 'see the group in the directory'}." for m in missing[:NAMED]
    ]
    if len(missing) > NAMED:
        notes.append(f"{len(missing) - NAMED:,} more members were not added.")
    return tuple(notes)


def count(number: int, noun: str) -> str:
    """Return "1 attribute", "1,024 attributes"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _what(plan: Plan) -> str:
    attributes = count(sum(1 for c in plan.written if c.attribute != "manager"), "attribute")
    members = sum(1 for m in plan.members if m.kind is ChangeKind.ADDED)
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
