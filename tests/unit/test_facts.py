"""The facts that plans are made by."""

from __future__ import annotations

import re

import pytest

from pipeline import errors, facts
from pipeline.facts import How
from pipeline.model import TargetKind

USER, GROUP = TargetKind.USER, TargetKind.GROUP


@pytest.mark.parametrize(
    ("kind", "attribute", "how", "on_create", "on_update"),
    [
        (USER, "displayName", How.BODY, True, True),
        (USER, "onPremisesImmutableId", How.BODY, True, True),
        (USER, "mail", How.BODY, True, True),
        (USER, "businessPhones", How.BODY, True, True),
        (USER, "onPremisesExtensionAttributes.extensionAttribute15", How.BODY, True, True),
        (USER, "extension_0123456789abcdef0123456789abcdef_costCentre", How.BODY, True, True),
        (USER, "manager", How.LINK, True, True),
        (USER, "proxyAddresses", How.EXCHANGE, False, False),
        (USER, "onPremisesSyncEnabled", How.SYNC, False, False),
        (USER, "onPremisesSamAccountName", How.SYNC, False, False),
        (USER, "createdDateTime", How.SYSTEM, False, False),
        (USER, "aboutMe", How.OTHER, False, False),
        (USER, "favouriteColour", How.UNKNOWN, False, False),
        (USER, "uniqueName", How.UNKNOWN, False, False),
        (USER, "onPremisesExtensionAttributes.extensionAttribute16", How.UNKNOWN, False, False),
        (GROUP, "displayName", How.BODY, True, True),
        (GROUP, "mailEnabled", How.BODY, True, False),
        (GROUP, "uniqueName", How.KEY, True, False),
        (GROUP, "members", How.LINK, True, True),
        (GROUP, "mail", How.EXCHANGE, False, False),
        (GROUP, "onPremisesSecurityIdentifier", How.SYNC, False, False),
        (GROUP, "onPremisesExtensionAttributes.extensionAttribute1", How.SYNC, False, False),
        (GROUP, "onPremisesImmutableId", How.UNKNOWN, False, False),
    ],
)
def test_who_writes_what(
    *, kind: TargetKind, attribute: str, how: How, on_create: bool, on_update: bool
) -> None:
    """Graph v1.0 takes some attributes, others belong to someone else, some do not exist."""
    found = facts.writability(kind, attribute)
    assert (found.how, found.on_create, found.on_update) == (how, on_create, on_update)


@pytest.mark.parametrize(
    ("kind", "attribute", "longest"),
    [
        (USER, "displayName", 256),
        (USER, "givenName", 64),
        (USER, "jobTitle", 128),
        (USER, "employeeId", 16),
        (USER, "postalCode", 40),
        (USER, "streetAddress", 1024),
        (USER, "usageLocation", 2),
        (USER, "onPremisesExtensionAttributes.extensionAttribute1", 1024),
        (USER, "officeLocation", None),
        (GROUP, "description", 1024),
        (GROUP, "mailNickname", 64),
    ],
)
def test_how_long_a_value_may_be(kind: TargetKind, attribute: str, longest: int | None) -> None:
    """Lengths are those of the resource pages."""
    assert facts.writability(kind, attribute).max_length == longest


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_whatever_is_not_written_has_a_reason(kind: TargetKind) -> None:
    """A plan shows what it leaves out and why, for every attribute there is."""
    for found in [*facts.attributes(kind).values(), facts.writability(kind, "nonsense")]:
        if not (found.on_create and found.on_update):
            assert found.reason.endswith("."), found.attribute


def test_lists_are_emptied_by_an_empty_list() -> None:
    """Graph refuses null for a list."""
    assert facts.writability(USER, "businessPhones").cleared == ()
    assert facts.writability(USER, "jobTitle").cleared is None


def test_what_an_administrator_guards() -> None:
    """The sensitive actions of the page on users, as far as attributes go."""
    guarded = {name for name, found in facts.attributes(USER).items() if found.sensitive}
    assert guarded == {
        "accountEnabled",
        "businessPhones",
        "mobilePhone",
        "onPremisesImmutableId",
        "otherMails",
        "passwordProfile",
        "userPrincipalName",
    }


def test_what_a_new_object_must_have() -> None:
    """Without these Graph creates nothing."""
    assert set(facts.required_on_create(USER)) == {
        "accountEnabled",
        "displayName",
        "mailNickname",
        "passwordProfile",
        "userPrincipalName",
    }
    assert set(facts.required_on_create(GROUP)) == {
        "displayName",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
    }
    for kind in (USER, GROUP):
        flagged = {n for n, f in facts.attributes(kind).items() if f.required_on_create}
        assert flagged == set(facts.required_on_create(kind))


@pytest.mark.parametrize(
    ("upn", "taken"),
    [
        ("o'brien@contoso.test", True),
        ("a.b-c_d!e#f^g~h@contoso.test", True),
        ("müller@contoso.test", False),
        ("two words@contoso.test", False),
        ("@contoso.test", False),
    ],
)
def test_which_names_a_user_may_have(*, upn: str, taken: bool) -> None:
    """The pattern for userPrincipalName takes what Graph takes."""
    allowed = facts.writability(USER, "userPrincipalName").allowed
    assert allowed is not None
    assert (re.fullmatch(allowed, upn) is not None) is taken


@pytest.mark.parametrize(
    ("roles", "needed", "enough"),
    [
        ({"User.Read.All"}, "User.Read.All", True),
        ({"User.ReadWrite.All"}, "User.Read.All", True),
        ({"Group.ReadWrite.All"}, "GroupMember.ReadWrite.All", True),
        ({"User.Read.All"}, "User.ReadWrite.All", False),
        ({"GroupMember.ReadWrite.All"}, "Group.ReadWrite.All", False),
        (set(), "Domain.Read.All", False),
        ({"Odd.One"}, "Odd.One", True),
    ],
)
def test_a_greater_permission_does_as_well(*, roles: set[str], needed: str, enough: bool) -> None:
    """Nobody is told to grant what is there already under a greater name."""
    assert facts.suffices(frozenset(roles), needed) is enough


def test_reading_asks_for_no_permission_to_write() -> None:
    """An installation that only previews can do with the reading half."""
    for permission in facts.permissions():
        assert permission.name in permission.enough
        assert permission.writes is ("ReadWrite" in permission.name or "Restore" in permission.name)


def test_every_refusal_in_the_table_leads_somewhere() -> None:
    """Each row compiles, becomes an error that exists, and says something."""
    for row in facts.graph_errors():
        assert issubclass(getattr(errors, row.becomes), errors.PipelineError), row.id
        assert row.says[0].isupper(), row.id
        assert row.says.endswith((".", "}")), row.id
        re.compile(row.message)
        assert row.retry in {"never", "throttle", "transient", "busy", "fresh", "done", "token"}
    assert len({row.id for row in facts.graph_errors()}) == len(facts.graph_errors())


def test_every_sign_in_refusal_says_what_to_do() -> None:
    """Each AADSTS number has a cause and a remedy."""
    for number, row in facts.sign_in_errors().items():
        assert number.isdigit()
        assert row.says.endswith(".")
        assert row.remedy.endswith(".")
