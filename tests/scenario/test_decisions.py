"""The decisions of match and action on tenants where something is in the way."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo import CHANNEL, people
from pipeline.documents import report
from pipeline.model import ActionEvidence, ChangeKind, Outcome, PlanAction, Run, StageName, StageStatus
from sandbox.people import directory_entries, tenant_seed
from tests.fixtures.scene import QUICK, Scene, read, scene_with

Seed = dict[str, Any]
PEOPLE = {person["case"]: person["identifier"] for person in people()}


def source(case: str) -> dict[str, tuple[bytes, ...]]:
    """Return what the directory holds of an interesting person."""
    (entry,) = [entry for entry in directory_entries() if entry.dn == PEOPLE[case]]
    return dict(entry.attributes)


def anchor(case: str) -> str:
    """Return the anchor of an interesting person, by hand."""
    held = source(case)
    return base64.b64encode((held.get("mS-DS-ConsistencyGuid") or held["objectGUID"])[0]).decode()


def user(name: str, **more: object) -> dict[str, object]:
    """Return a cloud user, as Graph would."""
    alias = name.replace(" ", ".").lower()
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, alias)),
        "displayName": name,
        "userPrincipalName": f"{alias}@contoso.test",
        "mailNickname": alias,
        "accountEnabled": True,
        **more,
    }


def taken(seed: Seed) -> None:
    """Put somebody else's anchor on an account that has Ada's name."""
    seed["users"].append(user("Ada Lovelace", onPremisesImmutableId="AAAAAAAAAAAAAAAAAAAAAA=="))


def deleted(seed: Seed) -> None:
    """Put Ada into the recycle bin, where the id stands before her user principal name."""
    twin = user("Ada Lovelace", onPremisesImmutableId=anchor("create"))
    upn = str(twin["id"]).replace("-", "") + str(twin["userPrincipalName"])
    seed["deletedItems"].append({"@odata.type": "#microsoft.graph.user", **twin, "userPrincipalName": upn})


def deleted_twice(seed: Seed) -> None:
    """Put Ada into the recycle bin, and a second Ada beside her."""
    deleted(seed)
    again = {**seed["deletedItems"][-1], "id": str(uuid.uuid4())}
    seed["deletedItems"].append(again)


def deleted_and_living(seed: Seed) -> None:
    """Put Ada into the recycle bin; somebody has given her name to a new account since."""
    deleted(seed)
    living = user("Ada Lovelace", id=str(uuid.uuid4()))
    seed["users"].append(living)


def namesake(seed: Seed) -> None:
    """Add a group of the same name that nothing ties to the directory."""
    group = {
        "id": str(uuid.uuid4()),
        "displayName": "Apollo Guidance",
        "mailNickname": "apollo2",
        "mailEnabled": False,
        "securityEnabled": True,
    }
    seed["groups"].append(group)


REFUSED: list[tuple[str, Callable[[Seed], None], str, str]] = [
    ("create", taken, "match_taken", "the match carries another anchor"),
    ("create", deleted_twice, "soft_deleted_twin", "the same user was deleted twice"),
    ("create", deleted_and_living, "soft_deleted_twin", "one is deleted and another has the name"),
    ("group-40", namesake, "match_by_name_only", "a group has the same name and nothing else"),
]


async def outcome(scene: Scene, case: str) -> Run:
    """Provision an interesting person and return the run."""
    await scene.provision(PEOPLE[case])
    return await scene.last_run()


@pytest.mark.parametrize(("case", "change", "code", "reason"), REFUSED, ids=[row[3] for row in REFUSED])
async def test_a_doubtful_match_is_refused(
    tmp_path: Path, case: str, change: Callable[[Seed], None], code: str, reason: str
) -> None:
    """No twin is made and nothing is taken over: the run is refused at match, and nothing is written."""
    seed = tenant_seed()
    change(seed)
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, case)

        assert run.outcome is Outcome.REFUSED, reason
        assert run.error is not None
        assert run.error.code == code
        assert run.stage(StageName.MATCH).status is StageStatus.FAILED
        assert scene.writes() == []


async def test_a_user_without_an_anchor_is_joined(tmp_path: Path) -> None:
    """A cloud user with the same userPrincipalName and no anchor is the same person, and gets the anchor."""
    seed = tenant_seed()
    seed["users"].append(user("Ada Lovelace"))
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "create")
        (write, *_) = scene.writes()

        assert run.outcome is Outcome.UPDATED
        assert write["method"] == "PATCH"
        assert write["body"]["onPremisesImmutableId"] == anchor("create")


async def test_an_anchor_that_differs_in_case_is_another(tmp_path: Path) -> None:
    """Graph's filter ignores case and base64 does not: an anchor in other letters is somebody else's."""
    seed = tenant_seed()
    seed["users"].append(user("Somebody Else", onPremisesImmutableId=anchor("create").swapcase()))
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "create")

        assert run.outcome is Outcome.CREATED


async def test_creating_beside_a_synchronisation_needs_leave(tmp_path: Path) -> None:
    """In a synchronised tenant a creation is refused unless the configuration allows it."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    text = sample.read_text(encoding="utf-8").replace(
        "allow_create_in_synced_tenant: true", "allow_create_in_synced_tenant: false"
    )
    (tmp_path / "strict").mkdir()
    (tmp_path / "strict" / "contoso.yaml").write_text(text, encoding="utf-8")
    seed = tenant_seed()
    seed["organization"]["onPremisesSyncEnabled"] = True
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(tmp_path / "strict")}, tmp_path, seed) as scene:
        created = await outcome(scene, "create")
        updated = await outcome(scene, "update-three")

        assert created.error is not None
        assert created.error.code == "synchronized_tenant"
        assert updated.outcome is Outcome.UPDATED


