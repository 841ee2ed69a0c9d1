"""Finding objects by the parts of a path or by a reference in a body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sandbox.tenant.errors import refuse
from sandbox.tenant.rules import is_guid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.protocol import Segment
    from sandbox.tenant.store import Entry, State

_REFERENCE = re.compile(
    r"/(?:v1\.0|beta)/(?P<set>users|groups|directoryObjects)(?:/(?P<id>[^/()]+)|\('(?P<key>[^/()']+)'\))"
)
BIND_LIMIT = 20


def find_user(state: State, segment: Segment) -> Entry:
    """Find a live user by id or user principal name; refuse with 404."""
    _check_key(segment, "userPrincipalName")
    entry = state.live.get(segment.text.lower()) or state.find("userPrincipalName", segment.text.casefold())
    if entry is None or entry.kind != "user":
        raise refuse("not_found", id=segment.text)
    return entry


def find_group(state: State, segment: Segment) -> Entry:
    """Find a live group by id or by `uniqueName='…'`; refuse with 404, or 400 when the id is no GUID."""
    _check_key(segment, "uniqueName")
    if segment.key == "uniqueName":
        entry = state.find("uniqueName", segment.text.casefold())
    else:
        _check_guid(segment.text)
        entry = state.live.get(segment.text.lower())
    if entry is None or entry.kind != "group":
        raise refuse("not_found", id=segment.text)
    return entry


def find_object(state: State, segment: Segment) -> Entry:
    """Find a live object of any kind by id."""
    _check_key(segment)
    _check_guid(segment.text)
    entry = state.live.get(segment.text.lower())
    if entry is None:
        raise refuse("not_found", id=segment.text)
    return entry


def find_deleted(state: State, segment: Segment) -> Entry:
    """Find a soft-deleted object by id."""
    _check_key(segment)
    _check_guid(segment.text)
    entry = state.deleted.get(segment.text.lower())
    if entry is None:
        raise refuse("not_found", id=segment.text)
    return entry


def _check_key(segment: Segment, alternate: str | None = None) -> None:
    if segment.key is not None and segment.key not in {"id", alternate}:
        raise refuse("unknown_key", key=segment.key)


def _check_guid(text: str) -> None:
    if not is_guid(text):
        raise refuse("invalid_object_id", id=text)


def read_reference(state: State, body: Mapping[str, Any]) -> Entry:
    """Resolve the `@odata.id` of a $ref body."""
    reference = body.get("@odata.id")
    if not isinstance(reference, str):
        raise refuse("invalid_reference")
    return resolve(state, reference)


def read_bindings(state: State, body: Mapping[str, Any], *names: str) -> dict[str, tuple[str, ...]]:
    """Resolve `members@odata.bind` and its like: at most 20 references over all names."""
    bound: dict[str, tuple[str, ...]] = {}
    total = 0
    for name in names:
        references = body.get(f"{name}@odata.bind")
        if references is None:
            continue
        if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
            raise refuse("invalid_reference")
        total += len(references)
        if total > BIND_LIMIT:
            raise refuse("too_many_references")
        bound[name] = tuple(resolve(state, one).id for one in references)
    return bound


def resolve(state: State, reference: str) -> Entry:
    """Find what an absolute reference names; its set must be that of the object, or directoryObjects."""
    try:
        parts = urlsplit(reference)
    except ValueError:
        raise refuse("invalid_reference") from None
    match = _REFERENCE.fullmatch(parts.path)
    if match is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise refuse("invalid_reference")
    object_id = unquote(match.group("id") or match.group("key")).lower()
    entry = state.live.get(object_id)
    if entry is None:
        raise refuse("not_found", id=object_id)
    if match.group("set") not in {f"{entry.kind}s", "directoryObjects"}:
        raise refuse("not_found", id=object_id)
    return entry
