"""Search filters as values: nothing that was typed is ever pasted into a filter's text.

The text form follows RFC 4515. Every octet of a value but plain letters and digits is written as a hex pair,
so that no value can be read as anything but a value, by whatever parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
"""The rule that follows links to any depth (MS-ADTS 3.1.1.3.4.4.3, LDAP_MATCHING_RULE_TRANSITIVE_EVAL)."""
BIT_AND: Final = "1.2.840.113556.1.4.803"
BIT_OR: Final = "1.2.840.113556.1.4.804"

_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,255}")
_RULE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def is_attribute_name(name: str) -> bool:
    """Whether the text can name an attribute (RFC 4512, `descr`)."""
    return _ATTRIBUTE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value."""

    attribute: str

    def __str__(self) -> str:
        return f"({_attribute(self.attribute)}=*)"


@dataclass(frozen=True, slots=True)
class Equal:
    """The attribute has this value, text or octets."""

    attribute: str
    value: str | bytes

    def __str__(self) -> str:
        return f"({_attribute(self.attribute)}={_escaped(self.value)})"


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The attribute has a value that starts so."""

    attribute: str
    value: str

    def __str__(self) -> str:
        if not self.value:
            raise ValueError("every value starts with an empty text: use Present")
        return f"({_attribute(self.attribute)}={_escaped(self.value)}*)"


@dataclass(frozen=True, slots=True)
class Rule:
    """The attribute's value fits by a matching rule, such as IN_CHAIN."""

    attribute: str
    rule: str
    value: str | bytes

    def __str__(self) -> str:
        if _RULE.fullmatch(self.rule) is None:
            raise ValueError("a matching rule is a dotted object identifier")
        return f"({_attribute(self.attribute)}:{self.rule}:={_escaped(self.value)})"


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Filter

    def __str__(self) -> str:
        return f"(!{self.condition})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every condition holds; at least one is given."""

    conditions: tuple[Filter, ...]

    def __str__(self) -> str:
        return _combined("&", self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the conditions holds; at least one is given."""

    conditions: tuple[Filter, ...]

    def __str__(self) -> str:
        return _combined("|", self.conditions)


Filter: TypeAlias = Present | Equal | StartsWith | Rule | Not | AllOf | AnyOf

ANYTHING: Final = Present("objectClass")


def _combined(operator: str, conditions: tuple[Filter, ...]) -> str:
    if not conditions:
        raise ValueError("a combination of no conditions")
    return f"({operator}{''.join(map(str, conditions))})"


def _attribute(name: str) -> str:
    if not is_attribute_name(name):
        raise ValueError("not an attribute name")
    return name


def _escaped(value: str | bytes) -> str:
    raw = value.encode("utf-8") if isinstance(value, str) else value
    if not raw:
        raise ValueError("an empty value matches nothing")
    return "".join(chr(octet) if octet in _PLAIN else f"\\{octet:02x}" for octet in raw)
