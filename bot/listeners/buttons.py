"""The buttons of messages and modals. A click is trusted for nothing but who made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import AccessDecision, decide
from bot.actor import Actor, interaction_actor
from bot.answers import Answers, refusal
from bot.progress import Place
from bot.runs import Runs
from bot.views import details, notices
from bot.views.controls import Reference
from pipeline.configuration import Configurations, Right
from pipeline.errors import ConfigurationUnknown
from pipeline.ids import RunId, new_run_id
from pipeline.model import Mode, Request, Run
from pipeline.runs.store import Store


class Buttons:
    """Listens to every button. Details come from the store alone: a trigger lives three seconds."""

    def __init__(
        self,
        *,
        runs: Runs,
        store: Store,
        configurations: Configurations,
        client: AsyncWebClient,
        answers: Answers,
    ) -> None:
        self._runs = runs
        self._store = store
        self._configurations = configurations
        self._client = client
        self._answers = answers

    async def open_details(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """View details: open the modal of a stage."""
        reference = _reference(body)
        run = await self._store.load(reference.run_id) if reference else None
        if reference is None or run is None:
            view = details.expired(reference.run_id if reference else None)
        else:
            decision, _ = await self._may(Right.LOOK, body, run)
            if not decision.allowed:
                await self._answers.tell(ack, body, refusal(decision, Right.LOOK), "Not allowed")
                return
            view = _view(run, reference)
        await ack()
        trigger = str(body.get("trigger_id") or "")
        self._answers.later(self._client.views_open(trigger_id=trigger, view=view), "open a modal")

    async def turn_page(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Previous, Next, Show all and Back inside a modal."""
        reference = _reference(body)
        run = await self._store.load(reference.run_id) if reference else None
        view = details.expired(reference.run_id if reference else None)
        if reference is not None and run is not None:
            decision, _ = await self._may(Right.LOOK, body, run)
            if not decision.allowed:
                await self._answers.tell(ack, body, refusal(decision, Right.LOOK), "Not allowed")
                return
            view = _view(run, reference)
        await ack()
        shown = body.get("view") or {}
        self._answers.later(
            self._client.views_update(view_id=shown.get("id"), hash=shown.get("hash"), view=view),
            "turn a page",
        )

    async def run_again(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Run the same request again, in the name of whoever clicked."""
        await self._run(ack, body, follow=False)

    async def preview_this(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Preview the object of a run, in the name of whoever clicked. Writes nothing."""
        await self._run(ack, body, follow=False, preview=True)

    async def provision_this(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Carry out the plan of a preview, if it still is the plan."""
        await self._run(ack, body, follow=True)

    async def _run(self, ack: AsyncAck, body: dict[str, Any], *, follow: bool, preview: bool = False) -> None:
        run = await self._store.load(RunId(_value(body)))
        if run is None:
            await self._answers.tell(ack, body, notices.unknown_run(_value(body)))
            return
        mode = Mode.PROVISION if follow else Mode.PREVIEW if preview else run.mode
        right = Right(str(mode))
        decision, actor = await self._may(right, body, run)
        if not decision.allowed:
            await self._answers.tell(ack, body, refusal(decision, right), "Not allowed")
            return
        request = Request(
            run_id=new_run_id(),
            mode=mode,
            identifier=str(run.object.dn) if run.object else run.identifier,
            actor=actor.id,
            configuration=run.configuration,
            follows=run.run_id if follow else None,
        )
        place = Place(actor.channel, actor.user, body.get("response_url"))
        await self._runs.accept(request, place, delivery=body.get("trigger_id"))
        await ack()

    async def _may(self, right: Right, body: Mapping[str, Any], run: Run) -> tuple[AccessDecision, Actor]:
        """Decide with the configuration and the channel of the run that the button belongs to."""
        actor = interaction_actor(body)
        if not actor.channel:  # a click in a modal names no channel; the run's message stands in one
            notice = await self._store.notice(run.run_id)
            actor = replace(actor, channel=str((notice or {}).get("channel") or ""))
        return self._decide(run, actor, right), actor

    def _decide(self, run: Run, actor: Actor, right: Right) -> AccessDecision:
        """Decide with the run's own configuration; where it came to have none, with any.

        Raises ConfigurationUnknown where it is gone: another one's rights are not for this run's evidence.
        """
        known = self._configurations.all
        if run.configuration is None:  # it ended before an object was read: there is no evidence
            decisions = [decide(configuration, actor.id, actor.channel, right) for configuration in known]
            return next((decision for decision in decisions if decision.allowed), decisions[0])
        for configuration in known:
            if configuration.name == run.configuration:
                return decide(configuration, actor.id, actor.channel, right)
        raise ConfigurationUnknown(
            f"The configuration “{run.configuration}” of this run is no longer there, nor are its rights.",
            remedy="Ask whoever runs this bot in your organisation to bring it back.",
        )


def _reference(body: Mapping[str, Any]) -> Reference | None:
    try:
        return Reference.decode(_value(body))
    except ValueError:
        return None


def _value(body: Mapping[str, Any]) -> str:
    actions = body.get("actions") or [{}]
    return str(actions[0].get("value") or "")


def _view(run: Run, reference: Reference) -> dict[str, Any]:
    return details.details(
        run, reference.stage, reference.page, whole=reference.attribute, back=reference.back
    )
