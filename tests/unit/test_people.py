"""The contoso population is deterministic, possible in both systems, and tells the stories it promises."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.directory.dn import parse
from sandbox.people import (
    BASE_DN,
    BIND_DN,
    Entry,
    bind_passwords,
    by_dn,
    directory_entries,
    interesting_people,
    tenant_seed,
)
from sandbox.people.entry import photo
from sandbox.people.tenant import sid_text

ROOT = Path(__file__).parents[2]
ENTRIES = by_dn()
CASES = {person.case: person for person in interesting_people()}
PEOPLE = [entry for entry in directory_entries() if b"person" in entry.attributes["objectClass"]]
GROUPS = [entry for entry in directory_entries() if b"group" in entry.attributes["objectClass"]]
ADA = ENTRIES[CASES["create"].identifier]


def number(entry: Entry, name: str) -> int:
    """Return an attribute as a number, 0 when it is not there."""
    return int(entry.text(name) or "0")


def cloud_users() -> dict[str, dict[str, Any]]:
    """Return the tenant's users by their anchor."""
    return {user["onPremisesImmutableId"]: user for user in tenant_seed()["users"]}


def anchored(case: str) -> dict[str, Any]:
    """Return the cloud user that carries the anchor of a case's person."""
    entry = ENTRIES[CASES[case].identifier]
    values = entry.attributes.get("mS-DS-ConsistencyGuid") or entry.attributes["objectGUID"]
    return cloud_users()[base64.b64encode(values[0]).decode()]


