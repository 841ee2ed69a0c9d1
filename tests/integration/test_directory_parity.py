"""The sandbox directory answers as a real Active Directory does: the same questions, the same answers.

Both hold the same population. What differs on purpose stands in a table of its own, with the reason.
"""

from __future__ import annotations

import re
import ssl
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import BASE, LEVEL, NONE, SAFE_SYNC, SUBTREE, Connection, Server, Tls
from ldap3.protocol.microsoft import extended_dn_control

from sandbox.directory import DirectoryPolicy
from sandbox.directory.selecting import sid_text
from sandbox.people import BASE_DN, bind_passwords, directory_entries, interesting_people
from tests.fixtures.directories import Query, ask, connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.directory import DirectoryServer
    from tests.fixtures.samba.domain_controller import SambaDomainController

pytestmark = pytest.mark.timeout(300)  # the first test of a session provisions the domain

CONTOSO = f"OU=Contoso,{BASE_DN}"
GROUPS = f"OU=Groups,{CONTOSO}"
RESEARCH = f"OU=Research\\, Development,OU=Zürich,OU=Europe,OU=Corp,{CONTOSO}"
ENTRIES = {entry.dn: entry for entry in directory_entries()}
CASES = {person.case: person.identifier for person in interesting_people()}
ADA = CASES["create"]
FIRST = f"CN=Adriana Achterberg,OU=Engineering,OU=Berlin,OU=Europe,OU=Corp,{CONTOSO}"
KATHERINE = CASES["unchanged"]
APOLLO = CASES["group-40"]
ADA_GUID = ENTRIES[ADA].attributes["objectGUID"][0]
ADA_SID = ENTRIES[ADA].attributes["objectSid"][0]
GUID_TEXT = str(uuid.UUID(bytes_le=ADA_GUID))
LOCKED = f"CN=svc-locked,OU=Service Accounts,{CONTOSO}"
DOMAIN_SCOPE = ("1.2.840.113556.1.4.1339", True, None)
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)

# Attributes that no two directories share, each with its reason.
VOLATILE = {
    "uSNCreated": "counts the writes of one server",
    "uSNChanged": "counts the writes of one server",
    "whenChanged": "the moment of loading",
    "modifyTimeStamp": "the moment of loading",
    "lastLogon": "a bind leaves its time",
    "lastLogonTimestamp": "a bind leaves its time",
    "logonCount": "a bind is counted",
    "badPwdCount": "a refused bind is counted",
    "badPasswordTime": "a refused bind leaves its time",
}


@dataclass(frozen=True)
class Pair:
    """Hold the two servers and a bound connection to each."""

    samba: SambaDomainController
    sandbox: DirectoryServer
    to_samba: Any
    to_sandbox: Any


@pytest.fixture(scope="module")
def pair(samba: SambaDomainController) -> Iterator[Pair]:
    """Run the sandbox beside Samba, with its cuts out of the way: Samba has none."""
    policy = DirectoryPolicy(max_page_size=100_000, max_value_range=100_000)
    with ExitStack() as stack:
        sandbox = stack.enter_context(directory_in_thread(starttls_port=0, policy=policy))
        to_samba = stack.enter_context(connection(samba.settings()))
        to_sandbox = stack.enter_context(connection(sandbox.settings()))
        yield Pair(samba, sandbox, to_samba, to_sandbox)


def escaped(raw: bytes) -> str:
    """Write bytes as a filter wants them."""
    return "".join(f"\\{byte:02x}" for byte in raw)


def by_identity() -> Iterator[Query]:
    """Read each interesting object by its name, by both texts of its GUID and by its SID."""
    for case, dn in CASES.items():
        guid = ENTRIES[dn].attributes["objectGUID"][0]
        yield Query(f"{case} by name", dn, attributes=("*",))
        yield Query(f"{case} by GUID as hex", f"<GUID={guid.hex()}>", attributes=("*",))
        yield Query(f"{case} by GUID as text", f"<GUID={uuid.UUID(bytes_le=guid)}>", attributes=("name",))
        for sid in ENTRIES[dn].attributes.get("objectSid", ()):
            yield Query(f"{case} by SID as hex", f"<SID={sid.hex()}>", attributes=("name",))


