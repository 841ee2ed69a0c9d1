"""The port `Tenant` through Microsoft Graph, against the sandbox tenant, signed in by msal over a socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline import errors
from pipeline.adapters.graph import GraphSettings, GraphTenant, GraphTransport
from pipeline.adapters.tokens import TokenSettings, TokenSource
from pipeline.ids import EntraId
from pipeline.model import TargetKind
from pipeline.ports import Lookup
from sandbox.tenant import TenantServer

USER, GROUP = TargetKind.USER, TargetKind.GROUP


def entra_id(number: int) -> EntraId:
    """Return a made-up id."""
    return EntraId(f"00000000-0000-4000-8000-{number:012d}")


ADA, ALAN, SAM, PAT, OBRIEN, TWIN = (entra_id(n) for n in range(1, 7))
STAFF, SYNCED, LIST, DYNAMIC = (entra_id(n) for n in range(101, 105))
GONE = entra_id(201)
NOBODY = entra_id(999)


def user(object_id: EntraId, name: str, **more: Any) -> dict[str, Any]:
    """Return a user of the seed."""
    upn = f"{name}@contoso.test"
    base = {"id": object_id, "userPrincipalName": upn, "displayName": name.title(), "accountEnabled": True}
    return base | {"mailNickname": name, "userType": "Member"} | more


def group(object_id: EntraId, name: str, **more: Any) -> dict[str, Any]:
    """Return a group of the seed."""
    base = {"id": object_id, "displayName": name.title(), "mailNickname": name, "groupTypes": []}
    return base | {"mailEnabled": False, "securityEnabled": True} | more


SEED: Mapping[str, Any] = {
    "domains": [
        {"id": "contoso.test", "isVerified": True, "isDefault": True, "authenticationType": "Managed"},
        {"id": "federated.test", "isVerified": True, "authenticationType": "Federated"},
        {"id": "unverified.test", "isVerified": False},
    ],
    "users": [
        user(
            ADA,
            "ada",
            manager=ALAN,
            mail="ada@contoso.test",
            proxyAddresses=["SMTP:ada@contoso.test", "smtp:countess@contoso.test"],
            onPremisesImmutableId="q+8/AbCdEfGhIjKlMnOpQg==",
            jobTitle="Countess",
            onPremisesExtensionAttributes={"extensionAttribute1": "one", "extensionAttribute2": "two"},
        ),
        user(ALAN, "alan", onPremisesImmutableId="ALANalanALANalanALANaA=="),
        user(SAM, "sam", onPremisesSyncEnabled=True, onPremisesImmutableId="SAMsamSAMsamSAMsamSAMg=="),
        user(PAT, "pat", department="Security"),
        user(OBRIEN, "o'brien", surname="O'Brien", mail="shared@contoso.test"),
        user(TWIN, "twin", mail="shared@contoso.test"),
    ],
    "groups": [
        group(STAFF, "staff", members=[ADA]),
        group(
            SYNCED, "synced", onPremisesSyncEnabled=True, onPremisesSecurityIdentifier="S-1-5-21-1-2-3-2001"
        ),
        group(LIST, "list", mailEnabled=True, securityEnabled=False),
        group(DYNAMIC, "dynamic", groupTypes=["DynamicMembership"], membershipRule='user.city -eq "London"'),
    ],
    "deletedItems": [
        user(GONE, "0" * 32 + "gone", onPremisesImmutableId="GONEgoneGONEgoneGONEgg==")
        | {"@odata.type": "#microsoft.graph.user"}
    ],
    "privileged": [PAT],
}


class WallClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()


@dataclass
class World:
    """A sandbox tenant and the adapter that is signed in to it."""

    server: TenantServer
    tenant: GraphTenant
    naps: list[float]

    def writes(self) -> list[tuple[str, str, int]]:
        """Return what was written: method, path and answer."""
        return [(w["method"], w["path"], w["status"]) for w in self.server.ledger]


async def world_of(seed: Mapping[str, Any]) -> AsyncIterator[World]:
    """Run a tenant and sign in to it; waits are noted and take no time."""
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    async with TenantServer(seed=seed) as server:
        given = server.settings()
        clock = WallClock()
        tokens = TokenSource(
            TokenSettings(
                given["FOURCHECK_ENTRA__TENANT_ID"],
                given["FOURCHECK_ENTRA__CLIENT_ID"],
                client_secret=given["FOURCHECK_ENTRA__CLIENT_SECRET"],
                login_url=given["FOURCHECK_ENTRA__LOGIN_URL"],
            ),
            clock,
        )
        transport = GraphTransport(
            GraphSettings(given["FOURCHECK_ENTRA__GRAPH_URL"]), tokens, clock, sleep=sleep
        )
        yield World(server, GraphTenant(transport), naps)
        await transport.aclose()
        await tokens.aclose()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give the tenant of the seed, with every permission."""
    async for made in world_of(SEED):
        yield made