def test_same_in_every_process() -> None:
    """Two processes with different hash seeds make the same population, byte by byte."""
    script = (
        "import hashlib, json; from sandbox.people import *;"
        "text = repr(directory_entries()) + json.dumps(tenant_seed()) + repr(interesting_people());"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_literal_identity() -> None:
    """GUID, SID and anchor of one person are these for ever: other people's notes refer to them."""
    assert str(uuid.UUID(bytes_le=ADA.attributes["objectGUID"][0])) == "5eb43c30-ebaf-5c35-b39f-20358a432f34"
    assert sid_text(ADA.attributes["objectSid"][0]) == "S-1-5-21-2718281828-3141592653-1618033988-2323"
    assert ADA.text("userPrincipalName") == "ada.lovelace@contoso.test"


def test_size() -> None:
    """There are at least three hundred people, thirty groups, and every container of the plan."""
    users = [entry for entry in PEOPLE if b"user" in entry.attributes["objectClass"]]
    assert len(users) >= 300
    assert len(GROUPS) >= 30
    for unit in ("Corp", "Groups", "Not Synced", "Service Accounts", "Contacts", "Leavers", "Computers"):
        assert f"OU={unit},OU=Contoso,{BASE_DN}" in ENTRIES


def test_parents_come_first() -> None:
    """An entry can be added after those before it."""
    seen = set()
    for entry in directory_entries():
        name = parse(entry.dn)
        assert name[1:] in seen or entry.dn == BASE_DN, entry.dn
        seen.add(name)


@pytest.mark.parametrize(
    "name", ["objectGUID", "objectSid", "sAMAccountName", "userPrincipalName", "mail", "distinguishedName"]
)
def test_keys_are_unique(name: str) -> None:
    """No two objects share a key, whatever its case."""
    binary = name in {"objectGUID", "objectSid"}
    count = Counter(
        value.hex() if binary else value.decode().lower()
        for entry in directory_entries()
        for value in entry.attributes.get(name, ())
    )
    assert {value for value, times in count.items() if times > 1} == set()


# rangeUpper of the attributes in Active Directory's schema, in characters
AD_LIMITS = {
    "cn": 64,
    "sAMAccountName": 256,
    "displayName": 256,
    "givenName": 64,
    "sn": 64,
    "initials": 6,
    "title": 128,
    "department": 64,
    "company": 64,
    "physicalDeliveryOfficeName": 128,
    "streetAddress": 1024,
    "l": 128,
    "st": 128,
    "postalCode": 40,
    "c": 3,
    "co": 128,
    "telephoneNumber": 64,
    "mobile": 64,
    "facsimileTelephoneNumber": 64,
    "employeeID": 16,
    "employeeNumber": 512,
    "employeeType": 256,
    "description": 1024,
    "info": 1024,
    "mail": 256,
    "proxyAddresses": 1123,
    "userPrincipalName": 1024,
    "thumbnailPhoto": 102_400,
}


@pytest.mark.parametrize("name", sorted(AD_LIMITS))
def test_active_directory_could_hold_it(name: str) -> None:
    """Values keep the length limits of the directory's schema; account names of users are at most 20."""
    for entry in directory_entries():
        for value in entry.attributes.get(name, ()):
            size = len(value) if name == "thumbnailPhoto" else len(value.decode())
            assert 0 < size <= AD_LIMITS[name], entry.dn
    assert all(len(entry.text("sAMAccountName") or "") <= 20 for entry in PEOPLE)


def test_links_point_somewhere() -> None:
    """Every member, manager and managedBy exists."""
    for entry in directory_entries():
        for name in ("member", "manager", "managedBy"):
            for value in entry.attributes.get(name, ()):
                assert value.decode() in ENTRIES, entry.dn


def test_variety() -> None:
    """The shapes real directories hold are all there."""
    users = [entry for entry in PEOPLE if b"user" in entry.attributes["objectClass"]]
    assert 0.25 < sum("mS-DS-ConsistencyGuid" in entry.attributes for entry in users) / len(users) < 0.4
    assert {512, 514, 544, 66048} <= {number(entry, "userAccountControl") for entry in users}
    expiries = {number(entry, "accountExpires") for entry in users}
    assert {0, 0x7FFFFFFFFFFFFFFF} <= expiries
    assert len(expiries) >= 4
    assert {"Employee", "Contractor", "Intern"} <= {entry.text("employeeType") for entry in users}
    assert sum("thumbnailPhoto" in entry.attributes for entry in users) > 20
    assert any(len(entry.attributes.get("otherTelephone", ())) > 1500 for entry in users)
    assert any(b"inetOrgPerson" in entry.attributes["objectClass"] for entry in users)
    assert any(entry.text("adminDescription") for entry in users)


def test_kinds_of_groups() -> None:
    """There are nested, circular, empty, distribution, mail-enabled, domain local and mixed groups."""
    groups = {str(entry.text("cn")): entry for entry in GROUPS}

    def members(name: str) -> set[str]:
        return {value.decode() for value in groups[name].attributes.get("member", ())}

    assert members("Empty") == set()
    assert groups["Nest 4"].dn in members("Nest 5")
    assert groups["Circle A"].dn in members("Circle B")
    assert groups["Circle B"].dn in members("Circle A")
    assert number(groups["Newsletter"], "groupType") > 0
    assert number(groups["Mail Enabled Security"], "groupType") < 0
    assert number(groups["Domain Local"], "groupType") & 4
    kinds = {ENTRIES[dn].attributes["objectClass"][-1] for dn in members("Mixed Members")}
    assert kinds == {b"user", b"contact", b"computer", b"group"}
    assert len(members("All Staff")) >= 300


def test_critical_objects_for_the_guards() -> None:
    """Administrator, krbtgt and the domain's groups are marked critical, and nobody of contoso's own is."""
    critical = {entry.dn for entry in directory_entries() if entry.text("isCriticalSystemObject") == "TRUE"}
    for name in ("Administrator", "krbtgt", "Domain Admins", "Domain Users"):
        assert f"CN={name},CN=Users,{BASE_DN}" in critical
    assert not any("OU=Contoso," in dn for dn in critical)


def test_accounts_that_log_on() -> None:
    """Each account with a password exists, the bot's own among them."""
    assert BIND_DN in bind_passwords()
    assert all(dn in ENTRIES and len(password) >= 12 for dn, password in bind_passwords().items())


def test_the_deleted_are_what_a_deletion_leaves() -> None:
    """Tombstones lie in Deleted Objects, carry their GUID in the name, and have lost nearly everything."""
    tombstones = [entry for entry in directory_entries() if "lastKnownParent" in entry.attributes]
    assert len(tombstones) == 2
    for entry in tombstones:
        guid = uuid.UUID(bytes_le=entry.attributes["objectGUID"][0])
        assert f"\\0ADEL:{guid},CN=Deleted Objects," in entry.dn
        assert str(entry.text("cn")).endswith(f"\nDEL:{guid}")
        assert entry.text("isDeleted") == "TRUE"
        assert not {"mail", "objectCategory", "displayName"} & set(entry.attributes)
        assert entry.text("lastKnownParent") in ENTRIES


def test_photo_is_a_jpeg_of_the_size_asked_for() -> None:
    """Photos start and end as JPEG files do and grow by comments."""
    for size in (500, 9_000, 90_000):
        raw = photo(size)
        assert raw.startswith(b"\xff\xd8\xff\xe0")
        assert raw.endswith(b"\xff\xd9")
        assert size <= len(raw) < size + 8


def test_tenant_agrees_about_everybody() -> None:
    """The mapped values of an ordinary person are in the tenant to the letter."""
    entry = next(one for one in PEOPLE if one.text("userPrincipalName") == "ahmet.aoki@contoso.test")
    user = next(
        one for one in tenant_seed()["users"] if one["userPrincipalName"] == "ahmet.aoki@contoso.test"
    )
    wanted = {
        "displayName": "Ahmet Aoki",
        "givenName": "Ahmet",
        "surname": "Aoki",
        "jobTitle": "Specialist",
        "department": "Engineering",
        "companyName": "Contoso, Ltd.",
        "officeLocation": "Łódź/3",
        "streetAddress": "3 Harbour Straße\r\nFloor 3",
        "city": "Łódź",
        "state": "Europe",
        "postalCode": "00111",
        "country": "Poland",
        "usageLocation": "PL",
        "preferredLanguage": None,
        "mobilePhone": "+1 555 011 0003",
        "businessPhones": ["+1 555 010 0003"],
        "faxNumber": "+1 555 012 0003",
        "mail": "ahmet.aoki@contoso.test",
        "mailNickname": "ahmet.aoki",
        "employeeId": "1000003",
        "employeeType": "Employee",
        "accountEnabled": True,
    }
    assert {name: user[name] for name in wanted} == wanted
    guid = entry.attributes["mS-DS-ConsistencyGuid"][0]
    assert user["onPremisesImmutableId"] == base64.b64encode(guid).decode()
    assert user["onPremisesExtensionAttributes"]["extensionAttribute1"] == "cost centre 3"
    assert user["onPremisesExtensionAttributes"]["extensionAttribute3"] is None


def test_tenant_trims_as_the_mapping_does() -> None:
    """Spaces round a department are in the directory and not in the tenant."""
    loose = [one for one in PEOPLE if (one.text("department") or "").startswith(" ")]
    by_upn = {user["userPrincipalName"]: user for user in tenant_seed()["users"]}
    found = [entry for entry in loose if entry.text("userPrincipalName") in by_upn]
    assert found
    for entry in found:
        assert (
            by_upn[str(entry.text("userPrincipalName"))]["department"]
            == str(entry.text("department")).strip()
        )


def test_every_mapped_target_is_in_the_tenant() -> None:
    """A target that the sample configuration maps is a property the seed has an opinion about."""
    document = yaml.safe_load((ROOT / "configurations" / "contoso.yaml").read_text(encoding="utf-8"))
    user = anchored("unchanged") | {"manager": "set for those who have one"}
    for mapping in document["objects"]["user"]["attributes"]:
        head, _, member = mapping["target"].partition(".")
        assert head in user, mapping["target"]
        assert not member or member in user[head]
    group = tenant_seed()["groups"][0]
    for mapping in document["objects"]["group"]["attributes"]:
        assert mapping["target"] in group


def test_tenant_could_exist() -> None:
    """Ids and user principal names are unique, managers and members exist, lengths are Graph's."""
    seed = tenant_seed()
    ids = [one["id"] for one in seed["users"] + seed["groups"]]
    assert len(set(ids)) == len(ids)
    assert len({user["userPrincipalName"].lower() for user in seed["users"]}) == len(seed["users"])
    assert all(user["manager"] in ids for user in seed["users"] if "manager" in user)
    assert all(member in ids for group in seed["groups"] for member in group["members"])
    proxies = [address.lower() for one in seed["users"] + seed["groups"] for address in one["proxyAddresses"]]
    assert len(set(proxies)) == len(proxies)
    for user in seed["users"]:
        assert user["userPrincipalName"].isascii()
        assert len(user["displayName"]) <= 256
        assert len(user["mailNickname"]) <= 64
        assert len(user["employeeId"] or "") <= 16
        assert len(user["businessPhones"]) <= 1
    assert json.loads(json.dumps(seed)) == seed


def test_seed_is_a_fresh_copy() -> None:
    """Changing one seed does not change the next."""
    first = tenant_seed()
    first["users"][0]["displayName"] = "changed"
    first["users"].clear()
    assert tenant_seed()["users"][0]["displayName"] != "changed"


def test_cases_are_those_of_the_table() -> None:
    """Each way a run can end is there, awkward names at least eight times."""
    awkward = [case for case in CASES if case.startswith("awkward-")]
    assert len(awkward) >= 8
    outcomes = {case: person.expected for case, person in CASES.items() if case not in awkward}
    assert outcomes == {
        "create": "created",
        "update-three": "updated",
        "unchanged": "unchanged",
        "scope-ou": "skipped",
        "scope-filter": "skipped",
        "ambiguous": "refused",
        "upn-conflict": "failed",
        "synced": "refused",
        "manager-missing": "created",
        "group-40": "created",
        "contact": "refused",
    }
    assert {CASES[case].expected for case in awkward} == {"created"}
    assert all(person.identifier in ENTRIES and person.story for person in CASES.values())


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].expected == "created"])
def test_new_people_are_unknown_to_the_tenant(case: str) -> None:
    """Nobody in the tenant has the anchor, the UPN or the mail of someone who is to be created."""
    entry = ENTRIES[CASES[case].identifier]
    seed = tenant_seed()
    known = {str(user[key]).lower() for user in seed["users"] for key in ("userPrincipalName", "mail")}
    for name in ("userPrincipalName", "mail"):
        assert entry.text(name) is None or str(entry.text(name)).lower() not in known
    for name in ("objectGUID", "mS-DS-ConsistencyGuid"):
        for value in entry.attributes.get(name, ()):
            assert base64.b64encode(value).decode() not in cloud_users()
    guid = uuid.UUID(bytes_le=entry.attributes["objectGUID"][0])
    assert f"ad-{guid}" not in {group["uniqueName"] for group in seed["groups"]}