def by_spelling() -> Iterator[Query]:
    """Write one name in the ways people and programs write it."""
    rest = ADA.partition(",")[2]
    comma = CASES["awkward-comma"]
    bases = {
        "lower case": ADA.lower(),
        "upper case": ADA.upper(),
        "spaces after commas": ADA.replace(",", ", "),
        "spaces round commas": ADA.replace(",", " , "),
        "spaces round equals": ADA.replace("=", " = "),
        "quotes": f'CN="Doe, Jane, Dr.",{comma.split(",", 3)[3]}',
        "hex escape of a comma": comma.replace("CN=Doe\\, Jane\\, Dr.", "CN=Doe\\2C Jane\\2c Dr."),
        "hex escape of letters": f"CN=\\41da Lovelace,{rest}",
        "UTF-8 as hex pairs": f"OU=Z\\C3\\BCrich,OU=Europe,OU=Corp,{CONTOSO}",
        "upper case beyond ASCII": f"OU=ZÜRICH,OU=EUROPE,OU=CORP,{CONTOSO}",
        "lower case beyond ASCII": f"OU=zürich,OU=Europe,OU=Corp,{CONTOSO}",
        "two spaces for one": f"CN=Ada  Lovelace,{rest}",
        "one space for two": f"CN=Two Inner Spaces,{RESEARCH}",
        "leading space left out": f"CN=Leading Space,{RESEARCH}",
        "trailing space left out": f"CN=Trailing Space,{RESEARCH}",
        "a composed letter for a combining mark": f"CN=Café Combining,{RESEARCH}",
        "SID as text": f"<SID={sid_text(ADA_SID)}>",
        "GUID of nobody": f"<GUID={'0' * 32}>",
        "GUID in braces": f"<GUID={{{GUID_TEXT}}}>",
        "GUID that is none": "<GUID=xyz>",
        "identity that is none": "<NONSENSE=1>",
        "identity without an end": f"<GUID={ADA_GUID.hex()}",
        "well-known container": f"<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CD,{BASE_DN}>",
        "semicolon for a comma": ADA.replace(",", ";", 1),
        "comma at the end": f"{ADA},",
        "nobody": f"CN=Nobody,{CONTOSO}",
        "nobody below nothing": f"CN=Nobody,OU=Nowhere,{CONTOSO}",
        "no domain": "CN=Nobody",
        "another kind of name": "O=nothing",
        "not a name": "Ada Lovelace",
        "no type": "=x",
        "no value": "CN=",
        "two values in one RDN": f"CN=a+SN=b,{CONTOSO}",
        "quote unescaped": f'CN=un"escaped,{CONTOSO}',
        "angle brackets unescaped": f"CN=<x>,{CONTOSO}",
        "domain below": f"DC=child,{BASE_DN}",
        "the domain": BASE_DN,
    }
    attributes = {"the domain": ("dc", "objectSid")}
    for reason, base in bases.items():
        yield Query(f"base: {reason}", base, attributes=attributes.get(reason, ("cn", "ou", "name")))


