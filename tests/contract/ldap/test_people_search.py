"""Search as people search: by the first letters of anything a person goes by, safely and soon."""

from __future__ import annotations

import asyncio
import time

import pytest

from pipeline.adapters.ldap import LdapDirectory
from pipeline.adapters.ldap_people import SHOWN
from pipeline.dn import from_directory, parse
from pipeline.errors import DirectoryError
from pipeline.ports import DirectoryEntry
from sandbox.directory import DirectoryServer, FaultKind
from sandbox.people import BASE_DN, Entry, InterestingPerson, directory_entries, interesting_people
from tests.contract.ldap.conftest import (
    PATIENT,
    SOON_S,
    OpenDirectory,
    group_of,
    made,
    serving_to,
    settings_of,
)
from tests.contract.ldap.test_resolve import ADA, AWKWARD, INJECTED

ENTRIES = {entry.dn: entry for entry in directory_entries()}


def names(found: tuple[DirectoryEntry, ...]) -> list[str]:
    """Return the entries' names, in their order."""
    return [str(from_directory(entry.dn)) for entry in found]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("Ada Lovelace", "the display name"),
        ("ada love", "the beginnings of given name and surname"),
        ("LOVELACE ada", "in the other order, in any case"),
        ("Lovelace", "the surname"),
        ("adalovela322", "the account name"),
        ("CONTOSO\\adalovela", "with its domain, its beginning"),
        ("ada.lovelace@contoso.test", "the user principal name"),
        ("ada.lovelace@cont", "its beginning"),
        ("smtp:ada.lovelace@contoso.test", "a proxy address"),
        ("  Ada   Lovelace \n", "blanks do not count"),
        ("=Ada Lovelace", "a leading = is no operator"),
    ],
)
async def test_a_person_is_found_by_all_they_go_by(directory: LdapDirectory, typed: str, reason: str) -> None:
    """What people type of somebody leads to that person."""
    found = names(await directory.search(typed, limit=20))
    assert str(parse(ADA)) in found, reason


async def test_a_hit_has_what_a_list_of_choices_needs(directory: LdapDirectory) -> None:
    """Name, address, account, GUID and class come along, and nothing else is read."""
    (first, *_) = await directory.search("ada.lovelace@contoso.test", limit=5)
    assert {name.lower() for name in first.attributes} == {name.lower() for name in SHOWN}
    assert first.get("objectGUID") == ENTRIES[ADA].attributes["objectGUID"]


@pytest.mark.parametrize("typed", ["", " ", "a", "\x00", "=", "*", "\\", "x" * 257, "CONTOSO\\", "\ud800"])
async def test_too_little_to_search_for_finds_nothing(directory: LdapDirectory, typed: str) -> None:
    """Nothing, one letter, or more than any name has, is answered by nothing instead of by half a domain."""
    assert await directory.search(typed, limit=20) == ()


@pytest.mark.parametrize("typed", [text for text in INJECTED if text.strip() not in {" Ada", "Ada*"}])
async def test_no_text_widens_a_search(directory: LdapDirectory, typed: str) -> None:
    """A filter in the text, a wildcard or a rule is looked for as the text that it is, and found nowhere."""
    for entry in await directory.search(typed, limit=20):
        values = [raw.decode("utf-8", "replace").lower() for name in SHOWN for raw in entry.get(name)]
        assert any(typed.strip().lstrip("=").lower() in value for value in values), typed


async def test_a_wildcard_is_a_character(directory: LdapDirectory) -> None:
    """`Ada*` finds those whose name has the star, not all whose name starts so."""
    assert str(parse(ADA)) not in names(await directory.search("Ada*", limit=20))


@pytest.mark.parametrize("person", AWKWARD, ids=lambda person: person.case)
async def test_awkward_names_are_found(directory: LdapDirectory, person: InterestingPerson) -> None:
    """A name with special characters, in any script, is found by itself."""
    entry = ENTRIES[person.identifier]
    typed = entry.attributes["displayName"][0].decode()
    assert str(parse(person.identifier)) in names(await directory.search(typed, limit=20)), ascii(typed)


async def test_only_people_groups_and_contacts_are_found(directory: LdapDirectory) -> None:
    """Computers, organizational units and the domain itself are not offered; groups and contacts are."""
    assert await directory.search("PC00", limit=20) == ()
    assert await directory.search("Corp", limit=20) == ()
    partners = await directory.search("Partner,", limit=20)
    assert {entry.get("objectClass")[-1] for entry in partners} == {b"contact"}
    assert await directory.search("Apollo Guidance", limit=20)


