"""The options of mappings and scope: what each means when an object is created, and when it is updated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from pipeline.configuration import (
    Apply,
    AttributeMapping,
    Configuration,
    Null,
    parse_configuration,
)
from pipeline.diff import compare
from pipeline.dn import from_directory
from pipeline.expressions import Value
from pipeline.ids import Dn, EntraId, ObjectGuid
from pipeline.mapping import MappedAttribute
from pipeline.model import ChangeKind, ObjectKind, SourceIdentity, TargetKind, TargetValue
from pipeline.ports import DirectoryEntry, Memberships, TargetObject
from pipeline.stages.importing import NOT_ASKED, Source
from pipeline.stages.scoping import evaluate_scope

K = ChangeKind
USER = TargetKind.USER
Held = Mapping[str, object] | None
HEAD = """version: 1
name: contoso
base: DC=contoso,DC=test
objects:
  user:
    match: [userPrincipalName]
    attributes:
      - { target: userPrincipalName, source: userPrincipalName }
"""


def loaded(rest: str) -> Configuration:
    """Return the configuration of the head and these further lines."""
    configuration, problems = parse_configuration(HEAD + rest)
    assert configuration is not None, problems
    return configuration


def problems(rest: str) -> list[tuple[int, str]]:
    """Return line and code of what is wrong with the head and these further lines."""
    _, found = parse_configuration(HEAD + rest)
    return [(p.line, p.code) for p in found]


def change(
    mapping: AttributeMapping, value: TargetValue, held: Held
) -> tuple[ChangeKind, TargetValue, TargetValue]:
    """Return kind, before and after of a mapping that gave this value; no held values means a creation."""
    target = TargetObject(EntraId("1"), USER, held) if held is not None else None
    result = compare(MappedAttribute(mapping, value), target, USER)
    return result.kind, result.before, result.after


def mapping(target: str, **options: object) -> AttributeMapping:
    """Return a mapping with these options."""
    return AttributeMapping(target, "[x]", None, **options)  # type: ignore[arg-type]  # any of its fields


ADD = mapping("businessPhones", apply=Apply.MULTI_VALUE_ADD)
IGNORE = mapping("jobTitle", null=Null.IGNORE)
DEFAULT = mapping("jobTitle", default="Staff")
FILLS = mapping("usageLocation", default="GB", only_fills=True)
LIST_IGNORE = mapping("businessPhones", null=Null.IGNORE)

ROWS: list[tuple[AttributeMapping, TargetValue, Held, tuple[ChangeKind, TargetValue], str]] = [
    (ADD, ("2",), {"businessPhones": ["1"]}, (K.CHANGED, ("1", "2")), "a value is added behind those there"),
    (ADD, ("1",), {"businessPhones": ["1", "2"]}, (K.SAME, ("1", "2")), "nothing is taken away"),
    (ADD, (), {"businessPhones": ["1"]}, (K.SAME, ("1",)), "nothing to add clears nothing"),
    (ADD, ("1",), {"businessPhones": []}, (K.ADDED, ("1",)), "the first value"),
    (ADD, ("1",), None, (K.ADDED, ("1",)), "on creation it is a plain list"),
    (IGNORE, None, {"jobTitle": "Fellow"}, (K.NOT_WRITTEN, "Fellow"), "null leaves alone"),
    (IGNORE, "Reader", {"jobTitle": "Fellow"}, (K.CHANGED, "Reader"), "a value is written all the same"),
    (IGNORE, None, {}, (K.SAME, None), "nothing is nothing"),
    (LIST_IGNORE, (), {"businessPhones": ["1"]}, (K.NOT_WRITTEN, ("1",)), "an empty list leaves alone, too"),
    (DEFAULT, None, None, (K.ADDED, "Staff"), "the default is for creation"),
    (DEFAULT, None, {"jobTitle": "Fellow"}, (K.CLEARED, None), "and for nothing else"),
    (DEFAULT, "Reader", None, (K.ADDED, "Reader"), "a value goes before the default"),
    (FILLS, None, {"usageLocation": "DE"}, (K.SAME, "DE"), "what is there stays"),
    (FILLS, None, {}, (K.ADDED, "GB"), "an empty attribute is filled, on updates too"),
    (FILLS, None, None, (K.ADDED, "GB"), "and on creation"),
]


@pytest.mark.parametrize(("rule", "value", "held", "end", "reason"), ROWS, ids=[row[4] for row in ROWS])
def test_an_option_means_what_it_says(
    rule: AttributeMapping,
    value: TargetValue,
    held: Held,
    end: tuple[ChangeKind, TargetValue],
    reason: str,
) -> None:
    """Each option of a mapping decides what is written, given what is there."""
    found, _, wanted = change(rule, value, held)

    assert (found, wanted) == end, reason


def test_all_options_are_read() -> None:
    """What the file says reaches the model, in the type that the cloud attribute has."""
    rules = loaded("""      - { target: businessPhones, source: telephoneNumber, apply: multi_value_add }
      - { target: jobTitle, source: title, null: ignore, default: Staff }
      - { target: usageLocation, default: GB }
      - { target: accountEnabled, constant: "true" }
