"""Copies of JSON data: what a stand-in hands out is the caller's own, and what it is given stays as it is."""

from __future__ import annotations

from typing import TypeVar, cast

T = TypeVar("T")


def copied(data: T) -> T:
    """Return JSON data with dicts and lists of its own. Several times as fast as copy.deepcopy."""
    return cast("T", _copied(data))


def _copied(data: object) -> object:
    if isinstance(data, dict):
        return {key: _copied(value) if isinstance(value, _NESTED) else value for key, value in data.items()}
    if isinstance(data, list):
        return [_copied(value) if isinstance(value, _NESTED) else value for value in data]
    if isinstance(data, tuple):
        return tuple(_copied(value) for value in data)
    return data


_NESTED = (dict, list, tuple)
