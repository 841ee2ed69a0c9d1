"""Every identifier of every object leads to that object, and to no other."""

from __future__ import annotations

import pytest

from pipeline import values
from pipeline.adapters.ldap import LdapDirectory
from pipeline.dn import from_directory, parse
from pipeline.errors import (
    ConfigurationInvalid,
    DirectoryReferral,
    IdentifierMalformed,
    ObjectAmbiguous,
    ObjectNotFound,
    RequestError,
)
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from sandbox.people import BASE_DN, Entry, InterestingPerson, directory_entries, interesting_people
from sandbox.people.entry import TOP_DN
from tests.contract.ldap.conftest import group_of, made, serving_to

ADA = "CN=Ada Lovelace,OU=Engineering,OU=London,OU=Europe,OU=Corp,OU=Contoso,DC=contoso,DC=test"
AWKWARD = [person for person in interesting_people() if person.case.startswith("awkward-")]
ALL = {entry.dn: entry for entry in directory_entries()}
ENTRIES = {dn: entry for dn, entry in ALL.items() if "isDeleted" not in entry.attributes}
WANTED = ["cn", "objectGUID", "objectClass", "userPrincipalName", "proxyAddresses", "thumbnailPhoto"]


def escaped_otherwise(dn: str) -> str:
    """Write a name with every character of its values as hex pairs, and its types as identifiers."""
    types = {"CN": "2.5.4.3", "OU": "2.5.4.11", "DC": "0.9.2342.19200300.100.1.25"}
    return ",".join(
        f"{types[rdn[0].type]}=" + "".join(f"\\{octet:02x}" for octet in rdn[0].value.encode())
        for rdn in parse(dn).rdns
    )


async def test_every_object_is_found_by_name_and_by_guid(directory: LdapDirectory) -> None:
    """Each of contoso's objects is read by its DN and its objectGUID, with the values it has."""
    for dn, entry in ENTRIES.items():
        by_name = await directory.resolve(parse_identifier(dn), ["cn", "objectGUID"])
        (guid,) = values.texts("objectGUID", by_name.get("objectGUID"))
        by_guid = await directory.resolve(parse_identifier(guid), ["cn"])
        assert parse(by_name.dn) == parse(by_guid.dn) == parse(dn)
        assert by_name.get("cn") == entry.attributes.get("cn", ())


async def test_deleted_objects_are_not_found(directory: LdapDirectory) -> None:
    """A deleted object is not there any more, neither by its old place nor by its name among the deleted."""
    deleted = ALL.keys() - ENTRIES.keys()
    assert len(deleted) > 1
    for dn in deleted:
        with pytest.raises(ObjectNotFound):
            await directory.resolve(parse_identifier(str(from_directory(dn))), ["cn"])


@pytest.mark.parametrize("person", AWKWARD, ids=lambda person: person.case)
async def test_awkward_names_are_found_however_they_are_pasted(
    directory: LdapDirectory, person: InterestingPerson
) -> None:
    """A name with special characters is found as is, quoted, spaced, escaped otherwise and by identifiers."""
    dn = person.identifier
    name = parse(dn)
    quoted = '"' + name.rdns[0][0].value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    pastes = [
        dn,
        f'"{dn}"',
        f"  {dn}\r\n",
        f"DN: {dn}",
        dn.replace(",OU=", " , ou = "),
        dn.replace(",OU=", ";OU="),
        escaped_otherwise(dn),
        f"CN={quoted},{name.parent}",
    ]
    for paste in pastes:
        found = await directory.resolve(parse_identifier(paste), WANTED)
        assert parse(found.dn) == name, paste
        assert found.get("cn") == ENTRIES[dn].attributes["cn"]


