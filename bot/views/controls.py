"""The buttons of all views: their action ids, and what their values carry.

A value is an opaque reference and never data to be trusted: whoever receives a click loads the run from the
store and checks the person's rights again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Final

from bot.views.text import without_secrets
from pipeline.ids import RunId
from pipeline.model import StageName

RUN_AGAIN: Final = "run_again"
PREVIEW_THIS: Final = "preview_this"
PROVISION_THIS: Final = "provision_this"
PAGE_PREVIOUS: Final = "page_previous"
PAGE_NEXT: Final = "page_next"
SHOW_WHOLE: Final = "show_whole"
"""Opens what there is about one attribute, on top of the details."""
WHOLE_BACK: Final = "whole_back"
"""Leads back to the rows, where a whole value stands in their place."""
COPY_TEXT: Final = "copy_text"
"""Opens the details as one text, on top of them."""
FILTER: Final = "filter"
"""Shows what changes alone, or everything again."""
CLEAR: Final = "clear_search"
SEARCH: Final = "search"
"""The action id of the input that is searched by."""
DETAILS: Final = {stage: f"details_{stage}" for stage in StageName}
"""The action id of each stage's View details button: details_import and so on."""
CALLBACK_ID: Final = "details"
SEARCH_MAX: Final = 60
"""How many characters are searched for at most."""
_VALUE_MAX: Final = 700
_PAGE_MAX: Final = 1_000_000
_RUN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Control:
    """What a button is called towards Slack and what it carries."""

    action_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in the details of a run.

    It is a page of a stage's rows; with `attribute` of what there is about that attribute, with `copy` of the
    rows as one text. `find` and `changed` say which of the rows are meant.
    """

    run_id: RunId
    stage: StageName
    page: int = 1
    attribute: str | None = None
    find: str = ""
    changed: bool = False
    copy: bool = False

    def encode(self) -> str:
        """Write the reference as a button's value, or as a modal's private_metadata."""
        body: dict[str, str | int | bool] = {
            "run": self.run_id,
            "stage": str(self.stage),
            "page": self.page,
        }
        if self.attribute is not None:
            body["attribute"] = self.attribute
        if self.find:
            body["find"] = self.find
        body |= {name: True for name in ("changed", "copy") if getattr(self, name)}
        return json.dumps(body, separators=(",", ":"))

    @classmethod
    def decode(cls, value: str) -> Reference:
        """Read a button's value or a modal's private_metadata. Raises ValueError for anything else."""
        try:
            body = json.loads(value)
        except RecursionError:
            raise ValueError("nested without end") from None
        if not isinstance(body, dict):
            raise ValueError("not a reference")  # noqa: TRY004  # one kind of error for all that is malformed
        run_id, attribute, page = body.get("run"), body.get("attribute"), body.get("page", 1)
        if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
            raise ValueError("no run in it")
        if type(page) is not int or not 1 <= page <= _PAGE_MAX:
            raise ValueError("no such page")
        if attribute is not None and not isinstance(attribute, str):
            raise ValueError("no such attribute")
        stage, find = StageName(str(body.get("stage"))), searchable(str(body.get("find", "")))
        changed, copy = (body.get(name) is True for name in ("changed", "copy"))
        return cls(RunId(run_id), stage, page, attribute, find, changed, copy)

    def turned(self, page: int) -> Reference:
        """Return another page of the same."""
        return replace(self, page=page)

    def found(self, typed: str) -> Reference:
        """Return the first page of those of the rows that hold what was typed."""
        return replace(self, page=1, find=searchable(typed))

    def fits(self) -> bool:
        """Whether the reference is short enough for a button; an absurdly long attribute name is not."""
        return len(self.encode()) <= _VALUE_MAX


def searchable(typed: str) -> str:
    """Return what was typed as it is searched for: what can be seen of it, in one line of bounded length.

    What looks like a secret is not searched for, since the view would have to remember it.
    """
    seen = "".join(c if c.isprintable() else " " for c in typed[: 4 * SEARCH_MAX])
    return without_secrets(seen).strip()[:SEARCH_MAX].strip()


def view_details(run_id: RunId, stage: StageName) -> Control:
    """Open the details of a stage."""
    return Control(DETAILS[stage], Reference(run_id, stage).encode())


def run_again(run_id: RunId) -> Control:
    """Run the same request again."""
    return Control(RUN_AGAIN, run_id)


def preview_this(run_id: RunId) -> Control:
    """Preview the object of a run that provisioned, or tried to."""
    return Control(PREVIEW_THIS, run_id)


def provision_this(run_id: RunId) -> Control:
    """Carry out the plan of a preview."""
    return Control(PROVISION_THIS, run_id)