FILTERS = (
    "(objectClass=*)",
    "(objectClass=user)",
    "(objectClass=USER)",
    "(objectClass=person)",
    "(objectClass=inetOrgPerson)",
    "(objectClass=2.5.6.6)",
    "(objectClass=nosuchclass)",
    "(objectCategory=person)",
    "(objectCategory=user)",
    "(objectCategory=group)",
    "(objectCategory=contact)",
    "(objectCategory=computer)",
    f"(objectCategory=CN=Person,CN=Schema,CN=Configuration,{BASE_DN})",
    "(objectCategory=nonsense)",
    "(cn=Ada Lovelace)",
    "(cn=ADA  lovelace)",
    "(cn= Ada Lovelace )",
    "(cn=ada*)",
    "(cn=*lace)",
    "(cn=*a*a*)",
    "(cn=A*e)",
    "(cn=Two  Inner  Spaces)",
    "(cn=Two Inner Spaces)",
    "(cn=\\20Leading Space)",
    "(cn=Leading Space)",
    "(cn=\\23Hash First)",
    "(cn=Star\\2a\\28Paren\\29&|!)",
    "(cn=*\\2a*)",
    "(cn=*\\5c*)",
    "(cn=*🚀*)",
    "(cn=山田 太郎)",
    "(cn=عبد الله שלום)",
    "(cn=Café Combining)",
    "(cn=Cafe\u0301 Combining)",
    "(cn=Wo\u200dman*)",
    "(l=ZÜRICH)",
    "(l=zurich)",
    "(l=łÓDŹ)",
    "(sn=Faßbinder)",
    "(sn=FASSBINDER)",
    "(name=Ada Lovelace)",
    "(sAMAccountName=adalovela322)",
    "(sAMAccountName>=u)",
    "(sAMAccountName<=b)",
    "(mail=*@contoso.test)",
    "(userPrincipalName=ADA.LOVELACE@CONTOSO.TEST)",
    "(proxyAddresses=smtp:ada.lovelace@contoso.test)",
    "(proxyAddresses=SMTP:*)",
    f"(objectGUID={escaped(ADA_GUID)})",
    f"(objectGUID={GUID_TEXT})",
    f"(objectSid={sid_text(ADA_SID)})",
    f"(objectSid={escaped(ADA_SID)})",
    "(mS-DS-ConsistencyGuid=*)",
    "(!(mS-DS-ConsistencyGuid=*))",
    "(userAccountControl:1.2.840.113556.1.4.803:=2)",
    "(userAccountControl:1.2.840.113556.1.4.803:=514)",
    "(userAccountControl:1.2.840.113556.1.4.804:=65538)",
    "(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
    "(groupType:1.2.840.113556.1.4.803:=2147483648)",
    "(groupType:1.2.840.113556.1.4.803:=-2147483648)",
    "(msExchRecipientTypeDetails:1.2.840.113556.1.4.803:=2147483648)",
    "(userAccountControl=514)",
    "(userAccountControl>=66048)",
    "(userAccountControl<=512)",
    "(userAccountControl=abc)",
    "(accountExpires<=133618752000000000)",
    "(accountExpires=0)",
    "(!(accountExpires=0))",
    "(pwdLastSet=0)",
    "(lockoutTime>=1)",
    "(department=Sales)",
    "(department= Sales )",
    "(!(department=Sales))",
    "(!(department=*))",
    "(&(department=Sales)(l=London))",
    "(|(cn=Ada Lovelace)(cn=Alan Turing))",
    "(&(|(l=London)(l=Berlin))(!(department=Sales))(objectClass=user))",
    "(nosuchattribute=*)",
    "(|(cn=Ada Lovelace)(nosuchattribute=x))",
    f"(member={FIRST})",
    f"(member=<GUID={GUID_TEXT}>)",
    "(member=CN=nobody)",
    "(member=nonsense)",
    "(manager=*)",
    f"(manager={KATHERINE})",
    f"(manager={KATHERINE.lower().replace(',', ', ')})",
    f"(memberOf=CN=Nest 0,{GROUPS})",
    f"(memberOf:1.2.840.113556.1.4.1941:=CN=Nest 5,{GROUPS})",
    f"(memberOf:1.2.840.113556.1.4.1941:=CN=Circle A,{GROUPS})",
    f"(member:1.2.840.113556.1.4.1941:={FIRST})",
    f"(manager:1.2.840.113556.1.4.1941:={FIRST})",
    "(directReports=*)",
    f"(distinguishedName={ADA})",
    "(anr=Ada)",
    "(anr=Ada Love)",
    "(anr=Love Ada)",
    "(anr==Ada)",
    "(anr=ada.lovelace@contoso.test)",
    "(anr=achter)",
    "(anr=London/17)",
    "(anr=a b)",
    "(whenCreated>=20200101000000.0Z)",
    "(whenCreated<=20240603100000.0Z)",
    "(msExchHideFromAddressLists=TRUE)",
    "(msExchHideFromAddressLists=FALSE)",
    "(isCriticalSystemObject=TRUE)",
    "(thumbnailPhoto=*)",
    "(canonicalName=*)",
    "(primaryGroupID=513)",
    "(telephoneNumber=+1 555 010 0322)",
    "(cn:=Ada Lovelace)",
    "(employeeNumber>=300)",
    "(postalCode=00111)",
    "(info=line one*)",
    "(streetAddress=*\\0d\\0a*)",
    "(extensionAttribute1=cost*)",
    "(mailNickname=ada.lovelace)",
    "(adminDescription=User_*)",
    "(servicePrincipalName=HTTP/app01)",
    "(ou=Corp)",
)

ATTRIBUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (ADA, ("canonicalName",)),
    (ADA, ("tokenGroups",)),
    (FIRST, ("tokenGroups",)),
    (FIRST, ("memberOf", "directReports", "managedObjects")),
    (ADA, ("msDS-User-Account-Control-Computed",)),
    (LOCKED, ("msDS-User-Account-Control-Computed", "lockoutTime")),
    (
        f"CN=svc-must-change,OU=Service Accounts,{CONTOSO}",
        ("msDS-User-Account-Control-Computed", "pwdLastSet"),
    ),
    (ADA, ("createTimeStamp",)),
    (ADA, ("parentGUID",)),
    (ADA, ("structuralObjectClass",)),
    (ADA, ("subSchemaSubEntry",)),
    (ADA, ("primaryGroupToken",)),
    (APOLLO, ("primaryGroupToken",)),
    (ADA, ("MEMBEROF",)),
    (ADA, ("objectclass", "OBJECTGUID")),
    (ADA, ("2.5.4.3",)),
    (ADA, ("1.1",)),
    (ADA, ("1.1", "cn")),
    (ADA, ("nosuchattribute",)),
    (ADA, ("nosuchattribute", "cn")),
    (ADA, ("*", "canonicalName")),
    (ADA, ("+",)),
    (ADA, ("name", "name")),
    (ADA, ("unicodePwd", "userPassword", "nTSecurityDescriptor")),
    (f"CN=Long Values,OU=Research\\, Development,OU=Berlin,OU=Europe,OU=Corp,{CONTOSO}", ("*",)),
    (
        f"CN=Long Values,OU=Research\\, Development,OU=Berlin,OU=Europe,OU=Corp,{CONTOSO}",
        ("otherTelephone;range=0-99",),
    ),
    (APOLLO, ("member",)),
    (APOLLO, ("member;range=0-9",)),
    (APOLLO, ("member;range=10-19",)),
    (APOLLO, ("member;range=30-*",)),
    (APOLLO, ("member;range=0-*",)),
    (APOLLO, ("member;range=39-39",)),
    (APOLLO, ("member;range=0-999999",)),
    (APOLLO, ("member;range=40-*",)),
    (APOLLO, ("member;range=5-3",)),
    (APOLLO, ("member;range=a-b",)),
    (f"OU=Corp,{CONTOSO}", ("canonicalName", "tokenGroups")),
    (
        f"CN=Domain Users,CN=Users,{BASE_DN}",
        ("sAMAccountName", "isCriticalSystemObject", "groupType", "objectSid"),
    ),
    (f"CN=krbtgt,CN=Users,{BASE_DN}", ("sAMAccountName", "isCriticalSystemObject", "objectSid")),
)


