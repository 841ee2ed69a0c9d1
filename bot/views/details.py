"""The details of a stage, from the run alone: one modal, in pages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from bot.views import controls, details_action, details_import, details_match, details_scope, text, wording
from bot.views.blocks import (
    actions,
    button,
    code_line,
    context,
    header,
    mrkdwn,
    paragraph,
    plain,
    preformatted,
    search_input,
)
from bot.views.blocks import section as section_block
from bot.views.controls import Control, Reference
from bot.views.limits import Block, Message, View, fit_message, fit_modal, serialized
from bot.views.sheet import ROWS_A_PAGE, Row, Sheet, Whole
from pipeline.ids import RunId
from pipeline.model import Run, Stage, StageName, StageStatus

_STAGES: Final = {
    StageName.IMPORT: details_import,
    StageName.SCOPE: details_scope,
    StageName.MATCH: details_match,
    StageName.ACTION: details_action,
}
_COUNT: Final = re.compile(r" \([\d,]+\)$")
_CHUNK: Final = 3000  # characters of a whole value in one block
_CHUNK_COST: Final = 18_000  # and what they may take in JSON
_CHUNKS_A_PAGE: Final = 10
_TOLD: Final = 4000  # characters of one row in a text to be copied
_WHOLE: Final = 400_000  # characters of all values of an attribute together


def details(run: Run, reference: Reference, *, notice: str = "", back_to: Reference | None = None) -> View:
    """Show the details of a stage as a modal: a page of its rows, one attribute whole, or all as text.

    Args:
        run: the run, finished or not.
        reference: what to show; a page beyond the last one shows the last one.
        notice: a sentence to stand above the rows, such as what Slack did not take.
        back_to: the rows that texts lead back to, where they stand in their place and not on top of them.

    Returns:
        A view within every limit of Slack, whatever the run holds.

    """
    sheet = _STAGES[reference.stage].sheet(run)
    if reference.copy:
        return _texts(
            run, reference, wording.object_name(run), [Whole("", _as_text(run, reference, sheet))], back_to
        )
    if reference.attribute is not None:
        wholes = _STAGES[reference.stage].whole(run, reference.attribute)
        return _texts(run, reference, reference.attribute, wholes, back_to)
    return _rows(run, reference, sheet, notice)


def _rows(run: Run, reference: Reference, sheet: Sheet, notice: str) -> View:
    stage = run.stage(reference.stage)
    rows = _wanted(reference, sheet.rows)
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    reference = reference.turned(min(reference.page, pages))
    shown = rows[(reference.page - 1) * ROWS_A_PAGE : reference.page * ROWS_A_PAGE]
    reached = text.status(run, stage) not in {text.NOT_REACHED, text.STATUS[StageStatus.WAITING]}
    empty = sheet.empty if reached else "This stage has not been reached."
    blocks = [
        *([section_block(f":warning: {text.sentence(notice, 300)}")] if notice else []),
        *_opening(run, stage),
        *sheet.intro,
        *_tools(reference, sheet, len(rows)),
        *_draw(shown, _nothing_found(reference) if sheet.rows and not rows else empty),
        *_pager(reference, pages, len(rows)),
    ]
    searched = {"submit": plain("Search", 24)} if sheet.search else {}
    return _modal(run, reference, blocks, searched)


def expired(run_id: RunId | None = None) -> View:
    """Show that a run is no longer stored, and what to do."""
    name = f" {text.escape(text.run_short(run_id))}" if run_id else ""
    line = (
        f"*The run{name} is no longer stored.* Runs are kept for a limited time. "
        "Run it again to see its details."
    )
    return fit_modal(_frame("Details", [section_block(line)]))


TOO_LATE: Final = "Slack opens it within three seconds of the click only, and they were over. Press it again."


def too_late() -> Message:
    """Say that a click came to nothing, because answering it took too long."""
    return fit_message(Message(TOO_LATE, [section_block(TOO_LATE)]))


def _frame(title: str, blocks: list[Block]) -> View:
    return {
        "type": "modal",
        "callback_id": controls.CALLBACK_ID,
        "title": plain(title, 24),
        "close": plain("Close", 24),
        "blocks": blocks,
    }


def _modal(run: Run, reference: Reference, blocks: list[Block], more: View) -> View:
    view = _frame(f"{str(reference.stage).capitalize()} details", blocks) | more
    kept = reference if reference.fits() else Reference(run.run_id, reference.stage)
    return fit_modal(view | {"private_metadata": kept.encode()})


# -- which rows, and in which form -----------------------------------------------------------------------


def _wanted(reference: Reference, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return the rows that are changed, where that is asked for, and hold what is searched."""
    if reference.changed:
        rows = tuple(row for row in rows if row.changed)
    find = reference.find.casefold()
    if not find:
        return rows
    narrowed = (row.narrowed(lambda told: find in told.casefold()) for row in rows)
    # the count of a group is of all that is in it, not of what was found
    return tuple(replace(row, group=_COUNT.sub("", row.group)) for row in narrowed if row is not None)


