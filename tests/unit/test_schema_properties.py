"""Any schema of the documented shape goes to a configuration and back unharmed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.configuration.graph_schema import SchemaInvalid, configuration_text, export_schema
from pipeline.configuration.loading import read_configuration

Json = dict[str, Any]

TEXT = st.text(max_size=12)
NAMES = st.sampled_from(["cn", "mail", "title", "objectGUID", "sAMAccountName", "département", "x y", ""])
TARGETS = st.sampled_from(
    [
        "AccountEnabled", "Alias", "City", "Company", "DisplayName", "Mail", "Title", "UserPrincipalName",
        "SourceAnchor", "Manager", "Member", "OtherMail", "TelephoneNumber", "UsageLocation",
        "ExtensionAttribute7", "CommonName", "ProxyAddresses", "jobTitle", "SecurityEnabled", "MailEnabled",
        "extension_00000000000000000000000000000000_x", "Nonsense", "Description",
    ]
)  # fmt: skip
UNKNOWN = st.dictionaries(
    st.sampled_from(["laterField", "@odata.type", "annotations"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=2,
)


def attribute(name: str) -> Json:
    """Return an attribute as a source."""
    return {"expression": f"[{name}]", "name": name, "type": "Attribute", "parameters": []}


def constant(text: str) -> Json:
    """Return a constant as a source."""
    return {"expression": json.dumps(text), "name": text, "type": "Constant", "parameters": []}


def call(inner: Json) -> Json:
    """Return a function of one source."""
    return {
        "expression": f"Trim({inner['expression']})",
        "name": "Trim",
        "type": "Function",
        "parameters": [{"key": "source", "value": inner}],
    }


def with_parameter(inner: Json) -> Json:
    """Return a function whose text has a hole where the parameter stands."""
    hole: Json = {"expression": None, "name": "%DomainFQDN%", "type": "Constant", "parameters": []}
    parts = [("separator", constant("@")), ("source", inner), ("source", hole)]
    return {
        "expression": f'Join("@", {inner["expression"]}, )',
        "name": "Join",
        "type": "Function",
        "parameters": [{"key": key, "value": value} for key, value in parts],
    }


LEAVES = st.builds(attribute, NAMES) | st.builds(constant, TEXT)
SOURCES = st.one_of(
    st.none(),
    LEAVES,
    st.builds(call, LEAVES),
    st.builds(with_parameter, LEAVES),
    st.builds(lambda text: {**constant(text), "type": "Later"}, TEXT),
    st.builds(lambda text: {**attribute("x"), "type": "Function", "expression": text}, TEXT),
)


def merged(*parts: Json) -> Json:
    """Return one object of several, the first of them winning."""
    return {key: value for part in reversed(parts) for key, value in part.items()}


MAPPINGS = st.builds(
    merged,
    st.fixed_dictionaries(
        {
            "targetAttributeName": TARGETS,
            "source": SOURCES,
            "defaultValue": st.none() | TEXT,
            "flowType": st.sampled_from(["Always", "ObjectAddOnly", "MultiValueAddOnly", "Later"]),
            "flowBehavior": st.sampled_from(["FlowWhenChanged", "FlowAlways", "Later"]),
            "matchingPriority": st.integers(0, 3),
            "exportMissingReferences": st.booleans(),
        }
    ),
    UNKNOWN,
)
CLAUSES = st.sampled_from(
    [
        ("employeeType", "EQUALS", ["Employee"]),
        ("mail", "IS NULL", []),
        ("mail", "IS_NOT_NULL", None),
        ("mail", "ENDS_WITH", ["@contoso.test"]),
        ("userAccountControl", "Greater_Than", ["512"]),
        ("department", "REGEX MATCH", ["^IT"]),
        ("isCriticalSystemObject", "IS FALSE", None),
        ("department", "EQUALS", ['it\'s "IT"', "two"]),
        ("department", "LATER", ["x"]),
    ]
).map(
    lambda parts: {
        "sourceOperandName": parts[0],
        "operatorName": parts[1],
        "targetOperand": None if parts[2] is None else {"values": parts[2]},
    }
)
GROUPS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["Staff", None, "DefaultUserExclusions.0", 'it\'s "quoted"']),
            "clauses": st.lists(CLAUSES, max_size=3),
        }
    ),
    max_size=2,
)
SCOPES = st.none() | st.builds(
    merged,
    st.fixed_dictionaries({"groups": GROUPS, "inputFilterGroups": GROUPS, "categoryFilterGroups": GROUPS}),
    UNKNOWN,
)
OBJECTS = st.builds(
    merged,
    st.fixed_dictionaries(
        {
            "name": st.none() | TEXT,
            "enabled": st.sampled_from([True, True, True, False]),
            "flowTypes": st.sampled_from(["Add,Update,Delete", "Add, Update", "Add, Update", "Update"]),
            "scope": SCOPES,
            "attributeMappings": st.lists(MAPPINGS, max_size=8),
        }
    ),
    UNKNOWN,
    st.sampled_from(
        [
            {"sourceObjectName": source, "targetObjectName": target}
            for source, target in (
                ("user", "User"),
                ("group", "Group"),
                ("inetOrgPerson", "User"),
                ("contact", "Contact"),
                ("", "Later"),
            )
        ]
    ),
)
RULES = st.builds(
    merged,
    st.fixed_dictionaries(
        {
            "name": st.none() | TEXT,
            "priority": st.integers(0, 3),
            "containerFilter": st.sampled_from(
                [
                    None,
                    {"includedContainers": []},
                    {"includedContainers": ["OU=A,DC=x,DC=test", "OU=B,DC=x,DC=test"]},
                ]
            ),
            "groupFilter": st.sampled_from([None, {"includedGroups": ["CN=G,DC=x,DC=test"]}]),
            "objectMappings": st.lists(OBJECTS, min_size=1, max_size=4),
        }
    ),
    UNKNOWN,
)
SCHEMAS = st.builds(
    merged,
    st.fixed_dictionaries({"synchronizationRules": st.lists(RULES, min_size=1, max_size=2)}),
    UNKNOWN,
)


@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_import_and_export_are_stable(schema: Json) -> None:
    """A schema is refused in words, or becomes a good configuration that gives it back to the letter."""
    try:
        made = configuration_text(schema, "any")
    except SchemaInvalid:
        return
    reading = read_configuration(made.text)
    assert reading.configuration is not None, (reading.problems, made.text)
    assert reading.document is not None
    exported = export_schema(reading.document)

    assert exported.schema == schema
    assert exported.notes == []
    assert configuration_text(exported.schema, "any").text == made.text
