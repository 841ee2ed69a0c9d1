"""Nothing that comes from a directory, a tenant, an error or a person can ping, link, format or hide.

Each string of the corpus is put in every place of a run, one after the other, so that many are drawn at once;
what is drawn is compared with the same run of harmless words: whatever formats it has come from the bot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeVar, cast

import pytest

from bot.views.controls import COPY_TEXT, PAGE_NEXT, SHOW_WHOLE, Reference
from bot.views.details import details
from bot.views.message import Hints, run_message
from pipeline.ids import ActorId
from pipeline.model import (
    ActionEvidence,
    Change,
    ChangeKind,
    ClauseResult,
    Condition,
    FilterResult,
    ImportedAttribute,
    KeyResult,
    MatchEvidence,
    MemberChange,
    Outcome,
    Plan,
    PlanAction,
    Run,
    ScopeEvidence,
    Stage,
    StageName,
    StageStatus,
    TargetKind,
    TraceStep,
    Write,
)
from tests.security.never_ping_corpus import CORPUS
from tests.unit.views import samples
from tests.unit.views.payloads import (
    assert_inert,
    assert_message_fits,
    assert_modal_fits,
    buttons,
    follow,
    formatting,
)

T = TypeVar("T")
HARMLESS: Final = "harmless words."
CONDITION: Final = Condition("x", False, "x")
CLAUSE: Final = ClauseResult("x", "x", ("x",), ("x", "x"), False, "x")
CHANGE: Final = Change(
    "x",
    "x",
    "x",
    ChangeKind.CHANGED,
    "x",
    "x",
    (("x", "x"),),
    trace=(TraceStep(0, "x", "x"), TraceStep(1, "x", "x", taken=True)),
)
MEMBER: Final = MemberChange("x", "x", None, ChangeKind.NOT_WRITTEN, "x")
KEY: Final = KeyResult("x", "x", (replace(samples.CANDIDATE, anchor="x"),), True, "x")
ATTRIBUTE: Final = ImportedAttribute("x", "x", ("x", "x"), ("x",))
WRITE: Final = Write("x", False, "x", "x")
_OURS: Final = frozenset({"run_id", "stage"})  # what the bot itself makes, and a literal of the model
_ROWS: Final = 36
_LIVE_AS_ACTOR: Final = "T0CONTOSO/U0MARIA"  # a person of Slack, who is mentioned because she asked


def test_the_corpus_is_large_and_each_string_has_its_reason() -> None:
    """At least three hundred different strings, none without a reason."""
    assert len(CORPUS) >= 300
    assert all(CORPUS.values())


def filled(thing: T, text: str) -> T:
    """Return the data with every text in it replaced."""
    return cast("T", _filled(thing, text))


def _filled(thing: Any, text: str) -> Any:
    if isinstance(thing, Enum) or thing is None:
        return thing
    if isinstance(thing, str):
        return text
    if isinstance(thing, tuple):
        return tuple(_filled(item, text) for item in thing)
    if isinstance(thing, Mapping):
        return {f"{text} id": text for _ in thing}
    if is_dataclass(thing) and not isinstance(thing, type):
        kept = {
            f.name: getattr(thing, f.name) if f.name in _OURS else _filled(getattr(thing, f.name), text)
            for f in fields(thing)
        }
        return type(thing)(**kept)
    return thing


def run_of(outcome: Outcome, texts: Sequence[str]) -> Run:
    """Return a run with a row for each text, in which everything that can hold a text holds it."""
    first = texts[0]

    def rows(thing: T) -> tuple[T, ...]:
        return tuple(filled(thing, text) for text in texts)

    scope_filter = replace(filled(FilterResult("", False, ()), first), clauses=rows(CLAUSE))
    scope = ScopeEvidence(False, "", (CONDITION,), (CONDITION,), (), (CONDITION,), "schedule")
    scope = replace(filled(scope, first), filters=(scope_filter,), input_filters=(scope_filter,))
    match = replace(filled(MatchEvidence("", (), samples.CANDIDATE), first), keys=rows(KEY))
    seen = filled(replace(samples.imported(), notes=("",)), first)
    kinds = (ChangeKind.CHANGED, ChangeKind.NOT_WRITTEN, ChangeKind.SAME, ChangeKind.ADDED)
    changes = tuple(replace(change, kind=kinds[n % 4]) for n, change in enumerate(rows(CHANGE)))
    plan = Plan(PlanAction.UPDATE, TargetKind.USER, samples.UPDATE.target, (), digest="d")
    base = filled(samples.run(outcome, error=samples.error("c", "m", "r"), warnings=("", "")), first)
    stages = (
        Stage(StageName.IMPORT, StageStatus.PASSED, first, replace(seen, attributes=rows(ATTRIBUTE)), 12),
        Stage(StageName.SCOPE, StageStatus.SKIPPED, first, scope, 12),
        Stage(StageName.MATCH, StageStatus.RUNNING, first, match),
        Stage(StageName.ACTION, StageStatus.FAILED, first, ActionEvidence(rows(WRITE), (first,)), 12),
    )
    actor = samples.ACTOR if first == _LIVE_AS_ACTOR else ActorId(first)
    planned = replace(filled(plan, first), changes=changes, members=rows(MEMBER))
    return replace(base, actor=actor, stages=stages, plan=planned)


def messages(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the run's message, in both kinds of installation."""
    yield run_message(run, writes_on=True).payload()
    yield run_message(run, writes_on=False, hints=Hints(plaintext_directory=True)).payload()


