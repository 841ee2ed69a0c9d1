"""Scope: the verdict, and every condition that it rests on."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import context, fields, plain, section
from bot.views.limits import Block
from bot.views.sheet import Row, Sheet, Whole, show_all
from pipeline.model import ClauseResult, Condition, FilterResult, Run, ScopeEvidence, StageName

_VALUE: Final = 280
_WHY: Final = 280
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
        rows += [Row(group, partial(_condition, condition)) for condition in conditions]
    several = len(evidence.filters) > 1
    for scope_filter in evidence.filters:
        group = "Filters: any one of these" if several else "Filter"
        rows.append(Row(group, partial(_filter, scope_filter)))
        for clause in scope_filter.clauses:
            rows.append(Row(group, partial(_clause, run, clause, len(rows))))
    rows += [Row(_GUARDS, partial(_guard, condition)) for condition in evidence.guards]
    intro = (*_verdict(run, evidence), *_schedule(evidence))
    return Sheet(intro, tuple(rows), _NO_CONDITIONS)


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return, for every clause on an attribute, what was wanted, what is there and why it is judged so."""
    evidence = _evidence(run)
    clauses = [c for f in evidence.filters for c in f.clauses] if evidence else []
    found = [c for c in clauses if c.attribute == attribute]
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


def _condition(condition: Condition) -> list[Block]:
    name, why = text.bold(condition.name, 240), text.sentence(_capital(condition.why), 400)
    return [section(f"{_met(condition.passed)}  {name}\n{why}".strip())]


def _guard(guard: Condition) -> list[Block]:
    name = text.bold(guard.name, 240)
    if guard.passed:
        return [section(f":white_check_mark: Does not apply  {name}")]
    return [section(f":x: Applies  {name}\n{text.sentence(_capital(guard.why), 400)}")]


def _filter(scope_filter: FilterResult) -> list[Block]:
    met = sum(1 for clause in scope_filter.clauses if clause.passed)
    of_all = f"{text.count(met)} of {text.counted(len(scope_filter.clauses), 'condition')}"
    name = text.phrase(scope_filter.name, 240)
    return [section(f"{_met(scope_filter.passed)}  *“{name}”*  {of_all}")]


def _clause(run: Run, clause: ClauseResult, index: int) -> list[Block]:
    heading = f"{_met(clause.passed)}  {text.bold(clause.attribute, 60)} {text.phrase(clause.operator, 40)}"
    if clause.why and not clause.private:
        heading += f"\n{text.sentence(_capital(clause.why), _WHY)}"
    hidden = clause.private and bool(clause.actual)
    actual = text.PRESENT_HIDDEN if hidden else text.joined(clause.actual)
    wanted = text.joined(clause.wanted) if clause.wanted else "–"
    cut = text.is_cut(wanted, _VALUE) or text.is_cut(actual, _VALUE) or text.is_cut(clause.why, _WHY)
    accessory = show_all(run, StageName.SCOPE, clause.attribute, index) if cut else None
    columns = (
        plain(f"Wanted\n{text.shorten(wanted, _VALUE)}", 400, lines=True),
        plain(f"In Active Directory\n{text.shorten(actual, _VALUE)}", 400, lines=True),
    )
    return [fields(*columns, heading=heading, accessory=accessory)]
