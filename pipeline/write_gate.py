"""The gate before the tenant: reads pass, writes pass only while a plan is being applied.

A preview holds a gate that nobody opens, so it can write nothing, whatever else is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pipeline.errors import WriteNotAllowed
from pipeline.fence import before_write
from pipeline.ids import EntraId
from pipeline.model import Plan, PlanAction, TargetKind
from pipeline.ports import Domain, Lookup, Receipt, Standing, TargetObject, Tenant


@dataclass(slots=True)
class _Permit:
    """Leave to carry out one plan. It is closed at the end, also for tasks that outlive the block."""

    gate: WriteGate
    plan: Plan
    open: bool = True


# Bound to the task that applies, and its child tasks: other runs share the gate and not the permit.
_permit: ContextVar[_Permit | None] = ContextVar("write_permit", default=None)


class WriteGate:
    """A `Tenant` that refuses writes with WriteNotAllowed unless inside `applying`.

    `enabled` false keeps it shut even then: the switch for writing in this installation.
    """

    def __init__(self, tenant: Tenant, *, enabled: bool = True) -> None:
        self._tenant = tenant
        self._enabled = enabled

    @contextmanager
    def applying(self, plan: Plan) -> Iterator[None]:
        """Let the writes of this plan pass until the block ends, for this task and its child tasks.

        Raises WriteNotAllowed when the plan changes nothing, or writing is switched off.
        """
        if not self._enabled:
            raise WriteNotAllowed("Writing is switched off in this installation.")
        if plan.action is PlanAction.NONE:
            raise WriteNotAllowed("The plan holds nothing to write.")
        permit = _Permit(self, plan)
        marker = _permit.set(permit)
        try:
            yield
        finally:
            permit.open = False
            _permit.reset(marker)

    # -- reads -------------------------------------------------------------------------------------------

    async def find(
        self, lookups: Sequence[Lookup], select: Sequence[str]
    ) -> Sequence[tuple[TargetObject, ...]]:
        """Read."""
        return await self._tenant.find(lookups, select)

    async def find_standing(
        self, lookups: Sequence[Lookup], select: Sequence[str], upn: str
    ) -> tuple[Sequence[tuple[TargetObject, ...]], Standing | None]:
        """Read."""
        return await self._tenant.find_standing(lookups, select, upn)

    async def read(self, kind: TargetKind, entra_id: EntraId, select: Sequence[str]) -> TargetObject | None:
        """Read."""
        return await self._tenant.read(kind, entra_id, select)

    async def anchors(self, anchors: Sequence[str]) -> Mapping[str, EntraId]:
        """Read."""
        return await self._tenant.anchors(anchors)

    async def unique_names(self, names: Sequence[str]) -> Mapping[str, EntraId]:
        """Read."""
        return await self._tenant.unique_names(names)

    async def group_members(self, group: EntraId) -> Mapping[EntraId, str]:
        """Read."""
        return await self._tenant.group_members(group)

    async def standing(self, kind: TargetKind, entra_id: EntraId) -> Standing:
        """Read."""
        return await self._tenant.standing(kind, entra_id)

    async def domains(self) -> tuple[Domain, ...]:
        """Read."""
        return await self._tenant.domains()

    async def synchronized(self) -> bool:
        """Read."""
        return await self._tenant.synchronized()

    # -- writes ------------------------------------------------------------------------------------------

    async def create_user(self, body: Mapping[str, object]) -> tuple[TargetObject, Receipt]:
        """Write, by a plan that creates a user."""
        self._check(TargetKind.USER, action=PlanAction.CREATE)
        return await self._tenant.create_user(body)

    async def update_user(self, user: EntraId, body: Mapping[str, object]) -> Receipt:
        """Write, by a plan about this user."""
        self._check(TargetKind.USER, about=user)
        return await self._tenant.update_user(user, body)

    async def set_manager(self, user: EntraId, manager: EntraId | None) -> Receipt:
        """Write, by a plan about this user."""
        self._check(TargetKind.USER, about=user)
        return await self._tenant.set_manager(user, manager)

    async def restore_user(self, user: EntraId, upn: str | None = None) -> Receipt:
        """Write, by a plan that restores this user."""
        self._check(TargetKind.USER, action=PlanAction.RESTORE, about=user)
        return await self._tenant.restore_user(user, upn)

    async def restore_group(self, group: EntraId) -> Receipt:
        """Write, by a plan that restores this group."""
        self._check(TargetKind.GROUP, action=PlanAction.RESTORE, about=group)
        return await self._tenant.restore_group(group)

    async def upsert_group(
        self, unique_name: str, body: Mapping[str, object]
    ) -> tuple[TargetObject | None, Receipt]:
        """Write, by a plan that creates a group."""
        self._check(TargetKind.GROUP, action=PlanAction.CREATE)
        return await self._tenant.upsert_group(unique_name, body)

    async def update_group(self, group: EntraId, body: Mapping[str, object]) -> Receipt:
        """Write, by a plan about this group."""
        self._check(TargetKind.GROUP, about=group)
        return await self._tenant.update_group(group, body)

    async def add_members(self, group: EntraId, members: Sequence[EntraId]) -> Receipt:
        """Write, by a plan about this group."""
        self._check(TargetKind.GROUP, about=group)
        return await self._tenant.add_members(group, members)

    async def remove_member(self, group: EntraId, member: EntraId) -> Receipt:
        """Write, by a plan about this group that removes this member."""
        self._check(TargetKind.GROUP, about=group)
        plan = _permit.get()
        if plan is None or member not in plan.plan.removed:
            raise WriteNotAllowed("The plan removes no such member.")
        return await self._tenant.remove_member(group, member)

    def _check(
        self, kind: TargetKind, *, action: PlanAction | None = None, about: EntraId | None = None
    ) -> None:
        """Raise WriteNotAllowed unless the plan being applied covers a write like this one."""
        permit = _permit.get()
        if permit is None or not permit.open or permit.gate is not self:
            raise WriteNotAllowed
        plan = permit.plan
        if plan.kind is not kind:
            raise WriteNotAllowed(f"The plan is about a {plan.kind}, not a {kind}.")
        if action is not None and plan.action is not action:
            raise WriteNotAllowed(f"The plan is not to {action} anything.")
        if about is not None and plan.target is not None and plan.target.id != about:
            raise WriteNotAllowed("The plan is about another object.")
        before_write()