@pytest.fixture
async def reader() -> AsyncIterator[World]:
    """Give the same tenant to an application that may only read."""
    roles = ["User.Read.All", "GroupMember.Read.All", "Domain.Read.All", "Organization.Read.All"]
    async for made in world_of({**SEED, "roles": roles}):
        yield made


def new_user(name: str, **more: object) -> dict[str, object]:
    """Return the body that makes a user."""
    return {
        "accountEnabled": True,
        "displayName": name.title(),
        "mailNickname": "nick",
        "userPrincipalName": f"{name}@contoso.test",
        "passwordProfile": {"password": "Xk3!pQ9zL0mW8vR2tY6u", "forceChangePasswordNextSignIn": True},
        **more,
    }


NEW_GROUP: Mapping[str, object] = {
    "displayName": "New",
    "mailEnabled": False,
    "mailNickname": "new",
    "securityEnabled": True,
}


# -- reading ---------------------------------------------------------------------------------------------


async def test_every_key_of_a_match_in_one_round_trip(world: World) -> None:
    """Anchor, name, mail, address, the deleted ones and a group: one request, answers in their order."""
    lookups = [
        Lookup(USER, "onPremisesImmutableId", "q+8/AbCdEfGhIjKlMnOpQg=="),
        Lookup(USER, "userPrincipalName", "O'BRIEN@contoso.test"),
        Lookup(USER, "mail", "shared@contoso.test"),
        Lookup(USER, "proxyAddresses", "smtp:countess@contoso.test"),
        Lookup(USER, "onPremisesImmutableId", "GONEgoneGONEgoneGONEgg==", deleted=True),
        Lookup(USER, "onPremisesImmutableId", "GONEgoneGONEgoneGONEgg=="),
        Lookup(GROUP, "onPremisesSecurityIdentifier", "S-1-5-21-1-2-3-2001"),
        Lookup(GROUP, "uniqueName", "ad-nothing"),
        Lookup(GROUP, "displayName", "Staff"),
        Lookup(USER, "id", ALAN),
    ]
    await world.tenant.find(lookups[:1], [])  # signs in
    before = len(world.server.requests)
    found = await world.tenant.find(lookups, ["onPremisesImmutableId", "onPremisesSyncEnabled"])
    assert [[candidate.id for candidate in candidates] for candidates in found] == [
        [ADA],
        [OBRIEN],
        [OBRIEN, TWIN],
        [ADA],
        [GONE],
        [],
        [SYNCED],
        [],
        [STAFF],
        [ALAN],
    ]
    assert len(world.server.requests) == before + 1


async def test_before_is_read_with_the_match(world: World) -> None:
    """Mapped attributes, nested ones and the manager come with the candidate."""
    select = ["jobTitle", "onPremisesExtensionAttributes.extensionAttribute2", "manager"]
    ((ada,),) = await world.tenant.find([Lookup(USER, "userPrincipalName", "ada@contoso.test")], select)
    assert ada.attributes["jobTitle"] == "Countess"
    extensions = ada.attributes["onPremisesExtensionAttributes"]
    assert isinstance(extensions, dict)
    assert extensions["extensionAttribute2"] == "two"
    manager = ada.attributes["manager"]
    assert isinstance(manager, dict)
    assert (manager["id"], manager["displayName"]) == (ALAN, "Alan")
    assert ada.identity.upn == "ada@contoso.test"


async def test_an_extension_attribute_can_be_a_key(world: World) -> None:
    """Graph wants its advanced search for it; without it this would be refused."""
    key = Lookup(USER, "onPremisesExtensionAttributes.extensionAttribute1", "one")
    other = Lookup(USER, "mail", "nobody@contoso.test")
    assert [[c.id for c in found] for found in await world.tenant.find([key, other], [])] == [[ADA], []]
    assert [[c.id for c in found] for found in await world.tenant.find([key], [])] == [[ADA]]


