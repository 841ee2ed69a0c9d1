"""Replace, in its five modes of the service and the plain one of Connect Sync."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from pipeline.expressions.dotnet_regex import Pattern, PatternError, Template, translate
from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import TEXT
from pipeline.expressions.signature import (
    ALL,
    Form,
    Function,
    Parameter,
    Style,
    required,
)
from pipeline.expressions.state import SMALL

if TYPE_CHECKING:
    from pipeline.expressions.state import State


def replace(
    state: State,
    source: str,
    old: str | None = None,
    pattern: str | None = None,
    group: str | None = None,
    value: str | None = None,
    attribute: str | None = None,
    template: str | None = None,
) -> str | None:
    """Replace by the mode that the given arguments name.

    old and value: every occurrence, literally. old and template: the source put into the template. pattern and
    value: .NET's replacement with ${groups}. pattern, group and value: only the group's text. pattern, group and
    attribute: the source if it has a value, else the group found in the attribute.
    """
    if pattern is None:
        return _literal(state, source, old, value, template)
    if value is None and attribute is None:
        raise Fault("is missing: a pattern needs a replacement", "replacementValue")
    compiled = _compiled(pattern)
    if group is None:
        if value is None:
            raise Fault("is missing: an attribute needs a group", "regexGroupName")
        return _regular(state, compiled, source, value)
    if group not in compiled.groups:
        raise Fault("is not a group of the pattern", "regexGroupName", value=group)
    if value is not None:
        return compiled.replace_group(source, group, value, state.remaining(), state.charge)
    if source:
        return source
    return compiled.extract(attribute or "", group, state.remaining())


def _literal(state: State, source: str, old: str | None, value: str | None, template: str | None) -> str:
    if old is None:
        raise Fault("is missing: give oldValue or regexPattern", "oldValue")
    if old == "":
        raise Fault("must not be empty", "oldValue", value=old)
    if value is not None:
        return _replaced(state, source, old, value)
    if template is not None:
        return _replaced(state, template, old, source)
    raise Fault("is missing: give replacementValue or template", "replacementValue")


def _replaced(state: State, text: str, old: str, new: str) -> str:
    size = len(text) + text.count(old) * (len(new) - len(old)) if len(new) > len(old) else len(text)
    if size > SMALL:
        state.charge(size)
    return text.replace(old, new)


def _regular(state: State, pattern: Pattern, source: str, value: str) -> str:
    try:
        template = Template.read(value, pattern)
    except PatternError as refusal:
        raise Fault(str(refusal), "replacementValue", value=value) from None
    return pattern.replace(source, template, state.remaining(), state.charge)


def _compiled(pattern: str) -> Pattern:
    try:
        return _cached(pattern)
    except PatternError as refusal:
        raise Fault(str(refusal), "regexPattern", value=pattern) from None


@functools.lru_cache(maxsize=256)
def _cached(pattern: str) -> Pattern:
    return translate(pattern)


def replace_connect(state: State, text: str, old: str, new: str) -> str:
    r"""Replace every occurrence; \n, \r and \t stand for line feed, carriage return and tab."""
    if old == "":
        raise Fault("must not be empty", "OldValue", value=old)
    return _replaced(state, text, _unescaped(old), _unescaped(new))


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t") if "\\" in text else text


_SERVICE_FORM: Final = (
    Parameter("source", TEXT),
    Parameter("oldValue", TEXT, optional=True),
    Parameter("regexPattern", TEXT, optional=True),
    Parameter("regexGroupName", TEXT, optional=True),
    Parameter("replacementValue", TEXT, optional=True),
    Parameter("replacementAttributeName", TEXT, optional=True),
    Parameter("template", TEXT, optional=True),
)
_CONNECT_FORM: Final = required(("string", TEXT), ("OldValue", TEXT), ("NewValue", TEXT))

FUNCTIONS: Final = (
    Function(
        "Replace",
        (
            Form(ALL, _CONNECT_FORM, replace_connect, Style.STATEFUL),
            Form(ALL, _SERVICE_FORM, replace, Style.STATEFUL),
        ),
    ),
)
