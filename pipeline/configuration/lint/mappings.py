"""Mappings that cannot work, and mappings that are most likely not meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from pipeline import values
from pipeline.configuration import document as doc
from pipeline.configuration.lint.attributes import is_known, nearest
from pipeline.configuration.lint.lengths import longest
from pipeline.configuration.lint.report import Report
from pipeline.configuration.lint.scope import check_pattern
from pipeline.configuration.model import Apply, AttributeMapping, Configuration, ObjectRules
from pipeline.configuration.rules import KEYS, every_node
from pipeline.configuration.yaml_positions import Path
from pipeline.expressions import Expression, ExpressionError
from pipeline.expressions.functions import FUNCTIONS, find_form
from pipeline.expressions.nodes import Attribute, Call, Parameter, Text
from pipeline.expressions.state import parameter_key
from pipeline.facts import Writability, attributes, required_on_create, writability
from pipeline.model import TargetKind

_MADE_HERE: Final = frozenset({"passwordProfile"})
"""What the engine adds by itself."""
_MEMBERS: Final = frozenset({"members", "member"})
_UNMAPPED_KEYS: Final = {TargetKind.GROUP: frozenset({"uniqueName", "onPremisesSecurityIdentifier"})}
"""Matching attributes whose value the engine knows without a mapping."""
_KEEPS_LISTS: Final = frozenset({"trim", "tolower", "toupper", "removeduplicates", "left", "replace"})
_ONE_IN_PRACTICE: Final = frozenset({"description"})
"""Lists by schema, of which the directory takes one value for users and groups (MS-SAMR)."""
_IDENTIFIES: Final = frozenset({"userPrincipalName", "mailNickname"})
"""Names by which an object is known: cut shorter, they would name another."""


def check_rules(
    given: doc.ObjectRules,
    rules: ObjectRules,
    configuration: Configuration,
    known: Collection[str],
    report: Report,
) -> None:
    """Look at the mappings and matching attributes of one kind of object."""
    here: Path = ("objects", str(rules.kind))
    check = _Mappings(rules.kind, configuration, known, report)
    mapped: set[str] = set()
    for index, attribute in enumerate(given.attributes):
        path = (*here, "attributes", index)
        check.target(attribute, path)
        mapping = rules.mapping(attribute.target)
        if mapping is not None and attribute.target not in mapped:
            check.mapping(attribute, mapping, path)
        mapped.add(attribute.target)
    for target in required_on_create(rules.kind):
        if target not in mapped | _MADE_HERE:
            message = (
                f"“{target}” is not mapped, and Entra ID creates no {rules.kind} without it; add a mapping"
            )
            report.error((*here, "attributes"), "missing-required-target", message)
    _check_match(given.match, mapped, rules.kind, report, (*here, "match"))
    for set_name, filters in (("filters", given.scope.filters), ("input_filters", given.scope.input_filters)):
        for index, scope_filter in enumerate(filters):
            for number, clause in enumerate(scope_filter.all):
                path = (*here, "scope", set_name, index, "all", number, "attribute")
                check.attribute(clause.attribute, path)


def _check_match(
    match: Sequence[str], mapped: AbstractSet[str], kind: TargetKind, report: Report, here: Path
) -> None:
    for index, target in enumerate(match):
        if target in match[:index]:
            report.warn((*here, index), "repeated-clause", f"“{target}” is tried already; take it away")
        elif target in KEYS[kind] and target not in mapped | _UNMAPPED_KEYS.get(kind, frozenset()):
            message = f"“{target}” is a matching attribute, and no mapping makes it; map it or take it away"
            report.error((*here, index), "match-not-mapped", message)


def _no_such_target(kind: TargetKind, target: str) -> str:
    names = list(attributes(kind))
    same = [name for name in names if name.casefold() == target.casefold()]
    near = same or difflib.get_close_matches(target, names, n=1, cutoff=0.7)
    hint = f"; did you mean “{near[0]}”" if near else "; look it up in the reference of Microsoft Graph"
    return f"Microsoft Graph's {kind}s have no attribute “{target}”{hint}"


class _Mappings:
    def __init__(
        self, kind: TargetKind, configuration: Configuration, known: Collection[str], report: Report
    ) -> None:
        self._kind = kind
        self._parameters = {parameter_key(name) for name in configuration.parameters}
        self._privacy = configuration.privacy
        self._known = {name.casefold() for name in known}
        self._report = report

    def target(self, attribute: doc.Attribute, path: Path) -> None:
        """Look at whether, and when, the target can be written."""
        target, here = attribute.target, (*path, "target")
        fact = writability(self._kind, target)
        if target in _MEMBERS:
            message = "members are no attribute: write `members: add` beside the attributes"
            self._report.error(here, "unwritable-target", message)
        elif target in _MADE_HERE:
            message = "the first password is made here, and never known to anybody; take the mapping away"
            self._report.error(here, "unwritable-target", message)
        elif not fact.known:
            self._report.error(here, "unknown-target", _no_such_target(self._kind, target))
        elif fact.type.startswith("object"):
            message = f"“{target}” is made of several attributes; map them one by one, as in {target}.…"
            self._report.error(here, "unwritable-target", message)
        elif not (fact.on_create or fact.on_update):
            reason = fact.reason or "It is not written by Graph clients."
            message = f"“{target}” cannot be written: {reason} Take the mapping away"
            self._report.error(here, "unwritable-target", message)
        elif fact.on_create and not fact.on_update and attribute.apply == "always":
            message = f"“{target}”: {fact.reason} Say so with apply: on_create"
            self._report.note(here, "create-only", message)

    def mapping(self, attribute: doc.Attribute, mapping: AttributeMapping, path: Path) -> None:
        """Look at what the target is made of."""
        fact = writability(self._kind, mapping.target)
        for key in ("constant", "default"):
            self._fixed_value(getattr(attribute, key), fact, (*path, key))
        expression = mapping.expression
        if expression is None:
            return
        here = (*path, "source" if attribute.source is not None else "expression")
        self._nodes(expression, here)
        if not (fact.on_create or fact.on_update):
            return  # whatever it is made of
        self._source(expression, fact, here)
        self._length(expression, fact, here)
        if not expression.deterministic and mapping.apply is not Apply.ON_CREATE:
            message = f"“{mapping.target}” gets another value at each run; add apply: on_create"
            self._report.warn(here, "changes-every-time", message)

    def attribute(self, name: str, path: Path, *, within: tuple[str, int] | None = None) -> None:
        """Look at whether the directory has an attribute."""
        if is_known(name) or name.casefold() in self._known or not self._privacy.may_read(name):
            return
        near = nearest(name)
        hint = f" Did you mean “{near}”?" if near else ""
        message = (
            f"Active Directory's schema has no attribute “{name}”.{hint} If yours has been given it, list "
            "it under known_attributes"
        )
        self._report.warn(path, "unknown-attribute", message, within=within)

    def _fixed_value(self, value: object, fact: Writability, path: Path) -> None:
        for text in value if isinstance(value, list) else [value]:
            limit = fact.max_length
            if isinstance(text, str) and limit is not None and len(text) > limit:
                message = f"it has {len(text)} characters, and Entra ID takes {limit}; shorten it"
                self._report.error(path, "constant-refused", message)

    def _nodes(self, expression: Expression, path: Path) -> None:
        for node in every_node(expression.node):
            place = (expression.text, node.span.start)
            if isinstance(node, Attribute):
                self.attribute(node.name, path, within=place)
            elif isinstance(node, Parameter) and parameter_key(node.name) not in self._parameters:
                message = f"%{node.name}% is not set; add it under parameters"
                self._report.error(path, "unknown-parameter", message, within=place)
            elif isinstance(node, Call):
                for pattern in _patterns(node, expression):
                    place = (expression.text, pattern.span.start)
                    check_pattern(pattern.value, path, self._report, anchors=False, within=place)

    def _source(self, expression: Expression, fact: Writability, path: Path) -> None:
        node = expression.node
        if fact.attribute == "manager":
            if not (isinstance(node, Attribute) and node.folded == "manager"):
                message = "only the directory's own manager can be linked; write source: manager"
                self._report.warn(path, "manager-source", message)
            return
        if isinstance(node, Attribute) and fact.type == "boolean":
            if values.syntax(node.name) not in {values.BOOLEAN, values.TEXT}:
                message = (
                    f"“{node.name}” never is true or false, and “{fact.attribute}” takes nothing else; "
                    "test it in an expression such as IIF(BitAnd([userAccountControl], 2) = 0, True, False)"
                )
                self._report.warn(path, "not-true-or-false", message)
        elif not fact.collection and (name := _list_in(expression)) is not None:
            message = (
                f"“{name}” can hold several values, and “{fact.attribute}” takes one; pick one with "
                f"Item([{name}], 1) or bring them together with Join"
            )
            self._report.warn(path, "several-values", message)

    def _length(self, expression: Expression, fact: Writability, path: Path) -> None:
        limit, length = fact.max_length, longest(expression.node)
        if limit is None or length is None or length <= limit:
            return
        message = f"it can have {length:,} characters, and Entra ID takes {limit:,} for “{fact.attribute}”"
        if fact.attribute in _IDENTIFIES:
            self._report.note(path, "too-long", f"{message}; longer ones are refused for that object")
        else:
            message = f"{message}; cut it with Left({expression}, {limit})"
            self._report.warn(path, "too-long", message)


def _patterns(call: Call, expression: Expression) -> Iterator[Text]:
    """Yield the arguments of a call that are regular expressions."""
    function = FUNCTIONS.get(call.folded)
    if function is None:
        return
    try:
        form, fitted = find_form(function, call, expression.dialect)
    except ExpressionError:
        return
    for index, argument in enumerate(fitted.arguments):
        if isinstance(argument, Text) and "pattern" in form.parameter(index).name.casefold():
            yield argument


def _list_in(expression: Expression) -> str | None:
    """Return the attribute that may hold several values and comes through the expression as it is."""
    node = expression.node
    while isinstance(node, Call) and node.folded in _KEEPS_LISTS and node.arguments[0] is not None:
        node = node.arguments[0]
    if isinstance(node, Attribute) and node.folded not in _ONE_IN_PRACTICE and values.is_multiple(node.name):
        return node.name
    return None
