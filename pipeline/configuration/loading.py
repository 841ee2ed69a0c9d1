"""From a file to a configuration: every problem is found in one go and named with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from pipeline.configuration import document as doc
from pipeline.configuration import model
from pipeline.configuration.privacy import SECRETS, privacy
from pipeline.configuration.yaml_positions import Path as YamlPath
from pipeline.configuration.yaml_positions import Positioned, Problem, read_yaml
from pipeline.dn import DistinguishedName
from pipeline.dn import parse as parse_dn
from pipeline.errors import ConfigurationInvalid, RequestError
from pipeline.expressions import Dialect, Expression, ExpressionError, compile_expression
from pipeline.filters import FilterError, ScopeClause, ScopeFilter, scope_clause
from pipeline.model import TargetKind


def load_configuration(path: Path) -> model.Configuration:
    """Read one configuration file. Raises ConfigurationInvalid naming the file and every problem's line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{path}: cannot be read: {error}") from error
    configuration, problems = parse_configuration(text)
    if configuration is None:
        lines = "\n".join(f"{path}: {problem}" for problem in problems)
        raise ConfigurationInvalid(lines)
    return configuration


def parse_configuration(text: str) -> tuple[model.Configuration | None, tuple[Problem, ...]]:
    """Parse a configuration; where there are problems, there is no configuration."""
    source = read_yaml(text)
    if source.problems:
        return None, _ordered(source.problems)
    try:
        document = doc.ConfigurationDocument.model_validate(source.data)
    except ValidationError as error:
        return None, _ordered(_validation_problems(error, source))
    reader = _Reader(document, source)
    configuration = reader.configuration()
    return (None if source.problems else configuration), _ordered(source.problems)


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda p: (p.line, p.column)))


def _validation_problems(error: ValidationError, source: Positioned) -> list[Problem]:
    seen: dict[tuple[YamlPath, str], Problem] = {}
    for item in error.errors():
        # a union's branches add their type names to the path: positions only know the file's own keys
        path = tuple(part for part in item["loc"] if (*_upto(item["loc"], part),) in source.positions)
        name = item["loc"][-1] if item["loc"] else ""
        message = {
            "extra_forbidden": f"there is no setting “{name}” here",
            "missing": f"“{name}” is missing",
        }.get(item["type"], f"“{name}”: {item['msg'][0].lower()}{item['msg'][1:]}")
        seen[path, message] = source.problem(path, message)
    return list(seen.values())


def _upto(path: YamlPath, part: str | int) -> YamlPath:
    return path[: path.index(part) + 1]