async def test_a_mail_enabled_group_is_skipped(tmp_path: Path) -> None:
    """Graph cannot write mail-enabled groups: skipped with the reason, not made as another kind."""
    mail_enabled = next(
        entry.dn
        for entry in directory_entries()
        if "OU=Groups" in entry.dn
        and b"group" in entry.attributes["objectClass"]
        and any(value.startswith(b"SMTP:") for value in entry.attributes.get("proxyAddresses", ()))
    )
    seed = {**tenant_seed(), "groups": []}
    async with scene_with({}, tmp_path, seed) as scene:
        await scene.provision(mail_enabled)
        run = await scene.last_run()

        assert run.outcome is Outcome.SKIPPED
        assert "mail-enabled" in run.stage(StageName.ACTION).summary
        assert scene.writes() == []


async def test_a_creation_whose_answer_is_lost_is_found(scene: Scene) -> None:
    """The connection breaks after Graph has created the user: found by the anchor, not sent twice."""
    scene.world.tenant.inject(
        [{"match": {"method": "POST", "path_regex": "/users$"}, "times": 1, "then": {"drop": "after"}}]
    )
    run = await outcome(scene, "create")
    creations = [w for w in scene.writes() if w["method"] == "POST" and w["applied"]]

    assert run.outcome is Outcome.CREATED
    assert len(creations) == 1


async def test_a_creation_that_cannot_be_found_is_unknown(tmp_path: Path) -> None:
    """The connection breaks and nobody is there, however long one looks: said so, and not tried again."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject(
            [{"match": {"method": "POST", "path_regex": "/users$"}, "times": 1, "then": {"drop": "before"}}]
        )
        run = await outcome(scene, "create")
        journal = await scene.world.bot.systems.store.journal(run.run_id)

        assert run.outcome is Outcome.UNKNOWN
        assert [entry.outcome for entry in journal] == ["unknown"]
        assert [w for w in scene.writes() if w["method"] == "POST" and w["applied"]] == []


async def test_members_whose_answer_is_lost_are_looked_for(tmp_path: Path) -> None:
    """The answer to twenty members is lost after they were added: none is added twice, none is missing."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject(
            [
                {
                    "match": {"method": "PATCH", "path_regex": "/groups/[^(]+$"},
                    "times": 1,
                    "then": {"drop": "after"},
                }
            ]
        )
        run = await outcome(scene, "group-40")

        assert run.outcome is Outcome.CREATED
        assert (await outcome(scene, "group-40")).outcome is Outcome.UNCHANGED


async def test_a_refused_member_does_not_lose_the_rest(tmp_path: Path) -> None:
    """Twenty and then one are refused: the rest is in, the one is named, and a new run adds only it."""
    async with scene_with({}, tmp_path) as scene:
        await scene.provision(f"preview {PEOPLE['group-40']}")
        plan = (await scene.last_run()).plan
        assert plan is not None
        gone = plan.members[7]
        scene.world.tenant.inject(
            [
                {
                    "match": {"method": "PATCH", "path_regex": "/groups/[^(]+$"},
                    "times": 2,
                    "then": {"status": 400, "code": "Request_BadRequest", "message": "Not this one."},
                }
            ]
        )
        run = await outcome(scene, "group-40")

        assert gone.kind is ChangeKind.ADDED
        assert run.outcome is Outcome.PARTIAL
        assert run.stage(StageName.ACTION).status is StageStatus.WARNING
        again = await outcome(scene, "group-40")
        assert again.outcome is Outcome.UPDATED
        assert (await outcome(scene, "group-40")).outcome is Outcome.UNCHANGED


