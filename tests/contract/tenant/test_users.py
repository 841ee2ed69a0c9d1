"""Users: what may be written, what is refused and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

ABSENT = "does not exist or one of its queried reference-property objects are not present."
UNVERIFIED = (
    "The domain portion of the userPrincipalName property is invalid. "
    "You must use one of the verified domain names in your organization."
)
WEAK = (
    "The specified password does not comply with password complexity requirements. "
    "Please provide a different password."
)
MASTERED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects "
    "or objects currently undergoing migration."
)
GRACE: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "Grace Hopper",
    "mailNickname": "grace",
    "userPrincipalName": "grace@contoso.test",
    "passwordProfile": {"password": "Long-enough-9", "forceChangePasswordNextSignIn": True},
}


def error(response: Any) -> tuple[int, str, str]:
    """Give status, code and message of an error answer."""
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


async def test_create_answers_201_with_location_and_the_eleven_default_properties(caller: Caller) -> None:
    """Create user: 201, Location, the default projection, and never the password."""
    response = await caller.send("POST", "/users", json=GRACE)
    assert response.status_code == 201
    body = response.json()
    assert set(body) - {"@odata.context"} == {
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
    assert body["@odata.context"] == f"{caller.server.url}/v1.0/$metadata#users/$entity"
    assert response.headers["Location"].endswith(f"/users/{body['id']}")
    assert body["businessPhones"] == []
    read = await caller.get(f"/users/{body['id']}", _select="accountEnabled,passwordProfile,userType")
    assert (read["accountEnabled"], read["passwordProfile"], read["userType"]) == (True, None, "Member")


@pytest.mark.parametrize(
    "name", ["accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"]
)
async def test_create_wants_the_five_required_properties(caller: Caller, name: str) -> None:
    """Create user: each of the five required properties is missed by name."""
    body = {key: value for key, value in GRACE.items() if key != name}
    response = await caller.send("POST", "/users", json=body)
    assert error(response) == (
        400,
        "Request_BadRequest",
        f"A value is required for property '{name}' of resource 'User'.",
    )


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("displayName", 256),
        ("givenName", 64),
        ("surname", 64),
        ("department", 64),
        ("companyName", 64),
        ("mailNickname", 64),
        ("mobilePhone", 64),
        ("jobTitle", 128),
        ("city", 128),
        ("state", 128),
        ("country", 128),
        ("employeeId", 16),
        ("postalCode", 40),
        ("streetAddress", 1024),
    ],
)
async def test_texts_have_their_documented_lengths(caller: Caller, name: str, limit: int, ids: Any) -> None:
    """Update user: the longest allowed text is taken, one character more is refused with InvalidLength."""
    fits = await caller.send("PATCH", f"/users/{ids['ada']}", json={name: "x" * limit})
    too_long = await caller.send("PATCH", f"/users/{ids['ada']}", json={name: "x" * (limit + 1)})
    assert fits.status_code == 204
    assert error(too_long)[2] == f"Invalid value specified for property '{name}' of resource 'User'."
    assert too_long.json()["error"]["details"][0]["code"] == "InvalidLength"
    assert (await caller.get(f"/users/{ids['ada']}", _select=name))[name] == "x" * limit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("proxyAddresses", ["smtp:x@contoso.test"]),
        ("onPremisesSyncEnabled", True),
        ("onPremisesSamAccountName", "ada"),
        ("onPremisesSecurityIdentifier", "S-1-5-21-9"),
        ("onPremisesDistinguishedName", "CN=Ada"),
        ("onPremisesDomainName", "contoso.test"),
        ("onPremisesUserPrincipalName", "ada@contoso.test"),
        ("onPremisesLastSyncDateTime", "2026-01-01T00:00:00Z"),
        ("createdDateTime", "2026-01-01T00:00:00Z"),
        ("id", "aaaaaaaa-0000-4000-8000-000000000001"),
        ("assignedLicenses", []),
        ("manager", {"id": "x"}),
    ],
)
async def test_what_only_the_service_sets_is_refused(caller: Caller, name: str, value: Any, ids: Any) -> None:
    """v1.0 takes none of the properties that belong to Exchange, to the sync service or to the system."""
    response = await caller.send("PATCH", f"/users/{ids['ada']}", json={name: value})
    assert error(response) == (
        400,
        "Request_BadRequest",
        f"Property '{name}' is read-only and cannot be set.",
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("usageLocation", "GBR", "two letters"),
        ("usageLocation", "", "no empty text"),
        ("jobTitle", "", "an empty text is no value; null clears"),
        ("jobTitle", 7, "a number is no text"),
        ("accountEnabled", "true", "a text is no boolean"),
        ("accountEnabled", None, "cannot be cleared"),
        ("displayName", None, "cannot be cleared"),
        ("businessPhones", ["1", "2"], "one number only"),
        ("businessPhones", "1", "a list, not a text"),
        ("mail", "no-at-sign", "an address"),
        ("mail", "zoë@contoso.test", "no accents"),
        ("mailNickname", "a b", "no space"),
        ("mailNickname", "a@b", "no at sign"),
        ("mailNickname", "zoë", "ASCII only"),
        ("onPremisesImmutableId", "with$dollar", "no dollar sign"),
        ("employeeHireDate", "yesterday", "a date"),
        ("otherMails", ["x"], "addresses"),
        ("employeeOrgData", {"costCenter": 7}, "its members are texts"),
    ],
)
async def test_values_of_the_wrong_kind_are_refused(
    caller: Caller, name: str, value: Any, reason: str, ids: Any
) -> None:
    """Update user: a value that does not fit is refused by the property's name, and nothing changes."""
    before = await caller.get(f"/users/{ids['ada']}", _select=name)
    response = await caller.send("PATCH", f"/users/{ids['ada']}", json={name: value})
    message = f"Invalid value specified for property '{name}' of resource 'User'."
    assert error(response) == (400, "Request_BadRequest", message), reason
    assert await caller.get(f"/users/{ids['ada']}", _select=name) == before


