"""Facts about Microsoft Graph that the engine plans by: what may be written, and what refusals mean.

Data only, read from JSON beside this module at first use. Sources: the Microsoft Graph v1.0 metadata and the
pages "user resource type", "group resource type", "Create user", "Update user", "Create group", "Upsert
group", "Microsoft Graph error responses and resource types" and "Microsoft Entra authentication and
authorization error codes".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

from pipeline.model import TargetKind


class How(StrEnum):
    """The way an attribute is written, or who else writes it."""

    BODY = "body"
    """In the body of the create or update request."""
    LINK = "link"
    """By a call that links two objects: manager, members."""
    KEY = "key"
    """As the key in the address of the request that creates the object."""
    SYNC = "sync"
    """Only by the synchronisation service."""
    EXCHANGE = "exchange"
    """Only by Exchange, or by the synchronisation service in its place."""
    OTHER = "other"
    """By a call or with a permission that this engine does not use."""
    SYSTEM = "system"
    """Only by Entra ID itself."""
    UNKNOWN = "unknown"
    """Microsoft Graph v1.0 has no attribute of that name."""


@dataclass(frozen=True, slots=True)
class Writability:
    """What Microsoft Graph takes for one attribute.

    `reason` says in a sentence why it is not written, where `on_create` or `on_update` is false. Lengths
    count characters of one value. `allowed` is a pattern that the whole value must match.
    """

    attribute: str
    type: str
    how: How
    on_create: bool
    on_update: bool
    reason: str = ""
    max_length: int | None = None
    max_items: int | None = None
    collection: bool = False
    sensitive: bool = False
    """Changing it on a holder of an admin role takes more than the permission (page "user resource type")."""
    clearable: bool = True
    required_on_create: bool = False
    unique: bool = False
    allowed: str | None = None
    returned_by_default: bool = False
    beta: bool = False
    """Documented as writable on the beta endpoint only, for users that are not synchronised."""

    @property
    def known(self) -> bool:
        """Whether Microsoft Graph has the attribute at all."""
        return self.how is not How.UNKNOWN

    @property
    def cleared(self) -> tuple[str, ...] | None:
        """The value that empties the attribute: a list is emptied by an empty list, never by null."""
        return () if self.collection else None


@dataclass(frozen=True, slots=True)
class GraphError:
    """One refusal of Microsoft Graph: how it is recognised and what it becomes.

    A field that is empty or None is not compared. `becomes` names a class of `pipeline.errors`; `says` is its
    message, in which {property}, {value}, {other}, {code} and {message} are filled in.
    """

    id: str
    becomes: str
    says: str
    status: int | None = None
    codes: tuple[str, ...] = ()
    detail: str = ""
    message: str = ""
    retry: str = "never"
    """never, throttle, transient, busy, fresh (an object just made is not visible yet), done (already so)."""
    remedy: str = ""
    """What to do, where that of the class would not help."""


@dataclass(frozen=True, slots=True)
class SignInError:
    """One refusal of the sign-in service, by its AADSTS number. `retry`: it may pass by itself."""

    number: str
    says: str
    remedy: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """One application permission: what it is for, whether only writing needs it, and which ones do too."""

    name: str
    why: str
    writes: bool
    enough: frozenset[str]
    optional: bool = False
    """Whether everything works without it, and only something less is told."""


_EXTENSION: Final = re.compile(r"extension_[0-9a-fA-F]{32}_\w+")


def writability(kind: TargetKind, attribute: str) -> Writability:
    """Say whether and how an attribute of a user or group is written.

    A member of a complex attribute is named with a dot: onPremisesExtensionAttributes.extensionAttribute1. A
    name that Microsoft Graph does not have gives `How.UNKNOWN`, not an error: a plan shows it as not written.
    """
    return _table(kind).get(attribute) or _extension(attribute) or _unknown(attribute)


def attributes(kind: TargetKind) -> Mapping[str, Writability]:
    """Return all known attributes of a kind, by name."""
    return _table(kind)


def required_on_create(kind: TargetKind) -> tuple[str, ...]:
    """Name the attributes without which Microsoft Graph creates no object of this kind."""
    return tuple(_read("graph_writability.json")["required_on_create"][str(kind)])


@cache
def permissions() -> tuple[Permission, ...]:
    """Return the application permissions that the engine uses, those for reading first."""
    return tuple(
        Permission(**{**entry, "enough": frozenset(entry["enough"])})
        for entry in _read("graph_permissions.json")["permissions"]
    )


def permissions_to_grant(*, writes: bool) -> tuple[Permission, ...]:
    """Return the fewest permissions that cover every need, those for reading first, without the optional."""
    needed = [p for p in permissions() if not p.optional and (writes or not p.writes)]
    return tuple(p for p in needed if not any(o.name in p.enough and o is not p for o in needed))


def suffices(roles: frozenset[str], needed: str) -> bool:
    """Say whether a token's permissions cover one that is needed, directly or by a greater one."""
    enough = next((p.enough for p in permissions() if p.name == needed), frozenset({needed}))
    return not roles.isdisjoint(enough)


@cache
def graph_errors() -> tuple[GraphError, ...]:
    """Return the known refusals of Microsoft Graph, the more particular before the more general."""
    return tuple(
        GraphError(**{**entry, "codes": tuple(entry.get("codes", ()))})
        for entry in _read("graph_errors.json")["graph"]
    )


@cache
def sign_in_errors() -> Mapping[str, SignInError]:
    """Return the known refusals of the sign-in service, by AADSTS number."""
    return {entry["number"]: SignInError(**entry) for entry in _read("graph_errors.json")["sign_in"]}


@cache
def _table(kind: TargetKind) -> Mapping[str, Writability]:
    entries: dict[str, dict[str, Any]] = _read("graph_writability.json")[str(kind)]
    return {name: _writability(name, entry) for name, entry in entries.items()}


def _writability(name: str, entry: Mapping[str, Any]) -> Writability:
    facts = {**entry, "how": How(entry["how"]), "collection": str(entry["type"]).endswith("list")}
    return Writability(attribute=name, **facts)


def _extension(attribute: str) -> Writability | None:
    """Directory extensions carry the id of the application that defined them in their name."""
    if not _EXTENSION.fullmatch(attribute):
        return None
    return _writability(attribute, _read("graph_writability.json")["extension"])


def _unknown(attribute: str) -> Writability:
    return Writability(
        attribute=attribute,
        type="unknown",
        how=How.UNKNOWN,
        on_create=False,
        on_update=False,
        reason="Microsoft Graph has no attribute of that name.",
    )


@cache
def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