def test_manager_of_the_new_one_is_in_the_tenant() -> None:
    """Ada's manager can be linked."""
    assert ADA.text("manager") == CASES["unchanged"].identifier
    assert anchored("unchanged")["displayName"] == "Katherine Johnson"


def test_three_attributes_differ() -> None:
    """Alan Turing differs in title, department and office, and in nothing else."""
    user = anchored("update-three")
    entry = ENTRIES[CASES["update-three"].identifier]
    assert (user["jobTitle"], entry.text("title")) == ("Fellow", " Reader")
    assert (user["department"], entry.text("department")) == (None, "Computing")
    assert user["officeLocation"] != entry.text("physicalDeliveryOfficeName")
    same = {
        "city": "l",
        "state": "st",
        "country": "co",
        "mail": "mail",
        "givenName": "givenName",
        "surname": "sn",
    }
    assert all(user[target] == entry.text(source) for target, source in same.items())


def test_ambiguous_mail() -> None:
    """Two cloud users without an anchor show the mail of John Smith, and neither has his UPN."""
    entry = ENTRIES[CASES["ambiguous"].identifier]
    twins = [user for user in tenant_seed()["users"] if user["mail"] == entry.text("mail")]
    assert len(twins) == 2
    assert all(user["onPremisesImmutableId"] is None for user in twins)
    assert entry.text("userPrincipalName") not in {
        user["userPrincipalName"] for user in tenant_seed()["users"]
    }


