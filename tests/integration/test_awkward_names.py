"""Every awkward name is imported by the real adapter, however it is pasted, from both directories."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from pipeline.adapters.ldap import LdapDirectory
from pipeline.dn import parse
from pipeline.errors import IdentifierUnsafe
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer
from sandbox.directory.selecting import sid_text
from sandbox.people import Entry, directory_entries
from tests.contract.ldap.conftest import settings_of
from tests.fixtures.samba.domain_controller import SambaDomainController

pytestmark = [pytest.mark.xdist_group("samba"), pytest.mark.timeout(300)]

PEOPLE = [
    entry
    for entry in directory_entries()
    if entry.text("givenName") in {"Odd", "Awkward"} and "isDeleted" not in entry.attributes
]
TYPES = {"CN": "2.5.4.3", "OU": "2.5.4.11", "DC": "0.9.2342.19200300.100.1.25"}


def name_of(entry: Entry) -> str:
    """Return what stands behind the slug: its case."""
    return (entry.text("userPrincipalName") or "").partition("@")[0]


def pairs(value: str, *, ascii_too: bool) -> str:
    """Write characters as hex pairs, all of them or those beyond plain letters and digits."""
    kept = (
        frozenset()
        if ascii_too
        else frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    )
    return "".join(c if c in kept else "".join(f"\\{octet:02X}" for octet in c.encode()) for c in value)


def pastes(entry: Entry) -> Iterator[str]:
    """Write an entry's name in the ways in which people paste it."""
    dn = entry.dn
    name = parse(dn)
    value = name.rdns[0][0].value
    yield dn
    yield f'"{dn}"'
    yield f"  {dn}\r\n"
    yield f"DN: {dn}"
    yield f"distinguishedName: {dn}"
    yield dn.replace(",OU=", " , ou = ")
    yield dn.replace(",OU=", ";OU=")
    yield f"CN={pairs(value, ascii_too=False)},{name.parent}"
    yield ",".join(f"{TYPES[rdn[0].type]}={pairs(rdn[0].value, ascii_too=True)}" for rdn in name.rdns)
    if "\n" not in value:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        yield f'CN="{quoted}",{name.parent}'


def identifiers(entry: Entry) -> Iterator[str]:
    """Write an entry's other identifiers in all their forms."""
    (guid,) = entry.attributes["objectGUID"]
    (sid,) = entry.attributes["objectSid"]
    text = str(uuid.UUID(bytes_le=guid))
    yield from (text, f"{{{text.upper()}}}", guid.hex(), f"<GUID={text}>", f"<GUID={guid.hex()}>")
    yield "".join(f"\\{octet:02x}" for octet in guid)
    yield from (sid_text(sid), f"<SID={sid.hex()}>")
    account, mail = entry.text("sAMAccountName"), entry.text("mail")
    yield from (f"{account}", f"CONTOSO\\{account}", f"{mail}", f"smtp:{mail}", f"<mailto:{mail}|{mail}>")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["embedded", "samba"])
async def directory(request: pytest.FixtureRequest) -> AsyncIterator[LdapDirectory]:
    """Give the adapter on each directory."""
    if request.param == "samba":
        samba: SambaDomainController = request.getfixturevalue("samba")
        adapter = LdapDirectory(settings_of(samba, connections=1))
        yield adapter
        await adapter.close()
        return
    async with DirectoryServer() as server:
        adapter = LdapDirectory(settings_of(server, connections=1))
        yield adapter
        await adapter.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("entry", PEOPLE, ids=name_of)
async def test_it_is_imported_however_it_is_written(directory: LdapDirectory, entry: Entry) -> None:
    """By DN, in every paste, by GUID, SID, address and account: the same object, with its own name."""
    (guid,) = entry.attributes["objectGUID"]
    for written in (*pastes(entry), *identifiers(entry)):
        found = await directory.resolve(parse_identifier(written), ["objectGUID", "cn"])
        assert found.get("objectGUID") == (guid,), written
        assert found.get("cn") == entry.attributes["cn"], written
        assert parse(found.dn) == parse(entry.dn), written


@pytest.mark.parametrize("entry", [one for one in PEOPLE if "\n" in (one.text("cn") or "")], ids=name_of)
def test_a_line_break_is_never_taken_as_typed(entry: Entry) -> None:
    """A name with a control character is reached as hex pairs or by GUID, never with the character itself."""
    raw = entry.dn.replace("\\0A", "\n")
    assert raw != entry.dn
    with pytest.raises(IdentifierUnsafe):
        parse_identifier(raw)


def test_the_names_are_many() -> None:
    """Nobody is lost from the table by a renamed attribute."""
    assert len(PEOPLE) >= 60