@pytest.mark.parametrize("limit", [0, 1, 3, 10])
async def test_no_more_than_the_limit_is_given(directory: LdapDirectory, limit: int) -> None:
    """A search that half of contoso answers gives as many as asked, and no error."""
    assert len(await directory.search("contoso\\a", limit=limit)) <= limit
    assert len(await directory.search("an", limit=limit)) == limit


async def test_the_likeliest_comes_first() -> None:
    """Exact hits before beginnings, these before the rest; people before groups; then by the alphabet."""
    group = {"objectClass": (b"top", b"group"), "objectCategory": (b"CN=Group,CN=Schema",)}
    entries = [
        named("Annabel Zorn", 201),
        named("Ann", 202),
        named("Anna Young", 203),
        named("Anna Group", 204, **group),
        named("Bob Annan", 205, sn=(b"Annan",)),
        named("Ann", 206, **group, ou=(b"x",)),
    ]
    async with serving_to([*group_of(0), *entries]) as directory:
        found = await directory.search("ann", limit=10)
        first = await directory.search("ann", limit=2)
    shown = [entry.get("displayName")[0].decode() for entry in found]
    assert shown == ["Ann", "Ann", "Anna Young", "Annabel Zorn", "Anna Group", "Bob Annan"]
    assert found[0].get("objectClass")[-1] == b"user"
    assert [entry.dn for entry in first] == [entry.dn for entry in found[:2]]


async def test_a_surname_can_be_one_character() -> None:
    """A single letter of the Latin script is too little; a single ideograph is a name."""
    async with serving_to([*group_of(0), named("王 小明", 201, sn=("王".encode(),))]) as directory:
        assert len(await directory.search("王", limit=5)) == 1


def named(name: str, number: int, **more: tuple[bytes, ...]) -> Entry:
    """Make a user that is called so."""
    attributes = {
        "displayName": (name.encode(),),
        "name": (name.encode(),),
        "objectCategory": (f"CN=Person,CN=Schema,CN=Configuration,{BASE_DN}".encode(),),
        **more,
    }
    if attributes["objectCategory"] == (b"CN=Group,CN=Schema",):
        attributes["objectCategory"] = (f"CN=Group,CN=Schema,CN=Configuration,{BASE_DN}".encode(),)
    return made(f"CN={name} {number},{BASE_DN}", number, **attributes)


@pytest.mark.parametrize("fault", [FaultKind.HANG, FaultKind.BUSY, FaultKind.DROP])
async def test_a_search_ends_soon_whatever_happens(
    server: DirectoryServer, open_directory: OpenDirectory, fault: FaultKind
) -> None:
    """A directory that is not well costs a search's own limit, not the whole time a run may take."""
    directory = open_directory(settings_of(server, search_timeout_s=0.5, **PATIENT))
    await directory.warm_up()
    server.faults.add(fault, times=None)
    started = time.monotonic()
    with pytest.raises(DirectoryError):
        await directory.search("ada", limit=5)
    assert time.monotonic() - started < SOON_S


@pytest.mark.parametrize("fault", [FaultKind.TIME_LIMIT, FaultKind.SIZE_LIMIT])
async def test_what_was_found_before_a_limit_is_given(
    server: DirectoryServer, open_directory: OpenDirectory, fault: FaultKind
) -> None:
    """A controller that stops at one of its limits has found somebody, which is better than nobody."""
    directory = open_directory(settings_of(server))
    await directory.warm_up()
    server.faults.add(fault)
    assert len(await directory.search("svc", limit=5)) == 1


async def test_searches_leave_connections_to_runs(
    server: DirectoryServer, open_directory: OpenDirectory
) -> None:
    """However many searches hang, a run's own read finds a connection free."""
    directory = open_directory(settings_of(server, search_timeout_s=30.0, **PATIENT))
    await directory.warm_up()
    server.faults.add(FaultKind.HANG, times=None)
    searches = [asyncio.create_task(directory.search("ada", limit=5)) for _ in range(12)]
    await asyncio.sleep(0.2)
    server.faults.clear()  # what hangs by now goes on hanging
    started = time.monotonic()
    await directory.members("CN=Apollo Guidance,OU=Groups,OU=Contoso,DC=contoso,DC=test", ["cn"], 10)
    assert time.monotonic() - started < SOON_S
    await directory.close()
    outcomes = await asyncio.gather(*searches, return_exceptions=True)
    assert all(isinstance(outcome, DirectoryError | tuple) for outcome in outcomes)


def test_interesting_people_have_display_names() -> None:
    """What the tests above type is really there."""
    assert all(ENTRIES[p.identifier].attributes.get("displayName") for p in AWKWARD)
    assert interesting_people()
