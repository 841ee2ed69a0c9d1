"""Match: the keys in the order they were tried, who answered, and the reason for the decision."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from bot.views import text
from bot.views.blocks import fields, paragraph, plain, section
from bot.views.limits import Block
from bot.views.sheet import SHOW_ALL, Row, Sheet, Whole, open_whole
from pipeline.model import Candidate, KeyResult, MatchEvidence, Run, StageName

_VALUE: Final = 280
_WHY: Final = 280
_CANDIDATE: Final = 160
_KEYS: Final = "Keys, in the order they were tried"
_COUNTED: Final = re.compile(r"(?:nobody has|exactly one has|[\d,]+ have) this value")
_FOUND: Final = re.compile(r"\A[\d,]+ found, but ")
"""Reasons that only count who answered, which the line of the key does already."""


def sheet(run: Run) -> Sheet:
    """Return the keys in order, each followed by the objects that answered to it."""
    evidence = _evidence(run)
    if evidence is None:
        return Sheet((), (), "Entra ID has not been asked.")
    rows: list[Row] = []
    shown: list[Candidate] = []
    for number, key in enumerate(evidence.keys, start=1):
        rows.append(Row(_KEYS, partial(_key, run, key, number), partial(_key_told, key, number)))
        for candidate in key.candidates:
            draw = _again if candidate in shown else _candidate
            rows.append(Row(_KEYS, partial(draw, candidate), partial(_candidate_told, candidate)))
            shown.append(candidate)
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
    matched = evidence.matched
    if matched is None or any(c.id == matched.id for key in evidence.keys for c in key.candidates):
        return verdict  # a candidate that matched is told apart where it stands
    return (*verdict, section("*Matched*"), *_candidate(matched))


def _key(run: Run, key: KeyResult, number: int) -> list[Block]:
    heading = f"{text.count(number)}. {text.bold(key.attribute, 60)}  {_answers(key)}"
    why = "" if key.private or _COUNTED.fullmatch(key.why) else key.why
    if why:
        why = _FOUND.sub("", why)
        heading += f"\n{text.sentence(why[:1].upper() + why[1:], _WHY)}"
    value = _asked(key)
    cut = not key.private and (text.is_cut(value, _VALUE) or text.is_cut(key.why, _WHY))
    accessory = open_whole(run, StageName.MATCH, key.attribute, SHOW_ALL) if cut else None
    asked = plain(f"Value asked for\n{text.shorten(value, _VALUE)}", 400, lines=True)
    return [fields(asked, heading=heading, accessory=accessory)]


def _answers(key: KeyResult) -> str:
    if not key.candidates:
        return "nobody has it" if key.value else "not tried"
    who = f"{text.counted(len(key.candidates), 'object')} {'has' if len(key.candidates) == 1 else 'have'} it"
    return f"{who} · this key decided" if key.decided else who


def _asked(key: KeyResult) -> str:
    return text.EMPTY if not key.value else text.PRESENT_HIDDEN if key.private else text.edged(key.value)


def _key_told(key: KeyResult, number: int) -> str:
    why = "" if key.private or _COUNTED.fullmatch(key.why) or not key.why else f" ({key.why})"
    return text.visible(f"{number}. {key.attribute} = {_asked(key)}: {_answers(key)}{why}")


def _candidate(candidate: Candidate) -> list[Block]:
    lines = [
        f"→ {text.shorten(candidate.name, _CANDIDATE) or 'without a name'}  ({_owner(candidate)})",
        *([f"userPrincipalName {text.shorten(candidate.upn, _CANDIDATE)}"] if candidate.upn else []),
        f"id {text.shorten(candidate.id, 80)}",
        f"anchor {text.shorten(candidate.anchor, 100) if candidate.anchor else 'none'}",
    ]
    return [paragraph("\n".join(lines), 800)]


def _again(candidate: Candidate) -> list[Block]:
    name = text.shorten(candidate.name, _CANDIDATE) or "without a name"
    return [paragraph(f"→ {name}, the same object as above", 300)]


def _owner(candidate: Candidate) -> str:
    owner = "owned by the synchronisation" if candidate.synchronized else "cloud-only"
    return f"{candidate.kind}, {owner}"


def _candidate_told(candidate: Candidate) -> str:
    parts = [
        f"    -> {candidate.name or 'without a name'} ({_owner(candidate)})",
        *([f"userPrincipalName {candidate.upn}"] if candidate.upn else []),
        f"id {candidate.id}",
        f"anchor {candidate.anchor or 'none'}",
    ]
    return text.visible("; ".join(parts))
