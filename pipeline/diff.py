"""Before and after: what a cloud object holds against what the mappings want."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.configuration import Apply
from pipeline.facts import writability
from pipeline.mapping import MappedAttribute
from pipeline.model import Change, ChangeKind, JsonScalar, TargetKind, TargetValue
from pipeline.ports import TargetObject


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
    after = mapped.value
    if creating and _empty(after) and mapping.default is not None:
        after = mapping.default
    change_kind, reason = _kind(before, after), ""
    if change_kind is not ChangeKind.SAME:
        fact = writability(kind, mapping.target)
        if mapped.ignored:
            reason = "the mapping asks to leave it alone for this object"
        elif mapping.apply is Apply.ON_CREATE and not creating:
            reason = "it is written on creation only"
        elif not (fact.on_create if creating else fact.on_update):
            reason = fact.reason
    return Change(
        attribute=mapping.target,
        before=before,
        after=before if mapped.ignored else after,
        kind=ChangeKind.NOT_WRITTEN if reason else change_kind,
        reason=reason,
        mapping=mapping.text,
        inputs=mapped.inputs,
    )


def _kind(before: TargetValue, after: TargetValue) -> ChangeKind:
    if _same(before, after):
        return ChangeKind.SAME
    if _empty(before):
        return ChangeKind.ADDED
    return ChangeKind.CLEARED if _empty(after) else ChangeKind.CHANGED


def _same(before: TargetValue, after: TargetValue) -> bool:
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
            value = [] if writability(kind, change.attribute).collection else None
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
