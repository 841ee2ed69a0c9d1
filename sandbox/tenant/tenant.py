"""The tenant that handlers work on: its store, its domains and its privileged people, built from a seed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tenant import cloud_sync, facts, rules
from sandbox.tenant.errors import GraphRefusal, refuse
from sandbox.tenant.roles import GLOBAL_ADMINISTRATOR, TEMPLATES
from sandbox.tenant.rules import Domain
from sandbox.tenant.store import Entry, KeyTaken, State, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.protocol import Call
    from sandbox.tenant.store import Clock

DEFAULT_TENANT_ID = "f0a7c4ec-0000-4000-8000-00000000f0a7"
DEFAULT_CLIENT_ID = "f0a7c4ec-0000-4000-8000-0000000000c1"
DEFAULT_CLIENT_SECRET = "sandbox-secret-of-the-tenant"
DEFAULT_SEED: Mapping[str, Any] = {
    "organization": {"displayName": "Contoso"},
    "domains": [
        {
            "id": "contoso.test",
            "isVerified": True,
            "isDefault": True,
            "isInitial": False,
            "authenticationType": "Managed",
        }
    ],
}
SEED_KEYS = frozenset(
    {
        "tenant_id",
        "client_id",
        "client_secret",
        "client_secret_expired",
        "certificates",
        "federated_subjects",
        "federated_certificates",
        "token_lifetime_s",
        "roles",
        "organization",
        "domains",
        "users",
        "groups",
        "deletedItems",
        "privileged",
        "directoryRoles",
        "application_roles",
        "cloud_sync",
    }
)


class SeedError(ValueError):
    """A seed that does not fit the format, with the place where it does not."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may sign in to the tenant and what the token then says."""

    tenant_id: str
    client_id: str
    client_secret: str
    secret_expired: bool
    certificates: tuple[str, ...]
    federated_subjects: tuple[str, ...]
    federated_certificates: tuple[str, ...]
    token_lifetime_s: int
    roles: tuple[str, ...]
    directory_roles: frozenset[str]


@dataclass(slots=True)
class Tenant:
    """One tenant. Handlers get it with each call."""

    identity: Identity
    store: Store
    organization: Mapping[str, Any]
    domains: Mapping[str, Domain]
    domain_bodies: tuple[Mapping[str, Any], ...]
    cloud_sync: cloud_sync.CloudSync

    @property
    def initial_domain(self) -> str:
        """Give the domain that mail addresses of new groups are made in."""
        ranked = sorted(self.domains.values(), key=lambda domain: (not domain.initial, not domain.default))
        return ranked[0].id

    def require(self, call: Call, permission: str) -> None:
        """Refuse a caller whose token holds none of the roles of a permission set."""
        if not self.allows(call, permission):
            raise refuse("forbidden")

    def allows(self, call: Call, permission: str) -> bool:
        """Say whether the caller's token holds a role of a permission set; an empty set asks for none."""
        wanted = facts.load().permissions[permission]
        return not wanted or bool(wanted & call.roles)

    def put(self, draft: State, entry: Entry) -> None:
        """Put an object into a draft, turning a taken unique value into Graph's answer."""
        try:
            draft.put(entry)
        except KeyTaken as taken:
            named = taken.property_name in {"onPremisesImmutableId", "onPremisesSecurityIdentifier"}
            kind = draft.live[taken.other].kind.capitalize()
            name = "duplicate_anchor" if named else "duplicate_property"
            raise refuse(name, property=taken.property_name, kind=kind, other=taken.other) from None


def from_seed(seed: Mapping[str, Any] | None, clock: Clock) -> Tenant:
    """Build a tenant; raise SeedError naming what does not fit."""
    given: Mapping[str, Any] = DEFAULT_SEED if seed is None else seed
    unknown = sorted(set(given) - SEED_KEYS)
    if unknown:
        raise SeedError(f"unknown keys in the seed: {', '.join(unknown)}")
    domains = tuple(given.get("domains", DEFAULT_SEED["domains"]))
    tenant_id = str(given.get("tenant_id", DEFAULT_TENANT_ID))
    store = Store(clock=clock, seed=tenant_id)
    tenant = Tenant(
        identity=_identity(given, tenant_id),
        store=store,
        organization={"id": tenant_id, **given.get("organization", DEFAULT_SEED["organization"])},
        domains={str(body["id"]).casefold(): _domain(body) for body in domains},
        domain_bodies=domains,
        cloud_sync=_cloud_sync(given, tenant_id),
    )
    with store.transaction() as state:
        _fill(state, given, store)
        if tenant.cloud_sync.domain is not None:
            state.put(tenant.cloud_sync.principal(store.timestamp()))
    return tenant


