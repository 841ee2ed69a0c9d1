"""Scope filters: the operators of Entra's scoping filters, with their rules for null, case and lists.

Source: Microsoft Entra, page "Define conditional rules for provisioning user accounts" (operators, case,
null), and Microsoft Graph, resource "filterOperatorSchema" (every value of a list must pass). A filter is
true when all its clauses are; an object is in scope when any filter is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipeline.expressions import ExpressionError, Value, as_text, compile_pattern
from pipeline.model import ClauseResult, FilterResult


class Operator(StrEnum):
    """The operators, spelled as Microsoft's pages spell them."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT EQUALS"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    IS_TRUE = "IS TRUE"
    IS_FALSE = "IS FALSE"
    REGEX_MATCH = "REGEX MATCH"
    NOT_REGEX_MATCH = "NOT REGEX MATCH"
    GREATER_THAN = "GREATER THAN"
    GREATER_THAN_OR_EQUALS = "GREATER THAN OR EQUALS"
    INCLUDES = "INCLUDES"
    ENDS_WITH = "ENDS WITH"
    IN = "&"
    NOT_IN = "!&"


class FilterError(ValueError):
    """A clause that has no meaning: an unknown operator, a bad pattern, a number that is none."""


@dataclass(frozen=True, slots=True)
class ScopeClause:
    """One condition. `test` answers for one value that is neither null nor empty."""

    attribute: str
    operator: Operator
    wanted: tuple[str, ...]
    test: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ScopeFilter:
    """A named set of conditions, all of which must hold."""

    name: str
    clauses: tuple[ScopeClause, ...]


_NAMES: Final[Mapping[str, Operator]] = {operator.value: operator for operator in Operator}
_UNARY: Final = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.IS_TRUE, Operator.IS_FALSE})


def scope_clause(attribute: str, operator: str, wanted: Sequence[str]) -> ScopeClause:
    """Return the clause, ready to be tested. Raises FilterError."""
    name = " ".join(operator.replace("_", " ").upper().split())
    if name not in _NAMES:
        known = ", ".join(_NAMES)
        raise FilterError(f"there is no operator “{operator}”; use one of {known}")
    found = _NAMES[name]
    if found in _UNARY:
        if wanted:
            raise FilterError(f"{found} takes no value")
        return ScopeClause(attribute, found, (), _UNARY_TESTS[found])
    if len(wanted) != 1:
        raise FilterError(f"{found} takes exactly one value")
    return ScopeClause(attribute, found, tuple(wanted), _binary_test(found, wanted[0]))


def evaluate_filter(scope_filter: ScopeFilter, source: Mapping[str, Value]) -> FilterResult:
    """Test every clause against an object (case-folded attribute names), and say why for each."""
    clauses = tuple(_evaluate_clause(clause, source) for clause in scope_filter.clauses)
    return FilterResult(scope_filter.name, all(c.passed for c in clauses), clauses)


def _evaluate_clause(clause: ScopeClause, source: Mapping[str, Value]) -> ClauseResult:
    value = source.get(clause.attribute.casefold())
    items = value if isinstance(value, list) else [] if value is None else [value]
    actual = tuple(text for text in map(as_text, items) if text != "")
    if clause.operator in {Operator.IS_NULL, Operator.IS_NOT_NULL}:
        passed = bool(actual) is (clause.operator is Operator.IS_NOT_NULL)
        why = "it has a value" if actual else "it has no value"
    elif not actual:
        passed, why = False, f"it has no value, and {clause.operator} of nothing is false"
    else:
        failing = [text for text in actual if not clause.test(text)]
        passed = not failing
        why = _why(clause, actual, failing)
    return ClauseResult(clause.attribute, str(clause.operator), clause.wanted, actual, passed, why)


def _why(clause: ScopeClause, actual: Sequence[str], failing: Sequence[str]) -> str:
    if not failing:
        return "every value passes" if len(actual) > 1 else "it passes"
    if len(actual) > 1:
        return f"{len(failing)} of {len(actual)} values fail, and all must pass"
    wanted = clause.wanted[0] if clause.wanted else ""
    if clause.operator is Operator.EQUALS and failing[0].casefold() == wanted.casefold():
        return "it differs in upper and lower case only, and that counts"
    return "it fails"


def _is_true(text: str) -> bool:
    return text.casefold() == "true"


def _is_false(text: str) -> bool:
    return text.casefold() == "false"


_UNARY_TESTS: Final[Mapping[Operator, Callable[[str], bool]]] = {
    Operator.IS_NULL: lambda _: False,
    Operator.IS_NOT_NULL: lambda _: True,
    Operator.IS_TRUE: _is_true,
    Operator.IS_FALSE: _is_false,
}


def _binary_test(operator: Operator, wanted: str) -> Callable[[str], bool]:  # noqa: PLR0911  # a table
    match operator:
        case Operator.REGEX_MATCH | Operator.NOT_REGEX_MATCH:
            return _pattern_test(wanted, found=operator is Operator.REGEX_MATCH)
        case Operator.GREATER_THAN | Operator.GREATER_THAN_OR_EQUALS:
            return _number_test(operator, wanted)
        case Operator.EQUALS:
            return lambda text: text == wanted
        case Operator.NOT_EQUALS:
            return lambda text: text != wanted
        case Operator.INCLUDES:
            return lambda text: wanted in text
        case Operator.ENDS_WITH:
            return lambda text: text.endswith(wanted)
        case Operator.IN:
            return lambda text: text in wanted
        case _:
            return lambda text: text not in wanted


def _number_test(operator: Operator, wanted: str) -> Callable[[str], bool]:
    bound = _whole_number(wanted)
    if bound is None:
        raise FilterError(f"{operator} needs a whole number, got “{wanted}”")

    def test(text: str) -> bool:
        number = _whole_number(text)
        if number is None:
            return False
        return number > bound if operator is Operator.GREATER_THAN else number >= bound

    return test


def _whole_number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _pattern_test(pattern: str, *, found: bool) -> Callable[[str], bool]:
    try:
        compiled = compile_pattern(pattern)
    except ExpressionError as error:
        raise FilterError(f"the pattern “{pattern}” cannot be used: {error}") from error
    return lambda text: compiled.found_in(text) is found
