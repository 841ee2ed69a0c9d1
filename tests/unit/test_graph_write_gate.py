"""A preview can write nothing, whatever it tries."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import pytest

from pipeline.errors import WriteNotAllowed
from pipeline.ids import EntraId
from pipeline.model import ChangeKind, MemberChange, Plan, PlanAction, TargetIdentity, TargetKind
from pipeline.ports import Lookup, Tenant
from pipeline.write_gate import WriteGate

READS = {
    *("find", "find_standing", "read", "anchors", "unique_names", "group_members", "standing", "domains"),
    "synchronized",
}
METHODS = {
    name for name, value in vars(Tenant).items() if inspect.iscoroutinefunction(value) and name[0] != "_"
}
WRITES = sorted(METHODS - READS)

ADA = EntraId("11111111-0000-4000-8000-000000000001")
BOB = EntraId("11111111-0000-4000-8000-000000000002")

ARGUMENTS: Mapping[str, tuple[Any, ...]] = {
    "find": ([Lookup(TargetKind.USER, "mail", "x")], ["id"]),
    "find_standing": ([Lookup(TargetKind.USER, "mail", "x")], ["id"], "x@y"),
    "read": (TargetKind.USER, ADA, ["id"]),
    "anchors": (["a=="],),
    "unique_names": (["ad-1"],),
    "group_members": (ADA,),
    "standing": (TargetKind.USER, ADA),
    "domains": (),
    "synchronized": (),
    "create_user": ({},),
    "update_user": (ADA, {}),
    "set_manager": (ADA, BOB),
    "upsert_group": ("ad-1", {}),
    "update_group": (ADA, {}),
    "restore_user": (ADA, None),
    "restore_group": (ADA,),
    "add_members": (ADA, [BOB]),
    "remove_member": (ADA, BOB),
}


class Recorder:
    """Takes note of each call that reaches the tenant; answers nothing of use."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def __getattr__(self, method: str) -> Callable[..., Awaitable[None]]:
        async def note(*_: object) -> None:
            self.reached.append(method)

        return note

    @property
    def gate(self) -> WriteGate:
        """A gate before this tenant."""
        return WriteGate(cast("Tenant", self))


def plan(action: PlanAction, kind: TargetKind, target: EntraId | None = None) -> Plan:
    """Return a plan of that action; a group's takes Bob out."""
    out = (MemberChange("Bob", "CN=Bob", BOB, ChangeKind.CLEARED),) if kind is TargetKind.GROUP else ()
    return Plan(action, kind, TargetIdentity(target, None) if target else None, (), out)


def kind_of(method: str) -> TargetKind:
    """Return the kind of object that a write is about."""
    return TargetKind.GROUP if "group" in method or "member" in method else TargetKind.USER


def action_of(method: str) -> PlanAction:
    """Return the action of a plan that covers a write."""
    return PlanAction.RESTORE if method.startswith("restore") else PlanAction.CREATE


async def call(gate: WriteGate, method: str) -> None:
    """Call a method of the port with arguments that fit."""
    await getattr(gate, method)(*ARGUMENTS[method])


def test_every_method_of_the_port_is_sorted_here() -> None:
    """A method added to the port must be sorted into reads and writes, or this fails."""
    assert set(ARGUMENTS) == METHODS
    assert READS <= METHODS


@pytest.mark.parametrize("method", sorted(METHODS - READS))
async def test_a_write_outside_of_applying_is_stopped(method: str) -> None:
    """Whatever is not a read is refused, and does not reach the tenant."""
    tenant = Recorder()
    with pytest.raises(WriteNotAllowed) as caught:
        await call(tenant.gate, method)
    assert caught.value.code == "write_not_allowed"
    assert tenant.reached == []


@pytest.mark.parametrize("method", sorted(READS))
async def test_a_read_passes_at_any_time(method: str) -> None:
    """Reading needs no plan."""
    tenant = Recorder()
    await call(tenant.gate, method)
    assert tenant.reached == [method]


@pytest.mark.parametrize("method", WRITES)
async def test_a_write_passes_while_its_plan_is_applied_and_not_after(method: str) -> None:
    """The gate opens for the plan and shuts behind it."""
    tenant = Recorder()
    gate = tenant.gate
    with gate.applying(plan(action_of(method), kind_of(method))):
        await call(gate, method)
    assert tenant.reached == [method]
    with pytest.raises(WriteNotAllowed):
        await call(gate, method)


