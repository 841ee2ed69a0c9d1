"""Short answers that only the person who asked sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.views import text
from bot.views.blocks import context, mrkdwn, paragraph, plain, section
from bot.views.limits import Block, Message, fit_message
from pipeline.errors import PipelineError

_RIGHTS: Final = {
    "look": "look at runs",
    "preview": "preview",
    "provision": "provision",
    "override_scope": "override the scope",
}


def refused(right: str, ask: Sequence[str] = (), *, here: bool = False) -> Message:
    """Say that a person lacks a right, and whom to ask.

    Args:
        right: `look`, `preview` or `provision`.
        ask: Slack user ids of those who can help; without any, the administrators of the bot are named.
        here: whether the right is only missing in this channel.

    """
    what = _RIGHTS.get(right, text.phrase(right, 60))
    whom = _whom(ask)
    place = " in this channel" if here else ""
    return _notice(
        f"You may not {what}{place}. Nothing was done.",
        f"Ask {whom} to grant you the right “{text.phrase(right, 60)}” in the configuration.",
    )


def bad_input(error: PipelineError, typed: str, base: str) -> Message:
    """Say why what was typed cannot be used, with an example from the configured base."""
    first = f"{text.sentence(error.message, 250)} {text.sentence(error.remedy, 250)}".strip()
    blocks = [section(first)]
    if typed.strip():
        blocks.append(paragraph(f"You typed: {text.shorten(typed, 300)}"))
    blocks.append(_example(base))
    return fit_message(Message(f"{first} Example: {text.escape(example(base))}", blocks))


def _whom(ask: Sequence[str]) -> str:
    people = [text.mention(f"TT/{user}") for user in ask[:5]]
    return text.listing(people, "or") if people else "whoever runs this bot in your organisation"


def help_text(base: str, rights: Sequence[str], *, writes_on: bool, ask: Sequence[str] = ()) -> Message:
    """Say what the person can type; only what they may do is listed.

    `ask`: Slack user ids of those who can help somebody without any right.
    """
    lines = []
    if "provision" in rights:
        done = " and writes what is missing to Entra ID" if writes_on else "; writing is switched off here"
        lines.append(
            f"`/provision &lt;identifier&gt;`  takes one user or group through the four checks{done}."
        )
    if "preview" in rights or "provision" in rights:
        lines += [
            "`/provision preview &lt;identifier&gt;`  shows what would be done. It writes nothing.",
            "`/provision`  alone opens a form in which the object is found by its name.",
        ]
    if rights:
        lines.append("`/provision history`, `/provision history &lt;identifier&gt;`  shows what happened.")
    lines.append("`/provision help`  shows this.")
    if not rights:
        lines.insert(
            0,
            f"You may not look, preview or provision yet. Ask {_whom(ask)} to grant you a right in the "
            "configuration.",
        )
    blocks = [section("\n".join(lines))]
    if "preview" in rights or "provision" in rights:
        more = (
            "An identifier is a distinguished name, a user principal name or mail address, an account name, "
            "a GUID or a SID; up to ten of them, one a line. Add `with NAME` at the end to choose a "
            "configuration. What would be read as a command can be put in quotation marks."
        )
        lines.append(more)
        blocks.append(context(mrkdwn(more)))
    if "provision" in rights or "preview" in rights:
        blocks.append(_example(base, "" if "provision" in rights else "preview"))
    elif rights:
        blocks.append(_example(base, "history"))
    return fit_message(Message(" ".join(lines), blocks))


def meant(typed: str, command: str, base: str) -> Message:
    """Say that the first word is nearly a command, and which one."""
    word = (typed.split() or [""])[0]
    first = f"There is no command “{text.phrase(word, 40)}”. Nothing was started."
    then = f"Did you mean: /provision {text.phrase(command, 300)}"
    otherwise = "If it is the name of an account, put it in quotation marks."
    blocks = [section(first), paragraph(f"Did you mean:\n/provision {text.shorten(command, 300)}")]
    blocks += [section(otherwise), _example(base, str(command).partition(" ")[0])]
    return fit_message(Message(f"{first} {then} {otherwise}", blocks))


def no_such_configuration(name: str, known: Sequence[str], near: str | None) -> Message:
    """Say that no configuration has the name after ` with `, and which there are."""
    guess = f"Did you mean “{text.phrase(near, 64)}”? " if near else ""
    names = text.listing([text.phrase(one, 64) for one in known[:20]])
    return _notice(
        f"There is no configuration “{text.phrase(name, 64)}”. Nothing was started.",
        f"{guess}There {'is' if len(known) == 1 else 'are'}: {names or 'none that you may use here'}.",
    )


def too_many(number: int, most: int) -> Message:
    """Say that one command named more objects than it may."""
    return _notice(
        f"That is {text.counted(number, 'object')}; one command takes at most {text.count(most)}. "
        "Nothing was started.",
        "Type them in several commands, one object a line.",
    )


_INVITE: Final = "To follow a run step by step in this channel, invite the bot: `/invite @fourcheck`."
_ELSEWHERE: Final = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "is_archived": "This channel is archived, so the bot cannot post here. Use another channel next time.",
    "restricted_action": (
        "This channel lets only some members post, so the run could not be followed step by step. "
        "Ask an administrator of the workspace to let the app post here, or use another channel."
    ),
    "ekm_access_denied": (
        "Your organisation's key management keeps the bot from posting here. "
        "Ask an administrator of the workspace, or use another channel."
    ),
    "missing_scope": (
        "The bot lacks a permission in Slack, so the run could not be followed step by step. "
        "Tell whoever runs this bot: the app has to be installed again from its manifest."
    ),
}
"""Why the end of a run came once, by the command's own answer, and what to do (Slack, chat.postMessage)."""


