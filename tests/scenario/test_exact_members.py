"""With `members: exact`, whom a group loses and who stays in it, on a tenant without a socket."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.configuration import Configuration, load_configuration
from pipeline.model import ChangeKind, Outcome, Run
from pipeline.ports import DirectoryEntry
from tests.fixtures.in_process import Lab

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
GROUP_DN = "CN=Apollo,OU=Groups,OU=Contoso,DC=contoso,DC=test"
GROUP_ID = "5f0c8f0e-0000-4000-8000-000000000040"
RID = 4711


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """Give the sample configuration with exact members."""
    text = SAMPLE.read_text(encoding="utf-8")
    assert "members: add " in text
    file = tmp_path_factory.mktemp("rules") / "contoso.yaml"
    file.write_text(text.replace("members: add ", "members: exact "), encoding="utf-8")
    return load_configuration(file)


def guid(name: str) -> uuid.UUID:
    """Return the GUID of a made-up object."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


def entry(dn: str, *classes: bytes, **more: tuple[bytes, ...]) -> DirectoryEntry:
    """Return a made-up object of the directory."""
    name = dn.partition(",")[0].removeprefix("CN=")
    attributes = {
        "objectClass": (b"top", *classes),
        "objectGUID": (guid(name).bytes_le,),
        "cn": (name.encode(),),
        "sAMAccountName": (name.encode(),),
        **more,
    }
    return DirectoryEntry(dn, attributes, "dc1.contoso.test", datetime.now(UTC))


def person(name: str, primary_group: int = 513) -> DirectoryEntry:
    """Return a made-up user."""
    return entry(
        f"CN={name},OU=London,OU=Corp,OU=Contoso,DC=contoso,DC=test",
        *(b"person", b"organizationalPerson", b"user"),
        userPrincipalName=(f"{name}@contoso.test".lower().encode(),),
        primaryGroupID=(str(primary_group).encode(),),
    )


def cloud_user(name: str, *, anchored: bool = True) -> dict[str, Any]:
    """Return the cloud user of a made-up user."""
    anchor = base64.b64encode(guid(name).bytes_le).decode()
    return {
        "id": str(guid(f"cloud {name}")),
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": f"{name}@contoso.test".lower(),
        "accountEnabled": True,
        "onPremisesImmutableId": anchor if anchored else None,
    }


def lab_of(
    configuration: Configuration, listed: list[str], primary: list[str], cloud: list[str], *, lost: str = ""
) -> Lab:
    """Return a group that lists some, is the primary group of others, and has its members in the cloud."""
    everybody = dict.fromkeys([*listed, *primary, *cloud])
    group = {
        "id": GROUP_ID,
        "displayName": "Apollo",
        "mailNickname": "Apollo",
        "mailEnabled": False,
        "securityEnabled": True,
        "uniqueName": f"ad-{guid('Apollo')}",
        "members": [str(guid(f"cloud {name}")) for name in cloud],
    }
    domains = [{"id": "contoso.test", "isVerified": True, "isDefault": True}]
    users = [cloud_user(name, anchored=name != lost) for name in everybody]
    lab = Lab(configuration, {"domains": domains, "users": users, "groups": [group]})
    people = {name: person(name, RID if name in primary else 513) for name in [*listed, *primary]}
    for one in people.values():
        lab.put(one)
    sid = bytes([1, 5, 0, 0, 0, 0, 0, 5]) + b"".join(n.to_bytes(4, "little") for n in (21, 1, 2, 3, RID))
    members = tuple(people[name].dn.encode() for name in listed)
    kind = (b"-2147483646",)
    lab.put(entry(GROUP_DN, b"group", objectSid=(sid,), groupType=kind, member=members))
    return lab


def removed(lab: Lab) -> set[str]:
    """Return the ids of the members that the tenant was told to take out."""
    return {w["path"].split("/")[-2] for w in lab.ledger.writes if w["method"] == "DELETE"}


def of(run: Run, kind: ChangeKind) -> dict[str, str]:
    """Return the members of one kind in a run's plan, with the reason of each."""
    assert run.plan is not None
    return {m.name: m.reason for m in run.plan.members if m.kind is kind}


async def test_who_has_it_as_the_primary_group_stays(configuration: Configuration) -> None:
    """Active Directory lists no member by its primary group: such a member is kept, and it is said."""
    lab = lab_of(configuration, ["Ada"], ["Grace"], ["Ada", "Grace", "Stranger"])
    run = await lab.run(GROUP_DN)

    assert run.outcome is Outcome.UPDATED
    assert removed(lab) == {str(guid("cloud Stranger"))}
    assert "primary group" in of(run, ChangeKind.NOT_WRITTEN)["Grace"]
    assert any("Grace: not removed" in warning for warning in run.warnings)
    again = await lab.run(GROUP_DN)
    assert again.outcome is Outcome.UNCHANGED


async def test_nobody_goes_while_a_primary_member_is_not_known(configuration: Configuration) -> None:
    """One of those whose primary group it is has no cloud user that can be told: any of them may be that."""
    lab = lab_of(configuration, ["Ada"], ["Grace"], ["Ada", "Grace"], lost="Grace")
    run = await lab.run(GROUP_DN)

    assert removed(lab) == set()
    assert run.outcome is Outcome.UNCHANGED
    (reason,) = of(run, ChangeKind.NOT_WRITTEN).values()
    assert "1 of those whose primary group it is could not be found" in reason


async def test_many_who_stay_are_counted(configuration: Configuration) -> None:
    """Of a dozen who stay by their primary group the number is told, not a dozen lines."""
    crowd = [f"Person {n}" for n in range(12)]
    lab = lab_of(configuration, ["Ada"], crowd, ["Ada", *crowd])
    run = await lab.run(GROUP_DN)

    assert removed(lab) == set()
    assert list(of(run, ChangeKind.NOT_WRITTEN)) == ["12 members in Entra ID"]


async def test_a_list_that_is_cut_removes_nobody(configuration: Configuration) -> None:
    """Who is beyond the part that was read may be any of those who seem to be too many."""
    lab = lab_of(configuration, ["Ada"], [], ["Ada", "Stranger"])
    lab.shelf.cut = True
    run = await lab.run(GROUP_DN)

    assert removed(lab) == set()
    assert "not every member in the directory was looked at" in of(run, ChangeKind.NOT_WRITTEN).values()


async def test_an_empty_list_removes_nobody(configuration: Configuration) -> None:
    """A list that may not be read looks empty as well."""
    lab = lab_of(configuration, [], [], ["Stranger"])
    run = await lab.run(GROUP_DN)

    assert removed(lab) == set()
    (reason,) = of(run, ChangeKind.NOT_WRITTEN).values()
    assert "no member at all" in reason


async def test_a_name_that_cannot_be_read_removes_nobody(configuration: Configuration) -> None:
    """A member of another domain has a cloud user as well, and nobody here can tell which."""
    lab = lab_of(configuration, ["Ada"], [], ["Ada", "Stranger"])
    group = lab.shelf.entries[GROUP_DN.casefold()]
    elsewhere = (b"CN=Somebody,DC=fabrikam,DC=test",)
    lab.put(replace(group, attributes={**group.attributes, "member": (*group.get("member"), *elsewhere)}))
    run = await lab.run(GROUP_DN)

    assert removed(lab) == set()
    assert any("could not be found" in reason for reason in of(run, ChangeKind.NOT_WRITTEN).values())