def by_scope() -> Iterator[Query]:
    """Search every scope, with the controls a client sends."""
    corp = f"OU=Corp,{CONTOSO}"
    units = "(objectClass=organizationalUnit)"
    yield Query("one level", corp, units, LEVEL, ("ou",))
    yield Query("subtree", corp, units, SUBTREE, ("ou",))
    yield Query("base that the filter rejects", corp, "(objectClass=user)")
    yield Query("no domain, subtree", "", "(cn=Ada*)", SUBTREE)
    yield Query("no domain, one level", "", "(cn=Ada*)", LEVEL)
    scoped = {"controls": [DOMAIN_SCOPE]}
    yield Query("whole domain", BASE_DN, "(cn=Ada*)", SUBTREE, ("cn",), scoped)
    yield Query("control unknown", ADA, options={"controls": [("1.2.3.4", False, None)]})
    yield Query("critical control unknown", ADA, options={"controls": [("1.2.3.4", True, None)]})
    deleted = {"controls": [SHOW_DELETED]}
    yield Query("deleted objects, as a reader", CONTOSO, "(isDeleted=TRUE)", SUBTREE, ("cn",), deleted)
    names = ("cn", "manager", "memberOf", "distinguishedName")
    for text in (True, False):
        options = {"controls": [extended_dn_control(criticality=True, hex_format=text)]}
        yield Query(f"extended names, hex {text}", ADA, attributes=names, options=options)
    yield Query("time limit", CONTOSO, "(cn=Ada*)", SUBTREE, options={"time_limit": 5})
    yield Query("size limit not reached", CONTOSO, "(cn=Ada*)", SUBTREE, options={"size_limit": 5})


QUERIES = (
    *by_identity(),
    *by_spelling(),
    *(Query(f"filter {text}", CONTOSO, text, SUBTREE) for text in FILTERS),
    *(Query(f"attributes {names} of {dn[:24]}", dn, attributes=names) for dn, names in ATTRIBUTES),
    *by_scope(),
)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_same_answer(pair: Pair, query: Query) -> None:
    """Result code, entries, attribute names and raw values are the same."""
    without = frozenset(VOLATILE)
    assert ask(pair.to_sandbox, query, without=without) == ask(pair.to_samba, query, without=without)


def test_table_is_wide_enough() -> None:
    """The table asks each question once, and at least two hundred of them."""
    assert len({query.reason for query in QUERIES}) == len(QUERIES)
    assert len(QUERIES) >= 200


def test_everybody_is_the_same(pair: Pair) -> None:
    """Every object of contoso has the same attributes in both, values included."""
    query = Query("everything", CONTOSO, scope=SUBTREE, attributes=("*",))
    without = frozenset(VOLATILE)
    ours = ask(pair.to_sandbox, query, without=without)
    theirs = ask(pair.to_samba, query, without=without)
    assert len(ours.entries) > 500
    differing = [name for name in theirs.entries if theirs.entries[name] != ours.entries.get(name)]
    assert differing == []
    assert ours.entries.keys() == theirs.entries.keys()


@dataclass(frozen=True)
class Difference:
    """Describe a search that the two answer differently, and how: result code and number of entries."""

    reason: str
    query: Query
    samba: tuple[int, int]
    sandbox: tuple[int, int]


def searched(text: str) -> Query:
    """Search all of contoso by one filter."""
    return Query(text, CONTOSO, text, SUBTREE, ("1.1",))


