"""The details of a run: opened, turned, searched, looked into, copied. All from the store alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import Answers, refusal
from bot.listeners.buttons import TOO_LATE, TWICE, clicked, once
from bot.listeners.permission import Permission, opened_in
from bot.slack import rejection
from bot.views import View, controls, details
from bot.views.controls import Reference
from pipeline.configuration import Right
from pipeline.model import Run
from pipeline.runs.store import Store

_GONE: Final = frozenset({"not_found", "view_not_found"})


class Details:
    """Listens to View details and to everything in the modal that it opens."""

    def __init__(
        self, *, store: Store, permission: Permission, client: AsyncWebClient, answers: Answers
    ) -> None:
        self._store = store
        self._permission = permission
        self._client = client
        self._answers = answers

    async def open(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """View details, Show all, Why, Copy as text: open a modal, on top of the one clicked in."""
        reference = _reference(clicked(body))
        allowed, run = await self._looked_up(ack, body, reference)
        if not allowed:
            return
        await ack()
        view = _view(run, reference, body)
        rows = _reference(_kept(body))
        again = details.told("Not opened", details.too_late())
        if run is not None and rows is not None:
            again = _view(run, rows, body, notice=details.TOO_LATE)
        self._answers.later(self._open(body, view, again, _back(run, reference, body)), "open a modal")

    async def turn(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Previous, Next, Only what changes, Show all, Clear search, Back: show other rows in their place.

        Of two clicks on one view Slack takes the first: the second comes with a hash that is no more.
        """
        reference = _reference(clicked(body))
        allowed, run = await self._looked_up(ack, body, reference)
        if not allowed:
            return
        await ack()
        shown, view = body.get("view") or {}, _view(run, reference, body)
        self._answers.later(self._update(str(shown.get("id")), view, shown.get("hash")), "turn a page")

    async def search(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Search: show the rows that hold what was typed, in the place of the others."""
        reference = _reference(_kept(body))
        allowed, run = await self._looked_up(ack, body, reference)
        if not allowed:
            return
        found = reference.found(_typed(body)) if reference is not None else None
        await ack(response_action="update", view=_view(run, found, body))

    async def _looked_up(
        self, ack: AsyncAck, body: dict[str, Any], reference: Reference | None
    ) -> tuple[bool, Run | None]:
        """Return the run of a reference, None where it is no longer stored; who may not look is told so."""
        run = await self._store.load(reference.run_id) if reference is not None else None
        if run is None:
            return True, None
        decision, _ = await self._permission.ask(Right.LOOK, body, run)
        if decision.allowed:
            return True, run
        message = refusal(decision, Right.LOOK)
        if body.get("type") == "view_submission":
            await ack(response_action="update", view=details.told("Not allowed", message))
        else:
            await self._answers.tell(ack, body, message, "Not allowed")
        return False, None

    async def _open(self, body: Mapping[str, Any], view: View, again: View, in_place: View | None) -> None:
        """Open a view, or put it on top; where Slack does not take it, say so where the click was.

        `again` is what the modal below shows when it was too late, `in_place` when three are stacked already.
        """
        trigger, below = str(body.get("trigger_id") or ""), body.get("view") or {}
        named = {**view, "external_id": once(body)}
        method = self._client.views_push if below else self._client.views_open
        try:
            await method(trigger_id=trigger, view=named)
        except SlackApiError as error:
            code = rejection(error).code
            if code in TWICE:
                return
            if code == "push_limit_reached":
                await self._update(str(below.get("id")), in_place or view, below.get("hash"))
            elif code in TOO_LATE and below:
                await self._update(str(below.get("id")), again, below.get("hash"))
            elif code in TOO_LATE and body.get("response_url"):
                await self._answers.beside(body, details.too_late())
            else:
                raise

    async def _update(self, view_id: str, view: View, seen: str | None) -> None:
        try:
            await self._client.views_update(view_id=view_id, hash=seen, view=view)
        except SlackApiError as error:
            if rejection(error).code not in TWICE | _GONE:  # gone: closed meanwhile
                raise


def _view(run: Run | None, reference: Reference | None, body: Mapping[str, Any], notice: str = "") -> View:
    """Return the view of a reference, which remembers the channel that it was opened in."""
    if run is None or reference is None:
        return details.expired(reference.run_id if reference else None)
    return _placed(details.details(run, reference, notice=notice), body)


def _back(run: Run | None, reference: Reference | None, body: Mapping[str, Any]) -> View | None:
    """Return the view for where no further one can be put on top: it leads back to the rows by itself."""
    rows = _reference(_kept(body))
    if run is None or reference is None or rows is None:
        return None
    return _placed(details.details(run, reference, back_to=rows), body)


def _placed(view: View, body: Mapping[str, Any]) -> View:
    channel = (body.get("channel") or {}).get("id") or opened_in(body)
    if not channel:
        return view
    kept = {**json.loads(view["private_metadata"]), "channel": channel}
    return {**view, "private_metadata": json.dumps(kept, separators=(",", ":"))}


def _kept(body: Mapping[str, Any]) -> str:
    return str((body.get("view") or {}).get("private_metadata") or "")


def _typed(body: Mapping[str, Any]) -> str:
    values = ((body.get("view") or {}).get("state") or {}).get("values") or {}
    fields = (actions.get(controls.SEARCH) for actions in values.values())
    return next((str(field.get("value") or "") for field in fields if field), "")


def _reference(value: str) -> Reference | None:
    try:
        return Reference.decode(value)
    except ValueError:
        return None
