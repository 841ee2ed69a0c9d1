"""What the tenant makes of answers: batches, pages, and whatever else a service may say one day."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from pipeline import errors
from pipeline.adapters.graph import GraphTenant
from pipeline.ids import EntraId
from pipeline.model import TargetKind
from pipeline.ports import Domain, Lookup
from tests.contract.graph.parts import JumpingClock, Say, Scripted, drop

USER, GROUP = TargetKind.USER, TargetKind.GROUP
ADA = EntraId("11111111-0000-4000-8000-000000000001")
BOB = EntraId("11111111-0000-4000-8000-000000000002")


def user(number: int, **more: Any) -> dict[str, Any]:
    """Return a user as Graph gives it."""
    return {"id": f"id-{number}", "displayName": f"User {number}", **more}


def lookups(count: int) -> list[Lookup]:
    """Return so many look-ups by mail."""
    return [Lookup(USER, "mail", f"{n}@contoso.test") for n in range(count)]


Step = Mapping[str, Any]


class Batches:
    """Answers batches: each step by what is set for its number, else with one user of that number."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.first: dict[int, Step] = {}
        """Answers that a step gets once, by the number of the user it asks for."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer one batch, its steps in any order."""
        steps = (await request.json())["requests"]
        self.sizes.append(len(steps))
        answers = [self._answer(step) for step in steps]
        random.Random(len(steps)).shuffle(answers)  # noqa: S311  # any order will do
        return web.json_response({"responses": answers})

    def _answer(self, step: Step) -> dict[str, Any]:
        number = int(step["url"].split("eq%20%27")[1].split("%40")[0])
        if number in self.first:
            return {"id": step["id"], **self.first.pop(number)}
        return {"id": step["id"], "status": 200, "headers": {}, "body": {"value": [user(number)]}}


def ids(found: Any) -> list[list[str]]:
    """Return the ids of the candidates of each look-up."""
    return [[candidate.id for candidate in candidates] for candidates in found]


@pytest.mark.parametrize(
    ("count", "requests"),
    [(2, [2]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])],
)
async def test_look_ups_are_one_round_trip(
    tenant: GraphTenant, server: Scripted, count: int, requests: list[int]
) -> None:
    """Up to twenty questions are one request; the answers come back in the order of the questions."""
    batches = Batches()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":  # a single look-up goes without a batch
            batches.sizes.append(1)
            number = request.query["$filter"].split("'")[1].split("@")[0]
            return web.json_response({"value": [user(int(number))]})
        return await batches(request)

    server.will(answer)
    found = await tenant.find(lookups(count), ["mail"])
    assert ids(found) == [[f"id-{n}"] for n in range(count)]
    assert sorted(batches.sizes, reverse=True) == requests


async def test_batches_go_out_together(tenant: GraphTenant, server: Scripted) -> None:
    """More than twenty questions take the time of one batch, not of several."""
    flying = 0
    together = asyncio.Event()
    batches = Batches()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal flying
        flying += 1
        if flying == 3:
            together.set()
        await together.wait()
        return await batches(request)

    server.will(answer)
    async with asyncio.timeout(60):
        await tenant.find(lookups(60), ["mail"])


@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
@pytest.mark.parametrize("value", ["4", "2.5"])
async def test_only_the_throttled_step_is_asked_again(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock, name: str, value: str
) -> None:
    """Each step is throttled on its own, and says its own wait in its own headers."""
    batches = Batches()
    batches.first = {3: {"status": 429, "headers": {name: value}, "body": None}}
    server.will(batches)
    found = await tenant.find(lookups(6), ["mail"])
    assert ids(found) == [[f"id-{n}"] for n in range(6)]
    assert batches.sizes == [6, 1]
    assert clock.naps == [float(value)]


async def test_the_longest_wait_of_a_batch_counts(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock
) -> None:
    """Steps that are asked again together wait for the last of them."""
    batches = Batches()
    batches.first = {
        1: {"status": 429, "headers": {"Retry-After": "2"}},
        4: {"status": 429, "headers": {"Retry-After": "9"}},
        5: {"status": 503},
    }
    server.will(batches)
    await tenant.find(lookups(6), ["mail"])
    assert batches.sizes == [6, 3]
    assert clock.naps == [9.0]


