"""From a configuration back to a schema: the schema it came from, changed where the rules were changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.configuration import document as doc
from pipeline.configuration.digest import canonical_expression
from pipeline.configuration.graph_schema.importing import interpret
from pipeline.configuration.graph_schema.model import ImportedObject, Place, SchemaInvalid
from pipeline.configuration.graph_schema.names import own_name
from pipeline.configuration.graph_schema.scopes import has_exclusions, is_exclusion
from pipeline.configuration.graph_schema.sources import write_attribute, write_constant, write_expression
from pipeline.configuration.graph_schema.wire import FilterGroup, Json
from pipeline.expressions import ExpressionError
from pipeline.expressions.parser import parse
from pipeline.model import TargetKind

_FLOWS: Final = {
    "always": "Always",
    "on_create": "ObjectAddOnly",
    "multi_value_add": "MultiValueAddOnly",
}
_SOURCE_NAMES: Final = {TargetKind.USER: ("user", "User"), TargetKind.GROUP: ("group", "Group")}


@dataclass(slots=True)
class Exported:
    """A schema, and what of the configuration it cannot say."""

    schema: Json
    notes: list[str] = field(default_factory=list)


def export_schema(document: doc.ConfigurationDocument) -> Exported:
    """Return the schema that says what the configuration says.

    What the rules do not change is left as it was, unknown fields included. Raises SchemaInvalid where the
    kept schema is none.
    """
    schema = _original(document)
    imported = interpret(schema)
    exported = Exported(copy.deepcopy(dict(schema)))
    rule = exported.schema["synchronizationRules"][imported.rule]
    kinds = {TargetKind.USER: document.objects.user, TargetKind.GROUP: document.objects.group}
    for kind, rules in kinds.items():
        before = imported.objects.get(kind)
        if before is None or rules is None:
            if (before is None) != (rules is None):
                exported.notes.append(f"the rules for {kind}s are on one side only and were not exported")
            continue
        for place in before.places:
            mapping = rule["objectMappings"][place.mapping]
            _Patch(kind, before, rules, place, exported.notes).apply(mapping)
    _write_places(rule, document, imported.objects, exported.notes)
    return exported


def _original(document: doc.ConfigurationDocument) -> Mapping[str, Any]:
    kept = document.kept.graph_schema
    if kept is None:
        return _skeleton(document)
    try:
        schema = json.loads(kept)
    except ValueError as error:
        raise SchemaInvalid(f"The schema that the configuration keeps is no JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise SchemaInvalid("The schema that the configuration keeps is no JSON object.")
    return schema


def _skeleton(document: doc.ConfigurationDocument) -> Json:
    """Return a schema without any rules of its own, for a configuration that came from nowhere."""
    kinds = [TargetKind.USER] if document.objects.user else []
    kinds += [TargetKind.GROUP] if document.objects.group else []
    mappings: list[Json] = [
        {
            "enabled": True,
            "flowTypes": "Add,Update,Delete",
            "name": f"Provision Active Directory {kind}s",
            "sourceObjectName": _SOURCE_NAMES[kind][0],
            "targetObjectName": _SOURCE_NAMES[kind][1],
            "attributeMappings": [],
            "metadata": [],
            "scope": None,
        }
        for kind in kinds
    ]
    rule = {
        "editable": True,
        "name": document.name,
        "priority": 1,
        "sourceDirectoryName": "Active Directory",
        "targetDirectoryName": "Microsoft Entra ID",
        "metadata": [],
        "objectMappings": mappings,
    }
    return {"synchronizationRules": [rule], "directories": []}


@dataclass(slots=True)
class _Patch:
    """Changes one object mapping to say what the rules say now."""

    kind: TargetKind
    before: ImportedObject
    rules: doc.ObjectRules
    place: Place
    notes: list[str]

    def apply(self, mapping: Json) -> None:
        """Change the mapping in place."""
        entries: list[Json] = list(mapping.get("attributeMappings") or [])
        kept = dict(self.place.targets)
        gone: set[int] = set()
        was = {attribute.target: attribute for attribute in self.before.rules.attributes}
        now = {attribute.target: attribute for attribute in self.rules.attributes}
        for target, attribute in now.items():
            if target in was and _same(was[target], attribute):
                continue
            index = kept.get(target)
            entry = self._entry(attribute, entries[index] if index is not None else {})
            if entry is not None and index is not None:
                entries[index] = entry
            elif entry is not None:
                kept[target] = len(entries)
                entries.append(entry)
        gone |= {index for target, index in kept.items() if target not in now}
        gone |= self._members(entries)
        if self.rules.match != self.before.rules.match:
            self._match(entries, kept)
        if gone or entries != (mapping.get("attributeMappings") or []):
            mapping["attributeMappings"] = [e for index, e in enumerate(entries) if index not in gone]
        self._scope(mapping)

    def _entry(self, attribute: doc.Attribute, before: Json) -> Json | None:
        try:
            source = self._source(attribute)
        except ValueError as error:
            self.notes.append(f"{attribute.target}: {error}; it was not exported")
            return None
        entry = {
            "defaultValue": None,
            "exportMissingReferences": False,
            "flowBehavior": "FlowWhenChanged",
            "flowType": "Always",
            "matchingPriority": 0,
            "targetAttributeName": own_name(self.kind, attribute.target),
            "source": None,
            **before,
        }
        entry["source"] = source
        entry["flowType"] = _FLOWS[attribute.apply]
        entry["defaultValue"] = None if attribute.default is None else _text(attribute.default)
        return entry

    def _source(self, attribute: doc.Attribute) -> Json | None:
        text = attribute.expression or (f"[{attribute.source}]" if attribute.source is not None else None)
        if text is not None and attribute.null == "ignore":
            text = f"IgnoreFlowIfNullOrEmpty({text})"
        if text is None:
            if isinstance(attribute.constant, list):
                raise ValueError("a schema has no constant of several values")
            return None if attribute.constant is None else write_constant(_text(attribute.constant))
        if attribute.source is not None and attribute.null == "clear":
            return write_attribute(attribute.source)
        source, complete = write_expression(text)
        if not complete:
            self.notes.append(
                f"{attribute.target}: have Graph itself take the expression apart "
                "(POST …/schema/parseExpression) before you send the schema"
            )
        return source

    def _members(self, entries: list[Json]) -> set[int]:
        index = self.place.members
        if self.rules.members == "none":
            return set() if index is None else {index}
        if index is None and self.kind is TargetKind.GROUP:
            entries.append(
                {
                    "defaultValue": None,
                    "exportMissingReferences": False,
                    "flowBehavior": "FlowWhenChanged",
                    "flowType": "Always",
                    "matchingPriority": 0,
                    "targetAttributeName": "Member",
                    "source": write_attribute("member"),
                }
            )
        return set()

    def _match(self, entries: list[Json], places: Mapping[str, int]) -> None:
        for entry in entries:
            entry["matchingPriority"] = 0
        for priority, target in enumerate(self.rules.match, 1):
            if target in places:
                entries[places[target]]["matchingPriority"] = priority
            else:
                self.notes.append(f"{target} is a matching attribute without a mapping, which a schema needs")

    # -- scope -------------------------------------------------------------------------------------------

    def _scope(self, mapping: Json) -> None:
        was, now = self.before.rules.scope, self.rules.scope
        if was.filters == now.filters and was.input_filters == now.input_filters:
            return
        scope: Json = {"groups": [], "inputFilterGroups": [], "categoryFilterGroups": []}
        scope.update(mapping.get("scope") or {})
        if was.filters != now.filters:
            scope["groups"] = [_group(f) for f in now.filters]
        if was.input_filters != now.input_filters:
            scope["inputFilterGroups"] = _input_groups(scope.get("inputFilterGroups") or [], now)
        mapping["scope"] = scope


def _input_groups(before: list[Json], scope: doc.Scope) -> list[Json]:
    """Return the input filters, each behind the service's own exclusions where those were there."""
    exclusions: list[Json] = []
    name = None
    for group in before:
        read = FilterGroup.model_validate(group)
        own = [
            clause
            for clause, parsed in zip(group.get("clauses") or [], read.clauses, strict=True)
            if is_exclusion(read, parsed)
        ]
        if own:
            exclusions, name = own, group.get("name")
            break
    groups = [_group(f) for f in scope.input_filters]
    if not exclusions:
        return groups
    for group in groups:
        group["clauses"] = [*exclusions, *group["clauses"]]
        if not has_exclusions(group["name"]):
            group["name"] = f"{name}.{group['name']}"
    return groups or [{"name": name, "clauses": exclusions}]


