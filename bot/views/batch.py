"""The one message of several runs asked for together: an outcome in words for each, and a way in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.views import run_controls, text, wording
from bot.views.blocks import actions, button, confirmed, context, header, mrkdwn, section
from bot.views.limits import Block, Message, ViewTooLarge, fit_message, message_fits
from bot.views.message import NO_HINTS, Hints
from pipeline.model import Mode, Outcome, Run, StageStatus
from pipeline.provision import CLOUD_ONLY, WRITES_OFF

_WIDTHS: Final = (150, 100, 70, 50)
"""How long an object's line may be, tried in this order until the message fits."""

_DONE: Final = ":white_check_mark:"
_NOT: Final = ":x:"
_DOUBTFUL: Final = ":warning:"
_BUSY: Final = ":hourglass_flowing_sand:"

OUTCOMES: Final[dict[Outcome, tuple[str, str, str]]] = {
    # outcome: emoji, word for one object, word in the totals
    Outcome.RUNNING: (_BUSY, "Under way", "under way"),
    Outcome.CREATED: (_DONE, "Created", "provisioned"),
    Outcome.UPDATED: (_DONE, "Updated", "provisioned"),
    Outcome.UNCHANGED: (_DONE, "Up to date", "provisioned"),
    Outcome.RESTORED: (_DONE, "Restored", "provisioned"),
    Outcome.WOULD_CREATE: (_DONE, "Would be created", "previewed"),
    Outcome.WOULD_UPDATE: (_DONE, "Would be updated", "previewed"),
    Outcome.WOULD_RESTORE: (_DONE, "Would be restored", "previewed"),
    Outcome.SKIPPED: (":fast_forward:", "Skipped", "skipped"),
    Outcome.REFUSED: (_NOT, "Refused", "refused"),
    Outcome.FAILED: (_NOT, "Failed", "failed"),
    Outcome.PARTIAL: (_DOUBTFUL, "Only in part", "provisioned only in part"),
    Outcome.UNKNOWN: (_DOUBTFUL, "Not known", "not known"),
    Outcome.CANCELLED: (_DOUBTFUL, "Cancelled", "cancelled"),
    Outcome.INTERRUPTED: (_DOUBTFUL, "Interrupted", "interrupted"),
    Outcome.AWAITING_APPROVAL: (_BUSY, "Waits for approval", "waiting for approval"),
}
"""How each outcome reads in a list; one entry for every outcome."""


def batch_message(runs: Sequence[Run], *, writes_on: bool, hints: Hints = NO_HINTS) -> Message:
    """Show several runs as they stand, one line an object.

    Args:
        runs: at least one and at most ten runs that were asked for together, finished or not.
        writes_on: whether this installation writes to the tenant at all.
        hints: what else the installation has to say of itself in every message.

    Returns:
        A message within every limit of Slack, whatever the runs hold.

    """
    for width in _WIDTHS:
        message = Message(_spoken(runs, width), _blocks(runs, width, writes_on=writes_on, hints=hints))
        if message_fits(message):
            return fit_message(message)
    raise ViewTooLarge("several runs do not fit into a message at any width")


def totals(runs: Sequence[Run]) -> str:
    """Say how many objects came to which end: 3 of 4 provisioned, 1 refused."""
    previewing = all(run.mode is Mode.PREVIEW for run in runs)
    counts = Counter(_total(run, previewing=previewing) for run in runs)
    wanted = "previewed" if previewing else "provisioned"
    done = counts.pop(wanted, 0)
    first = f"{text.count(done) if done else 'None'} of {text.counted(len(runs), 'object')} {wanted}"
    order = list(dict.fromkeys(entry[2] for entry in OUTCOMES.values()))
    rest = [f"{text.count(counts[word])} {word}" for word in order if counts[word]]
    return ", ".join([first, *rest])


def _total(run: Run, *, previewing: bool) -> str:
    word = OUTCOMES[run.outcome][2]
    return "previewed" if previewing and word == "provisioned" else word


# -- the blocks ------------------------------------------------------------------------------------------


