"""Long attributes and large groups: whole, or a stated first part, never silently less."""

from __future__ import annotations

import pytest

from pipeline.adapters.ldap import LdapDirectory
from pipeline.dn import parse
from pipeline.errors import ObjectNotFound
from pipeline.identifiers import parse_identifier
from pipeline.ports import DirectoryEntry
from sandbox.directory import DirectoryPolicy
from sandbox.people import BASE_DN, Entry, directory_entries
from sandbox.people.entry import GROUPS_DN, TOP_DN
from tests.contract.ldap.conftest import READER, group_of, serving_to

LARGE = f"CN=Large,{BASE_DN}"
ENTRIES = {entry.dn: entry for entry in directory_entries() if entry.dn.endswith(TOP_DN)}  # not the built-in


def fold(raw: bytes) -> object:
    """Return what is equal for equal values: names are compared as names, the rest as it is."""
    return parse(raw.decode()) if raw.startswith((b"CN=", b"OU=")) else raw


def numbers(entry: DirectoryEntry) -> list[int]:
    """Return the numbers of the members, in the order they came."""
    return [int(raw.split(b",")[0].removeprefix(b"CN=User ")) for raw in entry.get("member")]


async def test_every_value_of_contoso_arrives_whole(directory: LdapDirectory) -> None:
    """Every attribute of every object, 1,600 telephone numbers included, is read without a missing value."""
    for dn, entry in ENTRIES.items():
        read = await directory.resolve(parse_identifier(dn), sorted(entry.attributes))
        assert not read.incomplete
        multiple = {name: set(map(fold, raw)) for name, raw in entry.attributes.items() if len(raw) > 1}
        assert {name: set(map(fold, read.get(name))) for name in multiple} == multiple


@pytest.mark.parametrize(
    ("count", "max_range"),
    [(1, 1500), (1499, 1500), (1500, 1500), (1501, 1500), (3000, 1500), (5000, 1500), (7, 2), (8, 2)],
)
async def test_slices_join_without_gap_or_double(count: int, max_range: int) -> None:
    """A controller that cuts at MaxValRange gives every value once, in order, at every boundary."""
    policy = DirectoryPolicy(max_value_range=max_range)
    async with serving_to(group_of(count), policy=policy) as directory:
        read = await directory.resolve(parse_identifier(LARGE), ["member", "cn"])
    assert numbers(read) == list(range(count))
    assert not read.incomplete
    assert [name for name in read.attributes if "range" in name] == []


@pytest.mark.parametrize("max_range", [2, 1500], ids=["in slices", "at once"])
async def test_a_long_attribute_is_cut_at_a_stated_limit(max_range: int) -> None:
    """Beyond the limit the first values are kept, and how many there are is told."""
    policy = DirectoryPolicy(max_value_range=max_range)
    async with serving_to(group_of(25), policy=policy, value_limit=10) as directory:
        read = await directory.resolve(parse_identifier(LARGE), ["member"])
    assert numbers(read) == list(range(10))
    assert read.incomplete == {"member"}
    assert read.totals == {"member": 25}


async def test_counting_ends_too() -> None:
    """Beyond a second limit counting is given up, and no total is made up."""
    policy = DirectoryPolicy(max_value_range=2)
    async with serving_to(group_of(25), policy=policy, value_limit=4, member_limit=10) as directory:
        read = await directory.resolve(parse_identifier(LARGE), ["member"])
    assert numbers(read) == [0, 1, 2, 3]
    assert read.incomplete == {"member"}
    assert read.totals == {}


async def test_members_are_read_with_their_attributes(directory: LdapDirectory) -> None:
    """A group's members are those of its own list, each with what was asked."""
    group = f"CN=Apollo Guidance,{GROUPS_DN}"
    listed = {parse(raw.decode()) for raw in ENTRIES[group].attributes["member"]}
    members = await directory.members(group, ["cn", "objectGUID"], 1000)
    assert {parse(entry.dn) for entry in members.entries} == listed
    assert members.total == len(listed) == 40
    assert members.complete
    assert members.unresolved == ()
    assert all(set(entry.attributes) == {"cn", "objectGUID"} for entry in members.entries)