async def test_a_refused_step_is_the_error(tenant: GraphTenant, server: Scripted) -> None:
    """No step is taken for empty because it failed: that would make a second user of somebody."""
    batches = Batches()
    refusal = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}
    batches.first = {2: {"status": 403, "headers": {"request-id": "of-the-step"}, "body": refusal}}
    server.will(batches)
    with pytest.raises(errors.TenantForbidden, match=r"User\.Read\.All") as caught:
        await tenant.find(lookups(4), ["mail"])
    assert caught.value.ids["request-id"] == "of-the-step"


@pytest.mark.parametrize(
    "responses",
    [
        pytest.param([], id="none"),
        pytest.param(None, id="null"),
        pytest.param([{"id": "0", "status": 200, "body": {"value": []}}], id="one is missing"),
        pytest.param(
            [{"id": "0", "status": 200, "body": {"value": []}}, {"id": "7", "status": 200, "body": {}}],
            id="one of another number",
        ),
        pytest.param(
            [{"id": "0", "status": 200, "body": {"value": []}}, {"id": "1", "status": "200"}],
            id="a status that is none",
        ),
        pytest.param([1, "x", None, {"id": 0}, {"id": ["0"]}, {"id": "²"}], id="rubbish"),
    ],
)
async def test_an_unanswered_question_is_no_empty_answer(
    tenant: GraphTenant, server: Scripted, responses: Any
) -> None:
    """A batch that leaves out a step is an error, never "nobody matches"."""
    server.will(Say(body={"responses": responses}))
    with pytest.raises(errors.TenantUnexpected, match="unanswered"):
        await tenant.find(lookups(2), ["mail"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no value"),
        pytest.param({"value": None}, id="null"),
        pytest.param({"value": {"id": "1"}}, id="an object"),
        pytest.param([], id="a bare list"),
        pytest.param({"value": [{"displayName": "nobody"}]}, id="an object without an id"),
        pytest.param({"value": [{"id": 7}]}, id="an id of another type"),
        pytest.param({"value": ["x"]}, id="no object"),
    ],
)
async def test_a_list_that_cannot_be_understood_is_no_empty_list(
    tenant: GraphTenant, server: Scripted, body: Any
) -> None:
    """What is not understood is an error, never "nobody matches"."""
    server.will(Say(body=body))
    with pytest.raises(errors.TenantUnexpected):
        await tenant.find(lookups(1), ["mail"])


async def test_unknown_values_are_taken_as_they_are(tenant: GraphTenant, server: Scripted) -> None:
    """New fields, enum members nobody has heard of and nulls reach the caller unharmed."""
    odd = user(1, userType="Robot", newThing={"a": [None]}, mail=None, **{"@odata.type": "#x", "@new": 1})
    server.will(Say(body={"value": [odd], "@odata.context": "x", "surprise": True}))
    ((found,),) = await tenant.find(lookups(1), ["mail"])
    assert found.attributes["userType"] == "Robot"
    assert found.attributes["newThing"] == {"a": [None]}
    assert found.attributes["mail"] is None
    assert "@new" not in found.attributes


async def test_all_pages_of_candidates_are_read(tenant: GraphTenant, server: Scripted) -> None:
    """A page may be short or empty and still have a next one."""
    more = server.base + "/users?$skiptoken="
    server.will(
        Say(body={"value": [], "@odata.nextLink": more + "1"}),
        Say(body={"value": [user(1)], "@odata.nextLink": more + "2"}),
        Say(body={"value": [user(2)], "@odata.nextLink": None}),
    )
    (found,) = await tenant.find(lookups(1), ["mail"])
    assert [candidate.id for candidate in found] == ["id-1", "id-2"]


async def test_pages_in_a_circle_end(tenant: GraphTenant, server: Scripted) -> None:
    """A next link that was followed before is an error, not a loop."""
    link = server.base + "/groups/g/members?$skiptoken=1"
    server.will(Say(body={"value": [{"id": "1"}], "@odata.nextLink": link}))
    with pytest.raises(errors.TenantUnexpected, match="does not end"):
        await tenant.group_members(EntraId("g"))
    assert len(server.seen) == 2


async def test_members_are_read_with_no_more_than_their_names(tenant: GraphTenant, server: Scripted) -> None:
    """Pages of 999, each member once."""
    link = server.base + "/groups/g/members?$skiptoken=1"
    server.will(
        Say(body={"value": [{"id": "1"}, {"id": "2"}], "@odata.nextLink": link}),
        Say(body={"value": [{"id": "2"}, {"id": "3", "@odata.type": "#microsoft.graph.device"}]}),
    )
    assert set(await tenant.group_members(EntraId("g"))) == {"1", "2", "3"}
    assert server.seen[0].query == {"$select": "id,displayName", "$top": "999"}