def _identity(given: Mapping[str, Any], tenant_id: str) -> Identity:
    return Identity(
        tenant_id=tenant_id,
        client_id=str(given.get("client_id", DEFAULT_CLIENT_ID)),
        client_secret=str(given.get("client_secret", DEFAULT_CLIENT_SECRET)),
        secret_expired=bool(given.get("client_secret_expired", False)),
        certificates=tuple(given.get("certificates", ())),
        federated_subjects=tuple(given.get("federated_subjects", ())),
        federated_certificates=tuple(given.get("federated_certificates", ())),
        token_lifetime_s=int(given.get("token_lifetime_s", 3599)),
        roles=tuple(given.get("roles", facts.load().default_roles)),
        directory_roles=frozenset(given.get("application_roles", ())),
    )


def _cloud_sync(given: Mapping[str, Any], tenant_id: str) -> cloud_sync.CloudSync:
    try:
        return cloud_sync.from_seed(given.get("cloud_sync"), tenant_id)
    except (ValueError, GraphRefusal) as error:
        raise SeedError(str(error)) from None


def _domain(body: Mapping[str, Any]) -> Domain:
    return Domain(
        id=str(body["id"]),
        verified=bool(body.get("isVerified", False)),
        default=bool(body.get("isDefault", False)),
        initial=bool(body.get("isInitial", False)),
        federated=body.get("authenticationType") == "Federated",
    )


def _fill(state: State, given: Mapping[str, Any], store: Store) -> None:
    entries = [_entry("user", body, store) for body in given.get("users", ())]
    entries += [_entry("group", body, store) for body in given.get("groups", ())]
    entries += _roles(given, store)
    for entry in entries:
        if entry.id in state.live:
            raise SeedError(f"two objects have the id {entry.id}")
        try:
            state.put(entry)
        except KeyTaken as taken:
            raise SeedError(
                f"{entry.kind} {entry.id}: {taken.property_name} is already the value of {taken.other}"
            ) from None
    for body in given.get("deletedItems", ()):
        kind = str(body.get("@odata.type", "#microsoft.graph.user")).rpartition(".")[2]
        entry = _entry(kind, body, store)
        if entry.id in state.live or entry.id in state.deleted:
            raise SeedError(f"two objects have the id {entry.id}")
        state.deleted[entry.id] = entry
    _check_links(state)


def _roles(given: Mapping[str, Any], store: Store) -> list[Entry]:
    """Make the directory roles: those of the seed, and a Global Administrator for each of `privileged`."""
    wanted: dict[str, tuple[str, ...]] = {}
    for body in given.get("directoryRoles", ()):
        name = body.get("displayName")
        if name not in TEMPLATES or set(body) - {"displayName", "members"}:
            raise SeedError(f"a directory role is displayName, one of {sorted(TEMPLATES)}, and members")
        wanted[name] = _ids(body.get("members"))
    if given.get("privileged"):
        held = (*wanted.get(GLOBAL_ADMINISTRATOR, ()), *_ids(given["privileged"]))
        wanted[GLOBAL_ADMINISTRATOR] = tuple(dict.fromkeys(held))
    made = []
    for name, members in wanted.items():
        object_id = str(uuid.uuid5(uuid.UUID(TEMPLATES[name]), store.seed))
        properties = {"id": object_id, "displayName": name, "description": f"{name} of the tenant."}
        properties["roleTemplateId"] = TEMPLATES[name]
        made.append(Entry(id=object_id, kind="directoryRole", properties=properties, members=members))
    return made


def _entry(kind: str, body: Mapping[str, Any], store: Store) -> Entry:
    known = facts.load().properties.get(kind)
    if known is None or kind not in {"user", "group"}:
        raise SeedError(f"a seed holds users and groups, not {kind}")
    links = {"manager", "members", "owners", "onPremisesSyncBehavior", "@odata.type"}
    unknown = sorted(set(body) - set(known) - links)
    if unknown:
        raise SeedError(f"{kind} {body.get('id', '?')}: unknown properties {', '.join(unknown)}")
    if not rules.is_guid(body.get("id")):
        raise SeedError(f"a {kind} without a GUID as its id: {body.get('displayName', '?')}")
    properties = {
        name: value for name, value in body.items() if name not in links and name != "passwordProfile"
    }
    properties["id"] = str(body["id"]).lower()
    properties.setdefault("createdDateTime", store.timestamp())
    properties.setdefault("securityIdentifier", rules.security_identifier(properties["id"]))
    return Entry(
        id=str(body["id"]).lower(),
        kind=kind,
        properties=properties,
        manager=str(body["manager"]).lower() if body.get("manager") else None,
        members=_ids(body.get("members")),
        owners=_ids(body.get("owners")),
        cloud_managed=bool((body.get("onPremisesSyncBehavior") or {}).get("isCloudManaged", False)),
    )


def _ids(listed: Any) -> tuple[str, ...]:
    ids = tuple(str(one).lower() for one in listed or ())
    if len(set(ids)) != len(ids):
        raise SeedError(f"a list of ids holds one twice: {ids}")
    return ids


def _check_links(state: State) -> None:
    known = state.live.keys() | state.deleted.keys()
    for entry in [*state.live.values(), *state.deleted.values()]:
        for link in (entry.manager, *entry.members, *entry.owners):
            if link is not None and link not in known:
                raise SeedError(f"{entry.kind} {entry.id} points to {link}, which is not in the seed")