async def test_null_for_a_list_is_refused_and_an_empty_list_clears(caller: Caller, ids: Any) -> None:
    """A list takes [] and never null; a single value is cleared by null."""
    refused = await caller.send("PATCH", f"/users/{ids['ada']}", json={"businessPhones": None})
    assert error(refused)[2].startswith("A null value was found for the property named 'businessPhones'")
    cleared = await caller.send(
        "PATCH", f"/users/{ids['ada']}", json={"businessPhones": [], "jobTitle": None}
    )
    assert cleared.status_code == 204
    read = await caller.get(f"/users/{ids['ada']}", _select="businessPhones,jobTitle")
    assert (read["businessPhones"], read["jobTitle"]) == ([], None)


async def test_unknown_properties_are_refused(caller: Caller, ids: Any) -> None:
    """A misspelt name is an error, not a wish: in a body and inside a complex value."""
    for body in ({"jobTitel": "x"}, {"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}}):
        response = await caller.send("PATCH", f"/users/{ids['ada']}", json=body)
        assert response.status_code == 400
        assert "does not exist as a declared property" in error(response)[2]


async def test_complex_values_merge_member_by_member(caller: Caller, ids: Any) -> None:
    """Update user: an extension attribute that is not sent stays as it is; one sent as null is cleared."""
    path = f"/users/{ids['ada']}"
    for members in ({"extensionAttribute1": "a", "extensionAttribute2": "b"}, {"extensionAttribute2": None}):
        response = await caller.send("PATCH", path, json={"onPremisesExtensionAttributes": members})
        assert response.status_code == 204
    read = (await caller.get(path, _select="onPremisesExtensionAttributes"))["onPremisesExtensionAttributes"]
    assert len(read) == 15
    assert (read["extensionAttribute1"], read["extensionAttribute2"]) == ("a", None)
    too_long = {"onPremisesExtensionAttributes": {"extensionAttribute1": "x" * 1025}}
    assert (await caller.send("PATCH", path, json=too_long)).status_code == 400


@pytest.mark.parametrize(
    ("upn", "message"),
    [
        ("zoë@contoso.test", "Property userPrincipalName is invalid."),
        ("with space@contoso.test", "Property userPrincipalName is invalid."),
        ("@contoso.test", "Property userPrincipalName is invalid."),
        ("dot.@contoso.test", "Property userPrincipalName is invalid."),
        ("nothing", "Property userPrincipalName is invalid."),
        ("x" * 65 + "@contoso.test", "Property userPrincipalName is invalid."),
        (
            "a@elsewhere.test",
            UNVERIFIED,
        ),
        (
            "a@unverified.test",
            UNVERIFIED,
        ),
    ],
)
async def test_a_upn_is_made_of_allowed_characters_in_a_verified_domain(
    caller: Caller, upn: str, message: str
) -> None:
    """UPN: the alias characters, and a domain that the tenant has verified."""
    response = await caller.send("POST", "/users", json=GRACE | {"userPrincipalName": upn})
    assert error(response) == (400, "Request_BadRequest", message)


@pytest.mark.parametrize(
    "upn", ["o'neil@contoso.test", "a.b-c_d!e#f^g~h@CONTOSO.test", "x@contoso.onmicrosoft.test"]
)
async def test_odd_but_allowed_upns_are_taken(caller: Caller, upn: str) -> None:
    """UPN: all special characters of the policy pass, and a user is found by it in a path."""
    response = await caller.send("POST", "/users", json=GRACE | {"userPrincipalName": upn})
    assert response.status_code == 201
    quoted = upn.replace("#", "%23").replace("^", "%5E")
    assert (await caller.get(f"/users/{quoted.upper()}"))["userPrincipalName"] == upn


async def test_a_federated_user_needs_an_anchor_and_no_password(caller: Caller) -> None:
    """Create user: in a federated domain onPremisesImmutableId is required."""
    body = {key: value for key, value in GRACE.items() if key != "passwordProfile"}
    body["userPrincipalName"] = "grace@federated.test"
    without = await caller.send("POST", "/users", json=body)
    assert error(without)[2] == "A value is required for property 'onPremisesImmutableId' of resource 'User'."
    with_anchor = await caller.send("POST", "/users", json=body | {"onPremisesImmutableId": "abc="})
    assert with_anchor.status_code == 201


@pytest.mark.parametrize("password", ["Short-9", "alllowercaseletters", "lowercase-and-marks", None])
async def test_weak_passwords_are_refused(caller: Caller, password: str | None) -> None:
    """Passwords: eight characters and three of four classes."""
    response = await caller.send("POST", "/users", json=GRACE | {"passwordProfile": {"password": password}})
    assert error(response) == (
        400,
        "Request_BadRequest",
        WEAK,
    )


async def test_a_taken_upn_is_a_conflict_whatever_its_case(caller: Caller) -> None:
    """The UPN is unique: 400 Request_BadRequest with the detail ObjectConflict."""
    response = await caller.send("POST", "/users", json=GRACE | {"userPrincipalName": "ADA@contoso.test"})
    message = "Another object with the same value for property userPrincipalName already exists."
    assert error(response) == (400, "Request_BadRequest", message)
    assert response.json()["error"]["details"] == [
        {"code": "ObjectConflict", "message": message, "target": "userPrincipalName"}
    ]


async def test_a_taken_anchor_names_the_other_object(caller: Caller, ids: Any) -> None:
    """The anchor is unique: a second detail, ConflictingObjects, points to its holder."""
    body = {"onPremisesImmutableId": "q+8/AbCdEfGhIjKlMnOpQg=="}
    response = await caller.send("PATCH", f"/users/{ids['obrien']}", json=body)
    message = "Another object with the same value for property onPremisesImmutableId already exists."
    assert error(response) == (400, "Request_BadRequest", message)
    assert [(one["code"], one["target"]) for one in response.json()["error"]["details"]] == [
        ("ObjectConflict", "onPremisesImmutableId"),
        ("ConflictingObjects", f"User_{ids['ada']}"),
    ]


async def test_an_anchor_set_to_its_own_value_is_no_conflict(caller: Caller, ids: Any) -> None:
    """A user does not stand in its own way."""
    body = {"onPremisesImmutableId": "q+8/AbCdEfGhIjKlMnOpQg==", "userPrincipalName": "Ada@contoso.test"}
    assert (await caller.send("PATCH", f"/users/{ids['ada']}", json=body)).status_code == 204


async def test_mail_becomes_the_primary_proxy_address(caller: Caller, ids: Any) -> None:
    """Mail: the new value leads proxyAddresses, the old primary stays as a secondary address."""
    assert (
        await caller.send("PATCH", f"/users/{ids['ada']}", json={"mail": "al@contoso.test"})
    ).status_code == 204
    read = await caller.get(f"/users/{ids['ada']}", _select="mail,proxyAddresses")
    assert read["mail"] == "al@contoso.test"
    assert read["proxyAddresses"] == ["SMTP:al@contoso.test", "smtp:ada@contoso.test"]


async def test_a_mail_that_another_holds_is_stored_and_quietly_no_proxy_address(
    caller: Caller, ids: Any
) -> None:
    """Mail: when another object has the address the write succeeds and proxyAddresses does not change."""
    response = await caller.send("PATCH", f"/users/{ids['former']}", json={"mail": "ADA@contoso.test"})
    assert response.status_code == 204
    read = await caller.get(f"/users/{ids['former']}", _select="mail,proxyAddresses")
    assert (read["mail"], read["proxyAddresses"]) == ("ADA@contoso.test", [])


@pytest.mark.parametrize("body", [{"jobTitle": "x"}, {"accountEnabled": False}, {"mail": "s@contoso.test"}])
async def test_a_synced_user_is_read_only(caller: Caller, body: Any, ids: Any) -> None:
    """A user that the sync service masters takes no directory property."""
    response = await caller.send("PATCH", f"/users/{ids['sam']}", json=body)
    assert error(response) == (
        400,
        "Request_BadRequest",
        MASTERED,
    )


async def test_a_synced_user_takes_what_the_cloud_owns(caller: Caller, ids: Any) -> None:
    """Its usageLocation is set in the cloud, on synced users too."""
    assert (
        await caller.send("PATCH", f"/users/{ids['sam']}", json={"usageLocation": "GB"})
    ).status_code == 204


async def test_a_formerly_synced_user_keeps_its_extension_attributes_from_graph(
    caller: Caller, ids: Any
) -> None:
    """Extension attributes of a formerly synced user belong to Exchange."""
    body = {"onPremisesExtensionAttributes": {"extensionAttribute1": "x"}}
    response = await caller.send("PATCH", f"/users/{ids['former']}", json=body)
    assert error(response)[2].endswith("for objects that have originated within an external service.")
    assert (await caller.send("PATCH", f"/users/{ids['former']}", json={"city": "Paris"})).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"accountEnabled": False},
        {"businessPhones": []},
        {"mobilePhone": "1"},
        {"onPremisesImmutableId": "abc="},
        {"otherMails": []},
        {"userPrincipalName": "pat2@contoso.test"},
    ],
)
async def test_sensitive_properties_of_a_privileged_user_are_forbidden(
    caller: Caller, body: Any, ids: Any
) -> None:
    """Sensitive actions on holders of an administrator role need more than User.ReadWrite.All."""
    response = await caller.send("PATCH", f"/users/{ids['pat']}", json=body)
    assert error(response) == (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )


