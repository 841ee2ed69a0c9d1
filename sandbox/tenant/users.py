"""Users and their manager."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.tenant import queries, references, roles, rules
from sandbox.tenant.errors import refuse
from sandbox.tenant.protocol import Reply
from sandbox.tenant.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.protocol import Call, Segment
    from sandbox.tenant.store import State
    from sandbox.tenant.tenant import Tenant

STAMPED = frozenset(
    {
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesUserPrincipalName",
    }
)
MAY_STAMP = frozenset({"User Administrator", "Hybrid Identity Administrator", roles.GLOBAL_ADMINISTRATOR})


def list_users(tenant: Tenant, call: Call) -> Reply:
    """GET /users."""
    state = tenant.store.view()
    return queries.answer_list(call, state, state.of_kind("user"), ("user",), "users")


def count_users(tenant: Tenant, call: Call) -> Reply:
    """GET /users/$count."""
    return queries.answer_count(call, tenant.store.view().of_kind("user"), ("user",))


def read_user(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id or UPN}."""
    state = tenant.store.view()
    return queries.answer_one(call, state, references.find_user(state, user), "users")


def create_user(tenant: Tenant, call: Call) -> Reply:
    """POST /users."""
    body = call.json_object()
    wanted = rules.check_body("user", body, creating=True)
    _refuse_bindings(body)
    upn = wanted.get("userPrincipalName")
    domain = rules.check_upn(upn, tenant.domains) if upn else None
    federated = domain is not None and domain.federated
    rules.check_required("user", wanted, federated=federated)
    if wanted.get("passwordProfile") is not None:
        rules.check_password(wanted["passwordProfile"], wanted.get("passwordPolicies"))
    store = tenant.store
    with store.transaction() as draft:
        object_id = store.new_id()
        properties = {
            "id": object_id,
            "userType": "Member",
            "securityIdentifier": rules.security_identifier(object_id),
            "createdDateTime": store.timestamp(),
            **rules.merged(None, wanted),
        }
        entry = Entry(id=object_id, kind="user", properties=properties)
        if "mail" in wanted:
            entry = with_mail(draft, entry, wanted["mail"])
        tenant.put(draft, entry)
    return queries.created(call, entry, "users")