async def test_a_missing_permission_is_not_asked_for_forty_times(tmp_path: Path) -> None:
    """Members are refused for a reason that is the same for all: the group stays, and the run stops there."""
    refusal = {"status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient privileges."}
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject(
            [
                {
                    "match": {"method": "PATCH", "path_regex": "/groups/[^(]+$"},
                    "times": None,
                    "then": refusal,
                }
            ]
        )
        run = await outcome(scene, "group-40")

        assert run.outcome is Outcome.PARTIAL
        assert run.target is not None
        assert run.error is not None
        assert run.error.code == "tenant_forbidden"
        assert len([w for w in scene.writes() if w["method"] == "PATCH" and "(" not in w["path"]]) == 1


async def test_what_was_written_is_told_whatever_comes_after(tmp_path: Path) -> None:
    """The user exists and Graph goes away before the manager is linked: the run says both."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject(
            [
                {
                    "match": {"method": "PUT", "path_regex": "manager"},
                    "times": None,
                    "then": {"status": 400, "code": "Request_BadRequest", "message": "Not this one."},
                }
            ]
        )
        run = await outcome(scene, "create")

        assert run.outcome is Outcome.PARTIAL
        assert run.target is not None
        evidence = run.stage(StageName.ACTION).evidence
        assert isinstance(evidence, ActionEvidence)
        assert [(w.step, w.ok) for w in evidence.writes] == [("create user", True), ("link manager", False)]


@pytest.mark.parametrize("scene", ["socket"], indirect=True)
async def test_commands_at_once_on_one_object_name_who_is_at_work(scene: Scene) -> None:
    """While Maria provisions Ada, three more who ask are told who is at work on her, where, since when."""
    slow = {"match": {"method": "POST", "path_regex": "/users$"}, "times": 1, "then": {"delay_s": 2}}
    scene.world.tenant.inject([slow])
    await scene.type(PEOPLE["create"])
    await scene.world.workspace.until(
        lambda: any("batch" in asked["path"] for asked in scene.world.tenant.requests), within=10
    )
    await asyncio.gather(*(scene.type(PEOPLE["create"], user="U0ADAM") for _ in range(3)))
    await scene.world.workspace.until(lambda: len(scene.ended()) == 4, within=30)
    runs = await scene.world.bot.systems.store.history(limit=10)

    assert sorted(str(run.outcome) for run in runs) == ["created", "refused", "refused", "refused"]
    (created,) = [run for run in runs if run.outcome is Outcome.CREATED]
    for run in runs:
        if run is created:
            continue
        assert run.error is not None
        assert run.error.code == "object_busy"
        assert run.error.retry_helps
        assert run.error.ids["holder"] == created.actor
        assert run.error.ids["holder-run"] == created.run_id
        assert run.error.ids["holder-place"] == CHANNEL
    told = [text for message in scene.ended() if "at work on it" in (text := read(message))]
    assert len(told) == 3
    assert all(re.search(r"Who: .*U0MARIA.* in .*" + CHANNEL, text) for text in told), told
    assert len([w for w in scene.writes() if w["method"] == "POST"]) == 1
    assert (await outcome(scene, "create")).outcome is Outcome.UNCHANGED


LAB = """
version: 1
name: lab
base: OU=Service Accounts,OU=Contoso,DC=contoso,DC=test
access: {provision: {people: [T0CONTOSO/U0HENRY]}}
objects:
  user:
    match: [userPrincipalName]
    attributes: [{target: userPrincipalName, source: userPrincipalName}]
"""


async def test_a_configuration_reaches_no_further_than_its_base(tmp_path: Path) -> None:
    """Who may provision in the lab may not provision Ada by naming the lab, nor see her through its rules."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "contoso.yaml").write_text(sample.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "lab.yaml").write_text(LAB, encoding="utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(folder)}, tmp_path) as scene:
        await scene.provision(f"{PEOPLE['create']} with lab", user="U0HENRY")
        run = await scene.last_run()

        assert run.error is not None
        assert run.error.code == "configuration_outside"
        assert run.stage(StageName.IMPORT).evidence is None
        assert scene.writes() == []


