"""The buttons that show something. A click is trusted for nothing but who made it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import Answers, refusal
from bot.listeners.permission import Permission
from bot.slack import rejection
from bot.views import Message, View, details
from bot.views.overview import run_view
from pipeline.configuration import Right
from pipeline.ids import RunId
from pipeline.model import Run
from pipeline.runs.store import Store

TOO_LATE: Final = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"})
"""What Slack says when more than three seconds went by between a click and the modal (page "Modals")."""

TWICE: Final = frozenset({"duplicate_external_id", "hash_conflict"})
"""What Slack says to the second of two clicks on one button: the first has been carried out."""

_TOGETHER_S: Final = 2.0
"""Clicks on one button within this many seconds are one click."""


class Buttons:
    """Listens to what opens modals and turns their pages: from the store alone, a trigger lives 3 seconds."""

    def __init__(
        self,
        *,
        store: Store,
        permission: Permission,
        client: AsyncWebClient,
        answers: Answers,
        render: Callable[[Run], Message],
    ) -> None:
        self._store = store
        self._permission = permission
        self._client = client
        self._answers = answers
        self._render = render

    async def open_run(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Details: open a run of a list, with its four stages."""
        run_id = RunId(clicked(body))
        run = await self._store.load(run_id)
        if run is None:
            view = details.expired(run_id)
        else:
            decision, actor = await self._permission.ask(Right.LOOK, body, run)
            if not decision.allowed:
                await self._answers.tell(ack, body, refusal(decision, Right.LOOK), "Not allowed")
                return
            view = run_view(run, self._render(run), actor.channel)
        await ack()
        self.open(body, view)

    def open(self, body: Mapping[str, Any], view: View) -> None:
        """Open a modal: on top of the one that the click was in, if it was in one."""
        self._answers.later(self._open(body, view), "open a modal")

    def replace(self, body: Mapping[str, Any], view: View) -> None:
        """Show something else in the place of the modal that the click was in, if it still is what it was."""
        shown = body.get("view") or {}
        call = self._client.views_update(view_id=shown.get("id"), hash=shown.get("hash"), view=view)
        self._answers.later(call, "turn a page")

    async def _open(self, body: Mapping[str, Any], view: View) -> None:
        """Open a modal once, on top of the one below; where it was too late, say so where the click was."""
        trigger, below = str(body.get("trigger_id") or ""), body.get("view") or {}
        method = self._client.views_push if below else self._client.views_open
        try:
            await method(trigger_id=trigger, view={**view, "external_id": once(body)})
        except SlackApiError as error:
            code = rejection(error).code
            if code in TWICE:
                return
            if code == "push_limit_reached":
                await self._client.views_update(view_id=below.get("id"), view=view)
            elif code in TOO_LATE and below:
                again = details.told("Not opened", details.too_late())
                await self._client.views_update(view_id=below.get("id"), view=again)
            elif code in TOO_LATE and body.get("response_url"):
                await self._answers.beside(body, details.too_late())
            else:
                raise


def clicked(body: Mapping[str, Any]) -> str:
    """Return the value of the button that was pressed."""
    actions = body.get("actions") or [{}]
    return str(actions[0].get("value") or "")


def once(body: Mapping[str, Any]) -> str:
    """Name a view after the click that opens it: Slack opens no second one of the same name beside it.

    Slack, page "views.open": an external_id has to be unique among a workspace's views.
    """
    action = (body.get("actions") or [{}])[0]
    at = float(action.get("action_ts") or 0) // _TOGETHER_S
    place = (body.get("view") or {}).get("id") or (body.get("container") or {}).get("message_ts") or ""
    person = (body.get("user") or {}).get("id") or ""
    what = "\n".join(map(str, (person, place, action.get("action_id"), action.get("value"), at)))
    return f"opened-{hashlib.sha256(what.encode(errors='replace')).hexdigest()[:32]}"
