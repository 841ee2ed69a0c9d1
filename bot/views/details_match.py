"""Match: the keys in the order they were tried, who answered, and the reason for the decision."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import fields, paragraph, plain, section
from bot.views.limits import Block
from bot.views.sheet import Row, Sheet, Whole, show_all
from pipeline.model import Candidate, KeyResult, MatchEvidence, Run, StageName

_VALUE: Final = 280
_WHY: Final = 280
_CANDIDATE: Final = 160


def sheet(run: Run) -> Sheet:
    """Return the keys in order, each followed by the objects that answered to it."""
    evidence = _evidence(run)
    if evidence is None:
        return Sheet((), (), "Entra ID has not been asked.")
    rows: list[Row] = []
    for number, key in enumerate(evidence.keys, start=1):
        rows.append(Row("Keys, in the order they were tried", partial(_key, run, key, number, len(rows))))
        rows += [Row("Keys, in the order they were tried", partial(_candidate, c)) for c in key.candidates]
    return Sheet(_intro(run, evidence), tuple(rows), "No key was tried.")


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return the value asked for and the reason, whole."""
    evidence = _evidence(run)
    return [
        Whole(label, value)
        for key in (evidence.keys if evidence else ())
        if key.attribute == attribute and not key.private
        for label, value in (("Value asked for", key.value or ""), ("Why", key.why))
        if value
    ]


def _evidence(run: Run) -> MatchEvidence | None:
    evidence = run.stage(StageName.MATCH).evidence
    return evidence if isinstance(evidence, MatchEvidence) else None


def _intro(run: Run, evidence: MatchEvidence) -> tuple[Block, ...]:
    said = evidence.why == run.stage(StageName.MATCH).summary
    why = "" if said else text.sentence(evidence.why, 600)
    verdict = (section(f"*Decision.* {why}"),) if why else ()
    if evidence.matched is None:
        return verdict
    return (*verdict, section("*Matched*"), *_candidate(evidence.matched))


def _key(run: Run, key: KeyResult, number: int, index: int) -> list[Block]:
    answers = text.counted(len(key.candidates), "object") if key.candidates else "nobody"
    decided = " · this key decided" if key.decided else ""
    heading = f"{text.count(number)}. {text.bold(key.attribute, 60)}  {answers}{decided}"
    if key.why and not key.private:
        heading += f"\n{text.sentence(key.why, _WHY)}"
    value = text.EMPTY if not key.value else text.PRESENT_HIDDEN if key.private else text.edged(key.value)
    cut = not key.private and (text.is_cut(value, _VALUE) or text.is_cut(key.why, _WHY))
    accessory = show_all(run, StageName.MATCH, key.attribute, index) if cut else None
    asked = plain(f"Value asked for\n{text.shorten(value, _VALUE)}", 400, lines=True)
    return [fields(asked, heading=heading, accessory=accessory)]


def _candidate(candidate: Candidate) -> list[Block]:
    owner = "owned by the synchronisation" if candidate.synchronized else "cloud-only"
    lines = [
        f"→ {text.shorten(candidate.name, _CANDIDATE) or 'without a name'}  ({candidate.kind}, {owner})",
        *([f"userPrincipalName {text.shorten(candidate.upn, _CANDIDATE)}"] if candidate.upn else []),
        f"id {text.shorten(candidate.id, 80)}",
        f"anchor {text.shorten(candidate.anchor, 100) if candidate.anchor else 'none'}",
    ]
    return [paragraph("\n".join(lines), 800)]