async def test_an_address_is_treated_by_the_rules_of_its_place(tmp_path: Path) -> None:
    """A userPrincipalName tells no place: the object is found first, and its own configuration decides."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    folder = tmp_path / "rules"
    folder.mkdir()
    text = sample.read_text(encoding="utf-8").replace("default: true", "default: false")
    (folder / "contoso.yaml").write_text(text, encoding="utf-8")
    (folder / "lab.yaml").write_text(LAB, encoding="utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(folder)}, tmp_path) as scene:
        await scene.provision("preview ada.lovelace@contoso.test")
        run = await scene.last_run()

        assert run.configuration == "contoso"
        assert run.outcome is Outcome.WOULD_CREATE


async def test_private_references_leave_no_name(tmp_path: Path) -> None:
    """With manager and members private, neither a name nor a DN of theirs is shown, stored or noted."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    (tmp_path / "rules").mkdir()
    text = sample.read_text(encoding="utf-8").replace("private: [", "private: [manager, member, ")
    (tmp_path / "rules" / "contoso.yaml").write_text(text, encoding="utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(tmp_path / "rules")}, tmp_path) as scene:
        await scene.provision(f"preview {PEOPLE['group-40']}")
        group = await scene.last_run()
        await scene.provision(f"preview {PEOPLE['manager-missing']}")
        person = await scene.last_run()
        manager = source("manager-missing")["manager"][0].decode()
        member = source("group-40")["member"][0].decode()

        assert member.partition(",")[0].removeprefix("CN=") not in repr(group.plan)
        assert manager.partition(",")[0].removeprefix("CN=") not in repr(person.plan)
        assert manager.partition(",")[0].removeprefix("CN=") not in repr(person.stages)


async def test_no_run_waits_for_the_first_token(scene: Scene) -> None:
    """The bot signs in when it starts; a run, and another one after it, ask for no token."""
    asked = [r["path"] for r in scene.world.tenant.requests if r["path"].endswith("/oauth2/v2.0/token")]
    await outcome(scene, "create")
    await outcome(scene, "update-three")
    later = [r["path"] for r in scene.world.tenant.requests if r["path"].endswith("/oauth2/v2.0/token")]

    assert len(asked) == 1
    assert later == asked


async def test_the_journal_holds_intent_and_outcome_of_every_write(scene: Scene) -> None:
    """Each write has its entry, intended before it and settled after it, with Graph's request id."""
    run = await outcome(scene, "create")
    journal = await scene.world.bot.systems.store.journal(run.run_id)

    assert [entry.step for entry in journal] == ["create user", "link manager"]
    assert all(entry.outcome == "done" for entry in journal)
    assert len(journal) == len(scene.writes())


def rules(tmp_path: Path, old: str, new: str) -> dict[str, str]:
    """Return the settings of a bot whose sample configuration differs in one place."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    text = sample.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "contoso.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return {"FOURCHECK_CONFIGURATIONS": str(tmp_path / "rules")}


GUARDS = "allow_create_in_synced_tenant: true"


async def test_a_deleted_user_is_restored_and_brought_up_to_date(tmp_path: Path) -> None:
    """Preview offers the restore and writes nothing; provision restores, updates, and is then content."""
    seed = tenant_seed()
    deleted(seed)
    async with scene_with({}, tmp_path, seed) as scene:
        await scene.provision(f"preview {PEOPLE['create']}")
        offered = await scene.last_run()
        assert offered.plan is not None
        assert (offered.outcome, offered.plan.action) == (Outcome.WOULD_RESTORE, PlanAction.RESTORE)
        assert scene.writes() == []

        run = await outcome(scene, "create")
        sent = [(w["method"], w["path"].rpartition("/")[2]) for w in scene.writes()]
        journal = await scene.world.bot.systems.store.journal(run.run_id)

        assert run.outcome is Outcome.RESTORED
        assert run.target is not None
        assert run.target.id == user("Ada Lovelace")["id"]
        assert sent[0] == ("POST", "restore")
        assert ("POST", "users") not in sent
        assert [entry.step for entry in journal] == ["restore user", "update user", "link manager"]
        assert (await outcome(scene, "create")).outcome is Outcome.UNCHANGED


async def test_a_deleted_user_whose_name_differs_is_restored_under_the_new_one(tmp_path: Path) -> None:
    """The name is set by the restore itself: the former one may be somebody else's by now."""
    seed = tenant_seed()
    deleted(seed)
    gone = seed["deletedItems"][-1]
    gone["userPrincipalName"] = str(gone["id"]).replace("-", "") + "a.byron@contoso.test"
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "create")
        (restore, *rest) = scene.writes()

        assert run.outcome is Outcome.RESTORED
        assert restore["body"] == {"newUserPrincipalName": "ada.lovelace@contoso.test"}
        assert all("userPrincipalName" not in (w["body"] or {}) for w in rest)