INJECTIONS = [
    "' or accountEnabled eq true or mail eq '",
    "nobody' or '1' eq '1",
    "x')) or (mail eq 'ada@contoso.test",
    "%27 or true or mail eq %27",
    "a&$filter=accountEnabled eq true",
    "a#",
    "a?$top=999",
    "ada@contoso.test\x00",
    "*",
    "\\'",
    "ＡＤＡ＠contoso.test",
    "x" * 2000,
]


@pytest.mark.parametrize("value", INJECTIONS, ids=lambda v: repr(v[:24]))
@pytest.mark.parametrize("attribute", ["mail", "userPrincipalName", "proxyAddresses", "uniqueName"])
async def test_no_value_becomes_a_query(world: World, attribute: str, value: str) -> None:
    """Whatever a value holds, it is looked for as it is, and finds nobody."""
    kind = GROUP if attribute == "uniqueName" else USER
    lookup = Lookup(kind, attribute, value)
    assert list(await world.tenant.find([lookup, lookup], [])) == [(), ()]
    assert list(await world.tenant.find([lookup], [])) == [()]


async def test_an_apostrophe_finds_its_owner(world: World) -> None:
    """O'Brien is found by a filter, in a batch and alone, and by path."""
    lookup = Lookup(USER, "userPrincipalName", "o'brien@contoso.test")
    for found in [*await world.tenant.find([lookup, lookup], []), *await world.tenant.find([lookup], [])]:
        assert [candidate.id for candidate in found] == [OBRIEN]
    read = await world.tenant.read(USER, EntraId("o'brien@contoso.test"), ["surname"])
    assert read is not None
    assert read.attributes["surname"] == "O'Brien"


async def test_reading_one(world: World) -> None:
    """An object by its id, or None."""
    read = await world.tenant.read(USER, ADA, ["jobTitle", "manager"])
    assert read is not None
    assert read.attributes["jobTitle"] == "Countess"
    assert await world.tenant.read(USER, NOBODY, ["jobTitle"]) is None
    assert await world.tenant.read(GROUP, ADA, ["displayName"]) is None


async def test_many_anchors(world: World) -> None:
    """Anchors are looked up in bulk, each exactly as it is written."""
    wanted = ["q+8/AbCdEfGhIjKlMnOpQg==", "ALANalanALANalanALANaA==", "alanALANalanALANalanAA=="]
    wanted += [f"none{n:018d}==" for n in range(310)]
    assert await world.tenant.anchors(wanted) == {wanted[0]: ADA, wanted[1]: ALAN}
    assert await world.tenant.anchors([]) == {}


async def test_members_of_a_large_group(world: World) -> None:
    """All pages are read."""
    made = []
    for n in range(45):
        created, _ = await world.tenant.create_user(new_user(f"m{n}", mailNickname=f"m{n}"))
        made.append(created.id)
    for start in range(0, 45, 20):
        await world.tenant.add_members(STAFF, made[start : start + 20])
    assert set(await world.tenant.group_members(STAFF)) == {ADA, *made}
    assert not await world.tenant.group_members(LIST)


async def test_domains_and_synchronisation(world: World) -> None:
    """Which names are verified and federated, and whether the tenant is fed from elsewhere."""
    domains = {d.name: (d.verified, d.federated, d.default) for d in await world.tenant.domains()}
    assert domains == {
        "contoso.test": (True, False, True),
        "federated.test": (True, True, False),
        "unverified.test": (False, False, False),
    }
    assert await world.tenant.synchronized() is False


async def test_a_synchronised_tenant() -> None:
    """The organization says so."""
    organization = {"displayName": "Contoso", "onPremisesSyncEnabled": True}
    async for world in world_of({**SEED, "organization": organization}):
        assert await world.tenant.synchronized() is True


# -- writing ---------------------------------------------------------------------------------------------


