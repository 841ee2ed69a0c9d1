"""The buttons that show something. A click is trusted for nothing but who made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
        trigger = str(body.get("trigger_id") or "")
        if body.get("view"):
            self._answers.later(self._push(trigger, str(body["view"].get("id")), view), "open a modal")
        else:
            self._answers.later(self._client.views_open(trigger_id=trigger, view=view), "open a modal")

    def replace(self, body: Mapping[str, Any], view: View) -> None:
        """Show something else in the place of the modal that the click was in, if it still is what it was."""
        shown = body.get("view") or {}
        call = self._client.views_update(view_id=shown.get("id"), hash=shown.get("hash"), view=view)
        self._answers.later(call, "turn a page")

    async def _push(self, trigger: str, below: str, view: View) -> None:
        """Put a modal on top of another; where three are stacked already, in the place of the topmost."""
        try:
            await self._client.views_push(trigger_id=trigger, view=view)
        except SlackApiError as error:
            if rejection(error).code != "push_limit_reached":
                raise
            await self._client.views_update(view_id=below, view=view)


def clicked(body: Mapping[str, Any]) -> str:
    """Return the value of the button that was pressed."""
    actions = body.get("actions") or [{}]
    return str(actions[0].get("value") or "")