async def test_it_shuts_when_applying_fails() -> None:
    """An error inside does not leave the gate open."""
    gate = Recorder().gate
    with pytest.raises(KeyError), gate.applying(plan(PlanAction.CREATE, TargetKind.USER)):
        raise KeyError
    with pytest.raises(WriteNotAllowed):
        await gate.create_user({})


async def test_another_run_does_not_get_through_an_open_gate() -> None:
    """Runs share the gate; the permit belongs to the task that applies."""
    tenant = Recorder()
    gate = tenant.gate
    opened, tried = asyncio.Event(), asyncio.Event()

    async def preview() -> None:
        await opened.wait()
        with pytest.raises(WriteNotAllowed):
            await gate.create_user({})
        tried.set()

    async def apply() -> None:
        with gate.applying(plan(PlanAction.CREATE, TargetKind.USER)):
            opened.set()
            await tried.wait()
            await gate.create_user({})

    async with asyncio.TaskGroup() as group:
        group.create_task(preview())
        group.create_task(apply())
    assert tenant.reached == ["create_user"]


async def test_a_task_that_outlives_the_plan_cannot_write() -> None:
    """A child task inherits the permit; it ends with the block all the same."""
    tenant = Recorder()
    gate = tenant.gate
    ended = asyncio.Event()

    async def straggler() -> None:
        await ended.wait()
        await gate.create_user({})

    with gate.applying(plan(PlanAction.CREATE, TargetKind.USER)):
        task = asyncio.create_task(straggler())
        await asyncio.sleep(0)
    ended.set()
    with pytest.raises(WriteNotAllowed):
        await task
    assert tenant.reached == []


@pytest.mark.parametrize(
    ("applied", "method"),
    [
        pytest.param(plan(PlanAction.UPDATE, TargetKind.USER, ADA), "create_user", id="creates nothing"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.GROUP, ADA), "upsert_group", id="creates no group"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.USER, BOB), "update_user", id="another user"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.USER, BOB), "set_manager", id="another's manager"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.USER, ADA), "update_group", id="a user's plan"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.GROUP, BOB), "add_members", id="another group"),
        pytest.param(plan(PlanAction.UPDATE, TargetKind.USER, ADA), "restore_user", id="restores nothing"),
        pytest.param(plan(PlanAction.RESTORE, TargetKind.USER, BOB), "restore_user", id="restores another"),
        pytest.param(
            plan(PlanAction.RESTORE, TargetKind.USER, ADA), "create_user", id="restores, not creates"
        ),
        pytest.param(
            Plan(PlanAction.UPDATE, TargetKind.GROUP, TargetIdentity(ADA, None), ()),
            "remove_member",
            id="removes nobody",
        ),
    ],
)
async def test_a_write_that_the_plan_does_not_cover_is_stopped(applied: Plan, method: str) -> None:
    """Only writes about the plan's own object and of its own action pass."""
    tenant = Recorder()
    gate = tenant.gate
    with gate.applying(applied), pytest.raises(WriteNotAllowed):
        await call(gate, method)
    assert tenant.reached == []


async def test_a_plan_that_changes_nothing_opens_nothing() -> None:
    """There is nothing to apply in it."""
    gate = Recorder().gate
    with pytest.raises(WriteNotAllowed), gate.applying(plan(PlanAction.NONE, TargetKind.USER)):
        pass


async def test_an_installation_with_writing_off_keeps_the_gate_shut() -> None:
    """The switch is stronger than any plan."""
    gate = WriteGate(cast("Tenant", Recorder()), enabled=False)
    with pytest.raises(WriteNotAllowed), gate.applying(plan(PlanAction.CREATE, TargetKind.USER)):
        pass


async def test_one_gates_plan_does_not_open_another() -> None:
    """Two tenants have two gates."""
    first, second = Recorder().gate, Recorder().gate
    with first.applying(plan(PlanAction.CREATE, TargetKind.USER)), pytest.raises(WriteNotAllowed):
        await second.create_user({})