async def test_a_user_is_created_changed_and_linked(world: World) -> None:
    """What was sent is what is there; each write has the ids that support asks for."""
    anchor = "NEWnewNEWnewNEWnewNEWg=="
    created, receipt = await world.tenant.create_user(new_user("grace", onPremisesImmutableId=anchor))
    assert receipt.status == 201
    assert receipt.request_id
    assert receipt.client_request_id
    await world.tenant.update_user(created.id, {"jobTitle": "Admiral", "businessPhones": ["+1 555"]})
    await world.tenant.set_manager(created.id, ADA)
    read = await world.tenant.read(USER, created.id, ["jobTitle", "businessPhones", "manager"])
    assert read is not None
    assert read.attributes["jobTitle"] == "Admiral"
    manager = read.attributes["manager"]
    assert isinstance(manager, dict)
    assert manager["id"] == ADA
    await world.tenant.update_user(created.id, {"jobTitle": None, "businessPhones": []})
    await world.tenant.set_manager(created.id, None)
    await world.tenant.set_manager(created.id, None)  # it is gone already
    read = await world.tenant.read(USER, created.id, ["jobTitle", "businessPhones", "manager"])
    assert read is not None
    assert (read.attributes["jobTitle"], read.attributes["businessPhones"]) == (None, [])
    assert read.attributes.get("manager") is None


async def test_a_group_is_made_once_under_its_name(world: World) -> None:
    """The unique name is the key: the second upsert changes the first one's group."""
    made, receipt = await world.tenant.upsert_group("ad-7c52", {**NEW_GROUP})
    assert made is not None
    assert receipt.status == 201
    again, receipt = await world.tenant.upsert_group("ad-7c52", {"displayName": "Renamed"})
    assert again is None
    assert receipt.status == 204
    assert await world.tenant.unique_names(["ad-7c52", "ad-none", "ad-7c52"]) == {"ad-7c52": made.id}
    read = await world.tenant.read(GROUP, made.id, ["displayName"])
    assert read is not None
    assert read.attributes["displayName"] == "Renamed"
    await world.tenant.update_group(made.id, {"description": "x"})


async def test_members_all_or_none(world: World) -> None:
    """One that is there already refuses the whole request; alone it counts as added."""
    with pytest.raises(errors.TenantConflict):
        await world.tenant.add_members(STAFF, [ALAN, ADA])
    assert set(await world.tenant.group_members(STAFF)) == {ADA}
    await world.tenant.add_members(STAFF, [ADA])
    await world.tenant.add_members(STAFF, [ALAN])
    assert set(await world.tenant.group_members(STAFF)) == {ADA, ALAN}


# -- refusals --------------------------------------------------------------------------------------------


async def test_a_name_that_is_taken(world: World) -> None:
    """The property is named."""
    with pytest.raises(errors.TenantConflict) as caught:
        await world.tenant.update_user(ADA, {"userPrincipalName": "ALAN@contoso.test"})
    assert caught.value.ids["property"] == "userPrincipalName"
    assert caught.value.ids["request-id"]


async def test_an_anchor_that_is_taken(world: World) -> None:
    """The other object is named by its id."""
    body = new_user("impostor", onPremisesImmutableId="q+8/AbCdEfGhIjKlMnOpQg==")
    with pytest.raises(errors.TenantConflict) as caught:
        await world.tenant.create_user(body)
    assert caught.value.ids["conflicting-object"] == ADA


@pytest.mark.parametrize(
    ("change", "expected", "words"),
    [
        pytest.param(
            {"userPrincipalName": "ada@unverified.test"}, errors.TenantRefused, "verified domain", id="domain"
        ),
        pytest.param(
            {"userPrincipalName": "a da@contoso.test"}, errors.TenantRefused, "character", id="character"
        ),
        pytest.param({"employeeId": "x" * 17}, errors.TenantRefused, "employeeId", id="too long"),
        pytest.param(
            {"proxyAddresses": ["smtp:x@y"]}, errors.TenantRefused, "proxyAddresses", id="read-only"
        ),
        pytest.param({"businessPhones": None}, errors.TenantRefused, "businessPhones", id="null for a list"),
    ],
)
async def test_a_value_that_is_refused(
    world: World, change: Mapping[str, object], expected: type[errors.PipelineError], words: str
) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(expected, match=words):
        await world.tenant.update_user(ADA, change)


