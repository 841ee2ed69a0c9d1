"""Groups, their members and their owners."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.tenant import facts, queries, references, roles, rules, users
from sandbox.tenant.errors import refuse
from sandbox.tenant.protocol import Reply
from sandbox.tenant.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.protocol import Call, Segment
    from sandbox.tenant.store import State
    from sandbox.tenant.tenant import Tenant

MEMBER_KINDS = ("user", "group")


def list_groups(tenant: Tenant, call: Call) -> Reply:
    """GET /groups."""
    state = tenant.store.view()
    return queries.answer_list(call, state, state.of_kind("group"), ("group",), "groups")


def count_groups(tenant: Tenant, call: Call) -> Reply:
    """GET /groups/$count."""
    return queries.answer_count(call, tenant.store.view().of_kind("group"), ("group",))


def read_group(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id} or /groups(uniqueName='…')."""
    state = tenant.store.view()
    return queries.answer_one(call, state, references.find_group(state, group), "groups")


def create_group(tenant: Tenant, call: Call) -> Reply:
    """POST /groups."""
    entry = _create(tenant, call.json_object(), unique_name=None)
    return queries.created(call, entry, "groups")


def update_group(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """PATCH /groups/{id}; by `uniqueName` with `Prefer: create-if-missing` it creates (201) the absent.

    Microsoft Graph, page "Upsert group": without the header the request is an update, and 404 when absent.
    """
    body = call.json_object()
    if group.key == "uniqueName":
        given = body.pop("uniqueName", group.text)
        if given != group.text:
            raise refuse("read_only_property", property="uniqueName")
        present = tenant.store.state.find("uniqueName", group.text.casefold())
        if call.prefers("create-if-missing"):
            if present is None:
                tenant.require(call, "group.create")
                return queries.created(call, _create(tenant, body, unique_name=group.text), "groups")
            body = _without_unchanged(present, body)
    tenant.require(call, "group.write" if set(body) - {"members@odata.bind"} else "member.write")
    with tenant.store.transaction() as draft:
        entry = references.find_group(draft, group)
        _refuse_mail_enabled(entry)
        wanted = rules.check_body("group", body, creating=False)
        rules.check_changeable(entry, wanted)
        _check_kind_kept(entry, wanted)
        changed = entry.with_properties(rules.merged(entry, wanted))
        bound = references.read_bindings(draft, body, "members", "owners")
        changed = _with_links(draft, changed, "members", bound.get("members", ()))
        changed = _with_links(draft, changed, "owners", bound.get("owners", ()))
        tenant.put(draft, changed)
    return Reply(204)


def _without_unchanged(entry: Entry, body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only a create sets and what is so already: an upsert can be sent again as it is."""
    known = facts.load().properties["group"]
    fixed = {name for name, one in known.items() if one.create and not one.update}
    return {name: value for name, value in body.items() if name not in fixed or entry.get(name) != value}


def delete_group(tenant: Tenant, call: Call, group: Segment) -> Reply:  # noqa: ARG001 (one signature for all)
    """DELETE /groups/{id}."""
    with tenant.store.transaction() as draft:
        entry = references.find_group(draft, group)
        _refuse_mail_enabled(entry)
        users.soft_delete(tenant, draft, entry)
    return Reply(204)


def _create(tenant: Tenant, body: Mapping[str, Any], *, unique_name: str | None) -> Entry:
    wanted = rules.check_body("group", body, creating=True)
    rules.check_required("group", wanted)
    unified = _check_kind(wanted)
    store = tenant.store
    with store.transaction() as draft:
        object_id = store.new_id()
        properties: dict[str, Any] = {
            "id": object_id,
            "createdDateTime": store.timestamp(),
            "renewedDateTime": store.timestamp(),
            "groupTypes": [],
            "securityIdentifier": rules.security_identifier(object_id),
            **rules.merged(None, wanted),
        }
        if unique_name is not None:
            properties["uniqueName"] = unique_name
        if unified:
            mail = f"{wanted['mailNickname']}@{tenant.initial_domain}"
            properties |= {"mail": mail, "proxyAddresses": [f"SMTP:{mail}"]}
            properties.setdefault("visibility", "Public")
        entry = Entry(id=object_id, kind="group", properties=properties)
        bound = references.read_bindings(draft, body, "members", "owners")
        entry = _with_links(draft, entry, "members", bound.get("members", ()))
        entry = _with_links(draft, entry, "owners", bound.get("owners", ()))
        tenant.put(draft, entry)
    return entry


def _check_kind(wanted: Mapping[str, Any]) -> bool:
    """Let security groups and Microsoft 365 groups pass; say whether it is one of the latter."""
    types = wanted.get("groupTypes") or []
    if set(types) - {"Unified", "DynamicMembership"}:
        raise refuse("one_or_more_invalid")
    unified = "Unified" in types
    if wanted["mailEnabled"] and not unified:
        raise refuse("mail_enabled_group_create")
    if (unified and not wanted["mailEnabled"]) or not (unified or wanted["securityEnabled"]):
        raise refuse("one_or_more_invalid")
    if ("DynamicMembership" in types) != bool(wanted.get("membershipRule")):
        raise refuse("one_or_more_invalid")
    return unified


def _check_kind_kept(entry: Entry, wanted: Mapping[str, Any]) -> None:
    if "groupTypes" in wanted and (
        ("Unified" in wanted["groupTypes"]) != _unified(entry)
        or set(wanted["groupTypes"]) - {"Unified", "DynamicMembership"}
    ):
        raise refuse("one_or_more_invalid")
    if wanted.get("securityEnabled") is False and not _unified(entry):
        raise refuse("one_or_more_invalid")


def _unified(entry: Entry) -> bool:
    return "Unified" in (entry.get("groupTypes") or ())


def _refuse_mail_enabled(entry: Entry) -> None:
    """Refuse a mail-enabled security group or distribution list: those belong to Exchange."""
    if entry.get("mailEnabled") and not _unified(entry):
        raise refuse("mail_enabled_group_update")


def _with_links(draft: State, entry: Entry, name: str, added: tuple[str, ...]) -> Entry:
    """Add references, all or nothing: each of a kind that the group takes and none there already."""
    if not added:
        return entry
    if entry.synced:
        raise refuse("synced_object_write")
    if "DynamicMembership" in (entry.get("groupTypes") or ()) and name == "members":
        raise refuse("dynamic_members")
    present: tuple[str, ...] = getattr(entry, name)
    for object_id in added:
        linked = draft.live[object_id]
        if not _takes(entry, name, linked):
            raise refuse("invalid_reference")
    if len(set(added)) != len(added) or set(added) & set(present):
        raise refuse("member_exists", property=name)
    return (
        replace(entry, members=present + added)
        if name == "members"
        else replace(entry, owners=present + added)
    )


def _takes(entry: Entry, name: str, linked: Entry) -> bool:
    if linked.kind == "user":
        return True
    if linked.kind != "group" or name != "members":
        return False
    return not _unified(entry) and not _unified(linked) and linked.id != entry.id


def list_members(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/members."""
    return _list_links(tenant, call, group, "members", MEMBER_KINDS)


def list_user_members(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/members/microsoft.graph.user."""
    return _list_links(tenant, call, group, "members", ("user",))


def list_group_members(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/members/microsoft.graph.group."""
    return _list_links(tenant, call, group, "members", ("group",))


def list_owners(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/owners."""
    return _list_links(tenant, call, group, "owners", MEMBER_KINDS)


def list_member_references(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/members/$ref."""
    state = tenant.store.view()
    return _references(call, state, references.find_group(state, group).members)


def list_owner_references(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/owners/$ref."""
    state = tenant.store.view()
    return _references(call, state, references.find_group(state, group).owners)


def _references(call: Call, state: State, ids: tuple[str, ...]) -> Reply:
    links = [{"@odata.id": f"{call.base}/directoryObjects/{one}"} for one in ids if one in state.live]
    return Reply(200, {"@odata.context": f"{call.base}/$metadata#Collection($ref)", "value": links})


def count_members(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/members/$count."""
    state = tenant.store.view()
    entry = references.find_group(state, group)
    linked = (state.live[one] for one in entry.members if one in state.live)
    return queries.answer_count(call, linked, MEMBER_KINDS)


def _list_links(tenant: Tenant, call: Call, group: Segment, name: str, kinds: tuple[str, ...]) -> Reply:
    state = tenant.store.view()
    entry = references.find_group(state, group)
    linked = [roles.seen(tenant, call, state.live[one]) for one in getattr(entry, name) if one in state.live]
    wanted = [one for one in linked if one.kind in kinds]
    context = "directoryObjects" if len(kinds) > 1 else f"{kinds[0]}s"
    return queries.answer_list(call, state, wanted, kinds, context)


def add_member(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """POST /groups/{id}/members/$ref."""
    return _add(tenant, call, group, "members")


def add_owner(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """POST /groups/{id}/owners/$ref."""
    return _add(tenant, call, group, "owners")


def _add(tenant: Tenant, call: Call, group: Segment, name: str) -> Reply:
    body = call.json_object()
    with tenant.store.transaction() as draft:
        entry = references.find_group(draft, group)
        _refuse_mail_enabled(entry)
        linked = references.read_reference(draft, body)
        draft.put(_with_links(draft, entry, name, (linked.id,)))
    return Reply(204)


def remove_member(tenant: Tenant, call: Call, group: Segment, member: Segment) -> Reply:  # noqa: ARG001 (one signature)
    """DELETE /groups/{id}/members/{id}/$ref."""
    return _remove(tenant, group, member, "members")


def remove_owner(tenant: Tenant, call: Call, group: Segment, owner: Segment) -> Reply:  # noqa: ARG001 (one signature)
    """DELETE /groups/{id}/owners/{id}/$ref."""
    return _remove(tenant, group, owner, "owners")


def _remove(tenant: Tenant, group: Segment, member: Segment, name: str) -> Reply:
    with tenant.store.transaction() as draft:
        entry = references.find_group(draft, group)
        _refuse_mail_enabled(entry)
        if entry.synced:
            raise refuse("synced_object_write")
        present: tuple[str, ...] = getattr(entry, name)
        if member.text.lower() not in present or member.text.lower() not in draft.live:
            raise refuse("not_found", id=member.text)
        if "DynamicMembership" in (entry.get("groupTypes") or ()) and name == "members":
            raise refuse("dynamic_members")
        if name == "owners" and len(present) == 1 and _unified(entry):
            raise refuse("last_owner")
        rest = tuple(one for one in present if one != member.text.lower())
        draft.put(replace(entry, members=rest) if name == "members" else replace(entry, owners=rest))
    return Reply(204)


def delete_member_object(tenant: Tenant, call: Call, group: Segment, member: Segment) -> Reply:
    """DELETE /groups/{id}/members/{id} without $ref: the object itself goes (page "Remove member")."""
    with tenant.store.transaction() as draft:
        entry = references.find_group(draft, group)
        if member.text.lower() not in entry.members:
            raise refuse("not_found", id=member.text)
        target = references.find_object(draft, member)
        tenant.require(call, "user.delete" if target.kind == "user" else "group.write")
        users.soft_delete(tenant, draft, target)
    return Reply(204)


def read_sync_behavior(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """GET /groups/{id}/onPremisesSyncBehavior."""
    return users.sync_behavior(call, references.find_group(tenant.store.view(), group))


def update_sync_behavior(tenant: Tenant, call: Call, group: Segment) -> Reply:
    """PATCH /groups/{id}/onPremisesSyncBehavior."""
    with tenant.store.transaction() as draft:
        users.set_sync_behavior(draft, references.find_group(draft, group), call)
    return Reply(204)
