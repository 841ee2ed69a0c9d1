"""$filter, $select, $orderby, $count and paging: what directory objects take, by default and advanced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

UNSUPPORTED = "Unsupported or invalid query filter clause specified for property"
TOO_MANY = "Too many child clauses specified in search filter expression containing 'OR' operators"
EVENTUAL = {"ConsistencyLevel": "eventual"}


async def listed(caller: Caller, path: str, headers: Any = None, **params: str) -> list[str]:
    """Give the display names of an answer that must be 200."""
    query = {f"${name}": value for name, value in params.items()}
    response = await caller.send("GET", path, params=query, headers=headers)
    assert response.status_code == 200, response.text
    return [one["displayName"] for one in response.json()["value"]]


async def refused(caller: Caller, path: str, headers: Any = None, **params: str) -> tuple[str, str]:
    """Give code and message of an answer that must be 400."""
    query = {f"${name}": value for name, value in params.items()}
    response = await caller.send("GET", path, params=query, headers=headers)
    assert response.status_code == 400, response.text
    body = response.json()["error"]
    return body["code"], body["message"]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("userPrincipalName eq 'ada@contoso.test'", ["Ada"]),
        ("userPrincipalName eq 'ADA@CONTOSO.TEST'", ["Ada"]),
        ("userPrincipalName eq 'o''brien@contoso.test'", ["O'Brien"]),
        ("surname eq 'O''Brien'", ["O'Brien"]),
        ("onPremisesImmutableId eq 'q+8/AbCdEfGhIjKlMnOpQg=='", ["Ada"]),
        ("mail eq 'nobody@contoso.test'", []),
        ("proxyAddresses/any(p:p eq 'smtp:ada@contoso.test')", ["Ada"]),
        ("proxyAddresses/any(p:startsWith(p,'smtp:a'))", ["Ada"]),
        ("onPremisesSecurityIdentifier eq 'S-1-5-21-1-2-3-1001'", ["Sam"]),
        ("startsWith(displayName,'a')", ["Ada"]),
        ("startswith(displayName,'a')", ["Ada"]),
        ("accountEnabled eq true and startsWith(displayName,'s')", ["Sam"]),
        ("department eq 'Research' or department eq 'Security'", ["Sam", "Pat"]),
        ("(department eq 'Research' or department eq 'Security') and displayName eq 'Pat'", ["Pat"]),
        ("department eq 'Research' or department eq 'Security' and displayName eq 'Nobody'", ["Sam"]),
        ("userPrincipalName in ('ada@contoso.test','pat@contoso.test')", ["Ada", "Pat"]),
        ("id in ('aaaaaaaa-0000-4000-8000-000000000001')", ["Ada"]),
        ("onPremisesSyncEnabled eq true", ["Sam"]),
        ("userPrincipalName eq 'ada@contoso.test'  ", ["Ada"]),
    ],
)
async def test_filters_that_work_by_default(caller: Caller, expression: str, names: list[str]) -> None:
    """These need no header: equality, in, startsWith, any, and, or, brackets; strings regardless of case."""
    assert await listed(caller, "/users", filter=expression) == names


@pytest.mark.parametrize(
    ("expression", "names", "operator"),
    [
        ("department ne 'Research'", ["Ada", "Pat", "Former", "O'Brien"], "ne"),
        ("not startsWith(displayName,'a')", ["Sam", "Pat", "Former", "O'Brien"], "not"),
        ("not(displayName eq 'Ada') and department eq 'Research'", ["Sam"], "not"),
        ("endsWith(mail,'@contoso.test')", ["Ada", "O'Brien"], "endsWith"),
        ("endsWith(userPrincipalName,'a@contoso.test')", ["Ada"], "endsWith"),
    ],
)
async def test_operators_that_need_the_advanced_parameters(
    caller: Caller, expression: str, names: list[str], operator: str
) -> None:
    """The operators ne, not and endsWith want the header and $count=true; either alone is refused."""
    message = (
        f"Operator '{operator}' is not supported because the required parameters might be missing. "
        "Try adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to "
        "https://aka.ms/graph-docs/advanced-queries for more information"
    )
    wanted = ("Request_UnsupportedQuery", message)
    assert await refused(caller, "/users", filter=expression) == wanted
    assert await refused(caller, "/users", filter=expression, count="true") == wanted
    assert await refused(caller, "/users", EVENTUAL, filter=expression) == wanted
    assert await listed(caller, "/users", EVENTUAL, filter=expression, count="true") == names


@pytest.mark.parametrize(
    ("path", "expression", "name", "resource"),
    [
        ("/users", "companyName eq 'x'", "companyName", "User"),
        ("/users", "employeeType eq 'x'", "employeeType", "User"),
        ("/users", "officeLocation eq 'x'", "officeLocation", "User"),
        ("/users", "mobilePhone eq 'x'", "mobilePhone", "User"),
        ("/users", "onPremisesSamAccountName eq 'x'", "onPremisesSamAccountName", "User"),
        (
            "/users",
            "onPremisesExtensionAttributes/extensionAttribute1 eq 'x'",
            "onPremisesExtensionAttributes/extensionAttribute1",
            "User",
        ),
        ("/users", "department eq null", "department", "User"),
        ("/groups", "description eq 'x'", "description", "Group"),
    ],
)
async def test_properties_that_are_indexed_for_advanced_queries_only(
    caller: Caller, path: str, expression: str, name: str, resource: str
) -> None:
    """A property of the other index, and null, are refused by default and found by an advanced query."""
    assert await refused(caller, path, filter=expression) == (
        "Request_UnsupportedQuery",
        f"{UNSUPPORTED} '{name}' of resource '{resource}'.",
    )
    await listed(caller, path, EVENTUAL, filter=expression, count="true")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("onPremisesDistinguishedName eq 'x'", "no index at all"),
        ("startsWith(employeeHireDate,'x')", "a date has no beginning"),
        ("endsWith(department,'x')", "endsWith is for four properties"),
        ("proxyAddresses eq 'x'", "a list is asked with any"),
        ("onPremisesExtensionAttributes eq 'x'", "a complex value is asked by its members"),
        ("displayName/first eq 'x'", "a text has no members"),
        ("proxyAddresses/any(p:displayName eq 'x')", "the condition is about the element"),
    ],
)
async def test_properties_that_cannot_be_filtered_so(caller: Caller, expression: str, reason: str) -> None:
    """No index for it: refused even with the advanced parameters."""
    code, message = await refused(caller, "/users", EVENTUAL, filter=expression, count="true")
    assert code == "Request_UnsupportedQuery", reason
    assert message.startswith("Unsupported or invalid query filter clause specified for property '"), reason


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("displayName eq", "BadRequest"),
        ("displayName eq 'open", "BadRequest"),
        ("displayName eq 'O'Brien'", "BadRequest"),
        ("displayName = 'x'", "BadRequest"),
        ("displayName like 'x'", "BadRequest"),
        ("(displayName eq 'x'", "BadRequest"),
        ("displayName eq 'x')", "BadRequest"),
        ("displayName eq 'x' displayName eq 'y'", "BadRequest"),
        ("eq 'x'", "BadRequest"),
        ("", "BadRequest"),
        ("displayName eq true", "BadRequest"),
        ("accountEnabled eq 'true'", "BadRequest"),
        ("displayName eq 5", "BadRequest"),
        ("displayName eq 2026-01-01", "BadRequest"),
        ("onPremisesLastSyncDateTime ge '2026-01-01'", "BadRequest"),
        ("startsWith(displayName,5)", "BadRequest"),
        ("(" * 60 + "displayName eq 'x'" + ")" * 60, "BadRequest"),
        ("nonsense eq 'x'", "Request_UnsupportedQuery"),
        ("nonsense/any(n:n eq 'x')", "Request_UnsupportedQuery"),
    ],
)
async def test_expressions_that_cannot_be_read(caller: Caller, expression: str, code: str) -> None:
    """A malformed filter is 400, and an unclosed or undoubled quote never reaches another clause."""
    assert (await refused(caller, "/users", EVENTUAL, filter=expression, count="true"))[0] == code


async def test_at_most_fifteen_alternatives(caller: Caller) -> None:
    """The service takes fifteen clauses in `or`, and fifteen values in `in`."""
    clauses = [f"displayName eq 'x{number}'" for number in range(16)]
    await listed(caller, "/users", filter=" or ".join(clauses[:15]))
    code, message = await refused(caller, "/users", filter=" or ".join(clauses))
    assert (code, message) == (
        "Request_UnsupportedQuery",
        f"{TOO_MANY}: 16. Max allowed: 15.",
    )
    values = ",".join(f"'x{number}'" for number in range(16))
    assert (await refused(caller, "/users", filter=f"id in ({values})"))[0] == "Request_UnsupportedQuery"


async def test_a_plus_sign_that_is_not_encoded_is_a_space(caller: Caller) -> None:
    """An anchor in a hand-built address loses its plus signs; encoded as %2B it is found."""
    bare = "/users?$filter=onPremisesImmutableId%20eq%20'q+8/AbCdEfGhIjKlMnOpQg=='"
    assert (await caller.send("GET", bare)).json()["value"] == []
    found = (await caller.send("GET", bare.replace("+", "%2B"))).json()["value"]
    assert [one["displayName"] for one in found] == ["Ada"]


async def test_select_gives_exactly_what_is_asked(caller: Caller, ids: Any) -> None:
    """$select: these properties and no other, null when never set; unknown names are refused."""
    read = await caller.get(f"/users/{ids['ada']}", _select="displayName,city,otherMails")
    del read["@odata.context"]
    assert read == {"displayName": "Ada", "city": None, "otherMails": []}
    code, message = await refused(caller, "/users", select="displayName,jobTitel")
    assert code == "Request_UnsupportedQuery"
    assert message == "Property 'jobTitel' does not exist as a declared property or extension property."


async def test_pages_follow_an_absolute_link_from_the_requests_own_host(caller: Caller) -> None:
    """Paging: $top sets the page, @odata.nextLink is absolute with $skiptoken and ends with the last page."""
    first = await caller.get("/users", _top="2", _select="displayName", _filter="accountEnabled eq true")
    assert [one["displayName"] for one in first["value"]] == ["Ada", "Sam"]
    link = first["@odata.nextLink"]
    assert link.startswith(f"{caller.server.url}/v1.0/users?")
    assert "$skiptoken=" in link
    second = (await caller.http.get(link)).json()
    assert [one["displayName"] for one in second["value"]] == ["Pat", "Former"]
    third = (await caller.http.get(second["@odata.nextLink"])).json()
    assert [one["displayName"] for one in third["value"]] == ["O'Brien"]
    assert "@odata.nextLink" not in third
    renamed = await caller.http.get(link, headers={"Host": "localhost:1"})
    assert renamed.json()["@odata.nextLink"].startswith("http://localhost:1/v1.0/users?")


@pytest.mark.parametrize("top", ["0", "1000", "-1", "many", "", "²"])
async def test_page_sizes_have_limits(caller: Caller, top: str) -> None:
    """$top: 1 to 999."""
    assert await refused(caller, "/users", top=top) == (
        "Request_UnsupportedQuery",
        f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.",
    )


async def test_a_page_token_belongs_to_its_query(caller: Caller) -> None:
    """$skiptoken: one that was made up, or made for another query, has expired."""
    first = await caller.get("/users", _top="2")
    token = first["@odata.nextLink"].partition("$skiptoken=")[2]
    for params in ({"skiptoken": "x"}, {"skiptoken": "WzFd"}, {"skiptoken": token, "top": "3"}):
        assert (await refused(caller, "/users", **params))[0] == "Directory_ExpiredPageToken"


async def test_count_needs_the_header(caller: Caller) -> None:
    """$count=true alone is ignored without a word; the /$count segment alone is refused."""
    assert "@odata.count" not in await caller.get("/users", _count="true")
    counted = await caller.send("GET", "/users?$count=true&$top=1", headers=EVENTUAL)
    assert counted.json()["@odata.count"] == 5
    assert await refused(caller, "/users/$count") == (
        "Request_BadRequest",
        "$count is not currently supported.",
    )
    segment = await caller.send("GET", "/users/$count", headers=EVENTUAL)
    assert (segment.status_code, segment.text) == (200, "5")
    assert segment.headers["Content-Type"].startswith("text/plain")


async def test_order_by_name_and_not_together_with_a_filter(caller: Caller) -> None:
    """$orderby: displayName works by default, with $filter only as an advanced query."""
    assert await listed(caller, "/users", orderby="displayName desc") == [
        "Sam",
        "Pat",
        "O'Brien",
        "Former",
        "Ada",
    ]
    both = {"orderby": "displayName", "filter": "accountEnabled eq true"}
    assert (await refused(caller, "/users", **both))[0] == "Request_UnsupportedQuery"
    assert await listed(caller, "/users", EVENTUAL, count="true", **both) == [
        "Ada",
        "Former",
        "O'Brien",
        "Pat",
        "Sam",
    ]
    assert (await refused(caller, "/users", orderby="city"))[0] == "Request_UnsupportedQuery"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"search": '"displayName:a"'}, "Request_UnsupportedQuery"),
        ({"skip": "1"}, "BadRequest"),
        ({"expand": "memberOf"}, "BadRequest"),
        ({"expand": "manager($levels=2)"}, "BadRequest"),
    ],
)
async def test_options_that_are_not_taken(caller: Caller, params: dict[str, str], code: str) -> None:
    """Query options that the directory does not know are refused, not ignored."""
    assert (await refused(caller, "/users", **params))[0] == code


async def test_members_may_be_filtered_by_kind(caller: Caller, ids: Any) -> None:
    """A list of members is of mixed kinds, each marked with @odata.type; a cast gives one kind."""
    body = {"@odata.id": f"{caller.server.url}/v1.0/groups/{ids['dynamic']}"}
    path = f"/groups/{ids['security']}/members"
    assert (await caller.send("POST", f"{path}/$ref", json=body)).status_code == 204
    mixed = (await caller.get(path, _select="id"))["value"]
    assert mixed == [
        {"@odata.type": "#microsoft.graph.user", "id": ids["ada"]},
        {"@odata.type": "#microsoft.graph.group", "id": ids["dynamic"]},
    ]
    for cast in ("microsoft.graph.user", "graph.user"):
        users = (await caller.get(f"{path}/{cast}", _select="id,userPrincipalName"))["value"]
        assert users == [{"id": ids["ada"], "userPrincipalName": "ada@contoso.test"}]
    assert await listed(caller, "/groups", filter="groupTypes/any(c:c eq 'Unified')") == ["Team"]
