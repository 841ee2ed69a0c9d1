"""Act: carry out exactly one plan, journal first, or refuse because the world has moved."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from pipeline.diff import current_value, request_body, same_value
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
from pipeline.model import Change, ChangeKind, MemberChange, Plan, PlanAction, TargetKind
from pipeline.ports import Lookup, Receipt, TargetObject
from pipeline.services import Services
from pipeline.stages.importing import Source
from pipeline.stages.matching import is_exact
from pipeline.stages.references import ANCHOR, UNIQUE_NAME, unique_name
from pipeline.stages.sending import Action, Seen, Sender, looked_at, patiently

MEMBERS_PER_REQUEST: Final = 20
"""Graph takes at most 20 member references in one PATCH ("Add members", Microsoft Graph)."""

_REFUSALS: Final = (Refusal, TenantConflict, TenantForbidden, TenantNotFound, TenantRefused)
"""Answers that are about this one write: the rest of the plan goes on."""

_ONE_OF_THEM: Final = (TenantConflict, TenantNotFound, TenantRefused)
"""Answers to several members that may be about one of them."""

_UPN: Final = "userPrincipalName"
_LINKED_SEPARATELY: Final = frozenset({"manager", "members", "passwordProfile"})


async def apply_plan(plan: Plan, shown: Plan, source: Source, run_id: RunId, services: Services) -> Action:
    """Write the plan, and tell whatever came of it: nothing that was written is ever lost to an error.

    `shown` is the plan without its private values: what it hides is taken out of every answer as well.
    """
    action = Action(plan.target)
    sender = Sender(plan, shown, run_id, services, action)
    writer = _Writer((plan, shown), source, services, sender, action)
    try:
        with services.tenant.applying(plan):
            entra_id = await writer.write_object()
            if entra_id is not None:
                await writer.write_manager(entra_id)
                await writer.write_members(entra_id)
                await writer.remove_members(entra_id)
    except PipelineError as error:
        action.error = error
    return action


class _Writer:
    """Makes a plan's writes one after the other, and looks where an answer was lost."""

    def __init__(
        self, plans: tuple[Plan, Plan], source: Source, services: Services, sender: Sender, action: Action
    ) -> None:
        self._plan, shown = plans
        self._source = source
        self._sender = sender
        self._tenant = services.tenant
        self._sleep = services.sleep
        self._action = action
        self._names = {m.id: s.name for m, s in zip(self._plan.members, shown.members, strict=True)}

    # -- the object itself -------------------------------------------------------------------------------

    async def write_object(self) -> EntraId | None:
        """Create or restore the object, and change its own attributes. Returns its id."""
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
            await self._sender.send_looking(
                f"update {plan.kind}",
                {"id": target.id, "attributes": sorted(body)},
                lambda: send(target.id, body),
                lambda: self._look(target.id),
            )
        return target.id

    async def _look(self, entra_id: EntraId) -> Seen:
        """Compare the object, as it is now, with what the plan found and with what it wants."""
        changes = [c for c in self._plan.written if c.attribute not in _LINKED_SEPARATELY]
        select = tuple(dict.fromkeys(c.attribute.partition(".")[0] for c in changes))
        found = await self._tenant.read(self._plan.kind, entra_id, select)
        if found is None:
            return Seen.OTHER
        if all(self._holds(found, c) for c in changes):
            return Seen.DONE
        as_it_was = all(
            same_value(current_value(found, c.attribute), c.before) or self._holds(found, c) for c in changes
        )
        return Seen.NOT_DONE if as_it_was else Seen.OTHER

    @staticmethod
    def _holds(found: TargetObject, change: Change) -> bool:
        return same_value(current_value(found, change.attribute), change.after)

    async def _restore(self, entra_id: EntraId, upn: str | None) -> None:
        """Take the object out of the deleted ones; where the answer is lost, look whether it is there."""
        tenant, kind = self._tenant, self._plan.kind
        try:
            await self._sender.send(
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
            found = await looked_at(
                lambda: patiently(lambda: tenant.read(kind, entra_id, ("id", "displayName")), self._sleep),
                error,
            )
            if found is None:
                raise OutcomeUnknown(
                    "The answer to the restoring was lost, and the object cannot be seen in Entra ID.",
                    ids=error.ids,
                ) from error
            await self._sender.found("its answer was lost; found by its id", id=found.id)

    # -- creating ----------------------------------------------------------------------------------------

    async def _create(self) -> EntraId:
        body = request_body(self._plan.written, self._plan.kind, creating=True)
        key = self._key()  # by which it can be found when the answer is lost
        detail = {
            "object": self._source.identity.guid,
            "attributes": sorted(body),
            "key": [key.attribute, key.value],
        }
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
        # A user of a federated domain signs in there: it has no password here.
        if any(change.attribute == "passwordProfile" for change in self._plan.written):
            profile = {"forceChangePasswordNextSignIn": True, "password": random_password()}
            body["passwordProfile"] = profile

        def note(answer: tuple[TargetObject, Receipt]) -> Receipt:
            self._action.target = answer[0].identity
            return answer[1]

        await self._sender.send("create user", detail, lambda: self._tenant.create_user(body), note)

    async def _create_group(self, body: dict[str, object], detail: Mapping[str, object]) -> None:
        key = unique_name(self._source.identity.guid)

        def note(answer: tuple[TargetObject | None, Receipt]) -> Receipt:
            self._action.target = answer[0].identity if answer[0] else None
            return answer[1]

        await self._sender.send("create group", detail, lambda: self._tenant.upsert_group(key, body), note)
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
        await self._sender.found("its answer was lost; found by its key", id=found.id)

    async def _find_created(self) -> TargetObject | None:
        """Look for the object by its key."""
        key = self._key()
        if not key.value:
            return None

        async def look() -> TargetObject | None:
            (found,) = await self._tenant.find([key], ("id", "displayName", _UPN, key.attribute))
            exact = [target for target in found if is_exact(key, target)]
            return exact[0] if len(exact) == 1 else None

        return await patiently(look, self._sleep)

    def _key(self) -> Lookup:
        if self._plan.kind is TargetKind.GROUP:
            return Lookup(TargetKind.GROUP, UNIQUE_NAME, unique_name(self._source.identity.guid))
        anchor = next((c.after for c in self._plan.changes if c.attribute == ANCHOR), None)
        return Lookup(TargetKind.USER, ANCHOR, str(anchor or ""))

    # -- links -------------------------------------------------------------------------------------------

    async def write_manager(self, entra_id: EntraId) -> None:
        """Link the manager, or take the link away."""
        change = next((c for c in self._plan.written if c.attribute == "manager"), None)
        if change is None:
            return
        manager = self._plan.manager
        try:
            await self._sender.send_looking(
                "link manager" if manager else "unlink manager",
                {"id": entra_id, "manager": manager},
                lambda: self._tenant.set_manager(entra_id, manager),
                lambda: self._look_at_manager(entra_id, manager),
            )
            self._action.linked = manager is not None
        except _REFUSALS as error:
            self._action.refused.append(f"The manager was not linked: {error.message}")

    async def _look_at_manager(self, entra_id: EntraId, wanted: EntraId | None) -> Seen:
        found = await self._tenant.read(TargetKind.USER, entra_id, ("manager",))
        if found is None:
            return Seen.OTHER
        manager = found.attributes.get("manager")
        there = manager.get("id") if isinstance(manager, Mapping) else None
        return Seen.DONE if there == wanted else Seen.NOT_DONE

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
            except OutcomeUnknown as error:
                await self._add_singly(entra_id, chunk, error)
            except _ONE_OF_THEM:
                await self._add_singly(entra_id, chunk, None)

    async def _add_singly(
        self, group: EntraId, members: Sequence[MemberChange], lost: OutcomeUnknown | None
    ) -> None:
        """Find out who of several is refused. Some may be in: the answer may have been lost."""
        look = partial(self._tenant.group_members, group)
        there = await (looked_at(look, lost) if lost else look())
        if lost and all(member.id in there for member in members):
            await self._sender.found("its answer was lost; they are members")
        elif lost:  # all or none of them: if it lands after all, it adds who is added here
            await self._sender.not_found("they are no members")
        for member in members:
            if member.id in there:
                self._action.members += 1
                continue
            try:
                await self._add(group, [member])
            except _ONE_OF_THEM as error:
                self._action.refused.append(f"{self._names[member.id]} was not added: {error.message}")

    async def _add(self, group: EntraId, members: Sequence[MemberChange]) -> None:
        ids = [m.id for m in members if m.id is not None]
        what = f"add {len(ids)} members" if len(ids) > 1 else f"add member {self._names[ids[0]]}"
        detail = {"id": group, "members": ids}
        if len(ids) > 1:
            await self._sender.send(
                what, detail, lambda: self._tenant.add_members(group, ids), lambda receipt: receipt
            )
        else:
            await self._sender.send_looking(
                what,
                detail,
                lambda: self._tenant.add_members(group, ids),
                lambda: self._look_for_member(group, ids[0], there=Seen.DONE),
            )
        self._action.members += len(ids)

    async def remove_members(self, group: EntraId) -> None:
        """Take out the members that the plan names, one by one; a refusal of one keeps none of the rest."""
        for member in self._plan.members:
            if member.kind is not ChangeKind.CLEARED or member.id is None:
                continue
            try:
                await self._remove(group, member.id)
            except _REFUSALS as error:
                self._action.refused.append(f"{self._names[member.id]} was not removed: {error.message}")

    async def _remove(self, group: EntraId, member: EntraId) -> None:
        await self._sender.send_looking(
            f"remove member {self._names[member]}",
            {"id": group, "member": member},
            lambda: self._tenant.remove_member(group, member),
            lambda: self._look_for_member(group, member, there=Seen.NOT_DONE),
        )
        self._action.removed += 1

    async def _look_for_member(self, group: EntraId, member: EntraId, *, there: Seen) -> Seen:
        """Say what it means that the member is `there`, or the contrary when it is not."""
        absent = Seen.NOT_DONE if there is Seen.DONE else Seen.DONE
        return there if member in await self._tenant.group_members(group) else absent


def random_password() -> str:
    """Return a password that satisfies Entra's complexity rules and that nobody will ever see."""
    alphabet = string.ascii_letters + string.digits + "-_.!#"
    return "Aa1!" + "".join(secrets.choice(alphabet) for _ in range(44))
