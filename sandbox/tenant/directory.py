"""What belongs to the tenant as a whole: organization, domains, any object by id, and the deleted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tenant import facts, queries, references, roles, rules
from sandbox.tenant.errors import refuse
from sandbox.tenant.protocol import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.protocol import Call, Segment
    from sandbox.tenant.store import Entry, State
    from sandbox.tenant.tenant import Tenant

GUID_DIGITS = 32
BY_IDS_LIMIT = 1000


def read_organization(tenant: Tenant, call: Call) -> Reply:
    """GET /organization: a list of one."""
    verified = [
        {
            "name": domain.id,
            "isDefault": domain.default,
            "isInitial": domain.initial,
            "type": "Federated" if domain.federated else "Managed",
        }
        for domain in tenant.domains.values()
        if domain.verified
    ]
    body = {"onPremisesSyncEnabled": None, "verifiedDomains": verified, **tenant.organization}
    return Reply(
        200, {"@odata.context": f"{call.base}/$metadata#organization", "value": [_selected(call, body)]}
    )


def list_domains(tenant: Tenant, call: Call) -> Reply:
    """GET /domains."""
    value = [_selected(call, _domain_body(body)) for body in tenant.domain_bodies]
    return Reply(200, {"@odata.context": f"{call.base}/$metadata#domains", "value": value})


def read_domain(tenant: Tenant, call: Call, domain: Segment) -> Reply:
    """GET /domains/{id}."""
    for body in tenant.domain_bodies:
        if str(body["id"]).casefold() == domain.text.casefold():
            context = {"@odata.context": f"{call.base}/$metadata#domains/$entity"}
            return Reply(200, context | _selected(call, _domain_body(body)))
    raise refuse("not_found", id=domain.text)


def _selected(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what $select names; of the tenant's own resources nothing else is asked."""
    wanted = next((value for name, value in call.query if name == "$select"), None)
    if wanted is None:
        return dict(body)
    return {name.strip(): body.get(name.strip()) for name in wanted.split(",")}


def _domain_body(body: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": False,
        "isInitial": False,
        "isRoot": True,
        "isVerified": False,
        "supportedServices": [],
        "state": None,
    }
    return {**defaults, **body}


def read_object(tenant: Tenant, call: Call, target: Segment) -> Reply:
    """GET /directoryObjects/{id}."""
    state = tenant.store.view()
    entry = references.find_object(state, target)
    return queries.answer_one(call, state, entry, "directoryObjects", typed=True)


def list_by_ids(tenant: Tenant, call: Call) -> Reply:
    """POST /directoryObjects/getByIds: up to 1000 ids; those that are nobody's are left out, unsaid."""
    body = call.json_object()
    ids, types = body.get("ids"), body.get("types") or ["directoryObject"]
    if not isinstance(ids, list) or not ids or len(ids) > BY_IDS_LIMIT or not isinstance(types, list):
        raise refuse("one_or_more_invalid")
    if not all(isinstance(one, str) and rules.is_guid(one) for one in ids):
        raise refuse("one_or_more_invalid")
    state = tenant.store.view()
    found = [state.live[one] for one in dict.fromkeys(map(str.lower, ids)) if one in state.live]
    wanted = {str(one).lower() for one in types}
    if "directoryobject" not in wanted:
        found = [one for one in found if one.kind.lower() in wanted]
    shown = [roles.seen(tenant, call, one) for one in found]
    return queries.answer_list(call, state, shown, facts.KINDS, "directoryObjects")


def list_deleted_users(tenant: Tenant, call: Call) -> Reply:
    """GET /directory/deletedItems/microsoft.graph.user."""
    return _list_deleted(tenant, call, "user")


def list_deleted_groups(tenant: Tenant, call: Call) -> Reply:
    """GET /directory/deletedItems/microsoft.graph.group."""
    return _list_deleted(tenant, call, "group")


def _list_deleted(tenant: Tenant, call: Call, kind: str) -> Reply:
    state = tenant.store.view()
    entries = [entry for entry in state.deleted.values() if entry.kind == kind]
    return queries.answer_list(call, state, entries, (kind,), f"{kind}s")


def read_deleted(tenant: Tenant, call: Call, target: Segment) -> Reply:
    """GET /directory/deletedItems/{id}."""
    state = tenant.store.view()
    entry = references.find_deleted(state, target)
    return queries.answer_one(call, state, entry, "directoryObjects", typed=True)


def purge(tenant: Tenant, call: Call, target: Segment) -> Reply:
    """DELETE /directory/deletedItems/{id}: gone for good."""
    with tenant.store.transaction() as draft:
        entry = references.find_deleted(draft, target)
        tenant.require(call, "user.delete" if entry.kind == "user" else "group.write")
        roles.check_shield(tenant, draft, entry)
        del draft.deleted[entry.id]
    return Reply(204)


def restore(tenant: Tenant, call: Call, target: Segment) -> Reply:
    """POST /directory/deletedItems/{id}/restore, with newUserPrincipalName and autoReconcileProxyConflict."""
    options = call.json_object() if call.body.strip() else {}
    with tenant.store.transaction() as draft:
        entry = references.find_deleted(draft, target)
        tenant.require(call, "user.delete" if entry.kind == "user" else "group.write")
        roles.check_shield(tenant, draft, entry)
        revived = _revived(tenant, draft, entry, options)
        del draft.deleted[entry.id]
        tenant.put(draft, revived)
    return queries.answer_one(call, tenant.store.state, revived, "directoryObjects", typed=True)


def _revived(tenant: Tenant, draft: State, entry: Entry, options: dict[str, Any]) -> Entry:
    changes: dict[str, Any] = {"deletedDateTime": None}
    if entry.kind == "user":
        upn = options.get("newUserPrincipalName") or _former_upn(entry)
        rules.check_upn(upn, tenant.domains)
        changes["userPrincipalName"] = upn
    if options.get("autoReconcileProxyConflict") is True:
        addresses = entry.get("proxyAddresses") or ()
        changes["proxyAddresses"] = [
            one for one in addresses if draft.find("proxyAddresses", str(one).casefold()) is None
        ]
    return entry.with_properties(changes)


def _former_upn(entry: Entry) -> str:
    upn = str(entry.get("userPrincipalName"))
    return upn[GUID_DIGITS:] if upn.startswith(entry.id.replace("-", "")) else upn