async def test_a_configuration_may_forbid_to_restore(tmp_path: Path) -> None:
    """With restore: false a deleted twin is a refusal, and nothing is made in its stead."""
    seed = tenant_seed()
    deleted(seed)
    settings = rules(tmp_path, GUARDS, f"{GUARDS}\n  restore: false")
    async with scene_with(settings, tmp_path, seed) as scene:
        run = await outcome(scene, "create")

        assert run.outcome is Outcome.REFUSED
        assert run.error is not None
        assert run.error.code == "soft_deleted_twin"
        assert scene.writes() == []


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_restore_whose_answer_is_lost_is_looked_for(tmp_path: Path, moment: str) -> None:
    """Lost after Graph restored: found by its id, the rest is written. Lost before: said, not repeated."""
    seed = tenant_seed()
    deleted(seed)
    async with scene_with({}, tmp_path, seed) as scene:
        scene.world.tenant.inject(
            [{"match": {"method": "POST", "path_regex": "restore"}, "times": 1, "then": {"drop": moment}}]
        )
        run = await outcome(scene, "create")
        restores = [w for w in scene.writes() if w["path"].endswith("/restore")]

        assert run.outcome is (Outcome.RESTORED if moment == "after" else Outcome.UNKNOWN)
        assert len(restores) == (1 if moment == "after" else 0)


async def test_a_deleted_group_is_restored_by_its_unique_name(tmp_path: Path) -> None:
    """A group made here and deleted in the cloud comes back with its members; only what lacks is added."""
    known = [str(u["id"]) for u in tenant_seed()["users"]]
    gone = group_twin(members=known[:5])
    namesake = {**group_twin(), "id": str(uuid.uuid4()), "uniqueName": None}
    seed = {**tenant_seed(), "deletedItems": [{"@odata.type": "#microsoft.graph.group", **gone}]}
    seed["groups"].append(namesake)
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "group-40")
        (first, *rest) = scene.writes()

        assert run.outcome in {Outcome.RESTORED, Outcome.PARTIAL}
        assert run.target is not None
        assert run.target.id == gone["id"]
        assert first["path"].endswith(f"{gone['id']}/restore")
        assert all(w["method"] == "PATCH" and w["status"] == 204 for w in rest)
        assert (await outcome(scene, "group-40")).outcome is Outcome.UNCHANGED


def group_twin(**more: object) -> dict[str, Any]:
    """Return the cloud group that was made from the interesting group."""
    guid = uuid.UUID(bytes_le=source("group-40")["objectGUID"][0])
    return {
        "id": "5f0c8f0e-0000-4000-8000-000000000040",
        "displayName": "Apollo Guidance",
        "mailNickname": "apollo",
        "mailEnabled": False,
        "securityEnabled": True,
        "uniqueName": f"ad-{guid}",
        **more,
    }


def target_of(seed: Seed, case: str) -> dict[str, Any]:
    """Return the cloud user of an interesting person."""
    found: dict[str, Any]
    (found,) = [u for u in seed["users"] if u.get("onPremisesImmutableId") == anchor(case)]
    return found


@pytest.mark.parametrize(
    ("more", "named"),
    [((), "may not read"), (("RoleManagement.Read.Directory",), "Global Administrator")],
    ids=["roles without their names", "roles by name"],
)
async def test_an_administrator_is_left_alone(tmp_path: Path, more: tuple[str, ...], named: str) -> None:
    """A target that holds directory roles is refused before anything is sent, and the roles are named."""
    seed = tenant_seed()
    seed["privileged"] = [target_of(seed, "update-three")["id"]]
    seed["roles"] = [*DEFAULT_ROLES, *more]
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "update-three")

        assert run.outcome is Outcome.REFUSED
        assert run.error is not None
        assert run.error.code == "privileged_target"
        assert named in run.error.message
        assert run.plan is not None
        assert len(run.plan.written) == 3
        assert scene.writes() == []


