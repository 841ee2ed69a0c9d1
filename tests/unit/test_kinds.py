"""The kind of an object, from the classes that the directory gives: most general first."""

from __future__ import annotations

import pytest

from pipeline.errors import ObjectKindUnknown
from pipeline.model import ObjectKind
from pipeline.stages.importing import kind_of

PERSON = ("top", "person", "organizationalPerson")


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        ((*PERSON, "user"), ObjectKind.USER),
        ((*PERSON, "user", "inetOrgPerson"), ObjectKind.INET_ORG_PERSON),
        (("TOP", "Group"), ObjectKind.GROUP),
        ((*PERSON, "contact"), ObjectKind.CONTACT),
        (("top", "securityPrincipal", *PERSON[1:], "user"), ObjectKind.USER),
    ],
    ids=lambda value: str(value) if isinstance(value, ObjectKind) else None,
)
def test_the_kinds_that_are_handled(classes: tuple[str, ...], kind: ObjectKind) -> None:
    """Users, inetOrgPersons, groups and contacts are known by their class, in any case."""
    assert kind_of(classes) is kind


@pytest.mark.parametrize(
    "classes",
    [
        (*PERSON, "user", "computer"),
        (*PERSON, "user", "computer", "msDS-GroupManagedServiceAccount"),
        ("top", "organizationalUnit"),
        ("top", "container"),
        ("top", "foreignSecurityPrincipal"),
        ("top", "person"),
        ("top", "domain", "domainDNS"),
        ("top", "msExchDynamicDistributionList"),
        ("top", "publicFolder"),
    ],
    ids=lambda classes: classes[-1],
)
def test_every_other_class_is_refused_by_its_name(classes: tuple[str, ...]) -> None:
    """Computers and managed service accounts are users by class, and are refused all the same."""
    with pytest.raises(ObjectKindUnknown) as caught:
        kind_of(classes)
    assert classes[-1] in caught.value.message


def test_an_object_without_a_class_is_refused() -> None:
    """An account that may not read objectClass gets a refusal, not a guess."""
    with pytest.raises(ObjectKindUnknown):
        kind_of(())
