"""Graph's synchronization schema: what of it is taken over, what is left out and why, and the way back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.configuration import Configuration, parse_configuration
from pipeline.configuration.document import ConfigurationDocument
from pipeline.configuration.graph_schema import (
    SchemaInvalid,
    configuration_text,
    export_schema,
    interpret,
)
from pipeline.configuration.lint import check_configuration
from pipeline.configuration.loading import read_configuration
from pipeline.expressions import Context
from pipeline.filters import evaluate_filter
from pipeline.model import ObjectKind, TargetKind

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "schemas"
NAMES = ["cloud-sync-default", "customised"]
USER, GROUP = TargetKind.USER, TargetKind.GROUP
Json = dict[str, Any]


def schema(name: str) -> Json:
    """Return a schema as Graph would send it."""
    found: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def text_of(given: Json) -> str:
    """Return the configuration's text that a schema becomes."""
    return configuration_text(given, "imported").text


def document(text: str) -> ConfigurationDocument:
    """Return the document of a text that has to be good."""
    reading = read_configuration(text)
    assert reading.configuration is not None, reading.problems
    assert reading.document is not None
    return reading.document


def configuration(text: str) -> Configuration:
    """Return the configuration of a text that has to be good."""
    found, problems = parse_configuration(text)
    assert found is not None, problems
    return found


# -- there ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_becomes_a_configuration_that_checks(name: str) -> None:
    """What comes out loads, has rules, and has no error."""
    checked = check_configuration(text_of(schema(name)))

    assert checked.ok, checked.problems
    assert checked.reading.configuration is not None
    assert USER in checked.reading.configuration.objects


def test_names_of_the_synchronization_become_graphs() -> None:
    """Alias, Title and the like are written by names that Graph has."""
    mapped = {m.target: m.text for m in configuration(text_of(schema(NAMES[0]))).objects[USER].mappings}

    assert mapped["mailNickname"] == "[mailNickname]"
    assert mapped["jobTitle"] == "Trim([title])"
    assert mapped["officeLocation"] == "Trim([physicalDeliveryOfficeName])"
    assert mapped["onPremisesExtensionAttributes.extensionAttribute15"] == "Trim([extensionAttribute15])"
    assert mapped["manager"] == "[manager]"


def test_what_cannot_be_taken_over_stands_there_with_its_reason() -> None:
    """Every mapping of the schema is in the text: as a rule, or as a comment that says why not."""
    for name in NAMES:
        text = text_of(schema(name))
        rules = text[: text.index("kept:")]
        imported = interpret(schema(name))
        for found in imported.objects.values():
            assert found.left_out
            for item in found.left_out:
                assert f"#   {item.target} <- " in rules
                assert item.because.strip()


REASONS = [
    ("CommonName", NAMES[0], "have no such attribute"),
    ("ProxyAddresses", NAMES[0], "Exchange"),
    ("onPremisesSamAccountName", NAMES[0], "synchronisation"),
    ("Department", NAMES[1], "SomeLaterWord"),
    ("City", NAMES[1], "mapped above"),
    ("Surname", NAMES[1], "no function Reverse"),
    ("GivenName", NAMES[1], "Oracle"),
    ("Manager", NAMES[1], "own manager"),
    ("Country", NAMES[1], "secret"),
    ("State", NAMES[1], "maps nothing"),
]


@pytest.mark.parametrize(("target", "name", "word"), REASONS, ids=[row[0] for row in REASONS])
def test_the_reason_is_the_right_one(target: str, name: str, word: str) -> None:
    """A reason names what is in the way."""
    found = [i.because for i in interpret(schema(name)).objects[USER].left_out if i.target == target]

    assert any(word in because for because in found), found


def test_an_expression_is_read_from_its_tree_where_its_text_has_holes() -> None:
    """Graph prints no %DomainFQDN%: taken from the text, people would be named ada@ and nothing."""
    rules = configuration(text_of(schema(NAMES[0]))).objects[USER]
    upn = rules.mapping("userPrincipalName")
    assert upn is not None
    assert upn.expression is not None
    found = upn.expression.evaluate(
        {"samaccountname": "ada"}, Context(parameters={"DomainFQDN": "contoso.test"})
    )

    assert found == "ada@contoso.test"


def test_flow_types_defaults_and_constants_are_taken_over() -> None:
    """ObjectAddOnly, MultiValueAddOnly, a default, a default alone and a constant keep their meaning."""
    rules = configuration(text_of(schema(NAMES[1]))).objects[USER]
    by_target = {m.target: m for m in rules.mappings}

    assert (by_target["accountEnabled"].constant, str(by_target["accountEnabled"].apply)) == (
        True,
        "on_create",
    )
    assert str(by_target["otherMails"].apply) == "multi_value_add"
    assert by_target["mailNickname"].default == "unnamed"
    assert (by_target["usageLocation"].only_fills, by_target["usageLocation"].default) == (True, "GB")
    assert by_target["employeeType"].constant == "Employee"


