"""Groups, their members and owners, and the upsert by uniqueName."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

NEW: dict[str, Any] = {
    "displayName": "Analysts",
    "mailNickname": "analysts",
    "mailEnabled": False,
    "securityEnabled": True,
}
UNIFIED = {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": False}
ABSENT = "does not exist or one of its queried reference-property objects are not present."
NOBODY = "dddddddd-0000-4000-8000-000000000001"


def error(response: Any) -> tuple[int, str, str]:
    """Give status, code and message of an error answer."""
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


def link(object_id: str, kind: str = "directoryObjects") -> dict[str, str]:
    """Give the body of a $ref write."""
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/{kind}/{object_id}"}


async def members(caller: Caller, group_id: str) -> list[str]:
    """Give the ids of a group's members."""
    return [one["id"] for one in (await caller.get(f"/groups/{group_id}/members"))["value"]]


async def people(caller: Caller, count: int) -> list[str]:
    """Create users and give their ids."""
    made = []
    for number in range(count):
        body = {
            "accountEnabled": True,
            "displayName": f"Person {number}",
            "mailNickname": f"person{number}",
            "userPrincipalName": f"person{number}@contoso.test",
            "passwordProfile": {"password": "Long-enough-9"},
        }
        made.append((await caller.send("POST", "/users", json=body)).json()["id"])
    return made


async def test_create_answers_201_with_the_default_properties(caller: Caller) -> None:
    """Create group: 201, Location, and defaults that speak of a cloud-only security group."""
    response = await caller.send("POST", "/groups", json=NEW)
    assert response.status_code == 201
    body = response.json()
    assert response.headers["Location"].endswith(f"/groups/{body['id']}")
    assert (body["groupTypes"], body["onPremisesSyncEnabled"], body["proxyAddresses"]) == ([], None, [])
    assert (body["createdDateTime"], body["mail"]) == ("2026-03-14T15:09:26Z", None)
    assert body["securityIdentifier"].startswith("S-1-12-1-")
    assert "members" not in body


@pytest.mark.parametrize("name", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
async def test_create_wants_the_four_required_properties(caller: Caller, name: str) -> None:
    """Create group: each of the four required properties is missed by name."""
    response = await caller.send("POST", "/groups", json={key: NEW[key] for key in NEW if key != name})
    assert error(response) == (
        400,
        "Request_BadRequest",
        f"A value is required for property '{name}' of resource 'Group'.",
    )


MAIL_ENABLED = (
    "The service does not currently support writes of mail-enabled groups. "
    "Please ensure that the mail-enablement property is unset and the security-enablement property is set."
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mailEnabled": True}, MAIL_ENABLED),
        ({"mailEnabled": True, "securityEnabled": False}, MAIL_ENABLED),
        ({"securityEnabled": False}, "One or more property values specified are invalid."),
        ({"groupTypes": ["Unified"]}, "One or more property values specified are invalid."),
        ({"groupTypes": ["Other"]}, "One or more property values specified are invalid."),
        ({"groupTypes": ["DynamicMembership"]}, "One or more property values specified are invalid."),
        ({"mail": "a@contoso.test"}, "Property 'mail' is read-only and cannot be set."),
        (
            {"onPremisesSecurityIdentifier": "S-1"},
            "Property 'onPremisesSecurityIdentifier' is read-only and cannot be set.",
        ),
        ({"uniqueName": "x"}, "Property 'uniqueName' is read-only and cannot be set."),
        ({"mailNickname": "a b"}, "Invalid value specified for property 'mailNickname' of resource 'Group'."),
        (
            {"mailNickname": "o'brien"},
            "Invalid value specified for property 'mailNickname' of resource 'Group'.",
        ),
        (
            {"description": "x" * 1025},
            "Invalid value specified for property 'description' of resource 'Group'.",
        ),
        ({"nonsense": 1}, "Property 'nonsense' does not exist as a declared property or extension property."),
    ],
)
async def test_groups_that_cannot_be_created(caller: Caller, change: Any, message: str) -> None:
    """Create group: mail-enabled kinds belong to Exchange; other refusals name what is wrong."""
    assert error(await caller.send("POST", "/groups", json=NEW | change)) == (
        400,
        "Request_BadRequest",
        message,
    )


