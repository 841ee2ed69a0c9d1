"""Not found is told apart: deleted, moved, or never there; and nothing false is said without rights."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from pipeline import values
from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from pipeline.dn import from_directory, parse
from pipeline.errors import ObjectDeleted, ObjectNotFound
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryPolicy, DirectoryServer, FaultKind
from sandbox.people import BASE_DN, Entry, directory_entries
from tests.contract.ldap.conftest import (
    OpenDirectory,
    World,
    group_of,
    in_a_thread,
    made,
    serving_to,
    settings_of,
)

TOMBSTONES = [entry for entry in directory_entries() if "lastKnownParent" in entry.attributes]
PARENT = TOMBSTONES[0].attributes["lastKnownParent"][0].decode()
SEEING = DirectoryPolicy(readers_see_deleted=True)
_SAMBA = pytest.param("samba", marks=[pytest.mark.xdist_group("samba"), pytest.mark.timeout(300)])


@pytest.fixture(scope="module", params=["embedded", _SAMBA])
def seeing(request: pytest.FixtureRequest) -> Iterator[LdapSettings]:
    """Give the settings of an account that may see deleted objects, on both directories."""
    if request.param == "samba":
        samba = request.getfixturevalue("samba")
        yield replace(settings_of(samba), bind_dn=samba.admin_dn, bind_password=samba.admin_password)
        return

    def running() -> AbstractAsyncContextManager[World]:
        @asynccontextmanager
        async def world() -> AsyncIterator[World]:
            async with DirectoryServer(policy=SEEING) as server:
                yield World(settings_of(server))

        return world()

    with in_a_thread(running) as world:
        yield world.settings


def identifiers(entry: Entry) -> dict[str, str]:
    """Return what people may still have of somebody who was deleted."""
    name = entry.attributes["cn"][0].decode().partition("\n")[0].replace(",", "\\,")
    return {
        "name": f"CN={name},{PARENT}",
        "guid": str(uuid.UUID(bytes_le=entry.attributes["objectGUID"][0])),
        "sid": values.sid_text(entry.attributes["objectSid"][0]),
        "account": entry.attributes["sAMAccountName"][0].decode(),
    }


@pytest.mark.parametrize("kind", ["name", "guid", "sid", "account"])
@pytest.mark.parametrize("entry", TOMBSTONES, ids=["with a comma", "without"])
async def test_a_deleted_object_is_told_from_one_that_never_was(
    seeing: LdapSettings, open_directory: OpenDirectory, entry: Entry, kind: str
) -> None:
    """Where the account may see tombstones, the day and the place are told, by whatever name it is asked."""
    with pytest.raises(ObjectDeleted) as caught:
        await open_directory(seeing).resolve(parse_identifier(identifiers(entry)[kind]), ["cn"])
    message = caught.value.message
    assert re.search(r"was deleted from Active Directory (on|by) \d{4}-\d\d-\d\d; it was in ", message), (
        message
    )
    assert str(from_directory(PARENT)) in message
    assert caught.value.code == "object_deleted"


@pytest.mark.parametrize("kind", ["name", "guid", "sid", "account"])
async def test_nothing_is_said_that_cannot_be_seen(directory: LdapDirectory, kind: str) -> None:
    """Without the right to see tombstones it is plain not found, with no word on deletion."""
    for entry in TOMBSTONES:
        with pytest.raises(ObjectNotFound) as caught:
            await directory.resolve(parse_identifier(identifiers(entry)[kind]), ["cn"])
        assert type(caught.value) is ObjectNotFound
        assert "was deleted" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    "typed",
    [
        "00000000-0000-0000-0000-000000000001",
        "S-1-5-21-1-2-3-4",
        "nobody@contoso.test",
        "nobody",
        f"CN=Nobody,{PARENT}",
        f"CN=Deleted,{PARENT}",
        f"CN=Deleted Colleague,OU=Corp,OU=Contoso,{BASE_DN}",
        f"CN=Deleted*,{PARENT}",
    ],
)
async def test_what_never_was_there_was_not_deleted(
    seeing: LdapSettings, open_directory: OpenDirectory, typed: str
) -> None:
    """The beginning of a deleted object's name, or its name in another place, is not that object."""
    with pytest.raises(ObjectNotFound) as caught:
        await open_directory(seeing).resolve(parse_identifier(typed), ["cn"])
    assert type(caught.value) is ObjectNotFound


def tombstone(name: str, number: int, day: str, **more: tuple[bytes, ...]) -> Entry:
    """Make a deleted object."""
    guid = str(uuid.UUID(bytes_le=number.to_bytes(16, "big")))
    cn = f"{name[:75]}\nDEL:{guid}"
    dn = f"CN={name[:75]}\\0ADEL:{guid},CN=Deleted Objects,{BASE_DN}"
    return made(
        dn,
        number,
        name=(cn.encode(),),
        isDeleted=(b"TRUE",),
        whenChanged=(f"{day}120000.0Z".encode(),),
        lastKnownParent=(BASE_DN.encode(),),
        **more,
    )


def deleted_objects() -> Entry:
    """Make the container of deleted objects."""
    return made(f"CN=Deleted Objects,{BASE_DN}", 900, isDeleted=(b"TRUE",))


