"""What buttons carry, and what is refused when it comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.controls import DETAILS, Reference, searchable
from pipeline.ids import RunId
from pipeline.model import StageName


@given(
    stage=st.sampled_from(StageName),
    page=st.integers(1, 500),
    name=st.none() | st.text(max_size=80),
    typed=st.text(max_size=300),
    changed=st.booleans(),
    copy=st.booleans(),
)
def test_a_reference_survives_the_way_through_slack(
    *, stage: StageName, page: int, name: str | None, typed: str, changed: bool, copy: bool
) -> None:
    """What a button carried is what comes back, whatever was searched for."""
    run_id = RunId("01JDABCDEFGHJKMNPQRSTVWXK3")
    reference = Reference(run_id, stage, page, name, searchable(typed), changed, copy)
    assert Reference.decode(reference.encode()) == reference
    assert len(replace(reference, attribute=None).encode()) <= 2000


def test_what_is_searched_for_can_be_seen_and_is_bounded() -> None:
    """Control characters, line breaks and lone halves of characters are no part of it."""
    assert searchable("  a\x00\n\ud800b  ") == "a   b"
    assert len(searchable("😀" * 1000)) == 60


@pytest.mark.parametrize(
    "value",
    [
        "",  # nothing
        "not json",  # no reference
        "[]",  # no object
        "null",
        "[" * 5000,  # nested without end
        '{"stage":"import"}',  # no run
        '{"run":7,"stage":"import"}',  # a run that is no text
        '{"run":"a\'; DROP TABLE runs","stage":"import"}',  # a run that is no id
        '{"run":"' + "x" * 99 + '","stage":"import"}',  # far too long
        '{"run":"x","stage":"export"}',  # no such stage
        '{"run":"x","stage":["import"]}',
        '{"run":"x","stage":"import","page":0}',  # no such page
        '{"run":"x","stage":"import","page":true}',
        '{"run":"x","stage":"import","page":"1"}',
        '{"run":"x","stage":"import","page":1e99}',
        '{"run":"x","stage":"import","attribute":{}}',  # no attribute
    ],
)
def test_a_forged_value_is_refused(value: str) -> None:
    """Anything but a reference is one kind of error, whatever was sent."""
    with pytest.raises(ValueError):
        Reference.decode(value)


def test_action_ids_are_stable() -> None:
    """Buttons of messages that were posted long ago keep working."""
    assert DETAILS == {
        StageName.IMPORT: "details_import",
        StageName.SCOPE: "details_scope",
        StageName.MATCH: "details_match",
        StageName.ACTION: "details_action",
    }