def test_priorities_become_the_order_of_matching() -> None:
    """The lowest priority is tried first; keys that Graph cannot be asked for give way to the usual ones."""
    assert interpret(schema(NAMES[1])).objects[USER].rules.match == [
        "onPremisesImmutableId",
        "userPrincipalName",
        "mail",
    ]
    default = interpret(schema(NAMES[0])).objects
    assert default[USER].rules.match == ["onPremisesImmutableId", "userPrincipalName"]
    assert default[GROUP].rules.match == ["onPremisesSecurityIdentifier", "uniqueName"]
    assert default[USER].match_added


def test_the_services_own_exclusions_exclude_nobody() -> None:
    """They compare with attributes that people lack: word for word they would leave everybody out."""
    scope = configuration(text_of(schema(NAMES[0]))).objects[USER].scope

    assert scope.input_filters == ()
    assert str(scope.organizational_units[0]).startswith("OU=Corp")


def test_filters_and_input_filters_are_sets_of_their_own() -> None:
    """Groups of clauses become filters; what a customer put beside the exclusions becomes an input filter."""
    scope = configuration(text_of(schema(NAMES[1]))).objects[USER].scope
    here = {"distinguishedname": "CN=Ada,OU=Staff,DC=contoso,DC=test"}

    assert [f.name for f in scope.filters] == ["Staff of London", "filter 2"]
    assert [evaluate_filter(f, here).passed for f in scope.input_filters] == [False, True]
    assert [g.rdn_value for g in scope.groups] == ["Pilot"]


def test_users_and_inetorgpersons_share_their_rules_where_they_are_the_same() -> None:
    """Two mappings that say the same become one set of rules; where they differ, it is for users alone."""
    same, other = schema(NAMES[0]), schema(NAMES[0])
    persons = other["synchronizationRules"][0]["objectMappings"][2]
    assert persons["sourceObjectName"] == "inetOrgPerson"
    del persons["attributeMappings"][0]

    assert configuration(text_of(same)).rules(ObjectKind.INET_ORG_PERSON) is not None
    assert configuration(text_of(other)).rules(ObjectKind.INET_ORG_PERSON) is None
    assert "differ" in " ".join(configuration_text(other, "x").notes)


def test_what_would_let_more_objects_in_is_not_taken_over() -> None:
    """An object mapping that is off, that may not create, or whose only filter is unclear gives no rules."""

    def without(change: Callable[[Json], object]) -> str:
        given = schema(NAMES[1])
        change(given["synchronizationRules"][1]["objectMappings"][0])
        with pytest.raises(SchemaInvalid) as caught:
            interpret(given)
        return caught.value.message

    unclear = {"groups": [{"name": "x", "clauses": [{"sourceOperandName": "a", "operatorName": "NEAR"}]}]}
    assert "can be taken over" in without(lambda m: m.update(enabled=False))
    assert "Update" in without(lambda m: m.update(flowTypes="Update"))
    assert "none of its filters" in without(lambda m: m.update(scope=unclear))


BAD: list[tuple[Any, str]] = [
    ({}, "no field of that name"),
    ({"synchronizationRules": []}, "no rules"),
    ({"synchronizationRules": [{"objectMappings": [{"attributeMappings": [{}]}]}]}, "a mapping to nothing"),
    ({"synchronizationRules": 3}, "a number"),
]


@pytest.mark.parametrize(("given", "reason"), BAD, ids=[row[1] for row in BAD])
def test_what_is_no_schema_is_refused(given: Json, reason: str) -> None:
    """Anything else than a schema is an error in words, with what to save and import."""
    with pytest.raises(SchemaInvalid) as caught:
        interpret(given)

    assert "schema" in caught.value.message, reason
    assert "jobs/{id}/schema" in caught.value.remedy


# -- and back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_way_back_is_the_very_schema(name: str) -> None:
    """Unchanged rules give back what Graph sent, unknown fields and words included."""
    given = schema(name)
    exported = export_schema(document(text_of(given)))

    assert exported.schema == given
    assert exported.notes == []
    assert text_of(exported.schema) == text_of(given)


EDITS = [
    ("source: employeeID", "source: employeeNumber", "EmployeeId", "[employeeNumber]", "another source"),
    (
        "expression: 'Trim([title])'",
        "expression: 'Left([title], 64)'",
        "Title",
        "Left([title], 64)",
        "another expression",
    ),
    ("expression: 'Trim([co])'", "constant: Utopia", "Country", '"Utopia"', "a constant instead"),
]


