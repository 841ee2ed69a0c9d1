"""Act: carry out exactly one plan, journal first, or refuse because the world has moved."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pipeline.diff import request_body
from pipeline.errors import (
    OutcomeUnknown,
    PipelineError,
    Refusal,
    TenantConflict,
    TenantForbidden,
    TenantNotFound,
    TenantRefused,
    TenantUnexpected,
)
from pipeline.ids import EntraId, RunId
from pipeline.model import ChangeKind, MemberChange, Plan, PlanAction, TargetIdentity, TargetKind, Write
from pipeline.ports import Lookup, Receipt, TargetObject
from pipeline.redaction import PRESENT
from pipeline.services import Services
from pipeline.stages.importing import Source
from pipeline.stages.matching import is_exact
from pipeline.stages.references import ANCHOR, UNIQUE_NAME, unique_name

MEMBERS_PER_REQUEST: Final = 20
"""Graph takes at most 20 member references in one PATCH ("Add members", Microsoft Graph)."""

LOOK_AGAIN_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 6.0)
"""Pauses between looks for an object whose creation was not answered, in seconds."""

_REFUSALS: Final = (Refusal, TenantConflict, TenantForbidden, TenantNotFound, TenantRefused)
"""Answers that are about this one write: the rest of the plan goes on."""

_ONE_OF_THEM: Final = (TenantConflict, TenantNotFound, TenantRefused, OutcomeUnknown)
"""Answers to several members that may be about one of them."""

_UPN: Final = "userPrincipalName"

_TELLING: Final = 4
"""Shorter values tell nothing, and would be taken out of words that only look like them."""

T = TypeVar("T")


@dataclass(slots=True)
class Action:
    """What came of a plan: the object, every write, and what was refused along the way.

    `error` is what stopped it; writes that had been carried out before are in `writes` all the same.
    """

    target: TargetIdentity | None
    writes: list[Write] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    error: PipelineError | None = None
    linked: bool = False
    members: int = 0
    """How many members were added."""

    @property
    def written(self) -> bool:
        """Whether anything was written."""
        return any(write.ok for write in self.writes)


async def apply_plan(plan: Plan, shown: Plan, source: Source, run_id: RunId, services: Services) -> Action:
    """Write the plan, and tell whatever came of it: nothing that was written is ever lost to an error.

    `shown` is the plan without its private values: what it hides is taken out of every answer as well.
    """
    action = Action(plan.target)
    writer = _Writer(plan, source, run_id, services, action)
    writer.hide(shown)
    try:
        with services.tenant.applying(plan):
            entra_id = await writer.write_object()
            if entra_id is not None:
                await writer.write_manager(entra_id)
                await writer.write_members(entra_id)
    except PipelineError as error:
        action.error = error
    return action


class _Writer:
    """Sends a plan's writes one after the other, each with its intent and its outcome in the journal."""

    def __init__(self, plan: Plan, source: Source, run_id: RunId, services: Services, action: Action) -> None:
        self._plan = plan
        self._source = source
        self._run_id = run_id
        self._journal = services.journal
        self._tenant = services.tenant
        self._action = action
        self._last_entry = 0
        self._private: tuple[str, ...] = ()

    def hide(self, shown: Plan) -> None:
        """Take note of the values that the shown plan hides."""
        private = {change.attribute for change in shown.changes if change.private}
        values = {
            str(value)
            for change in self._plan.changes
            if change.attribute in private
            for side in (change.before, change.after)
            for value in (side if isinstance(side, tuple) else (side,))
            if value is not None
        }
        self._private = tuple(value for value in values if len(value) >= _TELLING)

    async def write_object(self) -> EntraId | None:
        """Create the object, or change its own attributes. Returns its id."""
        plan = self._plan
        if plan.action is PlanAction.CREATE:
            return await self._create()
        target = plan.target
        if target is None:
            return None
        body = request_body(plan.written, plan.kind, creating=False)
        if plan.action is PlanAction.RESTORE:
            upn = body.pop(_UPN, None)
            await self._restore(target.id, str(upn) if upn else None)
        if body:
            send = self._tenant.update_user if plan.kind is TargetKind.USER else self._tenant.update_group
            await self._send(
                f"update {plan.kind}",
                {"id": target.id, "attributes": sorted(body)},
                lambda: send(target.id, body),
                lambda receipt: receipt,
            )
        return target.id

    async def _restore(self, entra_id: EntraId, upn: str | None) -> None:
        """Take the object out of the deleted ones; where the answer is lost, look whether it is there."""
        tenant, kind = self._tenant, self._plan.kind
        try:
            await self._send(
                f"restore {kind}",
                {"id": entra_id, **({"attributes": [_UPN]} if upn else {})},
                lambda: (
                    tenant.restore_user(entra_id, upn)
                    if kind is TargetKind.USER
                    else tenant.restore_group(entra_id)
                ),
                lambda receipt: receipt,
            )
        except OutcomeUnknown as error:
            found = await self._patiently(lambda: tenant.read(kind, entra_id, ("id", "displayName")))
            if found is None:
                raise OutcomeUnknown(
                    "The answer to the restoring was lost, and the object cannot be seen in Entra ID.",
                    ids=error.ids,
                ) from error
            await self._settle_found(found)

    async def _create(self) -> EntraId:
        body = request_body(self._plan.written, self._plan.kind, creating=True)
        detail = {"object": self._source.identity.guid, "attributes": sorted(body)}
        try:
            if self._plan.kind is TargetKind.USER:
                await self._create_user(body, detail)
            else:
                await self._create_group(body, detail)
        except OutcomeUnknown as error:
            await self._find_after_lost_answer(error)
        if self._action.target is None:
            raise TenantUnexpected("The group was written, and cannot be found by its unique name.")
        return self._action.target.id

    async def _create_user(self, body: dict[str, object], detail: Mapping[str, object]) -> None:
        body["passwordProfile"] = {"forceChangePasswordNextSignIn": True, "password": random_password()}

        def note(answer: tuple[TargetObject, Receipt]) -> Receipt:
            self._action.target = answer[0].identity
            return answer[1]

        await self._send("create user", detail, lambda: self._tenant.create_user(body), note)

    async def _create_group(self, body: dict[str, object], detail: Mapping[str, object]) -> None:
        key = unique_name(self._source.identity.guid)

        def note(answer: tuple[TargetObject | None, Receipt]) -> Receipt:
            self._action.target = answer[0].identity if answer[0] else None
            return answer[1]

        await self._send("create group", detail, lambda: self._tenant.upsert_group(key, body), note)
        if self._action.target is None:  # 204: it was there already, made by somebody else in between
            found = await self._find_created()
            self._action.target = found.identity if found else None

    async def _find_after_lost_answer(self, error: OutcomeUnknown) -> None:
        """Look for what may have been created; where it cannot be seen, the outcome stays unknown."""
        try:
            found = await self._find_created()
        except PipelineError:
            found = None
        if found is None:
            raise OutcomeUnknown(
                "The answer to the creation was lost, and the object cannot be seen in Entra ID.",
                ids=error.ids,
            ) from error
        self._action.target = found.identity
        await self._settle_found(found)

    async def _settle_found(self, found: TargetObject) -> None:
        """Correct what was noted of the latest write: it was carried out after all."""
        step = self._action.writes[-1].step
        self._action.writes[-1] = Write(step, True, "its answer was lost; found by its key")
        await self._journal.settle(self._last_entry, "done", {"found": found.id})

    async def _find_created(self) -> TargetObject | None:
        """Look for the object by its key."""
        key = self._key()
        if not key.value:
            return None

        async def look() -> TargetObject | None:
            (found,) = await self._tenant.find([key], ("id", "displayName", _UPN, key.attribute))
            exact = [target for target in found if is_exact(key, target)]
            return exact[0] if len(exact) == 1 else None

        return await self._patiently(look)

    async def _patiently(self, look: Callable[[], Awaitable[TargetObject | None]]) -> TargetObject | None:
        """Look again and again: a replica may lag behind the one that wrote."""
        for pause in (*LOOK_AGAIN_S, None):
            found = await look()
            if found is not None or pause is None:
                return found
            await asyncio.sleep(pause)
        return None

    def _key(self) -> Lookup:
        if self._plan.kind is TargetKind.GROUP:
            return Lookup(TargetKind.GROUP, UNIQUE_NAME, unique_name(self._source.identity.guid))
        anchor = next((c.after for c in self._plan.changes if c.attribute == ANCHOR), None)
        return Lookup(TargetKind.USER, ANCHOR, str(anchor or ""))

    async def write_manager(self, entra_id: EntraId) -> None:
        """Link the manager, or take the link away."""
        change = next((c for c in self._plan.written if c.attribute == "manager"), None)
        if change is None:
            return
        manager = self._plan.manager
        try:
            await self._send(
                "link manager" if manager else "unlink manager",
                {"id": entra_id, "manager": manager},
                lambda: self._tenant.set_manager(entra_id, manager),
                lambda receipt: receipt,
            )
            self._action.linked = manager is not None
        except _REFUSALS as error:
            self._action.refused.append(f"The manager was not linked: {error.message}")

    async def write_members(self, entra_id: EntraId) -> None:
        """Add members, 20 at a time; where a request of several is refused, each on its own."""
        members = [m for m in self._plan.members if m.kind is ChangeKind.ADDED and m.id is not None]
        if self._plan.action is PlanAction.RESTORE and members:  # it comes back with the members it had
            there = await self._tenant.group_members(entra_id)
            members = [m for m in members if m.id not in there]
        for start in range(0, len(members), MEMBERS_PER_REQUEST):
            chunk = members[start : start + MEMBERS_PER_REQUEST]
            try:
                await self._add(entra_id, chunk)
            except _ONE_OF_THEM:
                await self._add_singly(entra_id, chunk)

    async def _add_singly(self, group: EntraId, members: Sequence[MemberChange]) -> None:
        """Find out who of several is refused. Some may be in: the answer may have been lost."""
        there = await self._tenant.group_members(group)
        for member in members:
            if member.id in there:
                self._action.members += 1
                continue
            try:
                await self._add(group, [member])
            except _ONE_OF_THEM as error:
                self._action.refused.append(f"{member.name} was not added: {error.message}")

    async def _add(self, group: EntraId, members: Sequence[MemberChange]) -> None:
        ids = [m.id for m in members if m.id is not None]
        what = f"add {len(ids)} members" if len(ids) > 1 else f"add member {members[0].name}"
        await self._send(
            what,
            {"id": group, "members": ids},
            lambda: self._tenant.add_members(group, ids),
            lambda receipt: receipt,
        )
        self._action.members += len(ids)

    def _without_private(self, text: str) -> str:
        """Take private values out of what Graph says: it may quote the value that it refuses."""
        for value in self._private:
            text = text.replace(value, PRESENT)
        return text

    async def _send(
        self,
        step: str,
        detail: Mapping[str, object],
        send: Callable[[], Awaitable[T]],
        note: Callable[[T], Receipt],
    ) -> None:
        """Journal the intent, send once, take note of the answer, journal the outcome."""
        self._last_entry = entry = await self._journal.intend(self._run_id, step, detail)
        try:
            receipt = note(await send())
        except PipelineError as error:
            error.message = self._without_private(error.message)
            self._action.writes.append(Write(step, False, error.message, error.ids.get("request-id")))
            outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
            await self._journal.settle(
                entry, outcome, {"code": error.code, "message": error.message, **error.ids}
            )
            raise
        self._action.writes.append(Write(step, True, f"answered {receipt.status}", receipt.request_id))
        ids = {"request-id": receipt.request_id, "client-request-id": receipt.client_request_id}
        await self._journal.settle(entry, "done", {"status": receipt.status, **ids})


def random_password() -> str:
    """Return a password that satisfies Entra's complexity rules and that nobody will ever see."""
    alphabet = string.ascii_letters + string.digits + "-_.!#"
    return "Aa1!" + "".join(secrets.choice(alphabet) for _ in range(44))
