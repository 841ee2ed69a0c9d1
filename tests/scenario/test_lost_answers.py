"""Answers that are lost before or after the tenant has written: twenty worlds for each kind of write.

Whatever is lost, no object is there twice, no write is lost without being said, and a journal tells of each.
"""

from __future__ import annotations

import asyncio
import base64
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.configuration import Configuration, load_configuration
from pipeline.model import Outcome, Run
from pipeline.ports import DirectoryEntry
from tests.fixtures.in_process import Lab

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
SEEDS = range(20)
PEOPLE_OU = "OU=London,OU=Corp,OU=Contoso,DC=contoso,DC=test"
GROUP_DN = "CN=Apollo,OU=Groups,OU=Contoso,DC=contoso,DC=test"
SECURITY = b"-2147483646"


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """Give the sample configuration with exact members."""
    text = SAMPLE.read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("rules") / "contoso.yaml"
    file.write_text(text.replace("members: add ", "members: exact "), encoding="utf-8")
    return load_configuration(file)


class World:
    """One tenant and directory, made by chance from a seed."""

    def __init__(self, configuration: Configuration, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # cases that can be repeated, no secret
        self._configuration = configuration
        self.users: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.entries: list[DirectoryEntry] = []
        self.lab: Lab

    def person(self, name: str, *, cloud: bool, **more: tuple[bytes, ...]) -> DirectoryEntry:
        """Put somebody into the directory, and into the tenant where wanted."""
        guid = uuid.UUID(int=self.dice.getrandbits(128), version=4)
        upn = f"{name}@contoso.test".lower()
        attributes = {
            "objectClass": (b"top", b"person", b"organizationalPerson", b"user"),
            "objectGUID": (guid.bytes_le,),
            "cn": (name.encode(),),
            "sAMAccountName": (name.encode(),),
            "userPrincipalName": (upn.encode(),),
            "mail": (upn.encode(),),
            "employeeType": (b"Employee",),
            "userAccountControl": (b"512",),
            **more,
        }
        entry = DirectoryEntry(f"CN={name},{PEOPLE_OU}", attributes, "dc1.contoso.test", datetime.now(UTC))
        self.entries.append(entry)
        if cloud:
            self.users.append(self.twin(entry))
        return entry

    def twin(self, entry: DirectoryEntry) -> dict[str, Any]:
        """Return the cloud user of somebody."""
        name = entry.get("cn")[0].decode()
        return {
            "id": self.id_of(entry),
            "displayName": name,
            "mailNickname": name,
            "userPrincipalName": f"{name}@contoso.test".lower(),
            "mail": f"{name}@contoso.test".lower(),
            "accountEnabled": True,
            "onPremisesImmutableId": base64.b64encode(entry.get("objectGUID")[0]).decode(),
        }

    @staticmethod
    def id_of(entry: DirectoryEntry) -> str:
        """Return the id that the cloud user of somebody has."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, entry.dn))

    def group(self, listed: list[DirectoryEntry], cloud: list[DirectoryEntry] | None) -> None:
        """Put the group into the directory, and into the tenant where it has members there."""
        guid = uuid.UUID(int=self.dice.getrandbits(128), version=4)
        sid = bytes([1, 5, 0, 0, 0, 0, 0, 5]) + b"".join(n.to_bytes(4, "little") for n in (21, 1, 2, 3, 4711))
        attributes = {
            "objectClass": (b"top", b"group"),
            "objectGUID": (guid.bytes_le,),
            "objectSid": (sid,),
            "cn": (b"Apollo",),
            "sAMAccountName": (b"Apollo",),
            "groupType": (SECURITY,),
            "member": tuple(entry.dn.encode() for entry in listed),
        }
        self.entries.append(DirectoryEntry(GROUP_DN, attributes, "dc1.contoso.test", datetime.now(UTC)))
        if cloud is not None:
            self.groups.append(
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "apollo")),
                    "displayName": "Apollo",
                    "mailNickname": "Apollo",
                    "mailEnabled": False,
                    "securityEnabled": True,
                    "uniqueName": f"ad-{guid}",
                    "members": [self.id_of(entry) for entry in cloud],
                }
            )

    def open(self) -> Lab:
        """Start the tenant."""
        domains = [{"id": "contoso.test", "isVerified": True, "isDefault": True}]
        seed = {"domains": domains, "users": self.users, "groups": self.groups, "deletedItems": self.deleted}
        self.lab = Lab(self._configuration, seed)
        for entry in self.entries:
            self.lab.put(entry)
        return self.lab


def creating(world: World) -> str:
    """Make somebody who is new."""
    return world.person("Ada", cloud=False).dn


def updating(world: World) -> str:
    """Make somebody who has another title by now."""
    return world.person("Ada", cloud=True, title=(b"Countess",)).dn


def linking(world: World) -> str:
    """Make somebody who has a manager by now, beside other news."""
    boss = world.person("Boss", cloud=True)
    return world.person("Ada", cloud=True, manager=(boss.dn.encode(),)).dn


def grouping(world: World) -> str:
    """Make a group that is new."""
    world.group([], None)
    return GROUP_DN


def adding(world: World) -> str:
    """Make members of a group that are new, also more than one request takes."""
    people = [world.person(f"P{n}", cloud=True) for n in range(world.dice.randint(1, 30))]
    world.group(people, people[: world.dice.randint(0, len(people) - 1)])
    return GROUP_DN


def removing(world: World) -> str:
    """Make some who are members of a group no more."""
    people = [world.person(f"P{n}", cloud=True) for n in range(world.dice.randint(2, 12))]
    world.group(people[: world.dice.randint(1, len(people) - 1)], people)
    return GROUP_DN


def restoring(world: World) -> str:
    """Make somebody who was deleted, and is wanted again."""
    ada = world.person("Ada", cloud=False)
    twin = world.twin(ada)
    upn = twin["id"].replace("-", "") + twin["userPrincipalName"]
    world.deleted.append({"@odata.type": "#microsoft.graph.user", **twin, "userPrincipalName": upn})
    return ada.dn


@dataclass(frozen=True)
class Case:
    """A kind of write: the world it takes place in, how its request is known, how it ends."""

    world: Callable[[World], str]
    method: str
    path: str
    ends: Outcome
    unseen: bool = False
    """A creation that is nowhere to be seen: it may still come, so it is not sent again."""


CASES = {
    "create user": Case(creating, "POST", "/users$", Outcome.CREATED, unseen=True),
    "update user": Case(updating, "PATCH", "/users/", Outcome.UPDATED),
    "link manager": Case(linking, "PUT", "manager", Outcome.UPDATED),
    "upsert group": Case(grouping, "PATCH", r"/groups\(", Outcome.CREATED, unseen=True),
    "add members": Case(adding, "PATCH", "/groups/[^(]+$", Outcome.UPDATED),
    "remove members": Case(removing, "DELETE", "members", Outcome.UPDATED),
    "restore user": Case(restoring, "POST", "restore$", Outcome.RESTORED, unseen=True),
}
LOST: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "503 before": {"status": 503},
    "503 after": {"apply_then_status": 503},
}


def counted(lab: Lab, case: Case) -> dict[str, int]:
    """Count the users and groups there are, by who they are, and the writes of this kind that took effect."""
    state = lab.tenant.store.state
    found: dict[str, int] = {"applied": 0}
    for entry in state.live.values():
        key = str(entry.get("onPremisesImmutableId") or entry.get("uniqueName") or entry.id)
        found[key] = found.get(key, 0) + 1
    for write in lab.ledger.writes:
        found["applied"] += write["method"] == case.method and bool(write["applied"])
    return found


async def lose_one(configuration: Configuration, case: Case, then: dict[str, Any], seed: int) -> None:
    """Lose the answer to one write of a kind, and look at what there is in the end."""
    world = World(configuration, seed)
    dn = case.world(world)
    lab = world.open()
    lab.faults.add({"match": {"method": case.method, "path_regex": case.path}, "times": 1, "then": then})
    run = await lab.run(dn)
    before_anything = then.get("drop") == "before" or "status" in then
    if case.unseen and before_anything:
        check_unknown(run, lab)
    else:
        assert run.outcome is case.ends, (run.outcome, run.error)
        assert {step[3] for step in lab.shelf.journal} <= {"done", "absent"}
    again = await lab.run(dn)
    done = {Outcome.UNCHANGED} if run.outcome is case.ends else {case.ends}
    assert again.outcome in done, (again.outcome, again.error)
    assert (await lab.run(dn)).outcome is Outcome.UNCHANGED
    assert all(number == 1 for key, number in counted(lab, case).items() if key != "applied")


def check_unknown(run: Run, lab: Lab) -> None:
    """Look that a run says what nobody can know, and has sent nothing a second time."""
    assert run.outcome is Outcome.UNKNOWN
    assert run.error is not None
    assert run.error.ids.get("client-request-id")
    assert [step[3] for step in lab.shelf.journal if step[3] != "done"] == ["unknown"]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("name", CASES)
async def test_a_lost_answer_makes_no_second_object_and_loses_nothing(
    configuration: Configuration, name: str, lost: str
) -> None:
    """In twenty worlds the answer to one write is lost: found, sent again, or said to be unknown."""
    await asyncio.gather(*(lose_one(configuration, CASES[name], LOST[lost], seed) for seed in SEEDS))


@pytest.mark.parametrize("name", CASES)
async def test_what_cannot_be_looked_at_is_unknown(configuration: Configuration, name: str) -> None:
    """Carried out, its answer lost, and then nothing can be read: nobody may say that nothing was written."""
    case = CASES[name]
    match = {"method": case.method, "path_regex": case.path}
    away = {"match": {"method": "GET"}, "times": None, "then": {"status": 503}}
    world = World(configuration, 1)
    dn = case.world(world)
    lab = world.open()
    lab.faults.add({"match": match, "then": {"drop": "after"}, "next": away})
    run = await lab.run(dn)

    check_unknown(run, lab)
    assert lab.ledger.writes[-1]["applied"]


@pytest.mark.parametrize("reads", [5])
@pytest.mark.parametrize("name", CASES)
async def test_a_replica_that_lags_makes_no_second_object(
    configuration: Configuration, name: str, reads: int
) -> None:
    """After the write the next reads still see the old state, and the answer is lost: never written twice."""
    case = CASES[name]
    lagging = {"match": {"method": case.method, "path_regex": case.path}, "times": 1}

    async def lag(seed: int) -> None:
        world = World(configuration, seed)
        dn = case.world(world)
        lab = world.open()
        lab.faults.add({**lagging, "then": {"stale_reads": reads, "drop": "after"}})
        run = await lab.run(dn)
        assert run.outcome in {case.ends, Outcome.UNKNOWN, Outcome.PARTIAL}, (run.outcome, run.error)
        assert (await lab.run(dn)).outcome in {Outcome.UNCHANGED, case.ends}
        assert (await lab.run(dn)).outcome is Outcome.UNCHANGED
        assert all(number == 1 for key, number in counted(lab, case).items() if key != "applied")

    await asyncio.gather(*(lag(seed) for seed in SEEDS))


async def test_a_refusal_that_quotes_a_private_value_is_told_without_it(configuration: Configuration) -> None:
    """Graph may repeat the value that it refuses; where that is private, nobody reads it."""
    world = World(configuration, 1)
    dn = world.person("Ada", cloud=False, employeeID=(b"CANARY-77",)).dn
    lab = world.open()
    then = {"status": 400, "code": "Request_BadRequest", "message": "The value CANARY-77 is not one."}
    lab.faults.add({"match": {"method": "POST", "path_regex": "/users$"}, "times": 1, "then": then})
    run = await lab.run(dn)

    assert run.error is not None
    assert "is not one" in run.error.message
    assert "CANARY" not in repr((run, lab.shelf.journal))