EVERYTHING = len([dn for dn in ENTRIES if dn.endswith(CONTOSO)])
DIFFERENCES = (
    Difference(
        "a domain controller refers to other domains, Samba has no such object",
        Query("", "DC=fabrikam,DC=test"),
        (32, 0),
        (10, 0),
    ),
    Difference("so does the parent of the domain", Query("", "DC=test"), (32, 0), (10, 0)),
    Difference(
        "the sandbox has no configuration partition",
        Query("", f"CN=Configuration,{BASE_DN}"),
        (0, 1),
        (32, 0),
    ),
    Difference(
        "RFC 4514 allows object identifiers as types",
        Query("", f"2.5.4.3={ADA.removeprefix('CN=')}"),
        (34, 0),
        (0, 1),
    ),
    Difference(
        "RFC 4514 allows BER after #",
        Query("", f"CN=#040c{b'Ada Lovelace'.hex()},{ADA.partition(',')[2]}"),
        (32, 0),
        (0, 1),
    ),
    Difference(
        "RFC 4514 allows an equals sign inside a value",
        Query("", CASES["awkward-equals"].replace("\\=", "=")),
        (34, 0),
        (0, 1),
    ),
    Difference(
        "an escape of no hexadecimal pair is no name", Query("", f"CN=bad\\zz,{CONTOSO}"), (32, 0), (34, 0)
    ),
    Difference("bytes that are not UTF-8 are no name", Query("", f"CN=\\FF,{CONTOSO}"), (1, 0), (34, 0)),
    Difference(
        "an attribute the schema lacks is undefined, and so is its negation",
        searched("(!(nosuchattribute=x))"),
        (0, EVERYTHING),
        (0, 0),
    ),
    Difference(
        "only where the other half is true is a conjunction with the undefined undefined",
        searched("(!(&(cn=Ada Lovelace)(nosuchattribute=x)))"),
        (0, EVERYTHING),
        (0, EVERYTHING - 1),
    ),
    Difference("a number compares with numbers only", searched("(uSNChanged>=abc)"), (0, EVERYTHING), (0, 0)),
    Difference("a time compares with times only", searched("(whenCreated>=abc)"), (0, EVERYTHING), (0, 0)),
    Difference("names have no parts to match", searched("(memberOf=CN=Circle A*)"), (0, 2), (0, 0)),
    Difference("spaces inside a part count", searched("(cn=*  *)"), (0, 0), (0, 1)),
    Difference("approximately equal means equal", searched("(givenName~=ada)"), (1, 0), (0, 1)),
    Difference(
        "a filter may name its attribute by object identifier",
        searched("(2.5.4.3=Ada Lovelace)"),
        (0, 0),
        (0, 1),
    ),
    Difference(
        "Samba takes no notice of the client's size limit",
        Query("", CONTOSO, scope=SUBTREE, attributes=("1.1",), options={"size_limit": 3}),
        (0, EVERYTHING),
        (4, 3),
    ),
)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.reason)
def test_difference_on_purpose(pair: Pair, difference: Difference) -> None:
    """A difference is known, and both sides still behave as the table says."""
    theirs = ask(pair.to_samba, difference.query)
    ours = ask(pair.to_sandbox, difference.query)
    assert (theirs.code, len(theirs.entries)) == difference.samba
    assert (ours.code, len(ours.entries)) == difference.sandbox


def test_known_differences_of_values(pair: Pair) -> None:
    """A canonicalName escapes as documented, msDS-PrincipalName exists, references are for ldap."""

    def one(client: Any, dn: str, name: str) -> list[bytes]:
        _, _, response, _ = client.search(dn, "(objectClass=*)", BASE, attributes=[name])
        values: list[bytes] = response[0]["raw_attributes"].get(name, [])
        return values

    slash = CASES["awkward-slash"]
    assert one(pair.to_samba, slash, "canonicalName")[0].endswith(b"/Research\\, Development/Slash/Name")
    assert one(pair.to_sandbox, slash, "canonicalName")[0].endswith(b"/Research, Development/Slash\\/Name")
    assert one(pair.to_samba, ADA, "msDS-PrincipalName") == []
    assert one(pair.to_sandbox, ADA, "msDS-PrincipalName") == [b"CONTOSO\\adalovela322"]
    query = Query("", BASE_DN, "(ou=Contoso)", SUBTREE, ("ou",))
    tail = f"contoso.test/CN=Configuration,{BASE_DN}"
    assert ask(pair.to_samba, query).references == (f"ldaps://{tail}",)
    assert ask(pair.to_sandbox, query).references == (f"ldap://{tail}",)


def test_missing_object_names_the_nearest_parent(pair: Pair) -> None:
    """The sandbox gives matchedDN as Windows does; Samba leaves it empty."""
    dn = f"CN=Nobody,OU=Nowhere,{GROUPS}"
    assert pair.to_sandbox.search(dn, "(objectClass=*)", BASE, attributes=["cn"])[1]["dn"] == GROUPS
    assert pair.to_samba.search(dn, "(objectClass=*)", BASE, attributes=["cn"])[1]["dn"] == ""