async def test_other_properties_of_a_privileged_user_are_writable_but_not_its_life(
    caller: Caller, ids: Any
) -> None:
    """A privileged user takes a job title; deleting it is sensitive."""
    assert (await caller.send("PATCH", f"/users/{ids['pat']}", json={"jobTitle": "x"})).status_code == 204
    assert (await caller.send("DELETE", f"/users/{ids['pat']}")).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["nobody@contoso.test", "dddddddd-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000001"],
)
async def test_absent_and_deleted_users_are_not_found(caller: Caller, path: str) -> None:
    """404 Request_ResourceNotFound names what was asked for."""
    for method, how in (("GET", {}), ("PATCH", {"json": {"jobTitle": "x"}}), ("DELETE", {})):
        response = await caller.send(method, f"/users/{path}", **how)
        assert error(response) == (
            404,
            "Request_ResourceNotFound",
            f"Resource '{path}' {ABSENT}",
        )


async def test_a_refused_write_changes_nothing(caller: Caller, ids: Any) -> None:
    """Validate all, then apply: one bad property keeps the good ones out."""
    body = {"jobTitle": "Reader", "department": "x" * 65}
    assert (await caller.send("PATCH", f"/users/{ids['ada']}", json=body)).status_code == 400
    assert (await caller.get(f"/users/{ids['ada']}", _select="jobTitle"))["jobTitle"] == "Countess"
