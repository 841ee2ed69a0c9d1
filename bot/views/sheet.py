"""What a details view is made of before it is cut into pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.views import controls, text
from bot.views.blocks import button
from bot.views.controls import Control, Reference
from bot.views.limits import Block
from pipeline.model import ImportEvidence, Run, StageName

ROWS_A_PAGE: Final = 40
"""At most two blocks a row and ten groups: within the hundred blocks of a modal. A row costs at most 5,700
characters of JSON, so that a page stays within the size of a view."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: the group it stands under, and the function that draws it when its page is shown."""

    group: str
    draw: Callable[[], list[Block]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The details of a stage: what stands on every page, and the rows.

    `empty` is said when there are no rows.
    """

    intro: tuple[Block, ...]
    rows: tuple[Row, ...]
    empty: str = "There is nothing to show here."


@dataclass(frozen=True, slots=True)
class Whole:
    """A value shown whole: what it is called, and its text."""

    label: str
    value: str


def show_all(run: Run, stage: StageName, attribute: str, index: int) -> Block | None:
    """Return the button that shows the cut value of row `index` whole.

    None for a name that no attribute has: too long to be carried by a button, or looking like a secret.
    """
    reference = Reference(run.run_id, stage, 1, attribute, index // ROWS_A_PAGE + 1)
    if not reference.fits() or text.without_secrets(attribute) != attribute:
        return None
    spoken = f"Show all of {text.shorten(attribute, 50)}"
    return button("Show all", Control(controls.SHOW_WHOLE, reference.encode()), spoken=spoken)


def private_names(run: Run) -> frozenset[str]:
    """Return the source attributes that stay hidden, in lower case, whatever else of the run repeats them."""
    evidence = run.stage(StageName.IMPORT).evidence
    attributes = evidence.attributes if isinstance(evidence, ImportEvidence) else ()
    return frozenset(a.name.casefold() for a in attributes if a.private)
