"""The summaries of the action stage: the same numbers as the headline and the rows of the details."""

from __future__ import annotations

import pytest

from pipeline.ids import EntraId
from pipeline.model import Change, ChangeKind, MemberChange, Plan, PlanAction, TargetKind
from pipeline.wording import action_summary, plan_summary

NAME = Change("displayName", None, "Ada Lovelace", ChangeKind.ADDED)
PASSWORD = Change("passwordProfile", None, "…", ChangeKind.ADDED, private=True)
MANAGER = Change("manager", None, "CN=Max", ChangeKind.ADDED)
NO_MANAGER = Change("manager", "CN=Max", None, ChangeKind.CLEARED)

CREATE, UPDATE = PlanAction.CREATE, PlanAction.UPDATE
SUMMARIES = [
    (CREATE, (NAME, PASSWORD, MANAGER), True, "Created with 3 attributes, manager linked", "each row counts"),
    (CREATE, (NAME, PASSWORD, MANAGER), False, "Created with 2 attributes, manager not linked", "one is not"),
    (UPDATE, (MANAGER,), True, "Updated 1 attribute, manager linked", "the manager alone"),
    (UPDATE, (NO_MANAGER,), False, "Updated 1 attribute", "the manager taken away"),
]


@pytest.mark.parametrize(
    ("action", "changes", "linked", "told", "reason"), SUMMARIES, ids=[row[4] for row in SUMMARIES]
)
def test_what_was_written_is_counted_as_it_was_planned(
    *, action: PlanAction, changes: tuple[Change, ...], linked: bool, told: str, reason: str
) -> None:
    """The number is that of the rows which the details list as written."""
    plan = Plan(action, TargetKind.USER, None, changes)

    assert action_summary(plan, members=0, linked=linked, refused=0) == told, reason


def test_members_alone_are_told_without_attributes() -> None:
    """A group whose members alone change is never said to have "0 attributes" written."""
    member = MemberChange("Ada", "CN=Ada", EntraId("1"), ChangeKind.ADDED)
    plan = Plan(UPDATE, TargetKind.GROUP, None, (), (member,))

    assert plan_summary(plan) == "Would add 1 member; nothing was written"
    assert action_summary(plan, members=1, linked=False, refused=0) == "Added 1 member"


def test_a_preview_counts_as_its_headline_does() -> None:
    """A preview says one number, not two: manager and password are attributes here as there."""
    plan = Plan(CREATE, TargetKind.USER, None, (NAME, PASSWORD, MANAGER))

    assert plan_summary(plan) == "Would create the user with 3 attributes; nothing was written"
    assert len(plan.written) == 3