async def test_what_belongs_to_others_is_refused_as_such(world: World) -> None:
    """Synchronised objects, mail-enabled and dynamic groups, and objects that are not there."""
    with pytest.raises(errors.SynchronizedTarget):
        await world.tenant.update_user(SAM, {"jobTitle": "x"})
    with pytest.raises(errors.SynchronizedTarget):
        await world.tenant.add_members(SYNCED, [ADA])
    with pytest.raises(errors.MailEnabledGroup):
        await world.tenant.update_group(LIST, {"description": "x"})
    with pytest.raises(errors.MailEnabledGroup):
        await world.tenant.upsert_group("ad-1", {**NEW_GROUP, "mailEnabled": True})
    with pytest.raises((errors.TenantRefused, errors.TenantForbidden)):
        await world.tenant.add_members(DYNAMIC, [ADA])
    with pytest.raises(errors.TenantNotFound):
        await world.tenant.update_user(NOBODY, {"jobTitle": "x"})
    with pytest.raises(errors.TenantNotFound):
        await world.tenant.add_members(STAFF, [NOBODY])


async def test_a_privileged_user_is_told_from_a_missing_permission(world: World, reader: World) -> None:
    """Both are 403; what the token carries makes the difference."""
    with pytest.raises(errors.TenantForbidden, match="protected for administrators"):
        await world.tenant.update_user(PAT, {"mobilePhone": "+1"})
    with pytest.raises(errors.TenantForbidden, match=r"lacks the permission User\.ReadWrite\.All"):
        await reader.tenant.update_user(ADA, {"mobilePhone": "+1"})
    assert [candidate.id for candidate in (await reader.tenant.find([Lookup(USER, "id", ADA)], []))[0]] == [
        ADA
    ]


# -- faults ----------------------------------------------------------------------------------------------


def fault(method: str, path: str, times: int = 1, **then: Any) -> dict[str, Any]:
    """Return a rule of the fault switchboard."""
    return {"match": {"method": method, "path_regex": path}, "times": times, "then": then}


@pytest.mark.parametrize(
    "then", [{"drop": "after"}, {"apply_then_status": 503}, {"apply_then_status": 504}], ids=str
)
async def test_a_create_that_was_carried_out_and_not_answered(world: World, then: Mapping[str, Any]) -> None:
    """Nobody is made twice: one write in the ledger, and the anchor finds the one that was made."""
    anchor = "LOSTlostLOSTlostLOSTlg=="
    world.server.inject(fault("POST", "/users$", **then))
    with pytest.raises(errors.OutcomeUnknown) as caught:
        await world.tenant.create_user(new_user("lost", onPremisesImmutableId=anchor))
    assert caught.value.ids["client-request-id"]
    assert [write[:2] for write in world.writes()] == [("POST", "/v1.0/users")]
    (found,) = await world.tenant.find([Lookup(USER, "onPremisesImmutableId", anchor)], [])
    assert len(found) == 1


async def test_a_create_that_was_dropped_before(world: World) -> None:
    """From outside it looks the same: unknown, and not sent again."""
    world.server.inject(fault("POST", "/users$", drop="before"))
    with pytest.raises(errors.OutcomeUnknown):
        await world.tenant.create_user(new_user("lost"))
    (found,) = await world.tenant.find([Lookup(USER, "userPrincipalName", "lost@contoso.test")], [])
    assert found == ()


@pytest.mark.parametrize("header", ["3", "2.128"])
async def test_a_throttled_create_happens_once(world: World, header: str) -> None:
    """It waits as asked and is then carried out."""
    world.server.inject(fault("POST", "/users$", times=2, status=429, headers={"Retry-After": header}))
    await world.tenant.create_user(new_user("patient"))
    assert len(world.naps) == 2
    assert all(nap >= float(header) for nap in world.naps)
    assert [status for _, _, status in world.writes() if status == 201] == [201]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_lost_change_is_left_to_whoever_can_look(world: World, moment: str) -> None:
    """Nothing is sent again in the dark: the answer is lost, and that is said."""
    world.server.inject(fault("PATCH", f"/users/{ADA}$", drop=moment))
    with pytest.raises(errors.OutcomeUnknown):
        await world.tenant.update_user(ADA, {"jobTitle": "Reader"})
    assert len(world.writes()) <= 1


async def test_a_replica_that_lags(world: World) -> None:
    """A new user that a replica does not know yet is waited for when it is linked or read."""
    world.server.inject(fault("POST", "/users$", stale_reads=3))
    created, _ = await world.tenant.create_user(new_user("fresh"))
    read = await world.tenant.read(USER, created.id, ["displayName"])
    assert read is not None
    assert world.naps
