"""Act: carry out exactly one plan, journal first, or refuse because the world has moved."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pipeline.diff import request_body
from pipeline.errors import OutcomeUnknown, PipelineError, Refusal, TenantError, TenantUnexpected
from pipeline.ids import EntraId, RunId
from pipeline.model import ChangeKind, MemberChange, Plan, PlanAction, TargetIdentity, TargetKind, Write
from pipeline.ports import Lookup, Receipt, TargetObject
from pipeline.services import Services
from pipeline.stages.importing import Source
from pipeline.stages.matching import ANCHOR, UNIQUE_NAME, unique_name

MEMBERS_PER_REQUEST: Final = 20
"""Graph takes at most 20 member references in one PATCH ("Add members", Microsoft Graph)."""

LOOK_AGAIN_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 6.0)
"""Pauses between looks for an object whose creation was not answered, in seconds."""

T = TypeVar("T")


@dataclass(slots=True)
class Action:
    """What came of a plan: the object, every write, and what was refused along the way."""

    target: TargetIdentity | None
    writes: list[Write] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    error: PipelineError | None = None


async def apply_plan(plan: Plan, source: Source, run_id: RunId, services: Services) -> Action:
    """Write the plan. What stops it at the object itself is in `error`; what fails later, in `refused`."""
    action = Action(plan.target)
    writer = _Writer(plan, source, run_id, services, action)
    with services.tenant.applying(plan):
        try:
            entra_id = await writer.write_object()
        except PipelineError as error:
            action.error = error
            return action
        if entra_id is not None:
            await writer.write_manager(entra_id)
            await writer.write_members(entra_id)
    return action


class _Writer:
    """Sends a plan's writes one after the other, each with its intent and its outcome in the journal."""

    def __init__(self, plan: Plan, source: Source, run_id: RunId, services: Services, action: Action) -> None:
        self._plan = plan
        self._source = source
        self._run_id = run_id
        self._services = services
        self._tenant = services.tenant
        self._action = action

    async def write_object(self) -> EntraId | None:
        """Create the object, or change its own attributes. Returns its id."""
        plan = self._plan
        if plan.action is PlanAction.CREATE:
            created = await self._create()
            self._action.target = created.identity
            return created.id
        target = plan.target
        if target is None:
            return None
        body = request_body(plan.written, plan.kind, creating=False)
        if body:
            send = self._tenant.update_user if plan.kind is TargetKind.USER else self._tenant.update_group
            await self._send(
                f"update {plan.kind}",
                {"id": target.id, "attributes": sorted(body)},
                lambda: send(target.id, body),
                lambda receipt: receipt,
            )
        return target.id

    async def _create(self) -> TargetObject:
        plan, body = self._plan, request_body(self._plan.written, self._plan.kind, creating=True)
        detail = {"key": self._key().value, "attributes": sorted(body)}
        try:
            if plan.kind is TargetKind.USER:
                body["passwordProfile"] = {
                    "forceChangePasswordNextSignIn": True,
                    "password": random_password(),
                }
                created, _ = await self._send(
                    "create user", detail, lambda: self._tenant.create_user(body), lambda pair: pair[1]
                )
                return created
            upserted, _ = await self._send(
                "create group",
                detail,
                lambda: self._tenant.upsert_group(unique_name(self._source), body),
                lambda pair: pair[1],
            )
            return upserted or await self._find_created()
        except OutcomeUnknown as error:
            found = await self._find_created_or_none()
            if found is None:
                raise OutcomeUnknown(
                    "The answer to the creation was lost, and the object cannot be seen in Entra ID yet.",
                    ids=error.ids,
                ) from error
            self._action.writes.append(
                Write(f"create {plan.kind}", True, "its answer was lost; found by its key")
            )
            return found

    def _key(self) -> Lookup:
        if self._plan.kind is TargetKind.GROUP:
            return Lookup(TargetKind.GROUP, UNIQUE_NAME, unique_name(self._source))
        anchor = next((c.after for c in self._plan.changes if c.attribute == ANCHOR), None)
        return Lookup(TargetKind.USER, ANCHOR, str(anchor or ""))

    async def _find_created(self) -> TargetObject:
        found = await self._find_created_or_none()
        if found is None:
            raise TenantUnexpected("The group was written, and cannot be found by its unique name.")
        return found

    async def _find_created_or_none(self) -> TargetObject | None:
        """Look for the object by its key, with patience: a replica may lag behind the one that wrote."""
        key = self._key()
        if not key.value:
            return None
        for pause in (*LOOK_AGAIN_S, None):
            (found,) = await self._tenant.find([key], ("id", "displayName", "userPrincipalName"))
            if len(found) == 1:
                return found[0]
            if pause is not None:
                await asyncio.sleep(pause)
        return None

    async def write_manager(self, entra_id: EntraId) -> None:
        """Link the manager, or take the link away."""
        change = next((c for c in self._plan.written if c.attribute == "manager"), None)
        if change is None:
            return
        manager = self._plan.manager
        await self._send_further(
            "link manager" if manager else "unlink manager",
            {"id": entra_id, "manager": manager},
            lambda: self._tenant.set_manager(entra_id, manager),
        )

    async def write_members(self, entra_id: EntraId) -> None:
        """Add members, 20 at a time; where a request of several is refused, each on its own."""
        members = [m for m in self._plan.members if m.kind is ChangeKind.ADDED and m.id is not None]
        for start in range(0, len(members), MEMBERS_PER_REQUEST):
            chunk = members[start : start + MEMBERS_PER_REQUEST]
            if await self._add(entra_id, chunk, last_word=len(chunk) == 1) or len(chunk) == 1:
                continue
            there = await self._tenant.group_members(entra_id)  # some may be in: an answer may have been lost
            for member in chunk:
                if member.id not in there:
                    await self._add(entra_id, [member], last_word=True)

    async def _add(self, group: EntraId, members: Sequence[MemberChange], *, last_word: bool) -> bool:
        ids = [m.id for m in members if m.id is not None]
        what = f"add {len(ids)} members" if len(ids) > 1 else f"add member {members[0].name}"
        return await self._send_further(
            what,
            {"id": group, "members": ids},
            lambda: self._tenant.add_members(group, ids),
            quiet=not last_word,
        )

    async def _send_further(
        self,
        step: str,
        detail: Mapping[str, object],
        send: Callable[[], Awaitable[Receipt]],
        *,
        quiet: bool = False,
    ) -> bool:
        try:
            await self._send(step, detail, send, lambda receipt: receipt)
        except (TenantError, Refusal, OutcomeUnknown) as error:
            if not quiet:
                self._action.refused.append(f"{step}: {error.message}")
            return False
        return True

    async def _send(
        self,
        step: str,
        detail: Mapping[str, object],
        send: Callable[[], Awaitable[T]],
        receipt_of: Callable[[T], Receipt],
    ) -> T:
        """Journal the intent, send once, journal the outcome."""
        journal, action = self._services.journal, self._action
        entry = await journal.intend(self._run_id, step, detail)
        try:
            answer = await send()
        except PipelineError as error:
            outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
            await journal.settle(entry, outcome, {"code": error.code, "message": error.message, **error.ids})
            action.writes.append(Write(step, False, error.message, error.ids.get("request-id")))
            raise
        receipt = receipt_of(answer)
        ids = {"request-id": receipt.request_id, "client-request-id": receipt.client_request_id}
        await journal.settle(entry, "done", {"status": receipt.status, **ids})
        action.writes.append(Write(step, True, f"answered {receipt.status}", receipt.request_id))
        return answer


def random_password() -> str:
    """Return a password that satisfies Entra's complexity rules and that nobody will ever see."""
    alphabet = string.ascii_letters + string.digits + "-_.!#"
    return "Aa1!" + "".join(secrets.choice(alphabet) for _ in range(44))
