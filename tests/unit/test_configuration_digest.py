"""The digest: equal for equal meanings however they are spelled, and different for different ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.configuration import parse_configuration

SAMPLE = (Path(__file__).parents[2] / "configurations" / "contoso.yaml").read_text(encoding="utf-8")
TEXT = """version: 1
name: contoso
base: DC=contoso,DC=test
parameters: { Domain.FQDN: contoso.test }
access: { look: { people: [T/A, T/B] } }
privacy: { hidden: [info], private: [title] }
objects:
  user:
    scope:
      organizational_units: ["OU=A,DC=contoso,DC=test", "OU=B,DC=contoso,DC=test"]
      filters:
        - name: Staff
          all:
            - { attribute: employeeType, operator: EQUALS, value: Employee }
            - { attribute: mail, operator: ENDS_WITH, value: "@contoso.test" }
        - name: Guests
          all: [{ attribute: employeeType, operator: EQUALS, value: Guest }]
    match: [onPremisesImmutableId, userPrincipalName]
    attributes:
      - { target: onPremisesImmutableId, source: objectGUID }
      - { target: userPrincipalName, expression: '[sAMAccountName] & "@" & %Domain.FQDN%' }
      - { target: accountEnabled, expression: 'IIF(BitAnd([userAccountControl], 2) = 0, True, False)' }
      - { target: department, source: department }
"""
DEPARTMENT = "{ target: department, source: department }"


def digest(text: str) -> str:
    """Return the digest of a good text."""
    found, problems = parse_configuration(text)
    assert found is not None, problems
    return found.digest


SAME = [
    (DEPARTMENT, "{ target: department, expression: '[department]' }", "a direct mapping is an expression"),
    (DEPARTMENT, "{ target: department, source: DEPARTMENT }", "names without regard to case"),
    (DEPARTMENT, "{ source: department, target: department }", "keys in another order"),
    (DEPARTMENT, "{ target: department, source: department, apply: always }", "a default written out"),
    (DEPARTMENT, "{ target: department, source: department, null: clear }", "another default written out"),
    ("IIF(BitAnd([userAccountControl], 2) = 0, True, False)",
     "iif( bitand([USERACCOUNTCONTROL],&H2)=0,true,FALSE )", "functions, words, numbers and spaces"),
    ("%Domain.FQDN%", "%domainfqdn%", "a parameter's name"),
    ("Domain.FQDN:", "DomainFQDN:", "a parameter's name where it is set"),
    ("base: DC=contoso,DC=test", "base: dc=Contoso, dc=TEST", "a distinguished name"),
    ('["OU=A,DC=contoso,DC=test", "OU=B,DC=contoso,DC=test"]',
     '["OU=B,DC=contoso,DC=test", "ou=a,DC=contoso,DC=test"]', "organizational units in another order"),
    ("operator: ENDS_WITH", "operator: ends with", "an operator"),
    ("[T/A, T/B]", "[T/B, T/A]", "people in another order"),
    ("hidden: [info]", "hidden: [INFO]", "a hidden attribute"),
    ("version: 1", "# a comment\nversion: 1\nknown_attributes: [x]", "comments and what lint knows"),
    ("version: 1", "version: 1\nkept: { graph_schema: '{}' }", "what is only carried along"),
]  # fmt: skip
OTHER = [
    (DEPARTMENT, "{ target: department, source: division }", "another source"),
    (DEPARTMENT, "{ target: department, expression: 'Trim([department])' }", "another expression"),
    (DEPARTMENT, "{ target: department, constant: department }", "a constant"),
    (DEPARTMENT, "{ target: department, source: department, apply: on_create }", "another time"),
    (DEPARTMENT, "{ target: department, source: department, null: ignore }", "another treatment of null"),
    (DEPARTMENT, "{ target: department, source: department, default: x }", "a default"),
    (DEPARTMENT, "{ target: department, default: department }", "a default alone"),
    (f"      - {DEPARTMENT}\n", "", "a mapping less"),
    ('"@" & %', '"@@" & %', "a text in an expression"),
    ("match: [onPremisesImmutableId, userPrincipalName]", "match: [userPrincipalName, onPremisesImmutableId]",
     "the order of matching"),
    ("value: Guest }", "value: guest }", "the case of a wanted value"),
    ("operator: ENDS_WITH", "operator: INCLUDES", "an operator"),
    ("      filters:\n", "      input_filters:\n", "another set of filters"),
    ("base: DC=contoso", "base: DC=fabrikam", "the base"),
    ("contoso.test }\na", "fabrikam.test }\na", "a parameter's value"),
    ("look:", "preview:", "a right"),
    ("private: [title]", "private: [company]", "what is private"),
    ("version: 1", "version: 1\ndialect: connect", "the dialect"),
    ("version: 1", "version: 1\ndefault: true", "which one is the default"),
    ("version: 1", "version: 1\nguards: { allow_create_in_synced_tenant: true }", "a guard"),
    ("    match:", "    kinds: [user]\n    match:", "the kinds of object"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "reason"), SAME, ids=[row[2] for row in SAME])
def test_spelling_leaves_the_digest_alone(old: str, new: str, reason: str) -> None:
    """What means the same has the same digest."""
    assert old in TEXT
    assert digest(TEXT.replace(old, new)) == digest(TEXT), reason


@pytest.mark.parametrize(("old", "new", "reason"), OTHER, ids=[row[2] for row in OTHER])
def test_meaning_changes_the_digest(old: str, new: str, reason: str) -> None:
    """What means something else has another digest."""
    assert old in TEXT
    assert digest(TEXT.replace(old, new, 1)) != digest(TEXT), reason


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rules_means_nothing(chance: object) -> None:
    """Mappings, clauses, filters and the keys of the file in any order are the same rules."""
    data = yaml.safe_load(SAMPLE)
    for rules in data["objects"].values():
        chance.shuffle(rules["attributes"])  # type: ignore[attr-defined]  # hypothesis gives a Random
        for scope_filter in rules["scope"].get("filters", []):
            chance.shuffle(scope_filter["all"])  # type: ignore[attr-defined]  # likewise

    assert digest(yaml.safe_dump(data, sort_keys=False)) == digest(SAMPLE)
    assert digest(yaml.safe_dump(data, sort_keys=True)) == digest(SAMPLE)