async def test_groups_of_every_kind_are_complete(directory: LdapDirectory) -> None:
    """For large, small, nested, mixed and empty groups the members read are the members listed."""
    all_groups = [(dn, e) for dn, e in ENTRIES.items() if b"group" in e.attributes["objectClass"]]
    by_size = sorted(all_groups, key=lambda pair: len(pair[1].attributes.get("member", ())))
    groups = dict([*by_size[:6], *by_size[6::5], by_size[-1]])
    for dn, entry in groups.items():
        listed = {parse(raw.decode()) for raw in entry.attributes.get("member", ())}
        members = await directory.members(dn, ["cn"], 1000)
        assert {parse(e.dn) for e in members.entries} == listed
        assert (members.total, members.complete, members.unresolved) == (len(listed), True, ())


async def test_members_that_cannot_be_read_are_named() -> None:
    """A member of another domain, or one out of sight, is unresolved; it is neither lost nor made up."""
    entries = group_of(3)
    group = entries[-1]
    foreign = (b"CN=Someone,DC=fabrikam,DC=test", rb"CN=Doe\, Jane,OU=Gone,DC=contoso,DC=test")
    entries[-1] = Entry(group.dn, {**group.attributes, "member": (*group.attributes["member"], *foreign)})
    async with serving_to(entries) as directory:
        members = await directory.members(LARGE, ["cn"], 1000)
    assert len(members.entries) == 3
    assert [parse(name) for name in members.unresolved] == [parse(name.decode()) for name in foreign]
    assert members.total == 5
    assert members.complete


@pytest.mark.parametrize(("limit", "complete"), [(0, False), (1, False), (9, False), (10, True), (11, True)])
async def test_members_stop_at_the_limit(limit: int, complete: bool) -> None:  # noqa: FBT001 - a table's column
    """At most `limit` members are read; the total is told all the same, and a cut list says so."""
    async with serving_to(group_of(10), page_size=3) as directory:
        members = await directory.members(LARGE, ["cn"], limit)
    assert len(members.entries) == min(limit, 10)
    assert members.total == 10
    assert members.complete is complete
    assert members.unresolved == ()


async def test_a_member_list_that_was_not_counted_to_its_end_is_not_complete() -> None:
    """When the group's own list was cut, the answer never claims to be complete."""
    policy = DirectoryPolicy(max_value_range=2)
    async with serving_to(group_of(20), policy=policy, member_limit=6) as directory:
        members = await directory.members(LARGE, ["cn"], 1000)
    assert not members.complete
    assert members.total >= 6


@pytest.mark.parametrize("page_size", [1, 3, 500], ids=lambda size: f"pages of {size}")
async def test_pages_join_without_gap_or_double(page_size: int) -> None:
    """Members come in pages, each member once, also where the controller allows fewer than asked."""
    policy = DirectoryPolicy(max_page_size=7, max_value_range=5)
    async with serving_to(group_of(30), policy=policy, page_size=page_size) as directory:
        members = await directory.members(LARGE, ["cn"], 1000)
    assert sorted(e.get("cn")[0] for e in members.entries) == sorted(f"User {n}".encode() for n in range(30))
    assert members.complete


async def test_an_empty_group_has_no_members() -> None:
    """A group without members is complete and empty."""
    async with serving_to(group_of(0)) as directory:
        members = await directory.members(LARGE, ["cn"], 10)
    assert (members.entries, members.unresolved, members.total, members.complete) == ((), (), 0, True)


async def test_members_of_no_group_are_not_found(directory: LdapDirectory) -> None:
    """Asking for the members of what does not exist says so."""
    with pytest.raises(ObjectNotFound):
        await directory.members(f"CN=No such group,{GROUPS_DN}", ["cn"], 10)


async def test_the_reader_of_a_made_up_domain_is_there() -> None:
    """The made-up domains of these tests are real enough to be signed in to."""
    async with serving_to(group_of(1)) as directory:
        assert (await directory.resolve(parse_identifier(READER), ["cn"])).get("cn") == (b"reader",)