async def test_an_administrator_of_another_name_is_left_alone(tmp_path: Path) -> None:
    """Roles are asked by the name the user is to have; who else has it says nothing of the match."""
    seed = tenant_seed()
    target = target_of(seed, "update-three")
    other = next(u for u in seed["users"] if u is not target and not u.get("onPremisesSyncEnabled"))
    seed["privileged"] = [target["id"]]
    wanted, other["userPrincipalName"] = target["userPrincipalName"], target["userPrincipalName"]
    target["userPrincipalName"] = f"former.{wanted}"
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "update-three")

        assert run.error is not None
        assert run.error.code == "privileged_target"
        assert scene.writes() == []


async def test_an_administrator_is_changed_where_the_configuration_says_so(tmp_path: Path) -> None:
    """The guard is taken off by the configuration; what Graph itself then refuses is told."""
    seed = tenant_seed()
    seed["privileged"] = [target_of(seed, "update-three")["id"]]
    settings = rules(tmp_path, GUARDS, f"{GUARDS}\n  allow_privileged_targets: true")
    async with scene_with(settings, tmp_path, seed) as scene:
        run = await outcome(scene, "update-three")

        assert run.error is None or run.error.code != "privileged_target"
        assert [w["method"] for w in scene.writes()] == ["PATCH"]


async def test_a_role_assignable_group_is_left_alone(tmp_path: Path) -> None:
    """Whoever is in a group that roles can be given to may get them: such a group is no run's to change."""
    seed = tenant_seed()
    seed["groups"].append(group_twin(isAssignableToRole=True))
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "group-40")

        assert run.error is not None
        assert run.error.code == "privileged_target"
        assert scene.writes() == []


CLOUD_MANAGED = {"onPremisesSyncBehavior": {"isCloudManaged": True}, "onPremisesSyncEnabled": True}


async def test_a_user_mastered_in_the_cloud_is_skipped(tmp_path: Path) -> None:
    """Where the source of authority is the cloud, Active Directory has no say: skipped with the reason."""
    seed = tenant_seed()
    target_of(seed, "update-three").update(CLOUD_MANAGED)
    seed["roles"] = [*DEFAULT_ROLES, "User-OnPremisesSyncBehavior.ReadWrite.All"]
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "update-three")

        assert run.outcome is Outcome.SKIPPED
        assert "isCloudManaged" in run.stage(StageName.ACTION).summary
        assert scene.writes() == []


async def test_who_may_not_ask_for_the_source_of_authority_goes_on(tmp_path: Path) -> None:
    """Without the permission the question stays open, and the run goes its way."""
    async with scene_with({}, tmp_path) as scene:
        assert (await outcome(scene, "update-three")).outcome is Outcome.UPDATED


DEFAULT_ROLES = (
    "User.ReadWrite.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "Domain.Read.All",
    "Organization.Read.All",
)


async def test_a_wait_for_graph_is_seen_while_it_lasts(tmp_path: Path) -> None:
    """A throttled run says in its running stage that it waits and for how long, and then goes on."""
    throttle = {"status": 429, "headers": {"Retry-After": "1"}}
    async with scene_with({}, tmp_path, pace=replace(QUICK, sleep=asyncio.sleep)) as scene:
        scene.world.tenant.inject(
            [{"match": {"method": "PATCH", "path_regex": "/users/"}, "times": 1, "then": throttle}]
        )
        run = await outcome(scene, "update-three")
        told = [call for call in scene.world.workspace.calls() if "waiting 1 s" in json.dumps(call)]

        assert run.outcome is Outcome.UPDATED
        assert "Throttled by Microsoft Graph, waiting 1 s" in json.dumps(told)
        assert "waiting" not in run.stage(StageName.ACTION).summary


def wanted_members(run: Run) -> list[str]:
    """Return the ids of the members that a plan wants, or has found."""
    assert run.plan is not None
    return [str(m.id) for m in run.plan.members if m.id is not None]