async def test_a_microsoft_365_group_has_an_address_and_a_unique_nickname(caller: Caller) -> None:
    """Microsoft 365 groups: an address in the initial domain; the nickname is unique among them only."""
    body = (await caller.send("POST", "/groups", json=NEW | UNIFIED)).json()
    assert body["mail"] == "analysts@contoso.onmicrosoft.test"
    assert body["proxyAddresses"] == ["SMTP:analysts@contoso.onmicrosoft.test"]
    again = await caller.send("POST", "/groups", json=NEW | UNIFIED)
    assert error(again)[0] == 400
    assert again.json()["error"]["details"][0]["code"] == "ObjectConflict"
    for _ in range(2):
        assert (await caller.send("POST", "/groups", json=NEW)).status_code == 201


async def test_upsert_creates_updates_and_without_the_header_only_updates(caller: Caller) -> None:
    """Upsert group: 201 with Prefer: create-if-missing, then 204; without the header 404 when absent."""
    path = "/groups(uniqueName='ad-0f8fad5b')"
    prefer = {"Prefer": "create-if-missing"}
    absent = await caller.send("PATCH", path, json=NEW)
    assert error(absent)[:2] == (404, "Request_ResourceNotFound")
    made = await caller.send("PATCH", path, json=NEW, headers=prefer)
    assert (made.status_code, made.json()["uniqueName"]) == (201, "ad-0f8fad5b")
    changed = await caller.send("PATCH", path, json=NEW | {"displayName": "Renamed"}, headers=prefer)
    assert (changed.status_code, changed.content) == (204, b"")
    other = await caller.send("PATCH", path, json=NEW | {"mailEnabled": True}, headers=prefer)
    assert error(other)[2] == "Property 'mailEnabled' is read-only and cannot be set."
    assert (await caller.send("PATCH", path, json={"description": "d"})).status_code == 204
    read = await caller.get(path, _select="id,displayName,description")
    assert (read["id"], read["displayName"], read["description"]) == (made.json()["id"], "Renamed", "d")
    assert len(await caller.names("/groups", _filter="displayName eq 'Renamed'")) == 1


async def test_the_unique_name_never_changes(caller: Caller) -> None:
    """The key is immutable: another in the body is refused; quotes in it are doubled in the path."""
    prefer = {"Prefer": "create-if-missing"}
    path = "/groups(uniqueName='O''Brien%2FTeam')"
    made = await caller.send("PATCH", path, json=NEW, headers=prefer)
    assert (made.status_code, made.json()["uniqueName"]) == (201, "O'Brien/Team")
    other = await caller.send("PATCH", path, json={"uniqueName": "else"}, headers=prefer)
    assert error(other)[2] == "Property 'uniqueName' is read-only and cannot be set."
    by_id = await caller.send("PATCH", f"/groups/{made.json()['id']}", json={"uniqueName": "O'Brien/Team"})
    assert by_id.status_code == 400


@pytest.mark.parametrize("path", ["not-a-guid", "x@contoso.test"])
async def test_a_group_is_named_by_a_guid(caller: Caller, path: str) -> None:
    """A group id that is no GUID is malformed, not absent."""
    assert error(await caller.send("GET", f"/groups/{path}")) == (
        400,
        "Request_BadRequest",
        f"Invalid object identifier '{path}'.",
    )


@pytest.mark.parametrize("name", ["mail_security", "list"])
async def test_mail_enabled_groups_are_not_graphs_to_change(caller: Caller, name: str, ids: Any) -> None:
    """Mail-enabled security groups and distribution lists refuse update, members and delete."""
    path = f"/groups/{ids[name]}"
    wanted = (
        400,
        "Request_BadRequest",
        "Cannot Update a mail-enabled security groups and or distribution list.",
    )
    assert error(await caller.send("PATCH", path, json={"description": "x"})) == wanted
    assert error(await caller.send("POST", f"{path}/members/$ref", json=link(ids["ada"]))) == wanted
    assert error(await caller.send("DELETE", f"{path}/members/{ids['ada']}/$ref")) == wanted
    assert error(await caller.send("DELETE", path)) == wanted