async def test_domains_are_asked_for_once_in_ten_minutes(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock
) -> None:
    """Domain names hardly change; twenty runs at once ask once."""
    server.will(
        Say(
            body={
                "value": [
                    {
                        "id": "contoso.test",
                        "isVerified": True,
                        "isDefault": True,
                        "authenticationType": "Managed",
                    },
                    {"id": "fed.test", "isVerified": True, "authenticationType": "Federated"},
                    {"id": "odd.test", "isVerified": "yes", "isDefault": None, "authenticationType": None},
                ]
            }
        )
    )
    answers = await asyncio.gather(*[tenant.domains() for _ in range(20)])
    assert answers[0] == (
        Domain("contoso.test", verified=True, federated=False, default=True),
        Domain("fed.test", verified=True, federated=True, default=False),
        Domain("odd.test", verified=False, federated=False, default=False),
    )
    clock.passed += 599
    await tenant.domains()
    assert len(server.seen) == 1
    clock.passed += 2
    await tenant.domains()
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (None, False), ("true", False)],
)
async def test_whether_synchronisation_feeds_the_tenant(
    tenant: GraphTenant, server: Scripted, *, value: Any, expected: bool
) -> None:
    """Only a plain true says so; null means that it never did."""
    server.will(Say(body={"value": [{"id": "t", "onPremisesSyncEnabled": value}]}))
    assert await tenant.synchronized() is expected


@pytest.mark.parametrize("body", [None, {}, {"id": None}, [], {"id": 5}], ids=repr)
async def test_a_created_user_without_an_id_is_of_unknown_outcome(
    tenant: GraphTenant, server: Scripted, body: Any
) -> None:
    """It was made, and nobody knows which it is: it must be looked for, not made again."""
    server.will(Say(201, body))
    with pytest.raises(errors.OutcomeUnknown):
        await tenant.create_user({"displayName": "Ada"})
    assert len(server.seen) == 1


@pytest.mark.parametrize("act", [drop, Say(503), Say(504)], ids=["drop", "503", "504"])
async def test_a_lost_upsert_is_not_sent_again(tenant: GraphTenant, server: Scripted, act: Say) -> None:
    """A second upsert would be answered with "changed" and hide that the first one created the group."""
    server.will(act, Say(204))
    with pytest.raises(errors.OutcomeUnknown):
        await tenant.upsert_group("ad-1", {"displayName": "G"})
    assert len(server.seen) == 1


@pytest.mark.parametrize("act", [drop, Say(503)], ids=["drop", "503"])
async def test_lost_members_are_not_added_again(tenant: GraphTenant, server: Scripted, act: Say) -> None:
    """Sent twice, the request would be refused for the members that it added itself."""
    server.will(act, Say(204))
    with pytest.raises(errors.OutcomeUnknown):
        await tenant.add_members(ADA, [BOB])
    assert len(server.seen) == 1


@pytest.mark.parametrize("count", [0, 21])
async def test_members_come_in_pieces_that_graph_takes(tenant: GraphTenant, count: int) -> None:
    """One to twenty references in one request; more is a mistake of the caller."""
    with pytest.raises(ValueError, match="at once"):
        await tenant.add_members(ADA, [EntraId(str(n)) for n in range(count)])


async def test_an_upsert_tells_created_from_changed(tenant: GraphTenant, server: Scripted) -> None:
    """201 carries the new group; 204 says that it was there (page "Upsert group")."""
    server.will(Say(201, {"id": "g-1", "displayName": "G"}), Say(204))
    made, receipt = await tenant.upsert_group("ad-O'1", {"displayName": "G"})
    assert made is not None
    assert (made.id, receipt.status) == ("g-1", 201)
    changed, receipt = await tenant.upsert_group("ad-O'1", {"displayName": "H"})
    assert (changed, receipt.status) == (None, 204)
    assert server.seen[0].headers["prefer"] == "create-if-missing"
    assert server.seen[0].method == "PATCH"


NOT_FOUND = Say(404, {"error": {"code": "Request_ResourceNotFound", "message": "does not exist"}})


