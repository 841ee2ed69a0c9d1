"""No value can forge a line, and no notice comes alive; tests/security has the corpus for runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.views import notices
from bot.views.plain import as_text, blocks_as_text
from pipeline.errors import DirectoryUnreachable, IdentifierMalformed
from pipeline.model import Outcome, Run
from tests.unit.views import samples
from tests.unit.views.hostile import ATTACKS, PLACES, soaked
from tests.unit.views.payloads import (
    Payload,
    assert_inert,
    assert_message_fits,
    messages,
    modals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = [
    samples.OUTCOMES[Outcome.FAILED],
    samples.OUTCOMES[Outcome.WOULD_UPDATE],
    samples.OUTCOMES[Outcome.PARTIAL],
    samples.OUTCOMES[Outcome.SKIPPED],
]


def notices_about(value: str) -> Iterator[Payload]:
    """Yield every notice that repeats something from outside."""
    yield notices.bad_input(IdentifierMalformed(value, remedy=value), value, value).payload()
    yield notices.busy(value, f"javascript:{value}").payload()
    yield notices.error(DirectoryUnreachable(value, remedy=value), value).payload()
    yield notices.help_text(value, ["provision"], writes_on=True).payload()
    yield notices.refused(value, [value]).payload()
    yield notices.unknown_run(value).payload()
    yield notices.defect(value).payload()


def everything(run: Run, value: str) -> Iterator[Payload]:
    """Yield everything that is ever shown of a run whose every text is the value."""
    poisoned = soaked(run, value)
    yield from messages(poisoned)
    yield from modals(poisoned)


@pytest.mark.parametrize("place", [PLACES[0], PLACES[3], PLACES[5]])
def test_a_hostile_notice_stays_a_notice(place: str) -> None:
    """What a notice repeats of what was typed or answered is inert, and fits."""
    for attack in ATTACKS:
        for payload in notices_about(place.format(attack)):
            assert_inert(payload)
            assert_message_fits(payload)


def test_a_hostile_value_forges_no_line() -> None:
    """A value with line breaks cannot draw a stage line of its own, in Slack or in a terminal."""
    forged = "Ada\n✅ Action  Passed. Created\r\n:white_check_mark: *Action*  Passed"
    for payload in everything(samples.OUTCOMES[Outcome.FAILED], forged):
        lines = blocks_as_text(payload["blocks"]).split("\n")
        assert not [line for line in lines if line.startswith("✅ Action")]


def test_a_terminal_gets_no_escape_sequence() -> None:
    """The plain rendering carries no control characters."""
    message = notices.busy("\x1b]0;owned\x07\x1b[31mred")
    assert "\x1b" not in as_text(message)
    assert "\x07" not in as_text(message)
