"""Replace, in its five modes of the service and the plain one of Connect Sync."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.expressions.dotnet_characters import PatternError
from pipeline.expressions.dotnet_regex import translate
from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import TEXT
from pipeline.expressions.patterns import Pattern, Template
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


def replace(  # noqa: PLR0917  # the places of the arguments are the language's
    state: State,
    source: str | None,
    old: str | None = None,
    pattern: str | None = None,
    group: str | None = None,
    value: str | None = None,
    attribute: str | None = None,
    template: str | None = None,
) -> str | None:
    """Replace by the mode that the given arguments name; what is skipped in the call is None.

    old and value: every occurrence, literally. old and template: the source put into the template. pattern
    and value: .NET's replacement with ${groups}. pattern, group and value: only the group's text. pattern,
    group and attribute: the source if it has a value, else the group found in the attribute.
    """
    if pattern is not None and group is not None and value is None and attribute is not None:
        return source or _compiled(pattern).extract(attribute, group, state.remaining())
    if source is None:
        return None
    if pattern is None:
        return _literal(state, source, old or "", value, template)
    compiled = _compiled(pattern)
    if group is None:
        return compiled.replace(source, _template(value or "", compiled), state.remaining())
    if group not in compiled.translated.names:
        raise Fault("is not a group of the pattern", "regexGroupName", value=group)
    return compiled.replace_group(source, group, value or "", state.remaining())


def _literal(state: State, source: str, old: str, value: str | None, template: str | None) -> str:
    if old == "":
        raise Fault("must not be empty", "oldValue", value=old)
    if value is not None:
        return _replaced(state, source, old, value)
    return _replaced(state, template or "", old, source)


def _replaced(state: State, text: str, old: str, new: str) -> str:
    size = len(text) + text.count(old) * (len(new) - len(old)) if len(new) > len(old) else len(text)
    if size > SMALL:
        state.charge(size)
    return text.replace(old, new)


def check(arguments: Sequence[object]) -> None:
    """Refuse, when the expression is loaded, a call of no mode, and what can never work.

    `arguments` are the constants of the call: None for a skipped one, UNKNOWN for what is no constant.
    """
    given = [*arguments, *[None] * 7]
    _check_mode([argument is not None for argument in given])
    pattern, group, value = given[2:5]
    if not isinstance(pattern, str):
        return
    compiled = _compiled(pattern)
    if isinstance(group, str) and group not in compiled.translated.names:
        raise Fault("is not a group of the pattern", "regexGroupName", value=group)
    if isinstance(value, str) and group is None:
        _template(value, compiled)


def _check_mode(given: Sequence[bool]) -> None:
    old, pattern, group, value, attribute, template = given[1:7]
    if not pattern and not old:
        raise Fault("or regexPattern must be given", "oldValue")
    if not pattern and not value and not template:
        raise Fault("or template must be given", "replacementValue")
    if pattern and not value and not attribute:
        raise Fault("or replacementAttributeName must be given", "replacementValue")
    if pattern and not value and not group:
        raise Fault("must be given with replacementAttributeName", "regexGroupName")


def _compiled(pattern: str) -> Pattern:
    try:
        return _cached(pattern)
    except PatternError as refusal:
        raise Fault(f"cannot be used: {refusal}", "regexPattern", value=pattern) from None


def forget() -> None:
    """Forget the patterns that were compiled."""
    _cached.cache_clear()


@functools.lru_cache(maxsize=256)
def _cached(pattern: str) -> Pattern:
    return Pattern(translate(pattern))


def _template(value: str, pattern: Pattern) -> Template:
    try:
        return Template.read(value, pattern.translated)
    except Fault as fault:
        raise Fault(fault.problem, "replacementValue", value=value) from None


def replace_connect(state: State, text: str, old: str, new: str) -> str:
    r"""Replace every occurrence; \n, \r and \t stand for line feed, carriage return and tab."""
    if old == "":
        raise Fault("must not be empty", "OldValue", value=old)
    return _replaced(state, text, _unescaped(old), _unescaped(new))


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t") if "\\" in text else text


_SERVICE_FORM: Final = (
    Parameter("source", TEXT, nullable=True),
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
            Form(ALL, _SERVICE_FORM, replace, Style.STATEFUL, check=check),
        ),
    ),
)
