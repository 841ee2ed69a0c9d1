"""Values and answers that nobody wishes for: quoted whatever they hold, read whatever they are."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from pipeline import errors, facts
from pipeline.adapters.graph import GraphTenant
from pipeline.adapters.graph.errors import read_answer, to_error
from pipeline.adapters.graph.queries import lookup_query
from pipeline.ids import EntraId
from pipeline.model import TargetKind
from pipeline.ports import Lookup
from tests.contract.graph.parts import Say, Scripted

PIECES = [
    "'",
    "''",
    "%27",
    "%2527",
    "&",
    "?",
    "#",
    "/",
    "\\",
    " or ",
    "eq",
    ")",
    "(",
    "$filter=",
    "\x00",
    "\n",
]
PIECES += [
    "O'Brien",
    "é",
    "\u202e",
    "\u2019",
    "＇",
    "+",
    "=",
    ";",
    '"',
    "..",
    "\U0001f600",
    "x" * 200,
    "null",
    ",",
]


def hostile(number: int) -> str:
    """Return the value of that number, the same one each time."""
    dice = random.Random(number)  # noqa: S311  # cases that can be repeated, no secret
    return "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 8)))


def unquoted(filter_text: str) -> str:
    """Return the one literal that ends a filter, by the rule of the protocol: an apostrophe is doubled."""
    inner = filter_text[filter_text.index("'") + 1 : filter_text.rindex("'")]
    assert "'" not in inner.replace("''", ""), "an apostrophe that ends the literal early"
    return inner.replace("''", "'")


@pytest.mark.parametrize(
    "attribute", ["userPrincipalName", "mail", "proxyAddresses", "onPremisesImmutableId"]
)
def test_one_value_is_one_literal(attribute: str) -> None:
    """Five hundred values: the query has the options it is meant to have, and its literal is the value."""
    for number in range(500):
        value = hostile(number)
        parts = urlsplit(lookup_query(Lookup(TargetKind.USER, attribute, value), ["id"]).url)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
        assert [name for name, _ in options] == ["$filter", "$select"]
        assert unquoted(options[0][1]) == value
        assert parts.path == "/users"
        assert parts.fragment == ""


def test_one_value_is_one_key() -> None:
    """In a path, too: the key is one part of it and holds the value."""
    for number in range(500):
        value = hostile(number)
        parts = urlsplit(lookup_query(Lookup(TargetKind.GROUP, "uniqueName", value), ["id"]).url)
        assert parts.path.count("/") == 1
        assert parts.path.startswith("/groups(uniqueName=")
        assert unquoted(unquote(parts.path)) == value
        assert parts.query.count("&") == 0


ANSWER: dict[str, Any] = {
    "id": "11111111-0000-4000-8000-000000000001",
    "displayName": "Ada",
    "userPrincipalName": "ada@contoso.test",
    "businessPhones": ["+44 1"],
    "onPremisesSyncEnabled": None,
    "onPremisesExtensionAttributes": {"extensionAttribute1": "x"},
    "manager": {"id": "22222222-0000-4000-8000-000000000001", "displayName": "Boss"},
    "authenticationType": "Managed",
    "isVerified": True,
}
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "unknownFutureValue",
    [],
    {},
    [None],
    {"value": None},
    "x" * 5000,
]


def spoilt(dice: random.Random, value: Any) -> Any:
    """Return an answer with something in it that was not agreed on."""
    if dice.random() < 0.15:
        return dice.choice(ODD)
    if isinstance(value, dict):
        more = {f"new{dice.randint(0, 9)}": dice.choice(ODD)} if dice.random() < 0.3 else {}
        kept = {name: spoilt(dice, one) for name, one in value.items() if dice.random() > 0.1}
        return kept | more
    return [spoilt(dice, one) for one in value] if isinstance(value, list) else value


def test_no_error_body_is_too_odd() -> None:
    """Four thousand spoilt error answers of any status become an error of ours, with a sentence."""
    body = {
        "error": {
            "code": "Request_BadRequest",
            "message": "Another object with the same value for property userPrincipalName already exists.",
            "details": [{"code": "ObjectConflict", "target": "userPrincipalName", "message": "m"}],
            "innerError": {"request-id": "r", "client-request-id": "c", "date": "d"},
        }
    }
    dice = random.Random(25)  # noqa: S311  # cases that can be repeated, no secret
    for _ in range(4000):
        status = dice.choice([400, 401, 403, 404, 405, 409, 412, 418, 424, 429, 500, 502, 503, 504, 507, 599])
        error = to_error(
            read_answer(status, spoilt(dice, body), {}), needs=dice.choice(["", "User.Read.All"])
        )
        assert isinstance(error, errors.PipelineError)
        assert error.message
        assert error.remedy


async def test_no_answer_is_too_odd(tenant: GraphTenant, server: Scripted) -> None:
    """A thousand spoilt answers to every kind of read: an object, nothing, or an error of ours."""
    dice = random.Random(26)  # noqa: S311  # cases that can be repeated, no secret
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: tenant.find([Lookup(TargetKind.USER, "mail", "x")], ["id"]),
        lambda: tenant.read(TargetKind.USER, EntraId("x"), ["id", "manager"]),
        lambda: tenant.group_members(EntraId("x")),
        lambda: tenant.standing(TargetKind.GROUP, EntraId("x")),
        lambda: tenant.anchors(["x"]),
        lambda: tenant.unique_names(["x"]),
    ]
    for number in range(1000):
        answer = ANSWER if number % 2 else {"value": [ANSWER, ANSWER], "isCloudManaged": False}
        server.will(Say(200, spoilt(dice, answer)))
        try:
            await reads[number % len(reads)]()
        except errors.PipelineError as error:
            assert error.message  # noqa: PT017  # most are understood; those that are not say so


WRITES: dict[str, Callable[[GraphTenant], Awaitable[object]]] = {
    "create user": lambda tenant: tenant.create_user({"displayName": "x"}),
    "upsert group": lambda tenant: tenant.upsert_group("ad-1", {"displayName": "x"}),
    "update user": lambda tenant: tenant.update_user(EntraId("x"), {"displayName": "x"}),
    "update group": lambda tenant: tenant.update_group(EntraId("x"), {"displayName": "x"}),
    "link manager": lambda tenant: tenant.set_manager(EntraId("x"), EntraId("y")),
    "unlink manager": lambda tenant: tenant.set_manager(EntraId("x"), None),
    "restore user": lambda tenant: tenant.restore_user(EntraId("x")),
    "restore group": lambda tenant: tenant.restore_group(EntraId("x")),
    "add members": lambda tenant: tenant.add_members(EntraId("x"), [EntraId("y"), EntraId("z")]),
    "remove member": lambda tenant: tenant.remove_member(EntraId("x"), EntraId("y")),
}
PAGE = b"<html><body>Sign in to the network to go on</body></html>"


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body", [PAGE, b"[]", b'"done"', b'{"id": "x"', b'{"error": {"code": "x"}}'], ids=repr
)
async def test_what_is_no_answer_of_graph_is_no_success(
    tenant: GraphTenant, server: Scripted, write: str, status: int, body: bytes
) -> None:
    """A proxy that says 200 with a page of its own may have written nothing: that is looked into."""
    server.will(Say(status, body))
    with pytest.raises(errors.OutcomeUnknown):
        await WRITES[write](tenant)
    assert len(server.seen) == 1


async def test_no_answer_to_a_write_is_too_odd(tenant: GraphTenant, server: Scripted) -> None:
    """Spoilt answers to every kind of write: an error of ours, or a success that can be one."""
    dice = random.Random(27)  # noqa: S311  # cases that can be repeated, no secret
    refusal = {"error": {"code": "Request_BadRequest", "message": "No.", "details": [{"code": "x"}]}}
    for number in range(1200):
        write = dice.choice(list(WRITES))
        status = dice.choice([200, 200, 201, 202, 400, 403, 404, 409, 429, 500, 503])
        answer = spoilt(dice, ANSWER if status < 300 else refusal)
        server.will(Say(status, answer))
        try:
            given = await WRITES[write](tenant)
        except errors.PipelineError as error:
            assert error.message  # noqa: PT017  # a refusal, or an outcome that is to be looked at
            unknown = isinstance(error, errors.OutcomeUnknown)
            assert unknown == (status < 300 or status >= 500), (number, write, status, answer)
            continue
        removed_already = status == 404 and write in {"unlink manager", "remove member"}
        assert status < 300 or removed_already, (number, write, status, answer)
        if status < 300:
            assert answer is None or (isinstance(answer, dict) and "error" not in answer)
        if write == "create user":
            made: Any = given
            assert made[0].id == answer["id"] != ""
            assert isinstance(made[0].identity.name, str | None)


def test_an_unknown_code_is_kept_whole() -> None:
    """What the table does not know is told as Graph told it, with the ids."""
    body = {"error": {"code": "Brand_NewCode", "message": "Something nobody has seen.", "details": None}}
    error = to_error(read_answer(422, body, {"request-id": "r-1"}))
    assert isinstance(error, errors.TenantUnexpected)
    assert "Brand_NewCode: Something nobody has seen." in error.message
    assert error.ids["request-id"] == "r-1"


def test_every_refusal_has_a_remedy() -> None:
    """Whatever row an answer fits, its error says what to do."""
    for row in facts.graph_errors():
        assert getattr(errors, row.becomes).remedy, row.id
