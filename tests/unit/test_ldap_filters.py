"""Search filters: whatever is put in as a value comes out as that value and nothing else."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import (
    AND,
    MATCH_EQUAL,
    MATCH_EXTENSIBLE,
    MATCH_PRESENT,
    MATCH_SUBSTRING,
    NOT,
    OR,
    compile_filter,
    parse_filter,
)

from pipeline.adapters.ldap_filters import (
    BIT_AND,
    IN_CHAIN,
    AllOf,
    AnyOf,
    Equal,
    Filter,
    Not,
    Present,
    Rule,
    StartsWith,
)

META = [
    "(",
    ")",
    "*",
    "\\",
    "\0",
    "&",
    "|",
    "!",
    "=",
    "<",
    ">",
    "~",
    ":",
    ",",
    " ",
    "\n",
    "é",
    "\u202e",
    "\U0001f600",
]
CLASSIC = [
    "*)(objectClass=*",
    "ada)(|(objectClass=*)",
    "*)(&",
    "x)(userPassword=*",
    "\\2a",
    "\\28\\29",
    "\\",
    "\\zz",
    "b'x'",
    "ada*",
    " leading",
    "trailing ",
]
CORPUS = [
    *CLASSIC,
    *META,
    *(a + b for a in META for b in META),
    *(f"{a}x{b}y" for a in META for b in META[:8]),
]


def wire(condition: Filter) -> Any:
    """Read a filter as the protocol library does, without a schema, as on a connection."""
    root = cast("Any", parse_filter)(str(condition), None, True, True, None, False)
    return root.elements[0]


def octets(condition: Filter) -> bytes:
    """Return the assertion value that goes over the wire."""
    compiled = cast("Any", compile_filter)(wire(condition))
    return bytes(compiled.getComponent()["assertionValue"])


def test_the_corpus_is_large_enough() -> None:
    """At least 500 inputs are tried."""
    assert len(set(CORPUS)) >= 500


@pytest.mark.parametrize("value", sorted(set(CORPUS)), ids=ascii)
def test_an_injected_value_stays_a_value(value: str) -> None:
    """A value with filter characters is one equality match whose value is exactly what was given."""
    node = wire(Equal("cn", value))
    assert (node.tag, node.assertion["attr"]) == (MATCH_EQUAL, "cn")
    assert octets(Equal("cn", value)) == value.encode()


@given(st.binary(min_size=1, max_size=40))
def test_octets_arrive_as_they_are(value: bytes) -> None:
    """Any octets, such as a GUID's, go over the wire unchanged."""
    assert octets(Equal("objectGUID", value)) == value


@given(
    st.lists(
        st.text(min_size=1, max_size=10).filter(lambda t: not any(0xD800 <= ord(c) < 0xE000 for c in t)),
        min_size=1,
        max_size=4,
    )
)
def test_the_tree_that_is_read_is_the_tree_that_was_built(texts: list[str]) -> None:
    """No value changes the shape of the filter round it."""
    node = wire(AllOf((Present("mail"), Not(AnyOf(tuple(Equal("cn", text) for text in texts))))))
    assert node.tag == AND
    assert [child.tag for child in node.elements] == [MATCH_PRESENT, NOT]
    either = node.elements[1].elements[0]
    assert either.tag == OR
    assert [child.tag for child in either.elements] == [MATCH_EQUAL] * len(texts)


def test_text_forms() -> None:
    """The text is plain where it can be and hex pairs elsewhere (RFC 4515)."""
    assert str(Equal("cn", "a*(b)")) == r"(cn=a\2a\28b\29)"
    assert str(Equal("objectGUID", b"\x00\xff")) == r"(objectGUID=\00\ff)"
    assert str(StartsWith("cn", "a*")) == r"(cn=a\2a*)"
    assert str(AnyOf((Present("cn"), Not(Present("sn"))))) == "(|(cn=*)(!(sn=*)))"
    assert str(Rule("userAccountControl", BIT_AND, "2")) == f"(userAccountControl:{BIT_AND}:=2)"


def test_rules_and_beginnings_are_read_as_such() -> None:
    """A matching rule and a beginning keep their kind and their value."""
    rule = wire(Rule("memberOf", IN_CHAIN, "CN=a*b,DC=c"))
    assert (rule.tag, rule.assertion["matchingRule"]) == (MATCH_EXTENSIBLE, IN_CHAIN)
    start = wire(StartsWith("cn", "a*b"))
    assert start.tag == MATCH_SUBSTRING
    assert set(start.assertion) == {"attr", "initial"}


@pytest.mark.parametrize(
    "condition",
    [
        Equal("cn)(x", "a"),
        Equal("", "a"),
        Equal("cn", ""),
        StartsWith("cn", ""),
        Rule("cn", "dn:x", "a"),
        AllOf(()),
        Present("c*n"),
        Present("*"),
    ],
    ids=repr,
)
def test_what_is_no_filter_is_not_printed(condition: Filter) -> None:
    """A wrong attribute name, rule or an empty value is refused instead of being sent."""
    with pytest.raises(ValueError):
        str(condition)
