"""What a process that ended in the middle of a run had begun to write, and what came of it.

Import, scope and match only read, so whoever takes a run over simply does them again. For the writes the
journal decides. One with an outcome is over. One without was perhaps sent, perhaps not, and is never sent
again blindly: Entra ID is asked. What is there is recorded as done, and what is not there is written again,
which is safe: the same change twice is one change, a group is created by its own key, and a user's keys are
unique. Only a creation that is not to be seen needs patience, for its request may still be on its way, and
the replica that answers may lag behind. Where Entra ID cannot be asked, the run ends as unknown and names
what to look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.clock import boot_seconds
from pipeline.errors import OutcomeUnknown, PipelineError, TenantConflict
from pipeline.ids import EntraId
from pipeline.milestones import RECOVERY_AFTER, RECOVERY_BEFORE, passed
from pipeline.model import ChangeKind, Outcome, Plan, PlanAction, TargetIdentity, TargetKind, Write
from pipeline.ports import Journal, JournalEntry, Lookup, Tenant

UNCERTAIN_S: Final = 35.0
"""How long a request may take effect after its process has gone: the time one is given, and some more."""

LOOK_AGAIN_S: Final = 1.0
"""The pause between two looks for an object that may have been created, in seconds."""

DONE: Final = "done"
ABSENT: Final = "absent"
_UNSETTLED: Final = "carried out before the run was interrupted"
_STAYS: Final = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.SKIPPED, Outcome.INTERRUPTED})
"""Ends that say that nothing was written."""


@dataclass(slots=True)
class Earlier:
    """The journal of the attempts before this one, and the plan that the last of them was to carry out."""

    entries: tuple[JournalEntry, ...] = ()
    plan: Plan | None = None
    uncertain_s: float = UNCERTAIN_S
    taken_over_at: float = field(default_factory=boot_seconds)

    @property
    def open(self) -> tuple[JournalEntry, ...]:
        """The writes of which nobody knows what came."""
        return tuple(entry for entry in self.entries if not entry.known)

    @property
    def writes(self) -> tuple[Write, ...]:
        """The writes that were carried out, as the run tells them."""
        done = [entry for entry in self.entries if entry.outcome == DONE]
        return tuple(Write(entry.step, True, _UNSETTLED, _request_id(entry)) for entry in done)

    @property
    def outcome(self) -> Outcome | None:
        """How the run is to end for what was done already; None where nothing was."""
        steps = [entry.step for entry in self.entries if entry.outcome == DONE]
        if any(step.startswith("create ") for step in steps):
            return Outcome.CREATED
        if any(step.startswith("restore ") for step in steps):
            return Outcome.RESTORED
        return Outcome.UPDATED if steps else None

    def covers(self, plan: Plan) -> bool:
        """Whether a plan is what is left of the one that was being carried out, and nothing else."""
        if self.plan is None:
            return False
        planned = {change.attribute: change for change in self.plan.written}
        return all(
            (known := planned.get(change.attribute)) is not None
            and (known.private or change.private or known.after == change.after)
            for change in plan.written
        )

    def truth(self, outcome: Outcome, error: PipelineError | None) -> tuple[Outcome, PipelineError | None]:
        """Return how a run ended in all, where this attempt ended like this."""
        if self.open:
            steps = ", ".join(dict.fromkeys(entry.step for entry in self.open))
            then = f" Then: {error.message}" if error is not None else ""
            return Outcome.UNKNOWN, OutcomeUnknown(
                f"The run was interrupted while a write was under way ({steps}), and whether it was carried "
                f"out is not known.{then}",
                ids=error.ids if error is not None else None,
            )
        if not self.writes or outcome not in _STAYS:
            return outcome, error
        number = len(self.writes)
        if error is not None:
            error.message += f" Before that, {number} write{'s' if number > 1 else ''} had been carried out."
        return Outcome.PARTIAL, error

    async def settle_creation(self, tenant: Tenant, journal: Journal) -> None:
        """Find out whether an object was created, waiting for as long as the request may be on its way."""
        for entry in self.open:
            key = _key(entry)
            if key is None:
                continue
            passed(RECOVERY_BEFORE, run_id=entry.run_id, step=entry.step)
            found = await self._look(tenant, key)
            await self._settle(journal, entry, there=found is not None, found=found.id if found else None)

    async def _look(self, tenant: Tenant, key: Lookup) -> TargetIdentity | None:
        until = self.taken_over_at + self.uncertain_s
        while True:
            (found,) = await tenant.find([key], ("id", "displayName", "userPrincipalName", key.attribute))
            exact = [one for one in found if str(one.attributes.get(key.attribute)) == key.value]
            if exact:
                return exact[0].identity
            left = until - boot_seconds()
            if key.kind is TargetKind.GROUP or left <= 0:  # a group is made by its key, once
                return None
            await asyncio.sleep(min(LOOK_AGAIN_S, left))

    async def settle(self, plan: Plan, journal: Journal) -> None:
        """Decide on every other write by the plan as it is now: what it still wants is not there."""
        for entry in self.open:
            there = in_effect(entry, plan)
            if there is not None:
                await self._settle(journal, entry, there=there)

    async def _settle(
        self, journal: Journal, entry: JournalEntry, *, there: bool, found: str | None = None
    ) -> None:
        outcome = DONE if there else ABSENT
        detail = {"how": "looked at after the run was interrupted"} | ({"found": found} if found else {})
        await journal.settle(entry.entry, outcome, detail)
        self.entries = tuple(
            replace(one, outcome=outcome, outcome_detail=detail) if one.entry == entry.entry else one
            for one in self.entries
        )
        passed(RECOVERY_AFTER, run_id=entry.run_id, step=entry.step, outcome=outcome)

    def explain(self, error: PipelineError) -> PipelineError:
        """Return what an error of this attempt means beside what was done before.

        A creation that met a conflict, after an earlier one that was not to be seen: that one may be why.
        """
        unseen = any(e.outcome == ABSENT and e.step.startswith("create ") for e in self.entries)
        if unseen and isinstance(error, TenantConflict):
            return OutcomeUnknown(
                "The run was interrupted while it created the object, which cannot be seen in Entra ID; "
                f"creating it again was refused: {error.message}",
                ids=error.ids,
            )
        return error


def in_effect(entry: JournalEntry, plan: Plan) -> bool | None:
    """Whether a write is in effect, by what a plan made afterwards still wants; None where it cannot tell."""
    step, detail = entry.step, entry.detail
    if plan.target is None or detail.get("id") != plan.target.id:
        return None
    wanted = {change.attribute for change in plan.written}
    kinds = {member.id: member.kind for member in plan.members}
    if step.startswith("update "):
        return not wanted.intersection(_texts(detail.get("attributes")))
    if step in {"link manager", "unlink manager"}:
        return "manager" not in wanted
    if step.startswith("add "):
        return not any(kinds.get(EntraId(m)) is ChangeKind.ADDED for m in _texts(detail.get("members")))
    if step.startswith("remove member "):
        return kinds.get(EntraId(str(detail.get("member")))) is not ChangeKind.CLEARED
    # what is to be restored is matched among the deleted objects, and among the live ones afterwards
    return plan.action is not PlanAction.RESTORE if step.startswith("restore ") else None


def _request_id(entry: JournalEntry) -> str | None:
    found = (entry.outcome_detail or {}).get("request-id")
    return str(found) if found else None


def _key(entry: JournalEntry) -> Lookup | None:
    key = _texts(entry.detail.get("key"))
    kind = entry.step.removeprefix("create ")
    if not entry.step.startswith("create ") or len(key) != 2 or kind not in {"user", "group"} or not key[1]:
        return None
    return Lookup(TargetKind(kind), key[0], key[1])


def _texts(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