@pytest.mark.parametrize("dn", [ADA, *(person.identifier for person in AWKWARD)], ids=ascii)
async def test_every_other_identifier_leads_to_the_same_object(directory: LdapDirectory, dn: str) -> None:
    """SID, GUID in its forms, UPN, mail, proxy address and account name all name the object."""
    entry = await directory.resolve(
        parse_identifier(dn),
        ["objectGUID", "objectSid", "userPrincipalName", "mail", "proxyAddresses", "sAMAccountName"],
    )
    texts = {name: values.texts(name, entry.get(name)) for name in entry.attributes}
    (guid,), (sid,) = texts["objectGUID"], texts["objectSid"]
    typed = [
        guid,
        guid.upper(),
        f"{{{guid}}}",
        entry.get("objectGUID")[0].hex(),
        f"<GUID={guid}>",
        sid,
        f"<SID={sid}>",
        f"<SID={entry.get('objectSid')[0].hex()}>",
        texts["userPrincipalName"][0],
        texts["userPrincipalName"][0].upper(),
        texts["mail"][0],
        *texts["proxyAddresses"],
        texts["sAMAccountName"][0],
        f"CONTOSO\\{texts['sAMAccountName'][0]}",
        f"contoso.test\\{texts['sAMAccountName'][0]}",
    ]
    for text in typed:
        found = await directory.resolve(parse_identifier(text), ["cn"])
        assert found.dn == entry.dn, text


async def test_the_directory_s_own_name_is_the_identity(directory: LdapDirectory) -> None:
    """Whatever was typed, the entry's DN is the directory's, in the one strict form."""
    entry = await directory.resolve(parse_identifier(ADA.lower().replace(",", " ; ")), ["cn"])
    assert entry.dn == str(parse(ADA))


async def test_attributes_are_those_asked_for(directory: LdapDirectory) -> None:
    """Nothing is read that was not named; names the schema lacks are left out without an error."""
    entry = await directory.resolve(parse_identifier(ADA), ["CN", "cn", "noSuchAttribute", "mail"])
    assert {name.lower() for name in entry.attributes} == {"cn", "mail"}
    assert entry.controller
    assert entry.read_at.tzinfo is not None
    nothing = await directory.resolve(parse_identifier(ADA), [])
    assert dict(nothing.attributes) == {}


@pytest.mark.parametrize("name", ["*", "+", "1.1", "cn;range=0-1", "cn)(x", ""])
async def test_only_attributes_are_asked_by_name(directory: LdapDirectory, name: str) -> None:
    """A wildcard or anything else that names no attribute is refused before it is sent."""
    with pytest.raises(ConfigurationInvalid):
        await directory.resolve(parse_identifier(ADA), ["cn", name])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (f"CN=Nobody,OU=Corp,{TOP_DN}", f"OU=Corp,{TOP_DN}"),
        (f"CN=Nobody,OU=Nowhere,OU=At all,{TOP_DN}", TOP_DN),
        (f"CN=Nobody,{BASE_DN}", BASE_DN),
    ],
    ids=["its container exists", "two containers are missing", "below the domain"],
)
async def test_a_name_that_is_not_there_tells_how_far_it_is_right(
    directory: LdapDirectory, typed: str, told: str
) -> None:
    """The nearest container that exists is named, so that a typing error is found."""
    with pytest.raises(ObjectNotFound) as caught:
        await directory.resolve(parse_identifier(typed), ["cn"])
    assert "“Nobody”" in caught.value.message
    assert f", {told} exists" in caught.value.message


@pytest.mark.parametrize(
    "typed",
    [
        "00000000-0000-0000-0000-000000000001",
        "S-1-5-21-1-2-3-4",
        "nobody@contoso.test",
        "nobody",
        "x500:/o=nobody",
        "CONTOSO\\nobody",
    ],
)
async def test_an_identifier_of_nothing_is_named_in_the_refusal(directory: LdapDirectory, typed: str) -> None:
    """What was looked for is in the sentence, whichever kind of identifier it is."""
    with pytest.raises(ObjectNotFound) as caught:
        await directory.resolve(parse_identifier(typed), ["cn"])
    assert typed.rpartition("\\")[2] in caught.value.message