async def test_the_recycle_bin_keeps_the_day_and_the_way_back() -> None:
    """An object in the recycle bin was deleted on that day and can be restored; its address is known."""
    ada = tombstone("Ada", 901, "20260501", mail=(b"ada@contoso.test",))
    async with serving_to([*group_of(0), deleted_objects(), ada], policy=SEEING) as directory:
        with pytest.raises(ObjectDeleted) as caught:
            await directory.resolve(parse_identifier("ada@contoso.test"), ["cn"])
    assert (
        "was deleted from Active Directory on 2026-05-01; it was in DC=contoso,DC=test."
        in caught.value.message
    )
    assert "Recycle Bin" in caught.value.remedy


async def test_of_several_deleted_objects_the_last_is_told() -> None:
    """A name that was used and deleted again and again tells how often, and the last day."""
    often = [tombstone("Ada", 901 + n, f"202605{n:02d}") for n in (7, 9, 8)]
    async with serving_to([*group_of(0), deleted_objects(), *often], policy=SEEING) as directory:
        with pytest.raises(ObjectDeleted) as caught:
            await directory.resolve(parse_identifier(f"CN=Ada,{BASE_DN}"), ["cn"])
    assert "on 2026-05-09" in caught.value.message
    assert "3 such objects were deleted" in caught.value.message


@pytest.mark.parametrize("length", [74, 75, 76, 200])
async def test_a_long_name_is_known_by_its_beginning(length: int) -> None:
    """Deleting keeps 75 characters of a name: a longer one is found by these."""
    name = "x" * length
    async with serving_to(
        [*group_of(0), deleted_objects(), tombstone(name, 901, "20260501")], policy=SEEING
    ) as directory:
        with pytest.raises(ObjectDeleted):
            await directory.resolve(parse_identifier(f"CN={name},{BASE_DN}"), ["cn"])


async def test_a_live_object_is_read_though_another_of_its_name_was_deleted() -> None:
    """Tombstones are asked about only when nothing was found."""
    entries = [*group_of(1), deleted_objects(), tombstone("User 0", 901, "20260501")]
    async with serving_to(entries, policy=SEEING) as directory:
        assert (await directory.resolve(parse_identifier(f"CN=User 0,{BASE_DN}"), ["cn"])).get("cn")


async def test_a_moved_object_is_named(directory: LdapDirectory) -> None:
    """A name that is right but for its place leads to the object's new place, in the remedy."""
    with pytest.raises(ObjectNotFound) as caught:
        await directory.resolve(parse_identifier(f"CN=Ada Lovelace,OU=Corp,OU=Contoso,{BASE_DN}"), ["cn"])
    assert "may have been moved" in caught.value.remedy
    assert "CN=Ada Lovelace,OU=Engineering,OU=London" in caught.value.remedy


@pytest.mark.parametrize("typed", ["Ada Lovelace", "ada  lovelace"])
async def test_a_plain_name_leads_to_whoever_has_it(directory: LdapDirectory, typed: str) -> None:
    """Who types a person's name instead of an identifier is shown the one to use; none is picked."""
    with pytest.raises(ObjectNotFound) as caught:
        await directory.resolve(parse_identifier(typed), ["cn"])
    assert "CN=Ada Lovelace,OU=Engineering,OU=London" in caught.value.remedy
    with pytest.raises(ObjectNotFound) as caught:
        await directory.resolve(parse_identifier(f"CONTOSO\\{typed}"), ["cn"])
    assert "CN=" not in caught.value.remedy


async def test_at_most_three_places_are_named() -> None:
    """A name that many have is no hint to all of them."""
    category = f"CN=Person,CN=Schema,CN=Configuration,{BASE_DN}".encode()
    units = [
        made(f"OU=Unit {n},{BASE_DN}", 300 + n, objectClass=(b"top", b"organizationalUnit")) for n in range(6)
    ]
    people = [
        made(f"CN=Ada,{unit.dn}", 400 + n, name=(b"Ada",), objectCategory=(category,))
        for n, unit in enumerate(units)
    ]
    async with serving_to([*group_of(0), *units, *people]) as directory:
        with pytest.raises(ObjectNotFound) as caught:
            await directory.resolve(parse_identifier(f"CN=Ada,{BASE_DN}"), ["cn"])
    assert caught.value.remedy.count("CN=Ada,OU=Unit") == 3


@pytest.mark.parametrize(
    "fault", [FaultKind.INSUFFICIENT_RIGHTS, FaultKind.SIZE_LIMIT, FaultKind.TIME_LIMIT, FaultKind.REFERRAL]
)
async def test_a_hint_that_is_refused_is_left_out(
    server: DirectoryServer, open_directory: OpenDirectory, fault: FaultKind
) -> None:
    """What the controller will not tell about deleted objects does not turn not found into another error."""
    directory = open_directory(settings_of(server))
    await directory.warm_up()
    server.faults.add(fault, skip=1)
    with pytest.raises(ObjectNotFound):
        await directory.resolve(parse_identifier("nobody"), ["cn"])


def test_names_of_tombstones_are_what_the_tests_take_them_for() -> None:
    """The population's tombstones lie where these tests say."""
    assert all(
        parse(PARENT) == from_directory(t.attributes["lastKnownParent"][0].decode()) for t in TOMBSTONES
    )
