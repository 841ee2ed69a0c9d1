"""Conditions that contradict each other, repeat each other, or can never decide anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.configuration import document as doc
from pipeline.configuration.lint.explosive import is_explosive
from pipeline.configuration.lint.report import Report
from pipeline.configuration.loading import UNUSABLE
from pipeline.configuration.model import Configuration
from pipeline.configuration.yaml_positions import Path
from pipeline.dn import DistinguishedName
from pipeline.dn import parse as parse_dn
from pipeline.errors import RequestError
from pipeline.expressions import ExpressionError
from pipeline.filters import FilterError, Operator, ScopeClause, scope_clause

_PATTERNS: Final = frozenset({Operator.REGEX_MATCH, Operator.NOT_REGEX_MATCH})
_OPPOSITES: Final = frozenset(
    frozenset(pair)
    for pair in (
        (Operator.EQUALS, Operator.NOT_EQUALS),
        (Operator.REGEX_MATCH, Operator.NOT_REGEX_MATCH),
        (Operator.IS_TRUE, Operator.IS_FALSE),
        (Operator.IN, Operator.NOT_IN),
    )
)
"""Operators of which one is true exactly where the other, for the same wanted value, is false."""


def check_scope(scope: doc.Scope, configuration: Configuration, report: Report, here: Path) -> None:
    """Look at the organizational units, the groups and the filters of one kind of object."""
    _check_units(scope.organizational_units, configuration.base, report, (*here, "organizational_units"))
    for key, filters in (("filters", scope.filters), ("input_filters", scope.input_filters)):
        _check_filters(filters, report, (*here, key))


def _check_units(texts: Sequence[str], base: DistinguishedName, report: Report, here: Path) -> None:
    units = [(index, dn) for index, text in enumerate(texts) if (dn := _dn(text)) is not None]
    for index, unit in units:
        if not (unit == base or unit.is_under(base) or base.is_under(unit) or base == UNUSABLE):
            message = f"it lies outside the base, {base}; correct one of the two"
            report.warn((*here, index), "dead-scope", message)
        for other, outer in units:
            if unit.is_under(outer) or (unit == outer and other < index):
                message = f"it lies in the one of line {report.line((*here, other))} and adds nothing to it"
                report.warn((*here, index), "dead-scope", f"{message}; take it away")
                break


def _dn(text: str) -> DistinguishedName | None:
    try:
        return parse_dn(text)
    except RequestError:
        return None


Placed = tuple[Path, ScopeClause]


def _check_filters(filters: Sequence[doc.Filter], report: Report, here: Path) -> None:
    seen: list[tuple[int, frozenset[tuple[str, str, tuple[str, ...]]]]] = []
    for index, scope_filter in enumerate(filters):
        placed = _clauses(scope_filter, (*here, index, "all"))
        for path, clause in placed:
            _check_pattern(path, clause, report)
            if clause.operator is Operator.EQUALS and clause.wanted == ("",):
                message = "nothing equals an empty text, because empty is nothing; use IS NULL"
                report.warn(path, "dead-clause", message)
        _check_together(placed, report)
        meaning = frozenset((c.attribute.casefold(), str(c.operator), c.wanted) for _, c in placed)
        for other, less in seen:
            if less and less <= meaning:
                line = report.line((*here, other))
                message = f"whoever passes it passes the filter of line {line} as well; take one of them away"
                report.warn((*here, index), "repeated-clause", message)
                break
        seen.append((index, meaning))


def _clauses(scope_filter: doc.Filter, here: Path) -> list[Placed]:
    placed: list[Placed] = []
    for number, clause in enumerate(scope_filter.all):
        given = clause.value if isinstance(clause.value, list) else [clause.value]
        wanted = [str(value) for value in given if value is not None]
        try:
            placed.append(((*here, number), scope_clause(clause.attribute, clause.operator, wanted)))
        except FilterError:
            continue  # reading has said so
    return placed


def _check_pattern(path: Path, clause: ScopeClause, report: Report) -> None:
    if clause.operator in _PATTERNS:
        check_pattern(clause.wanted[0], (*path, "value"), report, anchors=True)


def check_pattern(
    pattern: str, path: Path, report: Report, *, anchors: bool, within: tuple[str, int] | None = None
) -> None:
    """Look at a regular expression: whether it can take for ever, and whether it is anchored."""
    if is_explosive(pattern):
        message = (
            f"the pattern “{pattern}” can match the same text in many ways in a loop, and takes for ever on "
            "some values; make the parts of the loop exclude each other"
        )
        report.warn(path, "explosive-pattern", message, within=within)
    if anchors and not ({"^", "$"} & set(pattern) or "\\A" in pattern or "\\z" in pattern.lower()):
        message = (
            f"the pattern “{pattern}” is looked for anywhere in the value; begin it with ^ and end it with $ "
            "where the whole value is meant"
        )
        report.note(path, "unanchored-pattern", message, within=within)


def _check_together(placed: Sequence[Placed], report: Report) -> None:
    """Compare every condition with the ones above it that are on the same attribute."""
    for index, (path, clause) in enumerate(placed):
        for above, earlier in placed[:index]:
            if earlier.attribute.casefold() != clause.attribute.casefold():
                continue
            line = report.line(above)
            if (earlier.operator, earlier.wanted) == (clause.operator, clause.wanted):
                message = f"it says the same as line {line}; take it away"
                report.warn(path, "repeated-clause", message)
                break
            if _contradict(earlier, clause):
                message = f"with line {line} it can never be true, so the filter lets nobody in; correct one"
                report.warn(path, "dead-clause", message)
                break
            if (needless := _needless(earlier, clause)) is not None:
                which = "it" if needless is clause else f"line {line}"
                other = f"line {line}" if needless is clause else "this one"
                message = f"{which} adds nothing, because {other} holds only where it does; take it away"
                report.warn(path, "repeated-clause", message)
                break


def _contradict(one: ScopeClause, other: ScopeClause) -> bool:
    operators = frozenset({one.operator, other.operator})
    if Operator.IS_NULL in operators:
        return True  # every other operator is false for nothing
    if operators in _OPPOSITES and one.wanted == other.wanted:
        return True
    for exact, further in ((one, other), (other, one)):
        if exact.operator is Operator.EQUALS and _answer(further, exact.wanted[0]) is False:
            return True
    return False


def _needless(one: ScopeClause, other: ScopeClause) -> ScopeClause | None:
    """Return the one that is true wherever the other is."""
    for narrow, wide in ((one, other), (other, one)):
        if wide.operator is Operator.IS_NOT_NULL:
            return wide
        if narrow.operator is Operator.EQUALS and _answer(wide, narrow.wanted[0]) is True:
            return wide
    return None


def _answer(clause: ScopeClause, value: str) -> bool | None:
    """Return whether the condition holds for a value; None where it cannot be told."""
    if not value or clause.operator in {Operator.IS_NULL, Operator.IS_NOT_NULL}:
        return None
    try:
        return clause.test(value)
    except ExpressionError:
        return None