class _Reader:
    """Gives a parsed document its meaning, collecting problems as it goes."""

    def __init__(self, document: doc.ConfigurationDocument, source: Positioned) -> None:
        self._document = document
        self._source = source
        self._dialect = Dialect(document.dialect)
        self._privacy = privacy(document.privacy.hidden, document.privacy.private)

    def configuration(self) -> model.Configuration:
        document = self._document
        self._refuse_shown_secrets()
        objects: dict[TargetKind, model.ObjectRules] = {}
        for kind, rules in (
            (TargetKind.USER, document.objects.user),
            (TargetKind.GROUP, document.objects.group),
        ):
            if rules is not None:
                objects[kind] = self._rules(kind, rules)
        access = {
            right: model.Grant(frozenset(grant.people), frozenset(grant.channels))
            for right, grant in (
                (model.Right.LOOK, document.access.look),
                (model.Right.PREVIEW, document.access.preview),
                (model.Right.PROVISION, document.access.provision),
            )
        }
        return model.Configuration(
            name=document.name,
            default=document.default,
            directory=document.directory,
            base=self._dn(document.base, ("base",)),
            dialect=self._dialect,
            parameters=dict(document.parameters),
            access=access,
            privacy=self._privacy,
            objects=objects,
            guards=model.Guards(document.guards.allow_create_in_synced_tenant),
            digest=_digest(document, objects),
        )

    def _refuse_shown_secrets(self) -> None:
        for index, name in enumerate(self._document.privacy.private):
            if name.startswith("-") and name[1:].casefold() in SECRETS:
                self._problem(("privacy", "private", index), f"“{name[1:]}” holds a secret and is never read")

    def _rules(self, kind: TargetKind, rules: doc.ObjectRules) -> model.ObjectRules:
        here: YamlPath = ("objects", str(kind))
        scope = model.Scope(
            organizational_units=self._dns(
                rules.scope.organizational_units, (*here, "scope", "organizational_units")
            ),
            groups=self._dns(rules.scope.groups, (*here, "scope", "groups")),
            filters=tuple(
                self._filter(f, (*here, "scope", "filters", index))
                for index, f in enumerate(rules.scope.filters)
            ),
        )
        mappings = self._mappings(rules, here)
        members = model.Members(rules.members)
        if members is not model.Members.NONE and kind is not TargetKind.GROUP:
            self._problem((*here, "members"), "only groups have members")
        return model.ObjectRules(kind, scope, tuple(rules.match), mappings, members)

    def _mappings(self, rules: doc.ObjectRules, here: YamlPath) -> tuple[model.AttributeMapping, ...]:
        targets: set[str] = set()
        mappings: list[model.AttributeMapping] = []
        for index, attribute in enumerate(rules.attributes):
            path = (*here, "attributes", index)
            if attribute.target in targets:
                self._problem((*path, "target"), f"“{attribute.target}” is mapped twice")
            targets.add(attribute.target)
            mapping = self._mapping(attribute, path)
            if mapping is not None:
                mappings.append(mapping)
        return tuple(mappings)

    def _mapping(self, attribute: doc.Attribute, path: YamlPath) -> model.AttributeMapping | None:
        given = [key for key in ("source", "expression", "constant") if getattr(attribute, key) is not None]
        if len(given) != 1:
            self._problem(path, f"“{attribute.target}” needs exactly one of source, expression and constant")
            return None
        expression: Expression | None = None
        text = str(attribute.constant)
        if attribute.constant is None:
            text = attribute.expression or f"[{attribute.source}]"
            expression = self._expression(text, (*path, given[0]))
            if expression is None:
                return None
            self._refuse_hidden(expression.attributes, (*path, given[0]))
        constant = attribute.constant
        return model.AttributeMapping(
            target=attribute.target,
            text=text,
            expression=expression,
            constant=tuple(constant) if isinstance(constant, list) else constant,
            apply=model.Apply(attribute.apply),
            default=attribute.default,
        )

    def _expression(self, text: str, path: YamlPath) -> Expression | None:
        try:
            return compile_expression(text, self._dialect)
        except ExpressionError as error:
            self._problem(path, str(error))
            return None

    def _refuse_hidden(self, attributes: Iterable[str], path: YamlPath) -> None:
        for name in sorted(attributes):
            if not self._privacy.may_read(name):
                self._problem(path, f"“{name}” is hidden and never read, so nothing can be made from it")

    def _filter(self, scope_filter: doc.Filter, path: YamlPath) -> ScopeFilter:
        clauses: list[ScopeClause] = []
        for index, clause in enumerate(scope_filter.all):
            here = (*path, "all", index)
            values = clause.value if isinstance(clause.value, list) else [clause.value]
            wanted = [str(value) for value in values if value is not None]
            self._refuse_hidden([clause.attribute], (*here, "attribute"))
            try:
                clauses.append(scope_clause(clause.attribute, clause.operator, wanted))
            except FilterError as error:
                self._problem((*here, "operator"), str(error))
        return ScopeFilter(scope_filter.name, tuple(clauses))

    def _dns(self, texts: list[str], path: YamlPath) -> tuple[DistinguishedName, ...]:
        return tuple(self._dn(text, (*path, index)) for index, text in enumerate(texts))

    def _dn(self, text: str, path: YamlPath) -> DistinguishedName:
        try:
            return parse_dn(text)
        except RequestError as error:
            self._problem(path, error.message)
            return parse_dn("DC=invalid")

    def _problem(self, path: YamlPath, message: str) -> None:
        self._source.problems.append(self._source.problem(path, message))


def _digest(document: doc.ConfigurationDocument, objects: dict[TargetKind, model.ObjectRules]) -> str:
    """Digest the meaning: defaults filled in, expressions in their printed form, keys in one order."""
    meaning = document.model_dump(mode="json")
    for kind, rules in objects.items():
        printed = {m.target: str(m.expression) for m in rules.mappings if m.expression is not None}
        attributes = meaning["objects"][str(kind)]["attributes"]
        for attribute in attributes:
            if attribute["target"] in printed:
                attribute |= {"source": None, "expression": printed[attribute["target"]]}
        attributes.sort(key=lambda a: a["target"])
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
