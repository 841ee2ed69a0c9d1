"""The rules for one kind of object, given their meaning: names parsed, expressions compiled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pipeline.configuration import document as doc
from pipeline.configuration import model
from pipeline.configuration.privacy import Privacy
from pipeline.configuration.target_values import target_value
from pipeline.configuration.yaml_positions import Path, Positioned
from pipeline.dn import DistinguishedName
from pipeline.dn import parse as parse_dn
from pipeline.errors import RequestError
from pipeline.expressions import (
    Dialect,
    Expression,
    ExpressionError,
    ExpressionSyntaxError,
    compile_expression,
)
from pipeline.expressions.functions import FUNCTIONS, find_form
from pipeline.expressions.nodes import Call, Node, children
from pipeline.expressions.parser import parse
from pipeline.expressions.signature import Function
from pipeline.facts import writability
from pipeline.filters import FilterError, Operator, ScopeClause, ScopeFilter, scope_clause
from pipeline.model import ObjectKind, TargetKind, TargetValue

_OPERATORS: Final = frozenset(operator.value for operator in Operator)
_PATTERNS: Final = frozenset({Operator.REGEX_MATCH.value, Operator.NOT_REGEX_MATCH.value})


KEYS: Final = {
    TargetKind.USER: ("onPremisesImmutableId", "userPrincipalName", "mail", "employeeId", "mailNickname"),
    TargetKind.GROUP: ("onPremisesSecurityIdentifier", "uniqueName"),
}
"""The cloud attributes by which an object may be recognised.