async def test_a_synced_group_is_read_only(caller: Caller, ids: Any) -> None:
    """Name and members of a synced group are the directory's."""
    path = f"/groups/{ids['synced']}"
    for method, where, body in (
        ("PATCH", path, {"description": "x"}),
        ("POST", f"{path}/members/$ref", link(ids["ada"])),
        ("PATCH", path, {"members@odata.bind": [link(ids["ada"])["@odata.id"]]}),
    ):
        assert "on-premises mastered" in error(await caller.send(method, where, json=body))[2]
    removed = await caller.send("DELETE", f"{path}/members/{ids['ada']}/$ref")
    assert "on-premises mastered" in error(removed)[2]


async def test_a_group_keeps_its_kind(caller: Caller, ids: Any) -> None:
    """Unified cannot be added later, mailEnabled never changes, proxyAddresses are not ours to set."""
    path = f"/groups/{ids['security']}"
    assert (await caller.send("PATCH", path, json={"groupTypes": ["Unified"]})).status_code == 400
    assert (await caller.send("PATCH", path, json={"securityEnabled": False})).status_code == 400
    assert error(await caller.send("PATCH", path, json={"mailEnabled": True}))[2].endswith(
        "is read-only and cannot be set."
    )
    assert error(await caller.send("PATCH", path, json={"proxyAddresses": []})) == (
        403,
        "Authorization_RequestDenied",
        "The requesting application is not authorized to set group proxy addresses.",
    )


async def test_a_member_is_added_once_and_removed_once(caller: Caller, ids: Any) -> None:
    """Members: 204, then 400 "already exist"; removal 204, then 404."""
    path = f"/groups/{ids['security']}/members"
    assert (await caller.send("POST", f"{path}/$ref", json=link(ids["pat"], "users"))).status_code == 204
    assert error(await caller.send("POST", f"{path}/$ref", json=link(ids["pat"]))) == (
        400,
        "Request_BadRequest",
        "One or more added object references already exist for the following modified properties: 'members'.",
    )
    assert await members(caller, ids["security"]) == [ids["ada"], ids["pat"]]
    assert (await caller.send("DELETE", f"{path}/{ids['pat']}/$ref")).status_code == 204
    assert error(await caller.send("DELETE", f"{path}/{ids['pat']}/$ref")) == (
        404,
        "Request_ResourceNotFound",
        f"Resource '{ids['pat']}' {ABSENT}",
    )
    assert await members(caller, ids["security"]) == [ids["ada"]]


@pytest.mark.parametrize(
    ("group", "target", "status"),
    [
        ("security", NOBODY, 404),
        ("security", "gone", 404),
        ("security", "security", 400),
        ("security", "unified", 400),
        ("unified", "security", 400),
        ("unified", "pat", 204),
        ("security", "dynamic", 204),
        ("dynamic", "ada", 400),
    ],
)
async def test_what_may_be_a_member_of_what(
    caller: Caller, group: str, target: str, status: int, ids: Any
) -> None:
    """Security groups nest, Microsoft 365 groups hold users only, neither mixes; rules fill dynamic ones."""
    body = link(ids.get(target, target))
    response = await caller.send("POST", f"/groups/{ids[group]}/members/$ref", json=body)
    assert response.status_code == status


async def test_members_in_bulk_are_all_or_nothing_and_at_most_twenty(caller: Caller, ids: Any) -> None:
    """PATCH members@odata.bind: twenty references pass; twenty-one, one present or one absent add nobody."""
    path = f"/groups/{ids['security']}"
    made = await people(caller, 21)
    addresses = [f"https://graph.microsoft.com/v1.0/directoryObjects/{one}" for one in made]
    for refused, status in (
        (addresses, 400),
        ([addresses[0], link(ids["ada"])["@odata.id"]], 400),
        ([addresses[0], link(NOBODY)["@odata.id"]], 404),
        ([addresses[0], addresses[0]], 400),
    ):
        response = await caller.send("PATCH", path, json={"members@odata.bind": refused})
        assert response.status_code == status
        assert await members(caller, ids["security"]) == [ids["ada"]]
    assert (await caller.send("PATCH", path, json={"members@odata.bind": addresses[:20]})).status_code == 204
    assert await members(caller, ids["security"]) == [ids["ada"], *made[:20]]


