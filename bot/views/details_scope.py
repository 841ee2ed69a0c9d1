"""Scope: the verdict, and every condition that it rests on."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import context, fields, plain, section
from bot.views.limits import Block
from bot.views.sheet import SHOW_ALL, Row, Sheet, Whole, open_whole
from pipeline.model import ClauseResult, Condition, FilterResult, Run, ScopeEvidence, StageName

_VALUE: Final = 280
_WHY: Final = 280
_NO_REASON: Final = frozenset({"it passes", "it fails"})  # the mark beside it says so
_GUARDS: Final = "Built-in exclusions: none may apply"
_NO_CONDITIONS: Final = "The configuration sets no condition, so everything is in scope."


def sheet(run: Run) -> Sheet:
    """Return the conditions: organizational units, groups, filters clause by clause, guards."""
    evidence = _evidence(run)
    if evidence is None:
        return Sheet((), (), "The scope has not been looked at.")
    rows: list[Row] = []
    for group, conditions in (
        ("Organizational units: below any of these", evidence.organizational_units),
        ("Groups: member of any of these", evidence.groups),
    ):
        rows += [_condition_row(group, condition) for condition in conditions]
    for kind, filters in (("Scope filter", evidence.filters), ("Input filter", evidence.input_filters)):
        group = f"{kind}s: any one of these" if len(filters) > 1 else kind
        for scope_filter in filters:
            rows.append(Row(group, partial(_filter, scope_filter), partial(_filter_told, scope_filter)))
            rows += [
                Row(group, partial(_clause, run, clause), partial(_clause_told, clause))
                for clause in scope_filter.clauses
            ]
    for guard in evidence.guards:
        rows.append(Row(_GUARDS, partial(_guard, guard), partial(_guard_told, guard), not guard.passed))
    intro = (*_verdict(run, evidence), *_schedule(evidence))
    return Sheet(intro, tuple(rows), _NO_CONDITIONS)


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return, for every clause on an attribute, what was wanted, what is there and why it is judged so."""
    evidence = _evidence(run)
    filters = (*evidence.filters, *evidence.input_filters) if evidence else ()
    found = [c for f in filters for c in f.clauses if c.attribute == attribute]
    return [
        Whole(label, value)
        for clause in found
        for label, value in (
            (f"Wanted: {clause.operator}", "\n".join(clause.wanted)),
            ("In Active Directory", text.PRESENT_HIDDEN if clause.private else "\n".join(clause.actual)),
            ("Why", "" if clause.private else clause.why),
        )
        if value
    ]


def _evidence(run: Run) -> ScopeEvidence | None:
    evidence = run.stage(StageName.SCOPE).evidence
    return evidence if isinstance(evidence, ScopeEvidence) else None


def _verdict(run: Run, evidence: ScopeEvidence) -> tuple[Block, ...]:
    verdict = "In scope" if evidence.in_scope else "Out of scope"
    said = evidence.why == run.stage(StageName.SCOPE).summary
    if said and evidence.in_scope:
        return ()  # the stage's own line has just said it
    why = "" if said else text.sentence(text.without(verdict, evidence.why), 600)
    return (section(f"*{verdict}.* {why}".strip()),)


def _schedule(evidence: ScopeEvidence) -> tuple[Block, ...]:
    return (context(plain(evidence.schedule, 600)),) if evidence.schedule else ()


def _capital(why: str) -> str:
    return why[:1].upper() + why[1:]


def _met(passed: bool) -> str:  # noqa: FBT001  # the one thing it is about
    return ":white_check_mark: Met" if passed else ":x: Not met"


def _met_told(passed: bool) -> str:  # noqa: FBT001  # the one thing it is about
    return "[met]" if passed else "[not met]"


def _condition_row(group: str, condition: Condition) -> Row:
    return Row(group, partial(_condition, condition), partial(_condition_told, condition))


def _condition_told(condition: Condition) -> str:
    return text.visible(f"{_met_told(condition.passed)} {condition.name}: {condition.why}")


def _condition(condition: Condition) -> list[Block]:
    name, why = text.bold(condition.name, 240), text.sentence(_capital(condition.why), 400)
    return [section(f"{_met(condition.passed)}  {name}\n{why}".strip())]


def _guard(guard: Condition) -> list[Block]:
    name = text.bold(guard.name, 240)
    if guard.passed:
        return [section(f":white_check_mark: Does not apply  {name}")]
    return [section(f":x: Applies  {name}\n{text.sentence(_capital(guard.why), 400)}")]


def _guard_told(guard: Condition) -> str:
    applies = f"[applies] {guard.name}: {guard.why}"
    return text.visible(f"[does not apply] {guard.name}" if guard.passed else applies)


def _filter(scope_filter: FilterResult) -> list[Block]:
    name = text.phrase(scope_filter.name, 240)
    return [section(f"{_met(scope_filter.passed)}  *“{name}”*  {_of_all(scope_filter)}")]


def _filter_told(scope_filter: FilterResult) -> str:
    met = _met_told(scope_filter.passed)
    return text.visible(f"{met} “{scope_filter.name}”: {_of_all(scope_filter)}")


def _of_all(scope_filter: FilterResult) -> str:
    met = sum(1 for clause in scope_filter.clauses if clause.passed)
    return f"{text.count(met)} of {text.counted(len(scope_filter.clauses), 'condition')}"


def _clause(run: Run, clause: ClauseResult) -> list[Block]:
    heading = f"{_met(clause.passed)}  {text.bold(clause.attribute, 60)} {text.phrase(clause.operator, 40)}"
    if clause.why and not clause.private and clause.why not in _NO_REASON:
        heading += f"\n{text.sentence(_capital(clause.why), _WHY)}"
    actual = _actual(clause)
    wanted = text.joined(clause.wanted)
    cut = text.is_cut(wanted, _VALUE) or text.is_cut(actual, _VALUE) or text.is_cut(clause.why, _WHY)
    accessory = open_whole(run, StageName.SCOPE, clause.attribute, SHOW_ALL) if cut else None
    columns = (
        *([plain(f"Wanted\n{text.shorten(wanted, _VALUE)}", 400, lines=True)] if clause.wanted else []),
        plain(f"In Active Directory\n{text.shorten(actual, _VALUE)}", 400, lines=True),
    )
    return [fields(*columns, heading=heading, accessory=accessory)]


def _clause_told(clause: ClauseResult) -> str:
    wanted = f" {text.joined(clause.wanted)}" if clause.wanted else ""
    return text.visible(
        f"    {_met_told(clause.passed)} {clause.attribute} {clause.operator}{wanted}"
        f"; in Active Directory: {_actual(clause)}"
    )


def _actual(clause: ClauseResult) -> str:
    return text.PRESENT_HIDDEN if clause.private and clause.actual else text.joined(clause.actual)