def _group(given: doc.Filter) -> Json:
    return {"name": given.name, "clauses": [_clause(clause) for clause in given.all]}


def _clause(clause: doc.Clause) -> Json:
    values = clause.value if isinstance(clause.value, list) else [clause.value]
    wanted = [_text(value) for value in values if value is not None]
    return {
        "sourceOperandName": clause.attribute,
        "operatorName": clause.operator,
        "targetOperand": {"values": wanted} if wanted else None,
    }


def _write_places(
    rule: Json,
    document: doc.ConfigurationDocument,
    before: Mapping[TargetKind, ImportedObject],
    notes: list[str],
) -> None:
    """Write the containers and groups, of which a schema has one list for all kinds of object."""
    rules = [r for r in (document.objects.user, document.objects.group) if r is not None]
    for outer, inner, read in (
        ("containerFilter", "includedContainers", lambda scope: scope.organizational_units),
        ("groupFilter", "includedGroups", lambda scope: [group.dn for group in scope.groups]),
    ):
        if inner == "includedGroups" and any(group.nested for r in rules for group in r.scope.groups):
            notes.append(f"{outer}: the service takes direct members only; nested: true was left out")
        was = [read(imported.rules.scope) for imported in before.values()]
        now = [read(r.scope) for r in rules]
        if now == was:
            continue
        if any(names != now[0] for names in now):
            notes.append(f"{outer}: a schema has one list for all kinds of object; that of users was written")
        rule[outer] = {**(rule.get(outer) or {}), inner: list(now[0])}


def _same(one: doc.Attribute, other: doc.Attribute) -> bool:
    return _meaning(one) == _meaning(other)


def _meaning(attribute: doc.Attribute) -> tuple[object, ...]:
    text = attribute.expression or (f"[{attribute.source}]" if attribute.source is not None else None)
    if text is not None:
        try:
            text = canonical_expression(parse(text))
        except ExpressionError:
            text = text.strip()
    constant = attribute.constant
    fixed = tuple(constant) if isinstance(constant, list) else None if constant is None else _text(constant)
    default = None if attribute.default is None else _text(attribute.default)
    return text, fixed, default, attribute.apply, attribute.null


def _text(value: object) -> str:
    return str(value)