@pytest.mark.parametrize("size", [7, 100, 260, EVERYTHING - 1, EVERYTHING, EVERYTHING + 1])
def test_paging(pair: Pair, size: int) -> None:
    """Pages hold what was asked for, and together everything once."""

    def pages(client: Any) -> tuple[list[int], int]:
        sizes: list[int] = []
        names: set[str] = set()
        cookie = None
        while True:
            _, result, response, _ = client.search(
                CONTOSO, "(objectClass=*)", SUBTREE, attributes=["1.1"], paged_size=size, paged_cookie=cookie
            )
            sizes += [len(response)] if response else []  # Samba adds an empty page when the last was full
            names.update(part["dn"] for part in response)
            cookie = result["controls"]["1.2.840.113556.1.4.319"]["value"]["cookie"]
            if not cookie:
                return sizes, len(names)

    sizes, names = pages(pair.to_sandbox)
    assert names == EVERYTHING
    assert (sizes, names) == pages(pair.to_samba)


@pytest.mark.parametrize("step", [1, 9, 10, 40, 100])
def test_ranges(pair: Pair, step: int) -> None:
    """A range loop gets every member once, in the same steps."""

    def slices(client: Any) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        first = 0
        while True:
            asked = f"member;range={first}-{first + step - 1}"
            _, _, response, _ = client.search(APOLLO, "(objectClass=*)", BASE, attributes=[asked])
            ((name, values),) = response[0]["raw_attributes"].items()
            found.append((name, len(values)))
            if name.endswith("-*"):
                return found
            first += step

    ours = slices(pair.to_sandbox)
    assert sum(count for _, count in ours) == 40
    assert ours == slices(pair.to_samba)


TOMBSTONES = [entry for entry in directory_entries() if "lastKnownParent" in entry.attributes]


def test_tombstones(pair: Pair) -> None:
    """Who may see the deleted, and asks, sees what is left of them; the reader sees nothing."""
    shown = {"controls": [SHOW_DELETED]}
    without = frozenset({*VOLATILE, "whenCreated"})  # Samba made and deleted them while loading
    with (
        directory_in_thread(policy=DirectoryPolicy(readers_see_deleted=True)) as generous,
        connection(generous.settings()) as ours,
        connection(
            pair.samba.settings(), dn=pair.samba.admin_dn, password=pair.samba.admin_password
        ) as theirs,
    ):
        for entry in TOMBSTONES:
            guid = f"<GUID={entry.attributes['objectGUID'][0].hex()}>"
            for base in (guid, entry.dn):
                query = Query("", base, attributes=("*",), options=shown)
                answer = ask(ours, query, without=without)
                assert len(answer.entries) == 1
                assert answer == ask(theirs, query, without=without)
            for client in (ours, theirs):
                assert ask(client, Query("", guid)).code == 32
            for client in (pair.to_sandbox, pair.to_samba):
                assert ask(client, Query("", guid, options=shown)).entries == {}
        account = f"(sAMAccountName={TOMBSTONES[0].text('sAMAccountName')})"
        options = {"controls": [SHOW_DELETED, DOMAIN_SCOPE]}
        query = Query("", BASE_DN, account, SUBTREE, ("lastKnownParent",), options)
        assert ask(ours, query) == ask(theirs, query)
        assert len(ask(ours, query).entries) == 1


def sub_code(settings: dict[str, str], dn: str, password: str) -> str:
    """Try to bind and return AD's sub-code, or `ok`."""
    with connection(settings, dn=dn, password=password, bind=False) as client:
        _, result, _, _ = client.bind()
    if result["result"] == 0:
        return "ok"
    found = re.search(r"AcceptSecurityContext error, data ([0-9a-f]+),", result["message"])
    assert result["result"] == 49
    assert found is not None, result["message"]
    return found[1]


