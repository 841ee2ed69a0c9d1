"""What `fourcheck doctor` shows Slack, to learn whether it is still taken: answers, form, newest run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from bot.slack import rejection
from bot.views import Hints, Message, View, details, notices, picker, run_message
from bot.views.controls import Reference
from bot.views.history import Where, history_message
from bot.views.message import has_details
from pipeline.configuration import Configuration
from pipeline.errors import StoreUnavailable
from pipeline.findings import Finding, Findings, listed
from pipeline.model import Run, StageName

_SLACK: Final = Findings("Slack")


@dataclass(frozen=True, slots=True)
class Template:
    """Something that the bot sends, by the name that people know it by."""

    name: str
    made: Message | View

    def arguments(self) -> dict[str, str]:
        """Return the arguments of blocks.validate."""
        if isinstance(self.made, Message):
            return {"message": json.dumps(self.made.payload())}
        return {"view": json.dumps(self.made)}


async def examine_templates(
    client: AsyncWebClient, settings: Settings, configurations: Sequence[Configuration]
) -> Finding:
    """Let Slack itself say whether it takes what the bot sends, by its method blocks.validate."""
    run = await _newest_run(settings)
    shown = templates(settings, configurations, run)
    refused = [f"{one.name} ({code})" for one in shown if (code := await _invalid(client, one))]
    if "unknown_method" in str(refused):
        return _SLACK.unknown("templates", "This workspace has no blocks.validate.")
    if refused:
        says = f"Slack does not take these: {listed(refused)}."
        return _SLACK.missing("templates", says, "Report it: a limit of Slack may have changed.")
    newest = "the newest run's among them" if run is not None else "and there is no run yet"
    says = f"Slack takes the {len(shown)} messages and views it was shown, {newest}."
    return _SLACK.good("templates", says)


def templates(settings: Settings, configurations: Sequence[Configuration], run: Run | None) -> list[Template]:
    """Return what is shown to Slack: what needs no run, and all that opens from one, where there is one."""
    base = str(configurations[0].base) if configurations else "DC=example,DC=com"
    writes = settings.entra.writes == "on"
    form = picker.picker(
        picker.Kept("C0000000000"),
        modes=("preview", "provision"),
        configurations=[c.name for c in configurations],
        initial_mode="preview",
    )
    shown = [
        Template("help", notices.help_text(base, ("preview", "provision"), writes_on=writes)),
        Template("refusal", notices.refused("provision")),
        Template("defect", notices.defect("0" * 8)),
        Template("form", form),
    ]
    if run is None:
        return shown
    hints = Hints(plaintext_directory=any(d.allow_plaintext for d in settings.every_directory.values()))
    shown.append(Template("message of a run", run_message(run, writes_on=writes, hints=hints)))
    shown.append(Template("history", history_message([run], Where(), more=False)))
    stages = [stage for stage in StageName if has_details(run, stage)]
    return shown + [
        Template(f"details of {stage}", details.details(run, Reference(run.run_id, stage)))
        for stage in stages
    ]


async def _newest_run(settings: Settings) -> Run | None:
    """Read the newest run, beside a running bot; None where there is none, or no store to read from."""
    from pipeline.runs.sqlite import path_of  # noqa: PLC0415  # the other checks need no database
    from pipeline.runs.store import open_store  # noqa: PLC0415  # likewise

    url = settings.store.url.get_secret_value()
    try:
        if url.startswith("sqlite") and not path_of(url).exists():  # opening it would make it
            return None
        store = open_store(url, guest=True)
        try:
            return next(iter(await store.history(limit=1)), None)
        finally:
            await store.close()
    except StoreUnavailable:
        return None


async def _invalid(client: AsyncWebClient, template: Template) -> str:
    """Return Slack's word for what is wrong with something, or nothing."""
    try:
        # in the body: the SDK's own method would put it all into the address
        answer = await client.api_call("blocks.validate", data=template.arguments())
    except SlackApiError as error:
        return rejection(error).code or "refused"
    except (aiohttp.ClientError, OSError) as error:
        return type(error).__name__
    return "invalid_blocks" if answer.get("valid") is False or answer.get("errors") else ""