def elsewhere(why: str) -> str:
    """Say, for one of Slack's errors, why the run was not shown step by step, and what to do about it."""
    known = "restricted_action" if why.startswith("restricted_action") else why
    otherwise = (
        f"Slack did not let the bot post here ({text.phrase(why, 60)}), so the run could not be followed "
        "step by step. Tell whoever runs this bot."
    )
    return _ELSEWHERE.get(known, otherwise)


def started(channel: str) -> Message:
    """Say where a run is that was started from a modal."""
    where = f"<#{channel}>" if channel.isalnum() else "the channel"
    return _notice(f"It has been started. Its message is in {where}.", "You can close this.")


def form_not_opened() -> Message:
    """Say that the form could not be opened, and how to do without it."""
    return _notice(
        "The form could not be opened: Slack waits three seconds for it. Nothing was started.",
        "Type `/provision` again, or with an identifier behind it.",
    )


def unknown_run(run_id: str = "") -> Message:
    """Say that a run is no longer stored."""
    name = f" {text.escape(text.run_short(run_id))}" if run_id else ""
    return _notice(
        f"The run{name} is no longer stored.",
        "Runs are kept for a limited time. Run it again with `/provision`.",
    )


def stopping(channel: str) -> Message:
    """Say, to who cancelled a run in a modal, when it stops and where that can be seen."""
    where = f"<#{channel}>" if channel.isalnum() else "the channel"
    return _notice(
        "The run is being stopped: before its next write, never in the middle of one.",
        f"Its message in {where} says how it ended. You can close this.",
    )


def over(run_id: str) -> Message:
    """Say that a run that is to be cancelled has ended."""
    return _notice(
        f"The run {text.escape(text.run_short(run_id))} has ended, so there is nothing to cancel.",
        "Its message says how.",
    )


def not_drawn(outcomes: Sequence[str], support_id: str) -> Message:
    """Say how runs stand whose message could not be made, which is a defect."""
    words = [f"“{outcome.lower()}”" for outcome in outcomes]
    whose = f"The run stands at {words[0]}" if len(words) == 1 else f"The runs stand at {text.listing(words)}"
    return _notice(
        f"{whose}. Its message could not be shown: something went wrong inside the bot.",
        "`/provision history` shows the run. Give the support id to whoever runs this bot.",
        support_id,
    )


def defect(support_id: str) -> Message:
    """Say that something went wrong that should not have, with the id that leads to the log."""
    return _notice(
        "Something went wrong inside the bot. It is not your doing.",
        "Try again; if it stays, give the support id to whoever runs this bot.",
        support_id,
    )


def error(problem: PipelineError, support_id: str) -> Message:
    """Say what a known error is and what to do about it."""
    return _notice(text.sentence(problem.message, 250), text.sentence(problem.remedy, 250), support_id)


def busy(name: str, actor: str = "", channel: str = "", permalink: str | None = None) -> Message:
    """Say that the same object is being worked on: by whom, and where that can be followed."""
    whose = f" for {text.mention(actor)}" if actor else ""
    where = f" in <#{channel}>" if channel and channel.isalnum() else ""
    first = f"{text.phrase(name, 120)} is being worked on right now{whose}{where}. Nothing new was started."
    link = f"<{permalink}|See the run>." if permalink and _is_link(permalink) else "Wait for its end."
    return _notice(first, link)


def example(base: str) -> str:
    """Return a distinguished name as it may be typed here."""
    return f"CN=Ada Lovelace,OU=Users,{text.shorten(base, 300)}"


def _example(base: str, verb: str = "") -> Block:
    first = f"{verb} " if verb in ("preview", "history") else ""
    return context(plain(f"Example: /provision {first}{example(base)}", 500))


def _notice(first: str, then: str, support_id: str | None = None) -> Message:
    blocks: list[Block] = [section(f"{first}\n{then}")]
    spoken = f"{first} {then}"
    if support_id is not None:
        blocks.append(context(mrkdwn(f"Support id {text.phrase(support_id, 64)}")))
        spoken += f" Support id {text.phrase(support_id, 64)}."
    return fit_message(Message(spoken, blocks))


def _is_link(permalink: str) -> bool:
    return permalink.startswith("https://") and not any(char in permalink for char in "<>|\n ")
