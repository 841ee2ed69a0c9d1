"""Membership by nesting: through any number of groups, round circles, and never by guess."""

from __future__ import annotations

import uuid

import pytest

from pipeline.adapters.ldap import LdapDirectory
from pipeline.dn import DistinguishedName, from_directory, parse
from pipeline.errors import ObjectNotFound
from sandbox.people import BASE_DN, Entry, directory_entries
from sandbox.people.entry import GROUPS_DN
from tests.contract.ldap.conftest import READER, group_of, made, serving_to

ENTRIES = {parse(entry.dn): entry for entry in directory_entries()}
DOMAIN_USERS = parse(f"CN=Domain Users,CN=Users,{BASE_DN}")


def group(name: str) -> DistinguishedName:
    """Return the name of one of contoso's groups."""
    return parse(f"CN={name},{GROUPS_DN}")


def listed(name: str) -> list[DistinguishedName]:
    """Return who a group lists."""
    return [from_directory(raw.decode()) for raw in ENTRIES[group(name)].attributes["member"]]


def guid(name: DistinguishedName) -> str:
    """Return an object's GUID as text."""
    return str(uuid.UUID(bytes_le=ENTRIES[name].attributes["objectGUID"][0]))


async def test_nesting_is_followed_upwards_only(directory: LdapDirectory) -> None:
    """Who is in the innermost of six nested groups is in all of them, who is in the third in four."""
    person = next(dn for dn in listed("Nest 2") if dn not in ENTRIES or "Nest" not in str(dn))
    inner = listed("Nest 0")[2]
    groups = [group(f"Nest {index}") for index in range(6)]
    assert (await directory.within(guid(inner), groups)).nested == set(groups)
    assert (await directory.within(guid(person), groups)).nested == set(groups[2:])


async def test_a_circle_of_groups_ends(directory: LdapDirectory) -> None:
    """Two groups that hold each other hold each other's members, and themselves."""
    circle = [group("Circle A"), group("Circle B")]
    for name in circle:
        for member in listed(name.rdn_value):
            assert (await directory.within(guid(member), circle)).nested == set(circle)


async def test_no_member_is_made_up(directory: LdapDirectory) -> None:
    """An empty group holds nobody; the members of a group's member groups do not hold the group."""
    found = await directory.within(guid(group("Nest 3")), [group("Empty"), group("Nest 2"), group("Nest 4")])
    assert found.nested == {group("Nest 4")}
    assert found.missing == frozenset()


async def test_a_group_that_is_not_there_is_told(directory: LdapDirectory) -> None:
    """A misspelt group, one of another domain and one with odd characters are missing, not an error."""
    person = listed("Nest 0")[0]
    gone = [
        group("No such group"),
        parse("CN=Staff,DC=fabrikam,DC=test"),
        parse(rf"CN=a\2c*\28b\29\\,{GROUPS_DN}"),
    ]
    found = await directory.within(guid(person), [*gone, group("Nest 5")])
    assert found.missing == set(gone)
    assert found.nested == {group("Nest 5")}


async def test_odd_names_are_asked_for_as_they_are(directory: LdapDirectory) -> None:
    """Every group, whatever characters its name has, is found to hold each of its members."""
    odd = [
        dn for dn, e in ENTRIES.items() if e.attributes.get("sAMAccountName", (b"",))[0].startswith(b"odd-")
    ]
    assert len(odd) > 3
    for name in odd:
        member = from_directory(ENTRIES[name].attributes["member"][0].decode())
        assert (await directory.within(guid(member), [name])).nested == {name}


async def test_the_primary_group_is_named_and_is_no_member_list(directory: LdapDirectory) -> None:
    """Domain Users lists nobody whose primary group it is: the name is given, the membership is not."""
    found = await directory.within(guid(listed("Nest 0")[0]), [DOMAIN_USERS])
    assert found.primary == DOMAIN_USERS
    assert found.nested == frozenset()
    of_a_group = await directory.within(guid(group("Nest 0")), [DOMAIN_USERS])
    assert of_a_group.primary is None


async def test_nobody_is_in_no_group(directory: LdapDirectory) -> None:
    """An object that is gone is not found, rather than in none of the groups."""
    with pytest.raises(ObjectNotFound):
        await directory.within(str(uuid.UUID(int=1)), [group("Nest 0")])


@pytest.mark.parametrize("depth", [1, 30])
async def test_a_circle_of_many_groups_is_walked_once(depth: int) -> None:
    """A ring of groups, entered at one of them, leads through all and ends."""
    names = [f"CN=Ring {n},{BASE_DN}" for n in range(depth)]
    person = f"CN=User 0,{BASE_DN}"
    ring: list[Entry] = []
    for n, name in enumerate(names):
        members = (names[n - 1].encode(), *((person.encode(),) if n == 0 else ()))
        ring.append(made(name, 500 + n, objectClass=(b"top", b"group"), member=members))
    async with serving_to([*group_of(1), *ring]) as directory:
        found = await directory.within(
            str(uuid.UUID(bytes_le=(0).to_bytes(16, "big"))), list(map(parse, names))
        )
        outsider = await directory.within(
            str(uuid.UUID(bytes_le=(1 << 101).to_bytes(16, "big"))), list(map(parse, names))
        )
    assert found.nested == set(map(parse, names))
    assert outsider.nested == frozenset(), READER


async def test_those_of_a_primary_group_are_found(directory: LdapDirectory) -> None:
    """Whose primary group it is stands nowhere in the group: they are searched for by its number."""
    sid = "S-1-5-21-1-2-3-513"  # the number is of the domain; the rest of the SID is the directory's own
    expected = {dn for dn, e in ENTRIES.items() if e.attributes.get("primaryGroupID") == (b"513",)}
    found = await directory.primary_members(sid, ["objectGUID"], 5000)
    names = {from_directory(entry.dn) for entry in found.entries}
    assert expected <= names
    assert {name.rdn_value for name in names - expected} <= {"dns-dc1"}  # Samba's own, where that is asked
    assert found.complete
    assert all(entry.get("objectGUID") for entry in found.entries)


async def test_more_of_a_primary_group_than_are_looked_at_are_not_all(directory: LdapDirectory) -> None:
    """A cut list says so: nobody is judged by it."""
    found = await directory.primary_members("S-1-5-21-1-2-3-513", ["cn"], 7)
    assert len(found.entries) == 7
    assert not found.complete


async def test_nobody_has_this_primary_group(directory: LdapDirectory) -> None:
    """A group that is nobody's primary group has none of them, and that is known."""
    found = await directory.primary_members("S-1-5-21-1-2-3-999999", ["cn"], 7)
    assert found.entries == ()
    assert found.complete