def _nothing_found(reference: Reference) -> str:
    if reference.find:
        return f"Nothing here holds “{text.phrase(reference.find, 80)}”."
    return "Nothing changes: everything is already as it should be."


def _tools(reference: Reference, sheet: Sheet, found: int) -> list[Block]:
    """Return the field to search by, and the buttons that narrow the rows and give them as text."""
    blocks: list[Block] = []
    if sheet.search:
        blocks.append(search_input(sheet.search, controls.SEARCH, reference.find, controls.SEARCH_MAX))
    row: list[Block] = []
    same = sum(1 for each in sheet.rows if not each.changed)
    if reference.stage is StageName.ACTION and same and (same < len(sheet.rows) or reference.changed):
        label = "Show all" if reference.changed else "Only what changes"
        other = replace(reference, page=1, changed=not reference.changed)
        row.append(button(label, Control(controls.FILTER, other.encode())))
    if reference.find:
        row.append(button("Clear search", Control(controls.CLEAR, reference.found("").encode())))
        blocks.append(context(plain(f"{text.counted(found, 'row')} with “{reference.find}”", 200)))
    if sheet.rows:
        copy = replace(reference, page=1, copy=True)
        row.append(button("Copy as text", Control(controls.COPY_TEXT, copy.encode())))
    return [*blocks, *([actions(*row)] if row else [])]


def _as_text(run: Run, reference: Reference, sheet: Sheet) -> str:
    """Write the rows that are shown, on all pages, as lines under their groups."""
    stage = run.stage(reference.stage)
    _, word = text.status(run, stage)
    lines = [
        f"{str(reference.stage).capitalize()}: {word}. {text.without(word, stage.summary.strip())}",
        run.object.dn if run.object is not None else run.identifier,
        f"run {run.run_id}",
    ]
    lines = [text.visible(line.strip()) for line in lines]
    group = ""
    for row in _wanted(reference, sheet.rows):
        if row.group != group:
            lines += ["", text.visible(row.group)]
            group = row.group
        told = row.told()
        more = len(told) - _TOLD
        lines.append(f"{told[:_TOLD]}… {text.counted(more, 'more character')}" if more > 0 else told)
    return "\n".join(lines)


# -- what stands on every page ---------------------------------------------------------------------------


def _opening(run: Run, stage: Stage) -> list[Block]:
    emoji, word = text.status(run, stage)
    summary = text.sentence(text.without(word, stage.summary.strip()), 600)
    dn = run.object.dn if run.object is not None else run.identifier
    blocks = [
        header(wording.object_name(run)),
        code_line(text.shorten(dn, 1000) or text.EMPTY),
        section_block(f"{emoji} *{word}*{f'. {summary}' if summary else ''}"),
    ]
    small = [f"took {text.duration(stage.duration_ms)}"] if stage.duration_ms else []
    if stage.status is StageStatus.FAILED and run.error is not None:
        happened = run.error.message if run.error.message != stage.summary else ""
        lines = [
            f"*What happened:* {text.sentence(happened, 500)}" if happened else "",
            f"*What you can do:* {text.sentence(wording.remedy(run), 400)}",
            wording.retry(run),
        ]
        blocks.append(section_block("\n".join(filter(None, lines))))
        small.append(text.support(run))
    return [*blocks, context(mrkdwn(" · ".join(small)))] if small else blocks