async def test_members_are_paged(caller: Caller, ids: Any) -> None:
    """List members: linked pages, every member once; $count with the header; $ref gives addresses."""
    made = await people(caller, 5)
    for one in made:
        await caller.send("POST", f"/groups/{ids['security']}/members/$ref", json=link(one))
    page = await caller.get(f"/groups/{ids['security']}/members", _top="4", _select="id")
    found = [one["id"] for one in page["value"]]
    assert len(found) == 4
    rest = (await caller.http.get(page["@odata.nextLink"])).json()
    assert found + [one["id"] for one in rest["value"]] == [ids["ada"], *made]
    counted = await caller.send(
        "GET", f"/groups/{ids['security']}/members/$count", headers={"ConsistencyLevel": "eventual"}
    )
    assert counted.text == "6"
    references = await caller.get(f"/groups/{ids['security']}/members/$ref")
    assert references["value"][0] == {"@odata.id": f"{caller.server.url}/v1.0/directoryObjects/{ids['ada']}"}


async def test_a_delete_without_ref_deletes_the_member_itself(caller: Caller, ids: Any) -> None:
    """Remove member: without /$ref at its end the call deletes the object, as the page warns."""
    assert (await caller.send("DELETE", f"/groups/{ids['security']}/members/{ids['ada']}")).status_code == 204
    assert (await caller.send("GET", f"/users/{ids['ada']}")).status_code == 404
    assert (await caller.send("GET", f"/directory/deletedItems/{ids['ada']}")).status_code == 200


async def test_members_with_the_create(caller: Caller, ids: Any) -> None:
    """Create group: members@odata.bind and owners@odata.bind, twenty together, all or nothing."""
    bound = {
        "members@odata.bind": [link(ids["ada"])["@odata.id"]],
        "owners@odata.bind": [link(ids["pat"])["@odata.id"]],
    }
    made = (await caller.send("POST", "/groups", json=NEW | bound)).json()["id"]
    assert await members(caller, made) == [ids["ada"]]
    assert [one["id"] for one in (await caller.get(f"/groups/{made}/owners"))["value"]] == [ids["pat"]]
    absent = {"members@odata.bind": [link(NOBODY)["@odata.id"]]}
    assert (
        await caller.send("POST", "/groups", json=NEW | {"displayName": "No"} | absent)
    ).status_code == 404
    assert await caller.names("/groups", _filter="displayName eq 'No'") == []


async def test_the_last_owner_of_a_microsoft_365_group_stays(caller: Caller, ids: Any) -> None:
    """Owners: added and removed by $ref; the last one of a Microsoft 365 group cannot go."""
    path = f"/groups/{ids['unified']}/owners"
    assert error(await caller.send("DELETE", f"{path}/{ids['ada']}/$ref")) == (
        400,
        "Request_BadRequest",
        "The group must have at least one owner, hence this owner cannot be removed.",
    )
    assert (await caller.send("POST", f"{path}/$ref", json=link(ids["pat"]))).status_code == 204
    assert (await caller.send("DELETE", f"{path}/{ids['ada']}/$ref")).status_code == 204


async def test_a_deleted_group_is_restored(caller: Caller, ids: Any) -> None:
    """Delete is soft for security groups too; restore brings name and members back."""
    assert (await caller.send("DELETE", f"/groups/{ids['security']}")).status_code == 204
    assert (await caller.send("GET", f"/groups/{ids['security']}")).status_code == 404
    found = await caller.get("/directory/deletedItems/microsoft.graph.group", _select="id")
    assert found["value"] == [{"id": ids["security"]}]
    assert (
        await caller.send("POST", f"/directory/deletedItems/{ids['security']}/restore")
    ).status_code == 200
    assert await members(caller, ids["security"]) == [ids["ada"]]


async def test_member_of_is_the_other_side(caller: Caller, ids: Any) -> None:
    """A user's memberOf lists the groups that hold a user."""
    found = await caller.get(f"/users/{ids['ada']}/memberOf", _select="id")
    assert found["value"] == [{"@odata.type": "#microsoft.graph.group", "id": ids["security"]}]