Source: Microsoft Entra Connect, page "Install with an existing tenant"; Microsoft Graph, resource "group":
nothing but these two belongs to one group alone.
"""


class RulesReader:
    """Gives the parsed rules their meaning; what is wrong with them is added to the source's problems."""

    def __init__(self, source: Positioned, dialect: Dialect, privacy: Privacy) -> None:
        self._source = source
        self._dialect = dialect
        self._privacy = privacy

    def rules(self, kind: TargetKind, rules: doc.ObjectRules) -> model.ObjectRules:
        """Return the rules for a kind of object, without what is wrong in them."""
        here: Path = ("objects", str(kind))
        members = model.Members(rules.members)
        if members is not model.Members.NONE and kind is not TargetKind.GROUP:
            self._problem((*here, "members"), "only groups have members", "members-of-user")
        self._check_keys(kind, rules.match, (*here, "match"))
        return model.ObjectRules(
            kind=kind,
            scope=self._scope(rules.scope, (*here, "scope")),
            match=tuple(rules.match),
            mappings=self._mappings(kind, rules, (*here, "attributes")),
            members=members,
            kinds=self._kinds(kind, rules, (*here, "kinds")),
        )

    def _check_keys(self, kind: TargetKind, keys: Sequence[str], here: Path) -> None:
        """Refuse keys that do not tell one object from another, such as a name that many may have."""
        possible = KEYS[kind]
        for index, key in enumerate(keys):
            if key not in possible:
                message = f"“{key}” does not identify a {kind}; use {', '.join(possible)}"
                self._problem((*here, index), message, "weak-key")

    def _kinds(self, kind: TargetKind, rules: doc.ObjectRules, here: Path) -> frozenset[ObjectKind]:
        possible = frozenset(k for k in ObjectKind if k.rules == str(kind) and k is not ObjectKind.CONTACT)
        if rules.kinds is None:
            return possible
        for index, name in enumerate(rules.kinds):
            if ObjectKind(name) not in possible:
                known = " and ".join(sorted(possible))
                message = f"rules for a {kind} are for {known} only"
                self._problem((*here, index), message, "wrong-value")
        return frozenset(map(ObjectKind, rules.kinds)) & possible

    # -- scope -------------------------------------------------------------------------------------------

    def _scope(self, scope: doc.Scope, here: Path) -> model.Scope:
        groups = [
            (dn, group.nested)
            for index, group in enumerate(scope.groups)
            for dn in self._dn(group.dn, (*here, "groups", index))
        ]
        if groups:
            self._refuse_hidden(["memberOf"], (*here, "groups"))
        return model.Scope(
            organizational_units=tuple(
                dn
                for index, text in enumerate(scope.organizational_units)
                for dn in self._dn(text, (*here, "organizational_units", index))
            ),
            groups=tuple(dn for dn, _ in groups),
            filters=self._filters(scope.filters, (*here, "filters")),
            input_filters=self._filters(scope.input_filters, (*here, "input_filters")),
            nested_groups=frozenset(dn for dn, nested in groups if nested),
        )

    def _filters(self, filters: Sequence[doc.Filter], here: Path) -> tuple[ScopeFilter, ...]:
        return tuple(
            ScopeFilter(
                f.name,
                tuple(
                    clause
                    for number, given in enumerate(f.all)
                    for clause in self._clause(given, (*here, index, "all", number))
                ),
            )
            for index, f in enumerate(filters)
        )

    def _clause(self, clause: doc.Clause, here: Path) -> tuple[ScopeClause, ...]:
        given = clause.value if isinstance(clause.value, list) else [clause.value]
        wanted = [str(value) for value in given if value is not None]
        self._refuse_hidden([clause.attribute], (*here, "attribute"))
        try:
            return (scope_clause(clause.attribute, clause.operator, wanted),)
        except FilterError as error:
            name = " ".join(clause.operator.replace("_", " ").upper().split())
            code, key = "wrong-operand", "value"
            if name not in _OPERATORS:
                code, key = "unknown-operator", "operator"
            elif name in _PATTERNS and len(wanted) == 1:
                code = "bad-pattern"
            self._problem((*here, key), str(error), code)
            return ()

    # -- mappings ----------------------------------------------------------------------------------------

    def _mappings(
        self, kind: TargetKind, rules: doc.ObjectRules, here: Path
    ) -> tuple[model.AttributeMapping, ...]:
        targets: set[str] = set()
        mappings: list[model.AttributeMapping] = []
        for index, attribute in enumerate(rules.attributes):
            path = (*here, index)
            if attribute.target in targets:
                message = f"“{attribute.target}” is mapped twice; keep one of the two"
                self._problem((*path, "target"), message, "duplicate-target")
            targets.add(attribute.target)
            mapping = self._mapping(kind, attribute, path)
            if mapping is not None:
                mappings.append(mapping)
        return tuple(mappings)

    def _mapping(
        self, kind: TargetKind, attribute: doc.Attribute, path: Path
    ) -> model.AttributeMapping | None:
        given = [key for key in ("source", "expression", "constant") if getattr(attribute, key) is not None]
        if len(given) > 1 or (not given and attribute.default is None):
            message = f"“{attribute.target}” needs exactly one of source, expression and constant"
            self._problem(path, message, "one-source")
            return None
        expression: Expression | None = None
        text = "" if attribute.constant is None else str(attribute.constant)
        if attribute.source is not None or attribute.expression is not None:
            text = attribute.expression or f"[{attribute.source}]"
            expression = self._expression(text, (*path, given[0]))
            if expression is None:
                return None
            self._refuse_hidden(expression.attributes, (*path, given[0]))
        apply = model.Apply(attribute.apply)
        if apply is model.Apply.MULTI_VALUE_ADD and not writability(kind, attribute.target).collection:
            message = f"“{attribute.target}” holds one value, and multi_value_add is for lists"
            self._problem((*path, "apply"), message, "wrong-value")
        return model.AttributeMapping(
            target=attribute.target,
            text=text,
            expression=expression,
            constant=self._value(kind, attribute, "constant", path),
            apply=apply,
            default=self._value(kind, attribute, "default", path),
            null=model.Null(attribute.null),
            only_fills=not given,
        )

    def _value(self, kind: TargetKind, attribute: doc.Attribute, key: str, path: Path) -> TargetValue:
        given = getattr(attribute, key)
        try:
            return target_value(kind, attribute.target, given) if given is not None else None
        except ValueError as error:
            message = f"“{attribute.target}”: {key} {error}"
            self._problem((*path, key), message, "wrong-value")
            return None

    def _expression(self, text: str, path: Path) -> Expression | None:
        try:
            return compile_expression(text, self._dialect)
        except ExpressionError as error:
            problem = self._source.problem(
                path,
                str(error),
                expression_code(text, self._dialect, error),
                within=(text, error.position.offset),
            )
            self._source.problems.append(problem)
            return None

    # -- the small things --------------------------------------------------------------------------------

    def _refuse_hidden(self, attributes: Iterable[str], path: Path) -> None:
        for name in sorted(attributes):
            if not self._privacy.may_read(name):
                message = f"“{name}” is hidden and never read, so nothing can be made from it"
                self._problem(path, message, "hidden-attribute")

    def _dn(self, text: str, path: Path) -> tuple[DistinguishedName, ...]:
        try:
            return (parse_dn(text),)
        except RequestError as error:
            self._problem(path, error.message.rstrip("."), "bad-dn")
            return ()

    def _problem(self, path: Path, message: str, code: str) -> None:
        self._source.problems.append(self._source.problem(path, message, code))


def expression_code(text: str, dialect: Dialect, error: ExpressionError) -> str:
    """Return the stable code of what is wrong with an expression."""
    if isinstance(error, ExpressionSyntaxError):
        return "expression-syntax"
    for call in (node for node in every_node(parse(text)) if isinstance(node, Call)):
        if call.span.position != error.position:
            continue
        function = FUNCTIONS.get(call.folded)
        if function is None or not function.forms_of(dialect):
            return "unknown-function"
        if not _fits(function, call, dialect):
            return "wrong-arity"
    return "expression"


def _fits(function: Function, call: Call, dialect: Dialect) -> bool:
    try:
        find_form(function, call, dialect)
    except ExpressionError:
        return False
    return True


def every_node(node: Node) -> Iterator[Node]:
    """Yield a node of an expression and everything below it, from left to right."""
    yield node
    for part in children(node):
        yield from every_node(part)
