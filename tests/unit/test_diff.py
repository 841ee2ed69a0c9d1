"""Before and after: what becomes of one attribute, and the request that carries it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.configuration import Apply, AttributeMapping
from pipeline.diff import compare, current_value, request_body
from pipeline.ids import EntraId
from pipeline.mapping import MappedAttribute
from pipeline.model import ChangeKind, TargetKind, TargetValue
from pipeline.ports import TargetObject

K = ChangeKind
USER = TargetKind.USER


def target(**attributes: object) -> TargetObject:
    """Return a cloud user with these attributes."""
    return TargetObject(EntraId("1"), USER, attributes)


def mapped(
    attribute: str, value: TargetValue, *, apply: Apply = Apply.ALWAYS, ignored: bool = False
) -> MappedAttribute:
    """Return what a mapping to this attribute gave."""
    mapping = AttributeMapping(attribute, "[x]", None, apply=apply, default=None)
    return MappedAttribute(mapping, value, ignored=ignored)


ROWS: list[tuple[str, Mapping[str, object], TargetValue, ChangeKind, str]] = [
    ("jobTitle", {"jobTitle": "Fellow"}, "Fellow", K.SAME, "equal texts"),
    ("jobTitle", {"jobTitle": "fellow"}, "Fellow", K.CHANGED, "upper and lower case differ"),
    ("jobTitle", {"jobTitle": None}, "Fellow", K.ADDED, "null before"),
    ("jobTitle", {}, "Fellow", K.ADDED, "absent before"),
    ("jobTitle", {"jobTitle": "Fellow"}, None, K.CLEARED, "null after"),
    ("jobTitle", {"jobTitle": ""}, None, K.SAME, "empty and null are the same nothing"),
    ("accountEnabled", {"accountEnabled": True}, True, K.SAME, "equal truth"),
    ("accountEnabled", {"accountEnabled": True}, False, K.CHANGED, "false is a value and not nothing"),
    ("accountEnabled", {}, False, K.ADDED, "false where there was nothing"),
    ("businessPhones", {"businessPhones": ["1", "2"]}, ("2", "1"), K.SAME, "Graph keeps no order"),
    ("businessPhones", {"businessPhones": []}, (), K.SAME, "two empty lists"),
    ("businessPhones", {"businessPhones": ["1"]}, (), K.CLEARED, "the list is emptied"),
    ("businessPhones", {"businessPhones": ["1"]}, ("1", "1"), K.CHANGED, "a repeated value counts"),
    (
        "onPremisesExtensionAttributes.extensionAttribute1",
        {"onPremisesExtensionAttributes": {"extensionAttribute1": "a"}},
        "b",
        K.CHANGED,
        "a member of a complex attribute",
    ),
    ("proxyAddresses", {}, ("smtp:a@b.c",), K.NOT_WRITTEN, "Graph does not take it"),
]


@pytest.mark.parametrize(("attribute", "before", "after", "kind", "reason"), ROWS, ids=[r[4] for r in ROWS])
def test_a_change_has_its_kind(
    attribute: str, before: Mapping[str, object], after: TargetValue, kind: ChangeKind, reason: str
) -> None:
    """Before against after gives the kind, by the rules of the attribute's type."""
    assert compare(mapped(attribute, after), target(**before), USER).kind is kind, reason


def test_what_is_not_written_says_why() -> None:
    """Nothing that the rules want is dropped in silence."""
    ignored = compare(mapped("jobTitle", None, ignored=True), target(jobTitle="Fellow"), USER)
    late = compare(mapped("jobTitle", "Reader", apply=Apply.ON_CREATE), target(jobTitle="Fellow"), USER)
    foreign = compare(mapped("onPremisesSamAccountName", "ada"), None, USER)

    assert [c.kind for c in (ignored, late, foreign)] == [K.NOT_WRITTEN] * 3
    assert all(c.reason for c in (ignored, late, foreign))
    assert ignored.after == "Fellow"


def test_on_create_is_written_on_creation() -> None:
    """A mapping for creation only is written then."""
    assert compare(mapped("jobTitle", "Reader", apply=Apply.ON_CREATE), None, USER).kind is K.ADDED


def test_the_body_clears_and_nests() -> None:
    """Null clears a value, [] clears a list, complex attributes go nested, links go elsewhere."""
    changes = tuple(
        compare(mapped(name, value), target(**before), USER)
        for name, value, before in (
            ("jobTitle", None, {"jobTitle": "x"}),
            ("businessPhones", (), {"businessPhones": ["1"]}),
            ("onPremisesExtensionAttributes.extensionAttribute1", "a", {}),
            ("onPremisesExtensionAttributes.extensionAttribute2", "b", {}),
            ("manager", "Ada", {}),
        )
    )

    assert request_body(changes, USER, creating=False) == {
        "jobTitle": None,
        "businessPhones": [],
        "onPremisesExtensionAttributes": {"extensionAttribute1": "a", "extensionAttribute2": "b"},
    }


def test_a_creation_sends_no_nothing() -> None:
    """Graph refuses nulls in a creation: what has no value is left out."""
    changes = (compare(mapped("jobTitle", None), None, USER), compare(mapped("city", "London"), None, USER))

    assert request_body(changes, USER, creating=True) == {"city": "London"}


def test_current_values_are_read_as_graph_gives_them() -> None:
    """Lists become tuples, empty text becomes nothing, and what is not there is nothing."""
    user = target(businessPhones=["1"], city="", manager={"id": "2"})

    assert current_value(user, "businessPhones") == ("1",)
    assert current_value(user, "city") is None
    assert current_value(user, "onPremisesExtensionAttributes.extensionAttribute1") is None
    assert current_value(None, "city") is None
