"""What is said and done of a run that somebody had before: by its journal and a new plan, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import pytest

from pipeline.errors import OutcomeUnknown, TenantConflict, TenantForbidden
from pipeline.ids import EntraId, RunId
from pipeline.model import (
    Change,
    ChangeKind,
    MemberChange,
    Outcome,
    Plan,
    PlanAction,
    TargetIdentity,
    TargetKind,
)
from pipeline.ports import Journal, JournalEntry, Lookup, TargetObject, Tenant
from pipeline.recovery import Earlier, in_effect

AT: Final = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
ADA: Final = EntraId("aaaaaaaa-0000-4000-8000-000000000001")
GRACE: Final = EntraId("aaaaaaaa-0000-4000-8000-000000000002")


def entry(step: str, outcome: str | None = None, number: int = 1, **detail: Any) -> JournalEntry:
    """Return an entry of a journal."""
    settled = None if outcome is None else AT
    return JournalEntry(number, RunId("01JD"), step, detail, AT, outcome, {}, settled)


def change(attribute: str, after: str, kind: ChangeKind = ChangeKind.CHANGED, **more: Any) -> Change:
    """Return a change of an attribute."""
    return Change(attribute, "before", after, kind, **more)


def plan(*changes: Change, target: EntraId | None = ADA, action: PlanAction = PlanAction.UPDATE) -> Plan:
    """Return a plan for a user, with a group's members: Ada is to be added, Grace to be removed."""
    identity = None if target is None else TargetIdentity(target, None, None)
    members = (
        MemberChange("Ada", "CN=Ada", ADA, ChangeKind.ADDED),
        MemberChange("Grace", "CN=Grace", GRACE, ChangeKind.CLEARED, removal=True),
    )
    return Plan(action, TargetKind.USER, identity, changes, members)


@pytest.mark.parametrize(
    ("entries", "outcome", "expected", "says", "reason"),
    [
        ((entry("update user"),), Outcome.FAILED, Outcome.UNKNOWN, "(update user)", "one is open"),
        ((entry("update user"),), Outcome.UPDATED, Outcome.UNKNOWN, "(update user)", "even after a success"),
        ((entry("update user", "done"),), Outcome.FAILED, Outcome.PARTIAL, "1 write had been", "one done"),
        (
            (entry("create user", "done"), entry("link manager", "done", 2)),
            Outcome.REFUSED,
            Outcome.PARTIAL,
            "2 writes had been",
            "two done, and then refused",
        ),
        ((entry("update user", "done"),), Outcome.UPDATED, Outcome.UPDATED, "", "a success stays one"),
        ((entry("update user", "absent"),), Outcome.FAILED, Outcome.FAILED, "", "nothing was carried out"),
        ((entry("update user", "refused"),), Outcome.SKIPPED, Outcome.SKIPPED, "", "nothing was accepted"),
        ((), Outcome.INTERRUPTED, Outcome.INTERRUPTED, "", "nothing was begun"),
    ],
)
def test_no_end_hides_what_was_written_before(
    entries: tuple[JournalEntry, ...], outcome: Outcome, expected: Outcome, says: str, reason: str
) -> None:
    """An end that says that nothing was written is not said where something was, or may have been."""
    del reason
    ended, error = Earlier(entries).truth(outcome, TenantForbidden("It may not."))
    assert ended is expected
    assert error is not None
    assert says in error.message
    assert "It may not." in error.message


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (("create user", "link manager"), Outcome.CREATED),
        (("restore user", "update user"), Outcome.RESTORED),
        (("update user",), Outcome.UPDATED),
        (("add 20 members",), Outcome.UPDATED),
        ((), None),
    ],
)
def test_what_was_done_already_names_the_end(done: tuple[str, ...], expected: Outcome | None) -> None:
    """A run that goes on ends as what it began, not as what was left of it."""
    entries = tuple(entry(step, "done", number) for number, step in enumerate(done))
    assert Earlier((*entries, entry("create user", "absent", 99))).outcome is expected


