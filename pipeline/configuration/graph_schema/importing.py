"""From a schema to the rules of a configuration: what can be taken over, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pipeline.configuration import document as doc
from pipeline.configuration.graph_schema.mappings import MappingReader, anchor_and_needs
from pipeline.configuration.graph_schema.model import Imported, ImportedObject, LeftOut, Place, SchemaInvalid
from pipeline.configuration.graph_schema.scopes import ScopeReader, ScopeUnclear
from pipeline.configuration.graph_schema.wire import ObjectMapping, Rule, Schema, read_schema
from pipeline.model import ObjectKind, TargetKind

_SOURCES: Final[Mapping[str, tuple[ObjectKind, TargetKind]]] = {
    "user": (ObjectKind.USER, TargetKind.USER),
    "inetOrgPerson": (ObjectKind.INET_ORG_PERSON, TargetKind.USER),
    "group": (ObjectKind.GROUP, TargetKind.GROUP),
}
_TARGETS: Final = {TargetKind.USER: "User", TargetKind.GROUP: "Group"}
"""Active Directory's classes begin in lower case and Entra ID's in capitals: it tells the direction."""


def interpret(schema: Mapping[str, Any]) -> Imported:
    """Say what a schema means here. Raises SchemaInvalid for one that holds no rules for Active Directory."""
    read = read_schema(schema)
    index = _rule(read)
    rule = read.synchronization_rules[index]
    notes: list[str] = []
    found: dict[ObjectKind, ImportedObject] = {}
    for place, mapping in enumerate(rule.object_mappings):
        kinds = _kinds(mapping)
        name = mapping.name or f"{mapping.source_object_name or '?'} to {mapping.target_object_name or '?'}"
        if kinds is None:
            reason = "Fourcheck provisions users and groups"
        elif kinds[0] in found:
            reason = "there is another for the same objects"
        else:
            reason = _unfit(mapping)
            if not reason:
                try:
                    found[kinds[0]] = _object(kinds[1], place, mapping, ScopeReader(rule))
                except ScopeUnclear as error:
                    reason = str(error)
        if reason and mapping.enabled:
            notes.append(f"“{name}” is not taken over: {reason}")
    objects = _by_target(found, notes)
    if not objects:
        because = "; ".join(notes) or "no mapping of users or groups is switched on"
        raise SchemaInvalid(f"Nothing in this schema can be taken over: {because}.")
    notes += [note for imported in objects.values() for note in imported.notes]
    others = len(read.synchronization_rules) - 1
    if others:
        notes.append(f"{others} other rule{'s are' if others > 1 else ' is'} not taken over")
    return Imported(index, rule.name or "unnamed", objects, tuple(dict.fromkeys(notes)))


def _rule(schema: Schema) -> int:
    """Return the place of the rule of the highest priority that is about users or groups of a directory."""
    fitting = [
        (rule.priority, index)
        for index, rule in enumerate(schema.synchronization_rules)
        if any(_kinds(mapping) for mapping in rule.object_mappings)
    ]
    if not fitting:
        raise SchemaInvalid("The schema has no mapping from users or groups of Active Directory to Entra ID.")
    return min(fitting)[1]


def _kinds(mapping: ObjectMapping) -> tuple[ObjectKind, TargetKind] | None:
    """Return what kind of object becomes what; None for anything but Active Directory's users and groups."""
    kinds = _SOURCES.get(mapping.source_object_name or "")
    return kinds if kinds is not None and mapping.target_object_name == _TARGETS[kinds[1]] else None


def _unfit(mapping: ObjectMapping) -> str:
    """Say why an object mapping cannot be taken over at all; empty when it can."""
    if not mapping.enabled:
        return "it is switched off"
    flows = {flow.strip().casefold() for flow in mapping.flow_types.split(",")}
    if not {"add", "update"} <= flows:
        return f"it is for {mapping.flow_types} only, and Fourcheck creates and updates alike"
    return ""


def _object(kind: TargetKind, place: int, mapping: ObjectMapping, scopes: ScopeReader) -> ImportedObject:
    scope = scopes.scope(mapping.scope)
    reader = MappingReader(kind)
    for index, given in enumerate(mapping.attribute_mappings):
        reader.read(index, given)
    added = anchor_and_needs(kind, reader.attributes)
    attributes = [*reader.attributes, *(attribute for attribute, _ in added)]
    match, match_added = reader.match(attributes)
    rules = doc.ObjectRules(
        scope=scope,
        match=match,
        attributes=attributes,
        members="add" if reader.members is not None else "none",
    )
    return ImportedObject(
        kind=kind,
        rules=rules,
        places=(Place(place, reader.places, reader.members),),
        added={attribute.target: because for attribute, because in added},
        left_out=tuple(reader.left_out),
        match_added=match_added,
        notes=(*scopes.notes, *reader.notes, *_about_groups(kind, scopes.rule)),
    )


def _about_groups(kind: TargetKind, rule: Rule) -> Sequence[str]:
    notes: list[str] = []
    groups = rule.group_filter.included_groups if rule.group_filter else []
    if groups and kind is TargetKind.GROUP:
        notes.append(
            "groups are in scope as members of the named groups; the named groups themselves are not"
        )
    if groups and rule.container_filter and rule.container_filter.included_containers:
        notes.append("containers and groups are both named; here an object must satisfy both")
    return notes


def _by_target(
    found: Mapping[ObjectKind, ImportedObject], notes: list[str]
) -> dict[TargetKind, ImportedObject]:
    """Put the rules of users and inetOrgPersons together where they are the same."""
    objects: dict[TargetKind, ImportedObject] = {}
    user, person = found.get(ObjectKind.USER), found.get(ObjectKind.INET_ORG_PERSON)
    if user is not None and person is not None and user.rules == person.rules:
        objects[TargetKind.USER] = replace(user, places=(*user.places, *person.places))
    elif user is not None:
        objects[TargetKind.USER] = _for(user, "user")
        if person is not None:
            notes.append("the rules for inetOrgPersons differ from those for users and are not taken over")
    elif person is not None:
        objects[TargetKind.USER] = _for(person, "inetOrgPerson")
    if ObjectKind.GROUP in found:
        objects[TargetKind.GROUP] = found[ObjectKind.GROUP]
    return objects


def _for(imported: ImportedObject, kind: str) -> ImportedObject:
    return replace(imported, rules=imported.rules.model_copy(update={"kinds": [kind]}))


def left_out(imported: Imported) -> Sequence[tuple[TargetKind, LeftOut]]:
    """Return every attribute mapping that is not taken over, with the kind of object it is for."""
    return [(kind, item) for kind, found in imported.objects.items() for item in found.left_out]
