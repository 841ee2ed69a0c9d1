"""Who may do what: a table of actors, channels and rights against answers written by hand."""

from __future__ import annotations

import pytest

from bot.access import decide, permitted, rights_for
from pipeline.configuration import Configuration, Configurations, Right, parse_configuration
from pipeline.ids import ActorId
from pipeline.model import Mode

TEMPLATE = """
version: 1
name: {name}
base: DC=contoso,DC=test
access: {access}
objects:
  user:
    match: [userPrincipalName]
    attributes: [{{target: userPrincipalName, source: userPrincipalName}}]
"""
RULES = """{
  look: {people: [T1/*]},
  preview: {people: [T1/UHELP], channels: [CDESK]},
  provision: {people: [T1/UADMIN, T1/UROOT]},
  override_scope: {people: [T1/UHELP, T1/UROOT]}
}"""


def configuration(access: str, name: str = "contoso") -> Configuration:
    """Parse a configuration with these access rules."""
    parsed, problems = parse_configuration(TEMPLATE.format(name=name, access=access))
    assert parsed is not None, problems
    return parsed


ROWS = [
    ("T1/UADMIN", "CANY", Right.PROVISION, True, "it is granted to her"),
    ("T1/UADMIN", "CANY", Right.PREVIEW, True, "provision includes preview"),
    ("T1/UADMIN", "CANY", Right.LOOK, True, "and look"),
    ("T1/UHELP", "CDESK", Right.PREVIEW, True, "granted in this channel"),
    ("T1/UHELP", "CANY", Right.PREVIEW, False, "not in another channel"),
    ("T1/UHELP", "CDESK", Right.PROVISION, False, "preview does not include provision"),
    ("T1/UHELP", "CANY", Right.LOOK, True, "look is granted to the whole workspace"),
    ("T1/USOMEONE", "CANY", Right.LOOK, True, "to everyone in it"),
    ("T1/UADMIN", "CANY", Right.OVERRIDE_SCOPE, False, "provision does not include overriding the scope"),
    ("T1/UHELP", "CANY", Right.OVERRIDE_SCOPE, True, "it is granted to them by its name"),
    ("T1/UHELP", "CANY", Right.PROVISION, False, "and gives nothing else"),
    ("T1/USOMEONE", "CDESK", Right.PREVIEW, False, "and no more than look"),
    ("T2/UADMIN", "CANY", Right.PROVISION, False, "the same user id in another workspace is somebody else"),
    ("T2/UADMIN", "CANY", Right.LOOK, False, "and not of this workspace"),
    ("T1/uadmin", "CANY", Right.PROVISION, False, "ids are compared to the letter"),
    ("/UADMIN", "CANY", Right.PROVISION, False, "without a workspace nobody is anybody"),
    ("cli:UADMIN", "CANY", Right.LOOK, False, "a name from elsewhere gives no right in Slack"),
]


@pytest.mark.parametrize(("actor", "channel", "right", "allowed", "reason"), ROWS, ids=[r[4] for r in ROWS])
def test_rights_follow_the_grants(
    actor: str, channel: str, right: Right, *, allowed: bool, reason: str
) -> None:
    """A right is what the configuration grants to this workspace and user id, here, and nothing else."""
    assert decide(configuration(RULES), ActorId(actor), channel, right).allowed is allowed, reason


@pytest.mark.parametrize("right", list(Right))
def test_no_rules_means_nobody(right: Right) -> None:
    """A configuration without access rules refuses everyone, and says that nobody has any right."""
    decision = decide(configuration("{}"), ActorId("T1/UADMIN"), "CANY", right)

    assert not decision.allowed
    assert "nobody" in decision.why


def test_a_refusal_names_whom_to_ask() -> None:
    """Those who may provision can help; a whole workspace cannot be asked."""
    decision = decide(configuration(RULES), ActorId("T1/USOMEONE"), "CDESK", Right.PROVISION)

    assert decision.ask == ("T1/UADMIN", "T1/UROOT")


def test_permissions_are_counted_by_configuration() -> None:
    """A person may use exactly the configurations that grant it: a moved object lends no right."""
    both = Configurations((configuration(RULES), configuration("{look: {people: [T1/UHELP]}}", "fabrikam")))

    assert permitted(both, ActorId("T1/UADMIN"), "CANY", Right.PROVISION) == ("contoso",)
    assert permitted(both, ActorId("T1/UHELP"), "CANY", Right.LOOK) == ("contoso", "fabrikam")


def test_overriding_takes_both_rights() -> None:
    """A run past the scope takes the right to it and the right to override, of one configuration."""
    both = Configurations((configuration(RULES),))
    rights = rights_for(Mode.PROVISION, override_scope=True)

    assert permitted(both, ActorId("T1/UROOT"), "CANY", *rights) == ("contoso",)
    assert permitted(both, ActorId("T1/UADMIN"), "CANY", *rights) == ()
    assert permitted(both, ActorId("T1/UHELP"), "CDESK", *rights) == ()
    assert rights_for(Mode.PREVIEW, override_scope=False) == (Right.PREVIEW,)


def test_a_refusal_to_override_names_those_who_may() -> None:
    """Whom to ask is who has the very right."""
    decision = decide(configuration(RULES), ActorId("T1/UADMIN"), "CDESK", Right.OVERRIDE_SCOPE)

    assert decision.ask == ("T1/UHELP", "T1/UROOT")
    assert "override the scope" in decision.why
