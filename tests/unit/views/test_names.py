"""How a headline calls an object that was not found: by what was typed, without what stands around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.views.wording import headline
from pipeline.model import ErrorReport, Outcome
from tests.unit.views import samples


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        pytest.param("CN=Ada,,OU=Staff,DC=c", "Ada", id="two commas"),
        pytest.param("Ada,", "Ada", id="a comma behind a name"),
        pytest.param("CN=Ada,OU=Staff,DC=c,", "Ada", id="a comma behind a distinguished name"),
        pytest.param("ada@contoso.test;", "ada@contoso.test", id="a semicolon"),
        pytest.param("Lovelace, Ada", "Lovelace, Ada", id="a comma within"),
        pytest.param(",;", "The object", id="nothing else"),
    ],
)
def test_a_stray_separator_does_not_end_up_in_a_sentence(typed: str, called: str) -> None:
    """The headline goes on in words after the name, not after a comma of it."""
    error = ErrorReport(
        "object_not_found", "There is no such object.", "Check the spelling.", retry_helps=False
    )
    run = replace(samples.run(Outcome.FAILED), object=None, identifier=typed, error=error)

    assert headline(run) == f"{called} was not provisioned: not found in Active Directory"


def test_a_name_that_ends_in_a_comma_is_kept() -> None:
    """What the directory calls an object is not corrected."""
    run = samples.run(Outcome.CREATED)
    assert run.object is not None
    named = replace(run, object=replace(run.object, name="Ada,"))

    assert headline(named).startswith("Ada, was created")
