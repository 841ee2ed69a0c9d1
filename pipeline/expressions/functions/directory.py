"""Distinguished names and references."""

from __future__ import annotations

import re
from typing import Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import INTEGER, TEXT, WORD
from pipeline.expressions.signature import ALL, CONNECT, Form, Function, Parameter, required
from pipeline.expressions.values import Reference

# Possessive, because a group that is repeated otherwise keeps a note of every turn.
_RDN: Final = re.compile(r'(?:[^,\\"]++|\\.|"(?:[^"\\]++|\\.)*+")++', re.DOTALL)
_ESCAPED: Final = re.compile(r'[,+"\\<>;]')


def components(dn: str) -> list[tuple[str, str]]:
    """Split a DN into (attribute, value) pairs; values keep their escapes, as the directory wrote them."""
    pairs: list[tuple[str, str]] = []
    for rdn in _RDN.findall(dn):
        name, equals, value = rdn.strip().partition("=")
        if not equals or not name.strip():
            raise Fault("must be a distinguished name", "dn", value=dn)
        pairs.append((name.strip(), value.strip()))
    return pairs


def component(dn: str, number: int) -> str | None:
    """Give the value of the n-th component from the left, or null when there are fewer."""
    return _picked(components(dn), number)


def component_reverse(dn: str, number: int, options: str | None = None) -> str | None:
    """Give the value of the n-th component from the right; the option DC leaves the dc= components out."""
    pairs = components(dn)
    if options is not None:
        if options.casefold() != "dc":
            raise Fault("must be DC", "Options", value=options)
        pairs = [pair for pair in pairs if pair[0].casefold() != "dc"]
    return _picked(pairs[::-1], number)


def _picked(pairs: list[tuple[str, str]], number: int) -> str | None:
    if number < 1:
        raise Fault("must be 1 or more", "ComponentNumber", value=number)
    return pairs[number - 1][1] if number <= len(pairs) else None


def escape_component(text: str) -> str:
    """Escape a component's value for use in a DN (RFC 4514 section 2.4); what stands before = stays."""
    name, equals, value = text.partition("=")
    if not equals:
        name, value = "", text
    escaped = _ESCAPED.sub(r"\\\g<0>", value).replace("\0", "\\00")
    if escaped.startswith((" ", "#")):
        escaped = "\\" + escaped
    if escaped.endswith(" ") and not escaped.endswith("\\ "):
        escaped = escaped[:-1] + "\\ "
    return name + equals + escaped


FUNCTIONS: Final = (
    Function("CRef", (Form(ALL, required(("value", TEXT)), Reference),)),
    Function("DNComponent", (Form(ALL, required(("dn", TEXT), ("ComponentNumber", INTEGER)), component),)),
    Function(
        "DNComponentRev",
        (
            Form(
                CONNECT,
                (
                    Parameter("dn", TEXT),
                    Parameter("ComponentNumber", INTEGER),
                    Parameter("Options", WORD, optional=True),
                ),
                component_reverse,
            ),
        ),
    ),
    Function("EscapeDNComponent", (Form(CONNECT, required(("value", TEXT)), escape_component),)),
)
