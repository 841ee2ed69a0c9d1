"""What makes a click on a button the same as an earlier one, or a new one."""

from __future__ import annotations

from bot.actor import Actor
from bot.listeners.starting import _keys
from pipeline.model import Outcome
from tests.unit.views import samples


def test_every_click_finds_a_key_of_its_own() -> None:
    """However often one person presses one button, no press is told to have started what it did not."""
    actor = Actor("T0CONTOSO", "U0MARIA", "C0IDENTITY")
    used: set[str] = set()
    for number in range(60):
        body = {"actions": [{"action_id": "run_again", "action_ts": f"{number}.0"}]}
        free = [key for key in _keys(body, actor, samples.OUTCOMES[Outcome.CREATED]) if key not in used]
        assert free, number
        used.add(free[0])


def test_two_clicks_in_a_row_have_the_same_key() -> None:
    """Before the first is taken, the second comes to the same."""
    actor = Actor("T0CONTOSO", "U0MARIA", "C0IDENTITY")
    bodies = [{"actions": [{"action_id": "run_again", "action_ts": f"{n}.0"}]} for n in range(2)]
    first, second = (next(iter(_keys(body, actor, samples.OUTCOMES[Outcome.CREATED]))) for body in bodies)
    assert first == second
