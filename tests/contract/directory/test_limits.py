"""What a Windows domain controller does and Samba does not: cuts, referrals, nearest parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import BASE, MODIFY_REPLACE, SUBTREE

from sandbox.directory import DirectoryPolicy, DirectoryServer
from sandbox.people import BASE_DN, directory_entries, interesting_people
from tests.fixtures.directories import connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = f"CN=Long Values,OU=Research\\, Development,OU=Berlin,OU=Europe,OU=Corp,OU=Contoso,{BASE_DN}"
ADA = interesting_people()[0].identifier
PAGED = "1.2.840.113556.1.4.319"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Connect to a directory with the limits of Active Directory, but a page of 100 entries."""
    with (
        directory_in_thread(policy=DirectoryPolicy(max_page_size=100)) as server,
        connection(server.settings()) as bound,
    ):
        yield bound


def read(client: Any, *attributes: str, base: str = LONG) -> dict[str, list[bytes]]:
    """Read one entry's attributes, those without values included."""
    _, result, response, _ = client.search(base, "(objectClass=*)", BASE, attributes=list(attributes))
    assert result["result"] == 0, result
    return {name: values or [] for name, values in response[0]["raw_attributes"].items()}


@pytest.mark.parametrize("asked", ["otherTelephone", "*"])
def test_values_are_cut_unasked(client: Any, asked: str) -> None:
    """Above MaxValRange the plain attribute is empty and the first 1,500 values come under a range."""
    got = read(client, asked)
    assert got["otherTelephone"] == []
    assert len(got["otherTelephone;range=0-1499"]) == 1500


def test_rest_of_the_values(client: Any) -> None:
    """The next slice starts where the first ended and says that it is the last."""
    got = read(client, "otherTelephone;range=1500-*")
    assert [(name, len(values)) for name, values in got.items()] == [("otherTelephone;range=1500-*", 100)]


@pytest.mark.parametrize("asked", ["otherTelephone;range=0-*", "otherTelephone;range=0-1599"])
def test_asking_for_more_than_the_limit(client: Any, asked: str) -> None:
    """A range never holds more than MaxValRange values, whatever was asked."""
    ((name, values),) = read(client, asked).items()
    assert (name, len(values)) == ("otherTelephone;range=0-1499", 1500)


def test_entries_are_cut_unasked(client: Any) -> None:
    """Above MaxPageSize an unpaged search ends with sizeLimitExceeded and the first entries."""
    _, result, response, _ = client.search(BASE_DN, "(objectClass=user)", SUBTREE, attributes=["1.1"])
    assert (result["result"], len(response)) == (4, 100)


def test_page_is_cut(client: Any) -> None:
    """A page larger than MaxPageSize comes in pages of MaxPageSize."""
    _, result, response, _ = client.search(
        BASE_DN, "(objectClass=user)", SUBTREE, attributes=["1.1"], paged_size=5000
    )
    assert (result["result"], len(response)) == (0, 100)
    assert result["controls"][PAGED]["value"]["cookie"]


def test_client_size_limit(client: Any) -> None:
    """The client's own limit counts, paged or not."""
    for options in ({}, {"paged_size": 50}):
        _, result, response, _ = client.search(
            BASE_DN, "(objectClass=user)", SUBTREE, attributes=["1.1"], size_limit=3, **options
        )
        assert (result["result"], len(response)) == (4, 3)


def test_cookie_is_good_once(client: Any) -> None:
    """A cookie that was used, or never given, is refused."""
    search = {"attributes": ["1.1"], "paged_size": 50}
    _, result, _, _ = client.search(BASE_DN, "(objectClass=user)", SUBTREE, **search)
    cookie = result["controls"][PAGED]["value"]["cookie"]
    for expected in (0, 12):
        _, result, _, _ = client.search(BASE_DN, "(objectClass=user)", SUBTREE, paged_cookie=cookie, **search)
        assert result["result"] == expected


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("DC=fabrikam,DC=test", "ldap://fabrikam.test/DC=fabrikam,DC=test"),
        ("CN=Someone,OU=People,DC=fabrikam,DC=test", "ldap://fabrikam.test/DC=fabrikam,DC=test"),
        ("DC=test", "ldap://test/DC=test"),
    ],
)
def test_other_domains_are_referred_to(client: Any, base: str, url: str) -> None:
    """A name outside the forest's domain answers with a referral to its domain."""
    _, result, _, _ = client.search(base, "(objectClass=*)", BASE, attributes=["cn"])
    assert (result["result"], result["referrals"]) == (10, [url])


@pytest.mark.parametrize(
    ("base", "nearest"),
    [
        (f"CN=Nobody,OU=Corp,OU=Contoso,{BASE_DN}", f"OU=Corp,OU=Contoso,{BASE_DN}"),
        (f"CN=Nobody,OU=Nowhere,OU=Corp,OU=Contoso,{BASE_DN}", f"OU=Corp,OU=Contoso,{BASE_DN}"),
        (f"CN=Below,{ADA}", ADA),
        (f"CN=Nobody,{BASE_DN}", BASE_DN),
        ("CN=Nobody", ""),
    ],
)
def test_nearest_parent(client: Any, base: str, nearest: str) -> None:
    """A missing object answers with the nearest ancestor that exists, in matchedDN and in the text."""
    _, result, _, _ = client.search(base, "(objectClass=*)", BASE, attributes=["cn"])
    assert (result["result"], result["dn"]) == (32, nearest)
    assert f"best match of:\n\t'{nearest}'" in result["message"]


def test_writing_is_refused(client: Any) -> None:
    """The account of the bot may read and nothing else."""
    change = {"title": [(MODIFY_REPLACE, ["Hacked"])]}
    assert client.modify(ADA, change)[1]["result"] == 50
    assert client.delete(ADA)[1]["result"] == 50
    assert client.add(f"CN=New,{BASE_DN}", "user")[1]["result"] == 50
    assert client.modify_dn(ADA, "CN=Other")[1]["result"] == 50
    assert read(client, "title", base=ADA)["title"] == [b"Analyst"]


def test_who_am_i(client: Any) -> None:
    """The extended operation of RFC 4532 names the account."""
    assert client.extend.standard.who_am_i() == "u:CONTOSO\\svc-fourcheck"


def test_unknown_extended_operation(client: Any) -> None:
    """An extended operation that nobody knows is a protocol error, not the end of the connection."""
    assert client.extended("1.2.3.4")[1]["result"] == 2
    assert read(client, "cn", base=ADA)["cn"] == [b"Ada Lovelace"]


def test_own_entries() -> None:
    """A test may bring its own directory, of which parents come first and names are single."""
    head = [entry for entry in directory_entries() if entry.dn == BASE_DN]
    DirectoryServer(entries=head)
    with pytest.raises(ValueError, match="two entries"):
        DirectoryServer(entries=head * 2)
    orphan = [entry for entry in directory_entries() if entry.dn == ADA]
    with pytest.raises(ValueError, match="no parent"):
        DirectoryServer(entries=orphan)


def test_an_unknown_control_counts_when_it_is_critical(client: Any) -> None:
    """RFC 4511, section 4.1.11: an unknown critical control refuses the search, another is ignored."""

    def code(*, critical: bool) -> int:
        controls = [("1.2.3.4", critical, None)]
        found: int = client.search(BASE_DN, "(objectClass=*)", BASE, controls=controls)[1]["result"]
        return found

    assert (code(critical=True), code(critical=False)) == (12, 0)