def rows_of(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the details of every stage, page by page."""
    for stage in StageName:
        view = details(run, Reference(run.run_id, stage))
        yield view
        while following := [b for b in buttons(view) if b["action_id"] == PAGE_NEXT]:
            view = follow(run, following[0])
            yield view


def texts_of(run: Run) -> Iterator[dict[str, Any]]:
    """Yield what opens on top of the details: values whole, and everything as text."""
    for view in list(rows_of(run)):
        for button in buttons(view):
            if button["action_id"] in {SHOW_WHOLE, COPY_TEXT}:
                yield follow(run, button)


def batches() -> list[list[str]]:
    """Return the corpus in pieces, without the string that is nothing: it leaves lines out."""
    strings = [text for text in CORPUS if text]
    return [strings[start : start + _ROWS] for start in range(0, len(strings), _ROWS)]


@pytest.fixture(scope="module")
def bare() -> list[list[str]]:
    """Return the formatting of a message when all words are harmless."""
    return [formatting(payload) for payload in messages(run_of(Outcome.WOULD_UPDATE, [HARMLESS]))]


def test_no_message_comes_alive(bare: list[list[str]]) -> None:
    """Each string in every place of a message at once: as a name, a reason, an error, a person, a setting."""
    for text, reason in CORPUS.items():
        run = run_of(Outcome.WOULD_UPDATE, [text])
        for payload, expected in zip(messages(run), bare, strict=True):
            assert_inert(payload)
            assert_message_fits(payload)
            assert not text or formatting(payload) == expected, reason


@pytest.mark.parametrize("strings", batches(), ids=range(len(batches())))
def test_no_modal_comes_alive(strings: list[str]) -> None:
    """Each string in every place of a row of the details, many rows at once."""
    run = run_of(Outcome.FAILED, strings)
    harmless = run_of(Outcome.FAILED, [HARMLESS] * len(strings))
    for payload, expected in zip(rows_of(run), rows_of(harmless), strict=True):
        assert_inert(payload)
        assert_modal_fits(payload)
        assert formatting(payload) == formatting(expected)


@pytest.mark.parametrize("strings", batches(), ids=range(len(batches())))
def test_no_text_comes_alive(strings: list[str]) -> None:
    """What is shown whole, copied and searched for is as inert as the rows."""
    run = run_of(Outcome.FAILED, strings)
    for payload in texts_of(run):
        assert_inert(payload)
        assert_modal_fits(payload)
    for text in strings:
        payload = details(run, Reference(run.run_id, StageName.IMPORT).found(text))
        assert_inert(payload)
        assert_modal_fits(payload)


def test_every_place_is_drawn() -> None:
    """The check of the check: a text that is put into the places of a run is in what is drawn of it."""
    run = run_of(Outcome.FAILED, ["qqq"])
    assert str([*messages(run)]).count("qqq") > 20
    for view in rows_of(run):
        assert str(view["blocks"]).count("qqq") > 5
