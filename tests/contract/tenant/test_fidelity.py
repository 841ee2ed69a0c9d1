"""The tenant passes every named check; broken in one way, it fails just those that speak of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tenant import batch, directory, filters, groups, queries, references, roles, rules, tokens, users
from sandbox.tenant.service import Graph
from sandbox.tenant.store import KeyTaken
from sandbox.tenant.tenant import Tenant
from tests.contract.tenant.fidelity import CHECKS, world
from tests.contract.tenant.official_client import installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tenant.errors import GraphRefusal
    from sandbox.tenant.protocol import Reply
    from sandbox.tenant.store import Entry, State
    from tests.contract.tenant.conftest import Clock, Connect

# The SDK warns of classes of its own while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _with_the_sdk(*, in_ci: bool) -> None:
    """Without the package the tests are skipped, in CI they fail."""
    if not installed() and not in_ci:
        pytest.skip("msgraph-sdk is not installed: it is in the dependency group sdk")


@dataclass(frozen=True, slots=True)
class Break:
    """One fault of the tenant: where it is, what is there instead, and which checks must notice."""

    where: Any
    name: str
    instead: Any
    noticed_by: frozenset[str]


def put_without_looking(_: Tenant, draft: State, entry: Entry) -> None:
    """Store an object whatever it takes from another."""
    try:
        draft.put(entry)
    except KeyTaken:
        draft.live[entry.id] = entry


def without_details(original: Callable[..., Reply]) -> Callable[..., Reply]:
    """Leave the details out of an error answer."""

    def failed(graph: Graph, call: Any, request_id: str, refusal: GraphRefusal) -> Reply:
        refusal.details = ()
        return original(graph, call, request_id, refusal)

    return failed


def not_found_no_more(original: Callable[..., Reply]) -> Callable[..., Reply]:
    """Answer 400 for what is not there."""

    def failed(graph: Graph, call: Any, request_id: str, refusal: GraphRefusal) -> Reply:
        refusal.status = 400 if refusal.status == 404 else refusal.status
        return original(graph, call, request_id, refusal)

    return failed


def without_links(original: Callable[..., Reply]) -> Callable[..., Reply]:
    """Leave the link to the next page out of a list."""

    def answered(*arguments: Any) -> Reply:
        reply = original(*arguments)
        body = {name: value for name, value in reply.body.items() if name != "@odata.nextLink"}
        return replace(reply, body=body)

    return answered


def linked_without_looking(_: State, entry: Entry, name: str, added: tuple[str, ...]) -> Entry:
    """Add members whatever the group holds already."""
    return replace(entry, members=entry.members + added) if name == "members" else entry


def deleted_for_good(_: Tenant, draft: State, entry: Entry) -> None:
    """Remove an object without keeping it."""
    draft.remove(entry.id)


def mailed_without_looking(_: State, entry: Entry, mail: str | None) -> Entry:
    """Make a mail an address even when another object has it."""
    return entry.with_properties({"proxyAddresses": [f"SMTP:{mail}"] if mail else []})


def roles_of_any_token(issuer: tokens.TokenIssuer, authorization: str, _: Tenant) -> frozenset[str]:
    """Take a token's roles whatever its time."""
    return frozenset(issuer._claims(authorization.partition(" ")[2])["roles"])


def nothing(*_: Any, **__: Any) -> None:
    """Do not check."""


def noticed(*names: str) -> frozenset[str]:
    """Name checks, all of which must exist."""
    assert set(names) <= CHECKS.keys()
    return frozenset(names)


