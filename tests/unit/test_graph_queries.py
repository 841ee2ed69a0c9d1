"""How questions to Microsoft Graph are put."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.graph.queries import (
    anchors_query,
    chunks,
    condition,
    lookup_query,
    selection,
    unique_name_query,
)
from pipeline.adapters.graph.transport import literal, segments
from pipeline.model import TargetKind
from pipeline.ports import Lookup

USER, GROUP = TargetKind.USER, TargetKind.GROUP
EXTENSIONS = "onPremisesExtensionAttributes"


def read_literal(text: str) -> tuple[str, str]:
    """Read an OData string literal at the start of `text` by the grammar; return it and the rest."""
    assert text[0] == "'"
    value, at = "", 1
    while True:
        if text[at] != "'":
            value, at = value + text[at], at + 1
        elif text[at + 1 : at + 2] == "'":
            value, at = value + "'", at + 2
        else:
            return value, text[at + 1 :]


HOSTILE = [
    "O'Brien",
    "' or 1 eq 1 or displayName eq '",
    "''",
    "'",
    "a+b/c==",
    "50%",
    "%27",
    "a&$select=passwordProfile",
    "a#fragment",
    "x#EXT#@contoso.test",
    "a;b",
    "a?b",
    "a\\b",
    "a\r\nHost: evil",
    "tab\there",
    "Ünïcodé 名前 🙂",
    ") or (1 eq 1",
    "/../../groups",
    "$batch",
    "{}",
    "x" * 3000,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v[:20]))
def test_a_hostile_value_stays_one_value(value: str) -> None:
    """A value is one literal of one filter, whatever it holds: in the address and for the grammar."""
    url = lookup_query(Lookup(USER, "mail", value), ["id"]).url
    parts = urlsplit(url)
    assert parts.fragment == ""
    params = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    assert set(params) == {"$filter", "$select"}
    name, rest = params["$filter"].split(" eq ", 1)
    assert name == "mail"
    assert read_literal(rest) == (value, "")


@given(st.text(min_size=1))
def test_any_text_survives_the_way_into_a_filter(value: str) -> None:
    """Quoting loses nothing and adds nothing."""
    assert read_literal(literal(value)) == (value, "")
    path = unique_name_query(value).path
    assert path.isascii()
    key = unquote(path).removeprefix("/groups(uniqueName=")
    assert read_literal(key) == (value, ")")


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v[:20]))
def test_a_hostile_id_stays_one_part_of_the_path(value: str) -> None:
    """An id cannot end its part of the path, climb, or begin a query."""
    path = segments("users", value, "manager")
    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path
    assert unquote(path.split("/")[2]) == value


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_climbs_is_refused(part: str) -> None:
    """Such a part would be folded away on the path, and another object be meant."""
    with pytest.raises(ValueError, match="must name something"):
        segments("users", part)


@pytest.mark.parametrize(
    ("attribute", "kind", "expected"),
    [
        ("onPremisesImmutableId", USER, "onPremisesImmutableId eq 'v'"),
        ("proxyAddresses", USER, "proxyAddresses/any(v:v eq 'v')"),
        ("otherMails", USER, "otherMails/any(v:v eq 'v')"),
        ("onPremisesSecurityIdentifier", GROUP, "onPremisesSecurityIdentifier eq 'v'"),
        (
            "onPremisesExtensionAttributes.extensionAttribute1",
            USER,
            "onPremisesExtensionAttributes/extensionAttribute1 eq 'v'",
        ),
    ],
)
def test_a_list_is_searched_for_any_of_its_values(attribute: str, kind: TargetKind, expected: str) -> None:
    """Equality for a scalar, any() for a list, a slash into a complex attribute."""
    assert condition(Lookup(kind, attribute, "v")) == expected


def test_the_anchor_is_read_from_the_consistent_store() -> None:
    """The eventual index lags behind writes: a match by it could make a twin."""
    query = lookup_query(Lookup(USER, "onPremisesImmutableId", "a=="), [])
    assert query.headers == {}
    assert "$count" not in query.params


def test_extension_attributes_need_the_advanced_search() -> None:
    """Graph filters on them only with ConsistencyLevel eventual and $count=true."""
    name = "onPremisesExtensionAttributes.extensionAttribute7"
    query = lookup_query(Lookup(USER, name, "x"), [])
    assert query.headers == {"ConsistencyLevel": "eventual"}
    assert query.params["$count"] == "true"


def test_deleted_objects_are_asked_for_where_they_lie() -> None:
    """The cast is part of the path; the manager cannot be expanded there."""
    query = lookup_query(Lookup(USER, "onPremisesImmutableId", "a==", deleted=True), ["manager"])
    assert query.path == "/directory/deletedItems/microsoft.graph.user"
    assert "$expand" not in query.params


def test_a_unique_name_is_a_key_and_no_filter() -> None:
    """Groups are found by uniqueName through its alternate key; a 404 means there is none."""
    query = lookup_query(Lookup(GROUP, "uniqueName", "ad-O'1"), ["mailNickname"])
    assert query.path == "/groups(uniqueName=%27ad-O%27%271%27)"
    assert query.single
    assert "$filter" not in query.params


@pytest.mark.parametrize(
    ("kind", "select", "params"),
    [
        pytest.param(
            USER,
            ["mail", "manager", "mail"],
            {
                "$select": "id,displayName,userPrincipalName,mail",
                "$expand": "manager($select=id,displayName,userPrincipalName)",
            },
            id="the manager is expanded, not selected",
        ),
        pytest.param(
            USER,
            [f"{EXTENSIONS}.extensionAttribute1", f"{EXTENSIONS}.extensionAttribute2"],
            {"$select": f"id,displayName,userPrincipalName,{EXTENSIONS}"},
            id="a complex attribute is selected whole, once",
        ),
        pytest.param(
            GROUP,
            ["onPremisesImmutableId", "userPrincipalName", "onPremisesSyncEnabled", "nonsense"],
            {"$select": "id,displayName,onPremisesSyncEnabled"},
            id="what a group does not have is not asked for",
        ),
        pytest.param(GROUP, ["members", "manager"], {"$select": "id,displayName"}, id="links are left out"),
    ],
)
def test_what_is_selected(kind: TargetKind, select: list[str], params: dict[str, str]) -> None:
    """The identity is always there; what cannot be selected is not."""
    assert selection(kind, select) == params


def test_many_anchors_are_one_filter() -> None:
    """Anchors are asked for by `in`; an anchor's plus sign stays one."""
    query = anchors_query(["a+b==", "c/d=="])
    assert query.params["$filter"] == "onPremisesImmutableId in ('a+b==','c/d==')"
    assert "a%2Bb%3D%3D" in query.url


def test_chunks_hold_everything_in_order() -> None:
    """Cutting loses nothing."""
    values = [str(n) for n in range(47)]
    cut = chunks(values, 15)
    assert [len(c) for c in cut] == [15, 15, 15, 2]
    assert [v for c in cut for v in c] == values