@pytest.mark.parametrize(
    ("new", "expected", "reason"),
    [
        (plan(change("jobTitle", "Reader")), True, "the rest of what was planned"),
        (plan(), True, "nothing is left"),
        (plan(change("jobTitle", "Fellow")), False, "another value"),
        (plan(change("city", "London")), False, "another attribute"),
        (plan(change("employeeId", "…", private=True)), True, "its value cannot be compared"),
        (plan(change("city", "London", ChangeKind.SAME)), True, "what is not written counts for nothing"),
    ],
)
def test_only_the_rest_of_a_plan_goes_on_without_another_look(
    new: Plan, *, expected: bool, reason: str
) -> None:
    """What nobody has planned is not carried out as if somebody had."""
    del reason
    former = plan(change("jobTitle", "Reader"), change("employeeId", "4711"))
    assert Earlier(plan=former).covers(new) is expected
    assert not Earlier().covers(new)


@pytest.mark.parametrize(
    ("step", "detail", "expected", "reason"),
    [
        ("update user", {"attributes": ["city"]}, True, "nobody wants it changed any more"),
        ("update user", {"attributes": ["city", "jobTitle"]}, False, "one of them is still wanted"),
        ("link manager", {"manager": "m"}, False, "still to be linked"),
        ("unlink manager", {}, False, "still to be unlinked"),
        ("add 1 member", {"members": [ADA]}, False, "still to be added"),
        ("add 1 member", {"members": ["another"]}, True, "not to be added any more"),
        ("remove member 1", {"member": GRACE}, False, "still to be removed"),
        ("remove member 1", {"member": ADA}, True, "not to be removed any more"),
        ("restore user", {}, True, "matched among the live ones"),
        ("create user", {"key": ["a", "b"]}, None, "a creation is looked for otherwise"),
        ("update user", {"attributes": ["city"], "id": GRACE}, None, "it was about another object"),
    ],
)
def test_a_write_is_in_effect_where_a_new_plan_wants_it_no_more(
    step: str, detail: Mapping[str, Any], *, expected: bool | None, reason: str
) -> None:
    """The new plan was made from what is there, so it tells; where it does not, nothing is recorded."""
    del reason
    new = plan(change("jobTitle", "Reader"), change("manager", "m"))
    assert in_effect(entry(step, **{"id": ADA, **detail}), new) is expected


def test_other_plans_tell_as_well() -> None:
    """No manager to link: it is linked. Still to be restored: it is not. No target: nobody knows."""
    assert in_effect(entry("link manager", id=ADA), plan()) is True
    assert in_effect(entry("restore user", id=ADA), plan(action=PlanAction.RESTORE)) is False
    assert in_effect(entry("update user", id=ADA, attributes=[]), plan(target=None)) is None


def test_a_conflict_after_an_unseen_creation_is_no_plain_failure() -> None:
    """The conflict may be with what the process before created: it is unknown, and says so."""
    conflict = TenantConflict("It is taken.")
    unseen = Earlier((entry("create user", "absent"),))
    told = unseen.explain(conflict)
    assert isinstance(told, OutcomeUnknown)
    assert "It is taken." in told.message
    assert Earlier((entry("create user", "done"),)).explain(conflict) is conflict
    forbidden = TenantForbidden("It may not.")
    assert unseen.explain(forbidden) is forbidden


class Found:
    """A tenant that finds what it is given, and a journal that keeps what is settled."""

    def __init__(self, immutable_id: str) -> None:
        self.found = TargetObject(ADA, TargetKind.USER, {"onPremisesImmutableId": immutable_id})
        self.settled: list[str] = []

    async def find(self, lookups: Sequence[Lookup], select: Sequence[str]) -> Any:
        """Return the object for every question, as a search that knows no upper and lower case does."""
        assert "onPremisesImmutableId" in select
        return [(self.found,) for _ in lookups]

    async def settle(self, entry: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Record what came of a write."""
        del entry, detail
        self.settled.append(outcome)


@pytest.mark.parametrize(("there", "outcome"), [("kLOg+Q==", "done"), ("KloG+Q==", "absent")])
async def test_an_anchor_that_differs_in_case_is_another_objects(there: str, outcome: str) -> None:
    """Base64 differs by case and a search in Entra ID does not: another user is not taken for the created."""
    found = Found(there)
    created = entry("create user", key=["onPremisesImmutableId", "kLOg+Q=="])
    earlier = Earlier((created,), uncertain_s=0)
    await earlier.settle_creation(cast("Tenant", found), cast("Journal", found))
    assert found.settled == [outcome]
    assert [one.outcome for one in earlier.entries] == [outcome]