def test_upn_belongs_to_somebody_else() -> None:
    """The user with Radia Perlman's anchor has another UPN; the wanted one is taken."""
    wanted = ENTRIES[CASES["upn-conflict"].identifier].text("userPrincipalName")
    user = anchored("upn-conflict")
    assert user["userPrincipalName"] != wanted
    holder = [other for other in tenant_seed()["users"] if other["userPrincipalName"] == wanted]
    assert [other["id"] != user["id"] for other in holder] == [True]


def test_synced_and_drifted() -> None:
    """The synchronised user is marked so and differs."""
    user = anchored("synced")
    assert user["onPremisesSyncEnabled"] is True
    assert user["jobTitle"] != ENTRIES[CASES["synced"].identifier].text("title")


def test_missing_manager() -> None:
    """The manager exists in the directory and not in the tenant."""
    boss = ENTRIES[str(ENTRIES[CASES["manager-missing"].identifier].text("manager"))]
    assert boss.text("userPrincipalName") not in {
        user["userPrincipalName"] for user in tenant_seed()["users"]
    }


def test_scopes() -> None:
    """One is in the wrong unit, one is of the wrong type, and everything else about them is right."""
    assert ",OU=Not Synced," in CASES["scope-ou"].identifier
    assert ENTRIES[CASES["scope-ou"].identifier].text("employeeType") == "Employee"
    assert ",OU=Corp," in CASES["scope-filter"].identifier
    assert ENTRIES[CASES["scope-filter"].identifier].text("employeeType") == "Contractor"


def test_group_of_forty() -> None:
    """All forty members are in the tenant and none is out of scope."""
    members = ENTRIES[CASES["group-40"].identifier].attributes["member"]
    upns = {user["userPrincipalName"] for user in tenant_seed()["users"]}
    assert len(set(members)) == 40
    assert all(ENTRIES[value.decode()].text("userPrincipalName") in upns for value in members)


def test_contact_is_among_the_people() -> None:
    """The contact lies in a unit that is in scope."""
    entry = ENTRIES[CASES["contact"].identifier]
    assert entry.attributes["objectClass"][-1] == b"contact"
    assert ",OU=Corp," in entry.dn