@pytest.mark.parametrize(
    ("account", "right", "expected"),
    [
        ("svc-fourcheck", True, "ok"),
        ("svc-fourcheck", False, "52e"),
        ("svc-disabled", True, "533"),
        ("svc-disabled", False, "52e"),
        ("svc-expired", True, "701"),
        ("svc-expired", False, "52e"),
        ("svc-must-change", True, "773"),
        ("svc-must-change", False, "52e"),
        ("svc-locked", True, "775"),
        ("svc-nobody", True, "52e"),
    ],
)
def test_refused_binds(pair: Pair, account: str, right: bool, expected: str) -> None:  # noqa: FBT001  # a table's column
    """Each reason to refuse a logon has the sub-code that Active Directory documents."""
    dn = f"CN={account},OU=Service Accounts,{CONTOSO}"
    password = bind_passwords().get(dn, "Not-the-password-1") if right else "Not-the-password-1"
    assert sub_code(pair.sandbox.settings(), dn, password) == expected
    assert sub_code(pair.samba.settings(), dn, password) == expected


@pytest.mark.parametrize("name", ["svc-fourcheck@contoso.test", "CONTOSO\\svc-fourcheck"])
def test_bind_by_other_names(pair: Pair, name: str) -> None:
    """The implicit UPN and the pre-Windows 2000 name log on as the DN does."""
    password = pair.sandbox.settings()["FOURCHECK_DIRECTORY__BIND_PASSWORD"]
    assert sub_code(pair.sandbox.settings(), name, password) == "ok"
    assert sub_code(pair.samba.settings(), name, password) == "ok"


def test_plain_bind_is_refused_and_starttls_works(pair: Pair) -> None:
    """A password is taken inside TLS only, whichever way TLS began."""
    for url, settings in (
        (pair.sandbox.starttls_url, pair.sandbox.settings()),
        (pair.samba.starttls_url, pair.samba.settings()),
    ):
        with connection(settings, url=url, bind=False) as client:
            client.open()
            assert client.bind()[1]["result"] == 8
            assert client.start_tls()
            assert client.bind()[1]["result"] == 0
            assert ask(client, Query("", ADA)).code == 0


def test_search_without_a_bind(pair: Pair) -> None:
    """Only the root DSE is for everybody."""
    for settings in (pair.sandbox.settings(), pair.samba.settings()):
        trust = Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=settings["FOURCHECK_DIRECTORY__CA_FILE"],
            version=ssl.PROTOCOL_TLS_CLIENT,
        )
        server = Server(settings["FOURCHECK_DIRECTORY__URLS"], tls=trust, get_info=NONE)
        client = Connection(server, client_strategy=SAFE_SYNC, check_names=False, receive_timeout=20)
        try:
            client.open()
            assert client.search(ADA, "(objectClass=*)", BASE, attributes=["cn"])[1]["result"] == 1
            _, result, response, _ = client.search(
                "", "(objectClass=*)", BASE, attributes=["defaultNamingContext"]
            )
            assert result["result"] == 0
            assert response[0]["raw_attributes"]["defaultNamingContext"] == [BASE_DN.encode()]
        finally:
            client.unbind()


def test_root_dse(pair: Pair) -> None:
    """What a client needs of the root DSE is the same, and the clock is right."""
    names = (
        "defaultNamingContext",
        "rootDomainNamingContext",
        "configurationNamingContext",
        "schemaNamingContext",
        "subschemaSubentry",
        "dnsHostName",
        "supportedLDAPVersion",
        "isSynchronized",
    )
    query = Query("", "", attributes=names)
    assert ask(pair.to_sandbox, query) == ask(pair.to_samba, query)
    for client in (pair.to_sandbox, pair.to_samba):
        _, _, response, _ = client.search("", "(objectClass=*)", BASE, attributes=["currentTime"])
        text = response[0]["raw_attributes"]["currentTime"][0].decode()
        moment = datetime.strptime(text, "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC)
        assert abs(moment - datetime.now(UTC)) < timedelta(seconds=60)
