"""Several runs at once: the shared message, the history, the form. Within every limit, and inert."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.views import batch_message, run_message
from bot.views import picker as form
from bot.views.batch import OUTCOMES, totals
from bot.views.history import ROWS_A_PAGE, Where, history_message, history_view
from bot.views.message import Hints
from bot.views.overview import run_view
from bot.views.picker import Choice, Kept
from pipeline.ids import RunId
from pipeline.model import Mode, Outcome, Run
from sandbox.workspace.blockkit import validate, validate_options
from tests.unit.views import samples
from tests.unit.views.hostile import ATTACKS, soaked
from tests.unit.views.payloads import assert_inert, assert_message_fits, assert_modal_fits
from tests.unit.views.shapes import runs, texts

_CALM = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def numbered(run: Run, number: int) -> list[Run]:
    """Return so many runs like this one."""
    return [replace(run, run_id=RunId(f"{number:02}{run.run_id[2:]}")) for number in range(number)]


@_CALM
@given(runs(), st.integers(2, 10))
def test_any_runs_fit_into_one_message(run: Run, number: int) -> None:
    """Ten of the largest runs hold every limit, shared or listed."""
    several = numbered(run, number)
    where = Where("x" * 9000, ROWS_A_PAGE)
    for payload in (
        batch_message(several, writes_on=True).payload(),
        batch_message(several, writes_on=False, hints=Hints(plaintext_directory=True)).payload(),
        history_message(several[:ROWS_A_PAGE], where, more=True).payload(),
    ):
        assert_message_fits(payload)
        assert_inert(payload)
    assert_modal_fits(history_view(several[:ROWS_A_PAGE], where, "C0IDENTITY", more=True))
    assert_modal_fits(run_view(run, run_message(run, writes_on=True), "C0IDENTITY"))


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_no_value_does_anything_in_a_list(attack: str) -> None:
    """A name that would ping, link or format is text in the shared message and in the history."""
    several = numbered(soaked(samples.run(Outcome.REFUSED), attack), 3)

    assert_inert(batch_message(several, writes_on=True).payload())
    assert_inert(history_message(several, Where(attack), more=True).payload())
    assert_inert(history_message([], Where(attack), more=False).payload())


def test_every_outcome_has_words_of_its_own() -> None:
    """No two outcomes read the same in a list, and none is without words."""
    assert set(OUTCOMES) == set(Outcome)
    assert len({word for _, word, _ in OUTCOMES.values()}) == len(Outcome)


TOTALS = [
    (["created", "updated", "unchanged", "refused"], "3 of 4 objects provisioned, 1 refused"),
    (["refused", "failed"], "None of 2 objects provisioned, 1 refused, 1 failed"),
    (["created", "created"], "2 of 2 objects provisioned"),
    (["created", "running", "running"], "1 of 3 objects provisioned, 2 under way"),
    (["would_create", "created"], "1 of 2 objects provisioned, 1 previewed"),
    (
        ["partial", "unknown", "skipped"],
        "None of 3 objects provisioned, 1 skipped, 1 provisioned only in part, 1 not known",
    ),
]


@pytest.mark.parametrize(("outcomes", "words"), TOTALS, ids=[row[1] for row in TOTALS])
def test_totals_tell_the_truth(outcomes: list[str], words: str) -> None:
    """What was written is told apart from what was only looked at, and nothing is left out."""
    assert totals([samples.run(Outcome(outcome)) for outcome in outcomes]) == words


def test_previews_are_never_told_as_provisioned() -> None:
    """A shared message of previews says that nothing was written."""
    several = [
        samples.run(outcome, mode=Mode.PREVIEW) for outcome in (Outcome.WOULD_CREATE, Outcome.UNCHANGED)
    ]
    message = batch_message(several, writes_on=True)

    assert message.text.startswith("Preview: 2 of 2 objects previewed — nothing was written.")
    assert "provisioned" not in message.text


@_CALM
@given(st.lists(st.tuples(texts(), texts(), st.booleans()), max_size=130))
def test_any_names_can_be_offered(found: list[tuple[str, str, bool]]) -> None:
    """Whatever people and groups are called, and however many there are: the options are what Slack takes."""
    choices = [
        Choice(f"{number:08}-8b86-d011-b42d-00cf4fc964ff", name, about, group)
        for number, (name, about, group) in enumerate(found)
    ]
    answer = form.suggestions(choices)

    assert validate_options(answer) == []
    offered = sum(len(group["options"]) for group in answer.get("option_groups", []))
    assert offered == min(len(found), form.OPTIONS)


def test_the_form_fits_with_a_hundred_configurations() -> None:
    """More configurations than a list takes are cut, and one alone is not asked for."""
    kept = Kept("C0IDENTITY", "https://hooks.slack.test/commands/" + "x" * 200)
    names = [f"{'n' * 60}{number:03}" for number in range(150)]
    view = form.picker(kept, modes=["preview", "provision"], configurations=names, initial_mode="provision")
    alone = form.picker(kept, modes=["preview"], configurations=names[:1], initial_mode="provision", note="x")

    assert validate(view, "modal") == []
    assert validate(alone, "modal") == []
    assert len(alone["blocks"]) == 3
    assert Kept.decode(view["private_metadata"]) == kept
    for text in ("", "[]", "{}", '{"channel": 1}'):
        with pytest.raises(ValueError, match=r".*"):
            Kept.decode(text)