BREAKS = {
    "unique values are taken twice": Break(
        Tenant,
        "put",
        put_without_looking,
        noticed("a_taken_upn_is_refused", "a_taken_anchor_names_its_holder"),
    ),
    "errors have no details": Break(
        Graph, "_failed", without_details(Graph._failed), noticed("a_taken_anchor_names_its_holder")
    ),
    "absence is a bad request": Break(
        Graph,
        "_failed",
        not_found_no_more(Graph._failed),
        noticed("a_manager_that_is_not_there_is_not_found", "a_step_waits_for_what_it_depends_on"),
    ),
    "any domain does": Break(rules, "check_upn", nothing, noticed("a_domain_must_be_verified")),
    "read-only is ignored": Break(rules, "_writable", nothing, noticed("a_read_only_property_is_refused")),
    "values are not looked at": Break(
        rules, "check_value", nothing, noticed("a_long_value_is_refused", "a_list_is_never_null")
    ),
    "synchronized objects are written": Break(
        rules, "check_changeable", nothing, noticed("a_synchronized_user_is_not_written")
    ),
    "administrators are like anybody": Break(
        roles, "check_shield", nothing, noticed("an_administrator_is_shielded")
    ),
    "no next link": Break(
        queries, "answer_list", without_links(queries.answer_list), noticed("pages_are_linked")
    ),
    "a filter keeps everything": Break(
        filters, "matches", lambda *_: True, noticed("a_filter_reads_a_doubled_quote")
    ),
    "advanced operators are free": Break(
        queries._FilterCheck, "_needs_advanced", nothing, noticed("an_advanced_filter_wants_its_header")
    ),
    "$select is ignored": Break(
        queries,
        "_select",
        nothing,
        noticed(
            "properties_come_when_selected",
            "a_taken_anchor_names_its_holder",
            "a_taken_address_leaves_mail_alone_unsaid",
        ),
    ),
    "members come twice": Break(
        groups, "_with_links", linked_without_looking, noticed("a_member_is_added_once")
    ),
    "any number of references": Break(
        references, "BIND_LIMIT", 10_000, noticed("a_change_binds_twenty_members")
    ),
    "dependsOn is ignored": Break(
        batch, "_dependencies", lambda *_: (), noticed("a_step_waits_for_what_it_depends_on")
    ),
    "delete is for good": Break(
        users, "soft_delete", deleted_for_good, noticed("a_deleted_user_waits_and_returns")
    ),
    "restore keeps the mangled name": Break(
        directory,
        "_former_upn",
        lambda entry: entry.get("userPrincipalName"),
        noticed("a_deleted_user_waits_and_returns"),
    ),
    "roles are not asked for": Break(
        Tenant, "allows", lambda *_: True, noticed("a_token_opens_what_its_roles_say")
    ),
    "tokens live for ever": Break(
        tokens.TokenIssuer, "read", roles_of_any_token, noticed("a_token_runs_out")
    ),
    "a mail becomes an address come what may": Break(
        users,
        "with_mail",
        mailed_without_looking,
        noticed("a_taken_address_leaves_mail_alone_unsaid"),
    ),
}


@pytest.mark.parametrize("name", CHECKS)
async def test_the_tenant_is_true_to_graph(
    connect: Connect, seed: Any, clock: Clock, ids: Any, *, name: str
) -> None:
    """Every named check passes on the tenant as it is."""
    async with world(connect, seed, clock, ids) as made:
        await CHECKS[name](made)


@pytest.mark.parametrize("name", BREAKS)
async def test_a_broken_tenant_is_caught_by_name(
    monkeypatch: pytest.MonkeyPatch, connect: Connect, seed: Any, clock: Clock, ids: Any, *, name: str
) -> None:
    """Each break is noticed by the checks that are about it, and by no other."""
    broken = BREAKS[name]
    monkeypatch.setattr(broken.where, broken.name, broken.instead)
    failed = set()
    async with world(connect, seed, clock, ids) as made:
        for called, check in CHECKS.items():
            try:
                await check(made)
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 (a broken tenant breaks a client anyhow)
                failed.add(called)
            made.start_over()
    assert failed == broken.noticed_by


def test_every_check_is_needed() -> None:
    """A check that no break makes fail would prove nothing."""
    assert CHECKS.keys() == {name for broken in BREAKS.values() for name in broken.noticed_by}