async def members_scene(
    tmp_path: Path, extra: int, *, mode: str = "exact", limit: int = 20, missing: int = 0
) -> tuple[Scene, Run, Run]:
    """Preview and provision the group of forty on a tenant where others are members as well."""
    strangers = [user(f"Stranger {n}") for n in range(extra)]
    seed = tenant_seed()
    seed["users"] += strangers
    async with scene_with({}, tmp_path, seed) as scene:
        await scene.provision(f"preview {PEOPLE['group-40']}")
        everybody = wanted_members(await scene.last_run())
    if missing:
        for known in seed["users"]:
            if known["id"] in everybody[:missing]:
                known["onPremisesImmutableId"] = None
        everybody = everybody[missing:]
    everybody += [str(s["id"]) for s in strangers]
    seed["groups"].append(group_twin(members=everybody))
    settings = rules(tmp_path, GUARDS, f"{GUARDS}\n  member_removals: {limit}")
    file = tmp_path / "rules" / "contoso.yaml"
    file.write_text(file.read_text().replace("members: add ", f"members: {mode} "))
    (tmp_path / "second").mkdir()
    async with scene_with(settings, tmp_path / "second", seed) as scene:
        await scene.provision(f"preview {PEOPLE['group-40']}")
        preview = await scene.last_run()
        run = await outcome(scene, "group-40")
        return scene, preview, run


async def test_members_that_are_too_many_are_removed_by_name(tmp_path: Path) -> None:
    """With members: exact, who is no member in the directory is taken out: planned, journaled and named."""
    scene, preview, run = await members_scene(tmp_path, 3)
    removals = [w for w in scene.writes() if w["method"] == "DELETE"]
    evidence = run.stage(StageName.ACTION).evidence

    assert preview.outcome is Outcome.WOULD_UPDATE
    assert "remove 3 members" in preview.stage(StageName.ACTION).summary
    assert run.outcome is Outcome.UPDATED
    assert "3 members removed" in run.stage(StageName.ACTION).summary
    assert len(removals) == 3
    assert all(w["path"].endswith("/$ref") for w in removals)
    assert isinstance(evidence, ActionEvidence)
    steps = [w.step for w in evidence.writes]
    assert [s for s in steps if s.startswith("remove")] == [f"remove member Stranger {n}" for n in range(3)]


@pytest.mark.parametrize(
    ("extra", "given", "why"),
    [
        pytest.param(1, {"mode": "add"}, "", id="add never removes"),
        pytest.param(3, {"limit": 2}, "more than the 2", id="more than the limit"),
        pytest.param(1, {"limit": 0}, "more than the 0", id="a limit of none"),
        pytest.param(1, {"missing": 1}, "could not be found in Entra ID", id="a member is not known"),
    ],
)
async def test_nobody_is_removed_on_uncertain_grounds(
    tmp_path: Path, extra: int, given: dict[str, Any], why: str
) -> None:
    """A list that is not wholly known, or too long a way to go, adds and removes nobody, and says why."""
    scene, _, run = await members_scene(tmp_path, extra, **given)

    assert [w for w in scene.writes() if w["method"] == "DELETE"] == []
    assert why in " ".join(run.warnings)


FALLBACK = f"{GUARDS}\n  fallback_domain: contoso.onmicrosoft.com"


def unverified(seed: Seed) -> None:
    """Take the domain of the directory out of the tenant's verified ones."""
    seed["domains"] = [
        {"id": "contoso.onmicrosoft.com", "isVerified": True, "isDefault": True, "isInitial": True},
        {"id": "contoso.test", "isVerified": False},
    ]


async def test_a_name_of_a_domain_that_is_not_verified_falls_back(tmp_path: Path) -> None:
    """The user gets a name in the fallback domain, is told of it, and is found by it again."""
    seed = tenant_seed()
    unverified(seed)
    async with scene_with(rules(tmp_path, GUARDS, FALLBACK), tmp_path, seed) as scene:
        run = await outcome(scene, "create")

        assert run.target is not None
        assert run.target.upn == "ada.lovelace@contoso.onmicrosoft.com"
        assert any("not a verified domain" in warning for warning in run.warnings)
        assert (await outcome(scene, "create")).outcome is Outcome.UNCHANGED


async def test_without_a_fallback_the_domains_are_named(tmp_path: Path) -> None:
    """A name that Entra would refuse is refused before anything is sent, with the domains that would do."""
    seed = tenant_seed()
    unverified(seed)
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "create")

        assert run.error is not None
        assert run.error.code == "value_not_allowed"
        assert "contoso.onmicrosoft.com" in run.error.message
        assert scene.writes() == []


async def test_a_federated_user_gets_no_password(tmp_path: Path) -> None:
    """Who signs in elsewhere has no password here; anchor and all the rest are sent."""
    seed = tenant_seed()
    for domain in seed["domains"]:
        if domain["id"] == "contoso.test":
            domain["authenticationType"] = "Federated"
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "create")
        (write, *_) = scene.writes()

        assert run.outcome is Outcome.CREATED
        assert "passwordProfile" not in write["body"]
        assert write["body"]["onPremisesImmutableId"] == anchor("create")