@pytest.mark.parametrize(("old", "new", "target", "text", "reason"), EDITS, ids=[row[4] for row in EDITS])
def test_an_edited_rule_changes_its_mapping_alone(
    old: str, new: str, target: str, text: str, reason: str
) -> None:
    """Editing one line changes one mapping, for users and for inetOrgPersons alike, and nothing else."""
    given = schema(NAMES[0])
    edited = text_of(given).replace(old, new, 1)
    exported = export_schema(document(edited)).schema
    changed = 0
    for before, after in zip(
        given["synchronizationRules"][0]["objectMappings"],
        exported["synchronizationRules"][0]["objectMappings"],
        strict=True,
    ):
        for one, other in zip(before["attributeMappings"], after["attributeMappings"], strict=True):
            if one == other:
                continue
            changed += 1
            assert other["targetAttributeName"] == target, reason
            assert other["source"]["expression"] == text
            assert {**one, "source": None} == {**other, "source": None}

    assert changed == 2
    rules = text_of(exported).partition("kept:")[0]
    assert rules == edited.partition("kept:")[0]


def test_rules_that_come_and_go_are_mappings_that_come_and_go() -> None:
    """A deleted line deletes a mapping, a new one adds one by the synchronization's own name."""
    text = text_of(schema(NAMES[1]))
    text = text.replace("      - { target: employeeType, constant: Employee }\n", "")
    text = text.replace(
        "    attributes:\n",
        "    attributes:\n      - { target: officeLocation, source: physicalDeliveryOfficeName }\n",
        1,
    )
    mapping = export_schema(document(text)).schema["synchronizationRules"][1]["objectMappings"][0]
    by_target = {entry["targetAttributeName"]: entry for entry in mapping["attributeMappings"]}

    assert "EmployeeType" not in by_target
    assert by_target["PhysicalDeliveryOfficeName"]["source"]["name"] == "physicalDeliveryOfficeName"
    assert "FavouriteColour" in by_target, "what was never taken over stays"


def test_scope_and_matching_go_back_as_well() -> None:
    """Filters, input filters behind the service's exclusions, groups and the order of matching."""
    text = text_of(schema(NAMES[1]))
    for old, new in (
        ("value: London", "value: Paris"),
        ("'OU=Staff,DC=contoso,DC=test'", "'OU=Guests,DC=contoso,DC=test'"),
        ("'CN=Pilot,OU=Groups", "'CN=Everybody,OU=Groups"),
        ("match: [onPremisesImmutableId, userPrincipalName, mail]", "match: [userPrincipalName]"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    exported = export_schema(document(text)).schema
    rule = exported["synchronizationRules"][1]
    mapping = rule["objectMappings"][0]
    inputs = mapping["scope"]["inputFilterGroups"]

    assert rule["groupFilter"] == {"includedGroups": ["CN=Everybody,OU=Groups,OU=Contoso,DC=contoso,DC=test"]}
    assert mapping["scope"]["later"] is True
    assert [len(group["clauses"]) for group in inputs] == [12, 12]
    assert inputs[1]["clauses"][-1]["targetOperand"]["values"] == ["OU=Guests,DC=contoso,DC=test"]
    assert {e["targetAttributeName"]: e["matchingPriority"] for e in mapping["attributeMappings"]}[
        "UserPrincipalName"
    ] == 1
    assert sum(e["matchingPriority"] for e in mapping["attributeMappings"]) == 1
    assert text_of(exported).partition("kept:")[0] == text.partition("kept:")[0]


def test_a_configuration_from_nowhere_can_be_exported() -> None:
    """The sample, which never was a schema, becomes one that means the same; what it cannot say is noted."""
    sample = (ROOT / "configurations" / "contoso.yaml").read_text(encoding="utf-8")
    exported = export_schema(document(sample))
    back = configuration(
        configuration_text(exported.schema, "contoso", "DC=contoso,DC=test", keep=False).text
    )
    own = configuration(sample)

    for kind in (USER, GROUP):
        assert {m.target: (str(m.expression), m.constant) for m in back.objects[kind].mappings} == {
            m.target: (str(m.expression), m.constant) for m in own.objects[kind].mappings
        }
    assert [f.name for f in back.objects[USER].scope.filters] == ["Full-time staff"]
    assert any("containerFilter" in note for note in exported.notes)
    assert any("parseExpression" in note for note in exported.notes)


def test_what_is_kept_means_nothing() -> None:
    """The schema that is carried along leaves the digest as it is."""
    given = schema(NAMES[0])
    kept, bare = (configuration_text(given, "x", keep=keep).text for keep in (True, False))

    assert configuration(kept).digest == configuration(bare).digest
    assert len(bare) < len(kept) / 5


def test_the_schema_that_was_given_is_left_alone() -> None:
    """Neither way changes its argument."""
    given = schema(NAMES[1])
    before = copy.deepcopy(given)
    export_schema(document(text_of(given).replace("value: London", "value: Paris", 1)))

    assert given == before
