"""A user's manager, its deletion, its return, and the twin that waits among the deleted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tenant.conftest import Caller

GRACE: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "Grace Hopper",
    "mailNickname": "grace",
    "userPrincipalName": "grace@contoso.test",
    "passwordProfile": {"password": "Long-enough-9"},
}


def message(response: Any) -> str:
    """Give the message of an error answer."""
    text: str = response.json()["error"]["message"]
    return text


async def test_manager_is_a_reference_of_its_own(caller: Caller, ids: Any) -> None:
    """Manager: read, 404 when none, set by PUT $ref, removed by DELETE $ref."""
    path = f"/users/{ids['ada']}/manager"
    read = await caller.get(path)
    assert (read["@odata.type"], read["id"]) == ("#microsoft.graph.user", ids["sam"])
    assert (await caller.send("DELETE", f"{path}/$ref")).status_code == 204
    assert (await caller.send("GET", path)).status_code == 404
    for target in ("users", "directoryObjects"):
        body = {"@odata.id": f"https://graph.microsoft.com/v1.0/{target}/{ids['obrien']}"}
        assert (await caller.send("PUT", f"{path}/$ref", json=body)).status_code == 204
    assert (await caller.get(path))["id"] == ids["obrien"]
    read = await caller.get(
        "/users", _filter=f"id eq '{ids['ada']}'", _expand="manager($select=id)", _select="id"
    )
    assert read["value"] == [
        {"id": ids["ada"], "manager": {"@odata.type": "#microsoft.graph.user", "id": ids["obrien"]}}
    ]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("https://graph.microsoft.com/v1.0/users/dddddddd-0000-4000-8000-000000000001", 404),
        ("https://graph.microsoft.com/v1.0/groups/bbbbbbbb-0000-4000-8000-000000000001", 400),
        ("users/aaaaaaaa-0000-4000-8000-000000000005", 400),
        ("https://[", 400),
        (None, 400),
    ],
)
async def test_a_manager_is_an_existing_user(caller: Caller, target: Any, status: int, ids: Any) -> None:
    """PUT manager/$ref: an absolute address of a user that is there."""
    body = {"@odata.id": target}
    response = await caller.send("PUT", f"/users/{ids['ada']}/manager/$ref", json=body)
    assert response.status_code == status
    assert (await caller.get(f"/users/{ids['ada']}/manager"))["id"] == ids["sam"]


async def test_a_synced_users_manager_is_read_only(caller: Caller, ids: Any) -> None:
    """The manager of a synced user is the directory's."""
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{ids['ada']}"}
    response = await caller.send("PUT", f"/users/{ids['sam']}/manager/$ref", json=body)
    assert "on-premises mastered" in message(response)


async def test_a_deleted_user_frees_its_upn_and_comes_back(caller: Caller, ids: Any) -> None:
    """Delete is soft: the UPN gets the id in front, and restore takes it off again, members and all."""
    assert (await caller.send("DELETE", f"/users/{ids['ada']}")).status_code == 204
    gone = await caller.get(
        f"/directory/deletedItems/{ids['ada']}", _select="userPrincipalName,deletedDateTime"
    )
    assert gone["userPrincipalName"] == ids["ada"].replace("-", "") + "ada@contoso.test"
    assert gone["deletedDateTime"] == "2026-03-14T15:09:26Z"
    assert (await caller.get(f"/groups/{ids['security']}/members"))["value"] == []
    restored = await caller.send("POST", f"/directory/deletedItems/{ids['ada']}/restore")
    assert restored.status_code == 200
    assert restored.json()["@odata.type"] == "#microsoft.graph.user"
    assert restored.json()["userPrincipalName"] == "ada@contoso.test"
    assert [one["id"] for one in (await caller.get(f"/groups/{ids['security']}/members"))["value"]] == [
        ids["ada"]
    ]


async def test_a_soft_deleted_twin_is_found_by_its_anchor(caller: Caller, ids: Any) -> None:
    """Deleted items are a list of their own, with $filter; /users does not show them."""
    asked = "onPremisesImmutableId eq 'GONEgoneGONEgoneGONEgg=='"
    found = await caller.get("/directory/deletedItems/microsoft.graph.user", _filter=asked, _select="id")
    assert found["value"] == [{"id": ids["gone"]}]
    assert (await caller.get("/users", _filter=asked))["value"] == []
    assert (await caller.get("/directory/deletedItems/graph.group"))["value"] == []


async def test_restore_refuses_a_taken_upn_and_takes_a_new_one(caller: Caller, ids: Any) -> None:
    """Restore: a conflict is 400 and restores nothing; newUserPrincipalName goes round it."""
    taken = GRACE | {"userPrincipalName": "grace@contoso.test"}
    assert (await caller.send("POST", "/users", json=taken)).status_code == 201
    path = f"/directory/deletedItems/{ids['gone']}"
    response = await caller.send("POST", f"{path}/restore", json={})
    assert message(response) == (
        "Another object with the same value for property userPrincipalName already exists."
    )
    assert (await caller.send("GET", path)).status_code == 200
    body = {"newUserPrincipalName": "grace2@contoso.test"}
    assert (await caller.send("POST", f"{path}/restore", json=body)).status_code == 200
    assert (await caller.get("/users/grace2@contoso.test"))["id"] == ids["gone"]


async def test_a_purged_user_is_gone(caller: Caller, ids: Any) -> None:
    """DELETE of a deleted item is for good."""
    path = f"/directory/deletedItems/{ids['gone']}"
    assert (await caller.send("DELETE", path)).status_code == 204
    assert (await caller.send("POST", f"{path}/restore")).status_code == 404
