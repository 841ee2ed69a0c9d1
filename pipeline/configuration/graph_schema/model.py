"""What a schema was understood to mean, and what was left out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.configuration import document as doc
from pipeline.errors import ConfigurationInvalid
from pipeline.model import TargetKind


class SchemaInvalid(ConfigurationInvalid):
    """This is no synchronization schema from Active Directory to Entra ID."""

    remedy = "Save the answer of GET …/synchronization/jobs/{id}/schema, and import that file."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An attribute mapping that is not taken over: its target's own name, its source, and why."""

    target: str
    text: str
    because: str


@dataclass(frozen=True, slots=True)
class Place:
    """One object mapping that the rules stand for: where it is, and where in it each target is mapped."""

    mapping: int
    targets: Mapping[str, int]
    members: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedObject:
    """The rules for one kind of object.

    `added` are targets that are not in the schema, each with the reason why they are here.
    """

    kind: TargetKind
    rules: doc.ObjectRules
    places: tuple[Place, ...]
    added: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    match_added: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What a schema means: its rule's place and name, the rules by kind, and what to tell the reader."""

    rule: int
    name: str
    objects: Mapping[TargetKind, ImportedObject]
    notes: tuple[str, ...]
