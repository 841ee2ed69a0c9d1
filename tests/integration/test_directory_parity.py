"""The sandbox directory answers as a real Active Directory does: the same questions, the same answers.

Both hold the same population. What differs on purpose stands in a table of its own, with the reason.
"""

from __future__ import annotations

import re
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import BASE, NONE, SAFE_SYNC, SUBTREE, Connection, Server, Tls

from sandbox.directory import DirectoryPolicy
from sandbox.people import BASE_DN, bind_passwords, directory_entries
from tests.fixtures.directories import Query, ask, connection, directory_in_thread
from tests.fixtures.directory_differences import DIFFERENCES, EVERYTHING, Difference
from tests.fixtures.directory_filters import ADA, CASES, GROUPS
from tests.fixtures.directory_questions import (
    APOLLO,
    CONTOSO,
    DOMAIN_SCOPE,
    GENERATED,
    QUERIES,
    SHOW_DELETED,
    SHOW_RECYCLED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.directory import DirectoryServer
    from tests.fixtures.samba.domain_controller import SambaDomainController

pytestmark = pytest.mark.timeout(300)  # the first test of a session provisions the domain

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


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_same_answer(pair: Pair, query: Query) -> None:
    """Result code, entries, attribute names and raw values are the same."""
    without = frozenset(VOLATILE)
    assert ask(pair.to_sandbox, query, without=without) == ask(pair.to_samba, query, without=without)


def test_every_story_is_found_by_each_of_its_names(pair: Pair) -> None:
    """Objects with a story: by DN, by both texts of the GUID and by SID, with all their attributes."""
    without = frozenset(VOLATILE)
    differing = [
        query.reason
        for query in GENERATED
        if ask(pair.to_sandbox, query, without=without) != ask(pair.to_samba, query, without=without)
    ]
    assert differing == []
    assert len(GENERATED) > 100


def test_table_is_wide_enough() -> None:
    """Each of at least two hundred questions has a reason of its own; those by the dozen do not count."""
    assert len({query.reason for query in QUERIES}) == len(QUERIES)
    assert len({repr(query)[len(repr(query.reason)) :] for query in QUERIES}) == len(QUERIES)
    assert len(QUERIES) >= 450
    features = (
        "anr: ",
        "bit and: ",
        "bit or: ",
        "chain: ",
        "range: ",
        "base: ",
        "well-known",
        "GUID",
        "SID",
        "root DSE",
    )
    for feature in features:
        assert sum(feature in query.reason for query in QUERIES) >= 3, feature


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


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.reason)
def test_difference_on_purpose(pair: Pair, difference: Difference) -> None:
    """A difference is known, and both sides still behave as the table says."""
    theirs = ask(pair.to_samba, difference.query)
    ours = ask(pair.to_sandbox, difference.query)
    assert (theirs.code, len(theirs.entries)) == difference.samba
    assert (ours.code, len(ours.entries)) == difference.sandbox


def test_known_differences_of_values(pair: Pair) -> None:
    """Escapes, computed names, types without values, options in capitals, references: as documented."""

    def one(client: Any, dn: str, name: str) -> list[bytes]:
        _, _, response, _ = client.search(dn, "(objectClass=*)", BASE, attributes=[name])
        values: list[bytes] = response[0]["raw_attributes"].get(name, [])
        return values

    slash = CASES["awkward-slash"]
    assert one(pair.to_samba, slash, "canonicalName")[0].endswith(b"/Research\\, Development/Slash/Name")
    assert one(pair.to_sandbox, slash, "canonicalName")[0].endswith(b"/Research, Development/Slash\\/Name")
    assert one(pair.to_samba, ADA, "msDS-PrincipalName") == []
    assert one(pair.to_sandbox, ADA, "msDS-PrincipalName") == [b"CONTOSO\\adalovela322"]
    types = Query("", ADA, attributes=("cn", "title"), options={"types_only": True})
    assert list(ask(pair.to_samba, types).entries.values()) == [
        {"cn": (b"Ada Lovelace",), "title": (b"Analyst",)}
    ]
    assert list(ask(pair.to_sandbox, types).entries.values()) == [{"cn": (), "title": ()}]
    capitals = Query("", APOLLO, attributes=("member;RANGE=0-4",))
    assert [len(v) for e in ask(pair.to_samba, capitals).entries.values() for v in e.values()] == [40]
    assert [len(v) for e in ask(pair.to_sandbox, capitals).entries.values() for v in e.values()] == [5]
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
    recycled = {"controls": [SHOW_RECYCLED]}
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
                query = Query("", base, attributes=("*",), options=recycled)
                assert answer == ask(ours, query, without=without) == ask(theirs, query, without=without)
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