def _draw(rows: tuple[Row, ...], empty: str) -> list[Block]:
    if not rows:
        return [section_block(empty)]
    blocks: list[Block] = []
    group = ""
    for row in rows:
        if row.group != group:
            blocks.append(section_block(f"*{text.escape(row.group)}*"))
            group = row.group
        blocks += row.draw()
    return blocks


def _pager(reference: Reference, pages: int, rows: int) -> list[Block]:
    if pages == 1:
        return []
    place = f"Page {text.count(reference.page)} of {text.count(pages)} · {text.counted(rows, 'row')}"
    return [context(mrkdwn(place)), actions(*_turning(reference, pages))]


def _turning(reference: Reference, pages: int) -> list[Block]:
    row = []
    if reference.page > 1:
        earlier = reference.turned(reference.page - 1).encode()
        row.append(button("Previous", Control(controls.PAGE_PREVIOUS, earlier)))
    if reference.page < pages:
        later = reference.turned(reference.page + 1).encode()
        row.append(button("Next", Control(controls.PAGE_NEXT, later)))
    return row


# -- values whole ----------------------------------------------------------------------------------------


def _texts(
    run: Run, reference: Reference, title: str, wholes: list[Whole], back_to: Reference | None
) -> View:
    """Show texts exactly as they are, each under its label, to be read and copied."""
    chunks = _all_chunks(wholes)
    pages = max(1, -(-len(chunks) // _CHUNKS_A_PAGE))
    reference = reference.turned(min(reference.page, pages))
    blocks = [header(title or "Value")]
    label = ""
    for name, chunk in chunks[(reference.page - 1) * _CHUNKS_A_PAGE : reference.page * _CHUNKS_A_PAGE]:
        if name != label:
            blocks.append(paragraph(name, 150))
            label = name
        blocks.append(preformatted(chunk))
    if not chunks:
        blocks.append(section_block("This value is not part of the run."))
    if pages > 1:
        blocks.append(context(mrkdwn(f"Page {text.count(reference.page)} of {text.count(pages)}")))
    row = _turning(reference, pages) if reference.fits() else []
    if back_to is not None:
        row.insert(0, button("Back", Control(controls.WHOLE_BACK, back_to.encode())))
    blocks += [actions(*row)] if row else []
    frame = {"title": plain("Copy as text" if reference.copy else "Attribute", 24)}
    return _modal(run, reference, blocks, frame if back_to else frame | {"close": plain("Back", 24)})


def _all_chunks(wholes: list[Whole]) -> list[tuple[str, str]]:
    """Cut values into labelled pieces; what is beyond any reading is counted instead."""
    chunks: list[tuple[str, str]] = []
    room = _WHOLE
    for number, whole in enumerate(wholes):
        if room <= 0:
            left = sum(len(further.value) for further in wholes[number:])
            rest = f"{text.counted(len(wholes) - number, 'value')}, {text.counted(left, 'character')}"
            return [*chunks, ("Not shown here, for its length", rest)]
        chunks += [(whole.label, chunk) for chunk in _chunks(replace(whole, value=whole.value[:room]))]
        if len(whole.value) > room:
            more = text.counted(len(whole.value) - room, "more character")
            chunks.append((f"{whole.label}, not shown here for its length", more))
        room -= len(whole.value)
    return chunks


def _chunks(whole: Whole) -> list[str]:
    """Cut a value into pieces that fit one block each; control characters are shown, line breaks stay."""
    shown = text.visible(text.without_secrets(whole.value), lines=True)
    pieces: list[str] = []
    start = 0
    while start < len(shown):
        size = _CHUNK
        while serialized(shown[start : start + size]) > _CHUNK_COST:
            size //= 2
        pieces.append(shown[start : start + size])
        start += size
    return pieces or [text.EMPTY]


def told(title: str, message: Message) -> View:
    """Show a short answer as a modal, where there is no message to answer beside."""
    return fit_modal(_frame(title, message.blocks))
