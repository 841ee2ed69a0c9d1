"""Of five thousand generated runs, none is shown beyond what Slack takes.

Sizes lie at and around the limits: 500 attributes, 2,000 members, values of 30 kB, names of 10,000
characters. The limits stand here as literals of their own (Slack, pages "Block Kit" and "Views"); one in ten
payloads also goes through the workspace's strict validator.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from bot.views import controls
from bot.views.controls import Reference
from bot.views.details import details
from bot.views.limits import ViewTooLarge, fit_modal
from bot.views.message import run_message
from pipeline.ids import Dn, EntraId
from pipeline.model import (
    ActionEvidence,
    Candidate,
    Change,
    ChangeKind,
    ClauseResult,
    Condition,
    FilterResult,
    ImportedAttribute,
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
    TraceStep,
    Write,
)
from sandbox.workspace.blockkit import validate, verdict_by_policy
from tests.unit.views import samples
from tests.unit.views.payloads import buttons, follow

Payload = dict[str, Any]
RUNS: Final = 5_000
SHARES: Final = 20
_SEEDS: Final = (
    "a",
    "Ada ",
    "&",
    "<!here>",
    '"',
    "\\",
    "\n",
    "\x00",
    "é",
    "漢",
    "😀",
    "👩‍👩‍👧",
    "\u202e",
    "*",
    "\ud800",
)
_LENGTHS: Final = (0, 1, 1, 2, 20, 20, 60, 75, 76, 150, 151, 255, 256, 300)
_LONG: Final = (2000, 2001, 3000, 3001, 10_000, 30_000)
_COUNTS: Final = (0, 0, 1, 1, 2, 3, 8, 9)
_MANY: Final = (35, 36, 37, 72, 73, 100)
_MOST: Final = {"attributes": 500, "members": 2000, "clauses": 100, "writes": 120}


class Maker:
    """Makes runs from a seed: mostly small ones, some of them with one thing at its limit."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # made to be repeated
        self._texts = [self._text(huge=False) for _ in range(12)]

    def _text(self, *, huge: bool) -> str:
        seed = self._random.choice(_SEEDS)
        length = self._random.choice(_LONG if huge else _LENGTHS)
        return (seed * (length // len(seed) + 1))[:length]

    def renew(self, *, huge: bool) -> None:
        """Draw new texts; one of them is long in a huge run."""
        self._texts = [self._text(huge=huge and n % 4 == 0) for n in range(12)]

    def text(self) -> str:
        """Return one of the texts."""
        return self._random.choice(self._texts)

    def count(self, what: str, *, huge: bool) -> int:
        """Return how many there are of something."""
        return self._random.choice((*_MANY, _MOST[what]) if huge else _COUNTS)

    def chance(self, share: float = 0.5) -> bool:
        """Return true so often."""
        return self._random.random() < share

    def run(self) -> Run:
        """Return a run."""
        huge = self.chance(0.03)
        self.renew(huge=huge)
        pick = self._random.choice
        evidence = (
            self._import(huge=huge),
            self._scope(huge=huge and self.chance()),
            self._match(huge=huge and self.chance()),
            self._action(huge=huge and self.chance()),
        )
        stages = [
            Stage(
                name,
                pick(list(StageStatus)),
                self.text(),
                seen if self.chance(0.8) else None,
                pick((None, 0, 7, 123_456)),
            )
            for name, seen in zip(StageName, evidence, strict=True)
        ]
        base = samples.run(pick(list(Outcome)), *stages, mode=pick(list(Mode)))
        return replace(
            base,
            identifier=self.text(),
            configuration=pick((None, self.text())),
            configuration_digest=self.text(),
            object=pick((None, replace(samples.ADA, dn=Dn(self.text()), name=self.text()))),
            plan=self._plan(huge=huge) if self.chance(0.8) else None,
            warnings=tuple(self.text() for _ in range(pick((0, 1, 9)))),
            error=pick(
                (
                    None,
                    replace(
                        samples.error(self.text(), self.text(), self.text()),
                        ids={f"{self.text()}id": self.text()},
                    ),
                )
            ),
            ended_at=pick((None, samples.STARTED + timedelta(milliseconds=pick((0, 5, 10**10))))),
        )

    def _import(self, *, huge: bool) -> Any:
        attributes = tuple(
            ImportedAttribute(
                f"{self.text()[:300]}{n}",
                self.text(),
                tuple(self.text() for _ in range(n % 4)),
                tuple(self.text() for _ in range(n % 3)),
                n,
                private=n % 9 == 8,
            )
            for n in range(self.count("attributes", huge=huge))
        )
        return replace(
            samples.imported(*attributes or (ImportedAttribute("a", "b", ()),)),
            controller=self.text(),
            notes=(self.text(),) * 9,
        )

    def _scope(self, *, huge: bool) -> ScopeEvidence:
        conditions = tuple(
            Condition(self.text(), self.chance(), self.text())
            for _ in range(self.count("clauses", huge=huge))
        )
        clauses = tuple(
            ClauseResult(
                self.text(),
                self.text(),
                (self.text(),),
                (self.text(), self.text()),
                self.chance(),
                self.text(),
            )
            for _ in range(self.count("clauses", huge=huge))
        )
        filters = (FilterResult(self.text(), self.chance(), clauses),)
        return ScopeEvidence(
            self.chance(),
            self.text(),
            conditions,
            conditions,
            filters,
            conditions,
            self.text(),
            input_filters=filters,
        )

    def _match(self, *, huge: bool) -> MatchEvidence:
        candidates = tuple(
            Candidate(
                EntraId(self.text()), TargetKind.USER, self.text(), self.text(), self.text(), self.chance()
            )
            for _ in range(self.count("clauses", huge=huge))
        )
        keys = tuple(
            KeyResult(self.text(), self.text(), candidates, self.chance(), self.text()) for _ in range(3)
        )
        return MatchEvidence(self.text(), keys, candidates[0] if candidates else None)

    def _action(self, *, huge: bool) -> ActionEvidence:
        writes = (
            Write(self.text(), self.chance(), self.text(), self.text())
            for _ in range(self.count("writes", huge=huge))
        )
        return ActionEvidence(tuple(writes), (self.text(),) * 5)

    def _plan(self, *, huge: bool) -> Plan:
        kinds = list(ChangeKind)
        steps = (TraceStep(0, self.text(), self.text()), TraceStep(9, self.text(), self.text(), taken=True))
        changes = tuple(
            Change(
                f"{self.text()[:900]}{n}", self.text(), (self.text(), self.text()), kinds[n % 5],
                self.text(), self.text(), ((self.text(), self.text()),), n % 9 == 8,
                steps * (30 if huge else 1),
            )
            for n in range(self.count("attributes", huge=huge))
        )  # fmt: skip
        members = tuple(
            MemberChange(self.text(), self.text(), None, kinds[n % 5], self.text())
            for n in range(self.count("members", huge=huge))
        )
        target = TargetIdentity(EntraId(self.text()), self.text(), self.text())
        return Plan(
            self._random.choice(list(PlanAction)),
            TargetKind.GROUP,
            target,
            changes,
            members,
            digest=self.text(),
        )

    def look(self, run: Run) -> Payload:
        """Return one of the views of a run: rows, searched, filtered, a row looked into, or all as text."""
        pick = self._random.choice
        reference = Reference(run.run_id, pick(list(StageName)), pick((1, 1, 2, 5, 10**6)))
        if self.chance(0.08):
            reference = replace(reference.found(self.text()), changed=self.chance())
        if self.chance(0.05):
            return details(run, replace(reference, copy=True))
        view = details(run, reference)
        opening = [b for b in buttons(view) if b["action_id"] == controls.SHOW_WHOLE]
        return follow(run, pick(opening)) if opening and self.chance(0.2) else view


def problems(payload: Payload) -> list[str]:
    """Name everything in a payload that is beyond a limit of Slack."""
    found: list[str] = []

    def within(what: str, size: int, most: int, least: int = 1) -> None:
        if not least <= size <= most:
            found.append(f"{what}: {size}")

    modal = payload.get("type") == "modal"
    within("blocks", len(payload["blocks"]), 100 if modal else 50)
    if modal:
        within("title", len(payload["title"]["text"]), 24)
        within("close", len(payload["close"]["text"]), 24)
        within("submit", len(payload.get("submit", {"text": "x"})["text"]), 24)
        within("private_metadata", len(payload["private_metadata"]), 3000)
        within("bytes", len(json.dumps(payload)), 250_000)
        typed = any(block["type"] == "input" for block in payload["blocks"])
        within("submit of an input", int("submit" in payload), 1, int(typed))
    else:
        within("text", len(payload["text"]), 3900)
        within("size", len(json.dumps(payload)), 12_000)
    for block in payload["blocks"]:
        for what, size, most in _sizes(block):
            within(f"{block['type']} {what}", size, most)
    return found


def _sizes(block: Payload) -> list[tuple[str, int, int]]:
    kind = block["type"]
    sizes: list[tuple[str, int, int]] = []
    if kind == "header":
        sizes.append(("text", len(block["text"]["text"]), 150))
    if kind == "section":
        sizes += [("text", len(block["text"]["text"]), 3000)] if "text" in block else []
        sizes += [("fields", len(block["fields"]), 10)] if "fields" in block else []
        sizes += [("field", len(field["text"]), 2000) for field in block.get("fields", [])]
    if kind == "context":
        sizes.append(("elements", len(block["elements"]), 10))
    if kind == "actions":
        sizes.append(("elements", len(block["elements"]), 25))
        sizes.append(
            ("ids told apart", len({e["action_id"] for e in block["elements"]}), len(block["elements"]))
        )
    if kind == "input":
        sizes.append(("label", len(block["label"]["text"]), 2000))
        sizes.append(
            ("typed", len(block["element"].get("initial_value", "x")), block["element"]["max_length"])
        )
        sizes.append(("placeholder", len(block["element"]["placeholder"]["text"]), 150))
    for button in [
        *([block["accessory"]] if "accessory" in block else []),
        *(block["elements"] if kind == "actions" else []),
    ]:
        sizes.append(("label", len(button["text"]["text"]), 75))
        sizes.append(("value", len(button["value"]), 2000))
        sizes.append(("action_id", len(button["action_id"]), 255))
        sizes.append(("spoken", len(button.get("accessibility_label", "x")), 75))
    return sizes


@pytest.mark.parametrize("share", range(SHARES))
def test_no_run_is_shown_beyond_a_limit(share: int) -> None:
    """Message and a view of each of five thousand runs are within every limit."""
    maker = Maker(share)
    for number in range(RUNS // SHARES):
        run = maker.run()
        message = run_message(run, writes_on=maker.chance()).payload()
        view = maker.look(run)
        for payload, surface in ((message, "message"), (view, "modal")):
            assert problems(payload) == [], (share, number)
            if number % 10 == 0:
                assert validate(payload, surface) == []  # type: ignore[arg-type]  # one of its literals
                assert verdict_by_policy(payload, surface) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "header", "text": {"text": "x" * 151}}, "header text: 151"),
        ({"type": "section", "fields": [{"text": "x"}] * 11}, "section fields: 11"),
        ({"type": "section", "text": {"text": ""}}, "section text: 0"),
    ],
)
def test_the_check_sees_what_is_beyond(block: Payload, said: str) -> None:
    """The check of the check: what is too long, too many or empty is named."""
    assert problems({"text": "x", "blocks": [block]}) == [said]
    assert problems({"text": "x", "blocks": []}) == ["blocks: 0"]
    assert problems({"text": "x" * 3901, "blocks": [{"type": "divider"}]}) == ["text: 3901"]


def test_a_field_without_a_button_to_send_it_is_a_defect() -> None:
    """Slack refuses a modal with an input and no submit; so does the last line before it."""
    view = details(samples.OUTCOMES[Outcome.CREATED], Reference(samples.RUN_ID, StageName.IMPORT))
    assert "submit" in view
    with pytest.raises(ViewTooLarge):
        fit_modal({name: value for name, value in view.items() if name != "submit"})