@pytest.mark.parametrize("typed", ["CN=Someone,DC=fabrikam,DC=test", r"FABRIKAM\svc-fourcheck"])
async def test_another_domain_is_named(directory: LdapDirectory, typed: str) -> None:
    """An object of another domain is not looked for here under the same name."""
    with pytest.raises(DirectoryReferral) as caught:
        await directory.resolve(parse_identifier(typed), ["cn"])
    assert "fabrikam" in caught.value.message.lower()


async def test_a_name_the_directory_cannot_read_is_not_found(directory: LdapDirectory) -> None:
    """A name with a type that no schema has ends as not found, not as a defect."""
    with pytest.raises(ObjectNotFound):
        await directory.resolve(parse_identifier(f"NOTYPE=x,{BASE_DN}"), ["cn"])


async def test_several_hits_are_listed_never_guessed() -> None:
    """An address that two objects answer to names both and reads neither."""
    entries = group_of(3)
    doubles = [
        Entry(e.dn, {**e.attributes, "mail": (b"same@contoso.test",)}) if e.dn.startswith("CN=User") else e
        for e in entries
    ]
    async with serving_to(doubles) as directory:
        with pytest.raises(ObjectAmbiguous) as caught:
            await directory.resolve(parse_identifier("same@contoso.test"), ["cn"])
    assert caught.value.message.startswith("3 objects")
    assert all(f"CN=User {n},{BASE_DN}" in caught.value.message for n in range(3))


async def test_many_hits_are_not_all_listed() -> None:
    """Beyond ten hits the list ends and says so."""
    entries = [Entry(e.dn, {**e.attributes, "mail": (b"same@contoso.test",)}) for e in group_of(20)]
    async with serving_to(entries) as directory:
        with pytest.raises(ObjectAmbiguous) as caught:
            await directory.resolve(parse_identifier("same@contoso.test"), ["cn"])
    assert caught.value.message.startswith("More than 10 objects")
    assert caught.value.message.count(";") == 9


async def test_a_direction_override_in_a_name_is_not_obeyed() -> None:
    """A name with a misleading character is reachable as hex pairs or by GUID, and comes back escaped."""
    odd = made(f"CN=a\u202eb,{BASE_DN}", 77, cn=("a\u202eb".encode(),))
    async with serving_to([*group_of(1), odd]) as directory:
        by_pairs = await directory.resolve(parse_identifier(rf"CN=a\E2\80\AEb,{BASE_DN}"), ["cn"])
        by_guid = await directory.resolve(parse_identifier(f"{77:032x}"), ["cn"])
    assert by_pairs.dn == by_guid.dn == rf"CN=a\E2\80\AEb,{BASE_DN}"


INJECTED = [
    "*",
    "*)(objectClass=*",
    "ada)(|(objectClass=*)",
    "*))(|(cn=*",
    "\\2a",
    "\\",
    "a\\00b",
    "(cn=*)",
    "&",
    "|(a=b)",
    "!",
    "a,OU=Corp",
    "a+CN=b",
    "#04024869",
    "<GUID=1>",
    "Ada*",
    " Ada",
    "x;range=0-*",
    "DC=contoso,DC=test",
]


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("kind", [IdentifierKind.ADDRESS, IdentifierKind.ACCOUNT])
async def test_no_value_widens_a_search(directory: LdapDirectory, kind: IdentifierKind, text: str) -> None:
    """Even an identifier that skipped parsing finds nothing but an object of exactly that value."""
    with pytest.raises(ObjectNotFound):
        await directory.resolve(Identifier(kind, text), ["cn"])


@pytest.mark.parametrize("text", INJECTED)
async def test_no_name_reads_another_object(directory: LdapDirectory, text: str) -> None:
    """A hostile relative name in a pasted DN finds nothing, or is refused; never an object elsewhere."""
    with pytest.raises((ObjectNotFound, IdentifierMalformed, DirectoryReferral)) as caught:
        await directory.resolve(parse_identifier(f"CN={text},OU=Corp,{TOP_DN}"), ["cn"])
    assert isinstance(caught.value, RequestError | ObjectNotFound | DirectoryReferral)