async def test_a_refused_match_tells_nothing_about_what_would_be_stored(tmp_path: Path) -> None:
    """The candidates have the mail address of the ambiguous one: that is why they are, and no warning."""
    async with scene_with({}, tmp_path) as scene:
        run = await outcome(scene, "ambiguous")

        assert run.outcome is Outcome.REFUSED
        assert run.warnings == ()


async def test_an_address_that_is_somebody_elses_proxy_address_is_said(tmp_path: Path) -> None:
    """Graph stores mail and drops the proxy address without a word: the preview says it already."""
    seed = tenant_seed()
    seed["users"].append(user("Somebody Else", proxyAddresses=["SMTP:ada.lovelace@contoso.test"]))
    async with scene_with({}, tmp_path, seed) as scene:
        await scene.provision(f"preview {PEOPLE['create']}")
        run = await scene.last_run()

        assert run.outcome is Outcome.WOULD_CREATE
        assert any("Somebody Else has it" in warning for warning in run.warnings)


LOST = [
    ("PATCH", "/users/", "update-three"),
    ("PUT", "manager", "create"),
    ("PATCH", r"/groups\(", "group-40"),
]


@pytest.mark.parametrize("then", [{"drop": "before"}, {"drop": "after"}, {"apply_then_status": 503}], ids=str)
@pytest.mark.parametrize(("method", "path", "case"), LOST, ids=["update", "manager", "group"])
async def test_a_lost_answer_is_looked_into(
    tmp_path: Path, method: str, path: str, case: str, then: dict[str, Any]
) -> None:
    """What was carried out is not sent again; what was not, is; a creation that is nowhere stays unknown."""
    async with scene_with({}, tmp_path) as scene:
        scene.world.tenant.inject(
            [{"match": {"method": method, "path_regex": path}, "times": 1, "then": then}]
        )
        run = await outcome(scene, case)
        applied = [
            w for w in scene.writes() if w["method"] == method and re.search(path, w["path"]) and w["applied"]
        ]
        journal = await scene.world.bot.systems.store.journal(run.run_id)

        if case == "group-40" and then == {"drop": "before"}:
            assert (run.outcome, applied) == (Outcome.UNKNOWN, [])
            return
        assert run.outcome in {Outcome.CREATED, Outcome.UPDATED}
        assert len(applied) == 1
        assert "unknown" not in [entry.outcome for entry in journal]


async def test_drift_lists_everything_that_differs(tmp_path: Path) -> None:
    """Of a synchronised object the manager, too, is compared, and nothing of it is written."""
    seed = tenant_seed()
    target = target_of(seed, "update-three")
    target.update({"onPremisesSyncEnabled": True, "manager": None})
    async with scene_with({}, tmp_path, seed) as scene:
        run = await outcome(scene, "update-three")

        assert run.plan is not None
        assert run.outcome is Outcome.REFUSED
        differing = {c.attribute for c in run.plan.changes if c.kind is ChangeKind.NOT_WRITTEN}
        assert "manager" in {c.attribute for c in run.plan.changes}
        assert len(differing) >= 3
        assert scene.writes() == []


async def test_a_private_name_is_nowhere_in_the_run(tmp_path: Path) -> None:
    """With userPrincipalName private, target, candidates, notes and refusals go without it."""
    settings = rules(tmp_path, "private: [", "private: [userPrincipalName, mail, ")
    async with scene_with(settings, tmp_path) as scene:
        for case, name in (("update-three", "katherine"), ("ambiguous", "@contoso")):
            await scene.provision(f"preview {PEOPLE[case]}")
            run = await scene.last_run()
            assert run.target is None or run.target.upn is None
            told = repr((run.target, run.plan, run.error, run.warnings, run.stages[2:]))
            assert f"{name}.johnson@contoso.test" not in told.casefold()
            assert "@contoso.test" not in told.casefold(), told


async def test_the_digest_tells_nothing_about_a_value(tmp_path: Path) -> None:
    """The same plan twice has two digests, and what they are made with is not in the public report."""
    async with scene_with({}, tmp_path) as scene:
        plans = []
        for _ in range(2):
            await scene.provision(f"preview {PEOPLE['create']}")
            run = await scene.last_run()
            assert run.plan is not None
            plans.append(run.plan)
            assert run.plan.salt not in json.dumps(report(run))

        assert plans[0].changes == plans[1].changes
        assert plans[0].digest != plans[1].digest
