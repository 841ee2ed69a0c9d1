"""Runs of any content and any size, for property tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from pipeline.ids import Dn, EntraId
from pipeline.model import (
    ActionEvidence,
    Candidate,
    Change,
    ChangeKind,
    ClauseResult,
    Condition,
    ErrorReport,
    FilterResult,
    ImportedAttribute,
    ImportEvidence,
    KeyResult,
    MatchEvidence,
    MemberChange,
    Mode,
    Outcome,
    Plan,
    PlanAction,
    Run,
    ScopeEvidence,
    Stage,
    StageName,
    StageStatus,
    TargetIdentity,
    TargetKind,
    Write,
)
from tests.unit.views import samples

_SEEDS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.sampled_from(
        ["", " ", "x", "&", "<>", "*", "`", "é", "漢", "😀", "\u202e", "\n", "\x00", "👩‍👩‍👧", "a b "]
    ),
)
_LENGTHS = st.sampled_from([1, 1, 1, 3, 40, 300, 3000, 40_000])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a text of anything, from nothing to forty thousand characters."""
    seed, length = draw(_SEEDS), draw(_LENGTHS)
    return (seed * (length // max(len(seed), 1) + 1))[: max(length, len(seed))]


def _pool(draw: st.DrawFn) -> list[str]:
    return draw(st.lists(texts(), min_size=3, max_size=6))


def _sizes(most: int) -> st.SearchStrategy[int]:
    return st.sampled_from([0, 1, 2, 39, 40, 41, 81, most])


def _cycle(pool: list[str], index: int) -> str:
    return pool[index % len(pool)]


@st.composite
def import_evidence(draw: st.DrawFn) -> ImportEvidence:
    """Draw an import of up to four hundred attributes."""
    pool, size = _pool(draw), draw(_sizes(400))
    several, decoded = draw(st.sampled_from([0, 1, 2, 1500])), draw(st.sampled_from([0, 1, 30]))
    attributes = tuple(
        ImportedAttribute(
            f"{_cycle(pool, n)[: 200 if n % 7 else 4000]}{n}",
            _cycle(pool, n + 1),
            ()
            if n % 11 == 0
            else tuple(
                _cycle(pool, n + i)[: 40_000 if several < 3 else 400]
                for i in range(several if n < 3 else min(several, 4))
            ),
            tuple(_cycle(pool, n + i) for i in range(decoded if n < 3 else min(decoded, 2))),
            total=several,
            private=n % 11 == 0,
        )
        for n in range(size)
    )
    return ImportEvidence(
        pool[0],
        samples.STARTED,
        tuple(pool),
        pool[1],
        pool[2],
        attributes,
        draw(st.integers(0, 9999)),
        tuple(pool * draw(st.integers(0, 10))),
    )


@st.composite
def scope_evidence(draw: st.DrawFn) -> ScopeEvidence:
    """Draw a scope decision of many conditions."""
    pool, size = _pool(draw), draw(_sizes(100))
    conditions = tuple(Condition(_cycle(pool, n), n % 2 == 0, _cycle(pool, n + 1)) for n in range(size))
    clauses = tuple(
        ClauseResult(
            _cycle(pool, n)[:200],
            _cycle(pool, n + 1),
            tuple(pool[: n % 4]),
            tuple(pool[: n % 3]),
            passed=n % 2 == 0,
            why=_cycle(pool, n + 2),
            private=n % 5 == 0,
        )
        for n in range(size)
    )
    filters = tuple(
        FilterResult(_cycle(pool, n), n % 2 == 0, clauses) for n in range(draw(st.integers(0, 3)))
    )
    return ScopeEvidence(draw(st.booleans()), pool[0], conditions, conditions, filters, conditions)


@st.composite
def match_evidence(draw: st.DrawFn) -> MatchEvidence:
    """Draw a match of many keys and candidates."""
    pool = _pool(draw)
    candidates = tuple(
        Candidate(
            EntraId(_cycle(pool, n)),
            TargetKind.USER,
            _cycle(pool, n),
            _cycle(pool, n) or None,
            pool[0] or None,
            n % 2 == 0,
        )
        for n in range(draw(_sizes(100)))
    )
    keys = tuple(
        KeyResult(
            _cycle(pool, n)[:200], _cycle(pool, n), candidates, n % 2 == 0, _cycle(pool, n + 1), n % 5 == 0
        )
        for n in range(draw(st.integers(0, 5)))
    )
    matched = candidates[0] if candidates else None
    return MatchEvidence(pool[0], keys, matched if draw(st.booleans()) else None)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of up to four hundred changes and as many members."""
    pool, kinds = _pool(draw), list(ChangeKind)
    size, members = draw(_sizes(400)), draw(_sizes(400))
    after = [None, True, False, 7, 1.5, "", *pool, tuple(pool), ()]
    changes = tuple(
        Change(
            f"{_cycle(pool, n)[:300]}{n}",
            after[(n + 3) % len(after)],
            after[n % len(after)],
            kinds[n % len(kinds)],
            _cycle(pool, n),
            _cycle(pool, n + 1),
            tuple((name, name) for name in pool[: n % 4]),
            private=n % 9 == 0,
        )
        for n in range(size)
    )
    moved = tuple(
        MemberChange(_cycle(pool, n), _cycle(pool, n + 1), None, kinds[n % len(kinds)], _cycle(pool, n + 2))
        for n in range(members)
    )
    target = TargetIdentity(EntraId(pool[0]), pool[1], pool[2]) if draw(st.booleans()) else None
    return Plan(
        draw(st.sampled_from(PlanAction)),
        draw(st.sampled_from(TargetKind)),
        target,
        changes,
        moved,
        digest=pool[0],
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Draw a run of any content, consistent or not: the views must hold for every one."""
    pool = _pool(draw)
    writes = tuple(
        Write(_cycle(pool, n), n % 2 == 0, _cycle(pool, n + 1), _cycle(pool, n))
        for n in range(draw(_sizes(120)))
    )
    evidence = (
        draw(st.none() | import_evidence()),
        draw(st.none() | scope_evidence()),
        draw(st.none() | match_evidence()),
        draw(st.none() | st.just(ActionEvidence(writes, tuple(pool)))),
    )
    stages = [
        Stage(
            name,
            draw(st.sampled_from(StageStatus)),
            draw(texts()),
            seen,
            draw(st.none() | st.integers(0, 10**9)),
        )
        for name, seen in zip(StageName, evidence, strict=True)
    ]
    error = ErrorReport(
        pool[0], pool[1], pool[2], draw(st.booleans()), ids={f"{p}{n}": p for n, p in enumerate(pool)}
    )
    base = samples.run(draw(st.sampled_from(Outcome)), *stages, mode=draw(st.sampled_from(Mode)))
    return replace(
        base,
        identifier=draw(texts()),
        executor=draw(st.sampled_from(["graph", pool[0]])),
        configuration=draw(st.none() | texts()),
        configuration_digest=draw(st.none() | texts()),
        object=None
        if draw(st.booleans())
        else replace(samples.ADA, dn=Dn(draw(texts())), name=draw(texts())),
        plan=draw(st.none() | plans()),
        warnings=tuple(pool * draw(st.integers(0, 4))),
        error=draw(st.none() | st.just(error)),
        ended_at=draw(st.none() | st.just(samples.STARTED + timedelta(days=draw(st.integers(-1, 400))))),
    )