async def test_an_object_made_moments_ago_is_waited_for(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock
) -> None:
    """A replica may not know it yet: for it, and for it alone, not found is asked again."""
    server.will(Say(201, {"id": ADA}), NOT_FOUND, NOT_FOUND, NOT_FOUND, Say(204))
    await tenant.create_user({})
    await tenant.set_manager(ADA, BOB)
    assert len(server.seen) == 5
    assert 0 < clock.passed <= 30


async def test_a_fresh_object_that_stays_away_is_not_found_after_half_a_minute(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock
) -> None:
    """Then it is said, not waited for."""
    server.will(Say(201, {"id": ADA}), NOT_FOUND)
    await tenant.create_user({})
    assert await tenant.read(USER, ADA, ["displayName"]) is None
    assert 10 < clock.passed <= 30


async def test_an_object_of_old_that_is_gone_is_gone(
    tenant: GraphTenant, server: Scripted, clock: JumpingClock
) -> None:
    """Nothing is waited for; two minutes after its making an object is one of old."""
    server.will(NOT_FOUND)
    assert await tenant.read(USER, BOB, ["displayName"]) is None
    with pytest.raises(errors.TenantNotFound):
        await tenant.update_user(BOB, {"jobTitle": "x"})
    server.will(Say(201, {"id": ADA}), NOT_FOUND)
    await tenant.create_user({})
    clock.passed += 121
    assert await tenant.read(USER, ADA, ["displayName"]) is None
    assert clock.naps == []


async def test_a_manager_who_is_not_linked_is_unlinked_already(tenant: GraphTenant, server: Scripted) -> None:
    """Taking a link away that is not there is done."""
    server.will(NOT_FOUND)
    receipt = await tenant.set_manager(ADA, None)
    assert receipt.status == 404
    assert [(seen.method, seen.raw_path) for seen in server.seen] == [
        ("DELETE", f"/v1.0/users/{ADA}/manager/$ref")
    ]


def odd(dice: random.Random, depth: int = 0) -> Any:
    """Make up a JSON value that looks a little like an answer of Graph."""
    names = ["id", "value", "error", "code", "message", "details", "status", "body", "headers", "responses"]
    names += ["@odata.nextLink", "displayName", "manager", "isVerified", "target", "innerError", "新"]
    scalars: list[Any] = [None, True, False, 0, -1, 1.5, 200, 404, 10**30, "", "x", "0", "1", "Retry-After"]
    if depth > 3 or dice.random() < 0.3:
        return dice.choice(scalars)
    if dice.random() < 0.4:
        return [odd(dice, depth + 1) for _ in range(dice.randint(0, 3))]
    return {dice.choice(names): odd(dice, depth + 1) for _ in range(dice.randint(0, 5))}


@pytest.mark.parametrize("seed", range(10))
async def test_no_answer_crashes_the_tenant(tenant: GraphTenant, server: Scripted, seed: int) -> None:
    """Hundreds of odd answers to every call: each is a result or an error of ours."""
    dice = random.Random(seed)  # noqa: S311  # answers that can be repeated, not a secret
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: tenant.find(lookups(1), ["mail"]),
        lambda: tenant.find(lookups(3), ["mail"]),
        lambda: tenant.read(USER, ADA, ["manager"]),
        lambda: tenant.anchors(["a==", "b=="]),
        lambda: tenant.unique_names(["ad-1", "ad-2"]),
        lambda: tenant.group_members(ADA),
        lambda: tenant.create_user({}),
        lambda: tenant.update_user(ADA, {}),
        lambda: tenant.set_manager(ADA, None),
        lambda: tenant.upsert_group("ad-1", {}),
        lambda: tenant.add_members(ADA, [BOB]),
    ]
    for _ in range(60):
        status = dice.choice([200, 200, 201, 204, 299, 302, 400, 403, 404, 409, 418, 424, 429, 500, 503])
        server.will(Say(status, odd(dice), {"Retry-After": dice.choice(["0", "x", "-1", "1e9"])}))
        try:
            await dice.choice(calls)()
        except errors.PipelineError:
            continue


async def test_a_ping_asks_each_time(tenant: GraphTenant, server: Scripted) -> None:
    """Whether the tenant is well is asked now, never told from what was kept."""
    server.will(Say(200, {"value": [{"id": "tenant"}]}))
    await tenant.ping()
    await tenant.ping()
    assert [seen.method for seen in server.seen] == ["GET", "GET"]
    server.will(Say(403, {"error": {"code": "Authorization_RequestDenied", "message": "no"}}))
    with pytest.raises(errors.TenantForbidden):
        await tenant.ping()