""").objects[USER]
    phones, title, location, enabled = rules.mappings[1:]

    assert phones.apply is Apply.MULTI_VALUE_ADD
    assert (title.null, title.default, title.only_fills) == (Null.IGNORE, "Staff", False)
    assert (location.default, location.only_fills, location.reads) == ("GB", True, frozenset())
    assert enabled.constant is True


REFUSED = [
    ("{ target: jobTitle, source: title, apply: multi_value_add }", "wrong-value", "one value is no list"),
    ("{ target: accountEnabled, constant: maybe }", "wrong-value", "a truth that is none"),
    ("{ target: accountEnabled, source: x, default: maybe }", "wrong-value", "a default likewise"),
    ("{ target: jobTitle, source: title, null: keep }", "wrong-value", "a word that does not exist"),
    ("{ target: jobTitle, source: title, constant: x }", "one-source", "two sources"),
    ("{ target: jobTitle }", "one-source", "nothing at all"),
]


@pytest.mark.parametrize(("line", "code", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_makes_no_sense_is_refused(line: str, code: str, reason: str) -> None:
    """A mapping that cannot mean anything is named with its line and code."""
    assert problems(f"      - {line}\n") == [(9, code)], reason


SCOPE = """    scope:
      groups:
        - CN=Staff,OU=Groups,DC=contoso,DC=test
        - { dn: "CN=Guests,OU=Groups,DC=contoso,DC=test", nested: NESTED }
      filters:
        - { name: A, all: [{ attribute: employeeType, operator: EQUALS, value: Employee }] }
        - { name: B, all: [{ attribute: department, operator: EQUALS, value: IT }] }
      input_filters:
        - { name: C, all: [{ attribute: company, operator: IS NOT NULL }] }
"""


GROUPS = """        - CN=Staff,OU=Groups,DC=contoso,DC=test
        - { dn: "CN=Guests,OU=Groups,DC=contoso,DC=test", nested: false }