def _blocks(runs: Sequence[Run], width: int, *, writes_on: bool, hints: Hints) -> list[Block]:
    blocks = [header(_headline(runs)), context(mrkdwn(_about(runs)))]
    blocks += [_line(run, width) for run in runs]
    blocks += _warnings(runs, writes_on=writes_on, hints=hints)
    blocks.append(context(mrkdwn(_footer(runs))))
    row = _buttons(runs, writes_on=writes_on)
    return [*blocks, actions(*row)] if row else blocks


def _headline(runs: Sequence[Run]) -> str:
    if all(run.mode is Mode.PREVIEW for run in runs):
        return f"Preview: {totals(runs)} — {wording.NOTHING_WRITTEN}"
    return totals(runs)


def _about(runs: Sequence[Run]) -> str:
    names = [run.configuration for run in runs if run.configuration is not None]
    known = [text.phrase(name, 60) for name in dict.fromkeys(names)]
    configurations = f"configuration{'s' if len(known) > 1 else ''} {text.listing(known)}" if known else ""
    parts = [text.mention(runs[0].actor), str(runs[0].mode), configurations]
    return " · ".join(filter(None, parts))


def _line(run: Run, width: int) -> Block:
    emoji, word, _ = OUTCOMES[run.outcome]
    line = f"{emoji} *{word}*  {text.escape(_said(run, width))}"
    spoken = f"Details of {text.shorten(wording.object_name(run), 60)}"
    return section(line, button("Details", run_controls.open_run(run.run_id), spoken=spoken))


def _said(run: Run, width: int) -> str:
    """Say how a run ended or how far it is, in one plain sentence without a full stop."""
    if run.outcome is not Outcome.RUNNING:
        return wording.headline(run, width)
    stage = next((stage for stage in run.stages if stage.status is StageStatus.RUNNING), None)
    name = text.shorten(wording.object_name(run), width // 2)
    if stage is None:
        return name
    return text.shorten(f"{name}: {stage.name}{f', {stage.summary}' if stage.summary else ''}", width)


def _warnings(runs: Sequence[Run], *, writes_on: bool, hints: Hints) -> list[Block]:
    told = [w for run in runs for w in run.warnings if w == WRITES_OFF]
    lines = [text.sentence(warning, 160) for warning in dict.fromkeys(told)]
    if not writes_on and not told:
        lines.append("Writing is switched off here, so every run is a preview.")
    if hints.plaintext_directory:
        lines.append("The directory is read without encryption. This is for a lab only.")
    others = sum(1 for run in runs if set(run.warnings) - {WRITES_OFF} - set(CLOUD_ONLY.values()))
    if others:
        lines.append(f"{text.counted(others, 'object')} with a warning: see the details.")
    return [context(mrkdwn("\n".join(f":warning: Warning: {line}" for line in lines)))] if lines else []


def _footer(runs: Sequence[Run]) -> str:
    began = min(run.started_at for run in runs)
    ended = [run.ended_at for run in runs if run.ended_at is not None]
    if len(ended) < len(runs):
        return f"{text.count(len(ended))} of {text.count(len(runs))} done · {text.moment(began)}"
    took = text.duration((max(ended) - began).total_seconds() * 1000)
    return f"{took} · {text.moment(max(ended))} · {text.counted(len(runs), 'run')}"


def _buttons(runs: Sequence[Run], *, writes_on: bool) -> list[Block]:
    left = sum(run.ended_at is None for run in runs)
    if left:
        label = "Cancel all" if left == len(runs) else f"Cancel the other {text.count(left)}"
        return [button(label, run_controls.cancel_all(runs[0].run_id))]
    row = []
    planned = sum(run.mode is Mode.PREVIEW and wording.can_provision(run) for run in runs)
    if writes_on and planned:
        label = f"Provision {'all' if planned == len(runs) else 'these'} {text.count(planned)}"
        question = f"{text.counted(planned, 'object')} will be written to Entra ID, each as previewed."
        provide = button(label, run_controls.provision_all(runs[0].run_id), style="primary")
        row.append(confirmed(provide, "Provision as previewed", question, yes="Provision"))
    row.append(button("Run all again", run_controls.run_all_again(runs[0].run_id)))
    return row


def _spoken(runs: Sequence[Run], width: int) -> str:
    """Say the totals, then each outcome: a screen reader reads this and not the blocks."""
    lines = [text.ended(text.escape(_said(run, min(width, 100)))) for run in runs]
    return " ".join([text.ended(_headline(runs)), *lines])
