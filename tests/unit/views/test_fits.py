"""Whatever a run holds, everything that is shown of it is within what Slack takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.views import notices
from pipeline.errors import ObjectNotFound
from pipeline.ids import Dn
from pipeline.model import (
    ActionEvidence,
    Change,
    ChangeKind,
    ImportedAttribute,
    Outcome,
    Plan,
    PlanAction,
    StageName,
    StageStatus,
    TargetKind,
)
from tests.unit.views import samples
from tests.unit.views.payloads import (
    assert_message_fits,
    assert_modal_fits,
    buttons,
    follow,
    messages,
    opened,
)
from tests.unit.views.shapes import texts

_CALM = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(
        Phase.explicit,
        Phase.generate,
        Phase.shrink,
    ),  # explaining traces every line: minutes, not seconds
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@_CALM
@given(texts(), st.lists(texts(), max_size=8))
def test_any_notice_fits(value: str, people: list[str]) -> None:
    """Notices hold every limit, whatever was typed and whatever the error says."""
    for notice in (
        notices.bad_input(ObjectNotFound(value), value, value),
        notices.error(ObjectNotFound(value), value),
        notices.refused(value, people),
        notices.busy(value, value),
        notices.unknown_run(value),
        notices.defect(value),
        notices.help_text(value, people, writes_on=False),
    ):
        assert_message_fits(notice.payload())


WORST = {
    "emoji": "😀" * 40_000,  # twelve characters of JSON each
    "entities": "&" * 40_000,  # five each in mrkdwn
    "quotes": '"' * 40_000,  # two each, four inside a button's value
    "controls": "\x00" * 40_000,  # eight each once they are visible
    "lines": "\n" * 40_000,
    "marks": "*" * 40_000,
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_page_fits(name: str) -> None:
    """Forty rows, each with every part as long and as costly as it gets, fit into one view."""
    worst = WORST[name]
    changes = tuple(
        Change(f"{worst[:90]}{n}", worst, worst, ChangeKind.CHANGED, worst, worst, ((worst, worst),))
        for n in range(40)
    )
    attributes = tuple(
        ImportedAttribute(f"{worst[:90]}{n}", worst, (worst, worst), (worst, worst), 2) for n in range(40)
    )
    error = samples.error("x", worst, worst)
    run = samples.run(
        Outcome.FAILED,
        samples.stage(StageName.IMPORT, StageStatus.FAILED, worst[:-1], samples.imported(*attributes)),
        samples.stage(StageName.ACTION, StageStatus.FAILED, worst[:-1], ActionEvidence()),
        plan=Plan(PlanAction.UPDATE, TargetKind.USER, None, changes, digest=worst),
        error=replace(error, message=worst),
        warnings=(worst,) * 9,
        object=replace(samples.ADA, dn=Dn(worst), name=worst),
        configuration=worst,
    )
    for payload in messages(run):
        assert_message_fits(payload)
    for stage in (StageName.IMPORT, StageName.ACTION):
        assert_modal_fits(opened(run, stage))


def test_the_largest_objects_fit() -> None:
    """Five thousand attributes and changes and two thousand members fit, on the first page and the last."""
    value = "漢字 <!channel> 😀 " * 2500
    attributes = tuple(ImportedAttribute(f"a{n}", "text", (value, value)) for n in range(5000))
    changes = tuple(Change(f"a{n}", value, value, list(ChangeKind)[n % 5], value) for n in range(5000))
    members = tuple(replace(samples.GROUP.members[n % 3], name=value, reason=value) for n in range(2000))
    run = samples.run(
        Outcome.WOULD_UPDATE,
        samples.stage(StageName.IMPORT, StageStatus.PASSED, value, samples.imported(*attributes)),
        samples.action(value),
        plan=Plan(PlanAction.UPDATE, TargetKind.GROUP, None, changes, members),
    )
    for payload in messages(run):
        assert_message_fits(payload)
    for stage in (StageName.IMPORT, StageName.ACTION):
        for page in (1, 126, 9999):
            assert_modal_fits(opened(run, stage, page))


def test_every_attribute_is_on_some_page() -> None:
    """Paging through 1,000 attributes shows each exactly once, thirty-six a page."""
    names = [f"attribute{n:04}" for n in range(1000)]
    run = samples.run(
        Outcome.CREATED,
        samples.stage(
            StageName.IMPORT,
            StageStatus.PASSED,
            "",
            samples.imported(*(ImportedAttribute(name, "text", ("x",)) for name in names)),
        ),
    )
    seen: list[str] = []
    view = opened(run, StageName.IMPORT)
    while True:
        seen += [b["fields"][0]["text"].strip("*") for b in view["blocks"] if "fields" in b]
        following = [b for b in buttons(view) if b["action_id"] == "page_next"]
        if not following:
            break
        view = follow(run, following[0])
    assert seen == names


def test_every_member_is_on_some_page() -> None:
    """Paging through 2,000 members shows each exactly once."""
    members = tuple(replace(samples.GROUP.members[0], name=f"Member {n:04}") for n in range(2000))
    run = replace(samples.OUTCOMES[Outcome.PARTIAL], plan=replace(samples.GROUP, members=members))
    text = "".join(str(opened(run, StageName.ACTION, page)["blocks"]) for page in range(1, 9))
    assert all(text.count(f"Member {n:04}") == 1 for n in range(2000))
    assert "Page 8 of 8" in str(opened(run, StageName.ACTION, 99))
