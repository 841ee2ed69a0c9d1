"""The interesting people of contoso, each through the whole bot, over the real protocols."""

from __future__ import annotations

import pytest

from bot.demo import people
from pipeline.documents import report
from pipeline.model import ChangeKind, Outcome, PlanAction, StageName, StageStatus
from tests.fixtures.scene import Scene, read

CASES = people()


@pytest.mark.parametrize("person", CASES, ids=[p["case"] for p in CASES])
async def test_everyone_ends_as_promised(scene: Scene, person: dict[str, str]) -> None:
    """The outcome is the promised one, four stages are told, and every call to Slack is within its rules."""
    message = await scene.provision(person["identifier"])
    run = await scene.last_run()

    assert run.outcome == person["expected"]
    assert [s["name"] for s in report(run)["stages"]] == ["import", "scope", "match", "action"]  # type: ignore[attr-defined]
    assert all(word in read(message) for word in ("Import", "Scope", "Match", "Action"))
    assert scene.problems() == []


async def test_an_update_changes_exactly_what_differs(scene: Scene) -> None:
    """Alan differs in three attributes: three are written in one request, and the rest is left alone."""
    await scene.provision(scene.people["update-three"])
    run = await scene.last_run()

    assert run.plan is not None
    written = {c.attribute: c.kind for c in run.plan.written}
    assert written == {
        "jobTitle": ChangeKind.CHANGED,
        "department": ChangeKind.ADDED,
        "officeLocation": ChangeKind.CHANGED,
    }
    (write,) = scene.writes()
    assert write["method"] == "PATCH"
    assert set(write["body"]) == set(written)


async def test_nothing_to_do_writes_nothing(scene: Scene) -> None:
    """Someone who is as they should be passes all four checks without a write."""
    await scene.provision(scene.people["unchanged"])
    run = await scene.last_run()

    assert [s.status for s in run.stages] == [StageStatus.PASSED] * 4
    assert run.plan is not None
    assert run.plan.action is PlanAction.NONE
    assert scene.writes() == []


@pytest.mark.parametrize("case", ["scope-ou", "scope-filter"])
async def test_out_of_scope_ends_the_run(scene: Scene, case: str) -> None:
    """Who is out of scope is not asked for in the tenant: scope and everything after it is skipped."""
    await scene.provision(scene.people[case])
    run = await scene.last_run()

    assert [s.status for s in run.stages] == [StageStatus.PASSED, *[StageStatus.SKIPPED] * 3]
    assert scene.writes() == []


async def test_an_ambiguous_match_shows_all_and_picks_none(scene: Scene) -> None:
    """Two users with the same mail address: both are named, in the message and in the details."""
    message = await scene.provision(scene.people["ambiguous"])
    run = await scene.last_run()
    modal = await scene.details(message, StageName.MATCH)

    assert run.error is not None
    assert run.error.code == "match_ambiguous"
    assert run.stage(StageName.MATCH).status is StageStatus.FAILED
    names = [c.upn for k in run.stage(StageName.MATCH).evidence.keys for c in k.candidates]  # type: ignore[union-attr]
    assert len(names) == 2
    assert all(str(name) in read(modal) for name in names)
    assert scene.writes() == []


async def test_a_synchronised_user_is_never_written(scene: Scene) -> None:
    """The synchronisation owns her: what differs is listed, and nothing is sent."""
    await scene.provision(scene.people["synced"])
    run = await scene.last_run()

    assert run.error is not None
    assert run.error.code == "synchronized_target"
    assert run.plan is not None
    assert run.plan.action is PlanAction.NONE
    assert run.plan.count(ChangeKind.NOT_WRITTEN) > 0
    assert scene.writes() == []


async def test_a_name_that_belongs_to_another_fails_at_the_action(scene: Scene) -> None:
    """Entra refuses a userPrincipalName that another user holds; the preview had warned of it."""
    dn = scene.people["upn-conflict"]
    preview = await scene.provision(f"preview {dn}")
    await scene.provision(dn)
    run = await scene.last_run()

    assert "will refuse it" in read(preview)
    assert run.outcome is Outcome.FAILED
    assert run.stage(StageName.ACTION).status is StageStatus.FAILED
    assert run.error is not None
    assert run.error.code == "tenant_conflict"
    assert run.error.ids["request-id"]


async def test_a_missing_manager_is_a_warning_and_loses_nothing(scene: Scene) -> None:
    """The user is created without the link, and the run says which manager is missing."""
    await scene.provision(scene.people["manager-missing"])
    run = await scene.last_run()

    assert run.outcome is Outcome.CREATED
    assert run.stage(StageName.ACTION).status is StageStatus.WARNING
    assert [w["method"] for w in scene.writes()] == ["POST"]


async def test_a_group_comes_with_its_members(scene: Scene) -> None:
    """Forty members are added in requests of twenty, which is all that Graph takes."""
    await scene.provision(scene.people["group-40"])
    run = await scene.last_run()
    sizes = [
        len(w["body"]["members@odata.bind"]) for w in scene.writes() if "members@odata.bind" in w["body"]
    ]

    assert sizes == [20, 20]
    assert run.plan is not None
    assert [m.kind for m in run.plan.members] == [ChangeKind.ADDED] * 40


async def test_running_again_finds_nothing_to_do(scene: Scene) -> None:
    """What a run wrote, the next one finds: created once, unchanged ever after."""
    for case in ("create", "update-three", "group-40"):
        await scene.provision(scene.people[case])
        await scene.provision(scene.people[case])
        assert (await scene.last_run()).outcome is Outcome.UNCHANGED, case
