"""Before and after: what a cloud object holds against what the mappings want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.configuration import Apply, AttributeMapping, Null
from pipeline.facts import writability
from pipeline.mapping import MappedAttribute
from pipeline.model import Change, ChangeKind, JsonScalar, TargetKind, TargetValue
from pipeline.ports import TargetObject

IGNORED: Final = "the mapping asks to leave it alone for this object"
CREATION_ONLY: Final = "it is written on creation only"
NO_VALUE: Final = "there is no value for it, and the mapping leaves it alone then"
BY_RULE: Final = frozenset({IGNORED, CREATION_ONLY, NO_VALUE})
"""Reasons of the configuration's own for not writing an attribute: nobody needs to be warned of them."""


def current_value(target: TargetObject | None, attribute: str) -> TargetValue:
    """Return what the cloud object holds in an attribute; `a.b` reaches into a complex one."""
    value: object = target.attributes if target else None
    for part in attribute.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if value is None or isinstance(value, str | int | float | bool):
        return None if value == "" else value
    return str(value)


def compare(mapped: MappedAttribute, target: TargetObject | None, kind: TargetKind) -> Change:
    """Decide what becomes of one attribute of an object that is created (no target) or updated."""
    mapping, creating = mapped.mapping, target is None
    before = current_value(target, mapping.target)
    after = _wanted(mapped, before, creating=creating)
    change_kind, reason = _kind(before, after), ""
    if change_kind is not ChangeKind.SAME:
        fact = writability(kind, mapping.target)
        reason = IGNORED if mapped.ignored else ""
        reason = reason or held_back(mapping, after, creating=creating)
        if not reason and not (fact.on_create if creating else fact.on_update):
            reason = fact.reason
    left = mapped.ignored or (bool(reason) and _left_alone(mapping, after, creating=creating))
    return Change(
        attribute=mapping.target,
        before=before,
        after=before if left else after,
        kind=ChangeKind.NOT_WRITTEN if reason else change_kind,
        reason=reason,
        mapping=mapping.text,
        inputs=mapped.inputs,
        trace=mapped.trace,
    )


def held_back(mapping: AttributeMapping, after: TargetValue, *, creating: bool) -> str:
    """Say why the mapping does not want its value written to an object that exists; empty when it does."""
    if creating:
        return ""
    if mapping.apply is Apply.ON_CREATE:
        return CREATION_ONLY
    if _left_alone(mapping, after, creating=creating):
        return NO_VALUE
    return ""


def _left_alone(mapping: AttributeMapping, after: TargetValue, *, creating: bool) -> bool:
    return not creating and mapping.null is Null.IGNORE and _empty(after)


def _wanted(mapped: MappedAttribute, before: TargetValue, *, creating: bool) -> TargetValue:
    """Return what the mapping wants, given what is there: defaults filled in, values added."""
    mapping, after = mapped.mapping, mapped.value
    if mapping.only_fills:
        return mapping.default if _empty(before) else before
    if creating and _empty(after) and mapping.default is not None:
        return mapping.default
    if mapping.apply is Apply.MULTI_VALUE_ADD and isinstance(before, tuple) and isinstance(after, tuple):
        return (*before, *(value for value in after if value not in before))
    if mapping.apply is Apply.MULTI_VALUE_ADD and _empty(after):
        return before  # nothing to add
    return after


def _kind(before: TargetValue, after: TargetValue) -> ChangeKind:
    if same_value(before, after):
        return ChangeKind.SAME
    if _empty(before):
        return ChangeKind.ADDED
    return ChangeKind.CLEARED if _empty(after) else ChangeKind.CHANGED


def same_value(before: TargetValue, after: TargetValue) -> bool:
    """Tell whether two values are the same to Graph: nothing is nothing, and lists have no order."""
    if _empty(before) and _empty(after):
        return True
    if isinstance(before, tuple) and isinstance(after, tuple):
        return sorted(before) == sorted(after)  # Graph keeps no order in its lists
    return before == after


def _empty(value: TargetValue) -> bool:
    return value is None or value in {"", ()}


def request_body(changes: tuple[Change, ...], kind: TargetKind, *, creating: bool) -> dict[str, object]:
    """Return the JSON that carries the changes: nested for complex attributes, [] or null to clear."""
    body: dict[str, object] = {}
    for change in changes:
        if change.attribute in _SEPARATE:
            continue
        value: JsonScalar | list[str] = (
            list(change.after) if isinstance(change.after, tuple) else change.after
        )
        if _empty(change.after):
            if creating:
                continue
            emptied = writability(kind, change.attribute).cleared
            value = list(emptied) if emptied is not None else None
        outer, _, inner = change.attribute.partition(".")
        if inner:
            nested = body.setdefault(outer, {})
            if isinstance(nested, dict):
                nested[inner] = value
        else:
            body[outer] = value
    return body


_SEPARATE = frozenset({"manager", "members", "passwordProfile"})
"""Written by calls, or in ways, of their own."""
