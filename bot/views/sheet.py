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

ROWS_A_PAGE: Final = 36
"""At most two blocks a row and a dozen groups: within the hundred blocks of a modal. A row takes at most
5,700 characters of JSON, so that a page stays within the size of a view."""

Wanted = Callable[[str], bool]

SHOW_ALL: Final = "Show all"
WHY: Final = "Why"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: the group it stands under, and what draws it when its page is shown.

    `told` gives it as plain text, for copying and searching; `changed` is false of what is as it should be.
    `narrow`, of a row that holds several things, gives the row of those whose text is wanted.
    """

    group: str
    draw: Callable[[], list[Block]]
    told: Callable[[], str]
    changed: bool = True
    narrow: Callable[[Wanted], Row | None] | None = None

    def narrowed(self, wanted: Wanted) -> Row | None:
        """Return what of the row is wanted, if anything is."""
        if self.narrow is not None:
            return self.narrow(wanted)
        return self if wanted(self.told()) else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The details of a stage: what stands on every page, and the rows.

    `empty` is said when there are no rows; `search` is the label of the input that they are searched by.
    """

    intro: tuple[Block, ...]
    rows: tuple[Row, ...]
    empty: str = "There is nothing to show here."
    search: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A value shown whole: what it is called, and its text."""

    label: str
    value: str


def open_whole(run: Run, stage: StageName, attribute: str, label: str) -> Block | None:
    """Return the button that opens everything there is about an attribute.

    None for a name that no attribute has: too long to be carried by a button, or looking like a secret.
    """
    reference = Reference(run.run_id, stage, 1, attribute)
    if not reference.fits() or text.without_secrets(attribute) != attribute:
        return None
    spoken = f"{label}: {text.shorten(attribute, 50)}"
    return button(label, Control(controls.SHOW_WHOLE, reference.encode()), spoken=spoken)


def private_names(run: Run) -> frozenset[str]:
    """Return the source attributes that stay hidden, in lower case, whatever else of the run repeats them."""
    evidence = run.stage(StageName.IMPORT).evidence
    attributes = evidence.attributes if isinstance(evidence, ImportEvidence) else ()
    return frozenset(a.name.casefold() for a in attributes if a.private)
