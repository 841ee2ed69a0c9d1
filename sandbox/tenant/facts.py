"""The rules of Microsoft Graph as data: properties, error answers and permissions, from the JSON files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("user", "group", "directoryRole", "servicePrincipal")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a user or group: what may be written, and how it can be asked for."""

    name: str
    type: str
    create: bool = False
    update: bool = False
    separate: bool = False
    max_length: int | None = None
    max_items: int | None = None
    unique: bool = False
    sensitive: bool = False
    clearable: bool = True
    default: bool = False
    navigation: bool = False
    advanced: bool = False
    locked_when_synced: bool = False
    operators: frozenset[str] = frozenset()
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Say whether the value is a collection, which is never null on the wire."""
        return self.type in {"string-list", "object-list"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the stand-in knows about the service that is not code."""

    properties: Mapping[str, Mapping[str, Property]]
    create_required: Mapping[str, tuple[str, ...]]
    federated_required: tuple[str, ...]
    graph_errors: Mapping[str, Mapping[str, Any]]
    login_errors: Mapping[str, Mapping[str, Any]]
    permissions: Mapping[str, frozenset[str]]
    default_roles: tuple[str, ...]

    def default_projection(self, kind: str) -> tuple[str, ...]:
        """Name the properties of `kind` that come without $select, in the order of the facts."""
        return tuple(name for name, known in self.properties[kind].items() if known.default)


@cache
def load() -> Facts:
    """Read the three files once; later calls give the same object."""
    raw = _read("properties")
    errors = _read("errors")
    permissions = _read("permissions")
    properties: dict[str, dict[str, Property]] = {kind: {} for kind in KINDS}
    for key, entry in raw["properties"].items():
        kind, name = key.split(".", 1)
        properties[kind][name] = _property(name, entry)
    return Facts(
        properties=properties,
        create_required={kind: tuple(names) for kind, names in raw["create_required"].items()},
        federated_required=tuple(raw["federated_create_required"]),
        graph_errors=errors["graph"],
        login_errors=errors["login"],
        permissions={name: frozenset(roles) for name, roles in permissions["sets"].items()},
        default_roles=tuple(permissions["default_roles"]),
    )


def _property(name: str, entry: Mapping[str, Any]) -> Property:
    return Property(
        name=name,
        type=entry["type"],
        create=entry["create"],
        update=entry["update"],
        separate=entry.get("separate", False),
        max_length=entry.get("max_length"),
        max_items=entry.get("max_items"),
        unique=entry.get("unique", False),
        sensitive=entry.get("sensitive", False),
        clearable=entry.get("clearable", True),
        default=entry["default"],
        navigation=entry.get("navigation", False),
        advanced=entry.get("advanced", False),
        locked_when_synced=entry.get("synced") == "locked",
        operators=frozenset(entry["filter"]),
        members=entry.get("members", {}),
    )


def _read(name: str) -> dict[str, Any]:
    text = resources.files("sandbox.tenant").joinpath("facts", f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