"""


def test_a_group_is_a_name_or_a_mapping() -> None:
    """Groups of both spellings are read; input filters are a set of their own, and all of it is imported."""
    rules = loaded(SCOPE.replace("NESTED", "false")).objects[USER]

    assert [g.rdn_value for g in rules.scope.groups] == ["Staff", "Guests"]
    assert [[f.name for f in s] for s in (rules.scope.filters, rules.scope.input_filters)] == [
        ["A", "B"],
        ["C"],
    ]
    assert {"memberOf", "employeeType", "department", "company"} <= rules.reads


def test_nested_membership_is_asked_for_group_by_group() -> None:
    """A group is nested where its mapping says so; the digest tells the two meanings apart."""
    direct, nested = (loaded(SCOPE.replace("NESTED", word)) for word in ("false", "true"))

    assert direct.objects[USER].scope.nested_groups == frozenset()
    assert [g.rdn_value for g in nested.objects[USER].scope.nested_groups] == ["Guests"]
    assert direct.digest != nested.digest


def test_groups_need_the_attribute_that_lists_them() -> None:
    """Where memberOf is hidden nobody would be in scope, so groups are refused beside it."""
    hidden = SCOPE.replace("NESTED", "false") + "privacy: { hidden: [memberOf] }\n"

    assert problems(hidden) == [(10, "hidden-attribute")]


def test_kinds_narrow_the_rules() -> None:
    """Rules for users can be for one of the two classes of user only; the other has none then."""
    both, one = loaded(""), loaded("    kinds: [user]\n")

    assert both.rules(ObjectKind.INET_ORG_PERSON) is not None
    assert one.rules(ObjectKind.INET_ORG_PERSON) is None
    assert one.rules(ObjectKind.USER) is not None
    assert problems("    kinds: [group]\n") == [(9, "wrong-value")]


def test_a_secret_in_a_value_is_refused() -> None:
    """A token is recognised by its shape, wherever it stands."""
    token = f"xoxb-{'0123456789'}-abcdefghij"

    assert problems(f"      - {{ target: jobTitle, constant: {token} }}\n") == [(9, "secret")]


def source(configuration: Configuration, /, memberships: Memberships = NOT_ASKED, **values: Value) -> Source:
    """Return an imported user with these values."""
    dn = "CN=Ada,OU=Corp,DC=contoso,DC=test"
    entry = DirectoryEntry(dn=dn, attributes={}, controller="dc1", read_at=datetime(2026, 1, 2, tzinfo=UTC))
    identity = SourceIdentity(Dn(dn), ObjectGuid("1"), None, ObjectKind.USER, "Ada")
    found: dict[str, Value] = {"samaccountname": "ada", **values}
    return Source(identity, from_directory(dn), found, entry, configuration, memberships)


INPUTS: list[tuple[dict[str, Value], bool, str]] = [
    ({"employeetype": "Employee", "company": "Contoso"}, True, "one of each set"),
    ({"employeetype": "Employee"}, False, "no input filter"),
    ({"company": "Contoso"}, False, "no filter"),
    ({"department": "IT", "company": "Contoso"}, True, "the other filter"),
]


@pytest.mark.parametrize(("values", "inside", "reason"), INPUTS, ids=[row[2] for row in INPUTS])
def test_both_sets_of_filters_must_let_in(values: dict[str, Value], *, inside: bool, reason: str) -> None:
    """Of the filters any one, and of the input filters any one; the evidence holds them all."""
    rules = loaded(SCOPE.replace("NESTED", "false").replace("      groups:\n", "").replace(GROUPS, ""))
    evidence = evaluate_scope(source(rules, NOT_ASKED, **values))

    assert evidence.in_scope is inside, reason
    assert [f.name for f in evidence.filters] == ["A", "B"]
    assert [f.name for f in evidence.input_filters] == ["C"]


STAFF, GUESTS = (from_directory(f"CN={name},OU=Groups,DC=contoso,DC=test") for name in ("Staff", "Guests"))
MEMBERSHIPS: list[tuple[str, Memberships, tuple[bool, bool], str]] = [
    ("CN=Staff,OU=Groups,DC=contoso,DC=test", NOT_ASKED, (True, False), "direct member"),
    ("CN=GUESTS,OU=Groups,DC=contoso,DC=test", NOT_ASKED, (False, True), "direct member"),
    (
        "CN=Other,DC=contoso,DC=test",
        Memberships(nested=frozenset({GUESTS})),
        (False, True),
        "by nesting, through",
    ),
    (
        "",
        Memberships(nested=frozenset({STAFF})),
        (False, False),
        "by nesting only, and nested: true is not set",
    ),
    ("", Memberships(primary=STAFF), (False, False), "primary group"),
    ("", Memberships(primary=GUESTS), (False, False), "primary group"),
    ("", Memberships(missing=frozenset({GUESTS})), (False, False), "has no such group"),
    ("", NOT_ASKED, (False, False), "neither directly nor by nesting"),
]


@pytest.mark.parametrize(
    ("held", "found", "passed", "told"), MEMBERSHIPS, ids=[row[3] for row in MEMBERSHIPS]
)
def test_the_way_of_a_membership_is_told(
    held: str, found: Memberships, passed: tuple[bool, bool], told: str
) -> None:
    """Staff takes direct members, Guests nested ones too; each condition says why it is met or not."""
    rules = loaded(SCOPE.replace("NESTED", "true").partition("      filters")[0])
    evidence = evaluate_scope(source(rules, found, memberof=[held] if held else None))

    assert tuple(group.passed for group in evidence.groups) == passed
    assert any(told in group.why for group in evidence.groups)
    assert evidence.in_scope is any(passed)
    assert ("member of CN=" if any(passed) else "member of none of the groups") in evidence.why


def test_a_kind_without_rules_is_out_of_scope() -> None:
    """An object of a class that the rules are not for is skipped, with the reason."""
    evidence = evaluate_scope(source(loaded("    kinds: [inetOrgPerson]\n")))

    assert not evidence.in_scope
    assert "no rules" in evidence.why
