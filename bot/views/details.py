"""The details of a stage, from the run alone: one modal, in pages."""

from __future__ import annotations

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
)
from bot.views.blocks import section as section_block
from bot.views.controls import Control, Reference
from bot.views.limits import Block, Message, View, fit_modal
from bot.views.sheet import ROWS_A_PAGE, Row, Whole
from pipeline.ids import RunId
from pipeline.model import Run, Stage, StageName, StageStatus

_STAGES: Final = {
    StageName.IMPORT: details_import,
    StageName.SCOPE: details_scope,
    StageName.MATCH: details_match,
    StageName.ACTION: details_action,
}
_CHUNK: Final = 3000  # characters of a whole value in one block
_CHUNK_COST: Final = 18_000  # and what they may take in JSON
_CHUNKS_A_PAGE: Final = 10
_WHOLE: Final = 400_000  # characters of all values of an attribute together


def details(run: Run, stage: StageName, page: int = 1, *, whole: str | None = None, back: int = 1) -> View:
    """Show the details of a stage as a modal.

    Args:
        run: the run, finished or not.
        stage: the stage to show.
        page: which page, from 1; beyond the last one shows the last one.
        whole: the attribute whose value is shown whole instead, if any.
        back: the page that "Back" returns to from a whole value.

    Returns:
        A view within every limit of Slack, whatever the run holds.

    """
    reference = Reference(run.run_id, stage, page, whole, back)
    if whole is not None:
        return _whole(run, reference)
    sheet = _STAGES[stage].sheet(run)
    pages = max(1, -(-len(sheet.rows) // ROWS_A_PAGE))
    page = min(max(page, 1), pages)
    reference = Reference(run.run_id, stage, page)
    rows = sheet.rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    reached = text.status(run, run.stage(stage)) not in {text.NOT_REACHED, text.STATUS[StageStatus.WAITING]}
    empty = sheet.empty if reached else "This stage has not been reached."
    blocks = [*_opening(run, run.stage(stage)), *sheet.intro, *_draw(rows, empty)]
    return _modal(run, reference, [*blocks, *_pager(reference, pages, len(sheet.rows))])


def expired(run_id: RunId | None = None) -> View:
    """Show that a run is no longer stored, and what to do."""
    name = f" {text.escape(text.run_short(run_id))}" if run_id else ""
    line = (
        f"*The run{name} is no longer stored.* Runs are kept for a limited time. "
        "Run it again to see its details."
    )
    return fit_modal(_frame("Details", [section_block(line)]))


def _frame(title: str, blocks: list[Block]) -> View:
    return {
        "type": "modal",
        "callback_id": controls.CALLBACK_ID,
        "title": plain(title, 24),
        "close": plain("Close", 24),
        "blocks": blocks,
    }


def _modal(run: Run, reference: Reference, blocks: list[Block]) -> View:
    view = _frame(f"{str(reference.stage).capitalize()} details", blocks)
    kept = reference if reference.fits() else Reference(run.run_id, reference.stage, reference.back)
    return fit_modal(view | {"private_metadata": kept.encode()})


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
    small = [f"took {text.duration(stage.duration_ms)}"] if stage.duration_ms is not None else []
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
    def to(page: int) -> str:
        turned = Reference(reference.run_id, reference.stage, page, reference.attribute, reference.back)
        return turned.encode()

    row = []
    if reference.page > 1:
        row.append(button("Previous", Control(controls.PAGE_PREVIOUS, to(reference.page - 1))))
    if reference.page < pages:
        row.append(button("Next", Control(controls.PAGE_NEXT, to(reference.page + 1))))
    return row


# -- one value whole -------------------------------------------------------------------------------------


def _whole(run: Run, reference: Reference) -> View:
    chunks = _all_chunks(_STAGES[reference.stage].whole(run, reference.attribute or ""))
    pages = max(1, -(-len(chunks) // _CHUNKS_A_PAGE))
    page = min(max(reference.page, 1), pages)
    reference = Reference(run.run_id, reference.stage, page, reference.attribute, reference.back)
    blocks = [header(reference.attribute or "Value")]
    label = ""
    for name, chunk in chunks[(page - 1) * _CHUNKS_A_PAGE : page * _CHUNKS_A_PAGE]:
        if name != label:
            blocks.append(paragraph(name, 150))
            label = name
        blocks.append(preformatted(chunk))
    if not chunks:
        blocks.append(section_block("This value is not part of the run."))
    back = Control(controls.WHOLE_BACK, Reference(run.run_id, reference.stage, reference.back).encode())
    turning = _turning(reference, pages) if reference.fits() else []
    if pages > 1:
        blocks.append(context(mrkdwn(f"Page {text.count(page)} of {text.count(pages)}")))
    return _modal(run, reference, [*blocks, actions(button("Back", back), *turning)])


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
    start = cost = 0
    for index, char in enumerate(shown):
        cost += text.json_cost(char)
        if index - start >= _CHUNK or cost > _CHUNK_COST:
            pieces.append(shown[start:index])
            start, cost = index, text.json_cost(char)
    pieces.append(shown[start:])
    return [piece or text.EMPTY for piece in pieces]


def told(title: str, message: Message) -> View:
    """Show a short answer as a modal, where there is no message to answer beside."""
    return fit_modal(_frame(title, message.blocks))