def update_user(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """PATCH /users/{id or UPN}."""
    body = call.json_object()
    with tenant.store.transaction() as draft:
        entry = references.find_user(draft, user)
        stamped = stamps(tenant, call, entry, body)
        wanted = rules.check_body("user", body, creating=False, stamped=stamped)
        _refuse_bindings(body)
        if rules.touches_sensitive(entry, wanted):
            roles.check_shield(tenant, draft, entry)
        rules.check_changeable(entry, wanted)
        if wanted.get("passwordProfile") is not None:
            tenant.require(call, "user.password")
            if "password" in wanted["passwordProfile"]:
                rules.check_password(wanted["passwordProfile"], entry.get("passwordPolicies"))
        if "userPrincipalName" in wanted:
            rules.check_upn(wanted["userPrincipalName"], tenant.domains)
        changed = entry.with_properties(rules.merged(entry, wanted))
        if "mail" in wanted:
            changed = with_mail(draft, changed, wanted["mail"])
        tenant.put(draft, changed)
    return Reply(204)


def stamps(tenant: Tenant, call: Call, entry: Entry, body: Mapping[str, Any]) -> frozenset[str]:
    """Name what beta alone lets be set: the on-premises marks of a user that is not synchronized.

    Microsoft Graph beta, page "Update user": the application also holds User Administrator or Hybrid Identity
    Administrator.
    """
    asked = STAMPED & body.keys()
    if not asked or call.version != "beta" or entry.get("onPremisesSyncEnabled") is True:
        return frozenset()
    if not tenant.identity.directory_roles & MAY_STAMP:
        raise refuse("forbidden")
    return asked


def delete_user(tenant: Tenant, call: Call, user: Segment) -> Reply:  # noqa: ARG001 (one signature for all)
    """DELETE /users/{id or UPN}: into deletedItems, its UPN free again."""
    with tenant.store.transaction() as draft:
        soft_delete(tenant, draft, references.find_user(draft, user))
    return Reply(204)


def soft_delete(tenant: Tenant, draft: State, entry: Entry) -> None:
    """Move a live object to the deleted ones; a user's UPN gets the id in front."""
    roles.check_shield(tenant, draft, entry)
    draft.remove(entry.id)
    changes: dict[str, Any] = {"deletedDateTime": tenant.store.timestamp()}
    if entry.kind == "user":
        changes["userPrincipalName"] = entry.id.replace("-", "") + str(entry.get("userPrincipalName"))
    draft.deleted[entry.id] = entry.with_properties(changes)


def with_mail(draft: State, entry: Entry, mail: str | None) -> Entry:
    """Make `mail` the primary address; when another object holds it, `mail` alone is stored, unsaid."""
    if mail is None:
        return entry
    holder = draft.find("proxyAddresses", f"smtp:{mail}".casefold())
    if holder is not None and holder.id != entry.id:
        return entry
    addresses = rules.with_mail(list(entry.get("proxyAddresses") or ()), mail)
    return entry.with_properties({"proxyAddresses": addresses})


def _refuse_bindings(body: dict[str, Any]) -> None:
    for name in body:
        if name.endswith("@odata.bind"):
            raise refuse("unknown_property", property=name)


def read_manager(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id}/manager: 404 when there is none."""
    state = tenant.store.view()
    entry = references.find_user(state, user)
    manager = state.live.get(entry.manager or "")
    if manager is None:
        raise refuse("not_found", id="manager")
    return queries.answer_one(call, state, manager, "directoryObjects", typed=True)


def put_manager(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """PUT /users/{id}/manager/$ref."""
    body = call.json_object()
    with tenant.store.transaction() as draft:
        entry = references.find_user(draft, user)
        if entry.synced:
            raise refuse("synced_object_write")
        manager = references.read_reference(draft, body)
        if manager.kind != "user" or manager.id == entry.id:
            raise refuse("invalid_reference")
        draft.put(replace(entry, manager=manager.id))
    return Reply(204)


def delete_manager(tenant: Tenant, call: Call, user: Segment) -> Reply:  # noqa: ARG001 (one signature for all)
    """DELETE /users/{id}/manager/$ref."""
    with tenant.store.transaction() as draft:
        entry = references.find_user(draft, user)
        if entry.synced:
            raise refuse("synced_object_write")
        if entry.manager not in draft.live:
            raise refuse("not_found", id="manager")
        draft.put(replace(entry, manager=None))
    return Reply(204)


def read_sync_behavior(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """GET /users/{id}/onPremisesSyncBehavior."""
    return sync_behavior(call, references.find_user(tenant.store.view(), user))


def update_sync_behavior(tenant: Tenant, call: Call, user: Segment) -> Reply:
    """PATCH /users/{id}/onPremisesSyncBehavior."""
    with tenant.store.transaction() as draft:
        set_sync_behavior(draft, references.find_user(draft, user), call)
    return Reply(204)


def sync_behavior(call: Call, entry: Entry) -> Reply:
    """Show where the authority over an object lies (Microsoft Graph, resource onPremisesSyncBehavior)."""
    context = f"{call.base}/$metadata#{entry.kind}s('{entry.id}')/onPremisesSyncBehavior/$entity"
    return Reply(200, {"@odata.context": context, "id": entry.id, "isCloudManaged": entry.cloud_managed})


def set_sync_behavior(draft: State, entry: Entry, call: Call) -> None:
    """Move the authority over a synced object to the cloud or back."""
    wanted = call.json_object().get("isCloudManaged")
    if not isinstance(wanted, bool) or entry.get("onPremisesSyncEnabled") is None:
        raise refuse("one_or_more_invalid")
    draft.put(replace(entry, cloud_managed=wanted))
